//! Bootstrap percentile interval.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::error::Error;

/// A statistic and the interval its resamples fall in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The statistic of the sample itself.
    pub estimate: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Bootstrap percentile interval that holds `coverage` (such as 0.95) of the statistic's values over `resamples` samples of the same
/// size drawn with replacement from the values that are not NaN. Same seed, same interval.
///
/// # Errors
/// [`Error::TooFew`] without a value, [`Error::Config`] for a coverage outside (0, 1) or without resamples, [`Error::NoSpread`] if the
/// statistic of no resample is a number.
pub fn bootstrap(values: &[f64], statistic: impl Fn(&[f64]) -> f64 + Sync, coverage: f64, resamples: usize, seed: u64) -> Result<Interval, Error> {
    let values: Vec<f64> = values.iter().copied().filter(|v| !v.is_nan()).collect();
    if values.is_empty() {
        return Err(Error::TooFew { what: "values to resample", needed: 1, got: 0 });
    }
    if !(coverage > 0.0 && coverage < 1.0) {
        return Err(Error::Config { field: "coverage", expected: "between 0 and 1", got: coverage.to_string() });
    }
    if resamples == 0 {
        return Err(Error::Config { field: "resamples", expected: "at least 1", got: "0".into() });
    }
    let draw = |resample: usize| {
        let mut rng = stream(seed, resample);
        let drawn: Vec<f64> = (0..values.len()).map(|_| values[rng.random_range(0..values.len())]).collect();
        statistic(&drawn)
    };
    let mut drawn: Vec<f64> = (0..resamples).into_par_iter().map(draw).collect();
    drawn.retain(|v| !v.is_nan());
    if drawn.is_empty() {
        return Err(Error::NoSpread { what: "statistic of every resample (it is NaN)" });
    }
    drawn.sort_by(f64::total_cmp);
    let tail = (1.0 - coverage) / 2.0;
    Ok(Interval { estimate: statistic(&values), low: quantile(&drawn, tail), high: quantile(&drawn, 1.0 - tail) })
}

/// The random numbers of one resample: a stream of its own, so that they do not depend on who draws it.
pub(super) fn stream(seed: u64, resample: usize) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(resample as u64);
    rng
}

/// Quantile of sorted values by linear interpolation between them.
fn quantile(sorted: &[f64], q: f64) -> f64 {
    let at = q * (sorted.len() - 1) as f64;
    let (below, part) = (at as usize, at.fract());
    let above = sorted[(below + 1).min(sorted.len() - 1)];
    if part == 0.0 { sorted[below] } else { sorted[below] + part * (above - sorted[below]) }
}
