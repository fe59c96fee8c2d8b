//! The arithmetic of the network: slices in, slices out, forward and backward of each operation.
//!
//! Everything is row-major and channels-last: frames are `[T * N, H, W, C]` with time outermost, grouped channels are
//! group-major. One file per operation, forward and backward together; [`mod@reference`] holds the slow, obvious f64 definition each
//! is tested against; [`simd`] chooses the instruction set at run time. This is the only crate with `unsafe`.

#![allow(unsafe_code)]

pub mod activation;
pub mod attention;
pub mod conv;
pub mod grid_sample;
pub mod lstm;
pub mod matmul;
pub mod memory;
pub mod pad;
pub mod peak;
pub mod pool;
pub mod precision;
pub mod readout;
pub mod reference;
mod scratch;
pub mod simd;
pub mod weight_norm;
