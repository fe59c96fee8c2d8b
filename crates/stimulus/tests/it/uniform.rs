//! Uniform fields flicker and step as their settings say.

use striate_stimulus::event::{ChirpPart, Shown};
use striate_stimulus::uniform::{Chirp, Steps};

#[test]
fn a_chirp_sweeps_frequency_and_contrast() {
    let film = Chirp { height: 2, width: 2, rate: 60.0, frames: 1800, ..Chirp::default() }.film().unwrap();
    let events = film.events().to_vec();
    let video = film.video();
    let level = |t: usize| (f64::from(video.frame(t)[0]) - 128.0) / 127.0;
    let of = |part: ChirpPart| events.iter().find(|e| e.shown == Shown::Chirp { part }).unwrap();
    let onsets = [ChirpPart::On, ChirpPart::Off, ChirpPart::Frequency, ChirpPart::Contrast].map(|part| of(part).onset);
    assert_eq!(onsets, [2.0, 5.0, 10.0, 20.0]);
    assert_eq!((level(120), level(300), level(60), level(1799)), (1.0, -1.0, 0.0, 0.0));
    // cycles of a frequency that rises from 0.5 to 8 Hz in 8 s: f0 t + (f1 - f0) t^2 / 16
    let crossings = |from: usize, frames: usize| (from + 1..from + frames).filter(|t| (level(*t) > 0.0) != (level(t - 1) > 0.0)).count() as f64;
    let sweep = of(ChirpPart::Frequency).onset_frame;
    assert!((crossings(sweep, 480) / 2.0 - 34.0).abs() < 1.5, "{} crossings", crossings(sweep, 480));
    assert!((crossings(sweep, 240) / 2.0 - 9.5).abs() < 1.0, "{} crossings", crossings(sweep, 240));
    let contrast = of(ChirpPart::Contrast).onset_frame;
    let most = |second: usize| (0..60).map(|t| level(contrast + 60 * second + t).abs()).fold(0.0, f64::max);
    for second in 0..8 {
        assert!((most(second) - (second as f64 + 0.88) / 8.0).abs() < 0.04, "{} in second {second}", most(second));
    }
    assert!((crossings(contrast, 480) / 2.0 - 16.0).abs() < 1.0);
}

#[test]
fn a_chirp_faster_than_the_frames_is_refused() {
    assert!(Chirp { rate: 15.0, ..Chirp::default() }.check().unwrap_err().to_string().contains("frequency"));
}

#[test]
fn steps_show_every_level() {
    let film = Steps { height: 1, width: 1, shuffle: false, ..Steps::default() }.film(0).unwrap();
    let events = film.events().to_vec();
    let video = film.video();
    let shown: Vec<u8> = events.iter().map(|e| video.frame(e.onset_frame)[0]).collect();
    assert_eq!(shown, [1, 65, 160, 192, 255], "128 + 127 level");
    assert!(events.iter().all(|e| video.frame(e.onset_frame - 1)[0] == 128 && e.offset_frame - e.onset_frame == 30));
}
