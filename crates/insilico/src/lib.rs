//! Show the network something: respond to a video, evaluate on a recording, verify against reference numbers.

pub mod baseline;
pub mod bench;
pub mod error;
pub mod evaluate;
pub mod fit;
pub mod gradient_field;
pub mod respond;
pub mod study;
pub mod tune;
pub mod verify;

pub use error::Error;
