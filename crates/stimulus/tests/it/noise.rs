//! Noise has the contrast and the smoothness asked for.

use striate_stimulus::noise::{Noise, noise};

#[test]
fn has_the_contrast_and_the_smoothness_asked_for() {
    let video = noise(&Noise { frames: 200, contrast: 0.3, ..Noise::default() }, 2);
    let x: Vec<f64> = video.pixels().iter().map(|v| f64::from(*v) - 127.5).collect();
    let covariance = |lag: usize| x.iter().zip(&x[lag..]).map(|(a, b)| a * b).sum::<f64>() / (x.len() - lag) as f64;
    let sd = covariance(0).sqrt();
    assert!((sd - 0.3 * 127.5).abs() < 3.0, "sd {sd}");
    let next = covariance(36 * 64) / covariance(0);
    assert!((next - (-1.0f64 / 3.0).exp()).abs() < 0.06, "one frame later {next}");
    // neighbours of a Gaussian blur of sd b correlate by exp(-1 / (4 b^2)), across and down
    let expected = (-1.0f64 / (4.0 * 1.5 * 1.5)).exp();
    for (lag, way) in [(1, "across"), (64, "down")] {
        let neighbours = covariance(lag) / covariance(0);
        assert!((neighbours - expected).abs() < 0.05, "{way} {neighbours}, expected {expected}");
    }
}

#[test]
fn without_blur_and_persistence_it_is_white() {
    let video = noise(&Noise { frames: 50, blur: 0.0, persistence: 0.0, contrast: 0.3, ..Noise::default() }, 3);
    let x: Vec<f64> = video.pixels().iter().map(|v| f64::from(*v) - 127.5).collect();
    let covariance = |lag: usize| x.iter().zip(&x[lag..]).map(|(a, b)| a * b).sum::<f64>() / (x.len() - lag) as f64;
    for lag in [1, 64, 36 * 64] {
        assert!((covariance(lag) / covariance(0)).abs() < 0.02, "lag {lag}");
    }
}

#[test]
fn a_seed_is_a_video() {
    let spec = Noise { frames: 5, ..Noise::default() };
    assert_eq!(noise(&spec, 1), noise(&spec, 1));
    assert_ne!(noise(&spec, 1), noise(&spec, 2));
}
