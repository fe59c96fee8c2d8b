//! Labels: the class of every sample, by number and by name.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// The class of every sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    /// Names of the classes `[K]`, sorted.
    pub classes: Vec<String>,
    /// Class of each sample `[n]`, an index of `classes`.
    pub of: Vec<usize>,
}

impl Labels {
    /// From each sample's class name.
    pub fn new<S: AsRef<str>>(names: &[S]) -> Self {
        let mut classes: Vec<String> = names.iter().map(|name| name.as_ref().to_owned()).collect();
        classes.sort();
        classes.dedup();
        let place = |name: &S| classes.partition_point(|class| class.as_str() < name.as_ref());
        let of = names.iter().map(place).collect();
        Self { classes, of }
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.of.len()
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    /// Class name of a sample.
    pub fn name(&self, sample: usize) -> &str {
        &self.classes[self.of[sample]]
    }

    /// Samples of each class `[K]`, in order.
    pub fn members(&self) -> Vec<Vec<usize>> {
        let mut members = vec![Vec::new(); self.classes.len()];
        self.of.iter().enumerate().for_each(|(sample, &class)| members[class].push(sample));
        members
    }

    /// The same labels dealt to the samples at random: the control in which features say nothing of labels.
    pub fn shuffled(&self, seed: u64) -> Self {
        let mut shuffled = self.clone();
        shuffled.of.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        shuffled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_sorted_names() {
        let labels = Labels::new(&["V1", "AL", "V1", "LM"]);
        assert_eq!((labels.classes.as_slice(), labels.of.as_slice()), (["AL", "LM", "V1"].map(str::to_owned).as_slice(), [2, 0, 2, 1].as_slice()));
        assert_eq!(labels.members(), [vec![1], vec![3], vec![0, 2]]);
        let (mut once, again) = (labels.shuffled(3), labels.shuffled(3));
        assert_eq!(once, again);
        once.of.sort();
        assert_eq!(once.of, [0, 1, 2, 2]);
    }
}
