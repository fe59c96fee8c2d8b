//! Spatial attention of one head: cosine similarity with a learned scale per channel, softmax over all pixels.
//!
//! `a = softmax(q_n k_n^T) v` with `q_n = q / |q| * scale` and `k_n = k / |k|` (no further temperature: reference
//! implementation). Scores are made for a tile of queries at a time and never all at once.

mod forward;

use crate::activation::{softmax, sum_by};
use crate::matmul::{matmul, pack};

pub use forward::{Heads, forward};

const TILE: usize = 48; // queries whose scores exist at a time: whole register tiles of every tier

/// One head's inputs, each [tokens, dim], and its scale [dim].
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// Queries.
    pub q: &'a [f32],
    /// Keys.
    pub k: &'a [f32],
    /// Values.
    pub v: &'a [f32],
    /// Learned scale of each channel.
    pub scale: &'a [f32],
    /// Channels per head.
    pub dim: usize,
}

/// Gradients of one head's inputs.
#[derive(Clone, Debug)]
pub struct HeadGradient {
    /// Of the queries.
    pub q: Vec<f32>,
    /// Of the keys.
    pub k: Vec<f32>,
    /// Of the values.
    pub v: Vec<f32>,
    /// Of the scale.
    pub scale: Vec<f32>,
}

impl Head<'_> {
    fn tokens(&self) -> usize {
        self.q.len() / self.dim
    }

    /// Unit queries times scale, and unit keys.
    fn normalised(&self) -> (Vec<f32>, Vec<f32>) {
        let mut q = unit(self.q, self.dim).0;
        for q in q.chunks_exact_mut(self.dim) {
            q.iter_mut().zip(self.scale).for_each(|(q, s)| *q *= s);
        }
        (q, unit(self.k, self.dim).0)
    }

    /// Gradients of q, k, v and scale from that of `a`.
    pub fn backward(&self, da: &[f32]) -> HeadGradient {
        let (tokens, dim) = (self.tokens(), self.dim);
        let (q, k) = self.normalised();
        let keys_across = pack(&transpose(&k, dim), dim, tokens, tokens);
        let values_across = pack(&transpose(self.v, dim), dim, tokens, tokens);
        let keys = pack(&k, tokens, dim, dim);
        let (mut dq, mut dk, mut dv) = (vec![0.0; tokens * dim], vec![0.0; tokens * dim], vec![0.0; tokens * dim]);
        let (mut scores, mut dscores) = (vec![0.0; TILE * tokens], vec![0.0; TILE * tokens]);
        for (tile, dq) in dq.chunks_mut(TILE * dim).enumerate() {
            let rows = dq.len() / dim;
            let (q, da) = (&q[tile * TILE * dim..][..rows * dim], &da[tile * TILE * dim..][..rows * dim]);
            weights(q, &keys_across, &mut scores, rows, tokens, dim);
            matmul(da, dim, &values_across, &mut dscores, tokens, rows, dim, tokens, false);
            let (scores, dscores) = (&scores[..rows * tokens], &mut dscores[..rows * tokens]);
            matmul(&transpose(scores, tokens), rows, &pack(da, rows, dim, dim), &mut dv, dim, tokens, rows, dim, true);
            for (s, d) in scores.chunks_exact(tokens).zip(dscores.chunks_exact_mut(tokens)) {
                let mean = s.iter().zip(d.iter()).map(|(s, d)| f64::from(s * d)).sum::<f64>() as f32;
                d.iter_mut().zip(s).for_each(|(d, s)| *d = s * (*d - mean));
            }
            matmul(dscores, tokens, &keys, dq, dim, rows, tokens, dim, false);
            matmul(&transpose(dscores, tokens), rows, &pack(q, rows, dim, dim), &mut dk, dim, tokens, rows, dim, true);
        }
        let mut scale = vec![0.0; dim];
        let (unit_q, norms) = unit(self.q, dim);
        for (d, u) in dq.chunks_exact_mut(dim).zip(unit_q.chunks_exact(dim)) {
            for c in 0..dim {
                scale[c] += d[c] * u[c];
                d[c] *= self.scale[c];
            }
        }
        unit_gradient(&unit_q, &norms, dim, &mut dq);
        let (unit_k, norms) = unit(self.k, dim);
        unit_gradient(&unit_k, &norms, dim, &mut dk);
        HeadGradient { q: dq, k: dk, v: dv, scale }
    }
}

/// Attention weights of a tile of queries, [rows, tokens].
fn weights(q: &[f32], keys: &[f32], scores: &mut [f32], rows: usize, tokens: usize, dim: usize) {
    matmul(q, dim, keys, scores, tokens, rows, dim, tokens, false);
    scores.chunks_exact_mut(tokens).take(rows).for_each(softmax);
}

/// Rows of unit length, and their lengths before.
fn unit(x: &[f32], dim: usize) -> (Vec<f32>, Vec<f32>) {
    let mut out = x.to_vec();
    let norms = out
        .chunks_exact_mut(dim)
        .map(|row| {
            let norm = sum_by(row, |v| v * v).sqrt() as f32;
            row.iter_mut().for_each(|v| *v /= norm);
            norm
        })
        .collect();
    (out, norms)
}

/// Gradient through `x / |x|`, in place.
fn unit_gradient(unit: &[f32], norms: &[f32], dim: usize, d: &mut [f32]) {
    for ((d, u), norm) in d.chunks_exact_mut(dim).zip(unit.chunks_exact(dim)).zip(norms) {
        let along = u.iter().zip(d.iter()).map(|(u, d)| f64::from(u * d)).sum::<f64>() as f32;
        d.iter_mut().zip(u).for_each(|(d, u)| *d = (*d - along * u) / norm);
    }
}

/// Rows of `width` become columns.
fn transpose(x: &[f32], width: usize) -> Vec<f32> {
    let height = x.len() / width;
    let mut out = vec![0.0; x.len()];
    for (r, row) in x.chunks_exact(width).enumerate() {
        row.iter().enumerate().for_each(|(c, v)| out[c * height + r] = *v);
    }
    out
}
