//! Spatial attention: cosine similarity with a learned scale per channel, softmax over all pixels.
//!
//! `a = softmax(q_n k_n^T) v` with `q_n = q / |q| * scale` and `k_n = k / |k|` (no further temperature: reference
//! implementation). Heads are read and written where they lie in their maps. Scores are made for a tile of queries at a time and never
//! all at once; softmax's division waits for where a row has fewer numbers than there are tokens.

mod backward;
mod forward;

use crate::activation::{exp, largest, sum_by};
use crate::simd::{Lanes, block_width};

pub use backward::backward;
pub use forward::{forward, forward_in};

const TILE: usize = 48; // queries whose scores exist at a time: whole register tiles of every tier

/// How the heads of a map lie.
#[derive(Clone, Copy, Debug)]
pub struct Heads {
    /// Heads, one per channel group.
    pub groups: usize,
    /// Channels per head.
    pub dim: usize,
    /// Pixels of one batch element: tokens.
    pub tokens: usize,
}

impl Heads {
    /// Batch elements of queries, keys and values, after a look at all lengths; `attended` is the length of a map of `parts`.
    fn batch(&self, qkv: &[f32], scales: &[f32], attended: usize, part: usize, parts: usize) -> usize {
        let width = self.groups * self.dim;
        let batch = qkv.len() / (self.tokens * 3 * width);
        assert_eq!(qkv.len(), batch * self.tokens * 3 * width, "queries, keys and values");
        assert!(scales.len() == width && part < parts && attended == batch * self.tokens * parts * width, "scales and attended values");
        batch
    }
}

/// Rows of one head, `stride` apart, from its first on.
#[derive(Clone, Copy)]
struct Rows<'a> {
    from: &'a [f32],
    stride: usize,
    dim: usize,
}

impl<'a> Rows<'a> {
    #[inline(always)]
    fn row(self, token: usize) -> &'a [f32] {
        &self.from[token * self.stride..][..self.dim]
    }

    #[inline(always)]
    fn after(self, rows: usize) -> Self {
        Self { from: &self.from[rows * self.stride..], ..self }
    }

    /// The first `rows`, each times its `factor`, as the right operand of a product over rows: `[block of channels][row][width]`.
    #[inline(always)]
    fn pack(self, rows: usize, factor: impl Fn(usize, &[f32]) -> f32, packed: &mut [f32]) {
        let width = block_width(self.dim);
        if !self.dim.is_multiple_of(width) {
            packed[self.dim / width * width * rows..][..rows * width].fill(0.0);
        }
        for r in 0..rows {
            let row = self.row(r);
            let factor = factor(r, row);
            for (block, row) in row.chunks(width).enumerate() {
                let to = &mut packed[(block * rows + r) * width..][..row.len()];
                to.iter_mut().zip(row).for_each(|(to, v)| *to = v * factor);
            }
        }
    }

    /// The same transposed, for a product over channels: `[block of rows][channel][width]`.
    #[inline(always)]
    fn pack_across(self, rows: usize, factor: impl Fn(usize, &[f32]) -> f32, packed: &mut [f32]) {
        let width = block_width(rows);
        if !rows.is_multiple_of(width) {
            packed[rows / width * width * self.dim..][..self.dim * width].fill(0.0);
        }
        for r in 0..rows {
            let row = self.row(r);
            let factor = factor(r, row);
            let to = &mut packed[r / width * width * self.dim + r % width..];
            to.iter_mut().step_by(width).zip(row).for_each(|(to, v)| *to = v * factor);
        }
    }
}

/// Length of a packed [k, n] operand.
fn packed(k: usize, n: usize) -> usize {
    n.next_multiple_of(block_width(n)) * k
}

#[inline(always)]
fn length(x: &[f32]) -> f32 {
    sum_by(x, |v| v * v).sqrt() as f32
}

/// The factor that makes a row one of length 1.
#[inline(always)]
fn to_unit(_: usize, x: &[f32]) -> f32 {
    1.0 / length(x)
}

/// Unit queries times scale of a tile, [rows, dim].
#[inline(always)]
fn unit_queries(queries: Rows, scale: &[f32], rows: usize, out: &mut [f32]) {
    for (row, to) in out.chunks_exact_mut(queries.dim).take(rows).enumerate() {
        let query = queries.row(row);
        let unit = to_unit(row, query);
        to.iter_mut().zip(query).zip(scale).for_each(|((to, v), scale)| *to = v * unit * scale);
    }
}

/// Sums of at most as many numbers as there are pieces of this length are taken in f32.
const SUMS: usize = 64;

/// `x <- exp(x - max x)`; returns one over their sum.
#[inline(always)]
fn exponentials<V: Lanes>(x: &mut [f32]) -> f32 {
    let peak = largest(x);
    let mut sums = [0.0f32; SUMS];
    let mut pieces = x.chunks_exact_mut(SUMS);
    for piece in &mut pieces {
        for (sum, v) in sums.iter_mut().zip(piece) {
            *v = exp::<V>(*v - peak);
            *sum += *v;
        }
    }
    for (sum, v) in sums.iter_mut().zip(pieces.into_remainder()) {
        *v = exp::<V>(*v - peak);
        *sum += *v;
    }
    (1.0 / sum_by(&sums, |v| v)) as f32
}
