//! Foundation: a cohort of recordings trains one core together (paper Methods, "Foundation core").
//!
//! Every recording has its own perspective, modulation and readout. In each step every member sees clips of its own recording, and
//! the shared parameters move by the mean of their gradients.

use crate::config::Preset;
use crate::error::Error;
use crate::individual::{check_trials, sized};
use crate::member::Member;
use crate::recipe::Recipe;
use crate::run::Training;
use std::ops::Range;
use striate_model::{Modules, Network};
use striate_recording::{Recording, same_rate};

/// Starts a run on a cohort, all members in this process.
///
/// # Errors
/// A recording that an individual model could not be trained on either, one at another frame rate or with other colours than the
/// first, or modules that cannot be shared.
pub fn foundation(recordings: &[Recording], preset: &Preset, share: &Modules) -> Result<Training, Error> {
    foundation_part(recordings, 0..recordings.len(), preset, share)
}

/// Starts the part of a run that this process trains: the recordings of ranks `own` among all of the cohort.
///
/// # Errors
/// Those of [`foundation`].
pub fn foundation_part(recordings: &[Recording], own: Range<usize>, preset: &Preset, share: &Modules) -> Result<Training, Error> {
    let first = recordings.first().ok_or(Error::NoTrials { tier: "train" })?;
    for recording in recordings {
        check_alike(first, recording)?;
    }
    let base = Network::new(sized(&preset.model, first), preset.optimizer.seed)?;
    let mut members = Vec::new();
    for (rank, recording) in recordings.iter().enumerate().take(own.end).skip(own.start) {
        let within = |e: Error| e.of_recording(recording);
        let preset = Preset { model: sized(&preset.model, recording), ..preset.clone() };
        preset.check().map_err(within)?;
        check_trials(recording, &preset).map_err(within)?;
        let mut network = Network::new(preset.model.clone(), preset.optimizer.seed)?;
        network.take(share, &base).map_err(|e| within(e.into()))?;
        members.push(Member::new(rank, network, &preset));
    }
    Ok(Training::new(preset.clone(), Recipe::Foundation { share: share.clone() }, members, recordings.len()))
}

/// Refuses a recording that cannot see the world through the same core as the first.
fn check_alike(first: &Recording, other: &Recording) -> Result<(), Error> {
    let differs = |what, expected: String, got: String| {
        let recording = other.path().display().to_string();
        Err(Error::Unlike { recording, what, expected, got, first: first.path().display().to_string() })
    };
    let (a, b) = (first.meta(), other.meta());
    if !same_rate(a.rate, b.rate) {
        return differs("frame rate", format!("{} Hz", a.rate), format!("{} Hz; import it again at that rate", b.rate));
    }
    let (a, b) = (first.frame_shape()[2], other.frame_shape()[2]);
    if a != b {
        return differs("number of stimulus channels", a.to_string(), b.to_string());
    }
    Ok(())
}
