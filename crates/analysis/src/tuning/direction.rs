//! Direction and orientation tuning: OSI and DSI from the curve itself, preferred angles and fit-based indices from the fitted curve.

use std::f64::consts::TAU;

use super::curve::Curves;
use super::{Fit, Unfit, VonMises, fit_table, reasons};
use crate::error::Error;
use crate::table::Table;

/// Fewest directions of which an index is made; with fewer, twice the angle says nothing.
const DIRECTIONS: usize = 4;

/// Direction tuning of one unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DirectionTuning {
    /// Orientation and direction selectivity, or why there is none.
    pub indices: Result<Indices, Unfit>,
    /// The fitted curve, or why there is none.
    pub fit: Result<Fit<VonMises>, Unfit>,
}

/// Global selectivity indices of a curve, without subtraction of a baseline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Indices {
    /// |sum r e^(2 i theta)| / sum r.
    pub osi: f64,
    /// |sum r e^(i theta)| / sum r.
    pub dsi: f64,
}

impl DirectionTuning {
    /// Orientation selectivity index; NaN if there is none.
    pub fn osi(&self) -> f64 {
        self.indices.map_or(f64::NAN, |i| i.osi)
    }

    /// Direction selectivity index; NaN if there is none.
    pub fn dsi(&self) -> f64 {
        self.indices.map_or(f64::NAN, |i| i.dsi)
    }

    /// Preferred direction in degrees, in [0, 360); NaN without a fit that converged.
    pub fn preferred_direction(&self) -> f64 {
        self.converged().map_or(f64::NAN, |curve| curve.preferred_direction())
    }

    /// Preferred orientation in degrees, in [0, 180), see [`VonMises::preferred_orientation`]; NaN without a fit that converged.
    pub fn preferred_orientation(&self) -> f64 {
        self.converged().map_or(f64::NAN, |curve| curve.preferred_orientation())
    }

    fn converged(&self) -> Option<VonMises> {
        self.fit.ok().filter(|fit| fit.converged).map(|fit| fit.curve)
    }
}

/// Orientation selectivity index of responses `[K]` to K evenly spaced directions in radians `[K]`; NaN where they sum to zero or less or one
/// is missing.
pub fn osi(theta: &[f64], responses: &[f64]) -> f64 {
    indices(theta, responses).map_or(f64::NAN, |i| i.osi)
}

/// Direction selectivity index, as [`osi`].
pub fn dsi(theta: &[f64], responses: &[f64]) -> f64 {
    indices(theta, responses).map_or(f64::NAN, |i| i.dsi)
}

fn indices(theta: &[f64], responses: &[f64]) -> Result<Indices, Unfit> {
    let measured = theta.iter().zip(responses).filter(|(_, r)| !r.is_nan()).count();
    let needed = theta.len().max(responses.len()).max(DIRECTIONS);
    if measured < needed {
        return Err(Unfit::TooFew { needed, got: measured });
    }
    let sum: f64 = responses.iter().sum();
    if sum <= 0.0 {
        return Err(Unfit::NotPositive);
    }
    let resultant = |turns: f64| {
        let (x, y) = theta.iter().zip(responses).fold((0.0, 0.0), |(x, y), (t, r)| (x + r * (turns * t).cos(), y + r * (turns * t).sin()));
        x.hypot(y) / sum
    };
    Ok(Indices { osi: resultant(2.0), dsi: resultant(1.0) })
}

/// Direction tuning of every unit from curves over evenly spaced directions in degrees ([`Curves::of_directions`]), in parallel.
///
/// # Errors
/// [`Error::TooFew`] for fewer than four directions, [`Error::Value`] for directions that are not evenly spaced around the circle, since the
/// indices of such curves would depend on the spacing.
pub fn direction_tuning(curves: &Curves) -> Result<Vec<DirectionTuning>, Error> {
    let k = curves.levels.len();
    if k < DIRECTIONS {
        return Err(Error::TooFew { what: "directions", needed: DIRECTIONS, got: k });
    }
    let step = 360.0 / k as f64;
    let uneven = |i: &usize| (curves.levels[*i] - curves.levels[0] - *i as f64 * step).abs() > 1e-6 * step;
    if let Some(index) = (0..k).find(uneven) {
        let expected = "evenly spaced around the circle; leave out other directions";
        return Err(Error::Value { what: "directions in degrees", expected, index, value: curves.levels[index] });
    }
    let theta: Vec<f64> = curves.levels.iter().map(|degrees| degrees / 360.0 * TAU).collect();
    let fits = curves.fit(|degrees, responses| {
        let theta: Vec<f64> = degrees.iter().map(|d| d / 360.0 * TAU).collect();
        VonMises::fit(&theta, responses)
    });
    let tuning = |(unit, fit)| DirectionTuning { indices: indices(&theta, &curves.mean.row(unit).to_vec()), fit };
    Ok(fits.into_iter().enumerate().map(tuning).collect())
}

/// One row per unit: unit, preferred_direction_deg, preferred_orientation_deg, phi, kappa, scale, baseline, osi_fit, dsi_fit, mse, success,
/// reason (of the fit), osi, dsi, index_reason. Angles and parameters of a fit without success are the best it came to.
///
/// # Errors
/// None that tuning from [`direction_tuning`] can cause.
pub fn direction_table(units: &[DirectionTuning]) -> Result<Table, Error> {
    let fits: Vec<_> = units.iter().map(|u| u.fit).collect();
    let columns: [(&str, fn(&VonMises) -> f64); 8] = [
        ("preferred_direction_deg", VonMises::preferred_direction),
        ("preferred_orientation_deg", VonMises::preferred_orientation),
        ("phi", |c| c.phi),
        ("kappa", |c| c.kappa),
        ("scale", |c| c.scale),
        ("baseline", |c| c.baseline),
        ("osi_fit", VonMises::osi),
        ("dsi_fit", VonMises::dsi),
    ];
    fit_table(&fits, &columns)?
        .with("osi", units.iter().map(DirectionTuning::osi).collect::<Vec<_>>())?
        .with("dsi", units.iter().map(DirectionTuning::dsi).collect::<Vec<_>>())?
        .with("index_reason", reasons(units.iter().map(|u| u.indices.err())))
}
