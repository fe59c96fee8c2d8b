//! Spatial attention of the CvT cells: every group is a head, every pixel a token (paper Extended Data Fig. 5).

use super::groups::spread;
use crate::layers::conv::{Conv, Fused, Prepared};
use crate::workspace::Workspace;
use striate_kernels::attention::{self, Heads};
use striate_kernels::precision::Precision;

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
    pub(super) precision: Precision,
}

impl Attention {
    /// What the gates read: `z` and, for attended values to be written to, room beside it, group by group.
    pub(super) fn with_room(&self, z: &[f32], space: &mut Workspace) -> Vec<f32> {
        let mut read = space.take(2 * z.len());
        spread(z, self.common, self.groups, 0, 2 * self.common, &mut read);
        read
    }

    /// Attended values, beside `z` in what the gates read.
    pub(super) fn attend(&self, ready: &PreparedAttention, qkv: &[f32], batch: usize, read: &mut [f32]) {
        attention::forward_in(ready.precision, self.heads(qkv, batch), qkv, &ready.scales, read, 1, 2);
    }

    /// Gradients of queries, keys and values, and (added) of the scales, from that of what the gates read.
    pub(super) fn attend_gradient(&self, scales: &[f32], qkv: &[f32], dread: &[f32], batch: usize, dscales: &mut [f32]) -> Vec<f32> {
        let mut dqkv = vec![0.0; qkv.len()];
        attention::backward(self.heads(qkv, batch), qkv, scales, dread, 1, 2, &mut dqkv, dscales);
        dqkv
    }

    fn heads(&self, qkv: &[f32], batch: usize) -> Heads {
        Heads { groups: self.groups, dim: self.common / self.groups, tokens: qkv.len() / batch / (3 * self.common) }
    }
}
