//! Studies: every model once, resumed where they were stopped, refused where they would mean nothing.

use crate::runs::animal_of;
use crate::{failure, output, striate, text};
use std::path::{Path, PathBuf};

const SHORT: [&str; 6] = [
    "loader.training_size=2",
    "loader.validation_size=1",
    "loader.batch_size=2",
    "scheduler.cycle_size=1",
    "scheduler.warmup_epochs=0",
    "loader.sample_size=20",
];

fn animals(folder: &Path) -> Vec<PathBuf> {
    let of = |n: u64| {
        let path = folder.join(format!("{n}.zarr"));
        animal_of(&path, &format!("sim-{n}"), n, 8);
        path
    };
    (0..4).map(of).collect()
}

/// A study's command; settings stand last.
fn study<'a>(kind: &'a str, cohort: &[&'a str], test: &[&'a str], out: &'a str) -> Vec<&'a str> {
    let mut arguments = vec!["study", kind, "--preset", "tiny", "-o", out];
    if !cohort.is_empty() {
        arguments.push("--cohort");
        arguments.extend(cohort);
    }
    arguments.push("--test");
    arguments.extend(test);
    arguments.extend(SHORT);
    arguments
}

/// A study under way, once a folder of its own is there.
fn begun(arguments: &[&str], folder: &Path) -> std::process::Child {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_striate"));
    let quiet = std::process::Stdio::null;
    let child = command.args(arguments).stdout(quiet()).stderr(quiet()).spawn().expect("the binary runs");
    let began = std::time::Instant::now();
    while !folder.is_dir() && began.elapsed().as_secs() < 60 {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    child
}

fn read(folder: &Path, file: &str) -> String {
    std::fs::read_to_string(folder.join(file)).expect(file)
}

#[test]
fn a_scaling_study_trains_every_model_once_and_reports() {
    let folder = tempfile::tempdir().expect("folder");
    let at = |name: &str| folder.path().join(name);
    let paths = animals(folder.path());
    let [a, b, c, d] = [0, 1, 2, 3].map(|n| text(&paths[n]));
    let out = at("scaling");
    let mut arguments = study("data-scaling", &[a, b], &[c, d], text(&out));
    arguments.extend(["--fractions", "0.5,1"]);
    let planned = output(&[&arguments[..], &["--plan"]].concat());
    assert!(planned.contains("9 models") && planned.contains("h on this machine") && !out.exists(), "{planned}");

    // stopped after a model or two, then gone on with by the same command
    let mut child = begun(&arguments, &out.join("evaluations"));
    child.kill().expect("kill");
    child.wait().expect("a child");
    output(&arguments);
    let results = read(&out, "results.csv");
    assert_eq!(results.lines().count(), 1 + 2 * 2 * 2 * 2, "two animals, two domains, two fractions, two arms: {results}");
    for part in ["individual", "foundation", "natural", "noise"] {
        assert!(results.contains(part), "{part}: {results}");
    }
    let page = read(&out, "report.html");
    assert!(page.contains("How much data foundation needs") && page.contains("simulated visual cortex"), "no such section");
    assert!(page.contains("How models learned") && page.contains("core-s0") && page.contains("validation after the first"), "no such section");
    assert!(out.join("report.json").is_file());

    // done is done: nothing is trained again
    let before = std::fs::metadata(out.join("runs/core-s0/checkpoint/000001-000000.safetensors")).expect("checkpoint").modified().expect("time");
    let said = output(&["study", "--resume", text(&out)]);
    assert!(said.contains("9 of 9 models are done already"), "{said}");
    let after = std::fs::metadata(out.join("runs/core-s0/checkpoint/000001-000000.safetensors")).expect("checkpoint").modified().expect("time");
    assert_eq!(before, after);
    assert_eq!(read(&out, "results.csv"), results);

    // another design in the same folder is refused, naming what differs
    let error = failure(&[&arguments[..], &["optimizer.lr=0.5"]].concat());
    assert!(error.contains("preset.optimizer.lr is 0.2 there and 0.5 here"), "{error}");
}

#[test]
fn lesions_areas_and_seeds_each_have_their_page() {
    let folder = tempfile::tempdir().expect("folder");
    let paths = animals(folder.path());
    let [a, b] = [0, 1].map(|n| text(&paths[n]));
    for (kind, models, words) in
        [("lesion", 5, "without modulation"), ("areas", 2, "Accuracy by visual area"), ("reliability", 2, "Where two twins let the same unit look")]
    {
        let out = folder.path().join(kind);
        let test: &[&str] = if kind == "areas" { &[a, b] } else { &[a] };
        let said = output(&study(kind, &[], test, text(&out)));
        assert_eq!(said.matches(" s, validation ").count(), models, "how each model learned is told: {said}");
        for n in 1..=models {
            let of_it = said.lines().filter(|line| line.trim_start().starts_with(&format!("{n}/{models} "))).count();
            assert_eq!(of_it, 1, "one model after the other is counted, also where several are under way: {said}");
        }
        assert_eq!(std::fs::read_dir(out.join("evaluations")).expect("list").count(), models, "{kind}");
        assert!(read(&out, "report.html").contains(words), "{kind}: no {words}");
    }
    // more seeds go on with what is there, as a plan sees, which changes nothing; fewer are another design
    let out = folder.path().join("reliability");
    let more = [&study("reliability", &[], &[a], text(&out))[..], &["--seeds", "0,1,2"]].concat();
    let before = read(&out, "study.toml");
    assert!(output(&[&more[..], &["--plan"]].concat()).contains("3 models") && read(&out, "study.toml") == before);
    let said = output(&more);
    assert!(said.contains("2 of 3 models are done already") && read(&out, "results.csv").contains(",2,"), "{said}");
    let error = failure(&[&study("reliability", &[], &[a], text(&out))[..], &["--seeds", "0,2"]].concat());
    assert!(error.contains("seeds is [0, 1, 2] there and [0, 2] here"), "{error}");
    let preset = read(&folder.path().join("lesion/runs/without_modulation-sim-0-s0"), "preset.toml");
    assert!(preset.contains("[model.modulation]\ntype = \"none\""), "{preset}");
    let areas = read(&folder.path().join("areas"), "report.html");
    assert!(areas.contains("Wald test"), "two recordings of four areas carry a mixed model");
}

#[test]
fn a_study_that_means_nothing_is_refused() {
    let folder = tempfile::tempdir().expect("folder");
    let paths = animals(folder.path());
    let [a, b, c] = [0, 1, 2].map(|n| text(&paths[n]));
    let same = folder.path().join("same.zarr");
    animal_of(&same, "sim-0", 9, 8);
    let out = folder.path().join("x");
    let refused = |cohort: &[&str], test: &[&str], more: &[&str]| failure(&[&study("data-scaling", cohort, test, text(&out))[..], more].concat());
    assert!(refused(&[a, b], &[text(&same)], &[]).contains("animal sim-0 is in --cohort and in --test"));
    assert!(refused(&[a, b], &[a], &[]).contains("twice"));
    assert!(refused(&[a], &[c], &["--fractions", "1.5"]).contains("at most 1"));
    assert!(failure(&["study", "recurrent", "--test", c, "--preset", "tiny", "-o", text(&out)]).contains("--cohort"));
    assert!(failure(&["study", "lesion", "--preset", "tiny", "-o", text(&out)]).contains("--test"));
    assert!(failure(&["study", "reliability", "--test", c, "--seeds", "1", "--preset", "tiny", "-o", text(&out)]).contains("at least two"));
    assert!(failure(&["study", "--resume", text(&out)]).contains("is"), "not a study");
    assert!(!out.exists());
    // a model that fails is named, with its log, and the rest is done
    let out = folder.path().join("failing");
    let mut arguments = study("areas", &[], &[a, b], text(&out));
    arguments.push("optimizer.lr=1e30");
    let run = striate(&arguments).output().expect("the binary runs");
    let told = String::from_utf8_lossy(&run.stderr);
    assert!(!run.status.success() && told.contains("logs") && told.contains("--resume"), "{told}");
}

/// A scheduler signals one process, not a terminal's whole group.
#[test]
#[cfg(unix)]
fn a_signal_to_the_study_alone_stops_its_models() {
    let folder = tempfile::tempdir().expect("folder");
    let animal = folder.path().join("a.zarr");
    animal_of(&animal, "sim-0", 0, 8);
    let out = folder.path().join("areas");
    let mut arguments = study("areas", &[], &[text(&animal)], text(&out));
    arguments.extend(["scheduler.cycle_size=10000", "loader.training_size=100"]);
    let mut child = begun(&arguments, &out.join("runs/individual-sim-0-s0"));
    assert!(std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill").success());
    let status = child.wait().expect("a child");
    assert_eq!(status.code(), Some(130));
    let log = read(&out, "logs/individual-sim-0-s0.txt");
    assert!(log.contains("--resume"), "the model under way stopped by itself: {log}");
}
