//! Foreign formats to recordings.

mod error;
pub mod fnn;
pub mod npy;
pub mod stills;
pub mod video;

pub use error::Error;
