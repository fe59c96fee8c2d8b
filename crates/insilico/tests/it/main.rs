//! Showing networks something.

mod evaluate;
mod golden;
mod respond;
