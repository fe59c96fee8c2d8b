//! Output folders and tables on the terminal.

use anyhow::{Context, Result, bail};
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::Write;
use std::path::Path;

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

/// Prints a line to standard output; a closed pipe ends the program quietly.
pub fn say(line: impl std::fmt::Display) {
    if writeln!(std::io::stdout(), "{line}").is_err() {
        std::process::exit(0);
    }
}

/// Prints a value as JSON.
pub fn say_json(value: &impl serde::Serialize) -> Result<()> {
    say(serde_json::to_string_pretty(value)?);
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

/// A new folder; refuses one that is there and not empty.
pub fn new_folder(path: &Path) -> Result<()> {
    if path.exists() && (!path.is_dir() || std::fs::read_dir(path)?.next().is_some()) {
        bail!("{}: exists already and is not an empty folder; choose another name", path.display());
    }
    std::fs::create_dir_all(path).with_context(|| format!("{}: cannot create the folder", path.display()))
}

/// A progress bar on a terminal; nothing elsewhere.
pub fn bar(total: usize, what: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:>12} {bar:40} {pos}/{len} {eta} left").unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(total as u64).with_style(style).with_message(what.to_owned())
}

/// A number with three decimals, `-` for NaN.
pub fn number(x: f64) -> String {
    if x.is_finite() { format!("{x:.3}") } else { "-".into() }
}
