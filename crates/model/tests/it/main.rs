//! The network as its users meet it.

mod golden;
mod open;
mod reference_network;
mod run;
mod small;
mod weights;
