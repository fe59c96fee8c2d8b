//! The filter bank all simulated animals share: simple, complex, direction-selective and centre-surround channels with
//! divisive normalisation.
//!
//! Spatial Gabors in quadrature (Gaussian envelope times a complex wave) and differences of Gaussians, each with two causal
//! temporal kernels about a quarter cycle apart. Energies of the quadrature combinations give complex and direction-selective
//! channels (Adelson and Bergen 1985); every channel is divided by the energy nearby (Heeger 1992). All sizes are our choice,
//! after mouse V1: 4 to 7.5 cycles per monitor are about 0.03 to 0.06 per degree.

use crate::convolve::{Line, Patch};
use crate::error::Error;
use crate::geometry::Retina;
use crate::normalization::{SATURATION, energy_maps, weights};
use rayon::prelude::*;
use std::f64::consts::{PI, TAU};
use striate_stimulus::Video;
use striate_stimulus::natural::{Natural, natural};

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
    /// All kinds, in the order in which areas list how likely they are.
    pub const ALL: [Self; 4] = [Self::Simple, Self::Complex, Self::Direction, Self::CentreSurround];

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
    /// Direction of motion preferred (direction-selective) or, plus or minus 180, at right angles to the stripes; degrees, 0
    /// right, 90 up. NaN for centre-surround.
    pub direction: f64,
    /// Cycles per monitor width; NaN for centre-surround.
    pub spatial: f64,
    /// Quarter cycles of phase (simple), 0 on and 2 off (centre-surround), else 0.
    pub phase: u8,
    /// Spatial filter it is made from.
    shape: usize,
}

/// Orientations of the Gabors.
pub const ORIENTATIONS: usize = 4;
/// Cycles per monitor width of the Gabors.
pub const SPATIAL: [f64; 3] = [4.0, 5.5, 7.5];
/// Temporal frequency the temporal kernels prefer, Hz.
pub const TEMPORAL: f64 = 3.5;
/// Standard deviation of a Gabor's envelope in its wavelengths: about two visible cycles.
const ENVELOPE: f64 = 0.45;
/// Standard deviations of the centres, monitor widths.
const CENTRES: [f64; 2] = [0.018, 0.03];
/// Standard deviation of a surround in its centre's.
const SURROUND: f64 = 2.2;

/// A spatial filter.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    /// Gabor: standard deviation, and waves per width across and down times 2 pi.
    Gabor { sigma: f64, k: [f64; 2] },
    /// Difference of Gaussians: standard deviation of the centre.
    Centre { sigma: f64 },
}

/// A movie as it is seen: retinal images, and the energy of all Gabors about each place.
#[derive(Clone, Debug)]
pub struct Seen {
    images: Vec<Vec<f32>>,
    energy: Vec<Vec<f32>>,
}

/// The bank, for frames of one size and rate.
#[derive(Clone, Debug)]
pub struct Bank {
    pub(crate) retina: Retina,
    pub(crate) shapes: Vec<Shape>,
    pub(crate) temporal: [Vec<f32>; 2],
    channels: Vec<Channel>,
    /// Mean energy of each shape over reference scenes.
    pub(crate) energy: Vec<f32>,
    /// Mean of each channel over reference scenes.
    means: Vec<f32>,
}

/// Video that channels and neurons are scaled by: the same for all animals.
pub(crate) fn reference_scenes(height: usize, width: usize, rate: f64) -> Vec<Video> {
    const SEED: u64 = 0xBA4C;
    let frames = (2.0 * rate).ceil() as usize;
    let spec = Natural { height, width, rate, frames, scene: 1.0, ..Natural::default() };
    (0..8).map(|scene| natural(&spec, SEED + scene)).collect()
}

impl Bank {
    /// The bank for frames of `height x width` at `rate` Hz; channels are scaled to mean 1 over reference scenes.
    pub fn new(height: usize, width: usize, rate: f64) -> Self {
        let (mut shapes, mut channels) = (Vec::new(), Vec::new());
        for spatial in SPATIAL {
            for orientation in 0..ORIENTATIONS {
                let direction = 180.0 * orientation as f64 / ORIENTATIONS as f64;
                let (s, c) = direction.to_radians().sin_cos();
                let shape = shapes.len();
                // rows run down, directions up
                shapes.push(Shape::Gabor { sigma: ENVELOPE / spatial, k: [TAU * spatial * c, -TAU * spatial * s] });
                let channel = |kind, turn, phase| Channel { kind, direction: direction + turn, spatial, phase, shape };
                channels.extend((0..4).map(|phase| channel(Kind::Simple, 0.0, phase)));
                channels.extend([channel(Kind::Complex, 0.0, 0), channel(Kind::Direction, 0.0, 0), channel(Kind::Direction, 180.0, 0)]);
            }
        }
        for sigma in CENTRES {
            let channel = |phase| Channel { kind: Kind::CentreSurround, direction: f64::NAN, spatial: f64::NAN, phase, shape: shapes.len() };
            channels.extend([channel(0), channel(2)]);
            shapes.push(Shape::Centre { sigma });
        }
        let (energy, means) = (vec![1.0; shapes.len()], vec![1.0; channels.len()]);
        let mut bank = Self { retina: Retina::new(height, width), shapes, temporal: temporal(rate), channels, energy, means };
        bank.calibrate(rate);
        bank
    }

    /// Scales energies and channels by their means over reference scenes, at a few places.
    fn calibrate(&mut self, rate: f64) {
        let aspect = self.retina.height() as f64 / self.retina.width() as f64;
        let places: Vec<[f64; 2]> = (0..8).map(|i| [(i % 4) as f64 * 0.2 - 0.3, ((i / 4) as f64 * 0.4 - 0.2) * aspect]).collect();
        let scenes = reference_scenes(self.retina.height(), self.retina.width(), rate);
        let images: Vec<Vec<Vec<f32>>> = scenes.iter().map(|v| self.images(v, &vec![[0.0; 2]; v.shape()[0]])).collect();
        let cases: Vec<(usize, [f64; 2])> = (0..scenes.len()).flat_map(|s| places.iter().map(move |p| (s, *p))).collect();
        let mean = |values: Vec<f32>| values.iter().map(|v| f64::from(*v)).sum::<f64>() / values.len().max(1) as f64;
        let energy = |shape: usize| {
            let square = |(scene, place): &(usize, [f64; 2])| {
                let [e1, e2, o1, o2] = self.quadrature(&images[*scene], shape, *place);
                (0..e1.len()).map(move |t| e1[t].powi(2) + e2[t].powi(2) + o1[t].powi(2) + o2[t].powi(2)).collect::<Vec<f32>>()
            };
            mean(cases.iter().flat_map(square).collect()).max(1e-12) as f32
        };
        self.energy = (0..self.shapes.len()).into_par_iter().map(energy).collect();
        let energies: Vec<Vec<Vec<f32>>> = images.iter().map(|images| energy_maps(self, images)).collect();
        let seen: Vec<Seen> = images.into_iter().zip(energies).map(|(images, energy)| Seen { images, energy }).collect();
        let of_channel = |channel: usize| {
            let values = cases.iter().flat_map(|(scene, place)| self.respond(&seen[*scene], channel, *place));
            mean(values.collect()).max(1e-6) as f32
        };
        self.means = (0..self.channels.len()).into_par_iter().map(of_channel).collect();
    }

    /// All channels.
    pub fn channels(&self) -> &[Channel] {
        &self.channels
    }

    /// The retina that feeds it.
    pub fn retina(&self) -> &Retina {
        &self.retina
    }

    /// What an eye with `gaze` (right, down; radians) at each frame sees of a video.
    ///
    /// # Errors
    /// The video's size or the length of `gaze` does not fit, or gaze is not finite.
    pub fn see(&self, video: &Video, gaze: &[[f64; 2]]) -> Result<Seen, Error> {
        let [frames, height, width, _] = video.shape();
        if [height, width] != [self.retina.height(), self.retina.width()] {
            let expected = format!("{} x {}, the size this cortex was made for", self.retina.height(), self.retina.width());
            return Err(Error::Input { what: "the frame's height x width", expected, got: format!("{height} x {width}") });
        }
        if gaze.len() != frames {
            let expected = format!("{frames}, one for each frame");
            return Err(Error::Input { what: "the number of eye positions", expected, got: gaze.len().to_string() });
        }
        if let Some(t) = gaze.iter().position(|g| g.iter().any(|v| !v.is_finite())) {
            return Err(Error::Input { what: "gaze", expected: "finite".into(), got: format!("{:?} at frame {t}", gaze[t]) });
        }
        let images = self.images(video, gaze);
        let energy = energy_maps(self, &images);
        Ok(Seen { images, energy })
    }

    fn images(&self, video: &Video, gaze: &[[f64; 2]]) -> Vec<Vec<f32>> {
        (0..gaze.len()).into_par_iter().map(|t| self.retina.look(video.frame(t), gaze[t])).collect()
    }

    /// A channel at a place of the retina (right, down from the middle, in monitor widths), at each frame; 1 is its mean over
    /// reference scenes.
    pub fn respond(&self, seen: &Seen, channel: usize, place: [f64; 2]) -> Vec<f32> {
        let Channel { kind, phase, shape, .. } = self.channels[channel];
        let scale = 1.0 / self.energy[shape].sqrt();
        let [e1, e2, o1, o2] = self.quadrature(&seen.images, shape, place);
        let weights = weights(&self.retina, place);
        let value = |t: usize| match (kind, phase) {
            (Kind::Simple | Kind::CentreSurround, 0) => e1[t].max(0.0),
            (Kind::Simple, 1) => o1[t].max(0.0),
            (Kind::Simple | Kind::CentreSurround, 2) => (-e1[t]).max(0.0),
            (Kind::Simple | Kind::CentreSurround, _) => (-o1[t]).max(0.0),
            (Kind::Complex, _) => (e1[t].powi(2) + o1[t].powi(2)).sqrt(),
            (Kind::Direction, _) => {
                // the wave of a Gabor runs along its direction: motion that way is even at one time with odd a quarter cycle later
                let (there, back) = ((e1[t] + o2[t]).powi(2) + (o1[t] - e2[t]).powi(2), (e1[t] - o2[t]).powi(2) + (o1[t] + e2[t]).powi(2));
                let energy = if self.channels[channel].direction < 180.0 { there } else { back };
                // squared against the other way: selectivity beyond that of the energies alone
                energy / (there + back + 1e-12).sqrt()
            }
        };
        (0..seen.images.len())
            .map(|t| {
                let near: f32 = weights.iter().zip(&seen.energy[t]).map(|(w, e)| w * e).sum();
                scale * value(t) / (SATURATION + near.max(0.0)).sqrt() / self.means[channel]
            })
            .collect()
    }

    /// A spatial filter at a place: even part under both temporal kernels, then odd part under both.
    fn quadrature(&self, images: &[Vec<f32>], shape: usize, place: [f64; 2]) -> [Vec<f32>; 4] {
        let columns = self.retina.columns();
        let terms = self.patches(shape, place);
        let mut parts = [Vec::with_capacity(images.len()), Vec::with_capacity(images.len())];
        for image in images {
            let mut sum = [0.0; 2];
            for (patch, sign) in &terms {
                let [re, im] = patch.apply(image, columns);
                sum = [sum[0] + sign * re, sum[1] + sign * im];
            }
            (0..2).for_each(|p| parts[p].push(sum[p]));
        }
        let [even, odd] = parts;
        let [first, second] = &self.temporal;
        [in_time(&even, first), in_time(&even, second), in_time(&odd, first), in_time(&odd, second)]
    }

    /// The separable filters a shape is the sum of, each with its sign, at a place.
    pub(crate) fn patches(&self, shape: usize, place: [f64; 2]) -> Vec<(Patch, f32)> {
        let (w, [x, y]) = (self.retina.width() as f64, self.retina.pixel(place));
        let patch = |sigma: f64, k: [f64; 2]| Patch { across: Line::new(x, sigma * w, k[0] / w), down: Line::new(y, sigma * w, k[1] / w) };
        match self.shapes[shape] {
            Shape::Gabor { sigma, k } => vec![(patch(sigma, k), 1.0)],
            Shape::Centre { sigma } => vec![(patch(sigma, [0.0; 2]), 1.0), (patch(SURROUND * sigma, [0.0; 2]), -1.0)],
        }
    }
}

/// A causal kernel over a trace, lag 0 first; before the first frame it stood still.
fn in_time(trace: &[f32], kernel: &[f32]) -> Vec<f32> {
    (0..trace.len()).map(|t| kernel.iter().enumerate().map(|(lag, weight)| weight * trace[t.saturating_sub(lag)]).sum()).collect()
}

/// Two causal kernels about a quarter cycle apart, after a latency of 60 ms; neither has much response to a steady image.
fn temporal(rate: f64) -> [Vec<f32>; 2] {
    const LATENCY: f64 = 0.06; // s
    const LENGTH: f64 = 0.34; // s
    let frames = (LENGTH * rate).ceil().max(1.0) as usize;
    let kernel = |phase: f64| {
        let raw: Vec<f64> = (0..frames)
            .map(|lag| {
                let t = lag as f64 / rate - LATENCY;
                if t < 0.0 { 0.0 } else { t.powf(1.5) * (-t / 0.045).exp() * (TAU * t * TEMPORAL + phase).cos() }
            })
            .collect();
        let mean = raw.iter().sum::<f64>() / frames as f64;
        let centred: Vec<f64> = raw.iter().enumerate().map(|(lag, v)| if (lag as f64) < LATENCY * rate { 0.0 } else { v - mean * 0.7 }).collect();
        let norm = centred.iter().map(|v| v * v).sum::<f64>().sqrt().max(1e-12);
        centred.iter().map(|v| (v / norm) as f32).collect()
    };
    [kernel(-PI / 3.0), kernel(-PI / 3.0 + PI / 2.0)]
}
