//! Weights in and out: PyTorch files, safetensors files, the published folder; and which network they belong to.
//!
//! A [`StateDict`] is tensors by the reference implementation's names. Reading never executes anything, and costs no more
//! memory than a small multiple of the file. Every reader has a form that takes bytes.

mod error;
mod file;
mod infer;
mod layout;
mod network;
mod opcode;
mod pickle;
pub mod pt;
pub mod published;
pub mod safetensors;
mod state_dict;

pub use error::Error;
pub use infer::{check, infer_config};
pub use layout::{Entry, layout};
pub use network::{Loaded, assign, from_state, load, save, to_state};
pub use published::UnitId;
pub use safetensors::{Array, Tensors, read_tensors};
pub use state_dict::{StateDict, Tensor, TensorData};
