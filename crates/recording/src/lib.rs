//! What was measured, how it is cleaned and how it is stored.
//!
//! A [`Recording`] is a Zarr v3 group on disk (docs/data.md): videos stored once and referred to by trials, responses, eye
//! position and behaviour at the video's frame rate, and tables of trials and units. Windows are read as they are asked for,
//! so a recording may be larger than memory.

pub mod clip;
mod description;
pub mod duplicates;
mod error;
pub mod inspect;
pub mod recording;
pub mod resample;
pub mod resize;
pub mod split;
pub mod standardize;
mod store;
mod tables;
pub mod write;

pub use description::{Meta, Missing, Tier, Trial, UnitTable, VideoEntry, same_rate};
pub use error::Error;
pub use recording::{Recording, Window};
pub use write::{NewTrial, RecordingWriter};
