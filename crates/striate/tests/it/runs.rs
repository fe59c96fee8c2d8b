//! Simulate, train, resume, evaluate.

use crate::{failure, output, text};
use std::path::Path;
use striate::simulation::{SimulateConfig, simulate};

/// A minute of a tiny animal.
fn animal(path: &Path) {
    let config = SimulateConfig {
        units: 4,
        clip_seconds: 2.0,
        train_minutes: 0.2,
        validation_clips: 1,
        test_clips: 2,
        other_clips: 1,
        repeats: 3,
        ..SimulateConfig::default()
    };
    simulate(&config, path, &mut |_, _| {}).expect("simulate");
}

#[test]
fn a_twin_is_trained_resumed_and_evaluated() {
    let folder = tempfile::tempdir().expect("folder");
    let at = |name: &str| folder.path().join(name);
    animal(&at("a.zarr"));
    assert!(output(&["inspect", text(&at("a.zarr"))]).contains("simulated"));
    let settings =
        ["loader.training_size=2", "loader.validation_size=1", "loader.batch_size=2", "scheduler.cycle_size=2", "scheduler.warmup_epochs=1"];
    let train = |threads: &str, run: &str| {
        let (animal, run) = (at("a.zarr"), at(run));
        let mut arguments = vec!["--threads", threads, "train", text(&animal), "--preset", "tiny"];
        arguments.extend(settings);
        arguments.extend(["-o", text(&run)]);
        output(&arguments)
    };
    let said = train("1", "run");
    assert!(said.contains("epoch   2/2"), "{said}");
    train("2", "again");
    let weights = |run: &str| std::fs::read(at(run).join("weights.safetensors")).expect("weights");
    assert!(weights("run") == weights("again"), "one and two threads differ");
    for file in ["preset.toml", "inputs.toml", "epochs.jsonl", "weights.safetensors", "best.safetensors", "checkpoint/state.safetensors"] {
        assert!(at("run").join(file).is_file(), "{file}");
    }
    assert_eq!(std::fs::read_to_string(at("run").join("epochs.jsonl")).expect("epochs").lines().count(), 2);
    assert!(output(&["train", "--resume", text(&at("run"))]).contains("trained 2 epochs"), "a finished run stays finished");

    let summary = output(&["evaluate", text(&at("run")), text(&at("a.zarr")), "-o", text(&at("ev")), "--json"]);
    let summary: serde_json::Value = serde_json::from_str(&summary).expect("json");
    assert_eq!(summary[0]["repeats"], 3);
    for file in ["units.csv", "units.parquet", "summary.json", "cc_norm.svg"] {
        assert!(at("ev").join(file).is_file(), "{file}");
    }
    // what is there is not overwritten, and a changed recording is not resumed
    assert!(failure(&["evaluate", text(&at("run")), text(&at("a.zarr")), "-o", text(&at("ev"))]).contains("exists already"));
    std::fs::write(at("a.zarr").join("note.txt"), "changed").expect("write");
    assert!(failure(&["train", "--resume", text(&at("run"))]).contains("changed"));
}
