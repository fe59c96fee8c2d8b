//! Predictive accuracy of a unit: CC_abs, CC_max and CC_norm (Schoppe et al. 2016, as in the paper's Methods).
//!
//! A unit's test responses are a matrix [R repeats, samples] in which NaN is a sample that was not measured; the prediction has
//! the same shape, since the network is shown each trial with its own eye and behaviour traces.

use ndarray::{ArrayView2, Axis};
use rayon::prelude::*;

use crate::error::Error;
use crate::repeats::Repeats;
use crate::statistics::{is_constant, mean, median_valid, pearson, variance};
use crate::table::{Column, Table};

/// Mean over trials of what was measured: [R, samples] -> `[samples]`, NaN where no trial was.
fn trial_mean(trials: ArrayView2<f64>) -> Vec<f64> {
    trials.axis_iter(Axis(1)).map(|sample| mean(&sample.to_vec())).collect()
}

/// Correlation of the trial averages of prediction and response, both [R, samples].
///
/// NaN where it is not defined: the numbers of samples differ, fewer than two samples are left, or one of the averages is constant.
pub fn cc_abs(prediction: ArrayView2<f64>, response: ArrayView2<f64>) -> f64 {
    pearson(&trial_mean(prediction), &trial_mean(response))
}

/// Highest correlation any prediction could have with the trial average, given the noise of the repeats [R, samples].
///
/// The estimator for unequal numbers of repeats of the reference implementation: with t_j trials at sample j,
/// n = sqrt(sum (t_j - 1) / sum ((t_j - 1) / t_j^2)) stands for the number of repeats, the signal power is
/// SP = (n Var(mean) - mean over trials of Var) / (n - 1) with variances over samples, and CC_max = sqrt(SP / Var(mean)).
/// The variances of SP are divided by samples - 1, the last one by samples; so it is there too. It can exceed 1 by noise.
///
/// NaN where it is not defined: no sample was repeated, SP is not positive, or the average is constant.
pub fn cc_max(response: ArrayView2<f64>) -> f64 {
    let average = trial_mean(response);
    if is_constant(&average) {
        return f64::NAN;
    }
    let (mut pairs, mut weighted) = (0.0, 0.0);
    for sample in response.axis_iter(Axis(1)) {
        let trials = sample.iter().filter(|v| !v.is_nan()).count() as f64;
        if trials > 0.0 {
            pairs += trials - 1.0;
            weighted += (trials - 1.0) / (trials * trials);
        }
    }
    let n = (pairs / weighted).sqrt();
    // A trial with fewer than two samples has no variance (NaN) and is left out by the mean.
    let of_trials: Vec<f64> = response.axis_iter(Axis(0)).map(|trial| variance(&trial.to_vec(), 1)).collect();
    let signal_power = (n * variance(&average, 1) - mean(&of_trials)) / (n - 1.0);
    if signal_power > 0.0 { (signal_power / variance(&average, 0)).sqrt() } else { f64::NAN }
}

/// CC_abs / CC_max of one unit; prediction and response [R, samples]. NaN where either is.
pub fn cc_norm(prediction: ArrayView2<f64>, response: ArrayView2<f64>) -> f64 {
    cc_abs(prediction, response) / cc_max(response)
}

/// Correlation of prediction and response over all samples of all trials, without averaging; both [R, samples].
///
/// NaN where it is not defined, as [`cc_abs`].
pub fn single_trial(prediction: ArrayView2<f64>, response: ArrayView2<f64>) -> f64 {
    if prediction.dim() != response.dim() {
        return f64::NAN;
    }
    let flat = |trials: ArrayView2<f64>| trials.iter().copied().collect::<Vec<f64>>();
    pearson(&flat(prediction), &flat(response))
}

/// How well one unit is predicted. NaN where the data do not define a value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UnitCorrelation {
    /// Correlation of the trial averages.
    pub cc_abs: f64,
    /// Its noise ceiling.
    pub cc_max: f64,
    /// Their ratio.
    pub cc_norm: f64,
    /// Correlation over single trials.
    pub single_trial: f64,
}

impl UnitCorrelation {
    /// All correlations of one unit; prediction and response [R, samples].
    ///
    /// # Errors
    /// [`Error::Shape`] if the two differ in shape.
    pub fn new(prediction: ArrayView2<f64>, response: ArrayView2<f64>) -> Result<Self, Error> {
        if prediction.dim() != response.dim() {
            let shape = |v: ArrayView2<f64>| format!("{} repeats of {} samples", v.nrows(), v.ncols());
            return Err(Error::Shape { what: "prediction of a unit".into(), expected: shape(response), got: shape(prediction) });
        }
        let (abs, max) = (cc_abs(prediction, response), cc_max(response));
        Ok(Self { cc_abs: abs, cc_max: max, cc_norm: abs / max, single_trial: single_trial(prediction, response) })
    }
}

/// How well every unit is predicted on one test domain.
#[derive(Debug, Clone, PartialEq)]
pub struct Accuracy {
    /// Name of the test domain, such as "natural movies".
    pub domain: String,
    /// Each unit's correlations, in the order of the responses `[U]`.
    pub units: Vec<UnitCorrelation>,
}

impl Accuracy {
    /// Correlations of every unit on `domain`. Units are independent, so the number of threads changes nothing.
    ///
    /// # Errors
    /// [`Error::Shape`] if prediction and response differ in videos, trials, samples or units.
    pub fn new(domain: impl Into<String>, prediction: &Repeats, response: &Repeats) -> Result<Self, Error> {
        let domain = domain.into();
        prediction.matches(response, &domain)?;
        let units = (0..response.units()).into_par_iter();
        let units = units.map(|u| UnitCorrelation::new(prediction.unit(u).view(), response.unit(u).view())).collect::<Result<_, Error>>()?;
        Ok(Self { domain, units })
    }

    /// Predictive accuracy of the model on this domain: the median of CC_norm over valid units, and how many are valid.
    pub fn median(&self) -> (f64, usize) {
        median_valid(&self.cc_norm())
    }

    /// The same over units whose CC_max is at least `least`. The paper names no such threshold.
    pub fn median_above(&self, least: f64) -> (f64, usize) {
        let kept: Vec<f64> = self.units.iter().filter(|u| u.cc_max >= least).map(|u| u.cc_norm).collect();
        median_valid(&kept)
    }

    /// CC_norm of every unit `[U]`.
    pub fn cc_norm(&self) -> Vec<f64> {
        self.units.iter().map(|u| u.cc_norm).collect()
    }

    /// One row per unit: domain, unit (its index), cc_abs, cc_max, cc_norm, single_trial.
    pub fn table(&self) -> Table {
        let values = |f: fn(&UnitCorrelation) -> f64| Column::Float(self.units.iter().map(f).collect());
        let columns = [
            ("domain", Column::Text(vec![self.domain.clone(); self.units.len()])),
            ("unit", Column::Integer((0..self.units.len() as i64).collect())),
            ("cc_abs", values(|u| u.cc_abs)),
            ("cc_max", values(|u| u.cc_max)),
            ("cc_norm", values(|u| u.cc_norm)),
            ("single_trial", values(|u| u.single_trial)),
        ];
        Table::from_equal(columns)
    }

    /// One row per domain: domain, units, valid, and the medians over valid units of each correlation.
    pub fn summary(domains: &[Accuracy]) -> Table {
        let medians = |f: fn(&UnitCorrelation) -> f64| {
            let of = |a: &Accuracy| median_valid(&a.units.iter().map(f).collect::<Vec<_>>()).0;
            Column::Float(domains.iter().map(of).collect())
        };
        let columns = [
            ("domain", Column::Text(domains.iter().map(|a| a.domain.clone()).collect())),
            ("units", Column::Integer(domains.iter().map(|a| a.units.len() as i64).collect())),
            ("valid", Column::Integer(domains.iter().map(|a| a.median().1 as i64).collect())),
            ("cc_norm", medians(|u| u.cc_norm)),
            ("cc_abs", medians(|u| u.cc_abs)),
            ("cc_max", medians(|u| u.cc_max)),
            ("single_trial", medians(|u| u.single_trial)),
        ];
        Table::from_equal(columns)
    }
}
