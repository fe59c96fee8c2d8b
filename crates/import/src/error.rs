//! What can go wrong while reading foreign formats.

use std::path::PathBuf;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder that cannot be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// File or folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A video that is not one, or not whole.
    #[error("{}: {problem}", path.display())]
    Video {
        /// File or folder.
        path: PathBuf,
        /// What is wrong and what to do.
        problem: String,
    },
    /// Frames of different sizes.
    #[error("{}: the frame is {} x {} (height x width), expected {} x {} as in {}", path.display(), got[0], got[1], expected[0], expected[1], first.display())]
    FrameSize {
        /// The frame that differs.
        path: PathBuf,
        /// Its height and width.
        got: [usize; 2],
        /// Height and width of the first frame.
        expected: [usize; 2],
        /// The first frame.
        first: PathBuf,
    },
    /// A number of colour channels that video cannot be read as.
    #[error("video can be read with 1 channel (grey) or 3 (colour), not {got}")]
    Channels {
        /// Asked for.
        got: usize,
    },
    /// No ffmpeg to decode a film with.
    #[error("{}: a film is decoded by the program ffmpeg, which is not on the PATH; install ffmpeg, or give the frames as a folder of PNG files", path.display())]
    NoFfmpeg {
        /// The film.
        path: PathBuf,
    },
    /// No ffmpeg to encode a film with.
    #[error("{}: a film is encoded by the program ffmpeg, which is not on the PATH; install ffmpeg, or write .zarr, .npy, .gif or a folder of PNG frames", path.display())]
    NoEncoder {
        /// The film.
        path: PathBuf,
    },
    /// An array that is not one, or not the one needed.
    #[error("{}: {problem}", path.display())]
    Array {
        /// File.
        path: PathBuf,
        /// What is wrong and what to do.
        problem: String,
    },
    /// Parts of a data set that do not fit together.
    #[error("{of}: expected {expected}, got {got}")]
    Mismatch {
        /// Which trial, picture or file.
        of: String,
        /// What it should be.
        expected: String,
        /// What it is.
        got: String,
    },
    /// The recording could not be written.
    #[error(transparent)]
    Recording(#[from] striate_recording::Error),
}
