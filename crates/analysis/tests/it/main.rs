//! Tests of the analysis: known numbers, laws, and what must be refused.
mod anatomy;
mod cc;
mod linear;
mod macaque;
mod reference;
mod repeats;
mod statistics;
mod tuning;
