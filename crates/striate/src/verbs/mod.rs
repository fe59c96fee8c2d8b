//! One file per verb.

pub mod demo;
pub mod evaluate;
//IMPORT
pub mod inspect;
pub mod model;
//RESPOND
pub mod simulate;
pub mod train;
pub mod verify;
