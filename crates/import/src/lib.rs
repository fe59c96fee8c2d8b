//! Foreign formats to recordings.

mod error;
pub mod video;

pub use error::Error;
