//! Integration tests of the import crate.

mod video;
