//! Design: which models a study trains, on which recordings, with which settings.

use crate::error::Error;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;
use striate_model::Modules;
use striate_recording::{Recording, Tier};
use striate_training::Preset;

/// Which study.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Foundation against individual models over amounts of training data (paper Figures 2b and 3, Extended Data Fig. 4).
    DataScaling,
    /// Networks without perspective, modulation, temporal kernels or the Poisson loss (Extended Data Fig. 3).
    Lesion,
    /// Conv-LSTM against CvT-LSTM foundation cores (Extended Data Fig. 5).
    Recurrent,
    /// Accuracy by visual area (Figure 2c).
    Areas,
    /// Twins of the same recording from different seeds: how far do they agree (after Extended Data Fig. 6).
    Reliability,
}

impl Kind {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::DataScaling => "data-scaling",
            Self::Lesion => "lesion",
            Self::Recurrent => "recurrent",
            Self::Areas => "areas",
            Self::Reliability => "reliability",
        }
    }

    /// Whether a cohort trains cores first.
    pub fn needs_cohort(self) -> bool {
        self == Self::Recurrent
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A recording of a study.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// Animal, and session and scan where there are several of it.
    pub name: String,
    /// Animal.
    pub animal: String,
    /// Absolute path.
    pub path: PathBuf,
    /// Content hash.
    pub sha256: String,
    /// Minutes of training video.
    pub minutes: f64,
    /// Frames of test video, repeats counted.
    pub test_frames: usize,
    /// Neurons.
    pub units: usize,
}

impl Subject {
    /// What a study must know of a recording.
    ///
    /// # Errors
    /// The recording cannot be read.
    pub fn of(recording: &Recording) -> Result<Self, Error> {
        let meta = recording.meta();
        let more = [&meta.session, &meta.scan].into_iter().flatten().map(|part| format!("-{part}")).collect::<String>();
        let frames = |tier| recording.trials_of(tier).iter().map(|t| recording.trials()[*t].frames).sum::<usize>();
        Ok(Self {
            name: format!("{}{more}", meta.animal),
            animal: meta.animal.clone(),
            path: std::path::absolute(recording.path()).unwrap_or_else(|_| recording.path().to_owned()),
            sha256: recording.content_hash()?,
            minutes: frames(Tier::Train) as f64 / meta.rate / 60.0,
            test_frames: frames(Tier::Test),
            units: recording.unit_count(),
        })
    }
}

/// What a study is: everything its results depend on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Design {
    /// Which study.
    pub kind: Kind,
    /// Fractions of the training data (data-scaling and recurrent).
    pub fractions: Vec<f64>,
    /// Seeds: each cell is trained once for each.
    pub seeds: Vec<u64>,
    /// Modules a cohort shares.
    pub share: Modules,
    /// Recordings that train cores.
    pub cohort: Vec<Subject>,
    /// Recordings that models are fitted to and tested on.
    pub test: Vec<Subject>,
    /// How networks are built and trained.
    pub preset: Preset,
}

/// The paper's fractions of 80 minutes: 4 to 76 (the two are named in its text, the five between are our choice).
pub const FRACTIONS: [f64; 7] = [0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.95];

/// One model of a study.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// Name, also that of its folder.
    pub name: String,
    /// What it is compared as, for example `foundation`.
    pub arm: String,
    /// What is trained.
    pub trained: Trained,
    /// Fraction of the training data.
    pub fraction: f64,
    /// Seed.
    pub seed: u64,
    /// Settings that differ from the design's preset, `key=value`.
    pub settings: Vec<String>,
}

/// What a cell trains.
#[derive(Clone, Debug, PartialEq)]
pub enum Trained {
    /// The whole cohort's core.
    Core,
    /// A model of one test recording.
    Individual {
        /// Place among the test recordings.
        subject: usize,
    },
    /// A model of one test recording around a core.
    Transfer {
        /// Place among the test recordings.
        subject: usize,
        /// Name of the cell that trains the core.
        core: String,
    },
}

impl Cell {
    /// Place of the recording it is tested on; none for a core.
    pub fn subject(&self) -> Option<usize> {
        match &self.trained {
            Trained::Core => None,
            Trained::Individual { subject } | Trained::Transfer { subject, .. } => Some(*subject),
        }
    }
}

/// A network without one of its parts: name and settings (Extended Data Fig. 3).
pub fn lesions(preset: &Preset) -> Vec<(&'static str, Vec<String>)> {
    let flat = vec!["1"; preset.model.feedforward.block_temporals.len()].join(", ");
    vec![
        ("full", Vec::new()),
        ("without perspective", vec!["model.perspective.type=none".into()]),
        ("without modulation", vec!["model.modulation.type=none".into()]),
        ("2-D convolutions", vec![format!("model.feedforward.block_temporals=[{flat}]")]),
        ("squared error", vec!["model.unit=elu_mse".into()]),
    ]
}

impl Design {
    /// Whether this is an earlier design with more seeds, fractions or recordings to test on, and nothing else changed: its models are all
    /// among these.
    pub fn continues(&self, earlier: &Self) -> bool {
        let Self { seeds, fractions, test, .. } = earlier.clone();
        let kept = seeds.iter().all(|seed| self.seeds.contains(seed))
            && fractions.iter().all(|fraction| self.fractions.contains(fraction))
            && test.iter().all(|subject| self.test.contains(subject));
        kept && Self { seeds, fractions, test, ..self.clone() } == *earlier
    }

    /// Refuses a design that cannot be run or whose result would mean nothing.
    ///
    /// # Errors
    /// What is missing or out of range.
    pub fn check(&self) -> Result<(), Error> {
        let wrong = |what: &'static str, expected: &str, got: String| Err(Error::Design { what, expected: expected.into(), got });
        if self.test.is_empty() {
            return wrong("--test", "at least one recording to test on", "none".into());
        }
        if self.kind.needs_cohort() && self.cohort.is_empty() {
            return wrong("--cohort", "at least one recording to train cores on", "none".into());
        }
        if self.seeds.is_empty() || self.fractions.is_empty() {
            return wrong("--seeds and --fractions", "at least one of each", format!("{} and {}", self.seeds.len(), self.fractions.len()));
        }
        if let Some(fraction) = self.fractions.iter().find(|f| !(**f > 0.0 && **f <= 1.0)) {
            return wrong("--fractions", "numbers above 0, at most 1", fraction.to_string());
        }
        if self.kind == Kind::Reliability && self.seeds.len() < 2 {
            return wrong("--seeds", "at least two, whose twins are compared", self.seeds.len().to_string());
        }
        let subjects: Vec<&Subject> = self.cohort.iter().chain(&self.test).collect();
        for (n, subject) in subjects.iter().enumerate() {
            if subjects[..n].iter().any(|other| other.sha256 == subject.sha256) {
                return wrong("recordings", "each once", format!("{} twice", subject.path.display()));
            }
        }
        for (n, subject) in self.test.iter().enumerate() {
            if self.test[..n].iter().any(|other| other.name == subject.name) {
                return wrong("--test", "recordings of different animal, session or scan", format!("{} twice", subject.name));
            }
        }
        Ok(())
    }

    /// Animals of the cohort that are also tested on.
    pub fn shared_animals(&self) -> Vec<&str> {
        let in_cohort = |animal: &str| self.cohort.iter().any(|subject| subject.animal == animal);
        self.test.iter().map(|subject| subject.animal.as_str()).filter(|animal| in_cohort(animal)).collect()
    }

    /// Every model, cores first.
    pub fn cells(&self) -> Vec<Cell> {
        match self.kind {
            Kind::DataScaling => self.scaling_cells(),
            Kind::Lesion => self.individuals(&lesions(&self.preset)),
            Kind::Recurrent => self.recurrent_cells(),
            Kind::Areas | Kind::Reliability => self.individuals(&[("individual", Vec::new())]),
        }
    }

    /// Individual models on all training data, one arm for each set of settings.
    fn individuals(&self, arms: &[(&str, Vec<String>)]) -> Vec<Cell> {
        let mut cells = Vec::new();
        for &seed in &self.seeds {
            for (subject, of) in self.test.iter().enumerate() {
                for (arm, settings) in arms {
                    let name = plain(&format!("{arm}-{}-s{seed}", of.name));
                    cells.push(self.cell(name, arm, Trained::Individual { subject }, 1.0, seed, settings));
                }
            }
        }
        cells
    }

    fn scaling_cells(&self) -> Vec<Cell> {
        let (mut cores, mut cells) = (Vec::new(), Vec::new());
        for &seed in &self.seeds {
            let core = format!("core-s{seed}");
            if !self.cohort.is_empty() {
                cores.push(self.cell(core.clone(), "core", Trained::Core, 1.0, seed, &[]));
            }
            for (subject, of) in self.test.iter().enumerate() {
                for &fraction in &self.fractions {
                    let name = |arm: &str| plain(&format!("{arm}-{}-{fraction}-s{seed}", of.name));
                    cells.push(self.cell(name("individual"), "individual", Trained::Individual { subject }, fraction, seed, &[]));
                    if !self.cohort.is_empty() {
                        let trained = Trained::Transfer { subject, core: core.clone() };
                        cells.push(self.cell(name("foundation"), "foundation", trained, fraction, seed, &[]));
                    }
                }
            }
        }
        cores.into_iter().chain(cells).collect()
    }

    fn recurrent_cells(&self) -> Vec<Cell> {
        let (mut cores, mut cells) = (Vec::new(), Vec::new());
        for &seed in &self.seeds {
            for (arm, kind) in [("Conv-LSTM", "conv_lstm"), ("CvT-LSTM", "cvt_lstm")] {
                let core = format!("core-{kind}-s{seed}");
                cores.push(self.cell(core.clone(), arm, Trained::Core, 1.0, seed, &[format!("model.recurrent.type={kind}")]));
                for (subject, of) in self.test.iter().enumerate() {
                    for &fraction in &self.fractions {
                        let name = plain(&format!("{kind}-{}-{fraction}-s{seed}", of.name));
                        cells.push(self.cell(name, arm, Trained::Transfer { subject, core: core.clone() }, fraction, seed, &[]));
                    }
                }
            }
        }
        cores.into_iter().chain(cells).collect()
    }

    fn cell(&self, name: String, arm: &str, trained: Trained, fraction: f64, seed: u64, settings: &[String]) -> Cell {
        let mut settings = settings.to_vec();
        settings.push(format!("optimizer.seed={seed}"));
        if fraction < 1.0 {
            settings.push(format!("loader.train_fraction={fraction}"));
        }
        Cell { name, arm: arm.into(), trained, fraction, seed, settings }
    }
}

/// A name that any file system takes.
fn plain(name: &str) -> String {
    name.chars().map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect()
}
