//! Training and evaluation folders of the reference implementation.

use crate::npy_file::{f64s, npy, u8s};
use std::path::{Path, PathBuf};
use striate_import::fnn::{FnnOptions, import_fnn, import_fnn_evaluation, import_fnn_training};
use striate_recording::{Tier, UnitTable};

const FRAMES: usize = 5;
const UNITS: usize = 3;

/// Values that tell trial, sample and column apart.
fn series(folder: &Path, kind: &str, stem: &str, frames: usize, columns: usize, trial: usize) {
    let values: Vec<f64> = (0..frames * columns).map(|i| (trial * 1000 + i) as f64).collect();
    f64s(&folder.join(kind).join(format!("{stem}.npy")), &[frames, columns], &values);
}

fn stimulus(folder: &Path, stem: &str, frames: usize, video: usize) {
    let pixels: Vec<u8> = (0..frames * 12).map(|i| (i * 3 + video * 101) as u8).collect();
    u8s(&folder.join("stimuli").join(format!("{stem}.npy")), &[frames, 3, 4, 1], &pixels);
}

fn trial(folder: &Path, stem: &str, frames: usize, video: usize, trial: usize) {
    stimulus(folder, stem, frames, video);
    series(folder, "perspectives", stem, frames, 2, trial);
    series(folder, "modulations", stem, frames, 2, trial);
    series(folder, "units", stem, frames, UNITS, trial);
}

/// Four training trials; trial2 validates, and trial3 shows the video of trial0.
fn training(root: &Path) -> PathBuf {
    let folder = root.join("training_data");
    for (i, video) in [0, 1, 2, 0].into_iter().enumerate() {
        let stem = format!("trial{i}");
        trial(&folder, &stem, FRAMES, video, i);
        npy(&folder.join("training").join(format!("{stem}.npy")), "|b1", "()", "False", &[u8::from(i != 2)]);
        npy(&folder.join("samples").join(format!("{stem}.npy")), "<i8", "()", "False", &FRAMES.to_le_bytes());
    }
    std::fs::write(folder.join("units/.DS_Store"), b"x").unwrap();
    folder
}

/// Two videos, the first that of the first training trial; a repeat of the second is a frame shorter.
fn evaluation(root: &Path) -> PathBuf {
    let folder = root.join("evaluation_data");
    for (i, (stem, frames, video)) in
        [("video0/repeat0", FRAMES, 0), ("video0/repeat1", FRAMES, 0), ("video1/repeat0", FRAMES - 1, 7), ("video1/repeat1", FRAMES, 7)]
            .into_iter()
            .enumerate()
    {
        trial(&folder, stem, frames, video, 10 + i);
    }
    folder
}

/// The message of a refusal, after which nothing is left.
fn refused(folder: &Path, evaluation: &[(String, PathBuf)], options: &FnnOptions) -> String {
    let out = tempfile::tempdir().unwrap();
    let message = import_fnn(Some(folder), evaluation, &out.path().join("r.zarr"), options).expect_err("should be refused").to_string();
    assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 0, "nothing half-written stays: {message}");
    message
}

#[test]
fn both_folders_become_one_recording() {
    let root = tempfile::tempdir().unwrap();
    let (train, test) = (training(root.path()), evaluation(root.path()));
    let options = FnnOptions { animal: "27203".into(), session: Some("4".into()), scan: Some("7".into()), ..FnnOptions::default() };
    let recording = import_fnn(Some(&train), &[("natural".into(), test)], &root.path().join("r.zarr"), &options).unwrap();
    let meta = recording.meta();
    assert_eq!((meta.animal.as_str(), meta.session.as_deref(), meta.scan.as_deref(), meta.rate), ("27203", Some("4"), Some("7"), 30.0));
    assert_eq!((meta.eye.join(","), meta.behavior.join(",")), ("pupil x,pupil y".into(), "pupil radius,treadmill".into()));
    assert!(meta.source.contains("training_data") && meta.source.contains("evaluation_data"));
    let trials: Vec<(&str, Tier, usize, usize)> = recording.trials().iter().map(|t| (t.name.as_str(), t.tier, t.video, t.frames)).collect();
    assert_eq!(
        trials,
        [
            ("trial0", Tier::Train, 0, 5),
            ("trial1", Tier::Train, 1, 5),
            ("trial2", Tier::Validation, 2, 5),
            ("trial3", Tier::Train, 0, 5),
            ("natural/video0/repeat0", Tier::Test, 0, 5),
            ("natural/video0/repeat1", Tier::Test, 0, 5),
            ("natural/video1/repeat0", Tier::Test, 3, 4),
            ("natural/video1/repeat1", Tier::Test, 3, 5),
        ]
    );
    assert_eq!(recording.videos().len(), 4, "identical stimuli are stored once");
    assert_eq!(recording.repeats("natural"), [vec![4, 5], vec![6, 7]]);
    let window = recording.window(6, 1, 3).unwrap();
    assert_eq!(window.video[[0, 1, 2, 0]], (((12 + 6) * 3 + 7 * 101) & 255) as u8);
    assert_eq!(window.responses.row(0).to_vec(), [12003.0, 12004.0, 12005.0]);
    assert_eq!((window.eye[[2, 1]], window.behavior[[2, 0]]), (12007.0, 12006.0));
    assert_eq!((recording.unit_count(), recording.frame_shape()), (UNITS, [3, 4, 1]));
}

#[test]
fn each_folder_may_come_alone() {
    let root = tempfile::tempdir().unwrap();
    let ids = UnitTable { columns: vec![("id".into(), vec![41.into(), 17.into(), 5.into()])] };
    let options = FnnOptions { units: Some(ids.clone()), rate: 29.967, ..FnnOptions::default() };
    let train = import_fnn_training(&training(root.path()), &root.path().join("a.zarr"), &options).unwrap();
    assert_eq!((train.units(), train.meta().rate, train.trials_of(Tier::Test).len()), (&ids, 29.967, 0));
    let test = import_fnn_evaluation(&evaluation(root.path()), "monet", &root.path().join("b.zarr"), &FnnOptions::default()).unwrap();
    assert_eq!((test.test_domains(), test.trials().len()), (vec!["monet".to_owned()], 4));
    let message = import_fnn(None, &[], &root.path().join("c.zarr"), &options).unwrap_err().to_string();
    assert!(message.contains("a training or evaluation folder"), "{message}");
}

#[test]
fn trials_are_in_order_of_name() {
    let root = tempfile::tempdir().unwrap();
    for i in [2, 10, 1] {
        trial(root.path(), &format!("video/repeat{i}"), FRAMES, 0, i);
    }
    let recording = import_fnn_evaluation(root.path(), "natural", &root.path().join("r.zarr"), &FnnOptions::default()).unwrap();
    let names: Vec<&str> = recording.trials().iter().map(|t| t.name.rsplit('/').next().unwrap()).collect();
    assert_eq!(names, ["repeat1", "repeat10", "repeat2"]);
    assert_eq!(recording.series(1).unwrap()[2][[0, 0]], 10000.0);
}

#[test]
fn damaged_training_folders_are_refused() {
    let cases: [(&str, &dyn Fn(&Path)); 12] = [
        ("units: expected trial1.npy", &|f| std::fs::remove_file(f.join("units/trial1.npy")).unwrap()),
        ("training: expected trial9.npy", &|f| series(f, "units", "trial9", FRAMES, UNITS, 0)),
        ("samples", &|f| std::fs::remove_dir_all(f.join("samples")).unwrap()),
        ("trial trial1 of", &|f| series(f, "units", "trial1", FRAMES, UNITS + 1, 0)),
        ("3 units as in the first trial, got 2 perspectives, 2 modulations and 4 units", &|f| series(f, "units", "trial1", FRAMES, UNITS + 1, 0)),
        ("5 samples of units, one per frame of its stimulus, got 4", &|f| series(f, "units", "trial1", FRAMES - 1, UNITS, 0)),
        ("5 samples of modulations", &|f| series(f, "modulations", "trial3", FRAMES + 1, 2, 0)),
        ("a stimulus of 6 frames, as samples/ says, got 5 frames", &|f| {
            npy(&f.join("samples/trial2.npy"), "<i8", "()", "False", &6i64.to_le_bytes());
        }),
        ("expected one value, got shape [2]", &|f| {
            npy(&f.join("training/trial0.npy"), "|b1", "(2,)", "False", &[1, 1]);
        }),
        ("expected uint8", &|f| {
            f64s(&f.join("stimuli/trial1.npy"), &[1, 1, 1, 1], &[0.0]);
        }),
        ("stimulus trial1: expected frames [3, 4, 1] as in the first trial, got [2, 6, 1]", &|f| {
            u8s(&f.join("stimuli/trial1.npy"), &[FRAMES, 2, 6, 1], &[0; FRAMES * 12]);
        }),
        ("trial1.npy: its shape [5, 3] asks for 120 bytes, there are 119", &|f| {
            let path = f.join("units/trial1.npy");
            let whole = std::fs::read(&path).unwrap();
            std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        }),
    ];
    for (part, damage) in cases {
        let root = tempfile::tempdir().unwrap();
        let folder = training(root.path());
        damage(&folder);
        let message = refused(&folder, &[], &FnnOptions::default());
        assert!(message.contains(part), "{part}: {message}");
    }
}

#[test]
fn other_mistakes_are_refused() {
    let root = tempfile::tempdir().unwrap();
    let (train, test) = (training(root.path()), evaluation(root.path()));
    let plain = FnnOptions::default();
    let natural = |folder: &Path| ("natural".to_owned(), folder.to_owned());
    assert!(refused(&train, &[natural(&test), natural(&test)], &plain).contains("two of the same domain"));
    assert!(refused(&train, &[], &FnnOptions { rate: f64::NAN, ..plain.clone() }).contains("rate"));
    let message = refused(&train, &[], &FnnOptions { units: Some(UnitTable::numbered(7)), ..plain.clone() });
    assert!(message.contains("table of units: expected 3 rows") && message.ends_with("got 7"), "{message}");
    stimulus(&test, "video0/repeat1", FRAMES, 8);
    let message = refused(&train, &[natural(&test)], &plain);
    assert!(message.contains("trial natural/video0/repeat1 of") && message.contains("got other frames"), "{message}");
    std::fs::remove_dir_all(test.join("modulations/video1")).unwrap();
    assert!(refused(&train, &[natural(&test)], &plain).contains("modulations: expected video1"));
    series(&train, "perspectives", "trial2", FRAMES, 2, 0);
    f64s(&train.join("perspectives/trial2.npy"), &[FRAMES, 2], &[f64::INFINITY; 2 * FRAMES]);
    let message = refused(&train, &[], &plain);
    assert!(message.contains("trial2") && message.contains("infinite"), "{message}");
    assert!(refused(&root.path().join("absent"), &[], &plain).contains("absent"));
}
