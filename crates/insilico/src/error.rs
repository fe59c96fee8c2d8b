//! What can go wrong when a network is shown something.

use std::path::PathBuf;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A model and a recording that do not fit.
    #[error("model and recording do not fit: {what}: the model has {model}, the recording {recording}{hint}")]
    Mismatch {
        /// What differs.
        what: &'static str,
        /// The model's.
        model: String,
        /// The recording's.
        recording: String,
        /// What to do about it.
        hint: &'static str,
    },
    /// Inputs whose lengths differ.
    #[error("{what} has {got}, the video calls for {expected}")]
    Length {
        /// Which input.
        what: &'static str,
        /// What it should be.
        expected: String,
        /// What it is.
        got: String,
    },
    /// Nothing to evaluate on.
    #[error("the recording has no trial of tier test{0}")]
    NoTest(String),
    /// A reference case that cannot be used.
    #[error("{}: {why}", path.display())]
    Case {
        /// File or folder.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Nothing to tune to.
    #[error("{of}: no video{domain} has events with a beginning and an end; stimuli made by `striate stimulus` carry them")]
    NoEvents {
        /// Recording or stimulus.
        of: String,
        /// Domain looked at.
        domain: String,
    },
    /// Events that are all alike.
    #[error("none of {events} events is a dark dot, and no direction, size, contrast or frequency takes four values or more: there is no curve")]
    NothingVaries {
        /// Events.
        events: usize,
    },
    /// A study that cannot be run.
    #[error("{what}: expected {expected}, got {got}")]
    Design {
        /// Which part of it.
        what: &'static str,
        /// What it must be.
        expected: String,
        /// What it is.
        got: String,
    },
    /// Training refused.
    #[error(transparent)]
    Training(#[from] striate_training::Error),
    /// The network refused.
    #[error(transparent)]
    Model(#[from] striate_model::Error),
    /// Weights could not be read.
    #[error(transparent)]
    Weights(#[from] striate_model::weights::Error),
    /// The recording could not be read.
    #[error(transparent)]
    Recording(#[from] striate_recording::Error),
    /// An analysis refused.
    #[error(transparent)]
    Analysis(#[from] striate_analysis::Error),
}
