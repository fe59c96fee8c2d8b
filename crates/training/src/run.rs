//! Training as an iterator of epochs. It prints, plots and saves nothing: the caller decides.

use crate::batch::{self, Batch};
use crate::config::Preset;
use crate::error::Error;
use crate::optimizer::SgdClip;
use crate::schedule::learning_rate;
use std::ops::ControlFlow;
use striate_model::objective::{Scored, Targets};
use striate_model::{Clip, Draws, Network, Periphery, Pixels, Streams};
use striate_recording::{Recording, Tier};

/// A training run under way: everything a checkpoint must hold.
#[derive(Clone, Debug)]
pub struct Training {
    pub(crate) preset: Preset,
    pub(crate) network: Network,
    pub(crate) optimizer: SgdClip,
    pub(crate) progress: Progress,
}

/// How far a run is. An interrupted epoch resumes at its next step.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// Cycle under way, from 0.
    pub cycle: usize,
    /// Epoch under way within the cycle, from 0.
    pub epoch: usize,
    /// Steps of that epoch already taken.
    pub step: usize,
    /// Sum of those steps' objectives.
    pub objective_sum: f64,
    /// Lowest validation objective so far.
    pub best: Option<f64>,
}

/// What an observer of an epoch sees.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// A gradient step was taken.
    Trained {
        /// Step within the epoch, from 0.
        step: usize,
        /// Steps in the epoch.
        steps: usize,
        /// Objective before the step.
        objective: f64,
    },
    /// A validation batch was scored.
    Validated {
        /// Batches scored.
        batch: usize,
        /// Batches in all.
        batches: usize,
    },
}

/// Sees every step and every validation batch of an epoch, and may stop the run after it.
pub type Observe<'a> = dyn FnMut(&Step) -> ControlFlow<()> + 'a;

/// One epoch finished.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Epoch {
    /// Epochs finished, all cycles; counts from 1.
    pub epoch: usize,
    /// Cycle, from 0.
    pub cycle: usize,
    /// Learning rate of the epoch.
    pub lr: f64,
    /// Mean training objective of the epoch's steps.
    pub training_objective: f64,
    /// Validation objective after the epoch; none without validation trials.
    pub validation_objective: Option<f64>,
    /// Whether validation has never been lower.
    pub best: bool,
}

/// How a call to [`Training::epoch`] ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// The epoch is finished.
    Epoch(Epoch),
    /// The observer asked to stop; the run can be saved and resumed.
    Interrupted,
    /// All epochs were finished before.
    Done,
}

impl Training {
    /// Starts with a network.
    pub fn new(preset: Preset, network: Network) -> Self {
        let optimizer = SgdClip::new(preset.optimizer.clone(), network.params());
        Self { preset, network, optimizer, progress: Progress::default() }
    }

    /// The network as trained so far.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// What the run is set by.
    pub fn preset(&self) -> &Preset {
        &self.preset
    }

    /// How far the run is.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Epochs of the whole run.
    pub fn epochs(&self) -> usize {
        self.preset.scheduler.cycles * self.preset.scheduler.cycle_size
    }

    /// Epochs finished.
    pub fn finished(&self) -> usize {
        self.progress.cycle * self.preset.scheduler.cycle_size + self.progress.epoch
    }

    /// Trains for one epoch, or for what is left of an interrupted one, and validates.
    pub fn epoch(&mut self, recording: &Recording, observe: &mut Observe) -> Result<Outcome, Error> {
        if self.finished() >= self.epochs() {
            return Ok(Outcome::Done);
        }
        let (cycle, epoch, steps) = (self.progress.cycle, self.progress.epoch, self.preset.loader.training_size);
        let lr = learning_rate(&self.preset.scheduler, self.preset.optimizer.lr, cycle, epoch);
        let draws = batch::draws(recording, Tier::Train, &self.preset, steps, self.seed())?;
        if draws.is_empty() {
            return Err(Error::NoTrials { tier: "train" });
        }
        let frames = self.preset.loader.sample_size;
        let todo = &draws[self.progress.step..];
        let flow = std::thread::scope(|scope| {
            for batch in batch::prefetch(scope, recording, todo, frames) {
                let objective = self.step(recording, &batch?, lr)?;
                let step = Step::Trained { step: self.progress.step, steps, objective };
                self.progress.step += 1;
                self.progress.objective_sum += objective;
                if observe(&step).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            Ok::<_, Error>(ControlFlow::Continue(()))
        })?;
        if flow.is_break() && self.progress.step < steps {
            return Ok(Outcome::Interrupted);
        }
        // an epoch stopped here has taken all its steps; resumed, it validates
        match self.validate(recording, observe)? {
            ControlFlow::Break(()) => Ok(Outcome::Interrupted),
            ControlFlow::Continue(validation_objective) => Ok(Outcome::Epoch(self.finish_epoch(lr, validation_objective))),
        }
    }

    fn finish_epoch(&mut self, lr: f64, validation_objective: Option<f64>) -> Epoch {
        let training_objective = self.progress.objective_sum / self.preset.loader.training_size as f64;
        let best = validation_objective.is_some_and(|v| self.progress.best.is_none_or(|b| v < b));
        let cycle = self.progress.cycle;
        if best {
            self.progress.best = validation_objective;
        }
        (self.progress.step, self.progress.objective_sum) = (0, 0.0);
        self.progress.epoch += 1;
        let epoch = self.finished();
        if self.progress.epoch == self.preset.scheduler.cycle_size {
            (self.progress.cycle, self.progress.epoch) = (cycle + 1, 0);
            // a new cycle goes on from the same weights with fresh momentum
            self.optimizer = SgdClip::new(self.preset.optimizer.clone(), self.network.params());
        }
        Epoch { epoch, cycle, lr, training_objective, validation_objective, best }
    }

    /// Seed of the epoch under way, the same before training and before validation (reference implementation, one rank).
    fn seed(&self) -> u64 {
        self.preset.optimizer.seed.wrapping_add(self.finished() as u64)
    }

    /// One gradient step; returns the objective before it.
    fn step(&mut self, recording: &Recording, batch: &Batch, lr: f64) -> Result<f64, Error> {
        let n = batch.draw.windows.len();
        let draws = Draws::sample(self.network.config(), n, batch.draw.seed);
        let (scored, gradients, _) = self.network.objective(&clip(recording, batch), &self.targets(batch), n, batch.draw.stream, draws, false)?;
        if scored.measured == 0 {
            return Err(Error::NothingMeasured { epoch: self.finished() + 1, trials: trial_names(recording, batch) });
        }
        if !scored.objective.is_finite() {
            return Err(self.non_finite(recording, batch, &scored, format!("step {}", self.progress.step)));
        }
        if let Some((param, _)) =
            self.network.params().iter().zip(gradients.iter()).find(|(_, g)| g.is_some_and(|g| g.iter().any(|v| !v.is_finite())))
        {
            return Err(Error::NonFiniteGradient {
                parameter: param.name.clone(),
                epoch: self.finished() + 1,
                step: self.progress.step,
                trials: trial_names(recording, batch),
            });
        }
        self.optimizer.step(self.network.params_mut(), &gradients, lr);
        Ok(scored.objective)
    }

    fn targets<'a>(&self, batch: &'a Batch) -> Targets<'a> {
        Targets { responses: &batch.responses, burnin: self.preset.objective.burnin_frames }
    }

    /// Names the first entry of the objective that is not finite.
    fn non_finite(&self, recording: &Recording, batch: &Batch, scored: &Scored, during: String) -> Error {
        let (n, u) = (batch.draw.windows.len(), self.network.config().units);
        let bad = scored.losses.iter().zip(&batch.responses).position(|(l, y)| !y.is_nan() && !l.is_finite()).unwrap_or(0);
        let (trial, start) = batch.draw.windows[bad / u % n];
        let unit = unit_id(recording, bad % u);
        Error::NonFinite {
            epoch: self.finished() + 1,
            during,
            trial: recording.trials()[trial].name.clone(),
            frame: start + bad / u / n,
            unit,
            loss: scored.losses[bad],
        }
    }

    /// Mean objective over validation batches, all streams, nothing random; none where nothing was measured.
    fn validate(&self, recording: &Recording, observe: &mut Observe) -> Result<ControlFlow<(), Option<f64>>, Error> {
        let batches = self.preset.loader.validation_size;
        let draws = batch::draws(recording, Tier::Validation, &self.preset, batches, self.seed())?;
        let (mut sum, mut count) = (0.0, 0);
        std::thread::scope(|scope| {
            for (done, batch) in batch::prefetch(scope, recording, &draws, self.preset.loader.sample_size).into_iter().enumerate() {
                let batch = batch?;
                let n = batch.draw.windows.len();
                let scored = self.network.score(&clip(recording, &batch), &self.targets(&batch), n, Streams::All, Draws::none())?;
                if scored.measured > 0 {
                    if !scored.objective.is_finite() {
                        return Err(self.non_finite(recording, &batch, &scored, "validation".into()));
                    }
                    sum += scored.objective;
                    count += 1;
                }
                if observe(&Step::Validated { batch: done + 1, batches }).is_break() && done + 1 < batches {
                    return Ok(ControlFlow::Break(()));
                }
            }
            Ok(ControlFlow::Continue((count > 0).then(|| sum / count as f64)))
        })
    }
}

/// Identifier of a unit.
pub(crate) fn unit_id(recording: &Recording, unit: usize) -> String {
    recording.units().column("id").and_then(|ids| ids.get(unit)).map_or_else(|| unit.to_string(), ToString::to_string)
}

fn clip<'a>(recording: &Recording, batch: &'a Batch) -> Clip<'a> {
    let [height, width, _] = recording.frame_shape();
    Clip { video: Pixels::U8(&batch.video), size: [height, width], eye: &batch.eye, behavior: &batch.behavior, periphery: Periphery::Dark }
}

fn trial_names(recording: &Recording, batch: &Batch) -> String {
    let names: Vec<&str> = batch.draw.windows.iter().map(|(trial, _)| recording.trials()[*trial].name.as_str()).collect();
    names.join(", ")
}
