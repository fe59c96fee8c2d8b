//! A simulated visual cortex whose truth is known.
