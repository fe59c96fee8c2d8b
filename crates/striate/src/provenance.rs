//! What a result was made from and with: files by their hash, the machine, the version.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use striate::model::Precision;
use striate::recording::Recording;
use striate_kernels::simd;

/// The file of an evaluation folder that says what was evaluated on what.
pub const EVALUATED: &str = "evaluation.toml";

/// What an evaluation was made from: [`EVALUATED`] in its folder.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// Version of striate.
    pub version: String,
    /// What predicted: a model file, or a baseline by name.
    pub predictor: String,
    /// Hash of the model file; none for a baseline, which is fitted to the recording.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predictor_sha256: Option<String>,
    /// Recording, absolute path.
    pub recording: PathBuf,
    /// Content hash of the recording.
    pub recording_sha256: String,
    /// First frames of each trial that are not scored.
    pub burnin: usize,
    /// What products were made of, where not of f32.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<String>,
    /// Machine.
    pub machine: String,
}

impl Origin {
    /// Of a model file's predictions.
    pub fn model(file: &Path, recording: &Recording, burnin: usize) -> Result<Self> {
        let hash = sha256(file)?;
        Ok(Self { predictor_sha256: Some(hash), ..Self::baseline(&std::path::absolute(file)?.display().to_string(), recording, burnin)? })
    }

    /// Of a baseline's predictions.
    pub fn baseline(name: &str, recording: &Recording, burnin: usize) -> Result<Self> {
        Ok(Self {
            version: env!("CARGO_PKG_VERSION").into(),
            predictor: name.into(),
            predictor_sha256: None,
            recording: std::path::absolute(recording.path())?,
            recording_sha256: recording.content_hash()?,
            burnin,
            precision: None,
            machine: machine(),
        })
    }

    /// The same with products of some precision.
    pub fn in_precision(self, precision: Precision) -> Self {
        let precision = (precision != Precision::F32).then(|| precision.name().to_owned());
        Self { precision, ..self }
    }
}

/// SHA-256 of a file's content.
pub fn sha256(file: &Path) -> Result<String> {
    let read = || format!("{}: cannot be read", file.display());
    let mut hash = Sha256::new();
    let mut bytes = std::io::BufReader::new(std::fs::File::open(file).with_context(read)?);
    loop {
        let piece = std::io::BufRead::fill_buf(&mut bytes).with_context(read)?;
        if piece.is_empty() {
            break;
        }
        hash.update(piece);
        let taken = piece.len();
        std::io::BufRead::consume(&mut bytes, taken);
    }
    Ok(hash.finalize().iter().map(|b| format!("{b:02x}")).collect())
}

/// This machine in words: processor where the system names it, threads, instruction set (bits depend on it), system.
pub fn machine() -> String {
    let processor = std::fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned() + ", ")
    });
    let tier = format!("{:?}", simd::tier()).to_lowercase();
    let (system, kind) = (std::env::consts::OS, std::env::consts::ARCH);
    format!("{}{} threads, {tier} kernels, {system} {kind}", processor.unwrap_or_default(), rayon::current_num_threads())
}
