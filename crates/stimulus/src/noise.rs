//! Smoothed Gaussian noise: a stimulus domain far from natural scenes.

use crate::video::{Video, pixel};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};

/// Settings of smoothed noise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Noise {
    /// H, pixels.
    pub height: usize,
    /// W, pixels.
    pub width: usize,
    /// Frames per second, Hz.
    pub rate: f64,
    /// T.
    pub frames: usize,
    /// Standard deviation of the spatial blur, pixels.
    pub blur: f32,
    /// Time constant of the low-pass in time, s.
    pub persistence: f64,
    /// Standard deviation of pixel intensity, as a share of half the range.
    pub contrast: f32,
}

impl Default for Noise {
    fn default() -> Self {
        Self { height: 36, width: 64, rate: 30.0, frames: 300, blur: 1.5, persistence: 0.1, contrast: 0.45 }
    }
}

/// Smoothed noise from a seed.
pub fn noise(spec: &Noise, seed: u64) -> Video {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let radius = (3.0 * spec.blur).ceil().max(0.0) as isize;
    let kernel: Vec<f32> = (-radius..=radius).map(|d| (-(d * d) as f32 / (2.0 * spec.blur * spec.blur).max(1e-6)).exp()).collect();
    let power: f32 = kernel.iter().map(|k| k * k).sum();
    let keep = (-1.0 / (spec.persistence * spec.rate).max(1e-6)).exp() as f32;
    let fresh = (1.0 - keep * keep).sqrt(); // unit variance in the steady state
    let n = spec.height * spec.width;
    let mut state: Vec<f32> = (0..n).map(|_| rng.sample(StandardNormal)).collect();
    let mut pixels = Vec::with_capacity(spec.frames * n);
    for _ in 0..spec.frames {
        state.iter_mut().for_each(|v| *v = keep * *v + fresh * rng.sample::<f32, _>(StandardNormal));
        let rows = blur(&state, spec.height, spec.width, 1, spec.width, &kernel);
        let both = blur(&rows, spec.width, spec.height, spec.width, 1, &kernel);
        pixels.extend(both.iter().map(|v| pixel(spec.contrast * v / power)));
    }
    Video::new(pixels, [spec.frames, spec.height, spec.width, 1], spec.rate)
}

/// Convolves each of `lines` lines of `length` samples, wrapping around.
fn blur(x: &[f32], lines: usize, length: usize, step: usize, stride: usize, kernel: &[f32]) -> Vec<f32> {
    let (mut out, radius) = (vec![0.0; x.len()], kernel.len() / 2);
    for line in 0..lines {
        for i in 0..length {
            let at = |k: usize| line * stride + (i + k + length * radius - radius) % length * step;
            out[line * stride + i * step] = kernel.iter().enumerate().map(|(k, w)| w * x[at(k)]).sum();
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_the_contrast_and_the_smoothness_asked_for() {
        let video = noise(&Noise { frames: 200, contrast: 0.3, ..Noise::default() }, 2);
        let x: Vec<f64> = video.pixels().iter().map(|v| f64::from(*v) - 127.5).collect();
        let variance = |lag: usize| x.iter().zip(&x[lag..]).map(|(a, b)| a * b).sum::<f64>() / (x.len() - lag) as f64;
        let sd = variance(0).sqrt();
        assert!((sd - 0.3 * 127.5).abs() < 3.0, "sd {sd}");
        let next = variance(36 * 64) / variance(0);
        assert!((next - (-1.0f64 / 3.0).exp()).abs() < 0.06, "one frame later {next}");
        assert!(variance(1) / variance(0) > 0.7, "neighbours are alike");
    }
}
