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

use clap::builder::{PossibleValuesParser, TypedValueParser};
use striate::model::Precision;

/// What `--precision` takes.
fn precision() -> impl TypedValueParser<Value = Precision> {
    let names = PossibleValuesParser::new(Precision::ALL.map(Precision::name));
    names.map(|name| Precision::ALL.into_iter().find(|precision| precision.name() == name).unwrap_or_default())
}
