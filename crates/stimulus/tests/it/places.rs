//! What is shown somewhere is where and how large its events and settings say.

use rustfft::{FftPlanner, num_complex::Complex};
use std::collections::BTreeSet;
use striate_stimulus::checks::{Distribution, SparseNoise, WhiteNoise};
use striate_stimulus::dot::Dots;
use striate_stimulus::event::Shown;
use striate_stimulus::gabor::Gabors;
use striate_stimulus::grating::{Gratings, Surround, gratings};
use striate_stimulus::monitor::{Monitor, Unit};
use striate_stimulus::picture::{Picture, Pictures};
use striate_stimulus::values::Values;

/// Frequency of most power of a line, in cycles over its length, to a fraction of a cycle.
fn peak(line: impl Iterator<Item = u8>) -> f64 {
    const N: usize = 4096;
    let line: Vec<f64> = line.map(f64::from).collect();
    let length = line.len() as f64;
    let mean = line.iter().sum::<f64>() / length;
    let mut x: Vec<Complex<f64>> = line.iter().map(|v| Complex::new(v - mean, 0.0)).collect();
    x.resize(N, Complex::default());
    FftPlanner::new().plan_fft_forward(N).process(&mut x);
    let most = (1..N / 2).max_by(|a, b| x[*a].norm_sqr().total_cmp(&x[*b].norm_sqr())).unwrap();
    most as f64 * length / N as f64
}

#[test]
fn gabors_have_the_place_size_and_frequencies_of_their_events() {
    let monitor = Monitor { unit: Unit::Centre, ..Monitor::default() };
    for spatial in [0.04, 0.08] {
        let spec = Gabors {
            direction: Values::One(0.0),
            spatial: Values::One(spatial),
            temporal: Values::One(4.0),
            monitor: monitor.clone(),
            ..Gabors::default()
        };
        let film = spec.film(1).unwrap();
        let event = film.events()[0].clone();
        let Shown::Gabor { x, y, .. } = event.shown else { panic!("{event:?}") };
        let video = film.video();
        let row = ((y * 256.0) as usize).min(143);
        let found = peak(video.frame(0)[row * 256..][..256].iter().copied());
        let expected = spatial * 3.8 * 55.2;
        assert!((found - expected).abs() < 1.0, "{found} cycles per width, expected {expected}");
        let column = ((x * 256.0) as usize).min(255);
        let hertz = peak((0..30).map(|t| video.frame(t)[row * 256 + column]));
        assert!((hertz - 4.0).abs() < 0.3, "{hertz} Hz");
        // largest deviation from grey over a cycle, at the middle and one standard deviation above or below
        let deviation = |row: usize| (0..30).map(|t| video.frame(t)[row * 256 + column].abs_diff(128)).max().unwrap();
        let sd = 16.4 / 3.8 / 55.2 * 256.0;
        let beside = if row > 72 { row as f64 - sd } else { row as f64 + sd };
        let ratio = f64::from(deviation(beside.round() as usize)) / f64::from(deviation(row));
        assert!(deviation(row) > 115 && (ratio - (-0.5f64).exp()).abs() < 0.04, "{ratio}");
    }
}

#[test]
fn one_set_of_dots_is_every_place_once_white_and_once_black() {
    let film = Dots { height: 72, width: 128, ..Dots::default() }.film(2).unwrap();
    assert_eq!(film.events().len(), 986);
    let events = film.events().to_vec();
    let conditions: BTreeSet<_> = events
        .iter()
        .map(|e| if let Shown::Dot { row, column, polarity, .. } = e.shown { (row, column, polarity) } else { panic!("{e:?}") })
        .collect();
    assert_eq!(conditions.len(), 986);
    let mut covered = vec![0u8; 72 * 128];
    for (frame, event) in film.step_by(9).zip(&events) {
        let Shown::Dot { row, column, x, y, polarity, .. } = event.shown else { panic!("{event:?}") };
        assert!((x - (column as f64 + 0.5) / 29.0).abs() < 1e-12 && (y - (row as f64 + 0.5) / 17.0 * 72.0 / 128.0).abs() < 1e-12);
        let (px, py) = ((x * 128.0) as usize, (y * 128.0) as usize);
        let middle = frame[py * 128 + px];
        assert!(if polarity > 0 { middle > 245 } else { middle < 11 }, "{middle} in the middle of {event:?}");
        covered.iter_mut().zip(&frame).for_each(|(most, v)| *most = (*most).max(v.abs_diff(128)));
        // the sum of the mask of a Gaussian that is not cut
        if (8..=20).contains(&column) && (6..=10).contains(&row) {
            let sum: f64 = frame.iter().map(|v| f64::from(v.abs_diff(128)) / 127.0).sum();
            let sd = 15.0 * 8f64.to_radians().tan() / 55.2 * 128.0;
            assert!((sum / (std::f64::consts::TAU * sd * sd) - 1.0).abs() < 0.02, "{sum}");
        }
    }
    assert!(covered.iter().all(|v| *v > 100), "somewhere there never was a dot");
}

#[test]
fn gratings_are_balanced_windowed_and_surrounded() {
    let spec = Gratings { direction: Values::directions(4), contrast: Values::Each(vec![0.2, 1.0]), frames: 8 * 90, ..Gratings::default() };
    let film = spec.film(1).unwrap();
    let conditions: BTreeSet<_> =
        film.events().iter().map(|e| if let Shown::Grating { condition, .. } = e.shown { condition } else { panic!("{e:?}") }).collect();
    assert_eq!(conditions.len(), 8);
    let video = film.video();
    assert!(video.frame(29).iter().all(|v| *v == 128) && video.frame(30).iter().any(|v| *v != 128), "grey, then a grating");

    let patch = Gratings { frames: 10, blank: 0.0, seconds: 1.0, temporal: Values::One(0.0), size: Some(Values::One(20.0)), ..Gratings::default() };
    let video = gratings(&patch, 1).unwrap();
    assert_eq!(video.frame(0), video.frame(9), "still");
    let radius = 15.0 * 10f64.to_radians().tan() / 55.2 * 256.0;
    let distance = |i: usize| ((i % 256) as f64 - 127.5).hypot((i / 256) as f64 - 71.5);
    assert!((0..144 * 256).all(|i| distance(i) < radius + 1.0 || video.frame(0)[i] == 128), "grey around the window");
    assert!((0..144 * 256).any(|i| distance(i) < radius && video.frame(0)[i] > 250));

    let surround = Some(Surround { contrast: 0.5, gap: 5.0, ..Surround::default() });
    let both = gratings(&Gratings { surround, ..patch.clone() }, 1).unwrap();
    let gap = 15.0 * 15f64.to_radians().tan() / 55.2 * 256.0;
    for i in 0..144 * 256 {
        match distance(i) {
            r if r < radius - 1.0 => assert_eq!(both.frame(0)[i], video.frame(0)[i], "the centre stays"),
            r if r > radius + 1.0 && r < gap - 1.0 => assert_eq!(both.frame(0)[i], 128, "the gap is grey"),
            r if r > gap + 1.0 => assert!(both.frame(0)[i].abs_diff(128) <= 64, "half the contrast"),
            _ => {}
        }
    }
    assert!((0..144 * 256).any(|i| distance(i) > gap + 1.0 && both.frame(0)[i].abs_diff(128) > 60), "there is a surround");
}

#[test]
fn plaids_hold_both_gratings_and_spherical_gratings_keep_their_frequency() {
    let flat = Gratings { frames: 1, blank: 0.0, spatial: Values::One(0.1), direction: Values::One(0.0), ..Gratings::default() };
    let plaid = gratings(&Gratings { plaid: Some(90.0), ..flat.clone() }, 1).unwrap();
    let expected = 0.1 * 55.2 / (15.0 * 1f64.to_radians());
    let row = peak(plaid.frame(0)[..256].iter().copied());
    let column = peak((0..144).map(|y| plaid.frame(0)[y * 256])) * 256.0 / 144.0;
    assert!((row - expected).abs() < 0.6 && (column - expected).abs() < 1.0, "{row} across and {column} down, expected {expected}");
    let sphere = gratings(&Gratings { spherical: true, ..flat }, 1).unwrap();
    let line = &sphere.frame(0)[71 * 256..][..256];
    // cycles over the 123 degrees of the monitor, by counting; a flat monitor has more pixels to a degree at its edge
    let rising: Vec<usize> = (1..256).filter(|x| line[x - 1] < 128 && line[*x] >= 128).collect();
    assert!((11..=13).contains(&rising.len()), "{rising:?}");
    assert!(rising[1] - rising[0] > 2 * (rising[6] - rising[5]), "{rising:?}");
}

#[test]
fn sparse_noise_has_as_many_spots_as_asked_for_everywhere() {
    let spec = SparseNoise { height: 72, width: 128, frames: 3000, ..SparseNoise::default() };
    let film = spec.film(3).unwrap();
    let events = film.events().to_vec();
    assert_eq!(events.len(), 4 * 1000);
    let white = events.iter().filter(|e| matches!(e.shown, Shown::Spot { polarity: 1, .. })).count();
    assert!((1850..2150).contains(&white), "{white} white spots");
    let side = 2.0 * 15.0 * 4f64.to_radians().tan() / 55.2 * 128.0;
    let mut ever = vec![false; 72 * 128];
    for (t, frame) in film.enumerate() {
        let lit = frame.iter().filter(|v| **v != 128).count() as f64;
        assert!(lit <= 4.0 * (side + 1.0).powi(2), "{lit} pixels of spots");
        for e in events.iter().filter(|e| e.onset_frame == t) {
            let Shown::Spot { x, y, polarity, .. } = e.shown else { panic!("{e:?}") };
            let (px, py) = ((x * 128.0) as usize, (y * 128.0) as usize);
            if px < 128 && py < 72 {
                assert_eq!(frame[py * 128 + px], if polarity > 0 { 255 } else { 1 });
            }
        }
        ever.iter_mut().zip(&frame).for_each(|(ever, v)| *ever |= *v != 128);
    }
    assert!(ever.iter().all(|seen| *seen));
}

#[test]
fn white_noise_is_white() {
    let spec = WhiteNoise { height: 72, width: 128, frames: 800, ..WhiteNoise::default() };
    let video = spec.film(4).unwrap().video();
    assert!(video.pixels().iter().all(|v| *v == 1 || *v == 255));
    assert!(video.frame(0) == video.frame(1) && video.frame(1) != video.frame(2));
    let at = |t: usize, y: usize, x: usize| (f64::from(video.frame(t)[y * 128 + x]) - 128.0) / 127.0;
    let mean = |of: &dyn Fn(usize) -> f64| (0..798).step_by(2).map(of).sum::<f64>() / 399.0;
    for (y, x) in [(5, 10), (40, 60), (60, 100)] {
        // a check is 6.1 pixels wide
        for correlation in [mean(&|t| at(t, y, x)), mean(&|t| at(t, y, x) * at(t + 2, y, x)), mean(&|t| at(t, y, x) * at(t, y, x + 7))] {
            assert!(correlation.abs() < 0.2, "{correlation}");
        }
    }
    let normal = WhiteNoise { distribution: Distribution::Gaussian, contrast: 0.3, ..spec }.film(4).unwrap().video();
    let sd = (normal.pixels().iter().map(|v| (f64::from(*v) - 128.0).powi(2)).sum::<f64>() / normal.pixels().len() as f64).sqrt();
    assert!((sd / 127.0 - 0.3).abs() < 0.01, "{sd}");
}

#[test]
fn pictures_follow_one_another_with_grey_between() {
    let spec = Pictures { height: 2, width: 3, repeats: 2, ..Pictures::default() };
    let pictures: Vec<Picture> = (0..5).map(|k| Picture { name: format!("{k}.png"), size: [2, 3], pixels: vec![10 * k; 6] }).collect();
    let film = spec.film(pictures.clone(), 5).unwrap();
    let events = film.events().to_vec();
    let video = film.video();
    assert_eq!(events.len(), 10);
    let mut end = 0;
    for event in &events {
        let Shown::Picture { condition, name } = &event.shown else { panic!("{event:?}") };
        assert_eq!(name, &format!("{condition}.png"));
        assert_eq!(event.offset_frame - event.onset_frame, 15);
        assert!((9..=15).contains(&(event.onset_frame - end)), "{} frames of grey", event.onset_frame - end);
        assert!((end..event.onset_frame).all(|t| video.frame(t) == [128; 6]));
        assert!((event.onset_frame..event.offset_frame).all(|t| video.frame(t) == pictures[*condition].pixels));
        end = event.offset_frame;
    }
    assert_eq!(video.shape()[0], end);
    assert!(spec.film(Vec::new(), 5).is_err() && Pictures::default().film(pictures, 5).is_err(), "no picture, or of another size");
}
