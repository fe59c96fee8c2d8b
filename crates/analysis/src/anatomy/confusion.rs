//! Confusion matrix: what samples of each class were taken for.

use super::labels::Labels;
use crate::table::{Column, Table};

/// Numbers of samples by true and predicted class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confusion {
    classes: Vec<String>,
    /// [K, K], true class by predicted class.
    counts: Vec<Vec<usize>>,
}

impl Confusion {
    /// Of true labels `[n]` and predicted classes `[n]`.
    pub fn new(labels: &Labels, predicted: &[usize]) -> Self {
        let k = labels.classes.len();
        let mut counts = vec![vec![0; k]; k];
        labels.of.iter().zip(predicted).for_each(|(&truth, &predicted)| counts[truth][predicted] += 1);
        Self { classes: labels.classes.clone(), counts }
    }

    /// Names of the classes `[K]`.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Counts [K, K], true class by predicted class.
    pub fn counts(&self) -> &[Vec<usize>] {
        &self.counts
    }

    /// The same with every row divided by its sum, so that the diagonal is the recall; NaN for a class without samples.
    pub fn normalised(&self) -> Vec<Vec<f64>> {
        let row = |row: &Vec<usize>| {
            let total = row.iter().sum::<usize>() as f64;
            row.iter().map(|&count| count as f64 / total).collect()
        };
        self.counts.iter().map(row).collect()
    }

    /// Share of each class that was predicted as such `[K]`; NaN for a class without samples.
    pub fn recall(&self) -> Vec<f64> {
        self.normalised().iter().enumerate().map(|(class, row)| row[class]).collect()
    }

    /// Mean recall of the classes that have samples; chance is one over their number.
    pub fn balanced_accuracy(&self) -> f64 {
        crate::statistics::mean(&self.recall())
    }

    /// The matrix after true and predicted classes were given other names; classes of the same name become one. This is how V1 is
    /// told from the higher visual areas after all areas were told apart (paper Figure 5d).
    pub fn relabelled(&self, rename: impl Fn(&str) -> String) -> Self {
        let merged = Labels::new(&self.classes.iter().map(|class| rename(class)).collect::<Vec<_>>());
        let k = merged.classes.len();
        let mut counts = vec![vec![0; k]; k];
        for (truth, row) in self.counts.iter().enumerate() {
            row.iter().enumerate().for_each(|(predicted, count)| counts[merged.of[truth]][merged.of[predicted]] += count);
        }
        Self { classes: merged.classes, counts }
    }

    /// One row per pair of classes: `true`, `predicted`, `count`, `fraction` of the true class.
    pub fn table(&self) -> Table {
        let pairs = || (0..self.classes.len()).flat_map(|truth| (0..self.classes.len()).map(move |predicted| (truth, predicted)));
        let fractions = self.normalised();
        Table::from_equal([
            ("true", Column::Text(pairs().map(|(t, _)| self.classes[t].clone()).collect())),
            ("predicted", Column::Text(pairs().map(|(_, p)| self.classes[p].clone()).collect())),
            ("count", Column::Integer(pairs().map(|(t, p)| self.counts[t][p] as i64).collect())),
            ("fraction", Column::Float(pairs().map(|(t, p)| fractions[t][p]).collect())),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recall_by_hand_and_areas_merged_afterwards() {
        let labels = Labels::new(&["AL", "AL", "LM", "V1", "V1", "V1", "V1"]);
        let confusion = Confusion::new(&labels, &[0, 1, 2, 2, 2, 2, 0]);
        assert_eq!(confusion.counts(), [[1, 1, 0], [0, 0, 1], [1, 0, 3]]);
        assert_eq!(confusion.recall(), [0.5, 0.0, 0.75]);
        assert!((confusion.balanced_accuracy() - 1.25 / 3.0).abs() < 1e-15);
        let merged = confusion.relabelled(|area| if area == "V1" { "V1".into() } else { "HVA".into() });
        assert_eq!((merged.classes(), merged.counts()), (["HVA".to_owned(), "V1".to_owned()].as_slice(), [vec![2, 1], vec![1, 3]].as_slice()));
        let table = confusion.table();
        assert_eq!((table.rows(), table.floats("fraction").unwrap()[8]), (9, 0.75));
    }

    #[test]
    fn a_class_without_samples_does_not_count() {
        let labels = Labels { classes: vec!["a".into(), "b".into(), "c".into()], of: vec![0, 1] };
        let confusion = Confusion::new(&labels, &[0, 2]);
        assert!(confusion.recall()[2].is_nan());
        assert_eq!(confusion.balanced_accuracy(), 0.5);
    }
}
