//! What is written is what is read.

use crate::small::{FRAMES, meta, series, video, write};
use ndarray::s;
use proptest::prelude::*;
use striate_recording::{Recording, RecordingWriter, Tier, UnitTable, inspect::inspect};

#[test]
fn windows_return_what_was_written() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("r.zarr");
    let written = write(&path);
    let recording = Recording::open(&path).expect("open");
    assert_eq!(recording.trials_of(Tier::Train), [0]);
    assert_eq!(recording.repeats("natural"), [vec![2, 3]]);
    assert_eq!(recording.meta().missing.response, 4);
    assert_eq!(written.content_hash().expect("hash"), recording.content_hash().expect("hash"));
    for (trial, of) in [(0, 0), (1, 1), (2, 2), (3, 2)] {
        let window = recording.window(trial, 3, 70).expect("window");
        assert_eq!(window.video, video(of).slice(s![3..73, .., .., ..]));
        assert!(window.responses[[2, 1]].is_nan(), "unmeasured stays NaN");
        assert_eq!(window.eye[[4, 0]], 0.0, "a missing eye sample is the mean");
        assert_eq!(window.eye[[5, 0]], series(trial + 10, 2)[[8, 0]]);
        assert_eq!(window.behavior, series(trial + 20, 2).slice(s![3..73, ..]));
        assert_eq!(window.responses[[0, 2]], series(trial, 3)[[3, 2]]);
    }
    assert!(recording.window(0, FRAMES - 10, 11).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_window_is_a_piece_of_the_whole(trial in 0usize..4, start in 0usize..FRAMES, frames in 1usize..FRAMES) {
        let folder = tempfile::tempdir().expect("folder");
        let recording = write(&folder.path().join("r.zarr"));
        match recording.window(trial, start, frames) {
            Ok(window) => {
                let whole = recording.window(trial, 0, FRAMES).expect("whole trial");
                prop_assert!(start + frames <= FRAMES);
                prop_assert_eq!(window.video, whole.video.slice(s![start..start + frames, .., .., ..]));
                prop_assert_eq!(window.behavior, whole.behavior.slice(s![start..start + frames, ..]));
            }
            Err(_) => prop_assert!(start + frames > FRAMES),
        }
    }
}

#[test]
fn an_unfinished_recording_leaves_nothing() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("r.zarr");
    let mut writer = RecordingWriter::create(&path, meta(), [4, 6, 1], UnitTable::numbered(3)).expect("create");
    writer.add_video("v", video(0).view()).expect("video");
    drop(writer);
    assert_eq!(std::fs::read_dir(folder.path()).expect("list").count(), 0);
}

#[test]
fn inspection_finds_a_leak_and_missing_repeats() {
    let folder = tempfile::tempdir().expect("folder");
    let recording = write(&folder.path().join("r.zarr"));
    let found = inspect(&recording).expect("inspect");
    assert_eq!(found.groups.iter().map(|g| g.trials).sum::<usize>(), 4);
    assert!(!found.warnings.iter().any(|w| w.contains("more than one tier")), "{:?}", found.warnings);
    let leaky = folder.path().join("leaky.zarr");
    let mut writer = RecordingWriter::create(&leaky, meta(), [4, 6, 1], UnitTable::numbered(3)).expect("create");
    for (index, tier) in [Tier::Train, Tier::Test].into_iter().enumerate() {
        let v = writer.add_video(&format!("v{index}"), video(5).view()).expect("video");
        let (r, e, b) = (series(1, 3), series(2, 2), series(3, 2));
        let trial = striate_recording::NewTrial {
            name: "t",
            video: v,
            video_start: 0,
            tier,
            domain: "natural",
            times: None,
            responses: r.view(),
            eye: e.view(),
            behavior: b.view(),
        };
        writer.add_trial(trial).expect("trial");
    }
    let found = inspect(&writer.finish().expect("finish")).expect("inspect");
    assert!(found.warnings.iter().any(|w| w.contains("more than one tier")), "{:?}", found.warnings);
    assert!(found.warnings.iter().any(|w| w.contains("shown once only")), "{:?}", found.warnings);
}
