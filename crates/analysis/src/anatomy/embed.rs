//! Embed: samples laid out in a plane so that neighbours stay neighbours (UMAP; McInnes, Healy and Melville 2018).
//!
//! Exact neighbours, principal components as the start, and one thread for the layout: the same seed gives the same bits. The
//! published implementation starts from a spectral layout and looks for neighbours approximately; figures differ in detail.

use faer::{Mat, Side};
use ndarray::{Array2, ArrayView2};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::fuzzy::{Edge, fuzzy_graph};
use super::logistic::check_features;
use super::neighbours::nearest_neighbours;
use crate::error::Error;
use crate::standardised::Standardised;

/// Curve 1 / (1 + A d^(2B)) of strength against distance in the plane: nearest to one that is 1 up to a distance of .1 and falls as
/// exp(.1 - d) from there (the published defaults, min_dist .1 and spread 1).
const A: f64 = 1.576_943_460_405_378;
const B: f64 = 0.895_060_878_123_041;
/// Random samples that are pushed away for each neighbour pulled near.
const REPELLED: usize = 5;
/// Largest move along one axis, before the rate.
const LARGEST: f64 = 4.0;
/// Half the width of the plane at the start.
const EXTENT: f64 = 10.0;
/// Samples up to which the layout takes its full number of epochs.
const SMALL: usize = 10_000;

/// Settings of an embedding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EmbedConfig {
    /// Nearest neighbours of each sample that are to stay near.
    pub neighbours: usize,
    /// Passes over all pairs of neighbours; by default 500, for more than 10,000 samples 200.
    pub epochs: Option<usize>,
    /// Seed of the layout.
    pub seed: u64,
}

impl Default for EmbedConfig {
    fn default() -> Self {
        Self { neighbours: 15, epochs: None, seed: 0 }
    }
}

/// Places [n, 2] of samples x [n, d], whose features are standardised first.
///
/// # Errors
/// [`Error::Shape`] for fewer than three samples, [`Error::Feature`] for NaN and infinities, [`Error::Config`] for fewer than two
/// neighbours.
pub fn embed(x: ArrayView2<f32>, config: &EmbedConfig) -> Result<Array2<f32>, Error> {
    check_features(x, x.nrows())?;
    let n = x.nrows();
    if n < 3 {
        return Err(Error::Shape { what: "samples to embed".into(), expected: "at least 3".into(), got: n.to_string() });
    }
    if config.neighbours < 2 {
        return Err(Error::Config { field: "neighbours", expected: "at least 2", got: config.neighbours.to_string() });
    }
    let z = Standardised::of(x).apply(x);
    let edges = fuzzy_graph(&nearest_neighbours(z.mapv(|v| v as f32).view(), config.neighbours));
    let mut rng = ChaCha8Rng::seed_from_u64(config.seed);
    let mut places = principal_plane(z.view(), &mut rng);
    let epochs = config.epochs.unwrap_or(if n <= SMALL { 500 } else { 200 });
    lay_out(&mut places, &edges, epochs, &mut rng);
    Ok(Array2::from_shape_fn((n, 2), |(i, axis)| places[i][axis] as f32))
}

/// The first two principal components, scaled to the plane; a little noise tells duplicates apart.
fn principal_plane(z: ArrayView2<f64>, rng: &mut ChaCha8Rng) -> Vec<[f64; 2]> {
    let (n, d) = z.dim();
    let samples = Mat::from_fn(d, n, |i, j| z[[j, i]]);
    let axes = (&samples * samples.transpose()).self_adjoint_eigen(Side::Lower).ok();
    let mut places = vec![[0.0; 2]; n];
    if let Some(axes) = &axes {
        for k in 0..d.min(2) {
            let axis = axes.U().col(d - 1 - k); // eigenvalues ascend
            let along: Vec<f64> = (0..n).map(|j| samples.col(j).iter().zip(axis.iter()).map(|(v, a)| v * a).sum()).collect();
            // an eigenvector has no sign of its own: its largest component is made positive
            let largest = axis.iter().fold(0.0f64, |m, &a| if a.abs() > m.abs() { a } else { m });
            places.iter_mut().zip(&along).for_each(|(place, v)| place[k] = v * largest.signum());
        }
    }
    let extent = places.iter().flatten().fold(0.0f64, |m, v| m.max(v.abs()));
    let scale = if extent > 0.0 { EXTENT / extent } else { 0.0 };
    places.iter_mut().flatten().for_each(|v| *v = *v * scale + rng.random_range(-1e-3..1e-3));
    places
}

/// Stochastic gradient descent: edges are pulled together as often as they are strong, random pairs pushed apart.
fn lay_out(places: &mut [[f64; 2]], edges: &[Edge], epochs: usize, rng: &mut ChaCha8Rng) {
    let strongest = edges.iter().fold(0.0f64, |m, edge| m.max(edge.2));
    // both directions of an edge have their turn, at every `period` epochs
    let mut turns: Vec<(usize, usize, f64, f64)> =
        edges.iter().flat_map(|&(i, j, strength)| [(i, j), (j, i)].map(|(i, j)| (i, j, strongest / strength, strongest / strength))).collect();
    for epoch in 0..epochs {
        let rate = 1.0 - epoch as f64 / epochs as f64;
        for (i, j, period, next) in turns.iter_mut().filter(|(.., next)| *next <= (epoch + 1) as f64) {
            *next += *period;
            let pull = attraction(places[*i], places[*j]);
            for axis in 0..2 {
                places[*i][axis] += rate * pull[axis];
                places[*j][axis] -= rate * pull[axis];
            }
            for _ in 0..REPELLED {
                let other = rng.random_range(0..places.len() as u32) as usize;
                if other != *i {
                    let push = repulsion(places[*i], places[other]);
                    (0..2).for_each(|axis| places[*i][axis] += rate * push[axis]);
                }
            }
        }
    }
}

/// Gradient of the log strength of two places, at the first.
fn attraction(a: [f64; 2], b: [f64; 2]) -> [f64; 2] {
    let (difference, square) = apart(a, b);
    if square == 0.0 {
        return [0.0; 2];
    }
    let power = square.powf(B);
    let factor = -2.0 * A * B * power / square / (1.0 + A * power);
    difference.map(|v| (factor * v).clamp(-LARGEST, LARGEST))
}

/// Gradient of the log of one minus the strength, at the first; where places coincide they are pushed along both axes.
fn repulsion(a: [f64; 2], b: [f64; 2]) -> [f64; 2] {
    let (difference, square) = apart(a, b);
    if square == 0.0 {
        return [LARGEST; 2];
    }
    // the published 0.001 keeps the push finite
    let factor = 2.0 * B / ((0.001 + square) * (1.0 + A * square.powf(B)));
    difference.map(|v| (factor * v).clamp(-LARGEST, LARGEST))
}

fn apart(a: [f64; 2], b: [f64; 2]) -> ([f64; 2], f64) {
    let difference = [a[0] - b[0], a[1] - b[1]];
    (difference, difference[0] * difference[0] + difference[1] * difference[1])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Squared error of the curve on distances up to three spreads.
    fn misfit(a: f64, b: f64) -> f64 {
        let at = |i: usize| {
            let d = 3.0 * i as f64 / 299.0;
            let wanted = if d < 0.1 { 1.0 } else { (0.1 - d).exp() };
            let power = if d > 0.0 { d.powf(2.0 * b) } else { 0.0 };
            (1.0 / (1.0 + a * power) - wanted).powi(2)
        };
        (0..300).map(at).sum()
    }

    #[test]
    fn the_curve_is_the_least_squares_one() {
        let least = misfit(A, B);
        for (a, b) in [(A + 1e-3, B), (A - 1e-3, B), (A, B + 1e-3), (A, B - 1e-3)] {
            assert!(misfit(a, b) > least);
        }
    }

    #[test]
    fn forces_by_finite_differences() {
        let (a, b) = ([0.3, -0.4], [1.0, 0.9]);
        let strength = |a: [f64; 2]| 1.0 / (1.0 + A * apart(a, b).1.powf(B));
        for axis in 0..2 {
            let slope = |of: &dyn Fn([f64; 2]) -> f64| {
                let mut moved = [a, a];
                moved[0][axis] += 1e-6;
                moved[1][axis] -= 1e-6;
                (of(moved[0]) - of(moved[1])) / 2e-6
            };
            let (pull, push) = (slope(&|a| strength(a).ln()), slope(&|a| (1.0 - strength(a)).ln()));
            assert!((attraction(a, b)[axis] - pull).abs() < 1e-8);
            assert!((repulsion(a, b)[axis] - push).abs() < 2e-3, "{} {push}: up to the constant that keeps it finite", repulsion(a, b)[axis]);
        }
    }
}
