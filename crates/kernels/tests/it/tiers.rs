//! Every instruction set passes the same tests. The choice is made once per process, so each gets a process of its own.

use std::process::{Command, Output};
use striate_kernels::simd::{Tier, asked, tier};

/// This test binary once more, with another tier asked for.
fn again(name: &str, arguments: &[&str]) -> (Output, String) {
    let binary = std::env::current_exe().expect("the test binary");
    let run = Command::new(&binary).env("STRIATE_CPU", name).args(arguments).output().expect("a second process");
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    (run, said)
}

#[test]
fn a_named_tier_is_used_where_the_machine_has_it() {
    let Ok(name) = std::env::var("STRIATE_CPU") else { return };
    match Tier::ALL.into_iter().find(|tier| tier.name() == name) {
        Some(named) if named.runs_here() => assert_eq!((tier(), asked()), (named, Ok(named))),
        _ => {
            assert!(tier().runs_here());
            let told = asked().expect_err("not a tier of this machine").to_string();
            assert!(told.contains(&format!("STRIATE_CPU={name}")) && told.contains("portable"), "{told}");
        }
    }
}

#[test]
#[cfg_attr(target_family = "wasm", ignore = "no second process there")]
fn lesser_tiers_pass_the_same_tests() {
    if std::env::var_os("STRIATE_CPU").is_some() {
        println!("skipped: STRIATE_CPU names the tier of this process");
        return;
    }
    for lesser in Tier::ALL.into_iter().filter(|lesser| lesser.runs_here() && *lesser != tier()) {
        let (run, said) = again(lesser.name(), &["--skip", "lesser_tiers"]);
        assert!(run.status.success() && !said.contains(" 0 passed"), "STRIATE_CPU={}\n{said}", lesser.name());
    }
}

#[test]
#[cfg_attr(target_family = "wasm", ignore = "no second process there")]
fn a_tier_the_machine_lacks_is_refused_and_none_of_its_instructions_met() {
    if std::env::var_os("STRIATE_CPU").is_some() {
        println!("skipped: STRIATE_CPU names the tier of this process");
        return;
    }
    let lacking = Tier::ALL.into_iter().filter(|tier| !tier.runs_here()).map(Tier::name);
    for name in lacking.chain(["vliw", "AVX2"]) {
        let (run, said) = again(name, &["a_named_tier", "of_the_reference"]);
        assert!(run.status.success() && said.contains(" 2 passed"), "STRIATE_CPU={name}\n{said}");
    }
}
