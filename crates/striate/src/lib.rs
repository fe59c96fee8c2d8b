//! Digital twins of visual cortex: facade and command line.
