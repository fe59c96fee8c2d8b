//! What can be shown: (specification, seed) to video. Pure arithmetic, no files, no threads, and no randomness but the seed's, so
//! that it runs in a browser too.

mod error;
pub mod grating;
pub mod natural;
pub mod noise;
mod scene;
mod texture;
pub mod video;

pub use error::Error;
pub use video::Video;
