//! What a training run is set by: the network and how it is trained, one preset file.

use serde::{Deserialize, Serialize};
use striate_model::NetworkConfig;

/// Everything a run is set by. `Default` is the paper's individual model with the release's optimizer values.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Preset {
    /// The network; sizes a recording decides are filled in from it.
    pub model: NetworkConfig,
    /// Which clips a step sees.
    pub loader: LoaderConfig,
    /// What is minimised.
    pub objective: ObjectiveConfig,
    /// How parameters move.
    pub optimizer: OptimizerConfig,
    /// How the learning rate moves.
    pub scheduler: SchedulerConfig,
}

/// Sampling of clips (paper Methods, "Training").
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LoaderConfig {
    /// Frames of a clip, burn-in included (paper: 70, 2.33 s).
    pub sample_size: usize,
    /// Clips of a step (paper: 5).
    pub batch_size: usize,
    /// Steps of an epoch (paper: 512).
    pub training_size: usize,
    /// Validation batches after each epoch (release: 20).
    pub validation_size: usize,
    /// Share of the training trials that are used (1 but in data-scaling studies).
    pub train_fraction: f64,
}

impl Default for LoaderConfig {
    fn default() -> Self {
        Self { sample_size: 70, batch_size: 5, training_size: 512, validation_size: 20, train_fraction: 1.0 }
    }
}

/// The objective of a clip.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ObjectiveConfig {
    /// Draw one stream for each step; otherwise stream 0 is trained alone.
    pub sample_stream: bool,
    /// First frames of a clip that are shown but not scored (release: 10).
    pub burnin_frames: usize,
}

impl Default for ObjectiveConfig {
    fn default() -> Self {
        Self { sample_stream: true, burnin_frames: 10 }
    }
}

/// SgdClip: stochastic gradient descent, clipped slice by slice (release's values).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OptimizerConfig {
    /// Peak learning rate.
    pub lr: f64,
    /// Weight decay, times the learning rate, after clipping and momentum.
    pub decay: f64,
    /// Momentum.
    pub momentum: f64,
    /// Nesterov's form of momentum.
    pub nesterov: bool,
    /// Largest gradient norm of a slice, as a share of the slice's norm; `inf` for no clipping.
    pub clip: f64,
    /// Floor of a slice's norm, times the square root of the tensor's size.
    pub eps: f64,
    /// Seed of initial parameters, clips, streams, noise and dropout.
    pub seed: u64,
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        Self { lr: 0.1, decay: 1e-4, momentum: 0.9, nesterov: true, clip: 0.01, eps: 0.001, seed: 0 }
    }
}

/// CosineLr: linear warm-up, then a cosine, restarted each cycle (paper: two cycles of 100 epochs, the first with 10 of warm-up).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SchedulerConfig {
    /// Epochs of a cycle.
    pub cycle_size: usize,
    /// Cycles; momentum starts anew with each.
    pub cycles: usize,
    /// Epochs of warm-up.
    pub warmup_epochs: usize,
    /// Cycles that begin with a warm-up.
    pub warmup_cycles: usize,
    /// Epochs without a new lowest validation objective after which the run ends early; 0 for never (paper: the last epoch's parameters).
    pub patience: usize,
}

impl Default for SchedulerConfig {
    fn default() -> Self {
        Self { cycle_size: 100, cycles: 2, warmup_epochs: 10, warmup_cycles: 1, patience: 0 }
    }
}
