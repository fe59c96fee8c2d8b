//! Wilcoxon's signed-rank test of paired samples.

use statrs::distribution::{ContinuousCDF, Normal};

use super::paired_differences;
use crate::error::Error;

/// Pairs up to which the distribution of the rank sum is counted out; beyond, the normal distribution is as good.
const EXACT: usize = 50;

/// Result of a two-sided signed-rank test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SignedRank {
    /// Sum of the ranks of positive differences.
    pub positive: f64,
    /// Sum of the ranks of negative differences.
    pub negative: f64,
    /// Pairs that differ.
    pub pairs: usize,
    /// Two-sided p-value; NaN if no pair differs.
    pub p: f64,
}

/// Two-sided signed-rank test of a against b, both `[n]`. Pairs with a NaN or without a difference are left out (Wilcoxon's way); equal
/// absolute differences share their mean rank. Up to 50 pairs without ties p is exact, else from the normal distribution with the
/// variance corrected for ties and no correction for continuity.
///
/// # Errors
/// [`Error::Shape`] if the lengths differ.
pub fn signed_rank(a: &[f64], b: &[f64]) -> Result<SignedRank, Error> {
    let mut d = paired_differences(a, b)?;
    d.retain(|d| *d != 0.0);
    d.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
    let pairs = d.len();
    let (mut positive, mut negative, mut tied, mut start) = (0.0, 0.0, 0.0, 0);
    for run in d.chunk_by(|a, b| a.abs() == b.abs()) {
        let (count, rank) = (run.len() as f64, start as f64 + (run.len() as f64 + 1.0) / 2.0);
        for difference in run {
            *(if *difference > 0.0 { &mut positive } else { &mut negative }) += rank;
        }
        tied += count * count * count - count;
        start += run.len();
    }
    let smaller = f64::min(positive, negative);
    let p = match pairs {
        0 => f64::NAN,
        _ if pairs <= EXACT && tied == 0.0 => exact(pairs, smaller as usize),
        _ => {
            let n = pairs as f64;
            let variance = n * (n + 1.0) * (2.0 * n + 1.0) / 24.0 - tied / 48.0;
            2.0 * Normal::standard().cdf((smaller - n * (n + 1.0) / 4.0) / variance.sqrt())
        }
    };
    Ok(SignedRank { positive, negative, pairs, p: if p > 1.0 { 1.0 } else { p } })
}

/// Twice the probability of a rank sum of at most `smaller` if every sign is as likely: subsets of 1..=n counted by their sum.
fn exact(n: usize, smaller: usize) -> f64 {
    let mut share = vec![0.0; n * (n + 1) / 2 + 1];
    share[0] = 1.0;
    for rank in 1..=n {
        for sum in (0..share.len()).rev() {
            share[sum] = 0.5 * (share[sum] + if sum >= rank { share[sum - rank] } else { 0.0 });
        }
    }
    2.0 * share[..=smaller].iter().sum::<f64>()
}
