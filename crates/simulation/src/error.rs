//! What can go wrong in a simulation.

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting that makes no recording.
    #[error("simulation: {field} is {got}, expected {expected}")]
    Setting {
        /// Setting.
        field: &'static str,
        /// What it must be.
        expected: String,
        /// What it is.
        got: String,
    },
    /// Something shown to a cortex, or felt by it, that does not fit.
    #[error("simulated cortex: {what} is {got}, expected {expected}")]
    Input {
        /// Which input.
        what: &'static str,
        /// What it must be.
        expected: String,
        /// What it is.
        got: String,
    },
    /// A recording whose truth is not known.
    #[error("{recording}: no simulation is described in it ({why}); only recordings that `simulate` made have a known truth")]
    NotSimulated {
        /// The recording.
        recording: String,
        /// What is missing.
        why: String,
    },
    /// A stimulus that cannot be made.
    #[error(transparent)]
    Stimulus(#[from] striate_stimulus::Error),
    /// The recording could not be written or read.
    #[error(transparent)]
    Recording(#[from] striate_recording::Error),
}
