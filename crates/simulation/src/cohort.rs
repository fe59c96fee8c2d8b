//! Cohort: several simulated animals that share the filter bank, each with its own neurons, as studies of shared cores need.

use crate::config::{Domain, SimulateConfig};

/// Sizes of a simulated study.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// Under half an hour of training on two cores: four animals and two to test on.
    Quick,
    /// A night: eight and four, as in the paper.
    Full,
}

impl Size {
    /// Animals that train a core, and animals to test on.
    pub fn animals(self) -> (usize, usize) {
        match self {
            Self::Quick => (4, 2),
            Self::Full => (8, 4),
        }
    }

    /// What every one of them is like. The test animals are shown noise and gratings that nobody is trained on.
    fn like(self) -> SimulateConfig {
        let base = SimulateConfig { test_domains: vec![Domain::Natural, Domain::Noise, Domain::Gratings], ..SimulateConfig::default() };
        match self {
            Self::Quick => SimulateConfig { units: 60, train_minutes: 8.0, validation_clips: 4, test_clips: 4, other_clips: 2, repeats: 8, ..base },
            Self::Full => SimulateConfig { units: 120, train_minutes: 24.0, ..base },
        }
    }

    /// Settings of each animal, the cohort first; names and seeds count from 1 and from `seed`.
    pub fn configs(self, seed: u64) -> Vec<SimulateConfig> {
        let (cohort, test) = self.animals();
        animals(&self.like(), cohort + test, seed)
    }
}

/// Animals alike but for name and seed.
pub fn animals(like: &SimulateConfig, count: usize, seed: u64) -> Vec<SimulateConfig> {
    let one = |n: usize| SimulateConfig { animal: format!("simulated-{n}"), seed: seed.wrapping_add(n as u64 - 1), ..like.clone() };
    (1..=count).map(one).collect()
}
