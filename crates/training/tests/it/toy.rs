//! A recording of a few small trials, and a run that takes a second.

use ndarray::{Array2, Array4};
use std::ops::ControlFlow;
use std::path::Path;
use striate_recording::{Meta, Missing, NewTrial, Recording, RecordingWriter, Tier, UnitTable};
use striate_training::{Epoch, Outcome, Preset, Step, Training};

pub const FRAMES: usize = 14;

/// Trials of a flickering bar that two of three units follow; `spoil` changes the responses of a trial.
pub fn recording(path: &Path, spoil: impl Fn(usize, &mut Array2<f32>)) -> Recording {
    recording_of(path, "toy", 3, 30.0, spoil)
}

/// The same with another animal, number of units (the third and all others do not flicker) and frame rate.
pub fn recording_of(path: &Path, animal: &str, units: usize, rate: f64, spoil: impl Fn(usize, &mut Array2<f32>)) -> Recording {
    let meta = Meta {
        animal: animal.into(),
        session: None,
        scan: None,
        rate,
        eye: vec!["x".into(), "y".into()],
        behavior: vec!["pupil".into(), "treadmill".into()],
        source: "made for a test".into(),
        simulated: true,
        standardization: serde_json::Value::Null,
        missing: Missing::default(),
    };
    let mut writer = RecordingWriter::create(path, meta, [12, 16, 1], UnitTable::numbered(units)).expect("create");
    for trial in 0..6 {
        let on = |t: usize| (t * 5 + trial * 3) % 7 < 3;
        let video = Array4::from_shape_fn((FRAMES, 12, 16, 1), |(t, _, x, _)| if on(t) == (x < 8) { 230 } else { 20 });
        let mut responses = Array2::from_shape_fn((FRAMES, units), |(t, u)| match u {
            0 => f32::from(u8::from(on(t))) * 2.0,
            1 => f32::from(u8::from(!on(t))) * 2.0,
            _ => 1.0,
        });
        spoil(trial, &mut responses);
        let series = Array2::from_shape_fn((FRAMES, 2), |(t, k)| ((t + 3 * k + trial) % 5) as f32 / 2.0 - 1.0);
        let video = writer.add_video(&format!("v{trial}"), video.view()).expect("video");
        let tier = if trial < 5 { Tier::Train } else { Tier::Validation };
        let name = format!("trial{trial}");
        let new = NewTrial {
            name: &name,
            video,
            video_start: 0,
            tier,
            domain: "bars",
            times: None,
            responses: responses.view(),
            eye: series.view(),
            behavior: series.view(),
        };
        writer.add_trial(new).expect("trial");
    }
    writer.finish().expect("finish")
}

/// A run of six epochs of four steps.
pub fn preset() -> Preset {
    let settings = [
        "loader.sample_size=10",
        "loader.batch_size=3",
        "loader.training_size=4",
        "loader.validation_size=2",
        "objective.burnin_frames=2",
        "scheduler.cycle_size=3",
        "scheduler.cycles=2",
        "scheduler.warmup_epochs=1",
        "optimizer.clip=0.05",
        "optimizer.eps=0.01",
        "model.perspective.height=12",
        "model.perspective.width=16",
        "model.feedforward.dropout=0.1",
        "model.streams=2",
    ];
    Preset::load("tiny", &settings.map(str::to_owned)).expect("preset")
}

pub fn go_on(_: &Step) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// All epochs that are left.
pub fn finish(training: &mut Training, recordings: &[Recording]) -> Vec<Epoch> {
    let mut epochs = Vec::new();
    while let Outcome::Epoch(epoch) = training.epoch(recordings, &mut go_on).expect("epoch") {
        epochs.push(epoch);
    }
    epochs
}
