//! Striate builds digital twins of visual cortex: networks that predict, frame by frame, what every recorded neuron answers
//! to any video, given where the animal looks and how it behaves (after Wang et al., Nature 2025).
//!
//! This crate names the others; each is a layer, and data flows one way:
//!
//! ```text
//! lab files -import-> Recording -training-> Network -insilico-> responses -analysis-> Table -report-> figure
//!              stimulus -> Video --+             +-- shown any Video
//! ```

pub use striate_analysis as analysis;
pub use striate_import as import;
pub use striate_insilico as insilico;
pub use striate_model as model;
pub use striate_recording as recording;
pub use striate_report as report;
pub use striate_simulation as simulation;
pub use striate_stimulus as stimulus;
pub use striate_training as training;
