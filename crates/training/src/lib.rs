//! Objective, optimizer, schedule, sampling, recipes and checkpoints.

pub mod config;
