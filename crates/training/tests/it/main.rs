//! Integration tests of the training crate.

mod preset;
mod run;
