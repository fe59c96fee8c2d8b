//! A cohort trains a core, a new animal takes it over.

use crate::runs::animal_of;
use crate::{failure, output, text};
use std::path::{Path, PathBuf};
use striate::model::open;

const SHORT: [&str; 5] =
    ["loader.training_size=2", "loader.validation_size=1", "loader.batch_size=2", "scheduler.cycle_size=2", "scheduler.warmup_epochs=1"];

fn cohort(folder: &Path) -> Vec<PathBuf> {
    let of = |(n, units): (usize, usize)| {
        let path = folder.join(format!("{n}.zarr"));
        animal_of(&path, &format!("sim/{n}"), n as u64, units);
        path
    };
    [4, 3, 5].into_iter().enumerate().map(of).collect()
}

#[test]
fn a_core_is_trained_by_a_cohort_and_taken_over_by_a_new_animal() {
    let folder = tempfile::tempdir().expect("folder");
    let at = |name: &str| folder.path().join(name);
    let animals = cohort(folder.path());
    let (core, new) = (at("core"), at("new"));
    let mut arguments = vec!["train", "--cohort", text(&animals[0]), text(&animals[1])];
    arguments.extend(SHORT); // settings after the recordings are settings
    arguments.extend(["--preset", "tiny", "-o", text(&core)]);
    let said = output(&arguments);
    assert!(said.contains("7 units") && said.contains("shared (core)") && said.contains("members"), "{said}");
    let members = ["members/0-sim_0", "members/1-sim_1"].map(|m| core.join(m));
    let network = |folder: &Path| open::load(&folder.join("weights.safetensors"), None, None).expect("weights");
    let (a, b) = (network(&members[0]), network(&members[1]));
    assert_eq!((a.network.config().units, b.network.config().units), (4, 3));
    assert_eq!(a.trained_on.expect("origin").core_animals, ["sim/0", "sim/1"]);
    for param in a.network.params().iter().filter(|p| p.name.starts_with("core.")) {
        assert_eq!(Some(param), b.network.params().get(&param.name));
    }
    assert!(output(&["train", "--resume", text(&core)]).contains("trained 2 epochs"));

    // each recording meets its own network, and a new one none
    let evaluated = output(&["evaluate", text(&core), text(&animals[1]), "-o", text(&at("ev")), "--json"]);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&evaluated).expect("json")[0]["units"], 3);
    assert!(failure(&["evaluate", text(&core), text(&animals[2]), "-o", text(&at("ev2"))]).contains("none of its 2 networks"));
    assert!(failure(&["model", "show", text(&core)]).contains("one network per animal"));

    let mut arguments = vec!["train", text(&animals[2]), "--from", text(&core), "--preset", "tiny", "-o", text(&new)];
    arguments.extend(SHORT);
    let said = output(&arguments);
    assert!(said.contains("frozen ones (core)"), "{said}");
    let twin = network(&new);
    for param in twin.network.params().iter().filter(|p| p.name.starts_with("core.")) {
        assert_eq!(a.network.params().get(&param.name).map(|p| &p.value), Some(&param.value), "{}", param.name);
    }
    let readout = |network: &striate::model::Network| network.params().get("readout.position.mu").expect("readout").value.to_vec();
    assert!(readout(&twin.network).iter().any(|v| *v != 0.0), "the readout was fitted");
    assert!(std::fs::read_to_string(new.join("inputs.toml")).expect("inputs").contains("sim/1"), "the core's animals are on record");
    output(&["evaluate", text(&new), text(&animals[2]), "-o", text(&at("ev3"))]);
}

#[test]
fn a_transfer_that_proves_nothing_or_does_not_fit_is_refused() {
    let folder = tempfile::tempdir().expect("folder");
    let at = |name: &str| folder.path().join(name);
    let animals = cohort(folder.path());
    let run = at("run");
    let train = |more: &[&str]| {
        let mut arguments = vec!["train"];
        arguments.extend(more);
        arguments.extend(SHORT);
        arguments.extend(["--preset", "tiny"]);
        arguments.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let go = |more: &[&str]| output(&train(more).iter().map(String::as_str).collect::<Vec<_>>());
    let refused = |more: &[&str]| failure(&train(more).iter().map(String::as_str).collect::<Vec<_>>());
    go(&[text(&animals[0]), "-o", text(&run)]);
    let error = refused(&[text(&animals[0]), "--from", text(&run), "-o", text(&at("x"))]);
    assert!(error.contains("sim/0") && error.contains("--same-animal"), "{error}");
    go(&[text(&animals[0]), "--from", text(&run), "--same-animal", "--share", "core+modulation.lstm", "-o", text(&at("same"))]);
    let error = refused(&[text(&animals[1]), "--from", text(&run), "model.recurrent.groups=2", "-o", text(&at("x"))]);
    assert!(error.contains("core.recurrent") && error.contains("do not fit"), "{error}");
    let error = refused(&[text(&animals[1]), "--from", text(&run), "--share", "readout", "-o", text(&at("x"))]);
    assert!(error.contains("core.feedforward"), "{error}");
    let error = refused(&[text(&animals[1]), "--share", "core", "-o", text(&at("x"))]);
    assert!(error.contains("--cohort or --from"), "{error}");
    let error = refused(&["--cohort", text(&animals[1]), text(&animals[1]), "-o", text(&at("x"))]);
    assert!(error.contains("twice"), "{error}");
    assert!(!at("x").exists());
}
