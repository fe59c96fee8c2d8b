//! Arrays and labels in, tables out: the same analysis in vivo and in silico.
//!
//! Nothing here reads a file or knows whether a response was measured or predicted. A missing sample is NaN, and a result that
//! the data cannot support is NaN too; the number of valid units goes with every summary.

mod error;
mod standardised;

pub mod anatomy;
pub mod cc;
pub mod linear;
pub mod repeats;
pub mod statistics;
pub mod table;
pub mod tuning;

pub use cc::{Accuracy, UnitCorrelation, cc_abs, cc_max, cc_norm, single_trial};
pub use error::Error;
pub use linear::{FeatureConfig, LinearConfig, LinearNonlinear, OutputNonlinearity, stimulus_features, with_traces};
pub use repeats::Repeats;
pub use statistics::{Histogram, histogram, median_valid, pearson};
pub use table::{Column, Table};
