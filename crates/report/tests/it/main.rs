//! Tests of files and figures.
mod figures;
mod tables;
mod tensorboard;
