//! Ridge regression of many units with missing responses.
//!
//! Only second moments of features and responses are kept, so memory does not grow with the recording, and the validation error
//! of every penalty follows from the validation data's moments. Units that miss the same samples share their features' moments.

use std::collections::HashMap;

use faer::linalg::matmul::matmul;
use faer::prelude::Solve;
use faer::{Accum, Mat, MatRef, Par, Side};
use ndarray::{Array2, ArrayView1, ArrayView2, Axis, s};
use rayon::prelude::*;

use super::CHUNK;
use crate::error::Error;
use crate::standardised::Standardised;

/// Columns of the feature moments one task computes; fixed, so that no sum depends on the number of threads.
const COLUMN_BLOCK: usize = 96;

/// Filters [d, U], drive at the features' mean `[U]` and chosen penalty `[U]`.
pub(super) struct Ridge {
    pub(super) filters: Array2<f64>,
    pub(super) offset: Vec<f64>,
    pub(super) penalty: Vec<f64>,
}

/// Second moments, per sample and about the means, of features and of the responses of units measured in the same samples.
struct Moments {
    /// Samples.
    n: usize,
    /// Feature means `[d]`.
    x: Mat<f64>,
    /// Response means `[units]`.
    y: Vec<f64>,
    /// Feature covariance [d, d], lower triangle.
    xx: Mat<f64>,
    /// Covariance of features and responses [d, units].
    xy: Mat<f64>,
    /// Response variance `[units]`.
    yy: Vec<f64>,
}

/// Features [n, d] and responses [n, U].
type Data<'a> = (ArrayView2<'a, f32>, ArrayView2<'a, f32>);

/// Fits every unit with the penalty of least squared error on the validation data.
pub(super) fn fit(scaling: &Standardised, train: Data, validation: Data, penalties: &[f64]) -> Result<Ridge, Error> {
    let (features, units) = (train.0.ncols(), train.1.ncols());
    for unit in 0..units {
        let got = measured(train.1.column(unit)).count();
        if got < 2 {
            return Err(Error::Unmeasured { unit, needed: 2, got });
        }
    }
    let mut ridge = Ridge { filters: Array2::zeros((features, units)), offset: vec![0.0; units], penalty: vec![f64::NAN; units] };
    let groups = same_samples(train.1, validation.1);
    // Validation error over response variance, summed over units, for each penalty: what units without validation go by.
    let mut together = vec![0.0; penalties.len()];
    let (with, without): (Vec<_>, Vec<_>) = groups.into_iter().partition(|g| measured(validation.1.column(g[0])).next().is_some());
    if with.is_empty() {
        return Err(Error::NoValidation);
    }
    for group in with {
        let (t, v) = (Moments::of(scaling, train, &group), Moments::of(scaling, validation, &group));
        let mut least = vec![f64::INFINITY; group.len()];
        for (total, &penalty) in together.iter_mut().zip(penalties) {
            let filters = t.solve(penalty)?;
            for (i, error) in t.error_on(&v, &filters).into_iter().enumerate() {
                *total += if v.yy[i] > 0.0 { error / v.yy[i] } else { 0.0 };
                if error < least[i] {
                    least[i] = error;
                    ridge.set(group[i], &t, i, &filters, penalty);
                }
            }
        }
    }
    let best = (0..penalties.len()).min_by(|&a, &b| together[a].total_cmp(&together[b])).unwrap_or(0);
    for group in without {
        let t = Moments::of(scaling, train, &group);
        let filters = t.solve(penalties[best])?;
        group.iter().enumerate().for_each(|(i, &unit)| ridge.set(unit, &t, i, &filters, penalties[best]));
    }
    Ok(ridge)
}

impl Ridge {
    /// Takes over column `i` of `filters` [d, units of the group] for `unit`.
    fn set(&mut self, unit: usize, moments: &Moments, i: usize, filters: &Mat<f64>, penalty: f64) {
        let filter = filters.col(i);
        self.filters.column_mut(unit).iter_mut().zip(filter.iter()).for_each(|(to, &from)| *to = from);
        self.offset[unit] = moments.y[i] - filter.iter().zip(moments.x.col(0).iter()).map(|(w, x)| w * x).sum::<f64>();
        self.penalty[unit] = penalty;
    }
}

/// Samples at which a response was measured.
fn measured(response: ArrayView1<f32>) -> impl Iterator<Item = usize> {
    response.into_iter().enumerate().filter(|(_, v)| !v.is_nan()).map(|(i, _)| i)
}

/// Units grouped by the samples they miss, in order of the first unit of each group.
fn same_samples(train: ArrayView2<f32>, validation: ArrayView2<f32>) -> Vec<Vec<usize>> {
    let mut group_of: HashMap<Vec<bool>, usize> = HashMap::new();
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for unit in 0..train.ncols() {
        let missing = train.column(unit).iter().chain(validation.column(unit)).map(|v| v.is_nan()).collect();
        let group = *group_of.entry(missing).or_insert(groups.len());
        if group == groups.len() {
            groups.push(Vec::new());
        }
        groups[group].push(unit);
    }
    groups
}

impl Moments {
    /// Of the samples in which the units of `group` were measured, of which there is at least one.
    fn of(scaling: &Standardised, (x, y): Data, group: &[usize]) -> Self {
        let rows: Vec<usize> = measured(y.column(group[0])).collect();
        let (n, d, units) = (rows.len(), x.ncols(), group.len());
        let scale = 1.0 / n as f64;
        let y_mean: Vec<f64> = group.iter().map(|&u| rows.iter().map(|&r| f64::from(y[[r, u]])).sum::<f64>() * scale).collect();

        let mut x_mean = Mat::<f64>::zeros(d, 1);
        let mut blocks: Vec<(usize, Mat<f64>)> =
            (0..d).step_by(COLUMN_BLOCK).map(|start| (start, Mat::zeros(d - start, COLUMN_BLOCK.min(d - start)))).collect();
        let mut xy = Mat::<f64>::zeros(d, units);
        let mut yy = vec![0.0; units];
        for rows in rows.chunks(CHUNK) {
            let z = scaling.apply(x.select(Axis(0), rows).view());
            let z = view(&z);
            let about_mean = Mat::from_fn(rows.len(), units, |i, j| f64::from(y[[rows[i], group[j]]]) - y_mean[j]);
            for j in 0..units {
                yy[j] += about_mean.col(j).squared_norm_l2() * scale;
            }
            let ones = Mat::from_fn(rows.len(), 1, |_, _| 1.0);
            matmul(x_mean.as_mut(), Accum::Add, z.transpose(), ones.as_ref(), scale, Par::Seq);
            matmul(xy.as_mut(), Accum::Add, z.transpose(), about_mean.as_ref(), scale, Par::Seq);
            blocks.par_iter_mut().for_each(|(start, block)| {
                let (left, right) = (z.subcols(*start, d - *start).transpose(), z.subcols(*start, block.ncols()));
                matmul(block.as_mut(), Accum::Add, left, right, scale, Par::Seq);
            });
        }
        let mut xx = Mat::<f64>::zeros(d, d);
        for (start, block) in blocks {
            for j in 0..block.ncols() {
                for i in j..block.nrows() {
                    xx[(start + i, start + j)] = block[(i, j)] - x_mean[(start + i, 0)] * x_mean[(start + j, 0)];
                }
            }
        }
        Self { n, x: x_mean, y: y_mean, xx, xy, yy }
    }

    /// Filters [d, units] for one penalty: (xx + penalty) w = xy.
    fn solve(&self, penalty: f64) -> Result<Mat<f64>, Error> {
        let mut system = self.xx.clone();
        for i in 0..system.nrows() {
            system[(i, i)] += penalty;
        }
        let factor = system.llt(Side::Lower).map_err(|_| Error::Singular { penalty })?;
        Ok(factor.solve(&self.xy))
    }

    /// Mean squared error `[units]` of filters fitted on these moments on the data behind `other`.
    fn error_on(&self, other: &Moments, filters: &Mat<f64>) -> Vec<f64> {
        debug_assert!(other.n > 0);
        let lower = &other.xx;
        // (xx w) from the lower triangle alone: twice the strict part enters the quadratic form once, the diagonal once.
        let half = Mat::from_fn(lower.nrows(), lower.ncols(), |i, j| match i.cmp(&j) {
            std::cmp::Ordering::Greater => 2.0 * lower[(i, j)],
            std::cmp::Ordering::Equal => lower[(i, j)],
            std::cmp::Ordering::Less => 0.0,
        });
        let product = &half * filters;
        let shift = &other.x - &self.x;
        let of_unit = |i: usize| {
            let w = filters.col(i);
            let dot = |v: faer::ColRef<f64>| w.iter().zip(v.iter()).map(|(a, b)| a * b).sum::<f64>();
            let bias = other.y[i] - self.y[i] - dot(shift.col(0));
            other.yy[i] - 2.0 * dot(other.xy.col(i)) + dot(product.col(i)) + bias * bias
        };
        (0..filters.ncols()).map(of_unit).collect()
    }
}

/// The same memory for the linear algebra library.
fn view(z: &Array2<f64>) -> MatRef<'_, f64> {
    let z = z.slice(s![.., ..]);
    MatRef::from_row_major_slice(z.to_slice().expect("made in standard order"), z.nrows(), z.ncols())
}
