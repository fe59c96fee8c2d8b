//! What can go wrong while training.

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A trial that no clip fits in.
    #[error("trial {trial} has {frames} frames, clips take {sample_size}; leave such trials out, or set loader.sample_size to at most {frames}")]
    ShortTrial {
        /// Trial.
        trial: String,
        /// Its frames.
        frames: usize,
        /// Frames of a clip.
        sample_size: usize,
    },
    /// No trial to train on.
    #[error("the recording has no trial of tier {tier}")]
    NoTrials {
        /// Tier.
        tier: &'static str,
    },
    /// A response that a Poisson loss has no meaning for.
    #[error(
        "trial {trial}, frame {frame}, unit {unit}: the response is {response}, expected 0 or more for a Poisson loss; clip responses at zero, or set model.unit=elu_mse"
    )]
    Negative {
        /// Trial.
        trial: String,
        /// Frame of the trial, from 0.
        frame: usize,
        /// Unit id.
        unit: String,
        /// The response.
        response: f32,
    },
    /// Clips without a single measured response after burn-in.
    #[error("epoch {epoch}: no response is measured after burn-in in trials {trials}; lower objective.burnin_frames or leave these trials out")]
    NothingMeasured {
        /// Epoch, from 1.
        epoch: usize,
        /// Trials of the step.
        trials: String,
    },
    /// A loss that is not finite.
    #[error(
        "epoch {epoch}, {during}: the loss of unit {unit} in trial {trial}, frame {frame} is {loss}; look at that unit's responses, or lower optimizer.lr"
    )]
    NonFinite {
        /// Epoch, from 1.
        epoch: usize,
        /// Step, from 0, or validation.
        during: String,
        /// Trial.
        trial: String,
        /// Frame of the trial.
        frame: usize,
        /// Unit id.
        unit: String,
        /// The loss.
        loss: f32,
    },
    /// A gradient that is not finite.
    #[error("epoch {epoch}, step {step}: the gradient of {parameter} is not finite (trials {trials}); lower optimizer.lr")]
    NonFiniteGradient {
        /// Parameter.
        parameter: String,
        /// Epoch, from 1.
        epoch: usize,
        /// Step, from 0.
        step: usize,
        /// Trials of the step.
        trials: String,
    },
    /// A recording that cannot share a core with the first of the cohort.
    #[error("{recording}: its {what} is {got}; expected {expected}, as in {first}")]
    Unlike {
        /// Recording.
        recording: String,
        /// What differs.
        what: &'static str,
        /// The first one's.
        expected: String,
        /// This one's.
        got: String,
        /// First recording of the cohort.
        first: String,
    },
    /// Something is wrong with one recording of a cohort.
    #[error("{recording}: {source}")]
    Member {
        /// Recording.
        recording: String,
        /// What is wrong.
        source: Box<Error>,
    },
    /// Not as many recordings as members.
    #[error("the run trains {expected} recordings, got {got}")]
    Recordings {
        /// Members.
        expected: usize,
        /// Recordings given.
        got: usize,
    },
    /// A part of the cohort that stopped.
    #[error("another process of the cohort is gone; resume the run")]
    Gone,
    /// A preset of no known name.
    #[error("there is no preset {name}; use paper, published, small or tiny, or a file ending in .toml, .yaml or .yml")]
    PresetName {
        /// Name asked for.
        name: String,
    },
    /// A preset file that cannot be read.
    #[error("{path}: {problem}")]
    PresetFile {
        /// File, or name of the preset.
        path: String,
        /// What is wrong, and in which line.
        problem: String,
    },
    /// A setting of no known key.
    #[error("{origin}: there is no setting {key}; the nearest are {nearest}")]
    PresetKey {
        /// File, preset or override.
        origin: String,
        /// Key given.
        key: String,
        /// Known keys most like it.
        nearest: String,
    },
    /// A shortened key that several settings end in.
    #[error("override: {key} may be any of {candidates}; write more of it")]
    PresetAmbiguous {
        /// Key given.
        key: String,
        /// Settings that end in it.
        candidates: String,
    },
    /// An override without a value.
    #[error("override: expected key=value such as optimizer.lr=0.05, got {text}")]
    PresetOverride {
        /// What was given.
        text: String,
    },
    /// A setting of the wrong type or out of range.
    #[error("{origin}: {key} is {got}, expected {expected}")]
    PresetValue {
        /// File, preset or override.
        origin: String,
        /// Dotted key.
        key: String,
        /// What it must be.
        expected: String,
        /// What it is.
        got: String,
    },
    /// The recording could not be read.
    #[error(transparent)]
    Recording(#[from] striate_recording::Error),
    /// The network refused.
    #[error(transparent)]
    Model(#[from] striate_model::Error),
}

impl Error {
    /// The same, saying which recording of a cohort it is about.
    pub(crate) fn of_recording(self, recording: &striate_recording::Recording) -> Self {
        Self::Member { recording: recording.path().display().to_string(), source: Box::new(self) }
    }
}
