//! Standardised: features in standard deviations from their mean, both learned from training samples alone.

use ndarray::{Array2, ArrayView1, ArrayView2, Axis};
use rayon::prelude::*;

/// Mean and scale of every feature `[d]`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Standardised {
    mean: Vec<f64>,
    /// 1 / standard deviation; 0 for a feature that is constant, which then says nothing.
    inverse_sd: Vec<f64>,
}

impl Standardised {
    /// From training features [n, d], NaN left out.
    pub(crate) fn of(x: ArrayView2<f32>) -> Self {
        let of_column = |column: ArrayView1<f32>| {
            let values: Vec<f64> = column.iter().map(|&v| f64::from(v)).collect();
            let sd = crate::statistics::variance(&values, 0).sqrt();
            let constant = crate::statistics::is_constant(&values);
            (if constant && sd.is_nan() { 0.0 } else { crate::statistics::mean(&values) }, if constant { 0.0 } else { 1.0 / sd })
        };
        let columns: Vec<_> = x.axis_iter(Axis(1)).collect();
        let (mean, inverse_sd) = columns.into_par_iter().map(of_column).unzip();
        Self { mean, inverse_sd }
    }

    /// Features [n, d] in standard deviations from the mean; NaN becomes 0, the mean.
    pub(crate) fn apply(&self, x: ArrayView2<f32>) -> Array2<f64> {
        let mut z = x.mapv(f64::from);
        for mut row in z.rows_mut() {
            for ((v, mean), inverse_sd) in row.iter_mut().zip(&self.mean).zip(&self.inverse_sd) {
                *v = if v.is_nan() { 0.0 } else { (*v - mean) * inverse_sd };
            }
        }
        z
    }
}
