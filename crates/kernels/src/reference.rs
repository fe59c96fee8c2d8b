//! The slow, obvious definition of each operation, in f64.
