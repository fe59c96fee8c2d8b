//! Every instruction set passes the same tests. The choice is made once per process, so each gets a process of its own.

use std::process::Command;
use striate_kernels::simd::{Tier, tier};

/// The names `STRIATE_CPU` takes.
const NAMES: [(&str, Tier); 3] = [("portable", Tier::Portable), ("avx2", Tier::Avx2), ("avx512", Tier::Avx512)];

#[test]
fn a_named_tier_is_used_where_the_processor_has_it() {
    let Ok(name) = std::env::var("STRIATE_CPU") else { return };
    match NAMES.iter().find(|(n, _)| *n == name) {
        Some((_, Tier::Portable)) => assert_eq!(tier(), Tier::Portable),
        Some((_, Tier::Avx2)) => assert_ne!(tier(), Tier::Avx512),
        _ => {}
    }
}

#[test]
fn lesser_tiers_pass_the_same_tests() {
    if std::env::var_os("STRIATE_CPU").is_some() {
        println!("skipped: STRIATE_CPU names the tier of this process");
        return;
    }
    let best = tier();
    let binary = std::env::current_exe().expect("the test binary");
    for (name, _) in NAMES.iter().take_while(|(_, tier)| *tier != best) {
        let run = Command::new(&binary).env("STRIATE_CPU", name).args(["--skip", "lesser_tiers"]).output().expect("a second process");
        let said = String::from_utf8_lossy(&run.stdout);
        assert!(run.status.success() && !said.contains(" 0 passed"), "STRIATE_CPU={name}\n{said}");
    }
}
