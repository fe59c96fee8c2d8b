//! Attention forward, straight from the projections' map to the map the gates read.
//!
//! A head's keys and values are packed once, as the product's right operands; then tiles of queries go through both products while
//! their scores lie in the cache. Where products are of pairs of bf16, operands are rounded right before: unit queries and keys, values,
//! and exponentials of scores, whose sum is that of the numbers before.

use super::{Heads, Rows, TILE, exponentials, packed, to_unit, unit_queries};
use crate::matmul::Product;
use crate::precision::{Precision, pair_row, pair_rows};
use crate::scratch::{Shared, scratch};
use crate::simd::{Kernel, Lanes, block_width, dispatch_in, vector_width};
use rayon::prelude::*;

/// Attended values of every head: from `qkv` [N, tokens, group, (q, k, v), dim] and scales [group, dim] into place `part` of `parts`
/// of `out` [N, tokens, group, parts, dim]; the other parts stay as they are.
pub fn forward(heads: Heads, qkv: &[f32], scales: &[f32], out: &mut [f32], part: usize, parts: usize) {
    forward_in(Precision::F32, heads, qkv, scales, out, part, parts);
}

/// [`forward`] with products of some precision, one that runs here.
pub fn forward_in(precision: Precision, heads: Heads, qkv: &[f32], scales: &[f32], out: &mut [f32], part: usize, parts: usize) {
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
        let pairs = if precision == Precision::F32 { 0 } else { packed(dim, tokens).max(packed(tokens, dim)).max(TILE * stored(dim.max(tokens))) };
        let lengths = [packed(dim, tokens), packed(tokens, dim), TILE * dim, TILE * tokens, pairs];
        scratch(lengths, |[keys, values, queries, scores, pairs]| {
            let of = |part: usize| Rows { from: &qkv[part * dim..], stride: 3 * width, dim };
            let (qkv, scale) = ([of(0), of(1), of(2)], &scales[g * dim..][..dim]);
            dispatch_in(precision, Attend { qkv, scale, to, stride: parts * width, tokens, keys, values, queries, scores, pairs });
        });
    });
}

/// Whole vectors that hold a row.
fn stored(length: usize) -> usize {
    length.next_multiple_of(vector_width())
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
    /// Room for an operand in pairs, where products are of pairs.
    pairs: &'a mut [f32],
}

impl Kernel for Attend<'_> {
    #[inline(always)]
    fn run<V: Lanes>(self) {
        let Self { qkv: [q, k, v], tokens, stride, keys, values, queries, scores, pairs, .. } = self;
        let dim = q.dim;
        k.pack_across(tokens, to_unit, keys);
        right::<V>(keys, dim, tokens, pairs);
        v.pack(tokens, |_, _| 1.0, values);
        right::<V>(values, tokens, dim, pairs);
        for first in (0..tokens).step_by(TILE) {
            let rows = TILE.min(tokens - first);
            unit_queries(q.after(first), self.scale, rows, queries);
            let (a, lda, k) = left::<V>(queries, rows, dim, pairs);
            Product { a, lda, packed: keys, out: scores.as_mut_ptr(), ldo: tokens, m: rows, k, n: tokens, accumulate: false }.run::<V>();
            let mut shares = [0.0; TILE];
            for (share, scores) in shares.iter_mut().zip(scores.chunks_exact_mut(tokens)).take(rows) {
                *share = exponentials::<V>(scores);
            }
            let (a, lda, k) = left::<V>(scores, rows, tokens, pairs);
            // SAFETY: the rows of these tokens, in the head's own channels.
            let to = unsafe { self.to.0.add(first * stride) };
            Product { a, lda, packed: values, out: to, ldo: stride, m: rows, k, n: dim, accumulate: false }.run::<V>();
            for (row, share) in shares[..rows].iter().enumerate() {
                // SAFETY: as above.
                let row = unsafe { std::slice::from_raw_parts_mut(to.add(row * stride), dim) };
                row.iter_mut().for_each(|v| *v *= share);
            }
        }
    }
}

/// A packed [k, n] operand to slots, in place.
#[inline(always)]
fn right<V: Lanes>(operand: &mut [f32], k: usize, n: usize, pairs: &mut [f32]) {
    if V::PER_SLOT > 1 {
        let slots = &mut pairs[..packed(k.div_ceil(V::PER_SLOT), n)];
        pair_rows(operand, k, block_width(n), slots);
        operand[..slots.len()].copy_from_slice(slots);
    }
}

/// A left operand of `rows` rows of `k` numbers, the distance of its rows, and their length, in slots.
#[inline(always)]
fn left<'a, V: Lanes>(operand: &'a [f32], rows: usize, k: usize, pairs: &'a mut [f32]) -> (&'a [f32], usize, usize) {
    if V::PER_SLOT == 1 {
        return (operand, k, k);
    }
    let row = stored(k) / V::PER_SLOT;
    operand.chunks_exact(k).zip(pairs.chunks_exact_mut(row)).take(rows).for_each(|(from, to)| pair_row::<V>(from, to));
    (pairs, row, k.div_ceil(V::PER_SLOT))
}
