//! Settings no video can be made with are refused by name, and no setting panics.

use striate_stimulus::grating::{Grating, Gratings, Surround, grating};
use striate_stimulus::monitor::{Monitor, Unit};
use striate_stimulus::natural::{Natural, natural};
use striate_stimulus::noise::{Noise, noise};
use striate_stimulus::values::Values;
use striate_stimulus::{Error, Video};

fn names(field: &str, checked: Result<(), Error>) {
    let error = checked.unwrap_err();
    assert!(matches!(&error, Error::Setting { field: f, .. } if *f == field), "{field}: {error}");
    assert!(error.to_string().contains("expected"), "{error}");
}

#[test]
fn defaults_are_fine() {
    assert!(Natural::default().check().is_ok() && Noise::default().check().is_ok());
    assert!(Grating::default().check().is_ok() && Gratings::default().check().is_ok());
}

#[test]
fn bad_settings_are_named() {
    names("height", Natural { height: 0, ..Natural::default() }.check());
    names("width", Natural { width: usize::MAX, ..Natural::default() }.check());
    names("frames", Natural { frames: usize::MAX, ..Natural::default() }.check());
    names("rate", Natural { rate: f64::NAN, ..Natural::default() }.check());
    names("rate", Natural { rate: 0.0, ..Natural::default() }.check());
    names("scene", Natural { scene: -1.0, ..Natural::default() }.check());
    names("jumps", Natural { jumps: f64::INFINITY, ..Natural::default() }.check());
    names("objects", Natural { objects: usize::MAX, ..Natural::default() }.check());
    names("contrast", Natural { contrast: f32::NAN, ..Natural::default() }.check());
    names("blur", Noise { blur: f32::INFINITY, ..Noise::default() }.check());
    names("persistence", Noise { persistence: f64::NAN, ..Noise::default() }.check());
    names("direction", Grating { direction: f64::INFINITY, ..Grating::default() }.check());
    names("contrast", Grating { contrast: 1.5, ..Grating::default() }.check());
    names("spatial", Gratings { spatial: Values::Between { from: 4.0, to: 2.0 }, ..Gratings::default() }.check());
    names("temporal", Gratings { temporal: Values::Between { from: 0.0, to: 2.0 }, ..Gratings::default() }.check());
    names("direction", Gratings { direction: Values::Each(Vec::new()), ..Gratings::default() }.check());
    names("size", Gratings { surround: Some(Surround::default()), ..Gratings::default() }.check());
    names("spherical", Gratings { spherical: true, monitor: Monitor { unit: Unit::Width, ..Monitor::default() }, ..Gratings::default() }.check());
}

#[test]
fn nothing_panics() {
    let odd = [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-300];
    let shaped = |video: Video, frames: usize, height: usize, width: usize| assert_eq!(video.shape(), [frames, height, width, 1]);
    for v in odd {
        for (height, width) in [(0, 0), (1, 1), (3, 0), (0, 3), (2, 5)] {
            let f = v as f32;
            shaped(
                natural(&Natural { height, width, frames: 3, rate: v, scene: v, jumps: v, contrast: f, ..Natural::default() }, 1),
                3,
                height,
                width,
            );
            shaped(noise(&Noise { height, width, frames: 3, rate: v, blur: f.min(3.0), persistence: v, contrast: f }, 1), 3, height, width);
            let one = Grating { height, width, frames: 3, rate: v, direction: v, spatial: v, temporal: v, phase: v, contrast: v };
            shaped(grating(&one), 3, height, width);
        }
    }
}

#[test]
fn unknown_settings_are_refused() {
    assert!(serde_json::from_str::<Natural>(r#"{"hieght": 36}"#).is_err());
    assert_eq!(serde_json::from_str::<Noise>("{}").unwrap(), Noise::default());
}
