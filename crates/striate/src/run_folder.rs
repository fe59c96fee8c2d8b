//! A run is a folder: what went in, what came out, and all that is needed to go on.
//!
//! ```text
//! preset.toml           the preset as used, all values
//! inputs.toml           recordings and their content hashes, where frozen modules came from, version, machine
//! epochs.jsonl          one line per finished epoch
//! events.out.tfevents.* the same for TensorBoard
//! weights.safetensors   after the last finished epoch
//! best.safetensors      after the epoch of lowest validation objective; none without validation
//! members/<n>-<animal>/ these two of each animal, where a cohort is trained
//! checkpoint/           everything needed to resume, also within an epoch; the last few
//! ```

mod checkpoints;
mod inputs;

use crate::output;
use anyhow::{Context, Result, bail};
pub use inputs::{Inputs, Source};
use std::fs::File;
use std::path::{Path, PathBuf};
use striate::insilico::fit::trained_on;
use striate::model::open::{self, TrainedOn};
use striate::recording::Recording;
use striate::report::tensorboard::EventWriter;
use striate::training::preset::to_toml;
use striate::training::{Epoch, Preset, Training};

/// A run on disk.
pub struct RunFolder {
    path: PathBuf,
    events: EventWriter,
    /// Folder of each network's weights and the recording it belongs to; the run's own folder but for a cohort.
    networks: Vec<(PathBuf, TrainedOn)>,
    /// Checkpoints kept.
    keep: usize,
    /// Held while this process trains.
    _lock: File,
}

/// Weights of the best epoch, and of the last.
const BEST: &str = "best.safetensors";
const LAST: &str = "weights.safetensors";
/// Networks of a cohort.
const MEMBERS: &str = "members";
/// Checkpoints kept unless another number is asked for: should the newest be unreadable, there is one more.
pub const KEEP: usize = 2;

impl RunFolder {
    /// A new run; nothing is left of one that cannot be begun.
    pub fn create(path: &Path, recordings: &[Recording], training: &Training, from: Option<Source>, keep: usize) -> Result<Self> {
        let inputs = Inputs::new(recordings, from)?;
        output::whole_folder(path, |folder| {
            output::write(&folder.join("preset.toml"), to_toml(training.preset())?.as_bytes())?;
            inputs.write(folder)?;
            checkpoints::save(folder, training, keep)?;
            EventWriter::create(folder, now())?;
            Ok(())
        })?;
        Ok(Self { path: path.to_owned(), events: events(path, 1)?, networks: networks(path, recordings, &inputs), keep, _lock: lock(path)? })
    }

    /// An interrupted run, its recordings and its training; refuses recordings whose content has changed. `moved` is where the
    /// recordings are now, if not where they were.
    pub fn reopen(path: &Path, moved: &[PathBuf], keep: usize) -> Result<(Self, Vec<Recording>, Training)> {
        let mut inputs = Inputs::read(path)?;
        let lock = lock(path)?;
        let recordings = inputs.open(path, moved)?;
        let training = checkpoints::load(path)?;
        if !moved.is_empty() {
            inputs.write(path)?;
        }
        let events = events(path, training.finished() as i64 + 1)?;
        let folder = Self { path: path.to_owned(), events, networks: networks(path, &recordings, &inputs), keep, _lock: lock };
        folder.forget_after(training.finished())?;
        Ok((folder, recordings, training))
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
        checkpoints::save(&self.path, training, self.keep)
    }

    /// Keeps a finished epoch: weights, log, checkpoint.
    pub fn finish_epoch(&mut self, training: &Training, epoch: &Epoch) -> Result<()> {
        for ((folder, trained_on), network) in self.networks.iter().zip(training.networks()) {
            std::fs::create_dir_all(folder).with_context(|| format!("{}: cannot create the folder", folder.display()))?;
            for name in [Some(LAST), epoch.best.then_some(BEST)].into_iter().flatten() {
                open::save(&folder.join(name), network, &[], Some(trained_on))?;
            }
        }
        let mut all = epochs(&self.path)?;
        all.push(epoch.clone());
        self.write_epochs(&all)?;
        self.log(epoch)?;
        self.checkpoint(training)
    }

    /// Where the weights are: a file, or of a cohort the folder of all its networks.
    pub fn weights(&self) -> PathBuf {
        if self.networks.len() > 1 { self.path.join(MEMBERS) } else { weights_of(&self.path).unwrap_or_else(|_| self.path.clone()) }
    }

    fn log(&mut self, epoch: &Epoch) -> Result<()> {
        let (now, step) = (now(), epoch.epoch as i64);
        self.events.scalar("objective/training", step, epoch.training_objective as f32, now)?;
        if let Some(v) = epoch.validation_objective {
            self.events.scalar("objective/validation", step, v as f32, now)?;
        }
        for ((_, trained_on), v) in self.networks.iter().zip(&epoch.members) {
            if let Some(v) = v {
                self.events.scalar(&format!("objective/validation/{}", trained_on.animal), step, *v as f32, now)?;
            }
        }
        self.events.scalar("learning_rate", step, epoch.lr as f32, now)?;
        Ok(self.events.flush()?)
    }
}

/// Keeps other processes from training the same run.
fn lock(run: &Path) -> Result<File> {
    output::hold(&run.join("lock"), || bail!("{}: another process is training this run", run.display()))
}

/// Where the weights of each recording's network go, and what they say of their origin.
fn networks(path: &Path, recordings: &[Recording], inputs: &Inputs) -> Vec<(PathBuf, TrainedOn)> {
    let mut animals: Vec<String> = inputs.from.iter().flat_map(|from| from.animals.clone()).collect();
    if recordings.len() > 1 {
        animals.extend(recordings.iter().map(|r| r.meta().animal.clone()));
    }
    animals.sort();
    animals.dedup();
    let folder = |rank: usize, animal: &str| {
        if recordings.len() == 1 {
            return path.to_owned();
        }
        let plain: String = animal.chars().map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect();
        path.join(MEMBERS).join(format!("{rank}-{plain}"))
    };
    let of = |(rank, recording): (usize, &Recording)| {
        let trained_on = TrainedOn { core_animals: animals.clone(), ..trained_on(recording) };
        (folder(rank, &trained_on.animal), trained_on)
    };
    recordings.iter().enumerate().map(of).collect()
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

/// The recording a run was trained on, where it was then; `None` if this is no run folder, or a cohort's.
pub fn recording_of(path: &Path) -> Result<Option<PathBuf>> {
    if !inputs::is_run(path) {
        return Ok(None);
    }
    let recordings = Inputs::read(path)?.recordings;
    Ok((recordings.len() == 1).then(|| recordings[0].path.clone()))
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

/// Files of weights that a folder holds, the best epoch's first.
pub fn weights_in(path: &Path) -> Vec<PathBuf> {
    [BEST, LAST].map(|name| path.join(name)).into_iter().filter(|file| file.is_file()).collect()
}

/// The preset of a run folder, or of the run a cohort's member is in; none of a model file.
pub fn preset_of(path: &Path) -> Result<Option<Preset>> {
    let cohort = path.parent().filter(|folder| folder.ends_with(MEMBERS)).and_then(Path::parent);
    let file = cohort.unwrap_or(path).join("preset.toml");
    Ok(if inputs::is_run(cohort.unwrap_or(path)) { Some(Preset::load(&file.to_string_lossy(), &[])?) } else { None })
}

/// Weights of a run folder (the best epoch's where there is one, else the last's) or of a model file.
pub fn weights_of(path: &Path) -> Result<PathBuf> {
    if let Some(file) = weights_in(path).into_iter().next() {
        return Ok(file);
    }
    if let Some(member) = members(path)?.first() {
        bail!("{}: a cohort's run holds one network per animal; name one, for example {}", path.display(), member.display());
    }
    if inputs::is_run(path) {
        bail!("{}: no epoch is finished yet; go on with: striate train --resume {}", path.display(), path.display());
    }
    Ok(path.to_owned())
}

/// As [`weights_of`]; of a cohort's run, those of the recording's own network.
pub fn weights_for(path: &Path, recording: &Recording) -> Result<PathBuf> {
    let members = members(path)?;
    if members.is_empty() {
        return weights_of(path);
    }
    let here = trained_on(recording);
    for member in &members {
        let weights = weights_of(member)?;
        let theirs = open::load(&weights, None, None)?.trained_on;
        if theirs.is_some_and(|t| (t.animal, t.session, t.scan) == (here.animal.clone(), here.session.clone(), here.scan.clone())) {
            return Ok(weights);
        }
    }
    bail!("{}: none of its {} networks belongs to {}", path.display(), members.len(), recording.path().display())
}

/// Weights that hold the modules a run trained: of a cohort, any member's.
pub fn weights_with_core(path: &Path) -> Result<PathBuf> {
    match members(path)?.first() {
        Some(member) => weights_of(member),
        None => weights_of(path),
    }
}

/// Folders of a cohort's networks, in order of rank.
pub fn members(path: &Path) -> Result<Vec<PathBuf>> {
    let folder = path.join(MEMBERS);
    if !inputs::is_run(path) || !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries = std::fs::read_dir(&folder).with_context(|| format!("{}: cannot be listed", folder.display()))?;
    let rank = |path: &Path| path.file_name().and_then(|n| n.to_string_lossy().split('-').next().and_then(|n| n.parse::<usize>().ok()));
    let mut found: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(|path| rank(path).is_some()).collect();
    found.sort_by_key(|path| rank(path));
    Ok(found)
}
