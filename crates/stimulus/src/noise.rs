//! Smoothed Gaussian noise: a stimulus domain far from natural scenes.

use crate::error::{Error, frames, within};
use crate::event::Event;
use crate::film::Film;
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

impl Noise {
    /// Whether a video can be made with these settings.
    ///
    /// # Errors
    /// The setting that is out of range.
    pub fn check(&self) -> Result<(), Error> {
        const OF: &str = "noise";
        frames(OF, [self.frames, self.height, self.width], self.rate)?;
        within(OF, "blur", self.blur.into(), [0.0, 512.0], "0 to 512 pixels")?;
        within(OF, "persistence", self.persistence, [0.0, f64::MAX], "seconds, 0 or more")?;
        within(OF, "contrast", self.contrast.into(), [0.0, 10.0], "0 (grey) to 1 or so")
    }
}

/// Smoothed grey noise from a seed. Settings that [`Noise::check`] refuses give frames without meaning.
pub fn noise(spec: &Noise, seed: u64) -> Video {
    drawn(spec, seed).video()
}

impl Noise {
    /// Smoothed noise from a seed, frame by frame.
    ///
    /// # Errors
    /// Those of [`Noise::check`].
    pub fn film(&self, seed: u64) -> Result<Film, Error> {
        self.check()?;
        Ok(drawn(self, seed))
    }
}

fn drawn(spec: &Noise, seed: u64) -> Film {
    let spec = spec.clone();
    let (shape, rate) = ([spec.frames, spec.height, spec.width], spec.rate);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let kernel = gaussian(spec.blur.clamp(0.0, 512.0));
    let power: f32 = kernel.iter().map(|k| k * k).sum();
    let keep = (-1.0 / (spec.persistence * rate).max(1e-6)).exp() as f32;
    let fresh = (1.0 - keep * keep).sqrt(); // unit variance in the steady state
    let n = spec.height * spec.width;
    let mut state: Vec<f32> = (0..n).map(|_| rng.sample(StandardNormal)).collect();
    let (mut rows, mut both) = (vec![0.0; n], vec![0.0; n]);
    let draw = move |_, frame: &mut [u8]| {
        state.iter_mut().for_each(|v| *v = keep * *v + fresh * rng.sample::<f32, _>(StandardNormal));
        // each pass leaves rows and columns exchanged, so two passes blur both ways and put them back
        blur(&state, spec.width, &kernel, &mut rows);
        blur(&rows, spec.height, &kernel, &mut both);
        frame.iter_mut().zip(&both).for_each(|(p, v)| *p = pixel(spec.contrast * v / power));
    };
    Film::new(shape, rate, Event::continuous(shape[0], rate), draw)
}

/// Gaussian of standard deviation `sigma` samples, cut at three of them.
fn gaussian(sigma: f32) -> Vec<f32> {
    let radius = (3.0 * sigma).ceil() as i32;
    (-radius..=radius).map(|d| (-(d * d) as f32 / (2.0 * sigma * sigma).max(1e-6)).exp()).collect()
}

/// Convolves each line of `length` samples, wrapping around, and writes it as a column.
fn blur(x: &[f32], length: usize, kernel: &[f32], out: &mut [f32]) {
    let lines = x.len().checked_div(length).unwrap_or(0);
    let radius = kernel.len() / 2;
    let mut padded = vec![0.0; length + 2 * radius];
    for (line, values) in x.chunks_exact(length.max(1)).enumerate() {
        for (i, v) in padded.iter_mut().enumerate() {
            *v = values[(i as isize - radius as isize).rem_euclid(length as isize) as usize];
        }
        for i in 0..length {
            out[i * lines + line] = kernel.iter().zip(&padded[i..]).map(|(k, v)| k * v).sum();
        }
    }
}
