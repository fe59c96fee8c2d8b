//! What can be wrong with a file of weights.

use std::path::{Path, PathBuf};

/// An error of reading or writing weights.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What is wrong inside a file, with the file's path.
    #[error("{}: {error}", path.display())]
    In {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: Box<Error>,
    },
    /// The operating system refused.
    #[error("cannot {action}: {error}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// What the operating system says.
        error: std::io::Error,
    },
    /// Neither a file nor a folder that holds weights.
    #[error("this is not a file of weights ({got}); expected .pt, .pth, .safetensors or a folder with params_core.pt")]
    Unknown {
        /// What was found.
        got: String,
    },
    /// A PyTorch file older than version 1.6.
    #[error("this is a PyTorch file of the old format without a zip archive; load it with torch.load and save it again with torch.save")]
    Legacy,
    /// A damaged or unusual archive.
    #[error("archive entry {entry}: {why}")]
    Archive {
        /// Entry of the archive, or "(all)".
        entry: String,
        /// What is wrong.
        why: String,
    },
    /// An instruction of the pickle language that a file of tensors has no need of.
    #[error("data.pkl, byte {at}: instruction {opcode} is refused; the file must hold a plain dictionary of tensors")]
    Opcode {
        /// Offset in data.pkl.
        at: usize,
        /// Name of the instruction.
        opcode: String,
    },
    /// A class or function that a file of tensors has no need of. Nothing is ever executed.
    #[error("data.pkl, byte {at}: {name} is refused; only dictionaries of float32 and bool tensors are read")]
    Global {
        /// Offset in data.pkl.
        at: usize,
        /// Module and name.
        name: String,
    },
    /// A pickle that makes no sense.
    #[error("data.pkl, byte {at}: expected {expected}, got {got}")]
    Pickle {
        /// Offset in data.pkl.
        at: usize,
        /// What must be there.
        expected: String,
        /// What is there.
        got: String,
    },
    /// More than any file of weights needs: refused before memory is spent on it.
    #[error("{what} is {got}, more than the {limit} allowed; the file is damaged or hostile")]
    Limit {
        /// What there is too much of.
        what: &'static str,
        /// The most there may be.
        limit: usize,
        /// How much there is.
        got: usize,
    },
    /// A tensor that does not fit its data or its network.
    #[error("tensor {key}: expected {expected}, got {got}")]
    Tensor {
        /// Key.
        key: String,
        /// What it must be.
        expected: String,
        /// What it is.
        got: String,
    },
    /// A damaged safetensors file.
    #[error("not a whole safetensors file: {why}; copy it again from its source")]
    Safetensors {
        /// What is wrong.
        why: String,
    },
    /// The same key twice.
    #[error("tensor {key} is there twice")]
    Duplicate {
        /// Key.
        key: String,
    },
    /// A key no network of this architecture has.
    #[error("tensor {key} belongs to no known network; the nearest known key is {nearest}")]
    UnknownKey {
        /// Key.
        key: String,
        /// The nearest key of the inferred network.
        nearest: String,
    },
    /// A key the network needs.
    #[error("tensor {key} is missing; the nearest key that is there is {nearest}")]
    MissingKey {
        /// Key.
        key: String,
        /// The nearest key in the file.
        nearest: String,
    },
    /// A table that cannot be read.
    #[error("line {line}: expected {expected}, got {got}")]
    Table {
        /// Line, the first is 1.
        line: u64,
        /// What must be there.
        expected: String,
        /// What is there.
        got: String,
    },
    /// A scan that is not there, or none chosen where there are several.
    #[error("{asked}; there are (session-scan) {there}")]
    Scan {
        /// What was asked for.
        asked: String,
        /// All scans there are.
        there: String,
    },
    /// Files that contradict each other.
    #[error("{what}: expected {expected}, got {got}")]
    Mismatch {
        /// What does not agree.
        what: String,
        /// What must be there.
        expected: String,
        /// What is there.
        got: String,
    },
    /// Text kept beside the tensors that cannot be understood.
    #[error("metadata {key} cannot be understood: {why}")]
    Metadata {
        /// Key.
        key: String,
        /// What is wrong.
        why: String,
    },
    /// A configuration no network can be built from.
    #[error(transparent)]
    Model(#[from] crate::Error),
}

impl Error {
    /// This error, with the path of the file it is about.
    pub(crate) fn within(self, path: &Path) -> Self {
        match self {
            Self::In { .. } => self,
            error => Self::In { path: path.to_owned(), error: Box::new(error) },
        }
    }

    /// A refusal by the operating system.
    pub(super) fn io(action: &'static str, path: &Path, error: std::io::Error) -> Self {
        Self::Io { action, error }.within(path)
    }
}
