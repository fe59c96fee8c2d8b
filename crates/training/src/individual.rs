//! Individual model: all four modules trained end to end on one recording (paper Methods, "Individual models").

use crate::batch;
use crate::config::Preset;
use crate::error::Error;
use crate::member::{Member, unit_id};
use crate::recipe::Recipe;
use crate::run::Training;
use striate_model::config::UnitKind;
use striate_model::{Network, NetworkConfig};
use striate_recording::{Recording, Tier};

/// Starts a run on one recording; the sizes it decides are filled into the preset's network. Refuses a recording that would
/// stop the run later: without training trials, with trials too short for a clip, with responses that cannot be scored.
pub fn individual(recording: &Recording, preset: &Preset) -> Result<Training, Error> {
    let preset = Preset { model: sized(&preset.model, recording), ..preset.clone() };
    preset.check()?;
    check_trials(recording, &preset)?;
    let network = Network::new(preset.model.clone(), preset.optimizer.seed)?;
    let member = Member::new(0, network, &preset);
    Ok(Training::new(preset, Recipe::Individual, vec![member], 1))
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

/// Trials of training and validation: there, long enough, with responses that the loss is defined for.
pub(crate) fn check_trials(recording: &Recording, preset: &Preset) -> Result<(), Error> {
    let train = batch::trials(recording, Tier::Train, preset);
    if train.is_empty() {
        return Err(Error::NoTrials { tier: "train" });
    }
    let validation = if preset.loader.validation_size > 0 { batch::trials(recording, Tier::Validation, preset) } else { Vec::new() };
    for trials in [&train, &validation] {
        batch::check_lengths(recording, trials, preset.loader.sample_size)?;
    }
    for trial in train.into_iter().chain(validation) {
        let responses = recording.responses(trial)?;
        let negative = responses.indexed_iter().find(|(_, v)| **v < 0.0);
        if let (Some(((frame, unit), response)), UnitKind::Poisson) = (negative, preset.model.unit) {
            let (trial, unit) = (recording.trials()[trial].name.clone(), unit_id(recording, unit));
            return Err(Error::Negative { trial, frame, unit, response: *response });
        }
    }
    Ok(())
}
