//! Drifting sinusoids under a window: a still pair in quadrature, mixed anew for each frame.

use libm::sincos;
use std::f64::consts::TAU;

/// Stripes of one direction, frequency and phase.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stripes {
    /// Where the phase counts from, in the units of the field.
    pub origin: [f64; 2],
    /// Direction of motion, degrees, 0 right and 90 up; the stripes are at right angles to it.
    pub direction: f64,
    /// Cycles per unit of the field.
    pub frequency: f64,
    /// Phase at the start, cycles.
    pub phase: f64,
}

/// Sums of stripes that drift at one temporal frequency: `cos(2 pi (frequency * along - turns + phase))`, windowed.
pub(crate) struct Carrier {
    even: Vec<f64>,
    odd: Vec<f64>,
}

impl Carrier {
    pub(crate) fn new(pixels: usize) -> Self {
        Self { even: vec![0.0; pixels], odd: vec![0.0; pixels] }
    }

    /// Adds stripes at `points`, as strong at each pixel as `weight` says.
    pub(crate) fn add(&mut self, points: &[[f64; 2]], stripes: Stripes, weight: impl Fn(usize) -> f64) {
        let (s, c) = sincos(stripes.direction.to_radians());
        for (i, [x, y]) in points.iter().enumerate() {
            let weight = weight(i);
            if weight == 0.0 {
                continue;
            }
            // rows run down, directions up
            let along = (x - stripes.origin[0]) * c - (y - stripes.origin[1]) * s;
            let (odd, even) = sincos(TAU * (along * stripes.frequency + stripes.phase));
            self.even[i] += weight * even;
            self.odd[i] += weight * odd;
        }
    }

    /// Intensity of every pixel once the stripes have drifted by `turns` cycles.
    pub(crate) fn at(&self, turns: f64) -> impl Iterator<Item = f64> {
        let (s, c) = sincos(TAU * (turns - turns.floor()));
        self.even.iter().zip(&self.odd).map(move |(even, odd)| even * c + odd * s)
    }
}
