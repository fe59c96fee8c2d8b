//! Infer: the architecture of a network from the keys and shapes of its tensors.
//!
//! What weights cannot tell (dropout, strides, pools, nonlinearities, initial values, kind of unit) takes the default of the
//! published networks, or of the authors' earlier configuration where the eye network is of that kind.

use super::Error;
use super::layout::{modulation_lstm, visit};
use super::state_dict::{StateDict, Tensor};
use crate::config::{
    FeatureKind, FeedforwardConfig, FeedforwardKind, ModulationConfig, ModulationKind, NetworkConfig, PerspectiveConfig, PerspectiveKind,
    ReadoutConfig, RecurrentConfig, RecurrentKind, RetinaConfig, SigmoidPowerConfig, StaticPowerConfig, UnitKind,
};
use crate::perspective::retina;
use std::collections::{HashMap, HashSet};

/// The architecture of a network, from all its tensors. Every tensor must be known, there, and of the right shape.
pub fn infer_config(state: &StateDict) -> Result<NetworkConfig, Error> {
    let config = guess(state)?;
    config.check()?; // sizes are multiplied below
    check(state, &config)?;
    Ok(config)
}

/// The architecture that some of the tensors speak for; whether it holds together and fits the others is not checked.
pub(crate) fn guess(state: &StateDict) -> Result<NetworkConfig, Error> {
    for (key, tensor) in state.iter() {
        tensor.check(key)?;
        if tensor.data.is_empty() {
            let got = format!("shape {:?}", tensor.shape);
            return Err(Error::Tensor { key: key.to_owned(), expected: "at least one value".into(), got });
        }
    }
    let weights = Weights::new(state);
    let perspective = perspective(&weights)?;
    let earlier = perspective.kind == PerspectiveKind::MonitorRetina;
    let dropout = if earlier { 0.1 } else { 0.0 };
    let [_, channels, ..] = weights.kernel("core.feedforward.inputs.0.weights.0")?;
    let [_, eye_features, ..] = weights.kernel(match perspective.kind {
        PerspectiveKind::MlpMonitorRetina => "perspective.mlp.linears.0.weights.0",
        PerspectiveKind::MonitorRetina | PerspectiveKind::None => "perspective.layers.0.weights.0", // a lesion is never inferred
    })?;
    let modulation = modulation(&weights, dropout)?;
    let behavior_features = match modulation.kind {
        ModulationKind::MlpLstm => weights.kernel("modulation.mlp.linears.0.weights.0")?[1],
        kind => weights.kernel(&format!("{}.proj_x.weights.0", modulation_lstm(kind)))?[1],
    };
    let [units, _] = weights.shape("readout.position.mu")?;
    let video = (!earlier && [perspective.height, perspective.width] == [128, 192]).then_some([144, 256]); // as published
    Ok(NetworkConfig {
        feedforward: feedforward(&weights, dropout)?,
        recurrent: recurrent(&weights, dropout)?,
        perspective,
        modulation,
        readout: readout(&weights)?,
        unit: UnitKind::Poisson,
        units,
        streams: weights.count("core.feedforward.inputs.0.weights.#"),
        channels,
        eye_features,
        behavior_features,
        video,
    })
}

/// Holds tensors against a configuration: every tensor known, there, and of the right type and shape.
pub fn check(state: &StateDict, config: &NetworkConfig) -> Result<(), Error> {
    let mut known = HashSet::new();
    visit(config, &mut |entry| {
        let tensor = state.get(&entry.key).ok_or_else(|| missing(&entry.key, state, config))?;
        if tensor.shape != entry.shape || tensor.data.kind() != entry.kind() {
            let (expected, got) = (format!("{} {:?}", entry.kind(), entry.shape), format!("{} {:?}", tensor.data.kind(), tensor.shape));
            return Err(Error::Tensor { key: entry.key, expected, got });
        }
        tensor.check(&entry.key)?;
        known.insert(entry.key);
        Ok(())
    })?;
    match state.keys().find(|key| !known.contains(*key)) {
        Some(key) => Err(Error::UnknownKey { key: key.to_owned(), nearest: nearest(key, known.iter().map(String::as_str)) }),
        None => Ok(()),
    }
}

/// A missing key, and the nearest among those that no network of this configuration has: probably a misspelling of it.
fn missing(key: &str, state: &StateDict, config: &NetworkConfig) -> Error {
    let mut known = HashSet::new();
    let looked = visit(config, &mut |entry| {
        known.insert(entry.key);
        if known.len() > 2 * state.len() { Err(Error::Duplicate { key: String::new() }) } else { Ok(()) } // enough to tell
    });
    let strangers: Vec<&str> = state.keys().filter(|key| !known.contains(*key)).collect();
    let candidates = if looked.is_ok() && !strangers.is_empty() { strangers } else { state.keys().collect() };
    Error::MissingKey { key: key.to_owned(), nearest: nearest(key, candidates.into_iter()) }
}

/// No key of a network is longer.
const LONGEST_KEY: usize = 200;

fn nearest<'a>(key: &str, keys: impl Iterator<Item = &'a str>) -> String {
    let near = keys.filter(|other| key.len().max(other.len()) <= LONGEST_KEY).map(|other| (strsim::levenshtein(key, other), other));
    near.min().map_or_else(|| "none".into(), |(_, other)| other.to_owned()) // ties: first in the alphabet
}

/// Tensors asked for by key.
struct Weights<'a> {
    state: &'a StateDict,
    /// For every key with one of its numbers replaced by `#`: one more than the highest number.
    counts: HashMap<String, usize>,
}

impl<'a> Weights<'a> {
    fn new(state: &'a StateDict) -> Self {
        let mut counts = HashMap::new();
        for key in state.keys().filter(|key| key.len() <= LONGEST_KEY) {
            let parts: Vec<&str> = key.split('.').collect();
            for (place, part) in parts.iter().enumerate() {
                if let Ok(index) = part.parse::<usize>() {
                    let pattern = [&parts[..place], &["#"], &parts[place + 1..]].concat().join(".");
                    let count = counts.entry(pattern).or_insert(0);
                    *count = index.saturating_add(1).max(*count);
                }
            }
        }
        Self { state, counts }
    }

    /// One more than the highest number that stands for `#` in a key; at least 1. Gaps are found when all keys are checked.
    fn count(&self, pattern: &str) -> usize {
        self.counts.get(pattern).map_or(1, |count| (*count).clamp(1, self.state.len()))
    }

    fn tensor(&self, key: &str) -> Result<&Tensor, Error> {
        let missing = || Error::MissingKey { key: key.to_owned(), nearest: nearest(key, self.state.keys()) };
        self.state.get(key).ok_or_else(missing)
    }

    fn has(&self, key: &str) -> bool {
        self.state.contains(key)
    }

    fn shape<const N: usize>(&self, key: &str) -> Result<[usize; N], Error> {
        let tensor = self.tensor(key)?;
        tensor.shape.as_slice().try_into().map_err(|_| {
            let got = format!("shape {:?}", tensor.shape);
            Error::Tensor { key: key.to_owned(), expected: format!("{N} axes"), got }
        })
    }

    /// Shape of a convolution's weights: out channels, in channels per group, time, height, width.
    fn kernel(&self, key: &str) -> Result<[usize; 5], Error> {
        self.shape(key)
    }

    fn scalar(&self, key: &str) -> Result<f32, Error> {
        let tensor = self.tensor(key)?;
        match tensor.as_f32() {
            Some([value]) if value.is_finite() => Ok(*value),
            _ => {
                let got = format!("{} {:?} {:?}", tensor.data.kind(), tensor.shape, tensor.as_f32().and_then(<[f32]>::first));
                Err(Error::Tensor { key: key.to_owned(), expected: "one finite float32".into(), got })
            }
        }
    }
}

fn feedforward(weights: &Weights, dropout: f32) -> Result<FeedforwardConfig, Error> {
    let [_, _, _, in_spatial, _] = weights.kernel("core.feedforward.inputs.0.weights.0")?;
    let default = FeedforwardConfig::default();
    let blocks = weights.count("core.feedforward.blocks.#.convs.0.weights.0");
    let mut config = FeedforwardConfig {
        kind: if weights.has("core.feedforward.inputs.0.gains.0") { FeedforwardKind::Dense } else { FeedforwardKind::InputDense },
        in_spatial,
        // padding is symmetric, so kernel and stride are both odd or both even
        in_stride: if in_spatial.is_multiple_of(2) { default.in_stride } else { 1 },
        block_channels: Vec::new(),
        block_groups: Vec::new(),
        block_layers: Vec::new(),
        block_temporals: Vec::new(),
        block_spatials: Vec::new(),
        block_pools: (0..blocks).map(|block| if block + 1 < blocks { 2 } else { 1 }).collect(),
        out_channels: weights.kernel("core.feedforward.out.weights.0")?[0],
        dropout,
        ..default
    };
    for block in 0..blocks {
        let conv = |layer, part| format!("core.feedforward.blocks.{block}.convs.{layer}.{part}.0");
        let [channels, _, temporal, spatial, _] = weights.kernel(&conv(0, "weights"))?;
        let [groups, _] = weights.shape(&conv(0, "gains"))?;
        config.block_channels.push(channels);
        config.block_groups.push(groups);
        config.block_layers.push(weights.count(&format!("core.feedforward.blocks.{block}.convs.#.weights.0")));
        config.block_temporals.push(temporal);
        config.block_spatials.push(spatial);
    }
    Ok(config)
}

fn recurrent(weights: &Weights, dropout: f32) -> Result<RecurrentConfig, Error> {
    let key = |part: &str| format!("core.recurrent.{part}.0");
    let attends = weights.has(&key("conv.weights"));
    let kind = match attends {
        true if weights.has(&key("proj_n.weights")) => RecurrentKind::CvtGru,
        true => RecurrentKind::CvtLstm,
        false => RecurrentKind::ConvLstm,
    };
    // with one group this is the projection of the modulation, else that of the feedforward output
    let [groups, in_channels] = weights.shape(&key("proj_x.1.gains"))?;
    let spatial_key = key(if attends { "conv.weights" } else { "proj_i.weights" });
    let [common, _, _, spatial, _] = weights.kernel(&spatial_key)?;
    let [out_channels, hidden_channels, ..] = weights.kernel(&key("out.weights"))?;
    Ok(RecurrentConfig {
        kind,
        in_channels: groups * in_channels,
        out_channels,
        hidden_channels,
        common_channels: attends.then_some(common),
        groups,
        spatial,
        dropout,
        ..RecurrentConfig::default()
    })
}

fn perspective(weights: &Weights) -> Result<PerspectiveConfig, Error> {
    let [height, width, _] = weights.shape("perspective.retina.grid")?;
    let pixel = |name: &str| weights.scalar(&format!("perspective.monitor_pixel.{name}"));
    let shared = PerspectiveConfig {
        height,
        width,
        monitor_pixel: StaticPowerConfig { power: pixel("power")?, scale: pixel("scale")?, offset: pixel("offset")? },
        retina: RetinaConfig { degrees: degrees(weights, height, width)? },
        ..PerspectiveConfig::default()
    };
    if weights.state.keys().any(|key| key.starts_with("perspective.layers.")) {
        let key = |layer| format!("perspective.layers.{layer}.weights.0");
        let layers = weights.count("perspective.layers.#.weights.0");
        let features = (0..layers).map(|layer| Ok(weights.kernel(&key(layer))?[0])).collect::<Result<_, Error>>()?;
        let retina_pixel = SigmoidPowerConfig { init_scale: 4.0, init_offset: -1.4, ..SigmoidPowerConfig::default() };
        return Ok(PerspectiveConfig { kind: PerspectiveKind::MonitorRetina, features, dropout: 0.1, retina_pixel, ..shared });
    }
    let [mlp_features, ..] = weights.kernel("perspective.mlp.linears.0.weights.0")?;
    let mlp_layers = weights.count("perspective.mlp.linears.#.weights.0").saturating_sub(1); // the last one puts out angles
    Ok(PerspectiveConfig { kind: PerspectiveKind::MlpMonitorRetina, mlp_features, mlp_layers, ..shared })
}

/// Half field of view from the rays of the retina: the least-squares slope of a ray's angle over its radius on the grid.
fn degrees(weights: &Weights, height: usize, width: usize) -> Result<f32, Error> {
    const KEY: &str = "perspective.retina.grid";
    const TOLERANCE: f64 = 1e-4; // of a unit ray's components; the grid is single precision
    let wrong =
        |got: String| Error::Tensor { key: KEY.into(), expected: "unit rays [height, width, 3] of an azimuthal-equidistant retina".into(), got };
    let tensor = weights.tensor(KEY)?;
    tensor.check(KEY)?;
    let (Some(grid), [_, _, 3]) = (tensor.as_f32(), tensor.shape.as_slice()) else {
        return Err(wrong(format!("{} {:?}", tensor.data.kind(), tensor.shape)));
    };
    let (xs, ys) = retina::isotropic_grid(height, width);
    let (mut product, mut square) = (0.0, 0.0);
    for (place, ray) in grid.chunks_exact(3).enumerate() {
        let radius = xs[place % width].hypot(ys[place / width]);
        let [x, y, z] = [ray[0], ray[1], ray[2]].map(f64::from);
        if z > 1e-3 {
            product += x.hypot(y).atan2(z) * radius;
            square += radius * radius;
        }
    }
    let slope = (product / square).to_degrees();
    let rounded = (slope * 1e3).round() / 1e3;
    let degrees = if (slope - rounded).abs() < TOLERANCE { rounded } else { slope };
    let rays = retina::rays(height, width, degrees);
    let fits = |(got, want): (&[f32], &[f64; 3])| got.iter().zip(want).all(|(g, w)| (f64::from(*g) - w).abs() < TOLERANCE);
    match grid.chunks_exact(3).zip(&rays).position(|pair| !fits(pair)) {
        Some(place) => Err(wrong(format!("another ray in row {}, column {}", place / width, place % width))),
        None => Ok(degrees as f32),
    }
}

fn modulation(weights: &Weights, dropout: f32) -> Result<ModulationConfig, Error> {
    let default = ModulationConfig { dropout, ..ModulationConfig::default() };
    let begins = |prefix: &str| weights.state.keys().any(|key| key.starts_with(prefix));
    if begins("modulation.mlp.") {
        let [mlp_features, ..] = weights.kernel("modulation.mlp.linears.0.weights.0")?;
        let mlp_layers = weights.count("modulation.mlp.linears.#.weights.0");
        let [lstm_features, ..] = weights.kernel("modulation.lstm.proj_i.weights.0")?;
        return Ok(ModulationConfig { kind: ModulationKind::MlpLstm, mlp_features, mlp_layers, lstm_features, ..default });
    }
    let kind = if begins("modulation.sigmoid.") { ModulationKind::SigmoidLstm } else { ModulationKind::FlatLstm };
    let width = |part: &str| Ok::<_, Error>(weights.kernel(&format!("{}.{part}.weights.0", modulation_lstm(kind)))?[0]);
    Ok(ModulationConfig { kind, in_features: width("proj_x")?, hidden_features: width("proj_i")?, out_features: width("out")?, ..default })
}

fn readout(weights: &Weights) -> Result<ReadoutConfig, Error> {
    if !weights.has("readout.feature.gains.0") {
        return Ok(ReadoutConfig { feature: FeatureKind::Vanilla, ..ReadoutConfig::default() });
    }
    let [_, _, feature_groups] = weights.shape("readout.feature.gains.0")?;
    Ok(ReadoutConfig { feature: FeatureKind::Norm, feature_groups, ..ReadoutConfig::default() })
}

#[cfg(test)]
mod tests;
