//! Periodic random textures with a 1/f amplitude spectrum, like natural scenes.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rustfft::{FftPlanner, num_complex::Complex};
use std::f32::consts::TAU;

/// A periodic square texture of mean 0 and standard deviation 1.
pub(crate) struct Texture {
    /// Samples a side, a power of two.
    size: usize,
    values: Vec<f32>,
}

impl Texture {
    /// `size x size` samples (`size` a power of two), amplitude falling as frequency to the power `-slope`.
    pub(crate) fn new(size: usize, slope: f32, rng: &mut ChaCha8Rng) -> Self {
        debug_assert!(size.is_power_of_two());
        let frequency = |k: usize| k.min(size - k) as f32;
        let mut spectrum: Vec<Complex<f32>> = (0..size * size)
            .map(|i| {
                let square = frequency(i / size).powi(2) + frequency(i % size).powi(2);
                let phase = TAU * rng.random::<f32>();
                // the real part of a one-sided random spectrum is as random as a symmetric one
                if square == 0.0 { Complex::new(0.0, 0.0) } else { Complex::from_polar(square.powf(-0.5 * slope), phase) }
            })
            .collect();
        let fft = FftPlanner::new().plan_fft_inverse(size);
        fft.process(&mut spectrum);
        // rows and columns change places: a random texture is as random turned over
        let mut turned: Vec<Complex<f32>> = (0..size * size).map(|i| spectrum[i % size * size + i / size]).collect();
        fft.process(&mut turned);
        let n = (size * size) as f32;
        let mean = turned.iter().map(|v| v.re).sum::<f32>() / n;
        let sd = (turned.iter().map(|v| (v.re - mean).powi(2)).sum::<f32>() / n).sqrt();
        Self { size, values: turned.iter().map(|v| (v.re - mean) / sd).collect() }
    }

    /// Bilinear sample at (x, y) in samples, wrapping around.
    pub(crate) fn at(&self, x: f32, y: f32) -> f32 {
        let (left, top) = (x.floor(), y.floor());
        let (fx, fy) = (x - left, y - top);
        let wrap = |k: i32| k as usize & (self.size - 1); // two's complement: right below zero too
        let (left, top) = (left as i32, top as i32);
        let (x0, x1) = (wrap(left), wrap(left.wrapping_add(1)));
        let (above, below) = (wrap(top) * self.size, wrap(top.wrapping_add(1)) * self.size);
        let across = |row: usize| self.values[row + x0] * (1.0 - fx) + self.values[row + x1] * fx;
        across(above) * (1.0 - fy) + across(below) * fy
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn samples_wrap_around_and_interpolate() {
        let texture = Texture { size: 4, values: (0..16).map(|v| v as f32).collect() };
        assert_eq!(texture.at(1.5, 0.0), 1.5);
        assert_eq!(texture.at(0.0, 2.25), 9.0);
        assert_eq!(texture.at(-1.0, -1.0), 15.0);
        assert_eq!(texture.at(3.5, 4.0), 1.5, "between the last sample and the first");
    }

    #[test]
    fn has_mean_zero_and_unit_deviation() {
        let texture = Texture::new(64, 1.0, &mut ChaCha8Rng::seed_from_u64(1));
        let mean = texture.values.iter().sum::<f32>() / 4096.0;
        let variance = texture.values.iter().map(|v| v * v).sum::<f32>() / 4096.0;
        assert!(mean.abs() < 1e-3 && (variance - 1.0).abs() < 1e-3, "{mean} {variance}");
    }
}
