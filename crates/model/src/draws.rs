//! Everything random that lasts one sequence: monitor pose, readout positions, dropout masks.
//!
//! Drawn from one seed, or given (reference cases record theirs). Evaluation draws nothing.

use crate::config::{ModulationKind, NetworkConfig, PerspectiveKind};
use crate::modules::Modules;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Random draws of one sequence, for one stream.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draws {
    /// Standard normal, [N, 3]: displaces the monitor's centre; empty for none.
    pub monitor_center: Vec<[f64; 3]>,
    /// Standard normal, [N, 3]: turns the monitor; empty for none.
    pub monitor_angle: Vec<[f64; 3]>,
    /// Standard normal, [N, U]: displaces readout positions; empty for none.
    pub readout_position: Vec<[f32; 2]>,
    /// Dropout masks [N, C] of factors 0 or 1 / (1 - p), by the name of the place they act on (see [`places`]).
    pub masks: BTreeMap<String, Vec<f32>>,
}

impl Draws {
    /// No randomness: the mean of everything.
    pub fn none() -> Self {
        Self::default()
    }

    /// Draws for a batch of N from a seed.
    pub fn sample(config: &NetworkConfig, batch: usize, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let pose = |rng: &mut ChaCha8Rng| (0..batch).map(|_| std::array::from_fn(|_| rng.sample::<f64, _>(StandardNormal))).collect();
        let monitor_center = pose(&mut rng);
        let monitor_angle = pose(&mut rng);
        let readout_position = (0..batch * config.units).map(|_| std::array::from_fn(|_| rng.sample(StandardNormal))).collect();
        let masks = places(config)
            .into_iter()
            .filter(|place| place.probability > 0.0)
            .map(|place| {
                let keep = 1.0 / (1.0 - place.probability);
                let mask = (0..batch * place.channels).map(|_| if rng.random::<f32>() > place.probability { keep } else { 0.0 }).collect();
                (place.name, mask)
            })
            .collect();
        Self { monitor_center, monitor_angle, readout_position, masks }
    }

    /// Without dropout inside frozen modules: they run as in evaluation (paper Methods, "Transfer").
    pub fn sparing(mut self, frozen: &Modules) -> Self {
        self.masks.retain(|place, _| !frozen.drop_at(place));
        self
    }

    /// The mask of a place, if one was drawn.
    pub(crate) fn mask(&self, name: &str) -> Option<&[f32]> {
        self.masks.get(name).map(Vec::as_slice)
    }

    /// Multiplies frames [T * N, pixels, C] by the mask of a place.
    pub(crate) fn drop(&self, name: &str, batch: usize, channels: usize, frame: usize, x: &mut [f32]) {
        let Some(mask) = self.mask(name) else { return };
        x.par_chunks_exact_mut(frame).enumerate().for_each(|(f, x)| {
            let mask = &mask[f % batch * channels..][..channels];
            x.chunks_exact_mut(channels).for_each(|pixel| pixel.iter_mut().zip(mask).for_each(|(v, m)| *v *= m));
        });
    }
}

/// A place where dropout acts.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// For example `core.feedforward.blocks.1.0` (the input of that convolution), `core.recurrent.x`, `modulation.h`, `perspective`.
    pub name: String,
    /// C.
    pub channels: usize,
    /// Probability that a channel is dropped.
    pub probability: f32,
}

/// All places where a network drops channels, in a fixed order (reference implementation: block activations, input and
/// hidden state of the recurrent cell and of the modulation LSTM, last hidden layer of the eye network).
pub fn places(config: &NetworkConfig) -> Vec<Place> {
    let mut places = Vec::new();
    let mut add = |name: String, channels, probability| places.push(Place { name, channels, probability });
    if config.perspective.kind == PerspectiveKind::MonitorRetina {
        let last = config.perspective.features.last().copied().unwrap_or(config.eye_features);
        add("perspective".into(), last, config.perspective.dropout);
    }
    let m = &config.modulation;
    let (x, h) = match m.kind {
        ModulationKind::MlpLstm => (m.mlp_features, m.lstm_features),
        ModulationKind::FlatLstm | ModulationKind::SigmoidLstm => (m.in_features, m.hidden_features),
        ModulationKind::None => (0, 0),
    };
    if m.kind != ModulationKind::None {
        add("modulation.x".into(), x, m.dropout);
        add("modulation.h".into(), h, m.dropout);
    }
    let f = &config.feedforward;
    for (b, (channels, layers)) in f.block_channels.iter().zip(&f.block_layers).enumerate() {
        (0..*layers).for_each(|l| add(format!("core.feedforward.blocks.{b}.{l}"), *channels, f.dropout));
    }
    add("core.recurrent.x".into(), config.recurrent.in_channels, config.recurrent.dropout);
    add("core.recurrent.h".into(), config.recurrent.hidden_channels, config.recurrent.dropout);
    places
}
