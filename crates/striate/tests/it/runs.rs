//! Simulate, train, resume, evaluate.

use crate::{failure, output, striate, text};
use std::path::Path;
use std::process::Stdio;
use striate::simulation::{SimulateConfig, simulate};

/// A minute of a tiny animal.
pub fn animal(path: &Path) {
    animal_of(path, "simulated-1", 0, 4);
}

/// The same of another name, seed and number of units.
pub fn animal_of(path: &Path, name: &str, seed: u64, units: usize) {
    let config = SimulateConfig {
        animal: name.into(),
        seed,
        units,
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
    for file in ["preset.toml", "inputs.toml", "epochs.jsonl", "weights.safetensors", "best.safetensors", "checkpoint/000002-000000.safetensors"] {
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

/// Trains one epoch of two steps.
pub fn train(recording: &Path, run: &Path, more: &[&str]) -> String {
    let settings = ["loader.training_size=2", "loader.batch_size=2", "scheduler.cycle_size=1", "scheduler.warmup_epochs=0"];
    let arguments = [&["train", text(recording), "--preset", "tiny", "-o", text(run)], settings.as_slice(), more].concat();
    output(&arguments)
}

/// Changes the text of a file.
fn edit(file: &Path, from: &str, to: &str) {
    let before = std::fs::read_to_string(file).expect("read");
    assert!(before.contains(from), "{from} in {before}");
    std::fs::write(file, before.replace(from, to)).expect("write");
}

#[test]
fn without_validation_the_last_weights_are_the_twin() {
    let folder = tempfile::tempdir().expect("folder");
    let at = |name: &str| folder.path().join(name);
    animal(&at("a.zarr"));
    let said = train(&at("a.zarr"), &at("run"), &["loader.validation_size=0", "scheduler.cycle_size=2"]);
    assert!(said.contains("weights.safetensors") && said.contains("left") && said.contains("held training up"), "{said}");
    assert!(!at("run").join("best.safetensors").exists());
    assert!(output(&["model", "show", text(&at("run"))]).contains("trained on animal"));
    std::fs::remove_file(at("run").join("weights.safetensors")).expect("remove");
    assert!(failure(&["model", "show", text(&at("run"))]).contains("no epoch is finished yet"));
}

#[test]
fn a_twin_is_evaluated_on_its_own_neurons_in_its_own_size() {
    let folder = tempfile::tempdir().expect("folder");
    let at = |name: &str| folder.path().join(name);
    animal(&at("a.zarr"));
    train(&at("a.zarr"), &at("run"), &["loader.validation_size=0", "objective.burnin_frames=4"]);
    let (run, recording) = (at("run"), at("a.zarr"));
    let evaluate = |out: &str, more: &[&str]| {
        let out = at(out);
        striate(&[&["evaluate", text(&run), text(&recording), "-o", text(&out)], more].concat()).output().expect("the binary runs")
    };
    let said = |out: &std::process::Output| String::from_utf8_lossy(&out.stderr).into_owned();
    let late = evaluate("late", &["--burnin", "1000"]);
    assert!(!late.status.success() && said(&late).contains("--burnin"), "{}", said(&late));
    assert!(!at("late").exists(), "an output was begun");
    assert!(evaluate("same", &[]).status.success());
    let how = std::fs::read_to_string(at("same").join("evaluation.toml")).expect("provenance");
    assert!(how.contains("burnin = 4"), "as in training: {how}");
    std::fs::remove_dir_all(at("same")).expect("remove");

    edit(&recording.join("zarr.json"), "simulated-1", "another-animal");
    let other = evaluate("other", &[]);
    assert!(said(&other).contains("simulated-1") && said(&other).contains("another-animal"), "{}", said(&other));
    assert!(!other.status.success() && !at("other").exists());
    assert!(evaluate("allowed", &["--other-recording"]).status.success());
    let left: Vec<_> = std::fs::read_dir(folder.path()).expect("list").flatten().map(|e| e.file_name()).collect();
    assert_eq!(left.len(), 3, "nothing but recording, run and evaluation: {left:?}");
}

#[test]
fn a_run_is_resumed_where_its_recording_is_now() {
    let folder = tempfile::tempdir().expect("folder");
    let at = |name: &str| folder.path().join(name);
    animal(&at("a.zarr"));
    train(&at("a.zarr"), &at("run"), &["loader.validation_size=1"]);
    std::fs::rename(at("a.zarr"), at("b.zarr")).expect("move");
    assert!(failure(&["train", "--resume", text(&at("run"))]).contains("--recording"));
    output(&["train", "--resume", text(&at("run")), "--recording", text(&at("b.zarr"))]);
    output(&["train", "--resume", text(&at("run"))]);
    edit(&at("b.zarr").join("zarr.json"), "simulated-1", "another-animal");
    assert!(failure(&["train", "--resume", text(&at("run")), "--recording", text(&at("b.zarr"))]).contains("changed"));
}

#[test]
fn what_is_wrong_with_a_recording_is_told_before_a_run_begins() {
    let folder = tempfile::tempdir().expect("folder");
    let at = |name: &str| folder.path().join(name);
    animal(&at("a.zarr"));
    let error = failure(&["train", text(&at("a.zarr")), "--preset", "tiny", "loader.sample_size=500", "-o", text(&at("run"))]);
    assert!(error.contains("500") && !error.contains("checkpoint"), "{error}");
    assert!(!at("run").exists());
}

#[test]
fn a_closed_or_full_standard_output_does_not_hide_the_result() {
    let folder = tempfile::tempdir().expect("folder");
    let at = |name: &str| folder.path().join(name);
    animal(&at("a.zarr"));
    let recording = at("a.zarr");
    // a reader that is gone before anything is said
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_striate"));
    let run = at("run");
    child.args(["train", text(&recording), "--preset", "tiny", "loader.training_size=1", "loader.batch_size=1", "loader.validation_size=0"]);
    child.args(["scheduler.cycle_size=1", "scheduler.warmup_epochs=0", "-o", text(&run)]).stdout(Stdio::piped());
    let mut child = child.spawn().expect("the binary runs");
    drop(child.stdout.take());
    assert!(child.wait().expect("an end").success());
    assert!(run.join("weights.safetensors").is_file(), "training goes on");
    #[cfg(target_os = "linux")]
    {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("a full device");
        let out = std::process::Command::new(env!("CARGO_BIN_EXE_striate")).args(["inspect", text(&recording)]).stdout(full).output();
        let out = out.expect("the binary runs");
        assert_eq!(out.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&out.stderr).contains("standard output"));
    }
}

#[test]
fn what_was_done_to_a_film_is_told() {
    let folder = tempfile::tempdir().expect("folder");
    let at = |name: &str| folder.path().join(name);
    animal(&at("a.zarr"));
    train(&at("a.zarr"), &at("run"), &["loader.validation_size=0"]);
    let mut film = image::codecs::gif::GifEncoder::new(std::fs::File::create(at("film.gif")).expect("create"));
    for frame in 0..3u8 {
        let picture = image::RgbaImage::from_pixel(20, 10, image::Rgba([200, 10, 60 * frame, 255]));
        let delay = image::Delay::from_numer_denom_ms(100, 1);
        film.encode_frame(image::Frame::from_parts(picture, 0, 0, delay)).expect("a frame");
    }
    drop(film);
    let (run, film, out) = (at("run"), at("film.gif"), at("r.npy"));
    let said = striate(&["respond", text(&run), "--video", text(&film), "-o", text(&out)]).output().expect("the binary runs");
    let notes = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.status.success(), "{notes}");
    for part in ["10.00 frames per second", "colour", "resampled from 10x20"] {
        assert!(notes.contains(part), "{part}: {notes}");
    }
}
