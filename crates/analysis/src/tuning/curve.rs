//! Tuning curves: mean response to every level of a stimulus parameter.

use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

use super::{Fit, Unfit};
use crate::error::Error;

/// Levels closer than this share of the largest are one level, told apart by rounding alone.
const SAME: f64 = 1e-9;

/// Tuning curves of U units over K levels of one parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Curves {
    /// Levels `[K]`, rising.
    pub levels: Vec<f64>,
    /// Mean response [U, K] over the events at a level; NaN where a unit has none.
    pub mean: Array2<f64>,
    /// Responses that were averaged [U, K].
    pub count: Array2<usize>,
}

impl Curves {
    /// From the level `[E]` of every event and the responses [E, U] to it. NaN responses are left out, and events without a level.
    ///
    /// # Errors
    /// [`Error::Shape`] if the numbers of events differ, [`Error::Value`] for an infinite level or response.
    pub fn new(level: &[f64], responses: ArrayView2<f64>) -> Result<Self, Error> {
        if level.len() != responses.nrows() {
            return Err(Error::Shape { what: "labels of the events".into(), expected: responses.nrows().to_string(), got: level.len().to_string() });
        }
        check_responses(responses)?;
        if let Some((index, &value)) = level.iter().enumerate().find(|(_, v)| v.is_infinite()) {
            return Err(Error::Value { what: "labels of the events", expected: "finite, or NaN where unknown", index, value });
        }
        let mut levels: Vec<f64> = level.iter().copied().filter(|v| !v.is_nan()).collect();
        levels.sort_by(f64::total_cmp);
        let tolerance = SAME * levels.iter().fold(0.0f64, |m, v| m.max(v.abs()));
        levels.dedup_by(|later, kept| *later - *kept <= tolerance);
        let (units, k) = (responses.ncols(), levels.len());
        let (mut mean, mut count) = (Array2::zeros((units, k)), Array2::zeros((units, k)));
        for (level, responses) in level.iter().zip(responses.rows()).filter(|(level, _)| !level.is_nan()) {
            let at = levels.partition_point(|l| l <= level) - 1;
            for (unit, response) in responses.iter().enumerate().filter(|(_, r)| !r.is_nan()) {
                mean[[unit, at]] += response;
                count[[unit, at]] += 1;
            }
        }
        mean.zip_mut_with(&count, |sum, &n| *sum /= n as f64);
        Ok(Self { levels, mean, count })
    }

    /// [`Curves::new`] over directions in degrees, which are taken into [0, 360).
    ///
    /// # Errors
    /// As [`Curves::new`].
    pub fn of_directions(degrees: &[f64], responses: ArrayView2<f64>) -> Result<Self, Error> {
        let turned: Vec<f64> = degrees.iter().map(|d| if d.is_finite() { d.rem_euclid(360.0) } else { *d }).collect();
        // A direction just below 360 is 0 with rounding.
        let turned: Vec<f64> = turned.into_iter().map(|d| if 360.0 - d <= 360.0 * SAME { 0.0 } else { d }).collect();
        Self::new(&turned, responses)
    }

    /// Number of units (U).
    pub fn units(&self) -> usize {
        self.mean.nrows()
    }

    /// Levels and mean responses of a unit where it was measured.
    pub(super) fn points(&self, unit: usize) -> (Vec<f64>, Vec<f64>) {
        self.levels.iter().zip(self.mean.row(unit)).filter(|(_, r)| r.is_finite()).map(|(x, y)| (*x, *y)).unzip()
    }

    /// Fits every unit's points (levels, responses), in parallel.
    pub(super) fn fit<T: Send>(&self, fit: impl Fn(&[f64], &[f64]) -> Result<Fit<T>, Unfit> + Sync) -> Vec<Result<Fit<T>, Unfit>> {
        let of = |unit: usize| {
            let (x, y) = self.points(unit);
            fit(&x, &y)
        };
        (0..self.units()).into_par_iter().map(of).collect()
    }

    /// Holds that all levels are above (or not below) zero, as sizes, contrasts and frequencies are.
    pub(super) fn check_levels(&self, what: &'static str, zero: bool) -> Result<(), Error> {
        match self.levels.iter().enumerate().find(|(_, v)| **v < 0.0 || (!zero && **v == 0.0)) {
            Some((index, &value)) => Err(Error::Value { what, expected: if zero { "at least 0" } else { "above 0" }, index, value }),
            None => Ok(()),
        }
    }
}

/// NaN is missing; an infinity is an error.
pub(super) fn check_responses(responses: ArrayView2<f64>) -> Result<(), Error> {
    match responses.indexed_iter().find(|(_, v)| v.is_infinite()) {
        Some(((index, _), &value)) => Err(Error::Value { what: "responses to events", expected: "finite, or NaN where missing", index, value }),
        None => Ok(()),
    }
}

/// Where the largest of the responses is; 0 for none.
pub(super) fn argmax(responses: &[f64]) -> usize {
    (0..responses.len()).max_by(|&a, &b| responses[a].total_cmp(&responses[b]).then(b.cmp(&a))).unwrap_or(0)
}

/// Smallest and largest of finite responses.
pub(super) fn range(responses: &[f64]) -> (f64, f64) {
    responses.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &r| (low.min(r), high.max(r)))
}
