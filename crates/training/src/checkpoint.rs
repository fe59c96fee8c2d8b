//! Checkpoint: parameters, momentum and progress in one file, so that a resumed run continues to the same bits.

use crate::config::Preset;
use crate::member::Member;
use crate::recipe::Recipe;
use crate::run::{Progress, Training};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use striate_model::{Network, NetworkConfig};

/// A checkpoint that cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The file system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// File.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not a checkpoint, or a damaged one.
    #[error("{}: not a whole checkpoint: {why}; use an older one or start again", path.display())]
    Damaged {
        /// File.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}

const PRESET: &str = "preset";
const PROGRESS: &str = "progress";
const RECIPE: &str = "recipe";
const MEMBERS: &str = "members";

/// A member as a checkpoint describes it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Described {
    rank: usize,
    model: NetworkConfig,
}

/// The members of a run as a checkpoint describes them.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cohort {
    world: usize,
    members: Vec<Described>,
}

/// Most members that a checkpoint may claim.
const MOST: usize = 1 << 16;

/// Writes a file under a temporary name, then renames it: a reader sees the old file or the new one, never a part.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), CheckpointError> {
    let io = |source| CheckpointError::Io { path: path.to_owned(), source };
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".tmp");
    let partial = path.with_file_name(name);
    let write = || {
        let mut file = std::fs::File::create(&partial)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&partial, path)?;
        // the new name itself must survive a power cut; some file systems cannot be asked for that
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let _ = std::fs::File::open(folder).and_then(|folder| folder.sync_all());
        Ok(())
    };
    write().map_err(|source| {
        let _ = std::fs::remove_file(&partial); // the error that matters is the first one
        io(source)
    })
}

impl Training {
    /// Saves the run, atomically. What a cohort shares is saved once.
    pub fn save(&self, path: &Path) -> Result<(), CheckpointError> {
        let damaged = |why: String| CheckpointError::Damaged { path: path.to_owned(), why };
        let mut tensors: Vec<(String, Vec<usize>, Vec<u8>)> = Vec::new();
        for (m, member) in self.members.iter().enumerate() {
            for (place, param) in member.network.params().iter().enumerate() {
                let Some(owner) = self.owner(m, &param.name) else { continue };
                tensors.push((format!("param.{owner}{}", param.name), param.shape.clone(), to_bytes(&param.value)));
                if let Some(momentum) = member.optimizer.momentum(place) {
                    tensors.push((format!("momentum.{owner}{}", param.name), param.shape.clone(), to_bytes(momentum)));
                }
            }
        }
        let views = tensors
            .iter()
            .map(|(name, shape, bytes)| TensorView::new(Dtype::F32, shape.clone(), bytes).map(|view| (name.as_str(), view)))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|e| damaged(e.to_string()))?;
        let members = self.members.iter().map(|m| Described { rank: m.rank, model: m.network.config().clone() }).collect();
        let json = |value: Result<String, serde_json::Error>| value.map_err(|e| damaged(e.to_string()));
        let metadata = HashMap::from([
            (PRESET.to_owned(), json(serde_json::to_string(&self.preset))?),
            (PROGRESS.to_owned(), json(serde_json::to_string(&self.progress))?),
            (RECIPE.to_owned(), json(serde_json::to_string(&self.recipe))?),
            (MEMBERS.to_owned(), json(serde_json::to_string(&Cohort { world: self.world, members }))?),
        ]);
        let bytes = safetensors::serialize(views, Some(metadata)).map_err(|e| damaged(e.to_string()))?;
        write_atomically(path, &bytes)
    }

    /// Prefix of a member's parameter in a checkpoint; none for a shared one that another member saves.
    fn owner(&self, member: usize, parameter: &str) -> Option<String> {
        match (self.recipe.shared().is_some_and(|share| share.contain(parameter)), member) {
            (true, 0) => Some(String::new()),
            (true, _) => None,
            (false, _) if self.recipe.shared().is_none() => Some(String::new()),
            (false, m) => Some(format!("{m}.")),
        }
    }

    /// Reads a saved run.
    pub fn load(path: &Path) -> Result<Self, CheckpointError> {
        let damaged = |why: String| CheckpointError::Damaged { path: path.to_owned(), why };
        let bytes = std::fs::read(path).map_err(|source| CheckpointError::Io { path: path.to_owned(), source })?;
        let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|e| damaged(e.to_string()))?;
        let tensors = SafeTensors::deserialize(&bytes).map_err(|e| damaged(e.to_string()))?;
        let text = |key: &str| header.metadata().as_ref().and_then(|m| m.get(key)).ok_or_else(|| damaged(format!("no {key}")));
        let preset: Preset = serde_json::from_str(text(PRESET)?).map_err(|e| damaged(e.to_string()))?;
        let progress: Progress = serde_json::from_str(text(PROGRESS)?).map_err(|e| damaged(e.to_string()))?;
        let recipe: Recipe = serde_json::from_str(text(RECIPE)?).map_err(|e| damaged(e.to_string()))?;
        let Cohort { world, members: described } = serde_json::from_str(text(MEMBERS)?).map_err(|e| damaged(e.to_string()))?;
        preset.check().map_err(|e| damaged(e.to_string()))?;
        progress.check(&preset).map_err(damaged)?;
        if described.is_empty() || world > MOST || described.len() > world {
            return Err(damaged(format!("{} members of {world}", described.len())));
        }
        let mut training = Self::new(preset, recipe, Vec::new(), world);
        training.progress = progress;
        for Described { rank, model } in described {
            let mut network = Network::new(model, training.preset.optimizer.seed).map_err(|e| damaged(e.to_string()))?;
            if let Some(frozen) = training.recipe.frozen() {
                network.freeze(frozen);
            }
            let mut member = Member::new(rank, network, &training.preset);
            training.fill(&mut member, &tensors).map_err(damaged)?;
            training.members.push(member);
        }
        Ok(training)
    }

    /// Gives the next member its parameters and momentum.
    fn fill(&self, member: &mut Member, tensors: &SafeTensors) -> Result<(), String> {
        for (place, param) in member.network.params_mut().iter_mut().enumerate() {
            let Some(owner) = self.owner(self.members.len(), &param.name) else {
                let first = self.members[0].network.params().get(&param.name);
                let first = first.filter(|first| first.shape == param.shape).ok_or_else(|| format!("{} is not shared", param.name))?;
                param.value = first.value.clone();
                continue;
            };
            let read = |kind: &str| match tensors.tensor(&format!("{kind}.{owner}{}", param.name)) {
                Ok(view) if view.shape() != param.shape || view.dtype() != Dtype::F32 => {
                    Err(format!("{kind} of {} has shape {:?}, expected {:?}", param.name, view.shape(), param.shape))
                }
                found => Ok(found.map(|view| from_bytes(view.data()))),
            };
            let momentum = read("momentum")?;
            param.value = read("param")?.map_err(|e| e.to_string())?.into();
            if let Ok(momentum) = momentum {
                member.optimizer.set_momentum(place, momentum);
            }
        }
        Ok(())
    }
}

impl Progress {
    /// Refuses a place that the run of a preset has not.
    fn check(&self, preset: &Preset) -> Result<(), String> {
        let (cycles, epochs, steps) = (preset.scheduler.cycles, preset.scheduler.cycle_size, preset.loader.training_size);
        let within =
            if self.cycle < cycles { self.epoch < epochs && self.step <= steps } else { (self.cycle, self.epoch, self.step) == (cycles, 0, 0) };
        if within && self.objective_sum.is_finite() && self.best.is_none_or(f64::is_finite) {
            return Ok(());
        }
        Err(format!("its progress is {self:?}, expected a place within {cycles} cycles of {epochs} epochs of {steps} steps"))
    }
}

fn to_bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn from_bytes(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
}
