//! Standardisation, from statistics of the training data (paper Methods, "Preprocessing").

use ndarray::{ArrayView2, ArrayViewMut2, Axis};
use serde::{Deserialize, Serialize};

/// Smallest divisor: constant series are not blown up.
const LEAST: f64 = 1e-4;

/// What a column was shifted by, then divided by.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scale {
    /// Subtracted.
    pub shift: f64,
    /// Divided by.
    pub scale: f64,
}

/// Eye position, pupil and treadmill: mean and standard deviation of each column of [T, P]; NaN ignored.
pub fn z_score(training: ArrayView2<f32>) -> Vec<Scale> {
    columns(training, |values| {
        let mean = mean(values);
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len().max(1) as f64;
        Scale { shift: mean, scale: variance.sqrt().max(LEAST) }
    })
}

/// Responses: each unit of [T, U] by its mean, activity below zero counted as zero; NaN ignored.
pub fn mean_scale(training: ArrayView2<f32>) -> Vec<Scale> {
    columns(training, |values| {
        let clipped: Vec<f64> = values.iter().map(|v| v.max(0.0)).collect();
        Scale { shift: 0.0, scale: mean(&clipped).max(LEAST) }
    })
}

fn columns(x: ArrayView2<f32>, scale: impl Fn(&[f64]) -> Scale) -> Vec<Scale> {
    let known = |c: ndarray::ArrayView1<f32>| c.iter().filter(|v| !v.is_nan()).map(|v| f64::from(*v)).collect::<Vec<f64>>();
    x.axis_iter(Axis(1)).map(|c| scale(&known(c))).collect()
}

fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

/// `(x - shift) / scale` of each column.
pub fn standardize(mut x: ArrayViewMut2<f32>, scales: &[Scale]) {
    for mut row in x.rows_mut() {
        row.iter_mut().zip(scales).for_each(|(v, s)| *v = ((f64::from(*v) - s.shift) / s.scale) as f32);
    }
}

/// Negative activity becomes zero; NaN stays.
pub fn clip(mut x: ArrayViewMut2<f32>) {
    x.iter_mut().filter(|v| **v < 0.0).for_each(|v| *v = 0.0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn standardised_columns_have_mean_zero_and_unit_deviation() {
        let mut x = array![[1.0f32, 5.0], [2.0, 5.0], [f32::NAN, 5.0], [6.0, 5.0]];
        let scales = z_score(x.view());
        standardize(x.view_mut(), &scales);
        let known: Vec<f32> = x.column(0).iter().copied().filter(|v| !v.is_nan()).collect();
        let mean: f32 = known.iter().sum::<f32>() / 3.0;
        assert!(mean.abs() < 1e-6 && (known.iter().map(|v| v * v).sum::<f32>() / 3.0 - 1.0).abs() < 1e-6);
        assert!(x.column(1).iter().all(|v| *v == 0.0), "a constant column is centred, not divided by zero");
    }

    #[test]
    fn responses_are_divided_by_their_clipped_mean() {
        let x = array![[1.0f32], [-3.0], [5.0]];
        assert_eq!(mean_scale(x.view()), [Scale { shift: 0.0, scale: 2.0 }]);
    }
}
