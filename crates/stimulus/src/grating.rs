//! Drifting sinusoidal gratings, one, or many one after the other.

use crate::error::{Error, frames, within};
use crate::video::{Video, pixel};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;

/// Settings of a drifting grating.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Grating {
    /// H, pixels.
    pub height: usize,
    /// W, pixels.
    pub width: usize,
    /// Frames per second, Hz.
    pub rate: f64,
    /// T.
    pub frames: usize,
    /// Direction of motion, degrees: 0 right, 90 up. The stripes are at right angles to it.
    pub direction: f64,
    /// Cycles per frame width.
    pub spatial: f64,
    /// Cycles per second, Hz.
    pub temporal: f64,
    /// Phase at the start, cycles.
    pub phase: f64,
    /// Michelson contrast, 0 to 1.
    pub contrast: f64,
}

impl Default for Grating {
    fn default() -> Self {
        Self { height: 36, width: 64, rate: 30.0, frames: 60, direction: 0.0, spatial: 6.0, temporal: 2.0, phase: 0.0, contrast: 1.0 }
    }
}

impl Grating {
    /// Whether a video can be made with these settings.
    ///
    /// # Errors
    /// The setting that is out of range.
    pub fn check(&self) -> Result<(), Error> {
        const OF: &str = "grating";
        frames(OF, [self.frames, self.height, self.width], self.rate)?;
        for (field, value) in [("direction", self.direction), ("temporal", self.temporal), ("phase", self.phase)] {
            within(OF, field, value, [-1e6, 1e6], "a finite number")?;
        }
        within(OF, "spatial", self.spatial, [0.0, 1e6], "cycles per frame width, 0 or more")?;
        within(OF, "contrast", self.contrast, [0.0, 1.0], "0 to 1")
    }
}

/// A drifting grating. Settings that [`Grating::check`] refuses give frames without meaning.
pub fn grating(spec: &Grating) -> Video {
    let mut pixels = Vec::with_capacity(spec.frames * spec.height * spec.width);
    draw(spec, &mut pixels);
    Video::drawn(pixels, [spec.frames, spec.height, spec.width], spec.rate)
}

fn draw(spec: &Grating, pixels: &mut Vec<u8>) {
    let (s, c) = spec.direction.to_radians().sin_cos();
    for t in 0..spec.frames {
        let moved = spec.temporal * t as f64 / spec.rate - spec.phase;
        for y in 0..spec.height {
            for x in 0..spec.width {
                // rows run down, directions up
                let along = (x as f64 * c - y as f64 * s) / spec.width as f64 * spec.spatial;
                pixels.push(pixel((spec.contrast * (TAU * (along - moved)).cos()) as f32));
            }
        }
    }
}

/// Settings of gratings of random direction, frequency and phase, one after the other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Gratings {
    /// H, pixels.
    pub height: usize,
    /// W, pixels.
    pub width: usize,
    /// Frames per second, Hz.
    pub rate: f64,
    /// T.
    pub frames: usize,
    /// How long each grating is shown, s.
    pub seconds: f64,
    /// Lowest and highest spatial frequency, cycles per frame width; drawn evenly over octaves.
    pub spatial: [f64; 2],
    /// Lowest and highest temporal frequency, Hz; drawn evenly over octaves.
    pub temporal: [f64; 2],
    /// Michelson contrast, 0 to 1.
    pub contrast: f64,
}

impl Default for Gratings {
    fn default() -> Self {
        Self { height: 36, width: 64, rate: 30.0, frames: 300, seconds: 1.0, spatial: [3.0, 12.0], temporal: [1.0, 8.0], contrast: 0.9 }
    }
}

impl Gratings {
    /// Whether a video can be made with these settings.
    ///
    /// # Errors
    /// The setting that is out of range.
    pub fn check(&self) -> Result<(), Error> {
        const OF: &str = "gratings";
        frames(OF, [self.frames, self.height, self.width], self.rate)?;
        within(OF, "seconds", self.seconds, [0.0, f64::MAX], "seconds, 0 or more")?;
        for (field, [low, high]) in [("spatial", self.spatial), ("temporal", self.temporal)] {
            within(OF, field, low, [1e-3, 1e6], "the lowest frequency, above 0")?;
            within(OF, field, high, [low, 1e6], "the highest frequency, not below the lowest")?;
        }
        within(OF, "contrast", self.contrast, [0.0, 1.0], "0 to 1")
    }
}

/// Gratings from a seed. Settings that [`Gratings::check`] refuses give frames without meaning.
pub fn gratings(spec: &Gratings, seed: u64) -> Video {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut even = |low: f64, high: f64| low + (high - low) * rng.random::<f64>();
    let each = ((spec.seconds * spec.rate).round() as usize).max(1);
    let mut pixels = Vec::with_capacity(spec.frames * spec.height * spec.width);
    for start in (0..spec.frames).step_by(each) {
        let [spatial, temporal] = [spec.spatial, spec.temporal].map(|[low, high]| even(low.ln(), high.ln()).exp());
        let one = Grating {
            height: spec.height,
            width: spec.width,
            rate: spec.rate,
            frames: each.min(spec.frames - start),
            direction: even(0.0, 360.0),
            spatial,
            temporal,
            phase: even(0.0, 1.0),
            contrast: spec.contrast,
        };
        draw(&one, &mut pixels);
    }
    Video::drawn(pixels, [spec.frames, spec.height, spec.width], spec.rate)
}
