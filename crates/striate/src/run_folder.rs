//! A run is a folder: what went in, what came out, and all that is needed to go on.
//!
//! ```text
//! preset.toml           the preset as used, all values
//! inputs.toml           recording and its content hash, version
//! epochs.jsonl          one line per finished epoch
//! events.out.tfevents.* the same for TensorBoard
//! weights.safetensors   after the last finished epoch
//! best.safetensors      after the epoch of lowest validation objective
//! checkpoint/           everything needed to resume, also within an epoch
//! ```

use crate::output;
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use striate::model::open;
use striate::recording::Recording;
use striate::report::tensorboard::EventWriter;
use striate::training::preset::to_toml;
use striate::training::{Epoch, Training};

/// A run on disk.
pub struct RunFolder {
    path: PathBuf,
    events: EventWriter,
}

/// What a run was made from.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inputs {
    /// Version of striate that started the run.
    pub version: String,
    /// Recording, absolute path.
    pub recording: PathBuf,
    /// Content hash of the recording.
    pub recording_sha256: String,
}

impl RunFolder {
    /// A new run.
    pub fn create(path: &Path, recording: &Recording, training: &Training) -> Result<Self> {
        output::new_folder(path)?;
        let inputs = Inputs {
            version: env!("CARGO_PKG_VERSION").into(),
            recording: std::path::absolute(recording.path())?,
            recording_sha256: recording.content_hash()?,
        };
        output::write(&path.join("preset.toml"), to_toml(training.preset())?.as_bytes())?;
        output::write(&path.join("inputs.toml"), toml::to_string_pretty(&inputs)?.as_bytes())?;
        std::fs::create_dir_all(path.join("checkpoint")).with_context(|| format!("{}: cannot create the checkpoint folder", path.display()))?;
        let folder = Self { path: path.to_owned(), events: EventWriter::create(path, now())? };
        folder.checkpoint(training)?;
        Ok(folder)
    }

    /// An interrupted run, its recording and its training; refuses a recording whose content has changed.
    pub fn reopen(path: &Path) -> Result<(Self, Recording, Training)> {
        let file = path.join("inputs.toml");
        let text =
            std::fs::read_to_string(&file).with_context(|| format!("{}: cannot be read; is {} a run folder?", file.display(), path.display()))?;
        let inputs: Inputs = toml::from_str(&text).with_context(|| format!("{}: damaged", file.display()))?;
        let recording = Recording::open(&inputs.recording)?;
        if recording.content_hash()? != inputs.recording_sha256 {
            bail!("{}: the recording has changed since the run began; a resumed run would mix two data sets", inputs.recording.display());
        }
        let training = Training::load(&checkpoint(path))?;
        let folder = Self { path: path.to_owned(), events: events(path, training.finished() as i64 + 1)? };
        folder.forget_after(training.finished())?;
        Ok((folder, recording, training))
    }

    /// Drops epochs that were written after the checkpoint was.
    fn forget_after(&self, finished: usize) -> Result<()> {
        let kept: Vec<Epoch> = epochs(&self.path)?.into_iter().filter(|e| e.epoch <= finished).collect();
        self.write_epochs(&kept)
    }

    fn write_epochs(&self, epochs: &[Epoch]) -> Result<()> {
        let lines = epochs.iter().map(|e| serde_json::to_string(e).map(|l| l + "\n")).collect::<Result<String, _>>()?;
        output::write(&self.path.join("epochs.jsonl"), lines.as_bytes())
    }

    /// Saves what is needed to resume.
    pub fn checkpoint(&self, training: &Training) -> Result<()> {
        Ok(training.save(&checkpoint(&self.path))?)
    }

    /// Keeps a finished epoch: weights, log, checkpoint.
    pub fn finish_epoch(&mut self, training: &Training, epoch: &Epoch) -> Result<()> {
        open::save(&self.path.join("weights.safetensors"), training.network(), &[])?;
        if epoch.best || !self.path.join("best.safetensors").exists() {
            open::save(&self.path.join("best.safetensors"), training.network(), &[])?;
        }
        let mut all = epochs(&self.path)?;
        all.push(*epoch);
        self.write_epochs(&all)?;
        let (now, step) = (now(), epoch.epoch as i64);
        self.events.scalar("objective/training", step, epoch.training_objective as f32, now)?;
        if let Some(v) = epoch.validation_objective {
            self.events.scalar("objective/validation", step, v as f32, now)?;
        }
        self.events.scalar("learning_rate", step, epoch.lr as f32, now)?;
        self.events.flush()?;
        self.checkpoint(training)
    }
}

/// Seconds since 1970, what TensorBoard calls wall time.
fn now() -> f64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0.0, |d| d.as_secs_f64())
}

/// The run's event file, to go on at a step; a new one if it is gone.
fn events(path: &Path, step: i64) -> Result<EventWriter> {
    let files = std::fs::read_dir(path).with_context(|| format!("{}: cannot be listed", path.display()))?;
    let ours = files
        .flatten()
        .map(|entry| entry.path())
        .find(|file| file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("events.out.tfevents")));
    Ok(match ours {
        Some(file) => EventWriter::append(&file, step, now())?,
        None => EventWriter::create(path, now())?,
    })
}

fn checkpoint(path: &Path) -> PathBuf {
    path.join("checkpoint").join("state.safetensors")
}

/// Finished epochs of a run.
pub fn epochs(path: &Path) -> Result<Vec<Epoch>> {
    let file = path.join("epochs.jsonl");
    if !file.exists() {
        return Ok(Vec::new());
    }
    let text = std::fs::read_to_string(&file).with_context(|| format!("{}: cannot be read", file.display()))?;
    text.lines().map(|line| serde_json::from_str(line).with_context(|| format!("{}: damaged line {line}", file.display()))).collect()
}

/// Weights of a run folder (the best epoch's where there is one, else the last's) or of a model file.
pub fn weights_of(path: &Path) -> PathBuf {
    let best = path.join("best.safetensors");
    if best.is_file() { best } else { path.to_owned() }
}
