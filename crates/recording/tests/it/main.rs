//! Recordings as their users meet them.

mod damage;
mod python;
mod reference;
mod round_trip;
mod small;
