//! Integration tests of the import crate.

mod fnn;
mod npy;
mod npy_file;
mod stills;
mod video;
