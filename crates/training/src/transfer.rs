//! Transfer: a frozen core from elsewhere, everything else fitted to one new recording (paper Methods, "Foundation model").
//!
//! The frozen part has no gradients and no dropout, and nothing is computed or kept for them. Gradients still pass through it, to the
//! eye and to behaviour.

use crate::config::Preset;
use crate::error::Error;
use crate::individual::{check_trials, sized};
use crate::member::Member;
use crate::recipe::Recipe;
use crate::run::Training;
use striate_model::{Modules, Network};
use striate_recording::Recording;

/// Starts a run on one recording with modules taken frozen from a trained network. The preset's network is the one that is built: start from
/// the trained network's configuration.
///
/// # Errors
/// A recording that an individual model could not be trained on either, or parameters that do not fit.
pub fn transfer(recording: &Recording, preset: &Preset, from: &Network, frozen: &Modules) -> Result<Training, Error> {
    let preset = Preset { model: sized(&preset.model, recording), ..preset.clone() };
    preset.check()?;
    check_trials(recording, &preset)?;
    let mut network = Network::new(preset.model.clone(), preset.optimizer.seed)?;
    network.take(frozen, from)?;
    network.freeze(frozen);
    let member = Member::new(0, network, &preset);
    Ok(Training::new(preset, Recipe::Transfer { frozen: frozen.clone() }, vec![member], 1))
}
