//! What can go wrong between a table and a file.

use std::path::{Path, PathBuf};

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file that could not be read or written.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// Read or write.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file whose content is not a table, or a table its format cannot hold.
    #[error("{}: {what}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A file name whose ending names no format.
    #[error("{}: a table's file name must end in .csv, .parquet or .json", path.display())]
    Extension {
        /// The file.
        path: PathBuf,
    },
    /// A table that does not hold together.
    #[error(transparent)]
    Table(#[from] striate_analysis::Error),
    /// A figure that a file of this name cannot hold.
    #[error("{}: {what}", path.display())]
    Figure {
        /// The file.
        path: PathBuf,
        /// Why not, and what to do.
        what: String,
    },
}

impl Error {
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { doing, path: path.to_owned(), source }
    }

    pub(crate) fn content(path: &Path, what: impl ToString) -> Self {
        Self::Content { path: path.to_owned(), what: what.to_string() }
    }
}
