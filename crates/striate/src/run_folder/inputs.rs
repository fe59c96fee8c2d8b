//! What a run was made from: recordings by content, and the source of frozen modules.

use crate::output;
use crate::provenance::machine;
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use striate::model::Modules;
use striate::recording::Recording;

/// File in the run folder.
const INPUTS: &str = "inputs.toml";

/// What a run was made from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inputs {
    /// Version of striate that started the run.
    pub version: String,
    /// Machine that began the run.
    pub machine: String,
    /// Where frozen modules came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Source>,
    /// Recordings, in order of rank.
    pub recordings: Vec<Input>,
}

/// One recording.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Absolute path.
    pub path: PathBuf,
    /// Content hash.
    pub sha256: String,
}

/// Where frozen modules came from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Weights, absolute path.
    pub path: PathBuf,
    /// Content hash of that file.
    pub sha256: String,
    /// Modules taken over.
    pub modules: Modules,
    /// Animals they were trained on, where that is known.
    pub animals: Vec<String>,
}

impl Inputs {
    pub(super) fn new(recordings: &[Recording], from: Option<Source>) -> Result<Self> {
        let input = |r: &Recording| Ok(Input { path: std::path::absolute(r.path())?, sha256: r.content_hash()? });
        let recordings = recordings.iter().map(input).collect::<Result<_>>()?;
        Ok(Self { version: env!("CARGO_PKG_VERSION").into(), machine: machine(), from, recordings })
    }

    /// Those of a run folder.
    pub fn read(folder: &Path) -> Result<Self> {
        let file = folder.join(INPUTS);
        let text =
            std::fs::read_to_string(&file).with_context(|| format!("{}: cannot be read; is {} a run folder?", file.display(), folder.display()))?;
        toml::from_str(&text).with_context(|| format!("{}: damaged", file.display()))
    }

    /// What such a run trains, in words.
    pub fn recipe(&self) -> String {
        match &self.from {
            Some(from) => format!("everything but {}, taken frozen from {} (sha256 {})", from.modules, from.path.display(), from.sha256),
            None if self.recordings.len() > 1 => "a cohort: some modules together, all else apart".into(),
            None => "all modules, on one recording".into(),
        }
    }

    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        output::write(&folder.join(INPUTS), toml::to_string_pretty(self)?.as_bytes())
    }

    /// Opens the recordings, where they were or where they are said to be now; refuses changed ones.
    pub(super) fn open(&mut self, run: &Path, moved: &[PathBuf]) -> Result<Vec<Recording>> {
        if !moved.is_empty() && moved.len() != self.recordings.len() {
            bail!("{}: {} recordings; name all of them with --recording, in the same order", run.display(), self.recordings.len());
        }
        let mut open = Vec::new();
        for (n, input) in self.recordings.iter_mut().enumerate() {
            let recording = Recording::open(moved.get(n).unwrap_or(&input.path))
                .with_context(|| format!("{}: the recording of this run; if it was moved, name it with --recording", run.display()))?;
            if recording.content_hash()? != input.sha256 {
                bail!("{}: the recording has changed since the run began; a resumed run would mix two data sets", recording.path().display());
            }
            input.path = std::path::absolute(recording.path())?;
            open.push(recording);
        }
        Ok(open)
    }
}

/// Whether a folder is a run's.
pub(super) fn is_run(folder: &Path) -> bool {
    folder.join(INPUTS).is_file()
}
