//! Angular distance: does a neuron keep its barcode from one scan to another (paper Extended Data Fig. 7)?

use std::collections::BTreeMap;

use ndarray::{ArrayView1, ArrayView2};
use rayon::prelude::*;

use crate::error::Error;
use crate::table::{Column, Table};

/// Angle between two barcodes, radians; NaN if one is zero or not finite.
pub fn angular_distance(a: ArrayView1<f32>, b: ArrayView1<f32>) -> f64 {
    let dot = |a: ArrayView1<f32>, b: ArrayView1<f32>| a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>();
    let cosine = dot(a, b) / (dot(a, a) * dot(b, b)).sqrt();
    // rounding takes the cosine of a vector with itself beyond 1
    if cosine.is_nan() { cosine } else { cosine.clamp(-1.0, 1.0).acos() }
}

/// Barcodes of neurons, some of which were recorded more than once; an observation is one unit of one scan.
#[derive(Debug, Clone, Copy)]
pub struct Observations<'a> {
    /// [n, d].
    pub barcodes: ArrayView2<'a, f32>,
    /// Which neuron each is `[n]`.
    pub neuron: &'a [String],
    /// Which scan each is from `[n]`.
    pub scan: &'a [String],
    /// Somata [n, 2 or 3], um, in coordinates that all scans share.
    pub soma: ArrayView2<'a, f32>,
}

/// One row for every neuron seen in several scans: `neuron`; `same`, the mean angular distance (radians) of its own barcodes from
/// scan to scan; `other_scans` and `same_scan`, the mean to barcodes of neighbours, whose somata lie within `radius` um, in other
/// scans and in the same one; `closer_other_scans` and `closer_same_scan`, the share of those neighbours that are closer than the
/// neuron's own barcodes are on average. NaN where there is no neighbour.
///
/// # Errors
/// [`Error::Shape`] for arrays that do not fit each other, [`Error::Feature`] for barcodes that are not finite, [`Error::Config`] for a
/// bad radius.
pub fn barcode_stability(all: &Observations, radius: f64) -> Result<Table, Error> {
    let n = all.barcodes.nrows();
    for (what, got) in [("neurons", all.neuron.len()), ("scans", all.scan.len()), ("somata", all.soma.nrows())] {
        if got != n {
            return Err(Error::Shape { what: what.into(), expected: format!("{n}, one for each barcode"), got: got.to_string() });
        }
    }
    if radius.is_nan() || radius <= 0.0 {
        return Err(Error::Config { field: "radius", expected: "above 0 um", got: radius.to_string() });
    }
    if let Some(((row, column), &value)) = all.barcodes.indexed_iter().find(|(_, v)| !v.is_finite()) {
        return Err(Error::Feature { row, column, value });
    }
    let mut seen: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    all.neuron.iter().enumerate().for_each(|(i, neuron)| seen.entry(neuron).or_default().push(i));
    seen.retain(|_, own| own.iter().any(|&i| all.scan[i] != all.scan[own[0]]));
    let seen: Vec<(&str, Vec<usize>)> = seen.into_iter().collect();
    let rows: Vec<Stability> = seen.par_iter().map(|(_, own)| Stability::of(all, own, radius)).collect();
    let column = |value: fn(&Stability) -> f64| Column::Float(rows.iter().map(value).collect());
    Ok(Table::from_equal([
        ("neuron", Column::Text(seen.iter().map(|(neuron, _)| (*neuron).to_owned()).collect())),
        ("same", column(|s| s.same)),
        ("other_scans", column(|s| s.other_scans.mean())),
        ("same_scan", column(|s| s.same_scan.mean())),
        ("closer_other_scans", column(|s| s.other_scans.closer())),
        ("closer_same_scan", column(|s| s.same_scan.closer())),
    ]))
}

/// A neuron's barcodes beside its neighbours'.
struct Stability {
    same: f64,
    other_scans: Neighbours,
    same_scan: Neighbours,
}

/// Distances to neighbours: number, sum, and how many are closer than the neuron's own.
#[derive(Default)]
struct Neighbours {
    count: usize,
    sum: f64,
    closer: usize,
}

impl Neighbours {
    fn add(&mut self, distance: f64, own: f64) {
        self.count += 1;
        self.sum += distance;
        self.closer += usize::from(distance < own);
    }

    fn mean(&self) -> f64 {
        self.sum / self.count as f64
    }

    fn closer(&self) -> f64 {
        self.closer as f64 / self.count as f64
    }
}

impl Stability {
    /// Of the neuron with observations `own`.
    fn of(all: &Observations, own: &[usize], radius: f64) -> Self {
        let distance = |i: usize, j: usize| angular_distance(all.barcodes.row(i), all.barcodes.row(j));
        let pairs = own.iter().flat_map(|&i| own.iter().map(move |&j| (i, j))).filter(|&(i, j)| i < j && all.scan[i] != all.scan[j]);
        let same = crate::statistics::mean(&pairs.map(|(i, j)| distance(i, j)).collect::<Vec<_>>());
        let (mut other_scans, mut same_scan) = (Neighbours::default(), Neighbours::default());
        for &i in own {
            let near = |&j: &usize| {
                let apart = all.soma.row(i).iter().zip(all.soma.row(j)).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>();
                all.neuron[j] != all.neuron[i] && apart <= radius * radius
            };
            for j in (0..all.neuron.len()).filter(near) {
                let neighbours = if all.scan[i] == all.scan[j] { &mut same_scan } else { &mut other_scans };
                neighbours.add(distance(i, j), same);
            }
        }
        Self { same, other_scans, same_scan }
    }
}
