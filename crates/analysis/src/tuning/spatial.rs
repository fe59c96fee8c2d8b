//! Spatial tuning: selectivity and position of a unit's map.

use ndarray::{ArrayView3, Axis};
use rayon::prelude::*;

use super::sta::selectivity;
use super::{Fit, Gaussian2d, Unfit, fit_table, reasons};
use crate::error::Error;
use crate::table::Table;

/// Spatial tuning of one unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpatialTuning {
    /// Spatial selectivity index, or why there is none.
    pub selectivity: Result<f64, Unfit>,
    /// The fitted receptive field, or why there is none.
    pub fit: Result<Fit<Gaussian2d>, Unfit>,
}

impl SpatialTuning {
    /// Spatial selectivity index; NaN if there is none.
    pub fn ssi(&self) -> f64 {
        self.selectivity.unwrap_or(f64::NAN)
    }

    /// The receptive field, if its fit converged.
    pub fn field(&self) -> Option<Gaussian2d> {
        self.fit.ok().filter(|fit| fit.converged).map(|fit| fit.curve)
    }
}

/// Selectivity and receptive field of every map [U, H, W], in parallel.
pub fn spatial_tuning(maps: ArrayView3<f64>) -> Vec<SpatialTuning> {
    let maps: Vec<_> = maps.axis_iter(Axis(0)).collect();
    maps.into_par_iter().map(|map| SpatialTuning { selectivity: selectivity(map), fit: Gaussian2d::fit(map) }).collect()
}

/// One row per unit: unit, x_w, y_w (centre), xx_w2, xy_w2, yy_w2 (covariance), sd_long_w, sd_short_w, all in widths of the monitor, amplitude,
/// offset, mse, success, reason (of the fit), ssi, index_reason.
///
/// # Errors
/// None that tuning from [`spatial_tuning`] can cause.
pub fn spatial_table(units: &[SpatialTuning]) -> Result<Table, Error> {
    let fits: Vec<_> = units.iter().map(|u| u.fit).collect();
    let columns: [(&str, fn(&Gaussian2d) -> f64); 9] = [
        ("x_w", |g| g.mu[0]),
        ("y_w", |g| g.mu[1]),
        ("xx_w2", |g| g.covariance[0]),
        ("xy_w2", |g| g.covariance[1]),
        ("yy_w2", |g| g.covariance[2]),
        ("sd_long_w", |g| g.sd()[0]),
        ("sd_short_w", |g| g.sd()[1]),
        ("amplitude", |g| g.amplitude),
        ("offset", |g| g.offset),
    ];
    fit_table(&fits, &columns)?
        .with("ssi", units.iter().map(SpatialTuning::ssi).collect::<Vec<_>>())?
        .with("index_reason", reasons(units.iter().map(|u| u.selectivity.err())))
}
