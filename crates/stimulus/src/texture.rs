//! Periodic random textures with a 1/f amplitude spectrum, like natural scenes.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rustfft::{FftPlanner, num_complex::Complex};

/// A periodic square texture of mean 0 and standard deviation 1.
pub(crate) struct Texture {
    size: usize,
    values: Vec<f32>,
}

impl Texture {
    /// `size x size` samples, amplitude falling as frequency to the power `-slope`.
    pub(crate) fn new(size: usize, slope: f32, rng: &mut ChaCha8Rng) -> Self {
        let frequency = |k: usize| k.min(size - k) as f32;
        let mut spectrum: Vec<Complex<f32>> = (0..size * size)
            .map(|i| {
                let f = frequency(i / size).hypot(frequency(i % size));
                let phase = rng.random_range(0.0..std::f32::consts::TAU);
                // the real part of a one-sided random spectrum is as random as a symmetric one
                if f == 0.0 { Complex::new(0.0, 0.0) } else { Complex::from_polar(f.powf(-slope), phase) }
            })
            .collect();
        let fft = FftPlanner::new().plan_fft_inverse(size);
        spectrum.chunks_exact_mut(size).for_each(|row| fft.process(row));
        let mut column = vec![Complex::new(0.0, 0.0); size];
        for x in 0..size {
            (0..size).for_each(|y| column[y] = spectrum[y * size + x]);
            fft.process(&mut column);
            (0..size).for_each(|y| spectrum[y * size + x] = column[y]);
        }
        let n = (size * size) as f32;
        let mean = spectrum.iter().map(|v| v.re).sum::<f32>() / n;
        let sd = (spectrum.iter().map(|v| (v.re - mean).powi(2)).sum::<f32>() / n).sqrt();
        Self { size, values: spectrum.iter().map(|v| (v.re - mean) / sd).collect() }
    }

    /// Bilinear sample at (x, y) in samples, wrapping around.
    pub(crate) fn at(&self, x: f32, y: f32) -> f32 {
        let n = self.size as f32;
        let (x, y) = (x.rem_euclid(n), y.rem_euclid(n));
        let (x0, y0) = (x as usize % self.size, y as usize % self.size);
        let (fx, fy) = (x.fract(), y.fract());
        let (x1, y1) = ((x0 + 1) % self.size, (y0 + 1) % self.size);
        let v = |x: usize, y: usize| self.values[y * self.size + x];
        (v(x0, y0) * (1.0 - fx) + v(x1, y0) * fx) * (1.0 - fy) + (v(x0, y1) * (1.0 - fx) + v(x1, y1) * fx) * fy
    }
}
