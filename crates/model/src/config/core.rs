//! Of the core: feedforward and recurrent part.

use super::Nonlinear;
use serde::{Deserialize, Serialize};

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
