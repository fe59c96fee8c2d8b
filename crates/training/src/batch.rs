//! Clips: which windows of which trials a step sees, drawn from the epoch's seed, and read ahead of the step.

use crate::config::{LoaderConfig, Preset};
use crate::error::Error;
use ndarray::Axis;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::Scope;
use striate_recording::{Recording, Tier, split};

/// What one step sees: N windows, one stream, one seed for all other randomness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draw {
    /// (trial, first frame) of each clip.
    pub windows: Vec<(usize, usize)>,
    /// Stream trained in this step.
    pub stream: usize,
    /// Seed of monitor noise, readout positions and dropout.
    pub seed: u64,
}

/// Clips of one step, time-major.
#[derive(Clone, Debug)]
pub struct Batch {
    /// What was drawn.
    pub draw: Draw,
    /// Video [T, N, H, W, C].
    pub video: Vec<u8>,
    /// Eye position [T, N, P].
    pub eye: Vec<f32>,
    /// Behaviour [T, N, M].
    pub behavior: Vec<f32>,
    /// Responses [T, N, U], NaN where unmeasured.
    pub responses: Vec<f32>,
}

/// Trials of a tier that a run uses. Of the training trials, `loader.train_fraction` are drawn by the run's seed, at least one; a smaller
/// fraction's are among those of a larger one (data-scaling studies; how they are drawn is our choice).
pub fn trials(recording: &Recording, tier: Tier, preset: &Preset) -> Vec<usize> {
    let all = recording.trials_of(tier);
    if tier != Tier::Train || preset.loader.train_fraction >= 1.0 || all.is_empty() {
        return all;
    }
    let fraction = preset.loader.train_fraction.max(1.0 / all.len() as f64);
    let drawn = split::draw(all.len(), fraction, preset.optimizer.seed);
    all.into_iter().zip(drawn).filter_map(|(trial, drawn)| drawn.then_some(trial)).collect()
}

/// Draws the steps of an epoch: trials uniformly with replacement, starts uniformly (the last possible start is left out,
/// as in the reference), streams uniformly.
pub fn draws(recording: &Recording, tier: Tier, preset: &Preset, batches: usize, seed: u64) -> Result<Vec<Draw>, Error> {
    let trials = trials(recording, tier, preset);
    let LoaderConfig { sample_size, batch_size, .. } = preset.loader;
    check_lengths(recording, &trials, sample_size)?;
    if trials.is_empty() {
        return Ok(Vec::new());
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let window = |rng: &mut ChaCha8Rng| {
        let trial = trials[rng.random_range(0..trials.len())];
        let spare = recording.trials()[trial].frames - sample_size;
        (trial, if spare > 0 { rng.random_range(0..spare) } else { 0 })
    };
    let draw = |_| Draw {
        windows: (0..batch_size).map(|_| window(&mut rng)).collect(),
        stream: if preset.objective.sample_stream { rng.random_range(0..preset.model.streams) } else { 0 },
        seed: rng.random(),
    };
    Ok((0..batches).map(draw).collect())
}

/// Refuses trials that no window fits in.
pub(crate) fn check_lengths(recording: &Recording, trials: &[usize], sample_size: usize) -> Result<(), Error> {
    match trials.iter().map(|t| &recording.trials()[*t]).find(|t| t.frames < sample_size) {
        Some(trial) => Err(Error::ShortTrial { trial: trial.name.clone(), frames: trial.frames, sample_size }),
        None => Ok(()),
    }
}

/// Reads the clips of a step.
pub fn read(recording: &Recording, draw: &Draw, frames: usize) -> Result<Batch, Error> {
    let windows = draw.windows.iter().map(|(trial, start)| recording.window(*trial, *start, frames)).collect::<Result<Vec<_>, _>>()?;
    let mut batch = Batch { draw: draw.clone(), video: Vec::new(), eye: Vec::new(), behavior: Vec::new(), responses: Vec::new() };
    for t in 0..frames {
        for window in &windows {
            batch.video.extend(window.video.index_axis(Axis(0), t));
            batch.eye.extend(window.eye.row(t));
            batch.behavior.extend(window.behavior.row(t));
            batch.responses.extend(window.responses.row(t));
        }
    }
    Ok(batch)
}

/// Reads batches in order on another thread, two ahead of the step that uses them.
pub fn prefetch<'scope, 'env: 'scope>(
    scope: &'scope Scope<'scope, 'env>,
    draws: Vec<(&'env Recording, Draw)>,
    frames: usize,
) -> Receiver<Result<Batch, Error>> {
    let (send, receive) = sync_channel(2);
    let read_all = move || {
        for (recording, draw) in draws {
            let batch = read(recording, &draw, frames);
            let failed = batch.is_err();
            if send.send(batch).is_err() || failed {
                return; // the step stopped listening, or there is nothing more to say
            }
        }
    };
    scope.spawn(move || {
        // what reads in parallel does so among threads of its own: the others may be waiting for what it reads
        match rayon::ThreadPoolBuilder::new().num_threads(1).build() {
            Ok(own) => own.install(read_all),
            Err(_) => read_all(), // no more threads to be had: those that there are
        }
    });
    receive
}
