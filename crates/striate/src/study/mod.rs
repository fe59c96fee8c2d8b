//! A study on disk: its design, one run and one evaluation folder per cell, and the page that comes out.
//!
//! ```text
//! study.toml            the design: recordings and their hashes, seeds, fractions, preset
//! recordings/           simulated animals, where they were asked for
//! runs/<cell>/          as `striate train` makes it
//! evaluations/<cell>/   as `striate evaluate` makes it; a cell is done when it is there
//! logs/<cell>.txt       what the two said
//! results.csv           accuracy of every cell and test domain
//! report.json, report.html
//! ```

pub mod execute;
pub mod folder;
mod learning;
pub mod pages;
mod stopping;
