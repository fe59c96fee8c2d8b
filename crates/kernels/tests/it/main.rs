//! Every kernel against its slow f64 definition, forward and backward, on every instruction set, on one and two threads.

mod activation;
mod attention;
mod cell;
mod conv;
mod grid_sample;
mod matmul;
mod measure;
mod memory;
mod pad_and_pool;
mod precision;
mod readout;
#[cfg(not(target_family = "wasm"))] // no threads there
mod threads;
mod tiers;
mod weight_norm;
