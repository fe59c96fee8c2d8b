//! Drifting sinusoidal gratings.

use crate::video::{Video, pixel};
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
    /// Direction of motion, degrees: 0 right, 90 up.
    pub direction: f64,
    /// Cycles per frame width.
    pub spatial: f64,
    /// Cycles per second.
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

/// A drifting grating.
pub fn grating(spec: &Grating) -> Video {
    let (s, c) = spec.direction.to_radians().sin_cos();
    let mut pixels = Vec::with_capacity(spec.frames * spec.height * spec.width);
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
    Video::new(pixels, [spec.frames, spec.height, spec.width, 1], spec.rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_where_it_says() {
        // one pixel a frame to the right: 64 pixels wide, 8 cycles, 8 pixels a cycle
        let video = grating(&Grating { spatial: 8.0, temporal: 30.0 / 8.0, ..Grating::default() });
        for t in 0..20 {
            for x in 8..60 {
                let (now, next) = (video.frame(t)[x], video.frame(t + 1)[x + 1]);
                assert!(now.abs_diff(next) <= 1, "frame {t}, column {x}");
            }
        }
        // up: rows count down
        let video = grating(&Grating { direction: 90.0, spatial: 8.0, temporal: 30.0 / 8.0, ..Grating::default() });
        assert!((1..30).all(|y| video.frame(3)[y * 64].abs_diff(video.frame(4)[(y - 1) * 64]) <= 1));
    }
}
