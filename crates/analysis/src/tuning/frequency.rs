//! Spatial and temporal frequency tuning: a Gaussian of the logarithm of frequency.

use super::curve::{Curves, argmax, range};
use super::least_squares::{Bound, fittable, least_squares};
use super::{Fit, Unfit, fit_table};
use crate::error::Error;
use crate::table::Table;

/// Narrowest standard deviation in octaves; no usual set of frequencies resolves less. Our choice.
const NARROWEST: f64 = 0.1;

/// R(f) = amplitude exp(-(log2 f - log2 peak)^2 / (2 sd^2)) + baseline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogGaussian {
    /// Preferred frequency, in the units of the frequencies; at most an octave beyond those shown.
    pub peak: f64,
    /// Standard deviation in octaves, at least 0.1.
    pub sd: f64,
    /// Height over the baseline, at least 0.
    pub amplitude: f64,
    /// Response to frequencies far away.
    pub baseline: f64,
}

impl LogGaussian {
    /// Value at a frequency above 0.
    pub fn at(&self, frequency: f64) -> f64 {
        value(&[self.peak.log2(), self.sd, self.amplitude, self.baseline], frequency.log2()).0
    }

    /// Full width at half the amplitude, in octaves.
    pub fn bandwidth(&self) -> f64 {
        2.0 * (2.0 * std::f64::consts::LN_2).sqrt() * self.sd
    }

    /// Least squares on responses `[n]` to frequencies `[n]`, rising; four at least.
    fn fit(frequencies: &[f64], responses: &[f64]) -> Result<Fit<Self>, Unfit> {
        fittable(responses, 4)?;
        let (low, high) = range(responses);
        let unit = high - low;
        let y: Vec<f64> = responses.iter().map(|r| (r - low) / unit).collect();
        let octaves: Vec<f64> = frequencies.iter().map(|f| f.log2()).collect();
        let bounds =
            [Bound::Between(octaves[0] - 1.0, octaves[octaves.len() - 1] + 1.0), Bound::AtLeast(NARROWEST), Bound::AtLeast(0.0), Bound::Free];
        let curve = |p: &[f64; 4], i: usize| value(p, octaves[i]);
        let fit = least_squares(&y, &curve, [octaves[argmax(&y)], 1.0, 1.0, 0.0], &bounds);
        let [peak, sd, amplitude, baseline] = fit.curve;
        let curve = Self { peak: peak.exp2(), sd, amplitude: amplitude * unit, baseline: baseline * unit + low };
        Ok(Fit { curve, mse: fit.mse * unit * unit, converged: fit.converged })
    }
}

/// Value and derivatives by log2 of the peak, standard deviation, amplitude and baseline.
fn value(&[peak, sd, amplitude, baseline]: &[f64; 4], octave: f64) -> (f64, [f64; 4]) {
    let z = (octave - peak) / sd;
    let bump = (-0.5 * z * z).exp();
    (amplitude * bump + baseline, [amplitude * bump * z / sd, amplitude * bump * z * z / sd, bump, 1.0])
}

/// Log-Gaussian fits of every unit from curves over spatial or temporal frequencies above 0, in parallel.
///
/// # Errors
/// [`Error::Value`] for a frequency that is not above 0.
pub fn frequency_tuning(curves: &Curves) -> Result<Vec<Result<Fit<LogGaussian>, Unfit>>, Error> {
    curves.check_levels("frequencies", false)?;
    Ok(curves.fit(LogGaussian::fit))
}

/// One row per unit: unit, peak (in the units of the frequencies), bandwidth_octaves (full width at half height), amplitude, baseline, mse,
/// success, reason.
///
/// # Errors
/// None that tuning from [`frequency_tuning`] can cause.
pub fn frequency_table(units: &[Result<Fit<LogGaussian>, Unfit>]) -> Result<Table, Error> {
    let columns: [(&str, fn(&LogGaussian) -> f64); 4] =
        [("peak", |c| c.peak), ("bandwidth_octaves", LogGaussian::bandwidth), ("amplitude", |c| c.amplitude), ("baseline", |c| c.baseline)];
    fit_table(units, &columns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tuning::least_squares::derivative_error;

    #[test]
    fn derivatives_are_those_of_the_curve() {
        let error = derivative_error(&|p: &[f64; 4], i: usize| value(p, i as f64 - 3.0), [-0.7, 1.2, 1.5, 0.2], 7);
        assert!(error < 1e-8, "{error}");
        let curve = LogGaussian { peak: 0.08, sd: 1.3, amplitude: 2.0, baseline: 1.0 };
        let edge = 0.08 * (curve.bandwidth() / 2.0).exp2();
        assert!((curve.at(edge) - 2.0).abs() < 1e-12);
    }
}
