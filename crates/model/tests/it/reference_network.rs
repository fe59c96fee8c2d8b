//! The whole network once more: slow, in f64, written from the paper's and the reference implementation's formulas alone.
//!
//! It shares the configuration and the names of the parameters with the network it is held against, and nothing else.
//! Each module takes all frames [T * N, H, W, C] at once except the recurrent cell, which steps.

mod agreement;
mod cases;
mod core;

use std::collections::BTreeMap;
use striate_kernels::activation::Activation;
use striate_kernels::conv::ConvShape;
use striate_kernels::pad::{Border, Frame};
use striate_kernels::reference;
use striate_model::Network;
use striate_model::config::{FeatureKind, ModulationKind, NetworkConfig, Nonlinear, PerspectiveKind, UnitKind};

/// Intensities in 0..1, [T, N, H, W, C].
pub struct Video {
    pub intensities: Vec<f64>,
    pub shape: [usize; 5],
}

/// What training draws once per sequence; everything empty in evaluation.
#[derive(Default)]
pub struct Draws {
    /// Standard normal, [N, 3].
    pub monitor_center: Vec<f64>,
    /// Standard normal, [N, 3].
    pub monitor_angle: Vec<f64>,
    /// Standard normal, [N, U, 2].
    pub readout_position: Vec<f64>,
    /// Dropout factors [N, C] by the name of the place (see `striate_model::draws::places`).
    pub masks: BTreeMap<String, Vec<f64>>,
}

/// One sequence: what is shown, where the eye looks [T, N, P], what the animal does [T, N, M].
pub struct Sequence {
    pub video: Video,
    pub eye: Vec<f64>,
    pub behavior: Vec<f64>,
    pub draws: Draws,
    /// One stream alone, or the mean of all.
    pub stream: Option<usize>,
    /// Whether pixels beyond the monitor repeat its edge; else they are dark.
    pub extend: bool,
}

impl Sequence {
    fn batch(&self) -> usize {
        self.video.shape[1]
    }

    fn frames(&self) -> usize {
        self.video.shape[0] * self.video.shape[1]
    }

    /// Multiplies frames [T * N, pixels, C] by the dropout factors of a place.
    fn drop(&self, place: &str, maps: &mut Maps) {
        let Some(mask) = self.draws.masks.get(place) else { return };
        let (c, length) = (maps.frame.channels, maps.frame.len());
        for (i, v) in maps.values.iter_mut().enumerate() {
            *v *= mask[i / length % self.batch() * c + i % c];
        }
    }
}

/// Frames [F, H, W, C].
#[derive(Clone)]
pub struct Maps {
    pub frame: Frame,
    pub values: Vec<f64>,
}

impl Maps {
    /// Vectors [F, C], as frames of one pixel.
    fn vectors(channels: usize, values: Vec<f64>) -> Self {
        Self { frame: Frame { height: 1, width: 1, channels }, values }
    }

    fn map(mut self, f: impl Fn(f64) -> f64) -> Self {
        self.values.iter_mut().for_each(|v| *v = f(*v));
        self
    }

    /// Sum with frames of the same size, or with one vector per frame.
    fn plus(mut self, other: &Self) -> Self {
        let (c, length) = (self.frame.channels, self.frame.len());
        let spread = other.frame.height * other.frame.width == 1;
        for (i, v) in self.values.iter_mut().enumerate() {
            *v += other.values[if spread { i / length * c + i % c } else { i }];
        }
        self
    }

    /// For each of `groups` groups: the group's channels of every part, in order.
    fn concatenate(parts: &[&Self], groups: usize) -> Self {
        let mut values = Vec::new();
        for pixel in 0..parts[0].values.len() / parts[0].frame.channels {
            for g in 0..groups {
                for part in parts {
                    let (c, each) = (part.frame.channels, part.frame.channels / groups);
                    values.extend(&part.values[pixel * c + g * each..][..each]);
                }
            }
        }
        let channels = parts.iter().map(|p| p.frame.channels).sum();
        Self { frame: Frame { channels, ..parts[0].frame }, values }
    }
}

/// How a convolution deviates from one group, stride 1, weight-normalised, zeros around.
#[derive(Clone, Copy)]
struct Conv {
    groups: usize,
    stride: usize,
    border: Border,
    plain: bool,
    batch: usize,
}

const ONE: Conv = Conv { groups: 1, stride: 1, border: Border::Zero, plain: false, batch: 1 };

/// The network.
pub struct ReferenceNetwork {
    pub config: NetworkConfig,
    /// By the reference's key: shape and values.
    pub params: BTreeMap<String, (Vec<usize>, Vec<f64>)>,
}

impl ReferenceNetwork {
    /// The same parameters as a network's.
    pub fn of(network: &Network) -> Self {
        let wide = |v: &[f32]| v.iter().map(|v| f64::from(*v)).collect();
        let params = network.params().iter().map(|p| (p.name.clone(), (p.shape.clone(), wide(&p.value)))).collect();
        Self { config: network.config().clone(), params }
    }

    /// Rates [T, N, U].
    pub fn respond(&self, sequence: &Sequence) -> Vec<f64> {
        let drive = self.drive(sequence);
        drive.into_iter().map(|r| self.rate(r)).collect()
    }

    /// Mean loss over the measured entries of `targets` [T, N, U] (NaN: unmeasured) from frame `burnin` on.
    pub fn objective(&self, sequence: &Sequence, targets: &[f64], burnin: usize) -> f64 {
        let losses = self.losses(sequence, targets);
        let first = burnin * sequence.batch() * self.config.units;
        let measured: Vec<f64> = losses[first..].iter().copied().filter(|l| !l.is_nan()).collect();
        measured.iter().sum::<f64>() / measured.len() as f64
    }

    /// Loss of every entry [T, N, U], NaN where the target is.
    pub fn losses(&self, sequence: &Sequence, targets: &[f64]) -> Vec<f64> {
        let loss = |(r, y): (f64, &f64)| match self.config.unit {
            UnitKind::Poisson => r.exp() - r * y,
            UnitKind::EluMse => (self.rate(r) - y).powi(2),
        };
        self.drive(sequence).into_iter().zip(targets).map(loss).collect()
    }

    fn rate(&self, r: f64) -> f64 {
        match self.config.unit {
            UnitKind::Poisson => r.exp(),
            UnitKind::EluMse if r > 0.0 => r + 1.0,
            UnitKind::EluMse => r.exp(),
        }
    }

    /// What the unit's nonlinearity receives, [T, N, U]: the mean readout over streams.
    fn drive(&self, sequence: &Sequence) -> Vec<f64> {
        let retinal = self.perspective(sequence);
        let streams: Vec<usize> = sequence.stream.map_or((0..self.config.streams).collect(), |s| vec![s]);
        let mut mean = vec![0.0; sequence.frames() * self.config.units];
        for s in &streams {
            let modulation = self.modulation(sequence, *s);
            let feedforward = self.feedforward(sequence, &retinal, *s);
            let core = self.recurrent(sequence, &feedforward, &modulation, *s);
            for (mean, r) in mean.iter_mut().zip(self.readout(sequence, &core, *s)) {
                *mean += r / streams.len() as f64;
            }
        }
        mean
    }

    fn values(&self, key: &str) -> &[f64] {
        &self.params.get(key).unwrap_or_else(|| panic!("no parameter {key}")).1
    }

    fn scalar(&self, key: &str) -> f64 {
        self.values(key)[0]
    }

    /// The convolution named `key`, with gains and biases where there are any; padding (k - stride) / 2.
    fn conv(&self, key: &str, stream: usize, c: Conv, x: &Maps) -> Maps {
        let (shape, raw) = &self.params[&format!("{key}.weights.{stream}")];
        let [cout, cin, kt, k, _] = shape[..] else { panic!("{key} is no convolution") };
        let of = |what: &str| self.params.get(&format!("{key}.{what}.{stream}")).map(|(_, v)| v.as_slice());
        let fan_in = cin * kt * k * k;
        let weights = if c.plain { raw.clone() } else { reference::weight_norm(raw, fan_in, fan_in, of("gains")) };
        let s = ConvShape { groups: c.groups, cin, cout: cout / c.groups, kt, k, stride: c.stride };
        let padding = (k - c.stride) / 2;
        let values = reference::conv(&s, x.frame, c.batch, padding, c.border, &x.values, &weights, of("biases"));
        let out = |length: usize| (length + 2 * padding - k) / c.stride + 1;
        Maps { frame: Frame { height: out(x.frame.height), width: out(x.frame.width), channels: cout }, values }
    }

    /// Retinal images [T * N, H, W, C].
    pub fn perspective(&self, sequence: &Sequence) -> Maps {
        let p = &self.config.perspective;
        let [_, batch, height, width, channels] = sequence.video.shape;
        let (power, scale, offset) = (f64::from(p.monitor_pixel.power), f64::from(p.monitor_pixel.scale), f64::from(p.monitor_pixel.offset));
        let luminance: Vec<f64> = sequence.video.intensities.iter().map(|i| i.powf(power) * scale + offset).collect();
        let image = Frame { height, width, channels };
        let border = if sequence.extend { Border::Replicate } else { Border::Zero };
        let angles = self.eye_angles(sequence);
        let (hs, ws, ho, wo) = (height as f64, width as f64, p.height as f64, p.width as f64);
        let mut values = Vec::new();
        for f in 0..sequence.frames() {
            let luminance = &luminance[f * image.len()..][..image.len()];
            if p.kind == PerspectiveKind::None {
                // pixel centres of the stretched picture; the edge pixels' outer halves repeat them
                let at = |i: usize, of: f64, to: f64| ((i as f64 + 0.5) * of / to - 0.5).clamp(0.0, of - 1.0);
                for (i, j) in (0..p.height).flat_map(|i| (0..p.width).map(move |j| (i, j))) {
                    values.extend(reference::bilinear(image, border, luminance, [at(j, ws, wo), at(i, hs, ho)]));
                }
                continue;
            }
            let eye = rotation([angles[3 * f], angles[3 * f + 1], angles[3 * f + 2]]);
            let (center, monitor) = self.monitor(sequence, f % batch);
            for i in 0..p.height {
                for j in 0..p.width {
                    let ray = times(&eye, self.ray(i, j));
                    let axis = |a: usize| [monitor[0][a], monitor[1][a], monitor[2][a]];
                    let distance = dot(axis(2), center) / dot(axis(2), ray).max(1e-5);
                    let on_plane: [f64; 3] = std::array::from_fn(|d| distance * ray[d] - center[d]);
                    let gx = dot(on_plane, axis(0)) * ws / (ws - 1.0) * (wo - 1.0) / wo;
                    let gy = dot(on_plane, axis(1)) * (ws / hs) * ws / (ws - 1.0) * (ho - 1.0) / ho;
                    let at = [((gx + 1.0) * ws - 1.0) / 2.0, ((gy + 1.0) * hs - 1.0) / 2.0];
                    values.extend(reference::bilinear(image, border, luminance, at));
                }
            }
        }
        let power = reference::sigmoid(self.scalar("perspective.retina_pixel.logit")) * f64::from(p.retina_pixel.max_power);
        let (scale, offset) = (self.scalar("perspective.retina_pixel.scale"), self.scalar("perspective.retina_pixel.offset"));
        Maps { frame: Frame { height: p.height, width: p.width, channels }, values }.map(|q| (q + 1e-5).powf(power) * scale + offset)
    }

    /// Unit ray of a retinal pixel, z along the eye's axis: as stored with the parameters (in f32), else computed.
    pub fn ray(&self, i: usize, j: usize) -> [f64; 3] {
        let p = &self.config.perspective;
        if let Some((_, grid)) = self.params.get("perspective.retina.grid") {
            return std::array::from_fn(|d| grid[(i * p.width + j) * 3 + d]);
        }
        let (h, w) = (p.height as f64, p.width as f64);
        let x = (-1.0 + 2.0 * j as f64 / (w - 1.0)) * (w - 1.0) / w;
        let y = (-1.0 + 2.0 * i as f64 / (h - 1.0)) * (h / w) * (w - 1.0) / w;
        let half_field = f64::from(p.retina.degrees).to_radians();
        let rho = (x.hypot(y) * half_field).min(std::f64::consts::FRAC_PI_2);
        let theta = y.atan2(x);
        [rho.sin() * theta.cos(), rho.sin() * theta.sin(), rho.cos()]
    }

    /// The monitor's centre and rotation, for one batch element.
    fn monitor(&self, sequence: &Sequence, n: usize) -> ([f64; 3], [[f64; 3]; 3]) {
        let pose = |what: &str, draw: &[f64]| -> [f64; 3] {
            let mean = self.values(&format!("perspective.monitor.{what}"));
            let deviation = self.values(&format!("perspective.monitor.{what}_std"));
            std::array::from_fn(|d| mean[d] + if draw.is_empty() { 0.0 } else { deviation[d] * draw[3 * n + d] })
        };
        (pose("center", &sequence.draws.monitor_center), rotation(pose("angle", &sequence.draws.monitor_angle)))
    }

    /// Angles of the eye about x, y, z, [T * N, 3].
    fn eye_angles(&self, sequence: &Sequence) -> Vec<f64> {
        let p = &self.config.perspective;
        let mut x = Maps::vectors(self.config.eye_features, sequence.eye.clone());
        match p.kind {
            PerspectiveKind::MlpMonitorRetina => {
                for layer in 0..p.mlp_layers {
                    let plain = Conv { plain: layer == 0, ..ONE };
                    x = self.conv(&format!("perspective.mlp.linears.{layer}"), 0, plain, &x).map(nonlinear(p.mlp_nonlinear));
                }
                self.conv(&format!("perspective.mlp.linears.{}", p.mlp_layers), 0, ONE, &x).values
            }
            PerspectiveKind::MonitorRetina => {
                for layer in 0..p.features.len() {
                    x = self.conv(&format!("perspective.layers.{layer}"), 0, ONE, &x).map(nonlinear(p.nonlinear));
                }
                sequence.drop("perspective", &mut x);
                self.conv("perspective.out", 0, ONE, &x).values
            }
            PerspectiveKind::None => vec![0.0; sequence.frames() * 3],
        }
    }

    /// Modulation features [T * N, C] of one stream.
    pub fn modulation(&self, sequence: &Sequence, stream: usize) -> Maps {
        let m = &self.config.modulation;
        let mut x = Maps::vectors(self.config.behavior_features, sequence.behavior.clone());
        let mut lstm = "modulation";
        match m.kind {
            ModulationKind::None => return Maps::vectors(m.lstm_features, vec![0.0; sequence.frames() * m.lstm_features]),
            ModulationKind::MlpLstm => {
                lstm = "modulation.lstm";
                for layer in 0..m.mlp_layers {
                    let plain = Conv { plain: layer == 0, ..ONE };
                    x = self.conv(&format!("modulation.mlp.linears.{layer}"), stream, plain, &x).map(nonlinear(m.mlp_nonlinear));
                }
            }
            ModulationKind::SigmoidLstm => {
                lstm = "modulation.lstm";
                let (a, b) =
                    (self.values(&format!("modulation.sigmoid.gains.{stream}")), self.values(&format!("modulation.sigmoid.biases.{stream}")));
                let inputs = self.config.behavior_features;
                x.values.iter_mut().enumerate().for_each(|(i, v)| *v = reference::sigmoid(a[i % inputs] * *v + b[i % inputs]));
                x = self.conv("modulation.lstm.proj_x", stream, ONE, &x).map(f64::tanh);
            }
            ModulationKind::FlatLstm => x = self.conv("modulation.proj_x", stream, ONE, &x).map(f64::tanh),
        }
        sequence.drop("modulation.x", &mut x);
        let hidden = self.params[&format!("{lstm}.proj_i.weights.{stream}")].0[0];
        let batch = sequence.batch();
        let mut c = Maps::vectors(hidden, vec![0.0; batch * hidden]);
        let mut h = c.clone();
        let mut states = Vec::new();
        for x in x.values.chunks(batch * x.frame.channels) {
            let z = Maps::concatenate(&[&Maps::vectors(x.len() / batch, x.to_vec()), &h], 1);
            let gate = |name: &str| self.conv(&format!("{lstm}.proj_{name}"), stream, ONE, &z).values;
            let (i, f, g, o) = (gate("i"), gate("f"), gate("g"), gate("o"));
            for k in 0..batch * hidden {
                c.values[k] = reference::sigmoid(f[k]) * c.values[k] + reference::sigmoid(i[k]) * g[k].tanh();
                h.values[k] = reference::sigmoid(o[k]) * c.values[k].tanh();
            }
            sequence.drop("modulation.h", &mut h);
            states.extend(&h.values);
        }
        let states = Maps::vectors(hidden, states);
        match m.kind {
            ModulationKind::MlpLstm | ModulationKind::None => states,
            ModulationKind::FlatLstm | ModulationKind::SigmoidLstm => self.conv(&format!("{lstm}.out"), stream, ONE, &states),
        }
    }

    /// Readout [T * N, U] of one stream, before the unit's nonlinearity.
    pub fn readout(&self, sequence: &Sequence, maps: &Maps, stream: usize) -> Vec<f64> {
        let (units, frame) = (self.config.units, maps.frame);
        let (mu, sigma) = (self.values("readout.position.mu"), self.values("readout.position.sigma"));
        let draw = &sequence.draws.readout_position;
        let mut positions = Vec::new();
        for n in 0..sequence.batch() {
            for u in 0..units {
                let noise = |j: usize| if draw.is_empty() { 0.0 } else { draw[(n * units + u) * 2 + j] };
                let bound = |i: usize| (mu[2 * u + i] + (0..2).map(|j| sigma[4 * u + 2 * i + j] * noise(j)).sum::<f64>()).tanh();
                let pixel = |bound: f64, length: usize| ((bound + 1.0) * length as f64 - 1.0) / 2.0;
                positions.push([pixel(bound(0), frame.width), pixel(bound(1), frame.height)]);
            }
        }
        let raw = self.values(&format!("readout.feature.weights.{stream}"));
        let weights = match self.config.readout.feature {
            FeatureKind::Vanilla => raw.to_vec(),
            FeatureKind::Norm => {
                let gains = self.values(&format!("readout.feature.gains.{stream}"));
                reference::weight_norm(raw, frame.channels / self.config.readout.feature_groups, frame.channels, Some(gains))
            }
        };
        reference::readout(frame, &maps.values, &positions, &weights, self.values(&format!("readout.biases.{stream}")))
    }
}

/// A nonlinearity with its gain.
fn nonlinear(kind: Nonlinear) -> impl Fn(f64) -> f64 {
    let activation = match kind {
        Nonlinear::Gelu => Activation::Gelu,
        Nonlinear::Silu => Activation::Silu,
        Nonlinear::Elu => Activation::Elu,
        Nonlinear::Tanh => Activation::Tanh,
        Nonlinear::None => Activation::Identity,
    };
    move |x| reference::activation(activation, x)
}

/// Rz(z) Ry(y) Rx(x).
fn rotation([x, y, z]: [f64; 3]) -> [[f64; 3]; 3] {
    let rx = [1.0, 0.0, 0.0, 0.0, x.cos(), -x.sin(), 0.0, x.sin(), x.cos()];
    let ry = [y.cos(), 0.0, y.sin(), 0.0, 1.0, 0.0, -y.sin(), 0.0, y.cos()];
    let rz = [z.cos(), -z.sin(), 0.0, z.sin(), z.cos(), 0.0, 0.0, 0.0, 1.0];
    let r = reference::matmul(&rz, &reference::matmul(&ry, &rx, 3, 3, 3), 3, 3, 3);
    [[r[0], r[1], r[2]], [r[3], r[4], r[5]], [r[6], r[7], r[8]]]
}

fn times(matrix: &[[f64; 3]; 3], v: [f64; 3]) -> [f64; 3] {
    matrix.map(|row| dot(row, v))
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}
