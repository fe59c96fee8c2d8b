//! What can be wrong with a recording.

use std::path::{Path, PathBuf};

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file system refused.
    #[error("{}: cannot {action}: {source}", path.display())]
    Io {
        /// File or folder.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// Why not.
        source: std::io::Error,
    },
    /// Something is there already.
    #[error("{}: exists already; choose another name or remove it", path.display())]
    Exists {
        /// What is there.
        path: PathBuf,
    },
    /// Not a recording, or a damaged one.
    #[error("{}: {what}: expected {expected}, got {got}", path.display())]
    Damaged {
        /// The recording.
        path: PathBuf,
        /// Array, table or attribute.
        what: String,
        /// What it must be.
        expected: String,
        /// What it is.
        got: String,
    },
    /// The Zarr library refused.
    #[error("{}: {what}: {why}", path.display())]
    Zarr {
        /// The recording.
        path: PathBuf,
        /// Array or group.
        what: String,
        /// Why.
        why: String,
    },
    /// A window outside its trial.
    #[error("trial {trial} has {has} frames; frames {start} to {end} were asked for")]
    Window {
        /// Trial.
        trial: String,
        /// Its frames.
        has: usize,
        /// First frame.
        start: usize,
        /// One past the last frame.
        end: usize,
    },
    /// A trial or video that does not fit what is written.
    #[error("{what} of {of}: expected {expected}, got {got}")]
    Shape {
        /// Which part.
        what: &'static str,
        /// Of which trial or video.
        of: String,
        /// What it must be.
        expected: String,
        /// What it is.
        got: String,
    },
    /// An infinite value.
    #[error("{what} of trial {trial}, sample {sample} from its start, column {column} (both from 0): infinite; write NaN where a sample is missing")]
    Infinite {
        /// Which series.
        what: &'static str,
        /// Trial.
        trial: String,
        /// Sample.
        sample: usize,
        /// Column: unit or input.
        column: usize,
    },
}

impl Error {
    pub(crate) fn io(path: &Path, action: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, action, source }
    }

    pub(crate) fn zarr<E: std::fmt::Display>(path: &Path, what: &str) -> impl FnOnce(E) -> Self {
        let (path, what) = (path.to_owned(), what.to_owned());
        move |why| Self::Zarr { path, what, why: why.to_string() }
    }

    pub(crate) fn damaged(path: &Path, what: impl Into<String>, expected: impl Into<String>, got: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), what: what.into(), expected: expected.into(), got: got.into() }
    }
}
