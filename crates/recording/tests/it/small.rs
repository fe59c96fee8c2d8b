//! A recording of a few trials.

use ndarray::{Array2, Array4};
use serde_json::Value;
use std::path::Path;
use striate_recording::{Meta, Missing, NewTrial, Recording, RecordingWriter, Tier, UnitTable};

/// Frames of each video.
pub const FRAMES: usize = 90;

pub fn meta() -> Meta {
    Meta {
        animal: "mouse".into(),
        session: Some("4".into()),
        scan: None,
        rate: 30.0,
        eye: vec!["x".into(), "y".into()],
        behavior: vec!["pupil".into(), "treadmill".into()],
        source: "made for a test".into(),
        simulated: true,
        standardization: Value::Null,
        missing: Missing::default(),
    }
}

pub fn video(seed: usize) -> Array4<u8> {
    Array4::from_shape_fn((FRAMES, 4, 6, 1), |(t, y, x, _)| ((t * 7 + y * 31 + x * 3 + seed * 101) % 256) as u8)
}

pub fn series(seed: usize, width: usize) -> Array2<f32> {
    Array2::from_shape_fn((FRAMES, width), |(t, k)| ((t * 13 + k * 5 + seed * 17) % 29) as f32 / 29.0)
}

/// Three videos: one to train on, one to validate on, one shown twice for the test.
pub fn write(path: &Path) -> Recording {
    let mut writer = RecordingWriter::create(path, meta(), [4, 6, 1], UnitTable::numbered(3)).expect("create");
    let tiers = [(0, Tier::Train), (1, Tier::Validation), (2, Tier::Test), (2, Tier::Test)];
    for seed in 0..3 {
        writer.add_video(&format!("video{seed}"), video(seed).view()).expect("video");
    }
    for (index, (video, tier)) in tiers.into_iter().enumerate() {
        let (mut responses, mut eye) = (series(index, 3), series(index + 10, 2));
        responses[[5, 1]] = f32::NAN;
        eye[[7, 0]] = f32::NAN;
        let behavior = series(index + 20, 2);
        let trial = NewTrial {
            name: &format!("trial{index}"),
            video,
            video_start: 0,
            tier,
            domain: "natural",
            times: None,
            responses: responses.view(),
            eye: eye.view(),
            behavior: behavior.view(),
        };
        writer.add_trial(trial).expect("trial");
    }
    writer.finish().expect("finish")
}
