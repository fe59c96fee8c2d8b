//! Output folders and tables on the terminal.

use anyhow::{Context, Result, bail};
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use indicatif::{ProgressBar, ProgressStyle};
use npyz::WriterBuilder;
use std::fs::{File, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

/// A table with a header; numbers right-aligned from column `numbers` on.
pub fn table(header: &[&str], rows: Vec<Vec<String>>, numbers: usize) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(header.to_vec());
    for row in rows {
        table.add_row(row);
    }
    for column in numbers..header.len() {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// Nobody reads standard output any more.
static CLOSED: AtomicBool = AtomicBool::new(false);
/// Standard output could not be written, and that was said.
static FAILED: AtomicBool = AtomicBool::new(false);

/// What is said in words goes to standard error: standard output is kept for JSON.
static ASIDE: AtomicBool = AtomicBool::new(false);

/// From now on only JSON goes to standard output.
pub fn keep_output_for_json() {
    ASIDE.store(true, Ordering::Relaxed);
}

/// Says a line: on standard output, unless that is kept for JSON.
pub fn say(line: impl std::fmt::Display) {
    if ASIDE.load(Ordering::Relaxed) {
        complain(line);
    } else {
        print(line);
    }
}

/// Prints a line to standard output. Work goes on without a reader: a closed pipe only ends the printing; any other failure is told
/// once, and in the exit code.
fn print(line: impl std::fmt::Display) {
    if CLOSED.load(Ordering::Relaxed) {
        return;
    }
    if let Err(e) = writeln!(std::io::stdout(), "{line}") {
        CLOSED.store(true, Ordering::Relaxed);
        if e.kind() != ErrorKind::BrokenPipe {
            FAILED.store(true, Ordering::Relaxed);
            complain(format_args!("error: standard output cannot be written: {e}"));
        }
    }
}

/// The exit code of a verb that ended with `code`.
pub fn exit_code(code: ExitCode) -> ExitCode {
    if FAILED.load(Ordering::Relaxed) { ExitCode::FAILURE } else { code }
}

/// Prints a line to standard error, if that is still open: there is nowhere else to say it.
pub fn complain(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Tells what was done that was not asked for.
pub fn note(line: impl std::fmt::Display) {
    complain(format_args!("note: {line}"));
}

/// Prints a value as JSON.
pub fn say_json(value: &impl serde::Serialize) -> Result<()> {
    print(serde_json::to_string_pretty(value)?);
    Ok(())
}

/// Writes a file under a temporary name, then renames it.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(parent) = path.parent()
        && !parent.as_os_str().is_empty()
    {
        std::fs::create_dir_all(parent).with_context(|| format!("{}: cannot create the folder", parent.display()))?;
    }
    Ok(striate::training::checkpoint::write_atomically(path, bytes)?)
}

/// A file that one process at a time can hold. Whoever inherits its handle holds it too, and it is free when all of them have ended, however
/// they did. `busy` is called where another process holds it, before it is waited for; its error ends the waiting.
pub fn hold(path: &Path, busy: impl FnOnce() -> Result<()>) -> Result<File> {
    let cannot = || format!("{}: cannot be locked", path.display());
    let file = File::options().create(true).truncate(false).write(true).open(path).with_context(cannot)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            busy()?;
            file.lock().with_context(cannot)?;
        }
        Err(TryLockError::Error(e)) if e.kind() == ErrorKind::Unsupported => {} // a file system without locks: as before there were any
        Err(TryLockError::Error(e)) => return Err(e).with_context(cannot),
    }
    Ok(file)
}

/// Refuses a place for a new folder that is taken.
pub fn free(path: &Path) -> Result<()> {
    if path.exists() && (!path.is_dir() || std::fs::read_dir(path)?.next().is_some()) {
        bail!("{}: exists already and is not an empty folder; choose another name", path.display());
    }
    Ok(())
}

/// A new folder; refuses one that is there and not empty.
pub fn new_folder(path: &Path) -> Result<()> {
    free(path)?;
    std::fs::create_dir_all(path).with_context(|| format!("{}: cannot create the folder", path.display()))
}

/// A new folder that appears whole or not at all: filled under a temporary name beside its place, then renamed.
pub fn whole_folder<T>(path: &Path, fill: impl FnOnce(&Path) -> Result<T>) -> Result<T> {
    free(path)?;
    let mut name = path.file_name().with_context(|| format!("{}: does not name a folder", path.display()))?.to_owned();
    name.push(format!(".{}.partial", std::process::id()));
    let partial = path.with_file_name(name);
    let filled = new_folder(&partial).and_then(|()| fill(&partial)).and_then(|value| {
        if path.is_dir() {
            std::fs::remove_dir(path).with_context(|| format!("{}: cannot be replaced", path.display()))?; // empty: that was checked
        }
        std::fs::rename(&partial, path).with_context(|| format!("{}: cannot be given its name", path.display()))?;
        Ok(value)
    });
    if filled.is_err() {
        let _ = std::fs::remove_dir_all(&partial); // the error that matters is the first one
    }
    filled
}

/// Refuses an output file that is one of the inputs, or lies in an input folder: it would replace what it was made from.
pub fn not_an_input<'a>(output: &Path, inputs: impl IntoIterator<Item = &'a PathBuf>) -> Result<()> {
    let Ok(place) = output.canonicalize() else { return Ok(()) }; // not there, so nothing is replaced
    for input in inputs {
        if input.canonicalize().is_ok_and(|input| place == input || (place.is_file() && place.starts_with(&input))) {
            bail!("{}: is an input and would be replaced; choose another name for -o", output.display());
        }
    }
    Ok(())
}

/// A progress bar on a terminal; nothing elsewhere.
pub fn bar(total: usize, what: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:>12} {bar:40} {pos}/{len} {eta} left").unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(total as u64).with_style(style).with_message(what.to_owned())
}

/// A .npy file of row-major values.
pub fn npy_bytes(shape: &[u64], values: &[f32]) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut writer = npyz::WriteOptions::new().default_dtype().shape(shape).writer(&mut bytes).begin_nd()?;
    writer.extend(values.iter().copied())?;
    writer.finish()?;
    Ok(bytes)
}

/// An identifier as text.
pub fn id(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A number with three decimals, `-` for NaN.
pub fn number(x: f64) -> String {
    if x.is_finite() { format!("{x:.3}") } else { "-".into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_appears_whole_or_not_at_all() {
        let root = tempfile::tempdir().expect("folder");
        let path = root.path().join("out");
        let failed: Result<()> = whole_folder(&path, |folder| {
            write(&folder.join("a"), b"a")?;
            bail!("no room")
        });
        assert_eq!(failed.expect_err("no room").to_string(), "no room");
        assert_eq!(std::fs::read_dir(root.path()).expect("list").count(), 0);
        std::fs::create_dir(&path).expect("an empty folder may be there");
        whole_folder(&path, |folder| write(&folder.join("a"), b"a")).expect("written");
        assert!(path.join("a").is_file());
        assert!(whole_folder(&path, |_| Ok(())).is_err(), "not over another");
    }
}
