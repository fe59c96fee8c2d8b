//! What moves, moves where its events say: 0 right, 90 up.

use striate_stimulus::bar::Bars;
use striate_stimulus::event::{Flow, Shown};
use striate_stimulus::kinematogram::Kinematogram;
use striate_stimulus::pink_noise::PinkNoise;
use striate_stimulus::trippy::Trippy;
use striate_stimulus::values::Values;
use striate_stimulus::{Event, Video};

/// Mean product of a frame about its mean with a later one looked at (dx, dy) further on, dy up.
fn correlation(video: &Video, [t, later]: [usize; 2], [dx, dy]: [isize; 2]) -> f64 {
    let [_, h, w, _] = video.shape();
    let (a, b) = (video.frame(t), video.frame(later));
    let mean = |frame: &[u8]| frame.iter().map(|v| f64::from(*v)).sum::<f64>() / frame.len() as f64;
    let (ma, mb) = (mean(a), mean(b));
    let margin = dx.unsigned_abs().max(dy.unsigned_abs());
    let mut sum = 0.0;
    for y in margin..h - margin {
        for x in margin..w - margin {
            let there = (y as isize - dy) as usize * w + (x as isize + dx) as usize;
            sum += (f64::from(a[y * w + x]) - ma) * (f64::from(b[there]) - mb);
        }
    }
    sum / ((h - 2 * margin) * (w - 2 * margin)) as f64
}

/// How much more is found `reach` pixels on in each of eight directions than as far back, over the frames of an event.
fn opponent_energy(video: &Video, frames: std::ops::Range<usize>, lag: usize, reach: f64) -> [f64; 8] {
    std::array::from_fn(|k| {
        let (s, c) = (k as f64 * 45.0).to_radians().sin_cos();
        let step = [(reach * c).round() as isize, (reach * s).round() as isize];
        let on = |t: usize| correlation(video, [t, t + lag], step) - correlation(video, [t, t + lag], step.map(|d| -d));
        let count = (frames.end - lag - frames.start) as f64;
        (frames.start..frames.end - lag).map(on).sum::<f64>() / count
    })
}

fn best(energy: &[f64; 8]) -> f64 {
    (0..8).max_by(|a, b| energy[*a].total_cmp(&energy[*b])).unwrap() as f64 * 45.0
}

fn noise() -> PinkNoise {
    PinkNoise { height: 126, width: 216, directions: 8, seconds: 12.0, frames: 360, ..PinkNoise::default() }
}

#[test]
fn pink_noise_moves_in_the_direction_of_its_event_and_else_not() {
    let film = noise().film(2).unwrap();
    let events = film.events().to_vec();
    let video = film.video();
    assert_eq!(events.len(), 8);
    let mut seen = Vec::new();
    for Event { onset_frame, offset_frame, shown, .. } in &events {
        let Shown::Motion { direction } = shown else { panic!("{shown:?}") };
        // 0.6 pixels a frame
        let energy = opponent_energy(&video, *onset_frame..*offset_frame, 6, 4.0);
        assert_eq!(best(&energy), *direction, "{energy:?}");
        let along = energy[(direction / 45.0) as usize];
        // the still part before
        let still = opponent_energy(&video, onset_frame - 13..*onset_frame, 6, 4.0);
        assert!(still.iter().all(|e| e.abs() < 0.5 * along), "{along}, but {still:?} while still");
        seen.push(*direction);
    }
    seen.sort_by(f64::total_cmp);
    assert_eq!(seen, [0.0, 45.0, 90.0, 135.0, 180.0, 225.0, 270.0, 315.0], "each direction once");
}

#[test]
fn pink_noise_has_the_times_variance_and_spectrum_of_its_recipe() {
    let film = PinkNoise { fraction: 0.4, ..noise() }.film(3).unwrap();
    for (i, event) in film.events().iter().enumerate() {
        let onset = (i as f64 + 0.5 - 0.2) * 1.5;
        assert!((event.onset - onset).abs() < 1e-9 && (event.offset - onset - 0.6).abs() < 1e-9, "{event:?}");
        assert_eq!((event.onset_frame, event.offset_frame), ((onset * 30.0 + 1e-9) as usize + 1, ((onset + 0.6) * 30.0 + 1e-9) as usize + 1));
    }
    let video = PinkNoise { fraction: 0.0, ..noise() }.film(3).unwrap().video();
    let x: Vec<f64> = video.pixels().iter().map(|v| f64::from(*v)).collect();
    let mean = x.iter().sum::<f64>() / x.len() as f64;
    let sd = (x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / x.len() as f64).sqrt();
    // white noise through the filter in time; in space a Gaussian of sd 3 pixels on samples 3 apart, times 9
    let hamming: Vec<f64> = (0..16).map(|j| 0.54 + 0.46 * (std::f64::consts::PI * j as f64 / 15.0).cos()).collect();
    let sum: f64 = hamming.iter().sum();
    let time: f64 = hamming.iter().map(|h| (h / sum).powi(2)).sum();
    let expected = 255.0 * 2.5 * (time * 9.0 / (36.0 * std::f64::consts::PI)).sqrt();
    assert!((mean - 127.5).abs() < 2.0 && (sd / expected - 1.0).abs() < 0.08, "mean {mean}, sd {sd}, expected {expected}");
    // power along rows falls as exp(-9 f^2)
    let power = |k: f64| {
        let f = std::f64::consts::TAU * k / 216.0;
        let line = |row: &[u8]| {
            let window = |x: usize| 0.5 - 0.5 * (std::f64::consts::TAU * x as f64 / 216.0).cos();
            let part = |g: fn(f64) -> f64| row.iter().enumerate().map(|(x, v)| (f64::from(*v) - mean) * window(x) * g(f * x as f64)).sum::<f64>();
            part(f64::cos).powi(2) + part(f64::sin).powi(2)
        };
        (0..360).step_by(8).flat_map(|t| video.frame(t).chunks_exact(216).step_by(5)).map(line).sum::<f64>().ln()
    };
    let fall = (power(18.0) + power(19.0) + power(20.0) - power(4.0) - power(5.0) - power(6.0)) / 3.0;
    let f = |k: f64| (std::f64::consts::TAU * k / 216.0).powi(2);
    assert!((fall + 9.0 * (f(19.0) - f(5.0))).abs() < 0.4, "falls by {fall}");
}

#[test]
fn dots_flow_where_their_events_say() {
    let flows = vec![Flow::Right, Flow::Up, Flow::Left, Flow::Down];
    for coherence in [1.0, 0.5] {
        let spec = Kinematogram { flows: flows.clone(), coherence: Values::One(coherence), frames: 240, ..Kinematogram::default() };
        let film = spec.film(4).unwrap();
        let events = film.events().to_vec();
        let video = film.video();
        for event in events {
            let Shown::Flow { direction: Some(direction), .. } = event.shown else { panic!("{event:?}") };
            // 40 degrees per second are 1.6 pixels a frame
            let energy = opponent_energy(&video, event.onset_frame..event.offset_frame, 4, 6.0);
            assert_eq!(best(&energy), direction, "{energy:?}");
        }
    }
}

#[test]
fn dots_cover_an_eighth_of_the_monitor_half_of_them_white() {
    let video = Kinematogram::default().film(5).unwrap().video();
    let share = |of: fn(u8) -> bool| video.pixels().iter().filter(|v| of(**v)).count() as f64 / video.pixels().len() as f64;
    let (white, black) = (share(|v| v > 128), share(|v| v < 128));
    assert!((0.09..0.16).contains(&(white + black)), "{white} and {black}");
    assert!((white / black - 1.0).abs() < 0.15, "{white} and {black}");
}

#[test]
fn bars_cross_the_whole_monitor_in_their_direction() {
    let film = Bars { height: 45, width: 80, ..Bars::default() }.film(6).unwrap();
    let events = film.events().to_vec();
    let video = film.video();
    let mut whole = 0;
    for event in events.iter().filter(|e| e.offset_frame < 1500) {
        let Shown::Bar { direction, .. } = event.shown else { panic!("{event:?}") };
        let bright = |t: usize| video.frame(t).iter().map(|v| f64::from(v.saturating_sub(128))).collect::<Vec<f64>>();
        let ever = (event.onset_frame..event.offset_frame)
            .fold(vec![0.0; 45 * 80], |most: Vec<f64>, t| most.iter().zip(bright(t)).map(|(a, b)| a.max(b)).collect());
        assert!(ever.iter().all(|v| *v > 60.0), "{direction}: not everywhere");
        // mean and spread of the light along the direction
        let (s, c) = direction.to_radians().sin_cos();
        let along = |t: usize| {
            let light = bright(t);
            let sum = light.iter().sum::<f64>();
            let mean =
                |of: &dyn Fn(f64) -> f64| light.iter().enumerate().map(|(i, v)| v * of((i % 80) as f64 * c - (i / 80) as f64 * s)).sum::<f64>() / sum;
            let middle = mean(&|u| u);
            (middle, mean(&|u| (u - middle).powi(2)).sqrt())
        };
        let (middle, length) = ((event.onset_frame + event.offset_frame) / 2, (event.offset_frame - event.onset_frame) / 4);
        let ((before, narrow), (after, _)) = (along(middle - length / 2), along(middle + length / 2));
        let pixels = 40.0 * 15.0 * 1f64.to_radians() / 55.2 * 80.0 / 30.0 * ((middle + length / 2) - (middle - length / 2)) as f64;
        assert!(((after - before) / pixels - 1.0).abs() < 0.06, "{direction}: {} pixels, expected {pixels}", after - before);
        assert!(narrow < 1.5, "{direction}: {narrow} pixels wide");
        whole += 1;
    }
    assert!(whole >= 4);
}

#[test]
fn trippy_drifts_at_its_temporal_frequency_and_is_a_cosine() {
    let video = Trippy { height: 18, width: 32, frames: 600, ..Trippy::default() }.film(7).unwrap().video();
    let (lowest, highest) = (video.pixels().iter().min().unwrap(), video.pixels().iter().max().unwrap());
    assert_eq!((*lowest, *highest), (1, 254));
    // a cosine of even phase spends a third of its time beyond 0.866 on either side
    let extreme = video.pixels().iter().filter(|v| (f64::from(**v) - 127.5).abs() > 126.5 * 0.866).count() as f64 / video.pixels().len() as f64;
    assert!((extreme - 1.0 / 3.0).abs() < 0.06, "{extreme}");
    let crossings = (0..18 * 32).map(|i| (1..600).filter(|t| (video.frame(*t)[i] > 127) != (video.frame(t - 1)[i] > 127)).count()).sum::<usize>();
    let hertz = crossings as f64 / (2.0 * 18.0 * 32.0 * 20.0);
    assert!((hertz - 2.5).abs() < 0.7, "{hertz} Hz");
}
