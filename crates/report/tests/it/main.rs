//! Integration tests of the report crate.

mod tensorboard;
