//! Student's paired t-test (Fig. 2a over mice, Extended Data Fig. 3 over neurons).

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::{is_constant, mean, paired_differences, variance};
use crate::error::Error;

/// Result of a paired two-sided t-test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TTest {
    /// Mean difference over its standard error; NaN where it is not defined.
    pub t: f64,
    /// Two-sided p-value; NaN where t is.
    pub p: f64,
    /// Degrees of freedom, pairs - 1.
    pub df: usize,
    /// Mean of a - b.
    pub difference: f64,
    /// Pairs of which both values were measured.
    pub pairs: usize,
}

/// Paired two-sided t-test of a against b, both `[n]`: t = mean(d) / (sd(d) / sqrt(n)), d = a - b, n - 1 degrees of freedom.
/// Pairs with a NaN are left out; t and p are NaN with fewer than two pairs or if all pairs differ by the same.
///
/// # Errors
/// [`Error::Shape`] if the lengths differ.
pub fn paired_t_test(a: &[f64], b: &[f64]) -> Result<TTest, Error> {
    let d = paired_differences(a, b)?;
    let (pairs, difference) = (d.len(), mean(&d));
    let df = pairs.saturating_sub(1);
    let t = if is_constant(&d) { f64::NAN } else { difference / (variance(&d, 1) / pairs as f64).sqrt() };
    let p = match StudentsT::new(0.0, 1.0, df as f64) {
        Ok(distribution) if t.is_finite() => 2.0 * distribution.sf(t.abs()),
        _ => f64::NAN,
    };
    Ok(TTest { t, p, df, difference, pairs })
}
