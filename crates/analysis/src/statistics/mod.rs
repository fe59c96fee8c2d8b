//! Statistics: samples with missing values, tests, densities and the models the paper compares areas and barcodes with.

mod bootstrap;
mod density;
mod likelihood_ratio;
mod mixed_model;
mod permutation;
mod sample;
mod signed_rank;
mod t_test;

pub use bootstrap::{Interval, bootstrap};
pub use density::Density;
pub use likelihood_ratio::{LikelihoodRatio, chi_square_upper, likelihood_ratio};
pub use mixed_model::{Estimation, MixedModel};
pub use permutation::permutation_test;
pub use sample::{Histogram, histogram, is_constant, mean, median_valid, pearson, variance};
pub use signed_rank::{SignedRank, signed_rank};
pub use t_test::{TTest, paired_t_test};

use crate::error::Error;

/// Differences a - b of the pairs of which both were measured; NaN is missing.
fn paired_differences(a: &[f64], b: &[f64]) -> Result<Vec<f64>, Error> {
    if a.len() != b.len() {
        return Err(Error::Shape { what: "paired samples".into(), expected: a.len().to_string(), got: b.len().to_string() });
    }
    Ok(a.iter().zip(b).map(|(a, b)| a - b).filter(|d| !d.is_nan()).collect())
}
