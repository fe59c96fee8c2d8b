//! Showing networks something.

mod evaluate;
mod golden;
mod respond;
mod study;
mod tune;
