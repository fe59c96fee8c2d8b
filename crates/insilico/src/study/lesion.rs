//! Lesion: what each part of the network is worth (Extended Data Fig. 3).

use super::score::{Score, distinct};
use crate::error::Error;
use striate_analysis::statistics::{TTest, paired_t_test};
use striate_analysis::{Column, Table};

/// Arm that lesions are compared with.
pub const REFERENCE: &str = "full";

/// The same units' accuracies in the full network and in a lesioned one.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// Lesion.
    pub arm: String,
    /// Recording.
    pub subject: String,
    /// Seed.
    pub seed: u64,
    /// Test domain.
    pub domain: String,
    /// Accuracy of each unit in the full network.
    pub full: Vec<f64>,
    /// The same in the lesioned one.
    pub lesioned: Vec<f64>,
}

/// Every lesioned model beside the full one of the same recording, seed and domain.
pub fn pairs(scores: &[Score]) -> Vec<Pair> {
    let reference = |s: &Score| {
        let same = |r: &&Score| r.arm == REFERENCE && r.subject == s.subject && r.seed == s.seed && r.domain == s.domain;
        scores.iter().find(same).map(|r| r.values.clone())
    };
    let pair = |s: &Score| {
        Some(Pair {
            arm: s.arm.clone(),
            subject: s.subject.clone(),
            seed: s.seed,
            domain: s.domain.clone(),
            full: reference(s)?,
            lesioned: s.values.clone(),
        })
    };
    scores.iter().filter(|s| s.arm != REFERENCE).filter_map(pair).collect()
}

/// Per lesion, recording, seed and domain: both medians over the units that have a value in both, the relative loss of accuracy,
/// (full - lesioned) / full, and a paired two-sided t-test over units.
pub fn table(pairs: &[Pair]) -> Result<Table, Error> {
    let mut rows = Vec::new();
    for pair in pairs {
        let both: Vec<(f64, f64)> =
            pair.full.iter().copied().zip(pair.lesioned.iter().copied()).filter(|(a, b)| a.is_finite() && b.is_finite()).collect();
        let (full, lesioned): (Vec<f64>, Vec<f64>) = both.into_iter().unzip();
        let median = |v: &[f64]| striate_analysis::median_valid(v).0;
        rows.push((median(&full), median(&lesioned), paired_t_test(&full, &lesioned)?));
    }
    let text = |of: fn(&Pair) -> &String| Column::Text(pairs.iter().map(|p| of(p).clone()).collect());
    let float = |of: &dyn Fn(&(f64, f64, TTest)) -> f64| Column::Float(rows.iter().map(of).collect());
    Ok(Table::new()
        .with("lesion", text(|p| &p.arm))?
        .with("recording", text(|p| &p.subject))?
        .with("domain", text(|p| &p.domain))?
        .with("seed", Column::Integer(pairs.iter().map(|p| p.seed as i64).collect()))?
        .with("full", float(&|r| r.0))?
        .with("lesioned", float(&|r| r.1))?
        .with("relative loss", float(&|r| (r.0 - r.1) / r.0))?
        .with("mean difference", float(&|r| r.2.difference))?
        .with("t", float(&|r| r.2.t))?
        .with("p", float(&|r| r.2.p))?
        .with("units", Column::Integer(rows.iter().map(|r| r.2.pairs as i64).collect()))?)
}

/// Mean relative loss of each lesion in each domain over recordings and seeds, with the least and the greatest, and a paired two-sided t-test over the
/// units of all recordings, seeds averaged first.
pub fn effects(pairs: &[Pair]) -> Result<Table, Error> {
    let all = table(pairs)?;
    let (arms, domains, losses) = (all.text("lesion")?, all.text("domain")?, all.floats("relative loss")?);
    let keys = distinct(arms.iter().cloned().zip(domains.iter().cloned()));
    let of = |(arm, domain): &(String, String)| -> Vec<f64> {
        let same = |i: &usize| arms[*i] == *arm && domains[*i] == *domain && losses[*i].is_finite();
        (0..losses.len()).filter(same).map(|i| losses[i]).collect()
    };
    let tests = keys.iter().map(|(arm, domain)| over_units(pairs, arm, domain)).collect::<Result<Vec<_>, _>>()?;
    let over = |fold: &dyn Fn(&[f64]) -> f64| Column::Float(keys.iter().map(|key| fold(&of(key))).collect());
    Ok(Table::new()
        .with("lesion", Column::Text(keys.iter().map(|k| k.0.clone()).collect()))?
        .with("domain", Column::Text(keys.iter().map(|k| k.1.clone()).collect()))?
        .with("relative loss", over(&|v| v.iter().sum::<f64>() / v.len() as f64))?
        .with("least", over(&|v| v.iter().copied().fold(f64::NAN, f64::min)))?
        .with("greatest", over(&|v| v.iter().copied().fold(f64::NAN, f64::max)))?
        .with("runs", Column::Integer(keys.iter().map(|key| of(key).len() as i64).collect()))?
        .with("mean difference", Column::Float(tests.iter().map(|t| t.difference).collect()))?
        .with("t", Column::Float(tests.iter().map(|t| t.t).collect()))?
        .with("p", Column::Float(tests.iter().map(|t| t.p).collect()))?
        .with("units", Column::Integer(tests.iter().map(|t| t.pairs as i64).collect()))?)
}

/// One test over the units of all recordings; the means of a unit are over the seeds that have a value of it in both networks.
fn over_units(pairs: &[Pair], arm: &str, domain: &str) -> Result<TTest, Error> {
    let here: Vec<&Pair> = pairs.iter().filter(|p| p.arm == arm && p.domain == domain).collect();
    let (mut full, mut lesioned) = (Vec::new(), Vec::new());
    for subject in distinct(here.iter().map(|p| &p.subject)) {
        let seeds: Vec<&&Pair> = here.iter().filter(|p| p.subject == *subject).collect();
        for unit in 0..seeds.iter().map(|p| p.full.len()).max().unwrap_or(0) {
            let both = seeds.iter().filter_map(|p| Some((*p.full.get(unit)?, *p.lesioned.get(unit)?)));
            let both: Vec<(f64, f64)> = both.filter(|(a, b)| a.is_finite() && b.is_finite()).collect();
            full.push(both.iter().map(|(a, _)| a).sum::<f64>() / both.len() as f64);
            lesioned.push(both.iter().map(|(_, b)| b).sum::<f64>() / both.len() as f64);
        }
    }
    Ok(paired_t_test(&full, &lesioned)?)
}
