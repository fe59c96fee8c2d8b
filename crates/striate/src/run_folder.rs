//! A run is a folder: what went in, what came out, and all that is needed to go on.
//!
//! ```text
//! preset.toml           the preset as used, all values
//! inputs.toml           recording and its content hash, version
//! epochs.jsonl          one line per finished epoch
//! events.out.tfevents.* the same for TensorBoard
//! weights.safetensors   after the last finished epoch
//! best.safetensors      after the epoch of lowest validation objective; none without validation
//! checkpoint/           everything needed to resume, also within an epoch
//! ```

use crate::output;
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use striate::insilico::fit::trained_on;
use striate::model::open::{self, TrainedOn};
use striate::recording::Recording;
use striate::report::tensorboard::EventWriter;
use striate::training::preset::to_toml;
use striate::training::{Epoch, Training};

/// A run on disk.
pub struct RunFolder {
    path: PathBuf,
    events: EventWriter,
    trained_on: TrainedOn,
}

/// Weights of the best epoch, and of the last.
const BEST: &str = "best.safetensors";
const LAST: &str = "weights.safetensors";
/// What the run was made from.
const INPUTS: &str = "inputs.toml";

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

impl Inputs {
    fn read(folder: &Path) -> Result<Self> {
        let file = folder.join(INPUTS);
        let text =
            std::fs::read_to_string(&file).with_context(|| format!("{}: cannot be read; is {} a run folder?", file.display(), folder.display()))?;
        toml::from_str(&text).with_context(|| format!("{}: damaged", file.display()))
    }

    fn write(&self, folder: &Path) -> Result<()> {
        output::write(&folder.join(INPUTS), toml::to_string_pretty(self)?.as_bytes())
    }
}

impl RunFolder {
    /// A new run; nothing is left of one that cannot be begun.
    pub fn create(path: &Path, recording: &Recording, training: &Training) -> Result<Self> {
        let inputs = Inputs {
            version: env!("CARGO_PKG_VERSION").into(),
            recording: std::path::absolute(recording.path())?,
            recording_sha256: recording.content_hash()?,
        };
        output::whole_folder(path, |folder| {
            output::write(&folder.join("preset.toml"), to_toml(training.preset())?.as_bytes())?;
            inputs.write(folder)?;
            std::fs::create_dir_all(folder.join("checkpoint"))
                .with_context(|| format!("{}: cannot create the checkpoint folder", folder.display()))?;
            training.save(&checkpoint(folder))?;
            EventWriter::create(folder, now())?;
            Ok(())
        })?;
        Ok(Self { path: path.to_owned(), events: events(path, 1)?, trained_on: trained_on(recording) })
    }

    /// An interrupted run, its recording and its training; refuses a recording whose content has changed. `moved` is where the
    /// recording is now, if not where it was.
    pub fn reopen(path: &Path, moved: Option<&Path>) -> Result<(Self, Recording, Training)> {
        let mut inputs = Inputs::read(path)?;
        let recording = Recording::open(moved.unwrap_or(&inputs.recording))
            .with_context(|| format!("{}: the recording of this run; if it was moved, name it with --recording", path.display()))?;
        if recording.content_hash()? != inputs.recording_sha256 {
            bail!("{}: the recording has changed since the run began; a resumed run would mix two data sets", recording.path().display());
        }
        let training = Training::load(&checkpoint(path))?;
        if moved.is_some() {
            inputs.recording = std::path::absolute(recording.path())?;
            inputs.write(path)?;
        }
        let folder = Self { path: path.to_owned(), events: events(path, training.finished() as i64 + 1)?, trained_on: trained_on(&recording) };
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
        let save = |name: &str| open::save(&self.path.join(name), training.network(), &[], Some(&self.trained_on));
        save(LAST)?;
        if epoch.best {
            save(BEST)?;
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

/// The recording a run was trained on, where it was then; `None` if this is no run folder.
pub fn recording_of(path: &Path) -> Result<Option<PathBuf>> {
    if path.join(INPUTS).is_file() { Ok(Some(Inputs::read(path)?.recording)) } else { Ok(None) }
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
pub fn weights_of(path: &Path) -> Result<PathBuf> {
    if let Some(file) = [BEST, LAST].map(|name| path.join(name)).into_iter().find(|file| file.is_file()) {
        return Ok(file);
    }
    if path.join(INPUTS).is_file() {
        bail!("{}: no epoch is finished yet; go on with: striate train --resume {}", path.display(), path.display());
    }
    Ok(path.to_owned())
}
