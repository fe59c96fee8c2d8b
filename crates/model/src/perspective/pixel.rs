//! Pixel transforms: the monitor's fixed power law and the retina's learned one.

use crate::config::StaticPowerConfig;
use rayon::prelude::*;

/// Video as given: 8-bit pixels, or intensities in [0, 1] (image synthesis).
#[derive(Clone, Copy, Debug)]
pub enum Pixels<'a> {
    /// 0 to 255.
    U8(&'a [u8]),
    /// 0 to 1.
    F32(&'a [f32]),
}

impl<'a> Pixels<'a> {
    /// The values of one frame of `len`.
    pub(crate) fn frame(self, f: usize, len: usize) -> Pixels<'a> {
        match self {
            Self::U8(x) => Pixels::U8(&x[f * len..][..len]),
            Self::F32(x) => Pixels::F32(&x[f * len..][..len]),
        }
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        match self {
            Self::U8(x) => x.len(),
            Self::F32(x) => x.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Luminance of the monitor, `intensity^power * scale + offset`.
pub(crate) struct Luminance {
    config: StaticPowerConfig,
    /// Of each 8-bit value.
    table: [f32; 256],
}

impl Luminance {
    pub(crate) fn new(config: &StaticPowerConfig) -> Self {
        let mut new = Self { config: config.clone(), table: [0.0; 256] };
        new.table = std::array::from_fn(|v| new.of(v as f64 / 255.0));
        new
    }

    fn of(&self, intensity: f64) -> f32 {
        let c = &self.config;
        (intensity.powf(f64::from(c.power)) * f64::from(c.scale) + f64::from(c.offset)) as f32
    }

    /// Of a frame's pixels.
    pub(crate) fn frame(&self, pixels: Pixels) -> Vec<f32> {
        let mut out = vec![0.0; pixels.len()];
        self.frame_to(pixels, &mut out);
        out
    }

    /// The same, written to `out`.
    pub(crate) fn frame_to(&self, pixels: Pixels, out: &mut [f32]) {
        match pixels {
            Pixels::U8(x) => out.iter_mut().zip(x).for_each(|(to, v)| *to = self.table[usize::from(*v)]),
            Pixels::F32(x) => out.par_iter_mut().zip(x).with_min_len(1 << 10).for_each(|(to, v)| *to = self.of(f64::from(*v))),
        }
    }
}

/// Gradient of the intensities from that of the luminance.
pub(crate) fn luminance_gradient(config: &StaticPowerConfig, pixels: Pixels, d: &mut [f32]) {
    let slope = |intensity: f32| config.scale * config.power * intensity.powf(config.power - 1.0);
    match pixels {
        Pixels::U8(x) => {
            let table: [f32; 256] = std::array::from_fn(|v| slope(v as f32 / 255.0));
            d.iter_mut().zip(x).for_each(|(d, v)| *d *= table[usize::from(*v)]);
        }
        Pixels::F32(x) => d.par_iter_mut().zip(x).for_each(|(d, v)| *d *= slope(*v)),
    }
}

/// Intensity that shows a luminance: the inverse of [`luminance`].
pub(crate) fn intensity(config: &StaticPowerConfig, luminance: f32) -> f32 {
    ((luminance - config.offset) / config.scale).powf(1.0 / config.power)
}

/// Keeps the power's base positive (reference implementation).
const FLOOR: f32 = 1e-5;

/// The retina's learned power law, `(q + 1e-5)^power * scale + offset`, `power = sigm(logit) max_power`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SigmoidPower {
    pub(crate) logit: f32,
    pub(crate) scale: f32,
    pub(crate) offset: f32,
    pub(crate) max_power: f32,
}

impl SigmoidPower {
    fn power(&self) -> f32 {
        self.max_power / (1.0 + (-self.logit).exp())
    }

    /// `q <- (q + 1e-5)^power * scale + offset`.
    pub(crate) fn forward(&self, q: &mut [f32]) {
        let power = self.power();
        q.par_iter_mut().with_min_len(1 << 12).for_each(|q| *q = (*q + FLOOR).powf(power) * self.scale + self.offset);
    }

    /// Backward from luminance `q` and the output's gradient, which becomes that of `q`; returns gradients of logit, scale and offset.
    pub(crate) fn backward(&self, q: &[f32], d: &mut [f32]) -> [f32; 3] {
        const PIECE: usize = 1 << 14;
        let power = self.power();
        let partial: Vec<[f64; 3]> = d
            .par_chunks_mut(PIECE)
            .zip(q.par_chunks(PIECE))
            .map(|(d, q)| {
                let mut sums = [0.0f64; 3];
                for (d, q) in d.iter_mut().zip(q) {
                    let base = q + FLOOR;
                    let raised = base.powf(power);
                    sums[0] += f64::from(*d * self.scale * raised * base.ln());
                    sums[1] += f64::from(*d * raised);
                    sums[2] += f64::from(*d);
                    *d *= self.scale * power * raised / base;
                }
                sums
            })
            .collect();
        let sums = partial.iter().fold([0.0; 3], |a, b| std::array::from_fn(|i| a[i] + b[i]));
        let slope = f64::from(power * (1.0 - power / self.max_power)); // d power / d logit
        [(sums[0] * slope) as f32, sums[1] as f32, sums[2] as f32]
    }

    /// Luminance that drives the retina by `r`: the inverse of [`Self::forward`].
    pub(crate) fn inverse(&self, r: f32) -> f32 {
        ((r - self.offset) / self.scale).max(0.0).powf(1.0 / self.power()) - FLOOR
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profile_a_values_are_the_reference_ones() {
        let retina = SigmoidPower { logit: 0.0, scale: 4.0, offset: -1.4, max_power: 1.0 };
        let mut q = [0.0, 0.5f32.powf(1.7), 1.0];
        retina.forward(&mut q);
        for (got, want) in q.iter().zip([-1.3873509, 0.8191751, 2.6000199]) {
            assert!((got - want).abs() < 1e-6, "{got} {want}");
        }
    }

    #[test]
    fn inverses_undo() {
        let retina = SigmoidPower { logit: 0.4, scale: 1.3, offset: -0.2, max_power: 1.0 };
        let config = StaticPowerConfig::default();
        for v in [0.1f32, 0.5, 0.9] {
            let mut q = Luminance::new(&config).frame(Pixels::F32(&[v]));
            retina.forward(&mut q);
            assert!((intensity(&config, retina.inverse(q[0])) - v).abs() < 1e-5);
        }
    }
}
