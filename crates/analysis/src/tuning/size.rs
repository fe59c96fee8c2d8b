//! Size tuning: excitation and a wider suppression, each the integral of a Gaussian (Sceniak et al. 1999).

use std::f64::consts::PI;

use libm::erf;

use super::curve::{Curves, argmax, range};
use super::least_squares::{Bound, fittable, least_squares};
use super::{Fit, Unfit, fit_table};
use crate::error::Error;
use crate::table::Table;

/// Sizes at which the fitted curve is read for its peak.
const GRID: usize = 1000;

/// R(s) = excitation erf(s / centre) - suppression erf(s / (centre + beyond)) + baseline, for a size s (such as a diameter).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SizeCurve {
    /// Strength of excitation, in response units, at least 0.
    pub excitation: f64,
    /// Extent of excitation, in the units of the sizes.
    pub centre: f64,
    /// Strength of suppression, at least 0.
    pub suppression: f64,
    /// By how much suppression reaches further, at least 0.
    pub beyond: f64,
    /// Response to size 0.
    pub baseline: f64,
}

/// Size tuning of one unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SizeTuning {
    /// The curve.
    pub curve: SizeCurve,
    /// Size of the curve's largest value among the sizes shown.
    pub preferred: f64,
    /// Share of the largest value over the baseline by which the largest size falls below it; 0 without suppression.
    pub suppression_index: f64,
}

impl SizeCurve {
    /// Value at a size.
    pub fn at(&self, size: f64) -> f64 {
        value(&[self.excitation, self.centre, self.suppression, self.beyond, self.baseline], size).0
    }
}

impl SizeTuning {
    /// Least squares on responses `[n]` to sizes `[n]`, rising; five at least.
    fn fit(sizes: &[f64], responses: &[f64]) -> Result<Fit<Self>, Unfit> {
        fittable(responses, 5)?;
        let (low, high) = range(responses);
        let unit = high - low;
        let y: Vec<f64> = responses.iter().map(|r| (r - low) / unit).collect();
        let largest = sizes[sizes.len() - 1];
        let preferred = sizes[argmax(&y)].max(largest / 100.0);
        let bounds = [Bound::AtLeast(0.0), Bound::AtLeast(largest / 1000.0), Bound::AtLeast(0.0), Bound::AtLeast(0.0), Bound::Free];
        let curve = |p: &[f64; 5], i: usize| value(p, sizes[i]);
        let fit = least_squares(&y, &curve, [1.5, preferred / 2.0, 0.5, preferred, y[0].min(0.5)], &bounds);
        let [excitation, centre, suppression, beyond, baseline] = fit.curve;
        let curve = SizeCurve { excitation: excitation * unit, centre, suppression: suppression * unit, beyond, baseline: baseline * unit + low };
        let at = |i: usize| sizes[0] + (largest - sizes[0]) * i as f64 / GRID as f64;
        let peak = at(argmax(&(0..=GRID).map(|i| curve.at(at(i))).collect::<Vec<_>>()));
        let suppression_index = (curve.at(peak) - curve.at(largest)) / (curve.at(peak) - curve.baseline);
        Ok(Fit { curve: Self { curve, preferred: peak, suppression_index }, mse: fit.mse * unit * unit, converged: fit.converged })
    }
}

/// Value and derivatives by excitation, centre, suppression, beyond and baseline.
fn value(&[excitation, centre, suppression, beyond, baseline]: &[f64; 5], size: f64) -> (f64, [f64; 5]) {
    let integral = |extent: f64| {
        let z = size / extent;
        (erf(z), -2.0 / PI.sqrt() * (-z * z).exp() * z / extent)
    };
    let ((near, dnear), (far, dfar)) = (integral(centre), integral(centre + beyond));
    let slopes = [near, excitation * dnear - suppression * dfar, -far, -suppression * dfar, 1.0];
    (excitation * near - suppression * far + baseline, slopes)
}

/// Size tuning of every unit from curves over sizes of at least 0, in parallel.
///
/// # Errors
/// [`Error::Value`] for a negative size.
pub fn size_tuning(curves: &Curves) -> Result<Vec<Result<Fit<SizeTuning>, Unfit>>, Error> {
    curves.check_levels("sizes", true)?;
    Ok(curves.fit(SizeTuning::fit))
}

/// One row per unit: unit, preferred_size, suppression_index, excitation, centre, suppression, surround (centre and beyond), baseline, mse,
/// success, reason. Sizes in the units of the labels.
///
/// # Errors
/// None that tuning from [`size_tuning`] can cause.
pub fn size_table(units: &[Result<Fit<SizeTuning>, Unfit>]) -> Result<Table, Error> {
    let columns: [(&str, fn(&SizeTuning) -> f64); 7] = [
        ("preferred_size", |t| t.preferred),
        ("suppression_index", |t| t.suppression_index),
        ("excitation", |t| t.curve.excitation),
        ("centre", |t| t.curve.centre),
        ("suppression", |t| t.curve.suppression),
        ("surround", |t| t.curve.centre + t.curve.beyond),
        ("baseline", |t| t.curve.baseline),
    ];
    fit_table(units, &columns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tuning::least_squares::derivative_error;

    #[test]
    fn derivatives_are_those_of_the_curve() {
        let error = derivative_error(&|p: &[f64; 5], i: usize| value(p, 6.0 * i as f64), [2.0, 9.0, 1.1, 15.0, 0.3], 10);
        assert!(error < 1e-7, "{error}");
    }
}
