//! Tables to files and figures.

pub mod tensorboard;
