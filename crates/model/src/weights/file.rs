//! Files: read whole; written under another name in the same folder and then renamed, so that none is ever half-written.

use super::Error;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// All bytes of a file.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|error| Error::io("read", path, error))
}

/// Writes a file in one step: afterwards it is either whole or as before.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let (temporary, mut file) = create_beside(path).map_err(|error| Error::io("write", path, error))?;
    let done = file.write_all(bytes).and_then(|()| file.sync_all());
    drop(file);
    done.and_then(|()| fs::rename(&temporary, path)).map_err(|error| {
        let _ = fs::remove_file(&temporary); // the first error matters more
        Error::io("write", path, error)
    })
}

/// A path in the same folder that nothing has yet.
pub(super) fn beside(path: &Path, number: u32) -> PathBuf {
    let name = path.file_name().map_or_else(Default::default, |name| name.to_string_lossy().into_owned());
    path.with_file_name(format!(".{name}.{number}.partial"))
}

fn create_beside(path: &Path) -> io::Result<(PathBuf, File)> {
    const TRIES: u32 = 100; // others may be writing the same file, or have been stopped while they did
    for number in 0..TRIES {
        let temporary = beside(path, number);
        match OpenOptions::new().write(true).create_new(true).open(&temporary) {
            Ok(file) => return Ok((temporary, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "too many unfinished .partial files lie beside it; remove them"))
}
