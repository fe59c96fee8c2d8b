//! Objective, optimizer, schedule, sampling, recipes and checkpoints.
//!
//! [`run::Training`] is a run under way: an iterator of epochs that prints, plots and saves nothing. A recipe
//! ([`individual`]) makes one; [`checkpoint`] keeps one.

pub mod batch;
pub mod checkpoint;
pub mod config;
mod error;
pub mod individual;
pub mod optimizer;
pub mod preset;
pub mod run;
pub mod schedule;

pub use config::Preset;
pub use error::Error;
pub use run::{Epoch, Observe, Outcome, Step, Training};
