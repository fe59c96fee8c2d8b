//! What a network is made of: one serde struct per module, the defaults those of the paper.
//!
//! Field names are those of the reference implementation, so its hyper-parameter tables read unchanged. Sizes that a
//! recording decides (`units`, `channels`, `eye_features`, `behavior_features`) live here too: a network is one value.

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

/// Whether the first convolution is weight-normalised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeedforwardKind {
    /// Weight-normalised first convolution (profile A).
    Dense,
    /// Plain first convolution (profile R, the published weights).
    InputDense,
}

/// Causal 3-D convolutional DenseNet (paper Methods, "Core").
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FeedforwardConfig {
    /// `dense` or `input_dense`.
    #[serde(rename = "type")]
    pub kind: FeedforwardKind,
    /// Kernel width of the first convolution, pixels.
    #[serde(alias = "input_spatial")]
    pub in_spatial: usize,
    /// Stride of the first convolution, pixels.
    #[serde(alias = "input_stride")]
    pub in_stride: usize,
    /// C of each block.
    pub block_channels: Vec<usize>,
    /// Channel groups of each block.
    pub block_groups: Vec<usize>,
    /// Convolutions in each block.
    pub block_layers: Vec<usize>,
    /// Temporal kernel of each block, frames (1 everywhere: the 2-D lesion).
    pub block_temporals: Vec<usize>,
    /// Spatial kernel of each block, odd.
    pub block_spatials: Vec<usize>,
    /// Average pooling after each block.
    pub block_pools: Vec<usize>,
    /// Channels handed to the recurrent part.
    pub out_channels: usize,
    /// Nonlinearity before each convolution.
    pub nonlinear: Nonlinear,
    /// Channel dropout, fixed over a sequence.
    pub dropout: f32,
}

impl Default for FeedforwardConfig {
    fn default() -> Self {
        Self {
            kind: FeedforwardKind::InputDense,
            in_spatial: 6,
            in_stride: 2,
            block_channels: vec![32, 64, 128],
            block_groups: vec![1, 2, 4],
            block_layers: vec![2, 2, 2],
            block_temporals: vec![3, 3, 3],
            block_spatials: vec![3, 3, 3],
            block_pools: vec![2, 2, 1],
            out_channels: 128,
            nonlinear: Nonlinear::Gelu,
            dropout: 0.0,
        }
    }
}

/// Which recurrent cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecurrentKind {
    /// Convolutional LSTM, the paper's headline core.
    ConvLstm,
    /// LSTM whose gates see convolution and spatial attention (Extended Data Fig. 5, the published weights).
    CvtLstm,
    /// The same with a GRU ("Rvt" in the reference code).
    CvtGru,
}

/// Recurrent part of the core.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RecurrentConfig {
    /// `conv_lstm`, `cvt_lstm` or `cvt_gru`.
    #[serde(rename = "type")]
    pub kind: RecurrentKind,
    /// Channels of the projected input, all groups.
    pub in_channels: usize,
    /// Channels handed to the readout.
    pub out_channels: usize,
    /// Channels of the hidden state, all groups.
    pub hidden_channels: usize,
    /// Channels of convolution and attention, all groups (CvtLstm, CvtGru).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub common_channels: Option<usize>,
    /// G: groups ("cells" of the paper), attention heads.
    pub groups: usize,
    /// Spatial kernel, odd.
    pub spatial: usize,
    /// Channel dropout of input and hidden state, fixed over a sequence.
    pub dropout: f32,
    /// Initial bias of the input gate.
    pub init_input: f32,
    /// Initial bias of the forget gate.
    pub init_forget: f32,
}

impl Default for RecurrentConfig {
    fn default() -> Self {
        Self {
            kind: RecurrentKind::ConvLstm,
            in_channels: 256,
            out_channels: 128,
            hidden_channels: 256,
            common_channels: None,
            groups: 8,
            spatial: 3,
            dropout: 0.0,
            init_input: -1.0,
            init_forget: 1.0,
        }
    }
}

impl RecurrentConfig {
    /// Channels of convolution and attention; twice the hidden channels unless given (the release: 512 for 256).
    pub fn common(&self) -> usize {
        self.common_channels.unwrap_or(self.hidden_channels.saturating_mul(2))
    }
}

/// Which eye network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PerspectiveKind {
    /// Weight-normalised layers, dropout, zero-gain output (profile A).
    MonitorRetina,
    /// Plain zero-initialised first layer, then weight-normalised ones (profile R).
    MlpMonitorRetina,
    /// Lesion: neither eye nor geometry, the monitor's luminance is stretched over the retina (Extended Data Fig. 3a-e; how is our choice).
    None,
}

/// Perspective: monitor geometry, retina, eye network (paper Methods, "Perspective").
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PerspectiveConfig {
    /// `monitor_retina`, `mlp_monitor_retina` or, as a lesion, `none`.
    #[serde(rename = "type")]
    pub kind: PerspectiveKind,
    /// Rows of the retinal image.
    pub height: usize,
    /// Columns of the retinal image.
    pub width: usize,
    /// Initial monitor pose.
    pub monitor: MonitorConfig,
    /// Pixel value to luminance.
    pub monitor_pixel: StaticPowerConfig,
    /// Field of view.
    pub retina: RetinaConfig,
    /// Luminance to retinal drive.
    pub retina_pixel: SigmoidPowerConfig,
    /// Hidden widths of the eye network (`monitor_retina`).
    pub features: Vec<usize>,
    /// Nonlinearity of the eye network (`monitor_retina`).
    pub nonlinear: Nonlinear,
    /// Dropout of the last hidden layer (`monitor_retina`).
    pub dropout: f32,
    /// Hidden width of the eye network (`mlp_monitor_retina`).
    pub mlp_features: usize,
    /// Hidden layers of the eye network (`mlp_monitor_retina`).
    pub mlp_layers: usize,
    /// Nonlinearity of the eye network (`mlp_monitor_retina`).
    pub mlp_nonlinear: Nonlinear,
}

impl Default for PerspectiveConfig {
    fn default() -> Self {
        Self {
            kind: PerspectiveKind::MlpMonitorRetina,
            height: 128,
            width: 192,
            monitor: MonitorConfig::default(),
            monitor_pixel: StaticPowerConfig::default(),
            retina: RetinaConfig::default(),
            retina_pixel: SigmoidPowerConfig::default(),
            features: vec![16, 16],
            nonlinear: Nonlinear::Gelu,
            dropout: 0.0,
            mlp_features: 16,
            mlp_layers: 3,
            mlp_nonlinear: Nonlinear::Gelu,
        }
    }
}

/// Plane monitor: initial centre and rotation, lengths in half monitor widths, angles in radians.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs)] // one line above says it for all eight
pub struct MonitorConfig {
    pub init_center_x: f32,
    pub init_center_y: f32,
    pub init_center_z: f32,
    pub init_center_std: f32,
    pub init_angle_x: f32,
    pub init_angle_y: f32,
    pub init_angle_z: f32,
    pub init_angle_std: f32,
}

impl Default for MonitorConfig {
    fn default() -> Self {
        Self {
            init_center_x: 0.0,
            init_center_y: 0.0,
            init_center_z: 0.5,
            init_center_std: 0.05,
            init_angle_x: 0.0,
            init_angle_y: 0.0,
            init_angle_z: 0.0,
            init_angle_std: 0.05,
        }
    }
}

/// Fixed power law of the monitor: `intensity^power * scale + offset`, intensity in [0, 1].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs)]
pub struct StaticPowerConfig {
    pub power: f32,
    pub scale: f32,
    pub offset: f32,
}

impl Default for StaticPowerConfig {
    fn default() -> Self {
        Self { power: 1.7, scale: 1.0, offset: 0.0 }
    }
}

/// Azimuthal-equidistant ("Angular") retina.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetinaConfig {
    /// Half field of view along the width, degrees.
    pub degrees: f32,
}

impl Default for RetinaConfig {
    fn default() -> Self {
        Self { degrees: 75.0 }
    }
}

/// Learned power law of the retina: `(q + 1e-5)^(sigm(logit) max_power) * scale + offset`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs)]
pub struct SigmoidPowerConfig {
    pub max_power: f32,
    pub init_scale: f32,
    pub init_offset: f32,
}

impl Default for SigmoidPowerConfig {
    fn default() -> Self {
        Self { max_power: 1.0, init_scale: 1.0, init_offset: 0.0 }
    }
}

/// Which modulation network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModulationKind {
    /// Tanh projection, LSTM, projected output (profile A).
    FlatLstm,
    /// MLP, LSTM, hidden state as output (profile R).
    MlpLstm,
    /// Learned sigmoid of each input, then FlatLstm.
    SigmoidLstm,
    /// Lesion: all features are zero (Extended Data Fig. 3f-j).
    None,
}

/// Modulation: an LSTM over behaviour (paper Methods, "Modulation").
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModulationConfig {
    /// `flat_lstm`, `mlp_lstm`, `sigmoid_lstm` or, as a lesion, `none`.
    #[serde(rename = "type")]
    pub kind: ModulationKind,
    /// Dropout of the LSTM's input and hidden state, fixed over a sequence.
    pub dropout: f32,
    /// Initial bias of the input gate.
    pub init_input: f32,
    /// Initial bias of the forget gate.
    pub init_forget: f32,
    /// Width of the tanh input projection (`flat_lstm`, `sigmoid_lstm`).
    pub in_features: usize,
    /// Output width (`flat_lstm`, `sigmoid_lstm`).
    pub out_features: usize,
    /// LSTM width (`flat_lstm`, `sigmoid_lstm`).
    pub hidden_features: usize,
    /// MLP width (`mlp_lstm`).
    pub mlp_features: usize,
    /// MLP layers (`mlp_lstm`).
    pub mlp_layers: usize,
    /// MLP nonlinearity (`mlp_lstm`).
    pub mlp_nonlinear: Nonlinear,
    /// LSTM width, which is the output width (`mlp_lstm`).
    pub lstm_features: usize,
}

impl Default for ModulationConfig {
    fn default() -> Self {
        Self {
            kind: ModulationKind::MlpLstm,
            dropout: 0.0,
            init_input: -1.0,
            init_forget: 1.0,
            in_features: 16,
            out_features: 4,
            hidden_features: 16,
            mlp_features: 16,
            mlp_layers: 1,
            mlp_nonlinear: Nonlinear::Gelu,
            lstm_features: 16,
        }
    }
}

impl ModulationConfig {
    /// Modulation features handed to the core, per stream.
    pub fn features(&self) -> usize {
        match self.kind {
            ModulationKind::MlpLstm | ModulationKind::None => self.lstm_features,
            ModulationKind::FlatLstm | ModulationKind::SigmoidLstm => self.out_features,
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
