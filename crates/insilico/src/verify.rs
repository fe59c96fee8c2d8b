//! Verify: a network or an analysis against recorded reference numbers, tensor by tensor.
//!
//! A case is a folder with `case.json` (configuration and settings), `tensors.safetensors` (inputs, taps, responses, losses,
//! gradients, parameters after optimizer steps) and weights (`state_dict.safetensors`, `state_dict.pt`, or the published
//! layout). A folder with `analysis.safetensors` holds reference analyses, checked group by group.

mod analysis;
mod network;
mod tensors;

use crate::error::Error;
use serde::Serialize;
use std::path::Path;
use tensors::Tensors;

/// One tensor held against its reference.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// Tensor.
    pub name: String,
    /// Relative L2 error; gradients relative to no less than 1e-6 of all gradients' norm.
    pub error: f64,
    /// Largest error allowed.
    pub tolerance: f64,
}

impl Check {
    /// Whether the error is within the tolerance; NaN is not.
    pub fn holds(&self) -> bool {
        self.error <= self.tolerance
    }
}

/// All checks of one folder, worst first (by error over tolerance).
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Name of the folder.
    pub case: String,
    /// Checks.
    pub checks: Vec<Check>,
    /// Groups and tensors that are there but that no check reads.
    pub unchecked: Vec<String>,
}

impl Report {
    /// Whether every check holds, and there was one.
    pub fn holds(&self) -> bool {
        !self.checks.is_empty() && self.checks.iter().all(Check::holds)
    }
}

/// Checks a folder; `scale` multiplies every tolerance.
pub fn verify(folder: &Path, scale: f64) -> Result<Report, Error> {
    let wrong = |why: &str| Error::Case { path: folder.to_owned(), why: why.to_owned() };
    let mut report =
        Report { case: folder.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned()), checks: Vec::new(), unchecked: Vec::new() };
    let (is_case, is_analysis) = (folder.join("case.json").is_file(), folder.join("analysis.safetensors").is_file());
    if !is_case && !is_analysis {
        return Err(wrong("neither case.json nor analysis.safetensors is there; name a folder that holds a reference case"));
    }
    if is_case {
        network::verify(folder, &mut report)?;
    }
    if is_analysis {
        analysis::verify(&folder.join("analysis.safetensors"), &mut report)?;
    }
    report.checks.iter_mut().for_each(|check| check.tolerance *= scale);
    let badness = |c: &Check| if c.error.is_nan() { f64::INFINITY } else { c.error / c.tolerance };
    report.checks.sort_by(|a, b| badness(b).total_cmp(&badness(a)));
    Ok(report)
}

/// Norm of the difference over the reference's norm, or over `least` where that is larger; NaN in both at a place counts as equal.
fn relative_error(got: &[f64], want: &[f64], least: f64) -> f64 {
    if got.len() != want.len() {
        return f64::NAN;
    }
    let (mut difference, mut norm) = (0.0, 0.0);
    for (g, w) in got.iter().zip(want) {
        if !(g.is_nan() && w.is_nan()) {
            difference += (g - w).powi(2);
            norm += w.powi(2);
        }
    }
    let norm = f64::sqrt(norm).max(least);
    if difference == 0.0 { 0.0 } else { difference.sqrt() / norm }
}

/// A tensor that must be there, as f64.
fn need(tensors: &Tensors, name: &str, path: &Path) -> Result<(Vec<usize>, Vec<f64>), Error> {
    tensors.get(name).cloned().ok_or_else(|| Error::Case { path: path.to_owned(), why: format!("no tensor {name}") })
}
