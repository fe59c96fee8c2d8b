//! Weights in and out: PyTorch files, safetensors files, the published folder; and which network they belong to.
//!
//! A [`StateDict`] is tensors by the reference implementation's names. Reading never executes anything, and costs no more
//! memory than a small multiple of the file. Every reader has a form that takes bytes.

mod error;
mod file;
pub mod infer;
pub(crate) mod layout;
mod opcode;
mod pickle;
pub mod pt;
pub mod published;
pub mod safetensors_file;
mod state_dict;
mod table;
mod unpickle;

pub use error::Error;
pub use infer::infer_config;
pub use published::UnitId;
pub use state_dict::{StateDict, Tensor, TensorData};
