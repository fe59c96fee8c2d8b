//! Tuning: what a unit prefers, from its responses to stimuli whose parameters are known; the same code in vivo and in silico.
//!
//! Responses to events come first ([`event_responses`], [`frame_responses`]): [E events, U units], NaN where nothing was measured. With the
//! events' labels they become tuning curves ([`Curves`]) of direction, size, contrast or frequency, or maps ([`sta`]) of where a dot was
//! shown. Curves and maps are described by indices and by fits. A unit without a result has NaN and the reason in words.

mod angle;
mod comparison;
mod contrast;
mod curve;
mod direction;
mod event;
mod frequency;
mod gaussian;
mod least_squares;
mod size;
mod spatial;
mod sta;
mod von_mises;

pub use angle::{direction_difference, orientation_difference};
pub use comparison::{above_thresholds, compare_direction, compare_spatial, difference_density};
pub use contrast::{NakaRushton, contrast_table, contrast_tuning};
pub use curve::Curves;
pub use direction::{DirectionTuning, direction_table, direction_tuning, dsi, osi};
pub use event::{Delay, Event, event_responses, frame_responses};
pub use frequency::{LogGaussian, frequency_table, frequency_tuning};
pub use gaussian::{Gaussian2d, location_difference};
pub use size::{SizeCurve, SizeTuning, size_table, size_tuning};
pub use spatial::{SpatialTuning, spatial_table, spatial_tuning};
pub use sta::{ssi, sta, stimulus_masks};
pub use von_mises::VonMises;

use crate::table::{Column, Table};

/// Why a unit has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// A curve or map with fewer values than the result needs.
    #[error("{got} of at least {needed} values were measured")]
    TooFew {
        /// Needed.
        needed: usize,
        /// Measured.
        got: usize,
    },
    /// All responses are the same.
    #[error("all responses are the same")]
    Constant,
    /// Responses that sum to zero or less, so that nothing can be divided by their sum, or a curve without a response above zero.
    #[error("responses are not positive")]
    NotPositive,
    /// A map whose weighted covariance has no positive determinant.
    #[error("the map has no extent")]
    NoExtent,
    /// The fit stopped before it reached a minimum; its parameters are the best it came to.
    #[error("the fit did not converge")]
    NotConverged,
}

/// A curve fitted by least squares.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit<T> {
    /// The curve.
    pub curve: T,
    /// Mean squared error over the measured values, in squared response units.
    pub mse: f64,
    /// Whether a minimum was reached.
    pub converged: bool,
}

/// One row per unit: unit (its index), the named values of its curve, mse, success, reason (empty where there is nothing to say). NaN where a
/// unit has no fit.
fn fit_table<T>(fits: &[Result<Fit<T>, Unfit>], values: &[(&str, fn(&T) -> f64)]) -> Result<Table, crate::Error> {
    let mut table = Table::new().with("unit", (0..fits.len() as i64).collect::<Vec<_>>())?;
    for (name, value) in values {
        table.push(*name, fits.iter().map(|f| f.as_ref().map_or(f64::NAN, |f| value(&f.curve))).collect::<Vec<_>>())?;
    }
    table.push("mse", fits.iter().map(|f| f.as_ref().map_or(f64::NAN, |f| f.mse)).collect::<Vec<_>>())?;
    table.push("success", fits.iter().map(|f| f.as_ref().is_ok_and(|f| f.converged)).collect::<Vec<_>>())?;
    let reason = |f: &Result<Fit<T>, Unfit>| match f {
        Ok(fit) if fit.converged => None,
        Ok(_) => Some(Unfit::NotConverged),
        Err(reason) => Some(*reason),
    };
    table.with("reason", reasons(fits.iter().map(reason)))
}

/// Reasons in words; empty for none.
fn reasons(reasons: impl Iterator<Item = Option<Unfit>>) -> Column {
    Column::Text(reasons.map(|r| r.map_or_else(String::new, |r| r.to_string())).collect())
}
