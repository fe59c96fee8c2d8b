//! Of modulation.

use super::Nonlinear;
use serde::{Deserialize, Serialize};

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
