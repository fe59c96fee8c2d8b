//! Individual model: all four modules trained end to end on one recording (paper Methods, "Individual models").

use crate::config::Preset;
use crate::error::Error;
use crate::run::Training;
use striate_model::{Network, NetworkConfig};
use striate_recording::Recording;

/// Starts a run on one recording; the sizes it decides are filled into the preset's network.
pub fn individual(recording: &Recording, preset: &Preset) -> Result<Training, Error> {
    let preset = Preset { model: sized(&preset.model, recording), ..preset.clone() };
    let network = Network::new(preset.model.clone(), preset.optimizer.seed)?;
    Ok(Training::new(preset, network))
}

/// The network's sizes as a recording decides them.
pub fn sized(config: &NetworkConfig, recording: &Recording) -> NetworkConfig {
    let [height, width, channels] = recording.frame_shape();
    NetworkConfig {
        units: recording.unit_count(),
        channels,
        eye_features: recording.meta().eye.len(),
        behavior_features: recording.meta().behavior.len(),
        video: Some([height, width]),
        ..config.clone()
    }
}
