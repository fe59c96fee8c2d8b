//! How well a study's models learned, told when each ends and on the page: one that learned nothing is no result.

use super::folder::StudyFolder;
use crate::run_folder::epochs;
use anyhow::Result;
use std::path::Path;
use striate::analysis::{Column, Table};
use striate::insilico::study::{Cell, Trained};
use striate::report::{Axis, Chart, Data, Section, Series};

/// Validation objective after each epoch of a run; NaN where nothing was held out.
fn validation(run: &Path) -> Result<Vec<f64>> {
    Ok(epochs(run)?.iter().map(|epoch| epoch.validation_objective.unwrap_or(f64::NAN)).collect())
}

/// Epoch, counted from 1, and value of the lowest objective.
fn best(objectives: &[f64]) -> Option<(usize, f64)> {
    let known = objectives.iter().copied().enumerate().filter(|(_, v)| v.is_finite());
    known.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(n, value)| (n + 1, value))
}

/// A word on a run that has ended.
pub fn told(run: &Path) -> Result<String> {
    let all = validation(run)?;
    Ok(best(&all).map_or_else(String::new, |(epoch, value)| format!(", validation {:.3} to {value:.3} (epoch {epoch} of {})", all[0], all.len())))
}

/// Of all models that are done: a table, and the curves of cores, on which others stand.
pub fn section(study: &StudyFolder, cells: &[Cell]) -> Result<Section> {
    let done: Vec<&Cell> = cells.iter().filter(|cell| study.done(cell)).collect();
    let curves = done.iter().map(|cell| validation(&study.run(&cell.name))).collect::<Result<Vec<_>>>()?;
    let of = |value: &dyn Fn(&[f64]) -> f64| Column::Float(curves.iter().map(|curve| value(curve)).collect());
    let table = Table::new()
        .with("model", Column::Text(done.iter().map(|cell| cell.name.clone()).collect()))?
        .with("seed", Column::Integer(done.iter().map(|cell| cell.seed as i64).collect()))?
        .with("epochs", Column::Integer(curves.iter().map(|curve| curve.len() as i64).collect()))?
        .with("validation after the first", of(&|curve| curve.first().copied().unwrap_or(f64::NAN)))?
        .with("lowest", of(&|curve| best(curve).map_or(f64::NAN, |(_, value)| value)))?
        .with("at epoch", of(&|curve| best(curve).map_or(f64::NAN, |(epoch, _)| epoch as f64)))?;
    let mut section = Section::new("How models learned").table("learning", table);
    let of_core = |(cell, curve): (&&Cell, &Vec<f64>)| {
        matches!(cell.trained, Trained::Core).then(|| Series::new(&cell.name, (1..=curve.len()).map(|n| n as f64).collect(), curve.clone()))
    };
    let series: Vec<Series> = done.iter().zip(&curves).filter_map(of_core).collect();
    if !series.is_empty() {
        let (x, y) = (Axis::new("epoch", ""), Axis::new("validation objective", ""));
        section = section.chart(Chart::new("Cores", x, y, Data::Lines { series }));
    }
    Ok(section.computed("Mean objective of the validation trials after each epoch; with the Poisson loss and responses of mean 1, the mean response alone has 1. The epoch with the lowest is the model that is tested."))
}
