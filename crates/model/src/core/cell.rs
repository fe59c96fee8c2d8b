//! The three recurrent cells: Conv-LSTM, CvT-LSTM (convolution and attention before the gates) and its two-gate GRU.
//!
//! A step reads the projected input and hidden state side by side, padded, `both`; the backward pass walks the frames in reverse
//! and leaves weight gradients to one product over all frames at the end.

use super::attention::{Attention, PreparedAttention};
use super::groups::{concatenate_padded, split};
use crate::config::{RecurrentConfig, RecurrentKind};
use crate::layers::conv::{Conv, ConvGradient, Fused, Prepared};
use crate::params::{Gradients, Param, Params};
use crate::workspace::Workspace;
use rand_chacha::ChaCha8Rng;
use striate_kernels::conv::{ConvShape, Extent, Input};
use striate_kernels::lstm;
use striate_kernels::pad::Frame;

/// A cell of one stream.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    kind: RecurrentKind,
    hidden: usize,
    both: usize,
    map: Frame,
    gates: Fused,
    attention: Option<Attention>,
    pub(crate) together: usize,
}

/// A cell ready to run.
#[derive(Clone, Debug)]
pub(crate) struct PreparedCell {
    gates: Prepared,
    attention: Option<PreparedAttention>,
}

/// Hidden and cell state, [N, h, w, C] each; a GRU has no cell state.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CellState {
    pub(crate) h: Vec<f32>,
    c: Vec<f32>,
}

/// What the backward pass needs, by frame; all else is computed again from it.
#[derive(Debug, Default)]
pub(crate) struct CellTrace {
    /// Convolved `both`, and what attention makes of it (CvT cells).
    attended: Vec<[Vec<f32>; 2]>,
    /// Activated gates.
    gates: Vec<Vec<f32>>,
    /// Cell states, starting with the one before the first.
    cells: Vec<Vec<f32>>,
}

impl Cell {
    pub(crate) fn new(config: &RecurrentConfig, map: Frame) -> Self {
        let groups = config.groups;
        let both = config.in_channels + config.hidden_channels;
        let hidden = config.hidden_channels;
        let name = |part: &str| format!("core.recurrent.{part}");
        let attends = config.kind != RecurrentKind::ConvLstm;
        let common = config.common();
        let (cin, k) = if attends { (2 * common / groups, 1) } else { (both / groups, config.spatial) };
        let gate_shape = ConvShape { groups, cin, cout: hidden / groups, kt: 1, k, stride: 1 };
        let gates: &[(&str, f32)] = match config.kind {
            RecurrentKind::CvtGru => &[("proj_z", 1.0), ("proj_n", 0.0)],
            _ => &[("proj_i", config.init_input), ("proj_f", config.init_forget), ("proj_g", 0.0), ("proj_o", 0.0)],
        };
        let gates = gates.iter().map(|(gate, bias)| Conv::new(name(gate), gate_shape, groups).bias(*bias)).collect();
        let attention = attends.then(|| {
            let conv = ConvShape { groups, cin: both / groups, cout: common / groups, kt: 1, k: config.spatial, stride: 1 };
            let project = ConvShape { cin: common / groups, k: 1, ..conv };
            let bare = |part: &str, shape| Conv::new(name(part), shape, groups).gain(None).bias(None);
            let qkv = ["proj_q", "proj_k", "proj_v"].map(|part| bare(part, project));
            Attention { conv: bare("conv", conv), qkv: Fused { parts: qkv.into() }, groups, common }
        });
        Self { kind: config.kind, hidden, both, map, gates: Fused { parts: gates }, attention, together: TOGETHER }
    }

    /// Every convolution.
    pub(crate) fn convs(&self) -> impl Iterator<Item = &Conv> {
        let attention = self.attention.iter().flat_map(|a| std::iter::once(&a.conv).chain(&a.qkv.parts));
        attention.chain(&self.gates.parts)
    }

    /// Multiply-adds of one pixel that attends to `pixels`.
    pub(crate) fn attention_multiply_adds(&self, pixels: usize) -> usize {
        self.attention.as_ref().map_or(0, |a| 2 * pixels * a.common)
    }

    pub(crate) fn declare(&self, params: &mut Params, stream: usize, rng: &mut ChaCha8Rng) {
        if let Some(a) = &self.attention {
            a.conv.declare(params, stream, rng);
            let shape = vec![a.groups, a.common / a.groups];
            params.push(Param {
                name: format!("core.recurrent.scales.{stream}"),
                shape,
                value: vec![1.0; a.common].into(),
                decay: false,
                scale: 1.0,
                norm_axes: Some(vec![1]),
                frozen: false,
            });
            a.qkv.declare(params, stream, rng);
        }
        self.gates.declare(params, stream, rng);
    }

    pub(crate) fn prepare(&self, params: &Params, stream: usize) -> PreparedCell {
        let attention = self.attention.as_ref().map(|a| PreparedAttention {
            conv: a.conv.prepare(params, stream),
            qkv: a.qkv.prepare(params, stream),
            scales: params.value(&format!("core.recurrent.scales.{stream}")).to_vec(),
        });
        PreparedCell { gates: self.gates.prepare(params, stream), attention }
    }

    /// Whether the backward pass of a step looks at the hidden state before it, whatever is trained.
    pub(crate) fn needs_hidden(&self) -> bool {
        self.kind == RecurrentKind::CvtGru
    }

    pub(crate) fn begin(&self, batch: usize) -> CellState {
        let zeros = vec![0.0; batch * self.map.height * self.map.width * self.hidden];
        CellState { c: if self.kind == RecurrentKind::CvtGru { Vec::new() } else { zeros.clone() }, h: zeros }
    }

    fn pointwise(&self) -> lstm::Cell {
        let groups = self.gates.parts[0].shape.groups;
        lstm::Cell { groups, channels: self.hidden / groups, pixels: self.map.height * self.map.width }
    }

    /// One frame; the trace, where there is one, grows by it.
    pub(crate) fn step(
        &self,
        prepared: &PreparedCell,
        both: &[f32],
        batch: usize,
        mask: Option<&[f32]>,
        state: &mut CellState,
        mut trace: Option<&mut CellTrace>,
        space: &mut Workspace,
    ) {
        let spatial = prepared.spatial();
        let mut gates = spatial.forward(&self.extent(spatial, batch, batch), Input::Frames(both), space);
        if let (Some(attention), Some(ready)) = (&self.attention, &prepared.attention) {
            let z = gates;
            let qkv = ready.qkv.pointwise(&z, space);
            let mut read = attention.with_room(&z, space);
            attention.attend(&ready.scales, &qkv, batch, &mut read);
            space.give(qkv);
            gates = prepared.gates.pointwise(&read, space);
            if let Some(trace) = &mut trace {
                // attended values serve the gates' weights alone
                let a = if ready.conv.learns { split(&read, &[attention.common; 2], attention.groups).pop() } else { None };
                trace.attended.push([z, a.unwrap_or_default()]);
            } else {
                space.give(z);
            }
            space.give(read);
        }
        if self.kind == RecurrentKind::CvtGru {
            lstm::gru(self.pointwise(), &mut gates, &mut state.h, mask);
        } else {
            if let Some(trace) = &mut trace {
                trace.cells.push(state.c.clone());
            }
            lstm::lstm(self.pointwise(), &mut gates, &mut state.c, &mut state.h, mask);
        }
        match trace {
            Some(trace) => trace.gates.push(gates),
            None => space.give(gates),
        }
    }

    /// Projected input and hidden state, group by group, as the first convolution of a step reads them.
    pub(crate) fn both(&self, x: &[f32], h: &[f32], batch: usize, space: &mut Workspace) -> Vec<f32> {
        let spatial = self.attention.as_ref().map_or(&self.gates.parts[0], |a| &a.conv);
        let p = (spatial.shape.k - 1) / 2;
        let mut both = space.take(batch * Frame { channels: self.both, ..self.map }.padded(p).len());
        concatenate_padded(self.map, p, [(x, self.both - self.hidden), (h, self.hidden)], self.gates.parts[0].shape.groups, &mut both);
        both
    }

    fn extent(&self, spatial: &Prepared, frames: usize, batch: usize) -> Extent {
        let frame = Frame { channels: self.both, ..self.map };
        spatial.extent(frames, batch, frame.padded((spatial.shape.k - 1) / 2))
    }

    /// Prepares to walk back over the traced frames.
    pub(crate) fn begin_backward<'a>(&'a self, prepared: &'a PreparedCell, trace: CellTrace, batch: usize) -> CellBackward<'a> {
        let scales = self.attention.as_ref().map_or(0, |a| a.common);
        CellBackward { cell: self, prepared, batch, trace, dc: Vec::new(), pending: Pending::default(), sums: Sums::new(scales) }
    }
}

impl PreparedCell {
    /// Whether its weights are trained.
    pub(crate) fn learns(&self) -> bool {
        self.gates.learns
    }

    /// The convolution that reads `both`.
    fn spatial(&self) -> &Prepared {
        self.attention.as_ref().map_or(&self.gates, |a| &a.conv)
    }
}

/// Floats of the gates' gradients whose weight gradients are taken as one product, at most: 20 frames at the published size.
const TOGETHER: usize = 1 << 23;

/// The walk back over the frames of a clip.
pub(crate) struct CellBackward<'a> {
    cell: &'a Cell,
    prepared: &'a PreparedCell,
    batch: usize,
    trace: CellTrace,
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

impl CellBackward<'_> {
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
            (Some(attention), Some(ready)) => self.attention_step(attention, ready, t, &gates),
            _ => None,
        };
        let (frame, spatial) = (Frame { channels: self.cell.both, ..self.cell.map }, self.prepared.spatial());
        let dboth = spatial.input_gradient(self.batch, frame, dspatial.as_ref().unwrap_or(&gates), &mut Vec::new());
        if !spatial.learns {
            return (dboth, direct); // nobody asks for the gradients of frozen weights
        }
        let pending = &mut self.pending;
        let steps = (self.cell.together / gates.len()).clamp(1, self.trace.gates.len());
        grow(&mut pending.padded, both, steps);
        grow(&mut pending.dgates, &gates, steps);
        pending.dz.extend(dspatial.into_iter().flatten());
        pending.frames += self.batch;
        if pending.frames >= steps * self.batch {
            self.flush();
        }
        (dboth, direct)
    }

    /// From the gates' gradient back through attention to that of the convolved `both`.
    fn attention_step(&mut self, attention: &Attention, ready: &PreparedAttention, t: usize, gates: &[f32]) -> Option<Vec<f32>> {
        let [z, a] = std::mem::take(&mut self.trace.attended[t]);
        let dread = self.prepared.gates.pointwise_gradient(gates);
        let mut parts = split(&dread, &[attention.common; 2], attention.groups);
        let (da, mut dz) = (parts.pop()?, parts.pop()?);
        let qkv = ready.qkv.pointwise(&z, &mut Workspace::passing());
        let dqkv = attention.attend_gradient(&ready.scales, &qkv, &da, self.batch, &mut self.sums.scales);
        dz.iter_mut().zip(ready.qkv.pointwise_gradient(&dqkv)).for_each(|(d, q)| *d += q);
        if ready.conv.learns {
            self.pending.read.extend(attention.beside(&z, &a));
            self.pending.z.extend(z);
            self.pending.dqkv.extend(dqkv);
        }
        Some(dz)
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
