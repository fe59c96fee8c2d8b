//! Description: what is known of a recording besides its samples: the whole, its videos, trials and units.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use striate_stimulus::Event;

/// What a trial is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// Fits parameters.
    Train,
    /// Chooses among epochs and settings.
    Validation,
    /// Is predicted at the end, and nothing else.
    Test,
}

/// What is known of the recording as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Meta {
    /// Animal.
    pub animal: String,
    /// Session, where there are several.
    #[serde(default)]
    pub session: Option<String>,
    /// Scan within the session, where there are several.
    #[serde(default)]
    pub scan: Option<String>,
    /// Frames and samples per second, Hz.
    pub rate: f64,
    /// Names of the eye inputs, P.
    pub eye: Vec<String>,
    /// Names of the behaviour inputs, M.
    pub behavior: Vec<String>,
    /// Where the data came from.
    #[serde(default)]
    pub source: String,
    /// Whether a simulation made them.
    #[serde(default)]
    pub simulated: bool,
    /// What was done to bring series to their units; free form.
    #[serde(default)]
    pub standardization: Value,
    /// Samples that were missing.
    #[serde(default)]
    pub missing: Missing,
}

/// Numbers of missing values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Missing {
    /// Eye positions.
    pub eye: u64,
    /// Behaviour samples.
    pub behavior: u64,
    /// Responses.
    pub response: u64,
}

/// Largest relative difference of two frame rates that count as the same (29.967 and 30 Hz do).
const SAME_RATE: f64 = 0.02;

/// Whether two frame rates count as the same.
pub fn same_rate(a: f64, b: f64) -> bool {
    (a / b - 1.0).abs() <= SAME_RATE
}

/// One video among all that were shown.
#[derive(Clone, Debug, PartialEq)]
pub struct VideoEntry {
    /// Name.
    pub name: String,
    /// First frame in the array of all videos.
    pub start: usize,
    /// Frames.
    pub frames: usize,
    /// What it shows when, where that is known.
    pub events: Vec<Event>,
}

/// One trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// Name.
    pub name: String,
    /// Index of the video shown.
    pub video: usize,
    /// First frame of the video shown.
    pub video_start: usize,
    /// Frames, and samples of every series.
    pub frames: usize,
    /// First row in the arrays of series.
    pub start: usize,
    /// What the trial is for.
    pub tier: Tier,
    /// Kind of stimulus, for example `natural`.
    pub domain: String,
}

/// Table of units: equally long named columns, the first `id`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UnitTable {
    /// Name and values of each column.
    pub columns: Vec<(String, Vec<Value>)>,
}

impl UnitTable {
    /// Units numbered from 0.
    pub fn numbered(units: usize) -> Self {
        Self { columns: vec![("id".into(), (0..units).map(Value::from).collect())] }
    }

    /// Number of units.
    pub fn len(&self) -> usize {
        self.columns.first().map_or(0, |(_, values)| values.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Identifiers as text.
    pub fn ids(&self) -> Vec<String> {
        let text = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
        self.column("id").unwrap_or_default().iter().map(text).collect()
    }

    /// Values of a column.
    pub fn column(&self, name: &str) -> Option<&[Value]> {
        self.columns.iter().find(|(n, _)| n == name).map(|(_, values)| values.as_slice())
    }
}
