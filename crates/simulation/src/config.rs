//! Settings of a simulated recording.

use crate::error::Error;
use crate::population::{AREAS, Area};
use serde::{Deserialize, Serialize};
use striate_recording::{Recording, Tier};

/// A kind of test video.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Domain {
    /// Natural-like video, as in training.
    Natural,
    /// Smoothed noise, never trained on.
    Noise,
    /// Drifting gratings, never trained on.
    Gratings,
    /// Directional pink noise, for direction tuning.
    PinkNoise,
    /// Flashing dots, for receptive fields.
    Dots,
}

impl Domain {
    /// Word for tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Natural => "natural",
            Self::Noise => "noise",
            Self::Gratings => "gratings",
            Self::PinkNoise => "pink-noise",
            Self::Dots => "dots",
        }
    }

    /// Whether it is for tuning: many clips shown once, rather than few shown again and again.
    pub(crate) fn is_for_tuning(self) -> bool {
        matches!(self, Self::PinkNoise | Self::Dots)
    }
}

/// Settings of a simulated recording: the animal, what it is shown, and how it is measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SimulateConfig {
    /// Name of the animal.
    pub animal: String,
    /// Seed of the animal, of what it is shown and of what it does.
    pub seed: u64,
    /// Neurons, U.
    pub units: usize,
    /// Visual areas they lie in, in turn: V1, LM, AL, RL.
    pub areas: Vec<String>,
    /// H, pixels.
    pub height: usize,
    /// W, pixels.
    pub width: usize,
    /// Frames per second, Hz.
    pub rate: f64,
    /// Length of a clip, s.
    pub clip_seconds: f64,
    /// Minutes of training video, each clip shown once.
    pub train_minutes: f64,
    /// Validation clips, each shown once.
    pub validation_clips: usize,
    /// Kinds of test video.
    pub test_domains: Vec<Domain>,
    /// Test clips of natural-like video.
    pub test_clips: usize,
    /// Test clips of each other kind.
    pub other_clips: usize,
    /// Clips of each kind that is for tuning (pink noise, dots), each shown once.
    pub tuning_clips: usize,
    /// Times each test clip is shown.
    pub repeats: usize,
    /// Mean spike rate of the population over natural-like scenes, Hz.
    pub spike_rate: f64,
    /// Imaging frames per second, Hz.
    pub imaging_rate: f64,
    /// Standard deviation of the noise of an imaging frame, in units of one spike's signal.
    pub imaging_noise: f64,
}

impl Default for SimulateConfig {
    fn default() -> Self {
        Self {
            animal: "simulated-0".into(),
            seed: 0,
            units: 80,
            areas: AREAS.map(|area| area.name.to_owned()).into(),
            height: 36,
            width: 64,
            rate: 30.0,
            clip_seconds: 10.0,
            train_minutes: 8.0,
            validation_clips: 6,
            test_domains: vec![Domain::Natural, Domain::Noise],
            test_clips: 6,
            other_clips: 3,
            tuning_clips: 60,
            repeats: 10,
            spike_rate: 6.0,
            imaging_rate: 8.0,
            imaging_noise: 0.5,
        }
    }
}

/// One clip: what it is for, what it shows, and how often.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Clip {
    pub(crate) tier: Tier,
    pub(crate) domain: Domain,
    pub(crate) showings: usize,
}

impl SimulateConfig {
    /// The settings a simulated recording was made with.
    ///
    /// # Errors
    /// The recording is not simulated, or does not say how.
    pub fn of(recording: &Recording) -> Result<Self, Error> {
        let not = |why: String| Error::NotSimulated { recording: recording.path().display().to_string(), why };
        let Some(settings) = recording.meta().standardization.get("simulation") else {
            return Err(not("its standardization has no entry `simulation`".into()));
        };
        serde_json::from_value(settings.clone()).map_err(|e| not(e.to_string()))
    }

    /// Whether a recording can be made with these settings.
    ///
    /// # Errors
    /// The setting that is out of range.
    pub fn check(&self) -> Result<(), Error> {
        self.areas()?;
        let least = [("units", self.units, 1), ("height", self.height, 8), ("width", self.width, 8), ("repeats", self.repeats, 1)];
        for (field, value, least) in least {
            // a bound that memory has too: nobody wants more by mistake
            if !(least..=1_000_000).contains(&value) {
                return Err(Error::Setting { field, expected: format!("{least} to 1000000"), got: value.to_string() });
            }
        }
        let ranges = [
            ("rate", self.rate, 1.0, 1000.0),
            ("clip_seconds", self.clip_seconds, 0.1, 3600.0),
            ("train_minutes", self.train_minutes, 1e-3, 1e5),
            ("spike_rate", self.spike_rate, 1e-3, 1000.0),
            ("imaging_rate", self.imaging_rate, 0.1, 1000.0),
            ("imaging_noise", self.imaging_noise, 0.0, 1e6),
        ];
        for (field, value, least, most) in ranges {
            if !(least..=most).contains(&value) {
                return Err(Error::Setting { field, expected: format!("{least} to {most}"), got: value.to_string() });
            }
        }
        Ok(())
    }

    /// The areas of the neurons, in turn.
    pub(crate) fn areas(&self) -> Result<Vec<Area>, Error> {
        let known = || AREAS.map(|area| area.name).join(", ");
        if self.areas.is_empty() {
            return Err(Error::Setting { field: "areas", expected: format!("one or more of {}", known()), got: "empty".into() });
        }
        let find = |name: &String| {
            let unknown = || Error::Setting { field: "areas", expected: format!("some of {}", known()), got: name.clone() };
            AREAS.into_iter().find(|area| area.name == name).ok_or_else(unknown)
        };
        self.areas.iter().map(find).collect()
    }

    /// T of a clip.
    pub(crate) fn frames(&self) -> usize {
        (self.clip_seconds * self.rate).round().max(1.0) as usize
    }

    /// Training clips.
    pub(crate) fn train_clips(&self) -> usize {
        (self.train_minutes * 60.0 / self.clip_seconds).ceil().max(1.0) as usize
    }

    /// Clips in order: training, validation, and test of each kind.
    pub(crate) fn clips(&self) -> Vec<Clip> {
        let part = |n, tier, domain, showings| std::iter::repeat_n(Clip { tier, domain, showings }, n);
        let tests = self.test_domains.iter().flat_map(|domain| match domain {
            Domain::Natural => part(self.test_clips, Tier::Test, *domain, self.repeats),
            tuning if tuning.is_for_tuning() => part(self.tuning_clips, Tier::Test, *domain, 1),
            _ => part(self.other_clips, Tier::Test, *domain, self.repeats),
        });
        part(self.train_clips(), Tier::Train, Domain::Natural, 1)
            .chain(part(self.validation_clips, Tier::Validation, Domain::Natural, 1))
            .chain(tests)
            .collect()
    }

    /// A seed of its own for each piece of randomness: what it is for, and which.
    pub(crate) fn seed_of(&self, what: &str, index: u64) -> u64 {
        let mut seed = mix(self.seed);
        for byte in what.bytes() {
            seed = mix(seed ^ u64::from(byte));
        }
        mix(seed ^ index)
    }
}

/// SplitMix64 (Steele, Lea and Flood 2014): neighbouring numbers give unlike ones.
pub(crate) fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
