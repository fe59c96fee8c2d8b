//! Contrast response: the hyperbolic ratio of Naka and Rushton (1966), as Albrecht and Hamilton (1982) use it for cortex.

use super::curve::{Curves, range};
use super::least_squares::{Bound, fittable, least_squares};
use super::{Fit, Unfit, fit_table};
use crate::error::Error;
use crate::table::Table;

/// Largest exponent; steeper curves are steps to any set of contrasts. Our choice.
const STEEPEST: f64 = 20.0;

/// R(c) = maximum c^n / (c^n + c50^n) + baseline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NakaRushton {
    /// Response to infinite contrast over the baseline, at least 0.
    pub maximum: f64,
    /// Contrast of half the maximum, in the units of the contrasts.
    pub c50: f64,
    /// Exponent n, in [0, 20].
    pub exponent: f64,
    /// Response without contrast.
    pub baseline: f64,
}

impl NakaRushton {
    /// Value at a contrast.
    pub fn at(&self, contrast: f64) -> f64 {
        value(&[self.maximum, self.c50, self.exponent, self.baseline], contrast).0
    }

    /// Least squares on responses `[n]` to contrasts `[n]`, rising; four at least.
    fn fit(contrasts: &[f64], responses: &[f64]) -> Result<Fit<Self>, Unfit> {
        fittable(responses, 4)?;
        let (low, high) = range(responses);
        let unit = high - low;
        let y: Vec<f64> = responses.iter().map(|r| (r - low) / unit).collect();
        let half = contrasts.iter().zip(&y).find(|(c, y)| **c > 0.0 && **y >= 0.5).map_or(contrasts[contrasts.len() - 1], |(c, _)| *c);
        let least = contrasts.iter().copied().find(|c| *c > 0.0).unwrap_or(half) / 100.0;
        let bounds = [Bound::AtLeast(0.0), Bound::AtLeast(least), Bound::Between(0.0, STEEPEST), Bound::Free];
        let curve = |p: &[f64; 4], i: usize| value(p, contrasts[i]);
        let fit = least_squares(&y, &curve, [1.0, half, 2.0, 0.0], &bounds);
        let [maximum, c50, exponent, baseline] = fit.curve;
        let curve = Self { maximum: maximum * unit, c50, exponent, baseline: baseline * unit + low };
        Ok(Fit { curve, mse: fit.mse * unit * unit, converged: fit.converged })
    }
}

/// Value and derivatives by maximum, c50, exponent and baseline.
fn value(&[maximum, c50, exponent, baseline]: &[f64; 4], contrast: f64) -> (f64, [f64; 4]) {
    if contrast <= 0.0 {
        return (baseline, [0.0, 0.0, 0.0, 1.0]);
    }
    let octaves = (contrast / c50).ln();
    let share = 1.0 / (1.0 + (-exponent * octaves).exp());
    let rise = maximum * share * (1.0 - share);
    (maximum * share + baseline, [share, -rise * exponent / c50, rise * octaves, 1.0])
}

/// Naka-Rushton fits of every unit from curves over contrasts of at least 0, in parallel.
///
/// # Errors
/// [`Error::Value`] for a negative contrast.
pub fn contrast_tuning(curves: &Curves) -> Result<Vec<Result<Fit<NakaRushton>, Unfit>>, Error> {
    curves.check_levels("contrasts", true)?;
    Ok(curves.fit(NakaRushton::fit))
}

/// One row per unit: unit, maximum, c50, exponent, baseline, mse, success, reason.
///
/// # Errors
/// None that tuning from [`contrast_tuning`] can cause.
pub fn contrast_table(units: &[Result<Fit<NakaRushton>, Unfit>]) -> Result<Table, Error> {
    fit_table(units, &[("maximum", |c| c.maximum), ("c50", |c| c.c50), ("exponent", |c| c.exponent), ("baseline", |c| c.baseline)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tuning::least_squares::derivative_error;

    #[test]
    fn derivatives_are_those_of_the_curve() {
        let contrasts = [0.0, 0.05, 0.1, 0.3, 1.0];
        let error = derivative_error(&|p: &[f64; 4], i: usize| value(p, contrasts[i]), [1.3, 0.2, 2.4, 0.1], 5);
        assert!(error < 1e-8, "{error}");
        assert!((NakaRushton { maximum: 2.0, c50: 0.3, exponent: 3.0, baseline: 1.0 }.at(0.3) - 2.0).abs() < 1e-15);
    }
}
