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
    /// cc_norm of each unit, NaN where it has none.
    pub cc_norm: Vec<f64>,
}

impl Score {
    /// The scores of a cell from the table its evaluation wrote (columns unit, domain, cc_norm), a domain each.
    ///
    /// # Errors
    /// A column is missing.
    pub fn of(cell: &Cell, subject: &str, minutes: f64, units: &Table) -> Result<Vec<Self>, Error> {
        let (domains, cc_norm) = (units.text("domain")?, units.floats("cc_norm")?);
        let mut scores: Vec<Self> = Vec::new();
        for (domain, value) in domains.iter().zip(cc_norm) {
            match scores.iter_mut().find(|score| score.domain == *domain) {
                Some(score) => score.cc_norm.push(*value),
                None => scores.push(Self {
                    arm: cell.arm.clone(),
                    subject: subject.to_owned(),
                    fraction: cell.fraction,
                    minutes,
                    seed: cell.seed,
                    domain: domain.clone(),
                    cc_norm: vec![*value],
                }),
            }
        }
        Ok(scores)
    }

    /// Predictive accuracy: median cc_norm over units that have one, and how many those are.
    pub fn accuracy(&self) -> (f64, usize) {
        median_valid(&self.cc_norm)
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
        .with("cc_norm", float(|s| s.accuracy().0))?
        .with("valid units", whole(|s| s.accuracy().1))?
        .with("units", whole(|s| s.cc_norm.len()))?)
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
