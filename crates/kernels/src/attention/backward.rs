//! Attention backward, straight from the gradient of the map the gates read to that of the projections' map.
//!
//! For a tile of queries, weights `p` and their gradients `dp = da v^T` are made again; then `ds = p (dp - sum p dp)` of each row, and
//!
//! ```text
//! dv += p^T da    dq = ds k    dk += ds^T q
//! ```
//!
//! The transposed products read their left operand down its columns, so nothing is transposed. Rows of `p` are left without softmax's
//! division here, too: the row of `da`, `q` or `dq` that meets them carries it.

use super::{Heads, Rows, SUMS, TILE, exponentials, length, packed, to_unit, unit_queries};
use crate::activation::sum_by;
use crate::matmul::Product;
use crate::scratch::{Shared, scratch};
use crate::simd::{Kernel, Lanes, dispatch};
use rayon::prelude::*;

/// Gradients of `qkv` [N, tokens, group, (q, k, v), dim] into `dqkv`, and of scales [group, dim] added to `dscales`, from that of the
/// attended values in place `part` of `parts` of `dout` [N, tokens, group, parts, dim].
pub fn backward(heads: Heads, qkv: &[f32], scales: &[f32], dout: &[f32], part: usize, parts: usize, dqkv: &mut [f32], dscales: &mut [f32]) {
    let Heads { groups, dim, tokens } = heads;
    let width = groups * dim;
    if qkv.is_empty() {
        return;
    }
    let batch = heads.batch(qkv, scales, dout.len(), part, parts);
    assert!(dqkv.len() == qkv.len() && dscales.len() == width, "gradients");
    // every head writes its own channels of its own batch element
    let out = Shared(dqkv.as_mut_ptr());
    let mut of_head = vec![0.0; batch * width];
    of_head.par_chunks_mut(dim).enumerate().for_each(|(head, dscale)| {
        let (n, g) = (head / groups, head % groups);
        let first = n * tokens * 3 * width + g * 3 * dim;
        // SAFETY: inside the output, whose length was checked.
        let to = unsafe { out.add(first) };
        let da = Rows { from: &dout[n * tokens * parts * width + (g * parts + part) * dim..], stride: parts * width, dim };
        let [across, tile] = [packed(dim, tokens), packed(TILE, dim)];
        let lengths = [across, across, packed(tokens, dim), TILE * dim, tile, tile, TILE * tokens, TILE * tokens];
        scratch(lengths, |[keys_across, values_across, keys, queries, queries_down, da_down, p, dp]| {
            let of = |part: usize| Rows { from: &qkv[first + part * dim..], stride: 3 * width, dim };
            let (qkv, scale) = ([of(0), of(1), of(2)], &scales[g * dim..][..dim]);
            dispatch(Attend { qkv, da, scale, dscale, to, tokens, keys_across, values_across, keys, queries, queries_down, da_down, p, dp });
        });
    });
    for (head, of_head) in of_head.chunks_exact(dim).enumerate() {
        dscales[head % groups * dim..][..dim].iter_mut().zip(of_head).for_each(|(sum, d)| *sum += d);
    }
}

/// One head.
struct Attend<'a> {
    qkv: [Rows<'a>; 3],
    da: Rows<'a>,
    scale: &'a [f32],
    dscale: &'a mut [f32],
    /// The head's first query in the gradient; tokens are as far apart as in `qkv`.
    to: Shared,
    tokens: usize,
    keys_across: &'a mut [f32],
    values_across: &'a mut [f32],
    keys: &'a mut [f32],
    queries: &'a mut [f32],
    queries_down: &'a mut [f32],
    da_down: &'a mut [f32],
    p: &'a mut [f32],
    dp: &'a mut [f32],
}

impl Kernel for Attend<'_> {
    #[inline(always)]
    fn run<V: Lanes>(mut self) {
        let ([_, k, v], tokens) = (self.qkv, self.tokens);
        k.pack_across(tokens, to_unit, self.keys_across);
        k.pack(tokens, to_unit, self.keys);
        v.pack_across(tokens, |_, _| 1.0, self.values_across);
        for first in (0..tokens).step_by(TILE) {
            self.tile::<V>(first, TILE.min(tokens - first));
        }
        for token in 0..tokens {
            // SAFETY: this key's place in the head's own channels.
            let dk = unsafe { std::slice::from_raw_parts_mut(self.to.0.add(token * k.stride + k.dim), k.dim) };
            unit_gradient(k.row(token), dk);
        }
    }
}

impl Attend<'_> {
    #[inline(always)]
    fn tile<V: Lanes>(&mut self, first: usize, rows: usize) {
        let ([q, ..], tokens, dim) = (self.qkv, self.tokens, self.scale.len());
        let (q, da, accumulate) = (q.after(first), self.da.after(first), first > 0);
        let (p, dp) = (&mut *self.p, &mut *self.dp);
        unit_queries(q, self.scale, rows, self.queries);
        let product = Product {
            a: self.queries,
            lda: dim,
            packed: self.keys_across,
            out: p.as_mut_ptr(),
            ldo: tokens,
            m: rows,
            k: dim,
            n: tokens,
            accumulate: false,
        };
        product.run::<V>();
        Product { a: da.from, lda: da.stride, packed: self.values_across, out: dp.as_mut_ptr(), ..product }.run::<V>();
        let mut shares = [0.0; TILE];
        for ((share, p), dp) in shares.iter_mut().zip(p.chunks_exact_mut(tokens)).zip(dp.chunks_exact_mut(tokens)).take(rows) {
            *share = exponentials::<V>(p);
            softmax_gradient(p, *share, dp);
        }
        da.pack(rows, |row, _| shares[row], self.da_down);
        Rows { from: self.queries, stride: dim, dim }.pack(rows, |row, _| shares[row], self.queries_down);
        // SAFETY: places of queries, keys and values in the head's own channels.
        let (dq, dk, dv) = unsafe { (self.to.0.add(first * q.stride), self.to.0.add(dim), self.to.0.add(2 * dim)) };
        let down = Product { a: p, lda: tokens, packed: self.da_down, out: dv, ldo: q.stride, m: tokens, k: rows, n: dim, accumulate };
        down.run_down::<V>();
        Product { a: dp, packed: self.queries_down, out: dk, ..down }.run_down::<V>();
        Product { a: dp, lda: tokens, packed: self.keys, out: dq, ldo: q.stride, m: rows, k: tokens, n: dim, accumulate: false }.run::<V>();
        for (row, share) in shares[..rows].iter().enumerate() {
            // SAFETY: this query's place in the head's own channels.
            let dq = unsafe { std::slice::from_raw_parts_mut(dq.add(row * q.stride), dim) };
            let (query, unit) = (q.row(row), to_unit(row, q.row(row)));
            for ((dq, q), (scale, dscale)) in dq.iter_mut().zip(query).zip(self.scale.iter().zip(&mut *self.dscale)) {
                *dq *= share;
                *dscale += *dq * q * unit;
                *dq *= scale;
            }
            unit_gradient(query, dq);
        }
    }
}

/// From the gradient `d` of weights to that of scores, both without softmax's division by one over `share`: `d <- p (d - sum p d)`.
#[inline(always)]
fn softmax_gradient(p: &[f32], share: f32, d: &mut [f32]) {
    let mut sums = [0.0f32; SUMS];
    for (p, d) in p.chunks(SUMS).zip(d.chunks(SUMS)) {
        for ((sum, p), d) in sums.iter_mut().zip(p).zip(d) {
            *sum += p * d;
        }
    }
    let mean = sum_by(&sums, |v| v) as f32 * share;
    d.iter_mut().zip(p).for_each(|(d, p)| *d = p * (*d - mean));
}

/// Gradient through `x / |x|`, in place.
#[inline(always)]
fn unit_gradient(x: &[f32], d: &mut [f32]) {
    let unit = 1.0 / length(x);
    let mut along = [0.0f32; SUMS];
    for (x, d) in x.chunks(SUMS).zip(d.chunks(SUMS)) {
        for ((along, x), d) in along.iter_mut().zip(x).zip(d) {
            *along += x * d;
        }
    }
    let along = sum_by(&along, |v| v) as f32 * unit * unit;
    d.iter_mut().zip(x).for_each(|(d, x)| *d = (*d - along * x) * unit);
}
