//! Likelihood-ratio test: do functional barcodes tell more of a neuron's class than its depth does?

use ndarray::{ArrayView1, ArrayView2, Axis, concatenate};
use serde::Serialize;
use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::labels::Labels;
use super::logistic::{LogisticConfig, logistic_regression};
use crate::error::Error;

/// C of both models: all but unpenalised, yet finite where classes can be told apart without error. Our choice.
const STRENGTH: f64 = 1e6;
/// Gradient at which the search ends: the log-likelihood, not only the class, has to be right.
const TOLERANCE: f64 = 1e-7;
const STEPS: usize = 5000;

/// Outcome of a likelihood-ratio test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LikelihoodRatio {
    /// Log-likelihood with depth alone, nats.
    pub reduced: f64,
    /// Log-likelihood with depth and barcodes, nats.
    pub full: f64,
    /// D, twice the difference.
    pub statistic: f64,
    /// Parameters that the full model has more: d (K - 1).
    pub degrees: f64,
    /// Probability of a D as large or larger if barcodes told nothing, from the chi-square distribution.
    pub p: f64,
    /// Whether both searches converged.
    pub converged: bool,
}

/// Tests barcodes x [n, d] against cortical depth `[n]` alone, both fitted to all samples (paper Methods, "Anatomical predictions
/// from functional weights").
///
/// # Errors
/// As [`logistic_regression`]; [`Error::OneClass`]; [`Error::Shape`] if samples are not more than parameters, where the chi-square
/// distribution says nothing.
pub fn depth_test(x: ArrayView2<f32>, depth: ArrayView1<f32>, labels: &Labels) -> Result<LikelihoodRatio, Error> {
    let there = labels.members().iter().filter(|samples| !samples.is_empty()).count();
    if there < 2 {
        return Err(Error::OneClass { class: labels.classes.first().cloned().unwrap_or_default(), samples: labels.len() });
    }
    let parameters = (x.ncols() + 2) * (there - 1);
    if labels.len() <= parameters {
        let expected = format!("more than {parameters}, the parameters of the full model");
        return Err(Error::Shape { what: "samples of the likelihood-ratio test".into(), expected, got: labels.len().to_string() });
    }
    let reduced = depth.insert_axis(Axis(1));
    let full = concatenate(Axis(1), &[reduced, x]).map_err(|_| Error::Shape {
        what: "depth".into(),
        expected: format!("{} samples as the barcodes have", x.nrows()),
        got: depth.len().to_string(),
    })?;
    let config = LogisticConfig { strength: STRENGTH, tolerance: TOLERANCE, steps: STEPS, ..LogisticConfig::default() };
    let fit = |x: ArrayView2<f32>| logistic_regression(x, &labels.of, labels.classes.len(), &config);
    let (reduced, full) = (fit(reduced)?, fit(full.view())?);
    let statistic = (2.0 * (full.log_likelihood - reduced.log_likelihood)).max(0.0);
    let degrees = (x.ncols() * (there - 1)) as f64;
    let p = ChiSquared::new(degrees).map_or(f64::NAN, |chi| chi.sf(statistic));
    let converged = reduced.converged && full.converged;
    Ok(LikelihoodRatio { reduced: reduced.log_likelihood, full: full.log_likelihood, statistic, degrees, p, converged })
}
