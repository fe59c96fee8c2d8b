//! Likelihood-ratio test of nested models (the paper's section on anatomy: does the barcode add to area and depth).

use statrs::function::gamma::gamma_ur;

use crate::error::Error;

/// Result of a likelihood-ratio test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LikelihoodRatio {
    /// D = 2 (l_full - l_reduced); a little below zero where an optimizer stopped early.
    pub statistic: f64,
    /// Parameters the full model has more.
    pub df: usize,
    /// Probability of a larger D if the reduced model holds; 0 where it is under about 1e-308.
    pub p: f64,
}

/// Tests a full model of maximal log-likelihood `full` against a reduced one nested in it that has `df` parameters less:
/// D = 2 (full - reduced), p from the chi-square distribution with `df` degrees of freedom.
///
/// # Errors
/// [`Error::Config`] without a degree of freedom or if a log-likelihood is not finite.
pub fn likelihood_ratio(full: f64, reduced: f64, df: usize) -> Result<LikelihoodRatio, Error> {
    if df == 0 {
        return Err(Error::Config { field: "degrees of freedom", expected: "at least 1", got: "0".into() });
    }
    if !(full.is_finite() && reduced.is_finite()) {
        return Err(Error::Config { field: "log-likelihoods", expected: "finite", got: format!("{full} and {reduced}") });
    }
    let statistic = 2.0 * (full - reduced);
    Ok(LikelihoodRatio { statistic, df, p: chi_square_upper(statistic, df) })
}

/// Probability that a chi-square variable with `df` degrees of freedom exceeds `x`; 1 for x at or below zero, NaN for NaN or
/// without a degree of freedom.
pub fn chi_square_upper(x: f64, df: usize) -> f64 {
    match x {
        _ if x.is_nan() || df == 0 => f64::NAN,
        _ if x <= 0.0 => 1.0,
        f64::INFINITY => 0.0,
        _ => gamma_ur(df as f64 / 2.0, x / 2.0).clamp(0.0, 1.0),
    }
}
