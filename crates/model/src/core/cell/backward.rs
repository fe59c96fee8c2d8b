//! The walk back over the frames of a clip.

use super::super::attention::{Attention, PreparedAttention};
use super::super::groups::part;
use super::{Cell, CellTrace, PreparedCell};
use crate::config::RecurrentKind;
use crate::layers::conv::ConvGradient;
use crate::params::{Gradients, Params};
use crate::workspace::Workspace;
use striate_kernels::lstm;
use striate_kernels::pad::Frame;

/// The walk back over the frames of a clip.
pub(crate) struct CellBackward<'a> {
    cell: &'a Cell,
    prepared: &'a PreparedCell,
    batch: usize,
    trace: CellTrace,
    /// Frames whose weight gradients are taken together.
    steps: usize,
    dc: Vec<f32>,
    pending: Pending,
    sums: Sums,
}

/// Inputs and output gradients of frames whose weight gradients are still to be taken.
#[derive(Default)]
struct Pending {
    frames: usize,
    padded: Vec<f32>,
    dgates: Vec<f32>,
    /// What the gates read, convolved `both`, and the gradients of that and of queries, keys and values (CvT cells).
    read: Vec<f32>,
    z: Vec<f32>,
    dz: Vec<f32>,
    dqkv: Vec<f32>,
}

/// Gradients of applied weights.
struct Sums {
    gates: ConvGradient,
    conv: ConvGradient,
    qkv: ConvGradient,
    scales: Vec<f32>,
}

impl Sums {
    fn new(scales: usize) -> Self {
        Self { gates: ConvGradient::default(), conv: ConvGradient::default(), qkv: ConvGradient::default(), scales: vec![0.0; scales] }
    }
}

impl<'a> CellBackward<'a> {
    /// Prepares to walk back over the traced frames.
    pub(crate) fn new(cell: &'a Cell, prepared: &'a PreparedCell, trace: CellTrace, batch: usize) -> Self {
        let scales = cell.attention.as_ref().map_or(0, |a| a.common);
        let steps = trace.gates.first().map_or(1, |gates| (cell.together / gates.len()).clamp(1, trace.gates.len()));
        Self { cell, prepared, batch, trace, steps, dc: Vec::new(), pending: Pending::default(), sums: Sums::new(scales) }
    }

    /// From the hidden state's gradient after frame `t` to that of `both`; for a GRU also the direct part for the hidden state before. A
    /// frozen cell does not look at `both`, and one with an LSTM not at `h_before`.
    pub(crate) fn step(&mut self, t: usize, both: &[f32], h_before: &[f32], mut dh: Vec<f32>, mask: Option<&[f32]>) -> (Vec<f32>, Option<Vec<f32>>) {
        let cell = self.cell.pointwise();
        let mut gates = std::mem::take(&mut self.trace.gates[t]);
        let direct = if self.cell.kind == RecurrentKind::CvtGru {
            lstm::gru_backward(cell, &mut gates, h_before, &mut dh, mask);
            Some(dh)
        } else {
            if self.dc.is_empty() {
                self.dc = vec![0.0; dh.len()];
            }
            let before = std::mem::take(&mut self.trace.cells[t]);
            // the state after this frame, recomputed from gates and the state before
            let after = cell_state(cell, &gates, &before);
            lstm::lstm_backward(cell, &mut gates, &before, &after, &dh, &mut self.dc, mask);
            None
        };
        let dspatial = match (&self.cell.attention, &self.prepared.attention) {
            (Some(attention), Some(ready)) => Some(self.attention_step(attention, ready, t, &gates)),
            _ => None,
        };
        let (frame, spatial) = (Frame { channels: self.cell.both, ..self.cell.map }, self.prepared.spatial());
        let dboth = spatial.input_gradient(self.batch, frame, dspatial.as_ref().unwrap_or(&gates), &mut Vec::new());
        if !spatial.learns {
            return (dboth, direct); // nobody asks for the gradients of frozen weights
        }
        let pending = &mut self.pending;
        grow(&mut pending.padded, both, self.steps);
        grow(&mut pending.dgates, &gates, self.steps);
        if let Some(dz) = dspatial {
            grow(&mut pending.dz, &dz, self.steps);
        }
        pending.frames += self.batch;
        if pending.frames >= self.steps * self.batch {
            self.flush();
        }
        (dboth, direct)
    }

    /// From the gates' gradient back through attention to that of the convolved `both`.
    fn attention_step(&mut self, attention: &Attention, ready: &PreparedAttention, t: usize, gates: &[f32]) -> Vec<f32> {
        let read = std::mem::take(&mut self.trace.read[t]);
        let dread = self.prepared.gates.pointwise_gradient(gates);
        let convolved = |read: &[f32]| part(read, attention.common, attention.groups, 0, 2 * attention.common);
        let (z, read) = if ready.conv.learns { (convolved(&read), Some(read)) } else { (read, None) };
        let qkv = ready.qkv.pointwise(&z, &mut Workspace::passing());
        let dqkv = attention.attend_gradient(&ready.scales, &qkv, &dread, self.batch, &mut self.sums.scales);
        let mut dz = convolved(&dread);
        ready.qkv.accumulate_pointwise_gradient(&dqkv, &mut dz);
        if let Some(read) = read {
            let (pending, steps) = (&mut self.pending, self.steps);
            grow(&mut pending.read, &read, steps);
            grow(&mut pending.z, &z, steps);
            grow(&mut pending.dqkv, &dqkv, steps);
        }
        dz
    }

    /// Takes the weight gradients of all pending frames.
    fn flush(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        if pending.frames == 0 {
            return;
        }
        let (ready, sums) = (self.prepared, &mut self.sums);
        let extent = self.cell.extent(ready.spatial(), pending.frames, self.batch);
        let Some(attention) = &ready.attention else {
            return sums.gates.add(ready.gates.gradients(&extent, &pending.padded, &pending.dgates));
        };
        sums.gates.add(ready.gates.pointwise_gradients(&pending.read, &pending.dgates));
        sums.qkv.add(attention.qkv.pointwise_gradients(&pending.z, &pending.dqkv));
        sums.conv.add(attention.conv.gradients(&extent, &pending.padded, &pending.dz));
    }

    /// Adds the parameter gradients of the whole clip.
    pub(crate) fn finish(mut self, params: &Params, stream: usize, gradients: &mut Gradients) {
        self.flush();
        self.cell.gates.add_gradients(params, stream, &self.sums.gates, gradients);
        if let Some(attention) = &self.cell.attention {
            attention.qkv.add_gradients(params, stream, &self.sums.qkv, gradients);
            attention.conv.add_gradients(params, stream, &self.sums.conv, gradients);
            gradients.add(params, &format!("core.recurrent.scales.{stream}"), &self.sums.scales);
        }
    }
}

/// Appends a time step; the first makes room for all `steps`, so that nothing is moved.
fn grow(all: &mut Vec<f32>, step: &[f32], steps: usize) {
    if all.is_empty() {
        all.reserve_exact(steps * step.len());
    }
    all.extend_from_slice(step);
}

/// `c = f c_before + i g` from activated gates.
fn cell_state(cell: lstm::Cell, gates: &[f32], before: &[f32]) -> Vec<f32> {
    let ch = cell.channels;
    let blocks = gates.chunks_exact(4 * ch).zip(before.chunks_exact(ch));
    blocks.flat_map(|(gates, before)| (0..ch).map(move |k| gates[ch + k] * before[k] + gates[k] * gates[2 * ch + k])).collect()
}
