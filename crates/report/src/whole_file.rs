//! Files that appear whole or not at all.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use crate::error::Error;

/// Lets `fill` write a file of a temporary name in the same folder and gives it its name once all of it is on the disk. After an
/// error a file of that name is as it was, and the temporary one is gone.
pub(crate) fn write_whole(path: &Path, fill: impl FnOnce(&mut BufWriter<File>) -> Result<(), Error>) -> Result<(), Error> {
    let Some(name) = path.file_name() else {
        return Err(Error::content(path, "this names a folder, not a file"));
    };
    let temporary = path.with_file_name(format!(".{}.{}.tmp", name.to_string_lossy(), std::process::id()));
    let written = fill_and_rename(&temporary, path, fill);
    if written.is_err() {
        // Nothing to say if this fails too: the first error is the one that matters.
        let _ = std::fs::remove_file(&temporary);
    }
    written
}

fn fill_and_rename(temporary: &Path, path: &Path, fill: impl FnOnce(&mut BufWriter<File>) -> Result<(), Error>) -> Result<(), Error> {
    let io = || Error::io("write", path);
    let mut file = BufWriter::new(File::create(temporary).map_err(io())?);
    fill(&mut file)?;
    file.flush().map_err(io())?;
    file.get_ref().sync_all().map_err(io())?;
    drop(file);
    std::fs::rename(temporary, path).map_err(io())
}
