//! Neighbours: which samples lie nearest to each, and how many an embedding keeps.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, Par};
use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

/// Samples whose distances to all others one task computes.
const BLOCK: usize = 64;

/// The k nearest samples of each, nearest first; a sample is not its own neighbour.
#[derive(Debug, Clone, PartialEq)]
pub struct Neighbours {
    /// Which [n, k].
    pub index: Array2<usize>,
    /// How far [n, k], Euclidean.
    pub distance: Array2<f64>,
}

/// Of samples x [n, d], finite; at most n - 1 neighbours each. Exact; the earlier sample first where distances are equal.
pub fn nearest_neighbours(x: ArrayView2<f32>, k: usize) -> Neighbours {
    let (n, d) = x.dim();
    let k = k.min(n.saturating_sub(1));
    let samples = Mat::<f32>::from_fn(d, n, |i, j| x[[j, i]]);
    let square = |i: usize| samples.col_as_slice(i).iter().map(|v| v * v).sum::<f32>();
    let squares: Vec<f32> = (0..n).map(square).collect();
    let exact = |i: usize, j: usize| x.row(i).iter().zip(x.row(j)).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>().sqrt();
    let blocks: Vec<usize> = (0..n).step_by(BLOCK).collect();
    let rows: Vec<Vec<(f64, usize)>> = blocks
        .into_par_iter()
        .flat_map_iter(|start| {
            let count = BLOCK.min(n - start);
            let mut products = Mat::<f32>::zeros(n, count);
            matmul(products.as_mut(), Accum::Replace, samples.transpose(), samples.subcols(start, count), 1.0, Par::Seq);
            let of = |i: usize| {
                let (square, products) = (squares[start + i], products.col_as_slice(i));
                let mut near: Vec<(f32, usize)> = (0..n).filter(|&j| j != start + i).map(|j| (square + squares[j] - 2.0 * products[j], j)).collect();
                let order = |a: &(f32, usize), b: &(f32, usize)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
                if k < near.len() {
                    near.select_nth_unstable_by(k, order);
                    near.truncate(k);
                }
                // single precision chose them; they are ordered by their distance as it is
                let mut near: Vec<(f64, usize)> = near.into_iter().map(|(_, j)| (exact(start + i, j), j)).collect();
                near.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
                near
            };
            (0..count).map(of).collect::<Vec<_>>()
        })
        .collect();
    Neighbours { index: Array2::from_shape_fn((n, k), |(i, j)| rows[i][j].1), distance: Array2::from_shape_fn((n, k), |(i, j)| rows[i][j].0) }
}

/// Mean share of the k nearest neighbours in x [n, d] that are among the k nearest in an embedding [n, e].
pub fn neighbours_kept(x: ArrayView2<f32>, embedding: ArrayView2<f32>, k: usize) -> f64 {
    let (from, to) = (nearest_neighbours(x, k), nearest_neighbours(embedding, k));
    let kept = from.index.rows().into_iter().zip(to.index.rows()).map(|(a, b)| a.iter().filter(|j| b.iter().any(|other| other == *j)).count());
    kept.sum::<usize>() as f64 / from.index.len() as f64
}

/// Trustworthiness of an embedding (Venna and Kaski 2001): 1 if no sample is among the k nearest of another that was not in x, less
/// the farther it was; .5 is chance. It takes time in proportion to n squared.
pub fn trustworthiness(x: ArrayView2<f32>, embedding: ArrayView2<f32>, k: usize) -> f64 {
    let n = x.nrows();
    let (ranks, near) = (nearest_neighbours(x, n), nearest_neighbours(embedding, k));
    let k = near.index.ncols();
    let mut intrusion = 0usize;
    for (order, near) in ranks.index.rows().into_iter().zip(near.index.rows()) {
        for (rank, j) in order.iter().enumerate().skip(k) {
            if near.iter().any(|other| other == j) {
                intrusion += rank + 1 - k;
            }
        }
    }
    1.0 - 2.0 * intrusion as f64 / (n as f64 * k as f64 * (2.0 * n as f64 - 3.0 * k as f64 - 1.0))
}
