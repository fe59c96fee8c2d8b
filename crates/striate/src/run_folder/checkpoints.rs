//! Checkpoints of a run: one file each, named by epoch and step, written whole or not at all, the last few kept.

use crate::output::note;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use striate::training::Training;

/// Folder in the run folder.
const FOLDER: &str = "checkpoint";

/// Saves a checkpoint and removes all but the newest `keep`.
pub(super) fn save(run: &Path, training: &Training, keep: usize) -> Result<()> {
    let folder = run.join(FOLDER);
    std::fs::create_dir_all(&folder).with_context(|| format!("{}: cannot create the folder", folder.display()))?;
    training.save(&folder.join(format!("{:06}-{:06}.safetensors", training.finished(), training.progress().step)))?;
    for old in list(run)?.into_iter().skip(keep.max(1)) {
        std::fs::remove_file(&old).with_context(|| format!("{}: cannot be removed", old.display()))?;
    }
    Ok(())
}

/// The newest checkpoint that is whole.
pub(super) fn load(run: &Path) -> Result<Training> {
    remove_partial(run);
    let all = list(run)?;
    let mut newest = None;
    for file in &all {
        match Training::load(file) {
            Ok(training) => return Ok(training),
            Err(e) if newest.is_none() => {
                note(format!("{e}; trying the one before"));
                newest = Some(e);
            }
            Err(_) => {}
        }
    }
    match newest {
        Some(e) => Err(e.into()),
        None => bail!("{}: no checkpoint; start the run again", run.join(FOLDER).display()),
    }
}

/// Checkpoints, newest first: names sort as epochs and steps do.
fn list(run: &Path) -> Result<Vec<PathBuf>> {
    let folder = run.join(FOLDER);
    let entries = std::fs::read_dir(&folder).with_context(|| format!("{}: cannot be listed", folder.display()))?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|e| e.path()).filter(|path| path.extension().is_some_and(|e| e == "safetensors")).collect();
    files.sort();
    files.reverse();
    Ok(files)
}

/// What a process that was killed while writing left behind.
fn remove_partial(run: &Path) {
    let entries = std::fs::read_dir(run.join(FOLDER)).into_iter().chain(std::fs::read_dir(run)).flatten().flatten();
    for path in entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "tmp")) {
        let _ = std::fs::remove_file(path); // only clutter
    }
}
