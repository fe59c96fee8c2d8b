//! Tables to files and figures.
//!
//! Tables are written as CSV, Parquet or JSON ([`tabular`]), figures as SVG ([`histogram`], [`curves`]). Files appear whole or
//! not at all.

mod error;
mod figure;
mod whole_file;

pub mod curves;
pub mod histogram;
mod read;
pub mod tabular;
pub mod tensorboard;

pub use curves::{Curve, learning_curves};
pub use error::Error;
pub use figure::write_svg;
pub use histogram::{Panel, cc_norm_histogram};
pub use read::{read_parquet, read_table};
pub use tabular::{Format, read_csv, write_csv, write_json, write_parquet, write_table};
