//! Areas: is one visual area predicted better than another (paper Figure 2c)?

use super::score::{Score, distinct};
use crate::error::Error;
use striate_analysis::statistics::{Estimation, MixedModel, median_valid};
use striate_analysis::{Column, Table};

/// Accuracy by area: one row per recording, seed, domain and area, from each unit's area; units without one are left out.
pub fn table(scores: &[Score], areas: &dyn Fn(&str) -> Vec<Option<String>>) -> Result<Table, Error> {
    let mut rows: Vec<(&Score, String, f64, usize)> = Vec::new();
    for score in scores {
        let of_units = areas(&score.subject);
        for area in distinct(of_units.iter().flatten().cloned()) {
            let values: Vec<f64> = score.values.iter().zip(&of_units).filter(|(_, a)| a.as_ref() == Some(&area)).map(|(v, _)| *v).collect();
            let (median, units) = median_valid(&values);
            rows.push((score, area, median, units));
        }
    }
    let text = |of: fn(&(&Score, String, f64, usize)) -> String| Column::Text(rows.iter().map(of).collect());
    Ok(Table::new()
        .with("recording", text(|r| r.0.subject.clone()))?
        .with("domain", text(|r| r.0.domain.clone()))?
        .with("seed", Column::Integer(rows.iter().map(|r| r.0.seed as i64).collect()))?
        .with("area", text(|r| r.1.clone()))?
        .with("accuracy", Column::Float(rows.iter().map(|r| r.2).collect()))?
        .with("valid units", Column::Integer(rows.iter().map(|r| r.3 as i64).collect()))?)
}

/// Linear mixed model of accuracy in a domain: area as fixed effect, recording as random intercept, seeds averaged; Wald test of all areas
/// being alike. None where there are too few recordings or areas.
pub fn mixed_model(table: &Table, domain: &str) -> Result<Option<(Vec<String>, MixedModel)>, Error> {
    let (recordings, domains, areas, values) = (table.text("recording")?, table.text("domain")?, table.text("area")?, table.floats("accuracy")?);
    let rows: Vec<usize> = (0..values.len()).filter(|i| domains[*i] == domain && values[*i].is_finite()).collect();
    let cells = distinct(rows.iter().map(|i| (recordings[*i].clone(), areas[*i].clone())));
    let (names, groups) = (distinct(cells.iter().map(|c| c.1.clone())), distinct(cells.iter().map(|c| c.0.clone())));
    if names.len() < 2 || groups.len() < 2 {
        return Ok(None);
    }
    let mean = |cell: &(String, String)| {
        let of: Vec<f64> = rows.iter().filter(|i| recordings[**i] == cell.0 && areas[**i] == cell.1).map(|i| values[*i]).collect();
        of.iter().sum::<f64>() / of.len() as f64
    };
    let place = |list: &[String], name: &String| list.iter().position(|n| n == name).unwrap_or(0);
    let level: Vec<usize> = cells.iter().map(|c| place(&names, &c.1)).collect();
    let group: Vec<usize> = cells.iter().map(|c| place(&groups, &c.0)).collect();
    let model = MixedModel::fit(&cells.iter().map(mean).collect::<Vec<_>>(), &level, &group, Estimation::Reml)?;
    Ok(Some((names, model)))
}
