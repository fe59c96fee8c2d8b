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

    /// Settings of each animal, the cohort first; seeds count from `seed`.
    pub fn configs(self, seed: u64) -> Vec<SimulateConfig> {
        let (cohort, test) = self.animals();
        animals(&self.like(), cohort + test, seed)
    }
}

/// Animals alike but for name and seed.
pub fn animals(like: &SimulateConfig, count: usize, seed: u64) -> Vec<SimulateConfig> {
    let one = |n: usize| {
        let seed = seed.wrapping_add(n as u64);
        SimulateConfig { animal: name(seed), seed, ..like.clone() }
    };
    (0..count).map(one).collect()
}

/// What the animal of a seed is called: neurons of two seeds are not those of one animal.
pub fn name(seed: u64) -> String {
    format!("simulated-{seed}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn animals_of_two_seeds_have_two_names() {
        let cohort = animals(&SimulateConfig::default(), 3, 7);
        let all: Vec<(String, u64)> = cohort.into_iter().map(|c| (c.animal, c.seed)).collect();
        assert_eq!(all, [("simulated-7".to_owned(), 7), ("simulated-8".into(), 8), ("simulated-9".into(), 9)]);
        assert_eq!(SimulateConfig::default().animal, name(SimulateConfig::default().seed));
    }
}
