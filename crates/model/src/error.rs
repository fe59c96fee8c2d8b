//! What can be wrong with a network or with what it is shown.

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A configuration no network can be built from.
    #[error("network configuration: {field} is {got}, expected {expected}")]
    Config {
        /// Dotted field.
        field: String,
        /// What it must be.
        expected: String,
        /// What it is.
        got: String,
    },
    /// An input of the wrong size.
    #[error("{what} has {got}, the network expects {expected}")]
    Shape {
        /// Which input.
        what: &'static str,
        /// What the network needs.
        expected: String,
        /// What it was given.
        got: String,
    },
    /// NaN or infinity in an input.
    #[error("{what} holds a value that is not finite (sample {index}); replace missing samples by 0, the mean")]
    NotFinite {
        /// Which input.
        what: &'static str,
        /// Row-major place of the first such value.
        index: usize,
    },
    /// A stream that does not exist.
    #[error("stream {got} asked for, the network has {streams} (0 to {})", streams - 1)]
    Stream {
        /// Asked for.
        got: usize,
        /// There are.
        streams: usize,
    },
    /// Products the processor does not make.
    #[error(transparent)]
    Precision(#[from] striate_kernels::precision::NotHere),
    /// A parameter that is missing, unknown or of another shape.
    #[error("parameter {name}: expected {expected}, got {got}")]
    Parameter {
        /// Key.
        name: String,
        /// What the network needs.
        expected: String,
        /// What it was given.
        got: String,
    },
}
