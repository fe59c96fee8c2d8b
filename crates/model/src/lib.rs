//! The network as a value: perspective, modulation, core, readout, unit; forward and backward; weights in and out.
//!
//! Read [`network`] first: it is the whole model on one screen. Then the modules in the order data takes.
//!
//! ```text
//! video ----> perspective (retina) ----> core: feedforward -> recurrent ----> readout ----> unit ----> responses
//! eye ------------^                                              ^
//! behaviour -> modulation ---------------------------------------+          S streams, averaged before the unit
//! ```
//!
//! Shapes: N batch, T time, C channels, H height, W width, U units, S streams, P eye inputs, M behaviour inputs. Time is
//! outermost, channels innermost. Nothing here knows a recording, a clock or a terminal.

mod barcode;
mod check;
mod complete;
pub mod config;
mod core;
pub mod draws;
mod error;
mod layers;
mod modulation;
pub mod modules;
pub mod network;
pub mod objective;
pub mod open;
pub mod params;
pub mod perspective;
mod readout;
mod seen;
mod sensitivity;
mod size;
mod unit;
pub mod weights;
pub mod work;
mod workspace;

pub use config::NetworkConfig;
pub use draws::Draws;
pub use error::Error;
pub use modules::Modules;
pub use network::{Clip, Network, Run, State, Streams};
pub use params::{Gradients, Param, Params, Values};
pub use perspective::{Periphery, pixel::Pixels};
pub use striate_kernels::precision::Precision;
