//! Decode: the class of every sample, predicted by a classifier that has not seen it (nested cross-validation).

use ndarray::{ArrayView2, Axis};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::confusion::Confusion;
use super::folds::{grouped_folds, leave_one_group_out, stratified_folds};
use super::labels::Labels;
use super::logistic::{LogisticConfig, Problem, check_features};
use crate::error::Error;

/// Settings of a decoding. What the paper states is ten outer and ten inner folds; the rest is our choice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DecodeConfig {
    /// Outer folds: each is predicted once. Not used with groups, which are folds themselves.
    pub folds: usize,
    /// Inner folds, within the rest of each outer one: they choose C.
    pub inner_folds: usize,
    /// Values of C to choose from (see [`LogisticConfig::strength`]), ascending.
    pub strengths: Vec<f64>,
    /// Whether all classes count the same in the objective.
    pub balanced: bool,
    /// Seed of the folds.
    pub seed: u64,
}

impl Default for DecodeConfig {
    /// 10 x 10 folds, ten values of C from 1e-4 to 1e4, no class weights.
    fn default() -> Self {
        let strengths = (0..10).map(|i| 10f64.powf(f64::from(i) * 8.0 / 9.0 - 4.0)).collect();
        Self { folds: 10, inner_folds: 10, strengths, balanced: false, seed: 0 }
    }
}

impl DecodeConfig {
    fn check(&self) -> Result<(), Error> {
        for (field, folds) in [("folds", self.folds), ("inner_folds", self.inner_folds)] {
            if folds < 2 {
                return Err(Error::Config { field, expected: "at least 2", got: folds.to_string() });
            }
        }
        let good = |c: &f64| c.is_finite() && *c > 0.0;
        if self.strengths.is_empty() || !self.strengths.iter().all(good) || !self.strengths.is_sorted() {
            let (expected, got) = ("at least one finite number above 0, ascending", format!("{:?}", self.strengths));
            return Err(Error::Config { field: "strengths", expected, got });
        }
        Ok(())
    }

    fn logistic(&self) -> LogisticConfig {
        LogisticConfig { balanced: self.balanced, ..LogisticConfig::default() }
    }
}

/// What was predicted of held-out samples.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// Predicted class of each sample `[n]`.
    pub predicted: Vec<usize>,
    /// Outer fold that each sample was held out in `[n]`.
    pub fold: Vec<usize>,
    /// C chosen for each outer fold.
    pub strength: Vec<f64>,
    /// Outer folds whose classifier did not converge.
    pub unconverged: usize,
}

impl Decoded {
    /// Predictions of all folds together.
    pub fn confusion(&self, labels: &Labels) -> Confusion {
        Confusion::new(labels, &self.predicted)
    }
}

/// Predicts the class of every sample from features x [n, d]. Outer folds are stratified or, with `groups`, leave one group out; in
/// each, the C of highest balanced accuracy, a mean over inner folds, is chosen within the rest, smaller C first where scores tie.
/// Inner folds keep groups together too, where more than one is left. The result does not depend on the number of threads.
///
/// # Errors
/// [`Error::Shape`], [`Error::Feature`] and [`Error::Config`] as their names say; [`Error::OneClass`]; [`Error::RareClass`] for a
/// class with fewer samples than there are folds; [`Error::OneGroup`] for a class that lies in one group.
pub fn decode(x: ArrayView2<f32>, labels: &Labels, groups: Option<&Labels>, config: &DecodeConfig) -> Result<Decoded, Error> {
    config.check()?;
    check_features(x, labels.len())?;
    let fold = outer_folds(labels, groups, config)?;
    let outer: Vec<Outer> = (0..=fold.iter().copied().max().unwrap_or(0)).map(|f| Outer::new(f, &fold, labels, groups, config)).collect();
    // Outer and inner folds in one list: no thread waits for the slowest outer fold.
    let inner: Vec<(usize, usize)> = outer.iter().enumerate().flat_map(|(f, o)| (0..o.inner_folds).map(move |i| (f, i))).collect();
    let scores: Vec<Vec<f64>> = inner.par_iter().map(|&(f, i)| outer[f].scores(i, x, labels, config)).collect();
    let chosen: Vec<f64> = (0..outer.len())
        .map(|f| {
            let own = inner.iter().zip(&scores).filter(|((of, _), _)| *of == f).map(|(_, scores)| scores);
            best(own, &config.strengths)
        })
        .collect();
    let predicted: Vec<(Vec<usize>, bool)> = outer.par_iter().zip(&chosen).map(|(o, &strength)| o.predict(strength, x, labels, config)).collect();
    let mut decoded = Decoded { predicted: vec![0; labels.len()], fold, strength: chosen, unconverged: 0 };
    for (outer, (predicted, converged)) in outer.iter().zip(predicted) {
        outer.held.iter().zip(predicted).for_each(|(&sample, class)| decoded.predicted[sample] = class);
        decoded.unconverged += usize::from(!converged);
    }
    Ok(decoded)
}

fn outer_folds(labels: &Labels, groups: Option<&Labels>, config: &DecodeConfig) -> Result<Vec<usize>, Error> {
    let members = labels.members();
    let mut there = labels.classes.iter().zip(&members).filter(|(_, samples)| !samples.is_empty());
    if let (Some((class, _)), None) = (there.next(), there.next()) {
        return Err(Error::OneClass { class: class.clone(), samples: labels.len() });
    }
    if let Some(groups) = groups {
        return leave_one_group_out(labels, groups);
    }
    match labels.classes.iter().zip(&members).find(|(_, samples)| (1..config.folds).contains(&samples.len())) {
        Some((class, samples)) => Err(Error::RareClass { class: class.clone(), samples: samples.len(), folds: config.folds }),
        None => Ok(stratified_folds(labels, config.folds, config.seed)),
    }
}

/// One outer fold: what is held out, the rest, and the rest's inner folds.
struct Outer {
    held: Vec<usize>,
    rest: Vec<usize>,
    /// Inner fold of each sample of the rest.
    inner: Vec<usize>,
    inner_folds: usize,
}

impl Outer {
    fn new(f: usize, fold: &[usize], labels: &Labels, groups: Option<&Labels>, config: &DecodeConfig) -> Self {
        let (held, rest): (Vec<usize>, Vec<usize>) = (0..fold.len()).partition(|&sample| fold[sample] == f);
        let of = |all: &Labels| Labels { classes: all.classes.clone(), of: rest.iter().map(|&sample| all.of[sample]).collect() };
        let seed = config.seed.wrapping_add(1 + f as u64);
        let several = |groups: &Labels| groups.of.iter().any(|&g| g != groups.of[0]);
        let inner = match groups.map(of) {
            Some(groups) if several(&groups) => grouped_folds(&groups, config.inner_folds, seed),
            _ => stratified_folds(&of(labels), config.inner_folds, seed),
        };
        let inner_folds = inner.iter().max().map_or(0, |last| last + 1);
        Self { held, rest, inner, inner_folds }
    }

    /// Balanced accuracy on inner fold `i` at every strength.
    fn scores(&self, i: usize, x: ArrayView2<f32>, labels: &Labels, config: &DecodeConfig) -> Vec<f64> {
        let side = |held: bool| self.rest.iter().zip(&self.inner).filter(move |(_, f)| (**f == i) == held).map(|(&sample, _)| sample);
        let (train, held): (Vec<usize>, Vec<usize>) = (side(false).collect(), side(true).collect());
        let problem = problem(&train, x, labels, config);
        let samples = problem.design(x.select(Axis(0), &held).view());
        let truth = Labels { classes: labels.classes.clone(), of: held.iter().map(|&sample| labels.of[sample]).collect() };
        let mut parameters = problem.start();
        let mut score = |&strength: &f64| {
            parameters = problem.fit(strength, std::mem::take(&mut parameters)).at;
            Confusion::new(&truth, &problem.predict(&parameters, &samples)).balanced_accuracy()
        };
        config.strengths.iter().map(&mut score).collect()
    }

    /// Classes predicted for what is held out, and whether the search for the classifier converged.
    fn predict(&self, strength: f64, x: ArrayView2<f32>, labels: &Labels, config: &DecodeConfig) -> (Vec<usize>, bool) {
        let problem = problem(&self.rest, x, labels, config);
        let found = problem.fit(strength, problem.start());
        (problem.predict(&found.at, &problem.design(x.select(Axis(0), &self.held).view())), found.converged)
    }
}

fn problem(train: &[usize], x: ArrayView2<f32>, labels: &Labels, config: &DecodeConfig) -> Problem {
    let class: Vec<usize> = train.iter().map(|&sample| labels.of[sample]).collect();
    Problem::new(x.select(Axis(0), train).view(), &class, labels.classes.len(), &config.logistic())
}

/// The strength of highest mean score; the first of equals.
fn best<'a>(scores: impl Iterator<Item = &'a Vec<f64>>, strengths: &[f64]) -> f64 {
    let mut total = vec![0.0; strengths.len()];
    for scores in scores {
        total.iter_mut().zip(scores).for_each(|(total, score)| *total += score);
    }
    let first = (0..total.len()).fold(0, |best, i| if total[i] > total[best] { i } else { best });
    strengths[first]
}
