//! A simulated visual cortex whose truth is known, for trying out everything that is done with real recordings.
//!
//! Every recording made here says that it is simulated. One bank of nonlinear filters is shared by all animals; each neuron
//! mixes a few of its channels at its own place on the retina; the eye turns before a flat monitor, behaviour scales the
//! response, calcium imaging adds noise. Nothing here knows the model crate: the truth shares no code with the twins held
//! against it.

pub mod animal;
pub mod behavior;
pub mod calcium;
pub mod cohort;
pub mod config;
mod convolve;
mod error;
pub mod eye;
pub mod filters;
pub mod geometry;
pub mod normalization;
pub mod population;
pub mod simulate;
mod truth;

pub use animal::Cortex;
pub use config::{Domain, SimulateConfig};
pub use error::Error;
pub use simulate::simulate;
pub use truth::true_rates;
