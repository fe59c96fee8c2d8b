//! Checks that keep the project's documents and structure true. `cargo xtask check` runs them all.

mod concepts;
mod layers;
mod links;
mod sources;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};

const USAGE: &str = "usage: cargo xtask <check>
  concepts  every row of ARCHITECTURE.md's table of the paper's terms names a file that holds the identifier
  layers    crates depend only on those below them; unsafe code, file lengths and file names keep to the rules
  links     relative links in the documents lead somewhere
  check     all of these";

/// A check: what it is called, and what it finds wrong in a workspace, one line each.
type Check = (&'static str, fn(&Path) -> Result<Vec<String>>);

const CHECKS: [Check; 4] = [("concepts", concepts::check), ("layers", layers::check), ("layers", sources::check), ("links", links::check)];

fn main() -> Result<ExitCode> {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    let known = |name: &str| name == "check" || CHECKS.iter().any(|(check, _)| *check == name);
    if asked.len() != 1 || !known(&asked[0]) {
        eprintln!("{USAGE}");
        return Ok(ExitCode::from(2));
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask lies in the workspace")?;
    let mut wrong = Vec::new();
    for (_, check) in CHECKS.iter().filter(|(name, _)| asked[0] == "check" || asked[0] == *name) {
        wrong.extend(check(root)?);
    }
    wrong.iter().for_each(|line| eprintln!("{line}"));
    println!("xtask {}: {} found wrong", asked[0], wrong.len());
    Ok(if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The text of a file.
fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// All files with this ending in a folder and the folders in it, in order of their names; hidden folders and build output are
/// left out. A folder that is not there has none.
fn files_in(folder: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if !folder.is_dir() {
        return Ok(found);
    }
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('.') && name != "target" {
            found.extend(files_in(&path, ending)?);
        } else if path.extension().is_some_and(|e| e == ending) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// A path as it reads from the workspace root.
fn shown(path: &Path, root: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string()
}
