//! Objective, optimizer, schedule, sampling, recipes and checkpoints.
//!
//! [`run::Training`] is a run under way: an iterator of epochs that prints, plots and saves nothing. A recipe
//! ([`individual`], [`foundation`], [`transfer`]) makes one; [`checkpoint`] keeps one.

pub mod batch;
pub mod checkpoint;
pub mod collective;
pub mod config;
mod error;
pub mod foundation;
pub mod individual;
mod member;
pub mod optimizer;
pub mod preset;
pub mod recipe;
pub mod run;
pub mod schedule;
pub mod transfer;

pub use config::Preset;
pub use error::Error;
pub use recipe::Recipe;
pub use run::{Epoch, Observe, Outcome, Step, Training};
