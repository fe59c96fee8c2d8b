//! The folder of a study: made once, continued with the same design or one that asks for more models, refused with another.

use crate::output;
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use striate::insilico::study::{Cell, Design};
use toml::Value;

/// File of the design.
const STUDY: &str = "study.toml";

/// A study on disk.
pub struct StudyFolder {
    /// The folder.
    pub path: PathBuf,
    /// What it is.
    pub design: Design,
}

/// What the file holds.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    /// Version of striate that began it.
    version: String,
    /// Machine that began it.
    machine: String,
    design: Design,
}

impl StudyFolder {
    /// Begins a study, or goes on with one whose models are all among this design's; one that is only planned changes nothing.
    pub fn create(path: &Path, design: Design, only_planned: bool) -> Result<Self> {
        let file = path.join(STUDY);
        let mut stored = Stored { version: env!("CARGO_PKG_VERSION").into(), machine: crate::provenance::machine(), design };
        if file.is_file() {
            let there = stored_in(path)?;
            if !stored.design.continues(&there.design)
                && let Some((key, theirs, ours)) = difference(&there.design, &stored.design)?
            {
                bail!(
                    "{}: a study with another design; {key} is {theirs} there and {ours} here; choose another folder, or go on with: striate study --resume {}",
                    path.display(),
                    path.display()
                );
            }
            stored = Stored { design: stored.design, ..there };
        }
        if !only_planned {
            output::write(&file, toml::to_string_pretty(&stored)?.as_bytes())?;
        }
        Ok(Self { path: path.to_owned(), design: stored.design })
    }

    /// A study that was begun.
    pub fn open(path: &Path) -> Result<Self> {
        Ok(Self { path: path.to_owned(), design: stored_in(path)?.design })
    }

    /// Run folder of a cell.
    pub fn run(&self, cell: &str) -> PathBuf {
        self.path.join("runs").join(cell)
    }

    /// Evaluation folder of a cell.
    pub fn evaluation(&self, cell: &str) -> PathBuf {
        self.path.join("evaluations").join(cell)
    }

    /// What a cell's processes said.
    pub fn log(&self, cell: &str) -> PathBuf {
        self.path.join("logs").join(format!("{cell}.txt"))
    }

    /// The preset of all cells, as a file.
    pub fn preset(&self) -> Result<PathBuf> {
        let file = self.path.join("preset.toml");
        if !file.is_file() {
            output::write(&file, striate::training::preset::to_toml(&self.design.preset)?.as_bytes())?;
        }
        Ok(file)
    }

    /// Whether nothing is left to do for a cell.
    pub fn done(&self, cell: &Cell) -> bool {
        match cell.subject() {
            Some(_) => self.evaluation(&cell.name).join("units.csv").is_file(),
            None => self.core_done(&cell.name),
        }
    }

    /// A core is done when the run has finished its epochs, which the executor notes.
    fn core_done(&self, cell: &str) -> bool {
        self.run(cell).join("done").is_file()
    }

    /// Notes that a core is trained.
    pub fn note_done(&self, cell: &str) -> Result<()> {
        output::write(&self.run(cell).join("done"), b"")
    }
}

/// What the folder's file holds.
fn stored_in(path: &Path) -> Result<Stored> {
    let file = path.join(STUDY);
    let text = std::fs::read_to_string(&file).with_context(|| format!("{}: cannot be read; is {} a study?", file.display(), path.display()))?;
    let stored: Stored = toml::from_str(&text).with_context(|| format!("{}: damaged", file.display()))?;
    stored.design.check()?;
    Ok(stored)
}

/// First setting in which two designs differ: key, value there, value here.
fn difference(there: &Design, here: &Design) -> Result<Option<(String, String, String)>> {
    fn first(key: &str, a: Option<&Value>, b: Option<&Value>) -> Option<(String, String, String)> {
        match (a, b) {
            (Some(Value::Table(a)), Some(Value::Table(b))) => {
                let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
                keys.into_iter().find_map(|k| first(&if key.is_empty() { k.clone() } else { format!("{key}.{k}") }, a.get(k), b.get(k)))
            }
            (Some(Value::Array(a)), Some(Value::Array(b))) if a.len() == b.len() => {
                a.iter().zip(b).enumerate().find_map(|(n, (a, b))| first(&format!("{key}[{n}]"), Some(a), Some(b)))
            }
            (a, b) if a == b => None,
            (a, b) => {
                let text = |v: Option<&Value>| v.map_or_else(|| "not set".into(), ToString::to_string);
                Some((key.to_owned(), text(a), text(b)))
            }
        }
    }
    let (a, b) = (Value::try_from(there)?, Value::try_from(here)?);
    Ok(first("", Some(&a), Some(&b)))
}
