//! The `striate` binary.
fn main() {}
