//! Tables to files, figures and pages.
//!
//! Tables are written as CSV, Parquet or JSON ([`tabular`]). What is to be seen is a [`Chart`], plain data; it becomes a [`Figure`],
//! a file as SVG, PDF or PNG, or part of a [`Page`], one HTML document that loads nothing. Files appear whole or not at all.

mod draw;
mod error;
mod escape;
mod font;
mod json;
mod pdf;
mod png;
mod scene;
mod svg;
mod ticks;
mod whole_file;

pub mod chart;
pub mod evaluation;
pub mod figure;
pub mod page;
mod read;
pub mod run;
pub mod tabular;
pub mod tensorboard;

pub use chart::{Axis, BarStyle, Chart, Colours, Data, Group, Places, Sample, Scale, Series};
pub use error::Error;
pub use evaluation::{Evaluation, cc_norm_charts, evaluation};
pub use figure::Figure;
pub use page::{Exhibit, Page, REPORT, Section};
pub use read::{read_parquet, read_table};
pub use run::{FinishedEpoch, Loss, Run, run};
pub use tabular::{Format, read_csv, write_csv, write_json, write_parquet, write_table};
