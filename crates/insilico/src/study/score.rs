//! Score: how well the model of a cell predicts one test domain, unit by unit.

use super::design::Cell;
use crate::error::Error;
use striate_analysis::statistics::median_valid;
use striate_analysis::{Column, Table};

/// Accuracy of one cell on one test domain.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// What it is compared as.
    pub arm: String,
    /// Recording it was tested on.
    pub subject: String,
    /// Fraction of the training data.
    pub fraction: f64,
    /// The same in minutes.
    pub minutes: f64,
    /// Seed.
    pub seed: u64,
    /// Test domain.
    pub domain: String,
    /// What accuracy is: `cc_norm`, or `cc_abs` where a domain was not repeated, so that no unit has a cc_norm.
    pub measure: &'static str,
    /// That of each unit, NaN where it has none.
    pub values: Vec<f64>,
}

impl Score {
    /// The scores of a cell from the table its evaluation wrote (columns domain, cc_norm, cc_abs), a domain each.
    ///
    /// # Errors
    /// A column is missing.
    pub fn of(cell: &Cell, subject: &str, minutes: f64, units: &Table) -> Result<Vec<Self>, Error> {
        let domains = units.text("domain")?;
        let score = |domain: String| -> Result<Self, Error> {
            let of = |column: &str| -> Result<Vec<f64>, Error> {
                let values = units.floats(column)?;
                Ok(domains.iter().zip(values).filter(|(d, _)| **d == domain).map(|(_, v)| *v).collect())
            };
            let (mut measure, mut values) = ("cc_norm", of("cc_norm")?);
            if !values.iter().any(|v| v.is_finite()) {
                (measure, values) = ("cc_abs", of("cc_abs")?);
            }
            let (arm, subject, fraction, seed) = (cell.arm.clone(), subject.to_owned(), cell.fraction, cell.seed);
            Ok(Self { arm, subject, fraction, minutes, seed, domain, measure, values })
        };
        distinct(domains.iter().cloned()).into_iter().map(score).collect()
    }

    /// Predictive accuracy: median over units that have a value, and how many those are.
    pub fn accuracy(&self) -> (f64, usize) {
        median_valid(&self.values)
    }
}

/// One row per score: what was trained, and its accuracy.
pub fn table(scores: &[Score]) -> Result<Table, Error> {
    let text = |of: fn(&Score) -> &String| Column::Text(scores.iter().map(|s| of(s).clone()).collect());
    let float = |of: fn(&Score) -> f64| Column::Float(scores.iter().map(of).collect());
    let whole = |of: fn(&Score) -> usize| Column::Integer(scores.iter().map(|s| of(s) as i64).collect());
    Ok(Table::new()
        .with("arm", text(|s| &s.arm))?
        .with("recording", text(|s| &s.subject))?
        .with("domain", text(|s| &s.domain))?
        .with("fraction", float(|s| s.fraction))?
        .with("minutes", float(|s| s.minutes))?
        .with("seed", Column::Integer(scores.iter().map(|s| s.seed as i64).collect()))?
        .with("measure", Column::Text(scores.iter().map(|s| s.measure.to_owned()).collect()))?
        .with("accuracy", float(|s| s.accuracy().0))?
        .with("valid units", whole(|s| s.accuracy().1))?
        .with("units", whole(|s| s.values.len()))?)
}

/// Different values of something, in order of first appearance.
pub fn distinct<T: PartialEq + Clone>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut found = Vec::new();
    values.for_each(|value| {
        if !found.contains(&value) {
            found.push(value);
        }
    });
    found
}
