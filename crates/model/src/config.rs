//! What a network is made of: one serde struct per module, the defaults those of the paper.
//!
//! Field names are those of the reference implementation, so its hyper-parameter tables read unchanged. Sizes that a
//! recording decides (`units`, `channels`, `eye_features`, `behavior_features`) live here too: a network is one value.

mod core;
mod modulation;
mod perspective;

pub use core::{FeedforwardConfig, FeedforwardKind, RecurrentConfig, RecurrentKind};
pub use modulation::{ModulationConfig, ModulationKind};
pub use perspective::{MonitorConfig, PerspectiveConfig, PerspectiveKind, RetinaConfig, SigmoidPowerConfig, StaticPowerConfig};

use serde::{Deserialize, Serialize};
use striate_kernels::activation::Activation;

/// A whole network: four modules and the sizes that tie them together.
///
/// The default is the published architecture (profile R of the release: InputDense, MlpMonitorRetina, MlpLstm, Vanilla
/// features, four streams) with the paper's headline Conv-LSTM.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NetworkConfig {
    /// Feedforward part of the core: causal 3-D convolutional DenseNet.
    pub feedforward: FeedforwardConfig,
    /// Recurrent part of the core.
    pub recurrent: RecurrentConfig,
    /// Monitor to retina, from eye tracking.
    pub perspective: PerspectiveConfig,
    /// Locomotion and pupil to modulation features.
    pub modulation: ModulationConfig,
    /// Position and features of each unit.
    pub readout: ReadoutConfig,
    /// What a unit's response is and how it is scored.
    pub unit: UnitKind,
    /// U: number of units (neurons). 0 in a preset: taken from the recording.
    pub units: usize,
    /// S: independent copies of modulation, core and readout features, averaged before the response nonlinearity.
    pub streams: usize,
    /// Stimulus colour channels: 1 grey, 3 colour.
    pub channels: usize,
    /// P: eye-position inputs, standardised pupil centre (x, y).
    pub eye_features: usize,
    /// M: behaviour inputs, standardised (2: pupil radius, treadmill; 3: and the pupil's change).
    pub behavior_features: usize,
    /// [height, width] of the video the network was trained on, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub video: Option<[usize; 2]>,
}

impl Default for NetworkConfig {
    fn default() -> Self {
        Self {
            feedforward: FeedforwardConfig::default(),
            recurrent: RecurrentConfig::default(),
            perspective: PerspectiveConfig::default(),
            modulation: ModulationConfig::default(),
            readout: ReadoutConfig::default(),
            unit: UnitKind::Poisson,
            units: 0,
            streams: 4,
            channels: 1,
            eye_features: 2,
            behavior_features: 2,
            video: None,
        }
    }
}

/// Nonlinearity, always applied with its variance-preserving gain (spec: `gamma * f(x)`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Nonlinear {
    /// x Phi(x), exact (erf) form.
    Gelu,
    /// x sigm(x).
    Silu,
    /// x for x > 0, else exp(x) - 1.
    Elu,
    /// tanh x.
    Tanh,
    /// x.
    None,
}

impl Nonlinear {
    /// The kernel of this nonlinearity.
    pub(crate) fn activation(self) -> Activation {
        match self {
            Self::Gelu => Activation::Gelu,
            Self::Silu => Activation::Silu,
            Self::Elu => Activation::Elu,
            Self::Tanh => Activation::Tanh,
            Self::None => Activation::Identity,
        }
    }
}

/// Which feature weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeatureKind {
    /// Normalised weights with a gain per group (profile A).
    Norm,
    /// Plain weights (profile R).
    Vanilla,
}

/// Readout: one learned position and one feature vector per unit and stream (paper Methods, "Readout").
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReadoutConfig {
    /// Initial standard deviation of the position's distribution (diagonal of sigma), before tanh.
    pub init_std: f32,
    /// `norm` or `vanilla`.
    pub feature: FeatureKind,
    /// Groups of normalised features, each with its own gain (`norm`).
    pub feature_groups: usize,
}

impl Default for ReadoutConfig {
    fn default() -> Self {
        Self { init_std: 0.4, feature: FeatureKind::Vanilla, feature_groups: 1 }
    }
}

/// Response nonlinearity and loss of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitKind {
    /// rate = exp(r), loss = rate - r y.
    Poisson,
    /// rate = elu(r) + 1, loss = (rate - y)^2.
    EluMse,
}
