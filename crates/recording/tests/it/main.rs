//! Recordings as their users meet them.

mod damage;
mod duplicates;
mod python;
mod reference;
mod round_trip;
mod small;
