//! Bad input is refused by name, and nothing half-made stays.

use crate::small;
use proptest::prelude::*;
use striate_recording::{Meta, Missing, RecordingWriter, UnitTable};
use striate_simulation::{Cortex, Error, SimulateConfig, simulate};
use striate_stimulus::Video;

fn names(field: &str, config: SimulateConfig) {
    let folder = tempfile::tempdir().unwrap();
    let error = simulate(&config, &folder.path().join("a.zarr"), &mut |_, _| {}).unwrap_err();
    assert!(matches!(&error, Error::Setting { field: f, .. } if *f == field), "{field}: {error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{field}: something was left");
}

#[test]
fn bad_settings_are_named() {
    names("units", SimulateConfig { units: 0, ..small() });
    names("height", SimulateConfig { height: 1, ..small() });
    names("width", SimulateConfig { width: usize::MAX, ..small() });
    names("repeats", SimulateConfig { repeats: 0, ..small() });
    names("rate", SimulateConfig { rate: f64::NAN, ..small() });
    names("clip_seconds", SimulateConfig { clip_seconds: f64::INFINITY, ..small() });
    names("train_minutes", SimulateConfig { train_minutes: -1.0, ..small() });
    names("spike_rate", SimulateConfig { spike_rate: 0.0, ..small() });
    names("imaging_rate", SimulateConfig { imaging_rate: f64::NEG_INFINITY, ..small() });
    names("imaging_noise", SimulateConfig { imaging_noise: f64::NAN, ..small() });
    names("areas", SimulateConfig { areas: vec![], ..small() });
    names("areas", SimulateConfig { areas: vec!["V1".into(), "MT".into()], ..small() });
}

#[test]
fn what_does_not_fit_a_cortex_is_named() {
    let cortex = Cortex::new(&SimulateConfig { units: 4, ..small() }).unwrap();
    let video = |h: usize, w: usize| Video::new(vec![128; 2 * h * w], [2, h, w, 1], 30.0).unwrap();
    let (gaze, rest) = ([[0.0; 2]; 2], [[0.0; 2]; 2]);
    let fails = |what: &str, result: Result<ndarray::Array2<f64>, Error>| {
        let error = result.unwrap_err();
        assert!(matches!(&error, Error::Input { what: w, .. } if w.contains(what)), "{what}: {error}");
    };
    fails("height x width", cortex.rates(&video(18, 32), &gaze, &rest));
    fails("eye positions", cortex.rates(&video(36, 64), &gaze[..1], &rest[..1]));
    fails("behaviour samples", cortex.rates(&video(36, 64), &gaze, &rest[..1]));
    fails("gaze", cortex.rates(&video(36, 64), &[[0.0; 2], [f64::NAN, 0.0]], &rest));
    fails("behaviour", cortex.rates(&video(36, 64), &gaze, &[[0.0; 2], [0.0, f64::INFINITY]]));
    let colour = Video::new(vec![128; 2 * 36 * 64 * 3], [2, 36, 64, 3], 30.0).unwrap();
    assert_eq!(cortex.rates(&colour, &gaze, &rest).unwrap(), cortex.rates(&video(36, 64), &gaze, &rest).unwrap(), "grey in colour is grey");
    let none = Video::new(vec![], [0, 36, 64, 1], 30.0).unwrap();
    assert_eq!(cortex.rates(&none, &[], &[]).unwrap().dim(), (0, 4));
}

#[test]
fn a_measured_recording_has_no_known_truth() {
    let folder = tempfile::tempdir().unwrap();
    let meta = Meta {
        animal: "mouse".into(),
        session: None,
        scan: None,
        rate: 30.0,
        eye: vec!["x".into()],
        behavior: vec!["pupil".into()],
        source: "measured".into(),
        simulated: false,
        standardization: serde_json::Value::Null,
        missing: Missing::default(),
    };
    let recording = RecordingWriter::create(folder.path().join("m.zarr"), meta, [8, 8, 1], UnitTable::numbered(2)).unwrap().finish().unwrap();
    assert!(matches!(SimulateConfig::of(&recording), Err(Error::NotSimulated { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn rates_are_finite_and_above_zero_for_any_gaze_and_behaviour(right in -4.0f64..4.0, down in -4.0f64..4.0, pupil in -1e3f64..1e3, speed in -1e3f64..1e3) {
        let config = SimulateConfig { units: 6, height: 12, width: 16, ..small() };
        let cortex = Cortex::new(&config).unwrap();
        let video = Video::new((0..5 * 12 * 16).map(|v| (v * 37 % 256) as u8).collect(), [5, 12, 16, 1], 30.0).unwrap();
        let rates = cortex.rates(&video, &[[right, down]; 5], &[[pupil, speed]; 5]).unwrap();
        prop_assert!(rates.iter().all(|r| r.is_finite() && *r > 0.0), "{rates:?}");
    }
}
