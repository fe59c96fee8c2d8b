//! Attention forward, straight from the projections' map to the map the gates read.
//!
//! A head's keys and values are packed once, as the product's right operands; then tiles of queries go through both products while
//! their scores lie in the cache.

use super::{Heads, Rows, TILE, exponentials, packed, to_unit, unit_queries};
use crate::matmul::Product;
use crate::scratch::{Shared, scratch};
use crate::simd::{Kernel, Lanes, dispatch};
use rayon::prelude::*;

/// Attended values of every head: from `qkv` [N, tokens, group, (q, k, v), dim] and scales [group, dim] into place `part` of `parts`
/// of `out` [N, tokens, group, parts, dim]; the other parts stay as they are.
pub fn forward(heads: Heads, qkv: &[f32], scales: &[f32], out: &mut [f32], part: usize, parts: usize) {
    let Heads { groups, dim, tokens } = heads;
    let width = groups * dim;
    if qkv.is_empty() {
        return;
    }
    let batch = heads.batch(qkv, scales, out.len(), part, parts);
    // every head writes its own channels of its own batch element
    let out = Shared(out.as_mut_ptr());
    (0..batch * groups).into_par_iter().for_each(|head| {
        let (n, g) = (head / groups, head % groups);
        // SAFETY: inside the output, whose length was checked.
        let to = unsafe { out.add(n * tokens * parts * width + (g * parts + part) * dim) };
        let qkv = &qkv[n * tokens * 3 * width + g * 3 * dim..];
        let lengths = [packed(dim, tokens), packed(tokens, dim), TILE * dim, TILE * tokens];
        scratch(lengths, |[keys, values, queries, scores]| {
            let of = |part: usize| Rows { from: &qkv[part * dim..], stride: 3 * width, dim };
            let (qkv, scale) = ([of(0), of(1), of(2)], &scales[g * dim..][..dim]);
            dispatch(Attend { qkv, scale, to, stride: parts * width, tokens, keys, values, queries, scores });
        });
    });
}

/// One head.
struct Attend<'a> {
    qkv: [Rows<'a>; 3],
    scale: &'a [f32],
    /// The head's first token in the output, and the distance between tokens there.
    to: Shared,
    stride: usize,
    tokens: usize,
    keys: &'a mut [f32],
    values: &'a mut [f32],
    queries: &'a mut [f32],
    scores: &'a mut [f32],
}

impl Kernel for Attend<'_> {
    #[inline(always)]
    fn run<V: Lanes>(self) {
        let Self { qkv: [q, k, v], tokens, stride, keys, values, queries, scores, .. } = self;
        let dim = q.dim;
        k.pack_across(tokens, to_unit, keys);
        v.pack(tokens, |_, _| 1.0, values);
        for first in (0..tokens).step_by(TILE) {
            let rows = TILE.min(tokens - first);
            unit_queries(q.after(first), self.scale, rows, queries);
            Product { a: queries, lda: dim, packed: keys, out: scores.as_mut_ptr(), ldo: tokens, m: rows, k: dim, n: tokens, accumulate: false }
                .run::<V>();
            let mut shares = [0.0; TILE];
            for (share, scores) in shares.iter_mut().zip(scores.chunks_exact_mut(tokens)).take(rows) {
                *share = exponentials::<V>(scores);
            }
            // SAFETY: the rows of these tokens, in the head's own channels.
            let to = unsafe { self.to.0.add(first * stride) };
            Product { a: scores, lda: tokens, packed: values, out: to, ldo: stride, m: rows, k: tokens, n: dim, accumulate: false }.run::<V>();
            for (row, share) in shares[..rows].iter().enumerate() {
                // SAFETY: as above.
                let row = unsafe { std::slice::from_raw_parts_mut(to.add(row * stride), dim) };
                row.iter_mut().for_each(|v| *v *= share);
            }
        }
    }
}
