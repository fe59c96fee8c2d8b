//! One file per verb.

pub mod anatomy;
pub mod bench;
pub mod demo;
pub mod evaluate;
pub mod import;
pub mod inspect;
pub mod model;
pub mod report;
pub mod respond;
pub mod simulate;
pub mod stimulus;
pub mod study;
pub mod train;
pub mod tune;
pub mod verify;
