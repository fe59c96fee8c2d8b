//! Attention forward, straight from the projections' map to the map the gates read.
//!
//! A head's keys and values are packed once, as the product's right operands; then tiles of queries go through both products while
//! their scores lie in the cache. Softmax's division waits until after the second product, where a row has fewer numbers.

use super::TILE;
use crate::activation::{exp, largest, sum_by};
use crate::matmul::Product;
use crate::scratch::{Shared, scratch};
use crate::simd::{Kernel, Lanes, block_width, dispatch};
use rayon::prelude::*;

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

/// Attended values of every head: from `qkv` [N, tokens, group, (q, k, v), dim] and scales [group, dim] into place `part` of `parts`
/// of `out` [N, tokens, group, parts, dim]; the other parts stay as they are.
pub fn forward(heads: Heads, qkv: &[f32], scales: &[f32], out: &mut [f32], part: usize, parts: usize) {
    let Heads { groups, dim, tokens } = heads;
    let width = groups * dim;
    if qkv.is_empty() {
        return;
    }
    let batch = qkv.len() / (tokens * 3 * width);
    assert_eq!(qkv.len(), batch * tokens * 3 * width, "queries, keys and values");
    assert!(scales.len() == width && part < parts && out.len() == batch * tokens * parts * width, "scales and output");
    // every head writes its own channels of its own batch element
    let out = Shared(out.as_mut_ptr());
    (0..batch * groups).into_par_iter().for_each(|head| {
        let (n, g) = (head / groups, head % groups);
        // SAFETY: inside the output, whose length was checked.
        let to = unsafe { out.add(n * tokens * parts * width + (g * parts + part) * dim) };
        let qkv = &qkv[n * tokens * 3 * width + g * 3 * dim..];
        let lengths = [packed(dim, tokens), packed(tokens, dim), TILE * dim, TILE * tokens];
        scratch(lengths, |[keys, values, queries, scores]| {
            let (scale, stride) = (&scales[g * dim..][..dim], [3 * width, parts * width]);
            dispatch(Attend { qkv, scale, to, stride, dim, tokens, keys, values, queries, scores });
        });
    });
}

/// Length of a packed [k, n] operand.
fn packed(k: usize, n: usize) -> usize {
    n.next_multiple_of(block_width(n)) * k
}

/// One head.
struct Attend<'a> {
    /// From the head's first query on, and the distance between tokens, there and in the output.
    qkv: &'a [f32],
    to: Shared,
    stride: [usize; 2],
    scale: &'a [f32],
    dim: usize,
    tokens: usize,
    keys: &'a mut [f32],
    values: &'a mut [f32],
    queries: &'a mut [f32],
    scores: &'a mut [f32],
}

impl Kernel for Attend<'_> {
    #[inline(always)]
    fn run<V: Lanes>(mut self) {
        let (dim, tokens, [_, ldo]) = (self.dim, self.tokens, self.stride);
        self.pack();
        for first in (0..tokens).step_by(TILE) {
            let rows = TILE.min(tokens - first);
            self.unit_queries(first, rows);
            let (keys, values, queries, scores) = (&*self.keys, &*self.values, &*self.queries, &mut *self.scores);
            Product { a: queries, lda: dim, packed: keys, out: scores.as_mut_ptr(), ldo: tokens, m: rows, k: dim, n: tokens, accumulate: false }
                .run::<V>();
            let mut shares = [0.0; TILE];
            for (share, scores) in shares.iter_mut().zip(scores.chunks_exact_mut(tokens)).take(rows) {
                *share = exponentials::<V>(scores);
            }
            // SAFETY: the rows of these tokens, in the head's own channels.
            let to = unsafe { self.to.0.add(first * ldo) };
            Product { a: scores, lda: tokens, packed: values, out: to, ldo, m: rows, k: tokens, n: dim, accumulate: false }.run::<V>();
            for (row, share) in shares[..rows].iter().enumerate() {
                // SAFETY: as above.
                let row = unsafe { std::slice::from_raw_parts_mut(to.add(row * ldo), dim) };
                row.iter_mut().for_each(|v| *v *= share);
            }
        }
    }
}

impl Attend<'_> {
    /// Unit keys, transposed, and values, as right operands: `[block of columns][k][width]`.
    #[inline(always)]
    fn pack(&mut self) {
        let (dim, tokens, stride) = (self.dim, self.tokens, self.stride[0]);
        let (across, down) = (block_width(tokens), block_width(dim));
        if !tokens.is_multiple_of(across) {
            self.keys[tokens / across * across * dim..].fill(0.0);
        }
        if !dim.is_multiple_of(down) {
            self.values[dim / down * down * tokens..].fill(0.0);
        }
        for token in 0..tokens {
            let key = &self.qkv[token * stride + dim..][..dim];
            let scale = 1.0 / length(key);
            let to = &mut self.keys[token / across * across * dim + token % across..];
            to.iter_mut().step_by(across).zip(key).for_each(|(to, v)| *to = v * scale);
            let value = &self.qkv[token * stride + 2 * dim..][..dim];
            for (block, value) in value.chunks(down).enumerate() {
                self.values[(block * tokens + token) * down..][..value.len()].copy_from_slice(value);
            }
        }
    }

    /// Unit queries times scale of a tile.
    #[inline(always)]
    fn unit_queries(&mut self, first: usize, rows: usize) {
        for (row, to) in self.queries.chunks_exact_mut(self.dim).take(rows).enumerate() {
            let query = &self.qkv[(first + row) * self.stride[0]..][..self.dim];
            let unit = 1.0 / length(query);
            to.iter_mut().zip(query).zip(self.scale).for_each(|((to, v), scale)| *to = v * unit * scale);
        }
    }
}

#[inline(always)]
fn length(x: &[f32]) -> f32 {
    sum_by(x, |v| v * v).sqrt() as f32
}

/// `x <- exp(x - max x)`; returns one over their sum. Sums of at most as many numbers as there are pieces are taken in f32.
#[inline(always)]
fn exponentials<V: Lanes>(x: &mut [f32]) -> f32 {
    const SUMS: usize = 64;
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
