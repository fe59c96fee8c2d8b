//! Checkpoint: parameters, momentum and progress in one file, so that a resumed run continues to the same bits.

use crate::config::Preset;
use crate::optimizer::SgdClip;
use crate::run::{Progress, Training};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use striate_model::Network;

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
        std::fs::rename(&partial, path)
    };
    write().map_err(|source| {
        let _ = std::fs::remove_file(&partial); // the error that matters is the first one
        io(source)
    })
}

impl Training {
    /// Saves the run, atomically.
    pub fn save(&self, path: &Path) -> Result<(), CheckpointError> {
        let damaged = |why: String| CheckpointError::Damaged { path: path.to_owned(), why };
        let mut tensors: Vec<(String, Vec<usize>, Vec<u8>)> = Vec::new();
        for (place, param) in self.network.params().iter().enumerate() {
            tensors.push((format!("param.{}", param.name), param.shape.clone(), to_bytes(&param.value)));
            if let Some(momentum) = self.optimizer.momentum(place) {
                tensors.push((format!("momentum.{}", param.name), param.shape.clone(), to_bytes(momentum)));
            }
        }
        let views = tensors
            .iter()
            .map(|(name, shape, bytes)| TensorView::new(Dtype::F32, shape.clone(), bytes).map(|view| (name.as_str(), view)))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|e| damaged(e.to_string()))?;
        let json = |value: Result<String, serde_json::Error>| value.map_err(|e| damaged(e.to_string()));
        let metadata = HashMap::from([
            (PRESET.to_owned(), json(serde_json::to_string(&self.preset))?),
            (PROGRESS.to_owned(), json(serde_json::to_string(&self.progress))?),
        ]);
        let bytes = safetensors::serialize(views, Some(metadata)).map_err(|e| damaged(e.to_string()))?;
        write_atomically(path, &bytes)
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
        preset.check().map_err(|e| damaged(e.to_string()))?;
        progress.check(&preset).map_err(damaged)?;
        let mut network = Network::new(preset.model.clone(), preset.optimizer.seed).map_err(|e| damaged(e.to_string()))?;
        let mut optimizer = SgdClip::new(preset.optimizer.clone(), network.params());
        for (place, param) in network.params_mut().iter_mut().enumerate() {
            let view = tensors.tensor(&format!("param.{}", param.name)).map_err(|e| damaged(e.to_string()))?;
            if view.shape() != param.shape || view.dtype() != Dtype::F32 {
                return Err(damaged(format!("{} has shape {:?}, expected {:?}", param.name, view.shape(), param.shape)));
            }
            param.value = from_bytes(view.data());
            if let Ok(view) = tensors.tensor(&format!("momentum.{}", param.name)) {
                if view.shape() != param.shape || view.dtype() != Dtype::F32 {
                    return Err(damaged(format!("momentum of {} has shape {:?}, expected {:?}", param.name, view.shape(), param.shape)));
                }
                optimizer.set_momentum(place, from_bytes(view.data()));
            }
        }
        Ok(Self { preset, network, optimizer, progress })
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
