//! What can be shown: (specification, seed) to video. Pure arithmetic, no files, no threads.

pub mod grating;
pub mod natural;
pub mod noise;
mod texture;
pub mod video;

pub use video::Video;
