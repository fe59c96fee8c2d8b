//! The network as its users meet it.

mod barcode;
mod golden;
mod memory;
mod open;
mod reference_network;
mod run;
mod small;
mod weights;

#[global_allocator]
static MEMORY: striate_kernels::memory::counting::Counting = striate_kernels::memory::counting::Counting;
