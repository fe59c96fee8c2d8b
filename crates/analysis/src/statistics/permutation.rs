//! Permutation test of two samples.

use rand::seq::SliceRandom;
use rayon::prelude::*;

use super::bootstrap::stream;
use crate::error::Error;

/// Two-sided p-value of a statistic of two samples that is centred on 0 if both come from the same distribution, such as the
/// difference of their means: (1 + number of permutations at least as extreme) / (1 + permutations), which is never 0. NaN values are
/// left out. Same seed, same p. NaN if the statistic of the samples is.
///
/// # Errors
/// [`Error::TooFew`] if a sample is empty, [`Error::Config`] without permutations.
pub fn permutation_test(
    a: &[f64],
    b: &[f64],
    statistic: impl Fn(&[f64], &[f64]) -> f64 + Sync,
    permutations: usize,
    seed: u64,
) -> Result<f64, Error> {
    let measured = |x: &[f64]| x.iter().copied().filter(|v| !v.is_nan()).collect::<Vec<f64>>();
    let (mut pooled, b) = (measured(a), measured(b));
    let first = pooled.len();
    if first == 0 || b.is_empty() {
        return Err(Error::TooFew { what: "values of a sample", needed: 1, got: 0 });
    }
    if permutations == 0 {
        return Err(Error::Config { field: "permutations", expected: "at least 1", got: "0".into() });
    }
    pooled.extend(&b);
    let observed = statistic(&pooled[..first], &pooled[first..]).abs();
    if observed.is_nan() {
        return Ok(f64::NAN);
    }
    // Permutations that regroup the same values differ from the observed by rounding alone.
    let least = observed * (1.0 - 1e-12);
    let extreme = |permutation: usize| {
        let mut shuffled = pooled.clone();
        shuffled.shuffle(&mut stream(seed, permutation));
        statistic(&shuffled[..first], &shuffled[first..]).abs() >= least
    };
    let count = (0..permutations).into_par_iter().filter(|&i| extreme(i)).count();
    Ok((1 + count) as f64 / (1 + permutations) as f64)
}
