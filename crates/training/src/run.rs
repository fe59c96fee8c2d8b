//! Training as an iterator of epochs. It prints, plots and saves nothing: the caller decides.

use crate::batch;
use crate::collective::{Alone, Collective, Contribution, mean, mean_objective, shared};
use crate::config::Preset;
use crate::error::Error;
use crate::member::{Member, Place};
use crate::optimizer::SgdClip;
use crate::recipe::Recipe;
use crate::schedule::learning_rate;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};
use striate_model::Network;
use striate_recording::{Recording, Tier};

/// A training run under way: everything a checkpoint must hold.
#[derive(Clone, Debug)]
pub struct Training {
    pub(crate) preset: Preset,
    pub(crate) recipe: Recipe,
    pub(crate) members: Vec<Member>,
    /// Members in all, also those in other processes.
    pub(crate) world: usize,
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
    /// Epochs finished since then.
    #[serde(default)]
    pub since_best: usize,
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
        /// Objective before the step, mean over the cohort.
        objective: f64,
        /// How long the step waited for its clips, which are read in the background.
        waited: Duration,
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
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
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
    /// Validation objective of each member of a cohort, in order of rank.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<Option<f64>>,
}

/// How a call to [`Training::epoch`] ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The epoch is finished.
    Epoch(Epoch),
    /// The observer asked to stop; the run can be saved and resumed.
    Interrupted,
    /// All epochs were finished before.
    Done,
}

impl Training {
    /// Starts with members; recipes call it.
    pub(crate) fn new(preset: Preset, recipe: Recipe, members: Vec<Member>, world: usize) -> Self {
        Self { preset, recipe, members, world, progress: Progress::default() }
    }

    /// The network as trained so far; the first one of a cohort.
    pub fn network(&self) -> &Network {
        &self.members[0].network
    }

    /// The networks of all members in this process, in order of rank.
    pub fn networks(&self) -> impl Iterator<Item = &Network> {
        self.members.iter().map(|member| &member.network)
    }

    /// What the run is set by.
    pub fn preset(&self) -> &Preset {
        &self.preset
    }

    /// How its networks come to fit.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
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

    /// Whether nothing is left to train: all epochs are finished, or validation has not been lower for `scheduler.patience` of them.
    pub fn done(&self) -> bool {
        let patience = self.preset.scheduler.patience;
        self.finished() >= self.epochs() || (patience > 0 && self.progress.since_best >= patience)
    }

    /// Trains for one epoch, or for what is left of an interrupted one, and validates. `recordings` are those of the members in this
    /// process, in order of rank.
    pub fn epoch(&mut self, recordings: &[Recording], observe: &mut Observe) -> Result<Outcome, Error> {
        self.epoch_with(recordings, &mut Alone, observe)
    }

    /// The same where other processes train other members of the cohort.
    pub fn epoch_with(&mut self, recordings: &[Recording], collective: &mut dyn Collective, observe: &mut Observe) -> Result<Outcome, Error> {
        if recordings.len() != self.members.len() {
            return Err(Error::Recordings { expected: self.members.len(), got: recordings.len() });
        }
        if self.done() {
            return Ok(Outcome::Done);
        }
        let (cycle, epoch, steps) = (self.progress.cycle, self.progress.epoch, self.preset.loader.training_size);
        let lr = learning_rate(&self.preset.scheduler, self.preset.optimizer.lr, cycle, epoch);
        let todo = self.draws(recordings, Tier::Train, steps)?.split_off(self.progress.step * self.members.len());
        let flow = std::thread::scope(|scope| {
            let batches = batch::prefetch(scope, todo, self.preset.loader.sample_size);
            while self.progress.step < steps {
                let (objective, waited) = self.step(recordings, &mut batches.iter(), collective, lr)?;
                let step = Step::Trained { step: self.progress.step, steps, objective, waited };
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
        match self.validate(recordings, collective, observe)? {
            ControlFlow::Break(()) => Ok(Outcome::Interrupted),
            ControlFlow::Continue(validation) => Ok(Outcome::Epoch(self.finish_epoch(lr, &validation))),
        }
    }

    /// Clips of an epoch: batch by batch, and in each, member by member.
    fn draws<'a>(&self, recordings: &'a [Recording], tier: Tier, batches: usize) -> Result<Vec<(&'a Recording, batch::Draw)>, Error> {
        let mut of_members = Vec::new();
        for (member, recording) in self.members.iter().zip(recordings) {
            let draws = batch::draws(recording, tier, &self.preset, batches, self.seed(member))?;
            if draws.is_empty() && tier == Tier::Train {
                return Err(Error::NoTrials { tier: "train" });
            }
            of_members.push((recording, draws.into_iter()));
        }
        let mut all = Vec::with_capacity(batches * recordings.len());
        for _ in 0..batches {
            all.extend(of_members.iter_mut().filter_map(|(recording, draws)| Some((*recording, draws.next()?))));
        }
        Ok(all)
    }

    /// Seed of a member's epoch under way, the same before training and before validation (reference implementation).
    fn seed(&self, member: &Member) -> u64 {
        self.preset.optimizer.seed.wrapping_add((member.rank + self.world * self.finished()) as u64)
    }

    /// One gradient step of every member; returns the mean objective before it, and how long it waited for clips.
    fn step(
        &mut self,
        recordings: &[Recording],
        batches: &mut dyn Iterator<Item = Result<batch::Batch, Error>>,
        collective: &mut dyn Collective,
        lr: f64,
    ) -> Result<(f64, Duration), Error> {
        let mut waited = Duration::ZERO;
        let place = Place { epoch: self.finished() + 1, step: self.progress.step };
        let mut contributions = Vec::new();
        for (member, recording) in self.members.iter_mut().zip(recordings) {
            let began = Instant::now();
            let batch = batches.next().ok_or(Error::NoTrials { tier: "train" })??;
            waited += began.elapsed();
            let found = member.gradients(recording, &batch, &self.preset, self.recipe.frozen(), place);
            let (objective, gradients) = found.map_err(|e| if self.world > 1 { e.of_recording(recording) } else { e })?;
            let shares = |name: &str| self.recipe.shared().is_some_and(|share| share.contain(name));
            let told = self.recipe.shared().map_or_else(Vec::new, |share| shared(member.network.params(), &gradients, share));
            contributions.push(Contribution { rank: member.rank, objective, gradients: told });
            // private parameters wait for nobody
            member.optimizer.step_those(member.network.params_mut(), &gradients, lr, |name| !shares(name));
        }
        let all = collective.gather(contributions)?;
        self.step_shared(&all, lr);
        Ok((mean_objective(&all).ok_or(Error::Gone)?, waited))
    }

    /// Moves the shared parameters by the mean of all gradients. The first member steps, the others point to what it has.
    fn step_shared(&mut self, all: &[Contribution], lr: f64) {
        let Some(share) = self.recipe.shared() else { return };
        let Some((first, others)) = self.members.split_first_mut() else { return };
        let gradients = mean(first.network.params(), all);
        first.optimizer.step(first.network.params_mut(), &gradients, lr);
        for (param, gradient) in first.network.params().iter().zip(gradients.iter()) {
            if gradient.is_none() || !share.contain(&param.name) {
                continue;
            }
            for other in others.iter_mut() {
                if let Some(theirs) = other.network.params_mut().get_mut(&param.name) {
                    theirs.value = param.value.clone();
                }
            }
        }
    }

    /// Mean objective over validation batches, mean over members, and that of each member.
    fn validate(
        &self,
        recordings: &[Recording],
        collective: &mut dyn Collective,
        observe: &mut Observe,
    ) -> Result<ControlFlow<(), Vec<Contribution>>, Error> {
        let batches = self.preset.loader.validation_size * self.members.len();
        let draws = self.draws(recordings, Tier::Validation, self.preset.loader.validation_size)?;
        let of: Vec<usize> = draws.iter().filter_map(|(r, _)| recordings.iter().position(|own| std::ptr::eq(*r, own))).collect();
        let mut sums = vec![(0.0, 0usize); self.members.len()];
        let flow = std::thread::scope(|scope| {
            for (done, (batch, m)) in batch::prefetch(scope, draws, self.preset.loader.sample_size).into_iter().zip(of).enumerate() {
                let scored = self.members[m].score(&recordings[m], &batch?, &self.preset, self.finished() + 1);
                if let Some(objective) = scored.map_err(|e| if self.world > 1 { e.of_recording(&recordings[m]) } else { e })? {
                    sums[m] = (sums[m].0 + objective, sums[m].1 + 1);
                }
                if observe(&Step::Validated { batch: done + 1, batches }).is_break() && done + 1 < batches {
                    return Ok(ControlFlow::Break(()));
                }
            }
            Ok::<_, Error>(ControlFlow::Continue(()))
        })?;
        if flow.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        let own = self.members.iter().zip(sums).map(|(member, (sum, count))| {
            let objective = if count > 0 { sum / count as f64 } else { f64::NAN };
            Contribution { rank: member.rank, objective, gradients: Vec::new() }
        });
        Ok(ControlFlow::Continue(collective.gather(own.collect())?))
    }

    fn finish_epoch(&mut self, lr: f64, validation: &[Contribution]) -> Epoch {
        let training_objective = self.progress.objective_sum / self.preset.loader.training_size as f64;
        let validation_objective = mean_objective(validation);
        let best = validation_objective.is_some_and(|v| self.progress.best.is_none_or(|b| v < b));
        let cycle = self.progress.cycle;
        if best {
            (self.progress.best, self.progress.since_best) = (validation_objective, 0);
        } else {
            self.progress.since_best += 1;
        }
        (self.progress.step, self.progress.objective_sum) = (0, 0.0);
        self.progress.epoch += 1;
        let epoch = self.finished();
        if self.progress.epoch == self.preset.scheduler.cycle_size {
            (self.progress.cycle, self.progress.epoch) = (cycle + 1, 0);
            // a new cycle goes on from the same weights with fresh momentum
            for member in &mut self.members {
                member.optimizer = SgdClip::new(self.preset.optimizer.clone(), member.network.params());
            }
        }
        let of_members = if self.world > 1 { validation } else { &[] };
        let members = of_members.iter().map(|c| (!c.objective.is_nan()).then_some(c.objective)).collect();
        Epoch { epoch, cycle, lr, training_objective, validation_objective, best, members }
    }
}
