//! The network as its users meet it.

mod run;
mod small;
mod weights;
