//! Reference analyses: noise-normalised correlation and resampling; other groups are named as not checked yet.

use super::tensors::{Tensors, read};
use super::{Check, Report, need, relative_error};
use crate::error::Error;
use ndarray::{ArrayView3, Axis, s};
use std::collections::BTreeSet;
use std::path::Path;
use striate_analysis::cc::{cc_abs, cc_max};
use striate_recording::resample;

/// Analyses are computed in f64 by both sides.
const TOLERANCE: f64 = 1e-9;
/// The reference resamples in single precision.
const SINGLE: f64 = 1e-6;

/// Checks the groups this version knows.
pub(super) fn verify(path: &Path, report: &mut Report) -> Result<(), Error> {
    let tensors = read(path)?;
    let group = |name: &str| name.split_once('.').map_or_else(|| name.to_owned(), |(group, _)| group.to_owned());
    let groups: BTreeSet<String> = tensors.names().map(group).collect();
    let mut checked = Vec::new();
    for group in groups {
        match group.as_str() {
            "cc" => correlation(&tensors, path, report)?,
            "resample" => resampling(&tensors, path, report)?,
            _ => {
                report.unchecked.push(group);
                continue;
            }
        }
        checked.push(group);
    }
    report.unchecked.extend(tensors.unread().into_iter().filter(|name| checked.contains(&group(name))));
    Ok(())
}

fn hold(tensors: &Tensors, path: &Path, name: &str, got: &[f64], tolerance: f64, report: &mut Report) -> Result<(), Error> {
    let (_, want) = need(tensors, name, path)?;
    report.checks.push(Check { name: name.to_owned(), error: relative_error(got, &want, 0.0), tolerance });
    Ok(())
}

fn correlation(tensors: &Tensors, path: &Path, report: &mut Report) -> Result<(), Error> {
    const EQUAL: usize = 7; // repeats that cover every sample
    let (shape, responses) = need(tensors, "cc.responses", path)?;
    let (_, predictions) = need(tensors, "cc.predictions", path)?;
    let view = |x: &'_ [f64]| -> Result<ndarray::Array3<f64>, Error> {
        let dims = <[usize; 3]>::try_from(shape.as_slice())
            .map_err(|_| Error::Case { path: path.to_owned(), why: format!("cc.responses has shape {shape:?}, expected [U, R, samples]") })?;
        ArrayView3::from_shape(dims, x).map(|v| v.to_owned()).map_err(|e| Error::Case { path: path.to_owned(), why: format!("cc.*: {e}") })
    };
    let (responses, predictions) = (view(&responses)?, view(&predictions)?);
    let (mut abs, mut max, mut norm, mut equal) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (r, p) in responses.axis_iter(Axis(0)).zip(predictions.axis_iter(Axis(0))) {
        abs.push(cc_abs(p, r));
        max.push(cc_max(r));
        norm.push(cc_abs(p, r) / cc_max(r));
        equal.push(cc_max(r.slice(s![..EQUAL.min(r.nrows()), ..])));
    }
    for (name, got) in [("cc.cc_abs", abs), ("cc.cc_max", max), ("cc.cc_norm", norm), ("cc.cc_max_equal_repeats", equal)] {
        hold(tensors, path, name, &got, TOLERANCE, report)?;
    }
    Ok(())
}

fn resampling(tensors: &Tensors, path: &Path, report: &mut Report) -> Result<(), Error> {
    const RATE: f64 = 30.0; // Hz
    const SECONDS: f64 = 20.0;
    let series = |name: &str| need(tensors, &format!("resample.{name}"), path).map(|(_, x)| x);
    let (times, values) = (series("scan_times")?, series("scan_values")?);
    let (start, end) = (at(&times, 5), at(&times, 5) + SECONDS);
    let grid = resample::Grid { start, end, rate: RATE };
    hold(tensors, path, "resample.scan_to_30hz_linear", &resample::linear(&times, &values, &grid), SINGLE, report)?;
    hold(tensors, path, "resample.scan_to_30hz_nans", &resample::missing(&times, &values, &grid), SINGLE, report)?;
    let (times, values) = (series("treadmill_times")?, series("treadmill_values")?);
    let (start, end) = (at(&times, 20), at(&times, 20) + SECONDS);
    let grid = resample::Grid { start, end, rate: RATE };
    hold(tensors, path, "resample.treadmill_to_30hz_hamming", &resample::hamming(&times, &values, &grid), SINGLE, report)?;
    hold(tensors, path, "resample.treadmill_to_30hz_lowpass_2_5hz", &resample::lowpass_hamming(&times, &values, 2.5, &grid), SINGLE, report)?;
    let flips: Vec<f64> = resample::flip_index(&series("flip_times")?, RATE).into_iter().map(|i| i as f64).collect();
    hold(tensors, path, "resample.flip_index_30hz", &flips, 0.0, report)
}

fn at(times: &[f64], index: usize) -> f64 {
    times.get(index).copied().unwrap_or(f64::NAN)
}
