//! Natural-like video has the statistics of natural scenes.

use rustfft::{FftPlanner, num_complex::Complex};
use std::time::Instant;
use striate_stimulus::natural::{Natural, natural};

fn moments(x: &[f64]) -> (f64, f64) {
    let mean = x.iter().sum::<f64>() / x.len() as f64;
    (mean, (x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / x.len() as f64).sqrt())
}

fn correlation(a: &[u8], b: &[u8]) -> f64 {
    let [a, b] = [a, b].map(|x| x.iter().map(|v| f64::from(*v)).collect::<Vec<f64>>());
    let ((ma, sa), (mb, sb)) = (moments(&a), moments(&b));
    a.iter().zip(&b).map(|(p, q)| (p - ma) * (q - mb)).sum::<f64>() / a.len() as f64 / (sa * sb).max(1e-9)
}

#[test]
fn a_seed_is_a_video() {
    let spec = Natural { frames: 40, ..Natural::default() };
    assert_eq!(natural(&spec, 3), natural(&spec, 3));
    let (a, b) = (natural(&spec, 3), natural(&spec, 4));
    assert!(correlation(a.frame(0), b.frame(0)).abs() < 0.9);
    assert_eq!(a.shape(), [40, 36, 64, 1]);
}

#[test]
fn luminance_and_contrast_are_those_of_scenes() {
    let clips: Vec<f64> = (0..12).flat_map(|s| natural(&Natural { frames: 150, ..Natural::default() }, s).pixels().to_vec()).map(f64::from).collect();
    let (mean, sd) = moments(&clips);
    assert!((108.0..130.0).contains(&mean), "mean {mean}");
    assert!((38.0..65.0).contains(&sd), "standard deviation {sd}");
    let clipped = clips.iter().filter(|v| **v == 0.0 || **v == 255.0).count() as f64 / clips.len() as f64;
    assert!(clipped < 0.06, "{clipped} of the pixels are black or white");
}

#[test]
fn power_falls_with_the_square_of_frequency() {
    // lines of 64 pixels under a Hann window, power averaged over lines, frames and seeds
    const N: usize = 64;
    let fft = FftPlanner::<f64>::new().plan_fft_forward(N);
    let mut power = [0.0; N / 2];
    for seed in 0..12 {
        let video = natural(&Natural { frames: 90, ..Natural::default() }, seed);
        for t in (0..90).step_by(15) {
            for line in video.frame(t).chunks_exact(N) {
                let mean = line.iter().map(|v| f64::from(*v)).sum::<f64>() / N as f64;
                let window = |x: usize| 0.5 - 0.5 * (std::f64::consts::TAU * x as f64 / N as f64).cos();
                let mut x: Vec<_> = line.iter().enumerate().map(|(x, v)| Complex::new((f64::from(*v) - mean) * window(x), 0.0)).collect();
                fft.process(&mut x);
                power.iter_mut().zip(&x).for_each(|(p, v)| *p += v.norm_sqr());
            }
        }
    }
    // slope of the log-log line from 3 to 16 cycles per width, where neither window nor pixels count
    let points: Vec<(f64, f64)> = (3..=16).map(|k| ((k as f64).ln(), power[k].ln())).collect();
    let mean = |f: fn(&(f64, f64)) -> f64| points.iter().map(f).sum::<f64>() / points.len() as f64;
    let (mx, my) = (mean(|p| p.0), mean(|p| p.1));
    let slope = points.iter().map(|(x, y)| (x - mx) * (y - my)).sum::<f64>() / points.iter().map(|(x, _)| (x - mx).powi(2)).sum::<f64>();
    // a plane of power 1/f^2 has lines of power about 1/f; interpolation and edges of objects steepen it
    assert!((-2.4..-0.9).contains(&slope), "slope {slope}");
}

#[test]
fn neighbouring_frames_are_alike_and_move() {
    let video = natural(&Natural { scene: f64::INFINITY, jumps: 0.0, ..Natural::default() }, 5);
    let at = |lag: usize| (0..250).map(|t| correlation(video.frame(t), video.frame(t + lag))).sum::<f64>() / 250.0;
    let (next, third, second) = (at(1), at(10), at(30));
    assert!(next > 0.85 && next < 0.9999, "one frame later {next}");
    assert!(third < next - 0.05 && second < third, "{next}, {third}, {second}");
}

#[test]
fn the_camera_jumps_and_scenes_are_cut() {
    // the share of frames unlike the one before counts cuts and jumps
    let breaks = |scene, jumps| {
        let video = natural(&Natural { scene, jumps, frames: 900, ..Natural::default() }, 9);
        (1..900).filter(|t| correlation(video.frame(t - 1), video.frame(*t)) < 0.75).count()
    };
    let (still, jumping, cut) = (breaks(f64::INFINITY, 0.0), breaks(f64::INFINITY, 1.0), breaks(1.0, 0.0));
    // fast pans count now and then too
    assert!(still <= 18 && jumping > still + 15 && cut > still + 15, "{still} {jumping} {cut}");
}

#[test]
#[ignore = "timing"]
fn a_clip_takes_milliseconds() {
    let began = Instant::now();
    for seed in 0..20 {
        assert_eq!(natural(&Natural::default(), seed).shape()[0], 300);
    }
    println!("{:.1} ms a clip of 10 s", began.elapsed().as_secs_f64() * 50.0);
}
