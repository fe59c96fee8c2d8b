//! Spatial attention of the CvT cells: every group is a head, every pixel a token (paper Extended Data Fig. 5).

use super::groups::{concatenate, spread};
use crate::layers::conv::{Conv, Fused, Prepared};
use crate::workspace::Workspace;
use rayon::prelude::*;
use striate_kernels::attention::{self, Head, Heads};

/// Convolution and attention of the CvT cells, ahead of the gates.
#[derive(Clone, Debug)]
pub(super) struct Attention {
    pub(super) conv: Conv,
    pub(super) qkv: Fused,
    pub(super) groups: usize,
    pub(super) common: usize,
}

/// The same, ready to run.
#[derive(Clone, Debug)]
pub(super) struct PreparedAttention {
    pub(super) conv: Prepared,
    pub(super) qkv: Prepared,
    pub(super) scales: Vec<f32>,
}

impl Attention {
    fn head_width(&self) -> usize {
        self.common / self.groups
    }

    /// What the gates read: `z` and, for attended values to be written to, room beside it, group by group.
    pub(super) fn with_room(&self, z: &[f32], space: &mut Workspace) -> Vec<f32> {
        let mut read = space.take(2 * z.len());
        spread(z, self.common, self.groups, 0, 2 * self.common, &mut read);
        read
    }

    /// Attended values, beside `z` in what the gates read.
    pub(super) fn attend(&self, scales: &[f32], qkv: &[f32], batch: usize, read: &mut [f32]) {
        let heads = Heads { groups: self.groups, dim: self.head_width(), tokens: qkv.len() / batch / (3 * self.common) };
        attention::forward(heads, qkv, scales, read, 1, 2);
    }

    /// What the gates read, put together again.
    pub(super) fn beside(&self, z: &[f32], a: &[f32]) -> Vec<f32> {
        let mut read = vec![0.0; z.len() + a.len()];
        concatenate([(z, self.common), (a, self.common)].into_iter(), self.groups, &mut read);
        read
    }

    /// Queries, keys and values of each (batch element, group), contiguous.
    fn heads(&self, qkv: &[f32], batch: usize) -> Vec<[Vec<f32>; 3]> {
        let (d, pixels) = (self.head_width(), qkv.len() / batch / (3 * self.common));
        (0..batch * self.groups)
            .into_par_iter()
            .map(|head| {
                let (n, g) = (head / self.groups, head % self.groups);
                std::array::from_fn(|part| {
                    let mut head = vec![0.0; pixels * d];
                    let of_pixel = |p: usize| &qkv[(n * pixels + p) * 3 * self.common + (g * 3 + part) * d..][..d];
                    head.chunks_exact_mut(d).enumerate().for_each(|(p, to)| to.copy_from_slice(of_pixel(p)));
                    head
                })
            })
            .collect()
    }

    /// The parts [pixels, d] of N heads of each group, side by side: [N, pixels, groups * parts * d].
    fn interleave<'a>(&self, batch: usize, parts: &dyn Fn(usize) -> Vec<&'a [f32]>) -> Vec<f32> {
        let d = self.head_width();
        let heads: Vec<&[f32]> = (0..batch * self.groups).flat_map(parts).collect();
        let (pixels, each) = (heads[0].len() / d, heads.len() / batch);
        let mut out = vec![0.0; batch * pixels * each * d];
        out.par_chunks_mut(each * d).enumerate().with_min_len(64).for_each(|(pixel, out)| {
            let (n, p) = (pixel / pixels, pixel % pixels);
            for (head, out) in heads[n * each..].iter().zip(out.chunks_exact_mut(d)) {
                out.copy_from_slice(&head[p * d..][..d]);
            }
        });
        out
    }

    /// Gradients of queries, keys and values, and (added) of the scales.
    pub(super) fn attend_gradient(&self, scales: &[f32], qkv: &[f32], da: &[f32], batch: usize, dscales: &mut [f32]) -> Vec<f32> {
        let (d, pixels) = (self.head_width(), da.len() / batch / self.common);
        let heads: Vec<_> = self
            .heads(qkv, batch)
            .par_iter()
            .enumerate()
            .map(|(head, [q, k, v])| {
                let (n, g) = (head / self.groups, head % self.groups);
                let mut own = vec![0.0; pixels * d];
                let of_pixel = |p: usize| &da[(n * pixels + p) * self.common + g * d..][..d];
                own.chunks_exact_mut(d).enumerate().for_each(|(p, to)| to.copy_from_slice(of_pixel(p)));
                Head { q, k, v, scale: &scales[g * d..][..d], dim: d }.backward(&own)
            })
            .collect();
        for (head, gradient) in heads.iter().enumerate() {
            let g = head % self.groups;
            dscales[g * d..][..d].iter_mut().zip(&gradient.scale).for_each(|(s, d)| *s += d);
        }
        self.interleave(batch, &|head| vec![&heads[head].q, &heads[head].k, &heads[head].v])
    }
}
