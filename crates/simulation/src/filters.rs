//! The filter bank all simulated animals share: simple, complex, direction-selective and centre-surround channels with
//! divisive normalisation.
//!
//! Spatial Gabors in quadrature (Gaussian envelope times a complex wave) and differences of Gaussians, each with two causal
//! temporal kernels about a quarter cycle apart. Energies of the quadrature combinations give complex and direction-selective
//! channels (Adelson and Bergen 1985); every channel is divided by the energy nearby (Heeger 1992).

use crate::convolve::{Line, separable};
use rayon::prelude::*;
use std::f64::consts::{PI, TAU};
use striate_stimulus::Video;

/// What kind of channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Half-rectified Gabor of one phase.
    Simple,
    /// Energy of both phases, whatever the direction.
    Complex,
    /// Energy of motion one way.
    Direction,
    /// Half-rectified difference of Gaussians.
    CentreSurround,
}

impl Kind {
    /// Word for tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::Complex => "complex",
            Self::Direction => "direction",
            Self::CentreSurround => "centre-surround",
        }
    }
}

/// One channel of the bank.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Channel {
    /// Kind.
    pub kind: Kind,
    /// Direction of motion preferred (direction-selective) or, plus or minus 180, orthogonal to the stripes; degrees, 0 right, 90 up.
    /// NaN for centre-surround.
    pub direction: f64,
    /// Cycles per frame width; NaN for centre-surround.
    pub spatial: f64,
}

/// Orientations of the Gabors.
pub const ORIENTATIONS: usize = 4;
/// Cycles per frame width of the Gabors.
pub const SPATIAL: [f64; 2] = [4.5, 9.0];
/// Centre sizes (standard deviation, frame widths) of the differences of Gaussians.
const CENTRES: [f64; 2] = [0.018, 0.032];
/// Channels of one Gabor: four phases, one energy, two directions.
const PER_GABOR: usize = 7;
/// Mean luminance of the generated scenes, subtracted so that filters see contrast.
const MEAN: f32 = 0.3;
/// Semi-saturation of the normalisation, in units of mean energy.
const SATURATION: f32 = 0.5;

/// The bank, for frames of one size and rate.
#[derive(Clone, Debug)]
pub struct Bank {
    height: usize,
    width: usize,
    /// (across, down) of each Gabor.
    gabors: Vec<(Line, Line)>,
    /// (across, down) of centre and surround.
    centres: Vec<[(Line, Line); 2]>,
    temporal: [Vec<f32>; 2],
    channels: Vec<Channel>,
    /// Mean of each channel over reference scenes before scaling.
    means: Vec<f32>,
    energy: f32,
}

/// Channel maps of a video: [T, channels, H, W].
#[derive(Clone, Debug)]
pub struct Maps {
    height: usize,
    width: usize,
    channels: usize,
    values: Vec<f32>,
}

impl Maps {
    /// T.
    pub fn frames(&self) -> usize {
        self.values.len() / (self.channels * self.height * self.width)
    }

    /// A channel at a place (right, down from the middle, in frame widths), bilinear, held inside the frame.
    pub fn at(&self, t: usize, channel: usize, [x, y]: [f64; 2]) -> f32 {
        let w = self.width as f64;
        let px = (x * w + w / 2.0 - 0.5).clamp(0.0, w - 1.0);
        let py = (y * w + self.height as f64 / 2.0 - 0.5).clamp(0.0, self.height as f64 - 1.0);
        let (x0, y0) = (px as usize, py as usize);
        let (x1, y1) = ((x0 + 1).min(self.width - 1), (y0 + 1).min(self.height - 1));
        let (fx, fy) = ((px - x0 as f64) as f32, (py - y0 as f64) as f32);
        let map = &self.values[(t * self.channels + channel) * self.height * self.width..][..self.height * self.width];
        let v = |x: usize, y: usize| map[y * self.width + x];
        (v(x0, y0) * (1.0 - fx) + v(x1, y0) * fx) * (1.0 - fy) + (v(x0, y1) * (1.0 - fx) + v(x1, y1) * fx) * fy
    }
}

impl Bank {
    /// The bank for frames of `height x width` at `rate` Hz; channels are scaled to mean 1 over reference scenes.
    pub fn new(height: usize, width: usize, rate: f64) -> Self {
        let w = width as f64;
        let mut gabors = Vec::new();
        let mut channels = Vec::new();
        for spatial in SPATIAL {
            for orientation in 0..ORIENTATIONS {
                let degrees = 180.0 * orientation as f64 / ORIENTATIONS as f64;
                let (s, c) = degrees.to_radians().sin_cos();
                let sigma = 0.45 * w / spatial; // pixels: about one and a half visible cycles
                let k = TAU * spatial / w;
                // rows run down, directions up
                gabors.push((wave(sigma, k * c), wave(sigma, -k * s)));
                let channel = |kind, degrees| Channel { kind, direction: degrees, spatial };
                channels.extend([channel(Kind::Simple, degrees); 4]);
                channels.push(channel(Kind::Complex, degrees));
                channels.push(channel(Kind::Direction, degrees));
                channels.push(channel(Kind::Direction, degrees + 180.0));
            }
        }
        let centre = |sigma: f64| [(blob(sigma * w), blob(sigma * w)), (blob(2.2 * sigma * w), blob(2.2 * sigma * w))];
        let around = Channel { kind: Kind::CentreSurround, direction: f64::NAN, spatial: f64::NAN };
        channels.extend([around; 2 * CENTRES.len()]);
        let means = vec![1.0; channels.len()];
        let mut bank = Self { height, width, gabors, centres: CENTRES.map(centre).into(), temporal: temporal(rate), channels, means, energy: 1.0 };
        bank.calibrate(rate);
        bank
    }

    /// Scales energy and every channel by their means over reference scenes, the same for all animals.
    fn calibrate(&mut self, rate: f64) {
        const SCENES: u64 = 6;
        let spec = striate_stimulus::natural::Natural { height: self.height, width: self.width, rate, frames: 45, scene: 1.0, ..Default::default() };
        let scenes: Vec<Video> = (0..SCENES).map(|s| striate_stimulus::natural::natural(&spec, 0xBA4C + s)).collect();
        let energies: Vec<f32> = scenes.iter().flat_map(|v| self.linear(v).into_iter().flat_map(|frame| self.energy_of(&frame))).collect();
        self.energy = energies.iter().sum::<f32>() / energies.len() as f32;
        let maps: Vec<Maps> = scenes.iter().map(|v| self.maps(v)).collect();
        let pixels = self.height * self.width;
        for channel in 0..self.channels.len() {
            let values = maps.iter().flat_map(|m| m.values.chunks_exact(pixels).skip(channel).step_by(self.channels.len()));
            let (sum, n) = values.fold((0.0f64, 0usize), |(s, n), map| (s + map.iter().map(|v| f64::from(*v)).sum::<f64>(), n + pixels));
            self.means[channel] = (sum / n as f64).max(1e-6) as f32;
        }
    }

    /// All channels.
    pub fn channels(&self) -> &[Channel] {
        &self.channels
    }

    /// Filter outputs of each frame before any nonlinearity: per Gabor real and imaginary part for both temporal kernels, then
    /// each difference of Gaussians; [maps][H * W].
    fn linear(&self, video: &Video) -> Vec<Vec<Vec<f32>>> {
        let [frames, ..] = video.shape();
        let spatial: Vec<Vec<Vec<f32>>> = (0..frames).into_par_iter().map(|t| self.spatial(video, t)).collect();
        let past = |t: usize, lag: usize| &spatial[t.saturating_sub(lag)];
        (0..frames)
            .into_par_iter()
            .map(|t| {
                let filtered = |map: usize, kernel: &[f32]| {
                    let mut out = vec![0.0; self.height * self.width];
                    for (lag, weight) in kernel.iter().enumerate() {
                        out.iter_mut().zip(&past(t, lag)[map]).for_each(|(o, v)| *o += weight * v);
                    }
                    out
                };
                let of_gabors = (0..2 * self.gabors.len()).flat_map(|map| self.temporal.each_ref().map(|k| filtered(map, k)));
                let of_centres = (2 * self.gabors.len()..2 * self.gabors.len() + self.centres.len()).map(|map| filtered(map, &self.temporal[0]));
                of_gabors.chain(of_centres).collect()
            })
            .collect()
    }

    /// Spatial filters on one frame: real and imaginary part of each Gabor, then each difference of Gaussians.
    fn spatial(&self, video: &Video, t: usize) -> Vec<Vec<f32>> {
        // the monitor's power law: filters work on luminance
        let image: Vec<f32> = video.frame(t).iter().map(|v| (f32::from(*v) / 255.0).powf(1.7) - MEAN).collect();
        let apply = |(across, down): &(Line, Line)| separable(&image, self.height, self.width, across, down);
        let mut maps: Vec<Vec<f32>> = self.gabors.iter().flat_map(apply).collect();
        for [centre, surround] in &self.centres {
            let ([c, _], [s, _]) = (apply(centre), apply(surround));
            maps.push(c.iter().zip(&s).map(|(c, s)| c - s).collect());
        }
        maps
    }

    /// Energy of all Gabors, blurred: what divides every channel.
    fn energy_of(&self, maps: &[Vec<f32>]) -> Vec<f32> {
        let mut energy = vec![0.0f32; self.height * self.width];
        for map in &maps[..4 * self.gabors.len()] {
            energy.iter_mut().zip(map).for_each(|(e, v)| *e += v * v);
        }
        let line = blob(0.06 * self.width as f64);
        let [blurred, _] = separable(&energy, self.height, self.width, &line, &line);
        blurred
    }

    /// Channel maps of a video.
    pub fn maps(&self, video: &Video) -> Maps {
        let frames: Vec<Vec<f32>> = self.linear(video).into_par_iter().map(|maps| self.channels_of(&maps)).collect();
        Maps { height: self.height, width: self.width, channels: self.channels.len(), values: frames.concat() }
    }

    /// Channel maps [channels, H, W] of one frame from its filter outputs.
    fn channels_of(&self, maps: &[Vec<f32>]) -> Vec<f32> {
        let mut values = Vec::with_capacity(self.channels.len() * self.height * self.width);
        let divisor: Vec<f32> = self.energy_of(maps).iter().map(|e| (SATURATION + e.max(0.0) / self.energy).sqrt()).collect();
        for g in 0..self.gabors.len() {
            // e, o: even and odd in space; 1, 2: the two temporal kernels
            let [e1, e2, o1, o2] = [0, 1, 2, 3].map(|k| &maps[4 * g + k]);
            let mut push = |f: &dyn Fn(usize) -> f32| values.extend((0..divisor.len()).map(|i| f(i) / divisor[i]));
            push(&|i| e1[i].max(0.0));
            push(&|i| (-e1[i]).max(0.0));
            push(&|i| o1[i].max(0.0));
            push(&|i| (-o1[i]).max(0.0));
            push(&|i| (e1[i].powi(2) + o1[i].powi(2)).sqrt());
            // squared again: selectivity beyond that of the energies alone
            let both = |i: usize| [(e1[i] + o2[i]).powi(2) + (o1[i] - e2[i]).powi(2), (e1[i] - o2[i]).powi(2) + (o1[i] + e2[i]).powi(2)];
            push(&|i| both(i)[0] / (both(i)[0] + both(i)[1] + 1e-9).sqrt());
            push(&|i| both(i)[1] / (both(i)[0] + both(i)[1] + 1e-9).sqrt());
        }
        for map in &maps[4 * self.gabors.len()..] {
            values.extend(map.iter().zip(&divisor).map(|(v, d)| v.max(0.0) / d));
            values.extend(map.iter().zip(&divisor).map(|(v, d)| (-v).max(0.0) / d));
        }
        for (map, mean) in values.chunks_exact_mut(divisor.len()).zip(&self.means) {
            map.iter_mut().for_each(|v| *v /= mean);
        }
        debug_assert_eq!(values.len(), (PER_GABOR * self.gabors.len() + 2 * self.centres.len()) * self.height * self.width);
        values
    }
}

/// Gaussian times a complex wave of `k` radians per pixel, without response to a constant along its own axis alone.
fn wave(sigma: f64, k: f64) -> Line {
    let radius = (2.5 * sigma).ceil() as i64;
    let envelope = |d: i64| (-(d * d) as f64 / (2.0 * sigma * sigma)).exp();
    let sum: f64 = (-radius..=radius).map(envelope).sum();
    let part = |f: fn(f64) -> f64| (-radius..=radius).map(|d| (envelope(d) / sum * f(k * d as f64)) as f32).collect();
    Line { re: part(f64::cos), im: part(f64::sin) }
}

/// Gaussian of unit sum.
fn blob(sigma: f64) -> Line {
    wave(sigma, 0.0)
}

/// Two causal kernels about a quarter cycle apart, after a latency of 60 ms; each has no response to a steady image.
fn temporal(rate: f64) -> [Vec<f32>; 2] {
    const LATENCY: f64 = 0.06; // s
    const LENGTH: f64 = 0.36; // s
    const CYCLE: f64 = 0.28; // s: 3.6 Hz preferred
    let frames = (LENGTH * rate).ceil() as usize;
    let kernel = |phase: f64| {
        let raw: Vec<f64> = (0..frames)
            .map(|lag| {
                let t = lag as f64 / rate - LATENCY;
                if t < 0.0 { 0.0 } else { t.powf(1.5) * (-t / 0.045).exp() * (TAU * t / CYCLE + phase).cos() }
            })
            .collect();
        let mean = raw.iter().sum::<f64>() / frames as f64;
        let centred: Vec<f64> = raw.iter().enumerate().map(|(lag, v)| if (lag as f64) < LATENCY * rate { 0.0 } else { v - mean * 0.7 }).collect();
        let norm = centred.iter().map(|v| v * v).sum::<f64>().sqrt();
        centred.iter().map(|v| (v / norm) as f32).collect()
    };
    [kernel(-PI / 3.0), kernel(-PI / 3.0 + PI / 2.0)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use striate_stimulus::grating::{Grating, grating};

    /// Mean and modulation (sd over time) of a channel at the middle while a grating drifts.
    fn response(bank: &Bank, channel: usize, direction: f64, phase: f64) -> (f64, f64) {
        let spec = Grating { direction, spatial: bank.channels()[channel].spatial, temporal: 3.5, phase, ..Grating::default() };
        let maps = bank.maps(&grating(&spec));
        let values: Vec<f64> = (26..60).map(|t| f64::from(maps.at(t, channel, [0.0, 0.0]))).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        (mean, (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt())
    }

    #[test]
    fn direction_channels_prefer_their_direction_and_orientation() {
        let bank = Bank::new(36, 64, 30.0);
        for channel in (0..bank.channels().len()).filter(|c| bank.channels()[*c].kind == Kind::Direction) {
            let preferred = bank.channels()[channel].direction;
            let [with, against, across] = [0.0, 180.0, 90.0].map(|turn| response(&bank, channel, preferred + turn, 0.0).0);
            assert!(with > 2.0 * against && with > 3.0 * across, "{:?}: {with} {against} {across}", bank.channels()[channel]);
        }
    }

    #[test]
    fn complex_channels_do_not_care_about_phase_and_simple_ones_do() {
        let bank = Bank::new(36, 64, 30.0);
        let (mean, modulation) = response(&bank, 4, 0.0, 0.0);
        assert!(modulation < 0.35 * mean, "complex: {mean} +- {modulation}");
        let (mean, modulation) = response(&bank, 0, 0.0, 0.0);
        assert!(modulation > 0.8 * mean, "simple: {mean} +- {modulation}");
    }
}
