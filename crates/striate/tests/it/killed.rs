//! A run that is killed at any moment loses at most the epoch under way.

use crate::runs::animal_of;
use crate::{output, text};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Starts the command, kills it after a time, and tells whether it had ended by itself.
fn killed_after(arguments: &[&str], time: Duration) -> bool {
    let mut child =
        Command::new(env!("CARGO_BIN_EXE_striate")).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary runs");
    let began = Instant::now();
    while began.elapsed() < time {
        if let Some(status) = child.try_wait().expect("a child") {
            assert!(status.success(), "{arguments:?} failed by itself");
            return true;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().expect("kill");
    child.wait().expect("a child");
    false
}

#[test]
fn a_run_killed_again_and_again_ends_in_the_same_bits() {
    let folder = tempfile::tempdir().expect("folder");
    let at = |name: &str| folder.path().join(name);
    for n in 0..2 {
        animal_of(&at(&format!("{n}.zarr")), &format!("sim-{n}"), n, 4);
    }
    let (a, b) = (at("0.zarr"), at("1.zarr"));
    let settings =
        ["loader.training_size=3", "loader.validation_size=1", "loader.batch_size=2", "scheduler.cycle_size=8", "scheduler.warmup_epochs=1"];
    let begin = |run: &Path| {
        let mut arguments = vec!["train", "--cohort", text(&a), text(&b), "--preset", "tiny"];
        arguments.extend(settings);
        arguments.into_iter().map(str::to_owned).chain(["-o".into(), text(run).into()]).collect::<Vec<String>>()
    };
    let plain = |arguments: &[String]| arguments.iter().map(String::as_str).collect::<Vec<_>>().join("\n");
    let began = Instant::now();
    let whole = begin(&at("whole"));
    output(&plain(&whole).split('\n').collect::<Vec<_>>());
    let typical = began.elapsed();

    let (killed, mut seed, mut kills) = (at("killed"), 7u64, 0);
    let first = begin(&killed);
    loop {
        // anywhere from before the folder is there to a third of a whole run: also in the middle of writing
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let time = typical.mul_f64(0.3 * (seed >> 33) as f64 / (1u64 << 31) as f64);
        let resume = ["train", "--resume", text(&killed)];
        let done = if killed.exists() { killed_after(&resume, time) } else { killed_after(&plain(&first).split('\n').collect::<Vec<_>>(), time) };
        if done {
            break;
        }
        kills += 1;
        if kills == 40 {
            output(&resume);
            break;
        }
    }
    assert!(kills >= 3, "killed only {kills} times");
    for file in ["epochs.jsonl", "members/0-sim-0/weights.safetensors", "members/0-sim-0/best.safetensors", "members/1-sim-1/weights.safetensors"] {
        let read = |run: &str| std::fs::read(at(run).join(file)).expect(file);
        assert!(read("whole") == read("killed"), "{file} differs after {kills} kills");
    }
    println!("killed {kills} times");
    let left: Vec<String> =
        std::fs::read_dir(killed.join("checkpoint")).expect("list").flatten().map(|e| e.file_name().to_string_lossy().into()).collect();
    assert_eq!(left.len(), 2, "the last two are kept: {left:?}");
}

#[test]
fn a_damaged_checkpoint_falls_back_to_the_one_before() {
    let folder = tempfile::tempdir().expect("folder");
    let at = |name: &str| folder.path().join(name);
    animal_of(&at("a.zarr"), "sim", 0, 4);
    let run = at("run");
    let (animal, run) = (at("a.zarr"), &run);
    let settings =
        ["loader.training_size=2", "loader.validation_size=1", "loader.batch_size=2", "scheduler.cycle_size=3", "scheduler.warmup_epochs=1"];
    let mut arguments = vec!["train", text(&animal), "--preset", "tiny", "-o", text(run)];
    arguments.extend(settings);
    output(&arguments);
    let weights = std::fs::read(run.join("weights.safetensors")).expect("weights");
    let newest = run.join("checkpoint/000003-000000.safetensors");
    let whole = std::fs::read(&newest).expect("checkpoint");
    std::fs::write(&newest, &whole[..whole.len() / 2]).expect("write");
    let out = crate::striate(&["train", "--resume", text(run)]).output().expect("the binary runs");
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success() && said.contains("not a whole checkpoint") && said.contains("trying the one before"), "{said}");
    assert!(std::fs::read(run.join("weights.safetensors")).expect("weights") == weights, "the third epoch was trained again to the same bits");
    assert_eq!(std::fs::read_to_string(run.join("epochs.jsonl")).expect("epochs").lines().count(), 3);
}

#[test]
fn two_processes_do_not_train_one_run() {
    let folder = tempfile::tempdir().expect("folder");
    let (animal, run) = (folder.path().join("a.zarr"), folder.path().join("run"));
    animal_of(&animal, "sim", 0, 4);
    let settings = ["loader.training_size=200", "loader.batch_size=2", "scheduler.cycle_size=9", "scheduler.warmup_epochs=1"];
    let arguments = [&["train", text(&animal), "--preset", "tiny", "-o", text(&run)], &settings[..]].concat();
    let mut child = Command::new(env!("CARGO_BIN_EXE_striate")).args(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("runs");
    let began = Instant::now();
    while !run.join("lock").exists() && began.elapsed().as_secs() < 60 {
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(50));
    let told = crate::failure(&["train", "--resume", text(&run)]);
    child.kill().expect("kill");
    child.wait().expect("a child");
    assert!(told.contains("another process is training this run"), "{told}");
}
