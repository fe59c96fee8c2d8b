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
    let temporary = stage(path, bytes)?;
    rename(&temporary, path)
}

/// Writes several files of a folder, which is made if it is not there: all are written before the first takes its place.
pub(super) fn write_all(folder: &Path, files: &[(PathBuf, Vec<u8>)]) -> Result<(), Error> {
    let is_new = !folder.exists();
    fs::create_dir_all(folder).map_err(|error| Error::io("write", folder, error))?;
    let mut staged = Vec::new();
    let mut done = files.iter().try_for_each(|(path, bytes)| stage(path, bytes).map(|temporary| staged.push(temporary)));
    for (temporary, (path, _)) in staged.iter().zip(files) {
        match &done {
            Ok(()) => done = rename(temporary, path),
            Err(_) => drop(fs::remove_file(temporary)), // the first error matters more
        }
    }
    if done.is_err() && is_new {
        let _ = fs::remove_dir(folder); // stays if a file took its place before the error
    }
    done
}

/// Writes a file under a temporary name, which it returns.
fn stage(path: &Path, bytes: &[u8]) -> Result<PathBuf, Error> {
    let (temporary, mut file) = create_beside(path).map_err(|error| Error::io("write", path, error))?;
    let done = file.write_all(bytes).and_then(|()| file.sync_all());
    drop(file);
    match done {
        Ok(()) => Ok(temporary),
        Err(error) => {
            let _ = fs::remove_file(&temporary); // the first error matters more
            Err(Error::io("write", path, error))
        }
    }
}

fn rename(temporary: &Path, path: &Path) -> Result<(), Error> {
    fs::rename(temporary, path).map_err(|error| {
        let _ = fs::remove_file(temporary); // the first error matters more
        Error::io("write", path, error)
    })
}

fn create_beside(path: &Path) -> io::Result<(PathBuf, File)> {
    const TRIES: u32 = 100; // others may be writing the same file, or have been stopped while they did
    for number in 0..TRIES {
        let name = path.file_name().map_or_else(Default::default, |name| name.to_string_lossy().into_owned());
        let temporary = path.with_file_name(format!(".{name}.{number}.partial"));
        match OpenOptions::new().write(true).create_new(true).open(&temporary) {
            Ok(file) => return Ok((temporary, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "too many unfinished .partial files lie beside it; remove them"))
}
