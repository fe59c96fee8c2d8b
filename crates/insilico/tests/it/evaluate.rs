//! Evaluation, where the answer is known.

use ndarray::{Array2, Array4, Array5, Axis};
use std::path::Path;
use striate_insilico::evaluate::{EvaluateOptions, Predictor, evaluate_with, summarise, table};
use striate_insilico::fit::{check_fit, check_origin, trained_on};
use striate_insilico::respond::{RespondOptions, fit_video, respond};
use striate_model::open::TrainedOn;
use striate_model::{Network, NetworkConfig};
use striate_recording::{Meta, Missing, NewTrial, Recording, RecordingWriter, Tier, UnitTable};

/// Two test videos of three repeats; unit 0 is a signal with noise, unit 1 a constant.
fn recording(path: &Path) -> Recording {
    let meta = Meta {
        animal: "toy".into(),
        session: None,
        scan: None,
        rate: 30.0,
        eye: vec!["x".into(), "y".into()],
        behavior: vec!["pupil".into(), "treadmill".into()],
        source: "made for a test".into(),
        simulated: true,
        standardization: serde_json::Value::Null,
        missing: Missing::default(),
    };
    let mut writer = RecordingWriter::create(path, meta, [4, 4, 1], UnitTable::numbered(2)).expect("create");
    for video in 0..2 {
        let index = writer.add_video(&format!("v{video}"), Array4::from_elem((40, 4, 4, 1), 9).view()).expect("video");
        for repeat in 0..3 {
            let responses = Array2::from_shape_fn((40, 2), |(t, u)| if u == 0 { signal(video, t) + noise(video, repeat, t) } else { 1.0 });
            let zeros = Array2::zeros((40, 2));
            let name = format!("{video}-{repeat}");
            let trial = NewTrial {
                name: &name,
                video: index,
                video_start: 0,
                tier: Tier::Test,
                domain: "toy",
                times: None,
                responses: responses.view(),
                eye: zeros.view(),
                behavior: zeros.view(),
            };
            writer.add_trial(trial).expect("trial");
        }
    }
    writer.finish().expect("finish")
}

fn signal(video: usize, t: usize) -> f32 {
    1.0 + ((t * (video + 2)) as f32 / 5.0).sin()
}

fn noise(video: usize, repeat: usize, t: usize) -> f32 {
    let mixed = ((t * 64 + repeat * 8 + video + 1) as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    ((mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 40) as f32 / (1 << 24) as f32 - 0.5
}

#[test]
fn the_truth_scores_near_one_and_a_constant_is_not_valid() {
    let folder = tempfile::tempdir().expect("folder");
    let recording = recording(&folder.path().join("r.zarr"));
    let mut calls = 0;
    let domains = evaluate_with(
        &recording,
        &EvaluateOptions::default(),
        &mut |_, total| {
            calls += 1;
            assert_eq!(total, 6)
        },
        &mut |trial| {
            let window = recording.window(trial, 0, 40)?;
            let video = recording.trials()[trial].video;
            Ok((Array2::from_shape_fn((40, 2), |(t, _)| signal(video, t)), window.responses))
        },
    )
    .expect("evaluate");
    assert_eq!(calls, 6);
    let summary = summarise(&domains[0]);
    assert_eq!((summary.trials, summary.repeats, summary.cc_norm.units), (6, 3, 1));
    assert!((summary.cc_norm.median - 1.0).abs() < 0.03, "{summary:?}");
    assert!(summary.cc_abs.median < 1.0 && summary.cc_abs.median > 0.9);
    let table = table(&recording, &domains).expect("table");
    assert_eq!(table.rows(), 2);
    assert!(table.floats("cc_norm").expect("column")[1].is_nan());
}

#[test]
fn a_network_for_other_neurons_is_refused() {
    let folder = tempfile::tempdir().expect("folder");
    let recording = recording(&folder.path().join("r.zarr"));
    let network = |units, channels| Network::new(NetworkConfig { units, channels, ..NetworkConfig::default() }, 0).expect("network");
    assert!(check_fit(&network(2, 1), &recording).is_ok());
    let error = check_fit(&network(3, 1), &recording).expect_err("three units").to_string();
    assert!(error.contains("units") && error.contains('3') && error.contains('2'), "{error}");
    assert!(check_fit(&network(2, 3), &recording).expect_err("colour").to_string().contains("channels"));
}

#[test]
fn a_recording_of_another_animal_session_or_rate_is_refused() {
    let folder = tempfile::tempdir().expect("folder");
    let recording = recording(&folder.path().join("r.zarr"));
    let own = trained_on(&recording);
    assert!(check_origin(&own, &recording, false).is_ok());
    let refused = |change: fn(&mut TrainedOn)| {
        let mut other = own.clone();
        change(&mut other);
        assert!(check_origin(&other, &recording, true).is_ok(), "another recording is allowed where that is said");
        check_origin(&other, &recording, false).expect_err("another recording").to_string()
    };
    let error = refused(|o| o.animal = "mouse".into());
    assert!(error.contains("mouse") && error.contains("toy"), "{error}");
    assert!(refused(|o| o.session = Some("4".into())).contains("session"));
    assert!(refused(|o| o.scan = Some("7".into())).contains("scan"));
    assert!(refused(|o| o.units.swap(0, 1)).contains("unit ids"));
    let slow = TrainedOn { rate: 25.0, ..own.clone() };
    assert!(check_origin(&slow, &recording, true).expect_err("another rate").to_string().contains("25 Hz"));
    assert!(check_origin(&TrainedOn { rate: 29.97, ..own }, &recording, false).is_ok());
}

#[test]
fn trials_are_shown_in_the_size_the_network_was_trained_on() {
    let folder = tempfile::tempdir().expect("folder");
    let recording = recording(&folder.path().join("r.zarr"));
    let mut config = NetworkConfig { units: 2, streams: 1, video: Some([6, 10]), ..NetworkConfig::default() };
    (config.perspective.height, config.perspective.width) = (12, 16);
    let network = Network::new(config, 0).expect("network");
    let (mut fitted, mut native) = (Predictor::new(&network, &recording, false), Predictor::new(&network, &recording, true));
    for trial in [0, 1, 3] {
        let window = recording.window(trial, 0, 40).expect("window");
        let (video, eye) = (window.video.insert_axis(Axis(1)), window.eye.insert_axis(Axis(1)));
        let shown = |video: Array5<u8>| {
            let responses = respond(&network, video.view(), Some(eye.view()), Some(eye.view()), RespondOptions::default());
            responses.expect("respond").index_axis_move(Axis(1), 0)
        };
        let small = fit_video(&network, video.clone(), false).expect("fit").0;
        assert_eq!(fitted.trial(trial).expect("fitted").0, shown(small), "trial {trial}");
        assert_eq!(native.trial(trial).expect("native").0, shown(video), "trial {trial}");
    }
}
