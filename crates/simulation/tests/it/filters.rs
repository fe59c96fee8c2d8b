//! Channels of the bank do what their kinds say.

use striate_simulation::filters::{Bank, Kind, TEMPORAL};
use striate_stimulus::Video;
use striate_stimulus::grating::{Grating, grating};
use striate_stimulus::natural::{Natural, natural};

fn drifting(direction: f64, spatial: f64, phase: f64) -> Video {
    grating(&Grating { direction, spatial, temporal: TEMPORAL, phase, ..Grating::default() })
}

/// Mean and standard deviation over time of channels at the middle, after the onset.
fn responses(bank: &Bank, video: &Video, channels: &[usize]) -> Vec<(f64, f64)> {
    let seen = bank.see(video, &vec![[0.0; 2]; video.shape()[0]]).unwrap();
    let of = |channel: &usize| {
        // two cycles and a bit: whole cycles, so that the mean is of all phases
        let values: Vec<f64> = bank.respond(&seen, *channel, [0.0; 2])[26..].iter().map(|v| f64::from(*v)).collect();
        let values = &values[..(2.0 * 30.0 / TEMPORAL).round() as usize];
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        (mean, (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt())
    };
    channels.iter().map(of).collect()
}

fn of_kind(bank: &Bank, kind: Kind, spatial: f64) -> Vec<usize> {
    (0..bank.channels().len()).filter(|c| bank.channels()[*c].kind == kind && bank.channels()[*c].spatial == spatial).collect()
}

#[test]
fn direction_channels_prefer_their_direction_and_orientation() {
    let bank = Bank::new(36, 64, 30.0);
    for spatial in striate_simulation::filters::SPATIAL {
        for channel in of_kind(&bank, Kind::Direction, spatial) {
            let preferred = bank.channels()[channel].direction;
            let [with, against, across] = [0.0, 180.0, 90.0].map(|turn| responses(&bank, &drifting(preferred + turn, spatial, 0.0), &[channel])[0].0);
            assert!(with > 2.5 * against && with > 3.0 * across, "{:?}: {with} {against} {across}", bank.channels()[channel]);
        }
    }
}

#[test]
fn complex_channels_do_not_care_about_phase_and_simple_ones_do() {
    let bank = Bank::new(36, 64, 30.0);
    for spatial in striate_simulation::filters::SPATIAL {
        for (kind, least, most) in [(Kind::Complex, 0.0, 0.25), (Kind::Direction, 0.0, 0.3), (Kind::Simple, 0.8, f64::INFINITY)] {
            for channel in of_kind(&bank, kind, spatial) {
                let video = drifting(bank.channels()[channel].direction, spatial, 0.0);
                let (mean, sd) = responses(&bank, &video, &[channel])[0];
                assert!((least..most).contains(&(sd / mean)), "{:?}: {mean} +- {sd}", bank.channels()[channel]);
            }
        }
    }
    // a grating of any phase gives a complex channel the same, at every moment
    let channel = of_kind(&bank, Kind::Complex, 5.5)[1];
    let at = |phase| {
        let video = drifting(bank.channels()[channel].direction, 5.5, phase);
        let seen = bank.see(&video, &[[0.0; 2]; 60]).unwrap();
        f64::from(bank.respond(&seen, channel, [0.0; 2])[45])
    };
    let still: Vec<f64> = (0..8).map(|k| at(f64::from(k) / 8.0)).collect();
    let (low, high) = still.iter().fold((f64::INFINITY, 0.0f64), |(l, h), v| (l.min(*v), h.max(*v)));
    assert!(high < 1.6 * low, "{still:?}");
}

#[test]
fn normalisation_saturates_with_contrast() {
    let bank = Bank::new(36, 64, 30.0);
    let channel = of_kind(&bank, Kind::Complex, 5.5)[0];
    let at = |contrast: f64| {
        let video = grating(&Grating { spatial: 5.5, temporal: TEMPORAL, contrast, ..Grating::default() });
        responses(&bank, &video, &[channel])[0].0
    };
    // a grating that fits has much more energy than scenes, so it saturates early
    let (low, middle, half, full) = (at(0.03), at(0.15), at(0.5), at(1.0));
    assert!(middle > 2.0 * low, "responses grow at low contrast: {low} {middle}");
    assert!(full < 1.2 * half && half < 1.5 * middle, "and saturate: {middle} {half} {full}");
}

#[test]
fn centres_prefer_spots_of_their_sign() {
    let bank = Bank::new(36, 64, 30.0);
    let centres: Vec<usize> = (0..bank.channels().len()).filter(|c| bank.channels()[*c].kind == Kind::CentreSurround).collect();
    let spot = |value: u8| {
        let mut pixels = vec![128; 40 * 36 * 64];
        for t in 20..40 {
            for y in 17..19 {
                pixels[(t * 36 + y) * 64 + 31..][..2].fill(value);
            }
        }
        Video::new(pixels, [40, 36, 64, 1], 30.0).unwrap()
    };
    let peak = |video: &Video, channel: usize| {
        let seen = bank.see(video, &[[0.0; 2]; 40]).unwrap();
        // the first response to the onset, before the rebound
        bank.respond(&seen, channel, [0.0; 2])[22..25].iter().copied().fold(0.0, f32::max)
    };
    for channel in centres {
        let (bright, dark) = (peak(&spot(255), channel), peak(&spot(0), channel));
        let on = bank.channels()[channel].phase == 0;
        assert!(if on { bright > 2.0 * dark } else { dark > 2.0 * bright }, "{:?}: {bright} {dark}", bank.channels()[channel]);
    }
}

#[test]
fn responses_are_causal() {
    let bank = Bank::new(36, 64, 30.0);
    let video = natural(&Natural { frames: 40, ..Natural::default() }, 1);
    let mut other = video.pixels().to_vec();
    other[25 * 36 * 64..].fill(200);
    let other = Video::new(other, video.shape(), 30.0).unwrap();
    let gaze = [[0.0; 2]; 40];
    let (a, b) = (bank.see(&video, &gaze).unwrap(), bank.see(&other, &gaze).unwrap());
    for channel in (0..bank.channels().len()).step_by(7) {
        let [a, b] = [&a, &b].map(|seen| bank.respond(seen, channel, [0.1, 0.05]));
        assert_eq!(a[..25], b[..25], "nothing changes before the frame that differs");
        assert_ne!(a[25..], b[25..], "and everything after");
    }
}

#[test]
fn channels_average_one_over_natural_scenes() {
    let bank = Bank::new(36, 64, 30.0);
    let video = natural(&Natural { frames: 900, scene: 1.0, ..Natural::default() }, 77);
    let seen = bank.see(&video, &vec![[0.0; 2]; 900]).unwrap();
    for channel in (0..bank.channels().len()).step_by(5) {
        let values = bank.respond(&seen, channel, [0.1, 0.0]);
        let mean = values.iter().sum::<f32>() / 900.0;
        assert!((0.6..1.6).contains(&mean), "{:?}: {mean}", bank.channels()[channel]);
    }
}

#[test]
fn gaze_moves_the_image_over_receptive_fields() {
    // a neuron that looks to the right sees, with gaze turned right by as much, what is further right on the monitor
    let bank = Bank::new(36, 64, 30.0);
    let mut pixels = vec![100; 30 * 36 * 64];
    for t in 0..30 {
        for y in 0..36 {
            for x in 0..64 {
                pixels[(t * 36 + y) * 64 + x] = if (x + 2 * t) % 9 < 4 && (38..50).contains(&x) { 220 } else { 100 };
            }
        }
    }
    let video = Video::new(pixels, [30, 36, 64, 1], 30.0).unwrap();
    let right = (44.0 / 64.0 - 0.5) / striate_simulation::geometry::DISTANCE;
    let total = |gaze: f64| {
        let seen = bank.see(&video, &[[gaze, 0.0]; 30]).unwrap();
        (0..4).map(|phase| bank.respond(&seen, of_kind(&bank, Kind::Simple, 5.5)[phase], [0.0; 2])[12..].iter().sum::<f32>()).sum::<f32>()
    };
    let [ahead, there, away] = [0.0, right.atan(), -right.atan()].map(total);
    assert!(there > 1.5 * ahead && there > 3.0 * away, "{ahead} {there} {away}");
}
