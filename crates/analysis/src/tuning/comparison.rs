//! Comparisons of the same units' tuning: in vivo against in silico, or in two sessions (the paper's reliability).

use super::{DirectionTuning, SpatialTuning, direction_difference, location_difference, orientation_difference};
use crate::error::Error;
use crate::statistics::{Density, median_valid};
use crate::table::Table;

/// One row per unit, with how its direction tuning differs between two measurements of the same units in the same order: unit,
/// direction_difference_deg in [0, 180], orientation_difference_deg in [0, 90], osi_difference, dsi_difference (absolute). NaN where either
/// measurement has no value.
///
/// # Errors
/// [`Error::Shape`] if the numbers of units differ.
pub fn compare_direction(first: &[DirectionTuning], second: &[DirectionTuning]) -> Result<Table, Error> {
    let of = |f: fn(&DirectionTuning, &DirectionTuning) -> f64| differences(first, second, f);
    units_of(first)
        .with("direction_difference_deg", of(|a, b| direction_difference(a.preferred_direction(), b.preferred_direction()))?)?
        .with("orientation_difference_deg", of(|a, b| orientation_difference(a.preferred_orientation(), b.preferred_orientation()))?)?
        .with("osi_difference", of(|a, b| (a.osi() - b.osi()).abs())?)?
        .with("dsi_difference", of(|a, b| (a.dsi() - b.dsi()).abs())?)
}

/// One row per unit, as [`compare_direction`]: unit, location_difference_w (distance of the receptive fields' centres in widths of the monitor),
/// ssi_difference (absolute).
///
/// # Errors
/// [`Error::Shape`] if the numbers of units differ.
pub fn compare_spatial(first: &[SpatialTuning], second: &[SpatialTuning]) -> Result<Table, Error> {
    let location = |a: &SpatialTuning, b: &SpatialTuning| match (a.field(), b.field()) {
        (Some(a), Some(b)) => location_difference(&a, &b),
        _ => f64::NAN,
    };
    units_of(first)
        .with("location_difference_w", differences(first, second, location)?)?
        .with("ssi_difference", differences(first, second, |a, b| (a.ssi() - b.ssi()).abs())?)
}

/// Median difference of the units whose in silico index is above each threshold: threshold, units (with both values), median_difference. The
/// index of the model decides, since it has no noise of the recording.
///
/// # Errors
/// [`Error::Shape`] if the lengths differ.
pub fn above_thresholds(index: &[f64], difference: &[f64], thresholds: &[f64]) -> Result<Table, Error> {
    let kept: Vec<(f64, usize)> = thresholds.iter().map(|t| Ok(median_valid(&above(index, difference, *t)?))).collect::<Result<_, Error>>()?;
    Table::new()
        .with("threshold", thresholds.to_vec())?
        .with("units", kept.iter().map(|k| k.1 as i64).collect::<Vec<_>>())?
        .with("median_difference", kept.iter().map(|k| k.0).collect::<Vec<_>>())
}

/// Density of the differences of the units whose in silico index is above a threshold, on a grid: difference, density (Gaussian kernels with
/// Scott's bandwidth; nothing is reflected at 0).
///
/// # Errors
/// [`Error::Shape`] if the lengths differ, and as [`Density::scott`].
pub fn difference_density(index: &[f64], difference: &[f64], threshold: f64, grid: &[f64]) -> Result<Table, Error> {
    let density = Density::scott(&above(index, difference, threshold)?)?;
    Table::new().with("difference", grid.to_vec())?.with("density", density.on(grid))
}

/// Differences of units whose index is above a threshold.
fn above(index: &[f64], difference: &[f64], threshold: f64) -> Result<Vec<f64>, Error> {
    same_length(index.len(), difference.len())?;
    Ok(index.iter().zip(difference).filter(|(i, _)| **i > threshold).map(|(_, d)| *d).collect())
}

fn units_of<T>(units: &[T]) -> Table {
    Table::from_equal([("unit", (0..units.len() as i64).collect::<Vec<_>>().into())])
}

fn differences<T>(first: &[T], second: &[T], of: impl Fn(&T, &T) -> f64) -> Result<Vec<f64>, Error> {
    same_length(first.len(), second.len())?;
    Ok(first.iter().zip(second).map(|(a, b)| of(a, b)).collect())
}

fn same_length(expected: usize, got: usize) -> Result<(), Error> {
    if expected == got {
        return Ok(());
    }
    Err(Error::Shape { what: "units of the second measurement".into(), expected: expected.to_string(), got: got.to_string() })
}
