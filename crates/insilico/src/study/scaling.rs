//! Scaling: accuracy over the amount of training data, arm against arm (paper Figures 2b and 3, Extended Data Figs. 4 and 5).

use super::score::{Score, distinct};
use crate::error::Error;
use striate_analysis::statistics::{TTest, paired_t_test};
use striate_analysis::{Column, Table};

/// Accuracy of one arm in one domain over amounts of data.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// Arm.
    pub arm: String,
    /// Fractions of the data, ascending.
    pub fractions: Vec<f64>,
    /// Minutes of training data at each, mean over recordings.
    pub minutes: Vec<f64>,
    /// Recording and seed of each run.
    pub names: Vec<String>,
    /// Accuracies [recordings x seeds][fractions]; NaN where there is none.
    pub runs: Vec<Vec<f64>>,
}

impl Curve {
    /// Mean over recordings and seeds at each fraction.
    pub fn mean(&self) -> Vec<f64> {
        let mean = |v: Vec<f64>| v.iter().sum::<f64>() / v.len() as f64;
        (0..self.fractions.len()).map(|i| mean(self.runs.iter().map(|run| run[i]).filter(|v| v.is_finite()).collect())).collect()
    }
}

/// A curve for each arm of a domain.
pub fn curves(scores: &[Score], domain: &str) -> Vec<Curve> {
    let of: Vec<&Score> = scores.iter().filter(|s| s.domain == domain).collect();
    let mut fractions = distinct(of.iter().map(|s| s.fraction));
    fractions.sort_by(f64::total_cmp);
    let runs = distinct(of.iter().map(|s| (s.subject.clone(), s.seed)));
    let curve = |arm: String| {
        let at = |subject: &str, seed: u64, fraction: f64| {
            let found = of.iter().find(|s| s.arm == arm && s.subject == subject && s.seed == seed && s.fraction == fraction);
            found.map_or(f64::NAN, |s| s.accuracy().0)
        };
        let minutes = |fraction: f64| {
            let all: Vec<f64> = of.iter().filter(|s| s.fraction == fraction).map(|s| s.minutes).collect();
            all.iter().sum::<f64>() / all.len() as f64
        };
        Curve {
            names: runs.iter().map(|(subject, seed)| format!("{subject} s{seed}")).collect(),
            runs: runs.iter().map(|(subject, seed)| fractions.iter().map(|f| at(subject, *seed, *f)).collect()).collect(),
            minutes: fractions.iter().map(|f| minutes(*f)).collect(),
            fractions: fractions.clone(),
            arm,
        }
    };
    distinct(of.iter().map(|s| s.arm.clone())).into_iter().map(curve).collect()
}

/// Minutes at which a curve first reaches an accuracy, between its points on straight lines; none if it never does.
pub fn minutes_to(curve: &Curve, accuracy: f64) -> Option<f64> {
    let mean = curve.mean();
    let points: Vec<(f64, f64)> = curve.minutes.iter().copied().zip(mean).filter(|(_, a)| a.is_finite()).collect();
    if points.first()?.1 >= accuracy {
        return Some(points[0].0);
    }
    points.windows(2).find(|w| w[0].1 < accuracy && w[1].1 >= accuracy).map(|w| {
        let [(m0, a0), (m1, a1)] = [w[0], w[1]];
        m0 + (m1 - m0) * (accuracy - a0) / (a1 - a0)
    })
}

/// The second arm against the first, at each domain and fraction: means, their difference over recordings and seeds, and a paired t-test over
/// recordings (seeds averaged first: they are not independent animals).
pub fn comparison(scores: &[Score], first: &str, second: &str) -> Result<Table, Error> {
    let mut rows: Vec<(String, f64, f64, f64, f64, usize, TTest)> = Vec::new();
    for domain in distinct(scores.iter().map(|s| s.domain.clone())) {
        let curves = curves(scores, &domain);
        let find = |arm: &str| curves.iter().find(|c| c.arm == arm);
        let (Some(a), Some(b)) = (find(first), find(second)) else { continue };
        let subjects = distinct(scores.iter().filter(|s| s.domain == domain).map(|s| s.subject.clone()));
        for (i, fraction) in a.fractions.iter().enumerate() {
            let of_subject = |arm: &str, subject: &String| {
                let of: Vec<f64> = scores
                    .iter()
                    .filter(|s| s.domain == domain && s.arm == arm && s.subject == *subject && s.fraction == *fraction)
                    .map(|s| s.accuracy().0)
                    .filter(|v| v.is_finite())
                    .collect();
                of.iter().sum::<f64>() / of.len() as f64
            };
            let pair = |arm: &str| subjects.iter().map(|s| of_subject(arm, s)).collect::<Vec<_>>();
            let better = a.runs.iter().zip(&b.runs).filter(|(a, b)| b[i] > a[i]).count();
            let test = paired_t_test(&pair(second), &pair(first))?;
            rows.push((domain.clone(), a.minutes[i], a.mean()[i], b.mean()[i], better as f64 / a.runs.len() as f64, a.runs.len(), test));
        }
    }
    let float = |of: &dyn Fn(&(String, f64, f64, f64, f64, usize, TTest)) -> f64| Column::Float(rows.iter().map(of).collect());
    Ok(Table::new()
        .with("domain", Column::Text(rows.iter().map(|r| r.0.clone()).collect()))?
        .with("minutes", float(&|r| r.1))?
        .with(first, float(&|r| r.2))?
        .with(second, float(&|r| r.3))?
        .with("difference", float(&|r| r.3 - r.2))?
        .with("share of runs where the second is better", float(&|r| r.4))?
        .with("runs", Column::Integer(rows.iter().map(|r| r.5 as i64).collect()))?
        .with("t over recordings", float(&|r| r.6.t))?
        .with("p", float(&|r| r.6.p))?)
}

/// How much data the second arm needs for what the first reaches with all of it, per domain.
pub fn data_needed(scores: &[Score], first: &str, second: &str) -> Result<Table, Error> {
    let (mut domains, mut full, mut reached, mut needed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for domain in distinct(scores.iter().map(|s| s.domain.clone())) {
        let curves = curves(scores, &domain);
        let find = |arm: &str| curves.iter().find(|c| c.arm == arm);
        let (Some(a), Some(b)) = (find(first), find(second)) else { continue };
        let Some(best) = a.mean().last().copied() else { continue };
        domains.push(domain);
        full.push(a.minutes.last().copied().unwrap_or(f64::NAN));
        reached.push(best);
        needed.push(minutes_to(b, best).unwrap_or(f64::NAN));
    }
    Ok(Table::new()
        .with("domain", Column::Text(domains))?
        .with(format!("minutes of {first}"), Column::Float(full))?
        .with("its accuracy", Column::Float(reached))?
        .with(format!("minutes {second} needs for that"), Column::Float(needed))?)
}
