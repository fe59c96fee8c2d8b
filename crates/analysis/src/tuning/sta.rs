//! Stimulus-triggered average over dots, and the spatial selectivity index of such a map.

use ndarray::{Array2, Array3, ArrayView2, ArrayView3, Axis};
use rayon::prelude::*;

use super::Unfit;
use super::curve::check_responses;
use crate::error::Error;

/// Units whose maps are made at a time; fixed, so that no sum depends on the number of threads.
const UNITS: usize = 64;

/// Masks [D, H, W] of D images [D, H, W]: how far each pixel is from the blank screen, |s - blank|. Their scale cancels in [`sta`].
pub fn stimulus_masks(images: ArrayView3<u8>, blank: u8) -> Array3<f64> {
    images.mapv(|s| f64::from(s.abs_diff(blank)))
}

/// Stimulus-triggered average [U, H, W]: at every pixel x the mean of the responses weighted by the masks, sum_j r_j m_j(x) / sum_j m_j(x),
/// over events j with a measured response.
///
/// `masks` [D, H, W] are at least 0; `shown` `[E]` says which of them event j showed; `responses` are [E, U]. The paper takes dark dots alone;
/// leave the events of bright ones out. NaN where no measured event covered a pixel.
///
/// # Errors
/// [`Error::Shape`] if the numbers of events differ or there is no pixel, [`Error::Value`] for an event that shows no mask, a mask that is
/// negative or not finite, or an infinite response.
pub fn sta(masks: ArrayView3<f64>, shown: &[usize], responses: ArrayView2<f64>) -> Result<Array3<f64>, Error> {
    let (dots, height, width) = masks.dim();
    if shown.len() != responses.nrows() {
        return Err(Error::Shape { what: "masks shown".into(), expected: responses.nrows().to_string(), got: shown.len().to_string() });
    }
    if height * width == 0 {
        return Err(Error::Shape { what: "masks".into(), expected: "at least one pixel".into(), got: format!("{height} x {width}") });
    }
    check_responses(responses)?;
    if let Some((index, &dot)) = shown.iter().enumerate().find(|(_, dot)| **dot >= dots) {
        return Err(Error::Value { what: "masks shown", expected: "the index of a mask", index, value: dot as f64 });
    }
    if let Some((index, &value)) = masks.iter().enumerate().find(|(_, m)| !(m.is_finite() && **m >= 0.0)) {
        return Err(Error::Value { what: "masks", expected: "finite and at least 0", index, value });
    }
    let flat = masks.to_shape((dots, height * width)).map_err(|e| Error::Shape {
        what: "masks".into(),
        expected: "an array [D, H, W]".into(),
        got: e.to_string(),
    })?;
    let mut shows = Array2::<f64>::zeros((1, dots));
    shown.iter().for_each(|&dot| shows[[0, dot]] += 1.0);
    let covered = shows.dot(&flat);
    let units = responses.ncols();
    let mut maps = Array2::zeros((units, height * width));
    let blocks: Vec<_> = maps.axis_chunks_iter_mut(Axis(0), UNITS).enumerate().collect();
    blocks.into_par_iter().for_each(|(block, mut maps)| {
        let first = block * UNITS;
        let (mut sums, mut counts) = (Array2::zeros((maps.nrows(), dots)), Array2::zeros((maps.nrows(), dots)));
        for (&dot, responses) in shown.iter().zip(responses.rows()) {
            for i in 0..sums.nrows() {
                let response = responses[first + i];
                if !response.is_nan() {
                    sums[[i, dot]] += response;
                    counts[[i, dot]] += 1.0;
                }
            }
        }
        maps.assign(&sums.dot(&flat));
        for (i, mut map) in maps.rows_mut().into_iter().enumerate() {
            // Nearly all units were measured throughout and share the sum of masks.
            if counts.row(i) == shows.row(0) {
                map.zip_mut_with(&covered.row(0), |sum, mask| *sum /= mask);
            } else {
                map.zip_mut_with(&counts.row(i).dot(&flat), |sum, mask| *sum /= mask);
            }
        }
    });
    Ok(maps.into_shape_with_order((units, height, width)).expect("the product of the sizes is the same"))
}

/// Spatial selectivity index of a map [H, W]: -ln det Cov of the pixels' positions weighted by the map over its sum, positions (column, row)
/// over the map's width. A uniform map of 144 x 256 has 6.12. No baseline is subtracted.
///
/// NaN where it is not defined: a missing pixel, a sum of zero or less, or a covariance without a positive determinant.
pub fn ssi(map: ArrayView2<f64>) -> f64 {
    selectivity(map).unwrap_or(f64::NAN)
}

/// [`ssi`], or why there is none.
pub(super) fn selectivity(map: ArrayView2<f64>) -> Result<f64, Unfit> {
    let measured = map.iter().filter(|v| v.is_finite()).count();
    if measured < map.len() || map.is_empty() {
        return Err(Unfit::TooFew { needed: map.len().max(1), got: measured });
    }
    let total = map.sum();
    if total <= 0.0 {
        return Err(Unfit::NotPositive);
    }
    let width = map.ncols() as f64;
    let average =
        |of: &dyn Fn(f64, f64) -> f64| map.indexed_iter().map(|((i, j), v)| v * of(j as f64 / width, i as f64 / width)).sum::<f64>() / total;
    let (x, y) = (average(&|x, _| x), average(&|_, y| y));
    let (xx, yy, xy) = (average(&|u, _| (u - x).powi(2)), average(&|_, v| (v - y).powi(2)), average(&|u, v| (u - x) * (v - y)));
    let determinant = xx * yy - xy * xy;
    if xx > 0.0 && determinant > 0.0 { Ok(-determinant.ln()) } else { Err(Unfit::NoExtent) }
}
