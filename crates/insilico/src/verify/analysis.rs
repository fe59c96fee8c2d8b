//! Reference analyses: noise-normalised correlation, resampling, event responses, direction and spatial tuning, and statistics; groups of
//! another name are listed as not checked.

use super::tensors::{Tensors, read};
use super::{Check, Report, need, relative_error};
use crate::error::Error;
use ndarray::{Array2, Array3, Axis, s};
use std::collections::BTreeSet;
use std::path::Path;
use striate_analysis::cc::{cc_abs, cc_max};
use striate_analysis::statistics::{Density, paired_t_test};
use striate_analysis::tuning::{Curves, Delay, DirectionTuning, Event, direction_tuning, event_responses, ssi};
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
            "impulse" => impulse(&tensors, path, report)?,
            "direction" => direction(&tensors, path, report)?,
            "spatial" => spatial(&tensors, path, report)?,
            "stats" => statistics(&tensors, path, report)?,
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

fn matrix(tensors: &Tensors, name: &str, path: &Path) -> Result<Array2<f64>, Error> {
    let (shape, values) = need(tensors, name, path)?;
    let wrong = || Error::Case { path: path.to_owned(), why: format!("{name} has shape {shape:?}, expected two dimensions") };
    let dims = <[usize; 2]>::try_from(shape.as_slice()).map_err(|_| wrong())?;
    Array2::from_shape_vec(dims, values).map_err(|_| wrong())
}

fn cube(tensors: &Tensors, name: &str, path: &Path) -> Result<Array3<f64>, Error> {
    let (shape, values) = need(tensors, name, path)?;
    let wrong = || Error::Case { path: path.to_owned(), why: format!("{name} has shape {shape:?}, expected three dimensions") };
    let dims = <[usize; 3]>::try_from(shape.as_slice()).map_err(|_| wrong())?;
    Array3::from_shape_vec(dims, values).map_err(|_| wrong())
}

fn correlation(tensors: &Tensors, path: &Path, report: &mut Report) -> Result<(), Error> {
    const EQUAL: usize = 7; // repeats that cover every sample
    let (responses, predictions) = (cube(tensors, "cc.responses", path)?, cube(tensors, "cc.predictions", path)?);
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

fn impulse(tensors: &Tensors, path: &Path, report: &mut Report) -> Result<(), Error> {
    const DELAY: f64 = 0.1; // seconds, as the tensor's name says
    let (_, onsets) = need(tensors, "impulse.onsets", path)?;
    let (_, offsets) = need(tensors, "impulse.offsets", path)?;
    let (_, times) = need(tensors, "impulse.times", path)?;
    let values = matrix(tensors, "impulse.values", path)?;
    let events: Vec<Event> = onsets.iter().zip(&offsets).map(|(&onset_s, &offset_s)| Event { onset_s, offset_s }).collect();
    let responses = event_responses(&times, values.view(), &events, Delay::Same(DELAY))?;
    let responses: Vec<f64> = responses.into_iter().collect();
    hold(tensors, path, "impulse.box_offset_0.1", &responses, TOLERANCE, report)
}

/// Indices, and the fits' squared errors: by how much the worst fit is above the reference's. Curves that are flat or have several minima
/// have other parameters of the same error, so parameters are not compared, and a lower error is right.
fn direction(tensors: &Tensors, path: &Path, report: &mut Report) -> Result<(), Error> {
    const MSE: usize = 5; // last column of the reference's fits
    let (_, degrees) = need(tensors, "direction.degrees", path)?;
    let responses = matrix(tensors, "direction.responses", path)?;
    // What the curves were drawn from is there to be looked at.
    need(tensors, "direction.truth", path)?;
    let tuning = direction_tuning(&Curves::of_directions(&degrees, responses.t())?)?;
    let values = |of: fn(&DirectionTuning) -> f64| tuning.iter().map(of).collect::<Vec<_>>();
    hold(tensors, path, "direction.osi", &values(DirectionTuning::osi), TOLERANCE, report)?;
    hold(tensors, path, "direction.dsi", &values(DirectionTuning::dsi), TOLERANCE, report)?;
    let reference = matrix(tensors, "direction.fit", path)?;
    if reference.ncols() <= MSE || reference.nrows() != tuning.len() {
        let why = format!("direction.fit has shape {:?}, expected [{}, {}]", reference.shape(), tuning.len(), MSE + 1);
        return Err(Error::Case { path: path.to_owned(), why });
    }
    let above = |(unit, want): (&DirectionTuning, &f64)| match unit.fit {
        Ok(fit) if fit.converged => (fit.mse / want - 1.0).max(0.0),
        _ => f64::NAN,
    };
    let worst = tuning.iter().zip(reference.column(MSE)).map(above).fold(0.0, |worst: f64, e| if worst.is_nan() || worst > e { worst } else { e });
    report.checks.push(Check { name: "direction.fit (mse above the reference's)".into(), error: worst, tolerance: TOLERANCE });
    Ok(())
}

fn spatial(tensors: &Tensors, path: &Path, report: &mut Report) -> Result<(), Error> {
    let indices: Vec<f64> = cube(tensors, "spatial.sta", path)?.axis_iter(Axis(0)).map(ssi).collect();
    hold(tensors, path, "spatial.ssi", &indices, TOLERANCE, report)
}

fn statistics(tensors: &Tensors, path: &Path, report: &mut Report) -> Result<(), Error> {
    let (_, a) = need(tensors, "stats.a", path)?;
    let (_, b) = need(tensors, "stats.b", path)?;
    let (_, grid) = need(tensors, "stats.kde_grid", path)?;
    let test = paired_t_test(&a, &b)?;
    hold(tensors, path, "stats.paired_t", &[test.t, test.p], TOLERANCE, report)?;
    hold(tensors, path, "stats.kde_scott", &Density::scott(&a)?.on(&grid), TOLERANCE, report)
}

fn at(times: &[f64], index: usize) -> f64 {
    times.get(index).copied().unwrap_or(f64::NAN)
}
