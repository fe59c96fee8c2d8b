//! Integration tests of the training crate.

mod cohort;
mod preset;
mod run;
mod toy;
