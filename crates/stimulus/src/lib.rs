//! What can be shown: (specification, seed) to video. Pure arithmetic, no files, no threads, and no randomness but the seed's, so
//! that it runs in a browser too.
//!
//! Each stimulus is a struct of settings. Its `film` draws frame by frame, so an hour needs no more memory than a second, and lists the events:
//! what is shown when. [`Stimulus`] is any of them, by name.

pub mod bar;
mod carrier;
pub mod checks;
pub mod dot;
mod error;
pub mod event;
pub mod film;
pub mod gabor;
pub mod grating;
pub mod kinematogram;
pub mod monitor;
pub mod natural;
pub mod noise;
pub mod picture;
pub mod pink_noise;
mod resample;
mod scene;
mod stimulus;
mod texture;
pub mod trippy;
pub mod uniform;
pub mod values;
pub mod video;

pub use error::Error;
pub use event::Event;
pub use film::Film;
pub use monitor::Monitor;
pub use stimulus::Stimulus;
pub use video::Video;
