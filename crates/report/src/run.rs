//! The page of a run: what was trained on what, and how the objective went.

use striate_analysis::{Column, Table};

use crate::chart::{Axis, Chart, Data, Scale, Series};
use crate::error::Error;
use crate::page::{Page, Section};
use crate::ticks::significant;

/// A training run, as its folder tells it.
#[derive(Debug, Clone, Default)]
pub struct Run {
    /// The run's name, such as its folder's.
    pub name: String,
    /// Version of striate that began it.
    pub version: String,
    /// Where the recording was.
    pub recording: String,
    /// Its content hash.
    pub recording_sha256: String,
    /// Machine it was begun on, where that is known.
    pub machine: Option<String>,
    /// Seed of all that is drawn.
    pub seed: u64,
    /// Preset as used, all values.
    pub preset: String,
    /// Epochs it is meant to have.
    pub planned: usize,
    /// Burn-in frames of each clip.
    pub burnin: usize,
    /// What a frame of a unit is scored by.
    pub loss: Loss,
    /// Finished epochs, in order.
    pub epochs: Vec<FinishedEpoch>,
    /// Files of weights and their hashes.
    pub weights: Vec<(String, String)>,
}

/// What the prediction p of a response r is scored by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Loss {
    /// p - r log p: the Poisson likelihood up to what does not depend on p.
    #[default]
    Poisson,
    /// (p - r) squared.
    SquaredError,
}

impl Loss {
    /// Its name, and its formula in words.
    fn words(self) -> [&'static str; 2] {
        match self {
            Loss::Poisson => ["Poisson loss", "The Poisson loss of a prediction p of a response r is p - r log p, up to what does not depend on p"],
            Loss::SquaredError => ["squared error", "The squared error of a prediction p of a response r is (p - r)²"],
        }
    }
}

/// One epoch finished.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FinishedEpoch {
    /// Counts from 1.
    pub epoch: usize,
    /// Learning rate.
    pub learning_rate: f64,
    /// Mean objective of its steps.
    pub training: f64,
    /// Objective of the validation clips after it, if there are any.
    pub validation: Option<f64>,
}

/// Makes the page of a run; a run that has not finished an epoch has one too.
///
/// # Errors
/// [`Error::Table`] never in practice: the columns are equally long by construction.
pub fn run(run: &Run) -> Result<Page, Error> {
    let mut page = Page::new(format!("Run {}", run.name))
        .fact("epochs", format!("{} of {} finished", run.epochs.len(), run.planned))
        .fact("seed", run.seed)
        .fact("striate", &run.version)
        .fact("machine it was begun on", run.machine.as_deref().unwrap_or("not recorded"))
        .fact("recording", &run.recording)
        .fact("recording, SHA-256", &run.recording_sha256);
    for (file, hash) in &run.weights {
        page = page.fact(format!("{file}, SHA-256"), hash);
    }
    page.summary = summary(run);
    let page = page.section(curves(run)?);
    Ok(page.section(Section::new("Preset").text("Every value the run was made with, defaults included.").listing(&run.preset)))
}

/// The result in words.
fn summary(run: &Run) -> String {
    let Some(last) = run.epochs.last() else { return "No epoch is finished yet.".into() };
    let best = best(&run.epochs).map(|(epoch, value)| format!("; lowest on validation clips {} after epoch {epoch}", significant(value)));
    let going = if run.epochs.len() < run.planned { ". The run is not finished" } else { "" };
    format!("Objective {} in epoch {}{}{going}.", significant(last.training), last.epoch, best.unwrap_or_default())
}

/// Epoch of the lowest validation objective, and that.
fn best(epochs: &[FinishedEpoch]) -> Option<(usize, f64)> {
    let validated = epochs.iter().filter_map(|e| Some((e.epoch, e.validation.filter(|v| v.is_finite())?)));
    validated.min_by(|a, b| a.1.total_cmp(&b.1))
}

fn curves(run: &Run) -> Result<Section, Error> {
    let [loss, formula] = run.loss.words();
    let (objective, rate) = charts(loss, &run.epochs);
    let section = Section::new("Learning").chart(objective).chart(rate).computed(format!(
        "Objective of an epoch: the {loss} averaged over the units, over the frames after the first {burnin} of each clip (burn-in, in which \
         the network's state settles), and over the clips of a step; \"training\" is its mean over the epoch's steps, each taken before the step \
         changes the weights, \"validation\" that of clips from trials that are never trained on, after the epoch. {formula} \
         (Wang et al. 2025, Methods).\n\n\
         The weights called best are those after the epoch of the lowest validation objective. NaN responses are left out of every mean.\n\n\
         Learning rate: rises over the warm-up epochs, then falls along a cosine to the end of the cycle.",
        burnin = run.burnin
    ));
    let column = |of: fn(&FinishedEpoch) -> f64| Column::Float(run.epochs.iter().map(of).collect());
    let table = Table::new()
        .with("epoch", run.epochs.iter().map(|e| e.epoch as i64).collect::<Vec<_>>())?
        .with("learning rate", column(|e| e.learning_rate))?
        .with("training objective", column(|e| e.training))?
        .with("validation objective", column(|e| e.validation.unwrap_or(f64::NAN)))?;
    Ok(section.table("epochs", table))
}

/// Learning curves: objective and learning rate by epoch.
fn charts(loss: &str, epochs: &[FinishedEpoch]) -> (Chart, Chart) {
    let x = || Axis::new("epoch", "").scaled(Scale::Whole);
    let places: Vec<f64> = epochs.iter().map(|e| e.epoch as f64).collect();
    let series = |name: &str, of: fn(&FinishedEpoch) -> f64| Series::new(name, places.clone(), epochs.iter().map(of).collect());
    let mut curves = vec![series("training", |e| e.training)];
    if epochs.iter().any(|e| e.validation.is_some()) {
        curves.push(series("validation", |e| e.validation.unwrap_or(f64::NAN)));
    }
    let objective = Chart::new("Objective", x(), Axis::new(loss, "per unit and frame"), Data::Lines { series: curves });
    let rate = vec![series("learning rate", |e| e.learning_rate)];
    (objective, Chart::new("Learning rate", x(), Axis::new("learning rate", ""), Data::Lines { series: rate }))
}
