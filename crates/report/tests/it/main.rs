//! One integration binary of the report crate.
mod charts;
mod figures;
mod pages;
mod tables;
mod tensorboard;
