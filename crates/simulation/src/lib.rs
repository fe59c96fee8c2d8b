//! A simulated visual cortex whose truth is known, for trying out everything that is done with real recordings.
//!
//! Every recording made here says that it is simulated. One bank of nonlinear filters is shared by all animals; each neuron
//! mixes a few of its channels at its own place; gaze moves the image, behaviour scales the response, calcium imaging adds
//! noise. Nothing here knows the model crate: the truth shares no code with the twins held against it.

pub mod animal;
pub mod behavior;
pub mod calcium;
mod convolve;
pub mod eye;
pub mod filters;
pub mod geometry;
pub mod population;
pub mod simulate;

pub use animal::Cortex;
pub use simulate::{Error, SimulateConfig, simulate};
