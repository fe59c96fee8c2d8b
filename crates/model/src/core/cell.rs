//! The three recurrent cells: Conv-LSTM, CvT-LSTM (convolution and attention before the gates) and its two-gate GRU.
//!
//! A step reads the projected input and hidden state side by side, `both`; the backward pass walks the frames in reverse
//! and leaves weight gradients to one product over all frames at the end.

use super::groups::{concatenate, split};
use crate::config::{RecurrentConfig, RecurrentKind};
use crate::layers::conv::{Conv, Fused, Prepared};
use crate::params::{Gradients, Param, Params};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use striate_kernels::attention::Head;
use striate_kernels::conv::ConvShape;
use striate_kernels::lstm;
use striate_kernels::pad::{self, Border, Frame};

/// A cell of one stream.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    kind: RecurrentKind,
    hidden: usize,
    both: usize,
    map: Frame,
    gates: Fused,
    attention: Option<Attention>,
}

/// Convolution and attention of the CvT cells, ahead of the gates.
#[derive(Clone, Debug)]
struct Attention {
    conv: Conv,
    qkv: Fused,
    groups: usize,
    common: usize,
}

/// A cell ready to run.
#[derive(Clone, Debug)]
pub(crate) struct PreparedCell {
    gates: Prepared,
    attention: Option<PreparedAttention>,
}

#[derive(Clone, Debug)]
struct PreparedAttention {
    conv: Prepared,
    qkv: Prepared,
    scales: Vec<f32>,
}

/// Hidden and cell state, [N, h, w, C] each; a GRU has no cell state.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CellState {
    pub(crate) h: Vec<f32>,
    c: Vec<f32>,
}

/// What the backward pass needs, all frames.
#[derive(Default)]
pub(crate) struct CellTrace {
    /// Padded `both`.
    padded: Vec<f32>,
    /// Convolved `both` (CvT cells).
    z: Vec<f32>,
    /// Queries, keys, values (CvT cells).
    qkv: Vec<f32>,
    /// What the gates read (CvT cells).
    read: Vec<f32>,
    /// Activated gates, by frame.
    gates: Vec<Vec<f32>>,
    /// Cell states, by frame, starting with the one before the first.
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
        Self { kind: config.kind, hidden, both, map, gates: Fused { parts: gates }, attention }
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
                value: vec![1.0; a.common],
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

    pub(crate) fn begin(&self, batch: usize) -> CellState {
        let zeros = vec![0.0; batch * self.map.height * self.map.width * self.hidden];
        CellState { c: if self.kind == RecurrentKind::CvtGru { Vec::new() } else { zeros.clone() }, h: zeros }
    }

    fn pointwise(&self) -> lstm::Cell {
        let groups = self.gates.parts[0].shape.groups;
        lstm::Cell { groups, channels: self.hidden / groups, pixels: self.map.height * self.map.width }
    }

    /// One frame; the trace grows by it.
    pub(crate) fn step(
        &self,
        prepared: &PreparedCell,
        both: &[f32],
        batch: usize,
        mask: Option<&[f32]>,
        state: &mut CellState,
        trace: &mut CellTrace,
    ) {
        let frame = Frame { channels: self.both, ..self.map };
        let spatial = prepared.attention.as_ref().map_or(&prepared.gates, |a| &a.conv);
        let p = (spatial.shape.k - 1) / 2;
        let mut padded = vec![0.0; batch * frame.padded(p).len()];
        pad::pad(frame, p, Border::Zero, both, &mut padded);
        let mut gates = spatial.forward(&spatial.extent(batch, batch, frame.padded(p)), &padded);
        if let (Some(attention), Some(ready)) = (&self.attention, &prepared.attention) {
            let z = gates;
            let qkv = ready.qkv.pointwise(&z);
            let a = attention.attend(&ready.scales, &qkv, batch);
            let read = concatenate(&[(&z, attention.common), (&a, attention.common)], attention.groups);
            gates = prepared.gates.pointwise(&read);
            trace.z.extend(z);
            trace.qkv.extend(qkv);
            trace.read.extend(read);
        }
        trace.padded.extend(padded);
        if self.kind == RecurrentKind::CvtGru {
            let before = state.h.clone();
            lstm::gru(self.pointwise(), &mut gates, &before, &mut state.h, mask);
        } else {
            let before = state.c.clone();
            lstm::lstm(self.pointwise(), &mut gates, &before, &mut state.c, &mut state.h, mask);
            trace.cells.push(before);
        }
        trace.gates.push(gates);
    }

    /// Prepares to walk back over the traced frames.
    pub(crate) fn begin_backward<'a>(&'a self, prepared: &'a PreparedCell, trace: CellTrace, batch: usize) -> CellBackward<'a> {
        let frames = trace.gates.len();
        let scales = self.attention.as_ref().map_or(0, |a| a.common);
        CellBackward {
            cell: self,
            prepared,
            batch,
            dc: Vec::new(),
            dgates: vec![Vec::new(); frames],
            dz: vec![Vec::new(); frames],
            dqkv: vec![Vec::new(); frames],
            dscales: vec![0.0; scales],
            trace,
        }
    }
}

impl Attention {
    fn head_width(&self) -> usize {
        self.common / self.groups
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

    /// Attended values [N, pixels, common].
    fn attend(&self, scales: &[f32], qkv: &[f32], batch: usize) -> Vec<f32> {
        let d = self.head_width();
        let heads: Vec<Vec<f32>> = self
            .heads(qkv, batch)
            .par_iter()
            .enumerate()
            .map(|(head, [q, k, v])| Head { q, k, v, scale: &scales[head % self.groups * d..][..d], dim: d }.forward())
            .collect();
        self.interleave(&heads.iter().map(Vec::as_slice).collect::<Vec<_>>(), 1, 0, qkv.len() / 3)
    }

    /// Heads [pixels, d] side by side, part `part` of `parts` within each group.
    fn interleave(&self, heads: &[&[f32]], parts: usize, part: usize, len: usize) -> Vec<f32> {
        let (d, mut out) = (self.head_width(), vec![0.0; len * parts]);
        let pixels = heads[0].len() / d;
        for (head, values) in heads.iter().enumerate() {
            let (n, g) = (head / self.groups, head % self.groups);
            for (p, value) in values.chunks_exact(d).enumerate() {
                out[(n * pixels + p) * parts * self.common + (g * parts + part) * d..][..d].copy_from_slice(value);
            }
        }
        out
    }

    /// Gradients of queries, keys and values, and (added) of the scales.
    fn attend_gradient(&self, scales: &[f32], qkv: &[f32], da: &[f32], batch: usize, dscales: &mut [f32]) -> Vec<f32> {
        let (d, pixels) = (self.head_width(), da.len() / batch / self.common);
        let heads: Vec<_> = self
            .heads(qkv, batch)
            .par_iter()
            .enumerate()
            .map(|(head, [q, k, v])| {
                let (n, g) = (head / self.groups, head % self.groups);
                let da: Vec<f32> = (0..pixels).flat_map(|p| da[(n * pixels + p) * self.common + g * d..][..d].iter().copied()).collect();
                Head { q, k, v, scale: &scales[g * d..][..d], dim: d }.backward(&da)
            })
            .collect();
        for (head, gradient) in heads.iter().enumerate() {
            let g = head % self.groups;
            dscales[g * d..][..d].iter_mut().zip(&gradient.scale).for_each(|(s, d)| *s += d);
        }
        let mut out = vec![0.0; qkv.len()];
        for part in 0..3 {
            let heads: Vec<&[f32]> = heads.iter().map(|h| [&h.q, &h.k, &h.v][part].as_slice()).collect();
            out.iter_mut().zip(self.interleave(&heads, 3, part, da.len())).for_each(|(o, v)| *o += v);
        }
        out
    }
}

/// The walk back over the frames of a clip.
pub(crate) struct CellBackward<'a> {
    cell: &'a Cell,
    prepared: &'a PreparedCell,
    batch: usize,
    trace: CellTrace,
    dc: Vec<f32>,
    dgates: Vec<Vec<f32>>,
    dz: Vec<Vec<f32>>,
    dqkv: Vec<Vec<f32>>,
    dscales: Vec<f32>,
}

impl CellBackward<'_> {
    /// From the hidden state's gradient after frame `t` to that of `both`; for a GRU also the direct part for the hidden state before.
    pub(crate) fn step(&mut self, t: usize, h_before: &[f32], mut dh: Vec<f32>, mask: Option<&[f32]>) -> (Vec<f32>, Option<Vec<f32>>) {
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
        let frame = Frame { channels: self.cell.both, ..self.cell.map };
        let dboth = match (&self.cell.attention, &self.prepared.attention) {
            (Some(attention), Some(ready)) => {
                let per_frame = self.trace.qkv.len() / self.dgates.len();
                let dread = self.prepared.gates.pointwise_gradient(&gates);
                let mut parts = split(&dread, &[attention.common; 2], attention.groups);
                let da = parts.pop().unwrap_or_default();
                let mut dz = parts.pop().unwrap_or_default();
                let qkv = &self.trace.qkv[t * per_frame..][..per_frame];
                let dqkv = attention.attend_gradient(&ready.scales, qkv, &da, self.batch, &mut self.dscales);
                dz.iter_mut().zip(ready.qkv.pointwise_gradient(&dqkv)).for_each(|(d, q)| *d += q);
                let dboth = ready.conv.input_gradient(self.batch, frame, &dz);
                self.dqkv[t] = dqkv;
                self.dz[t] = dz;
                dboth
            }
            _ => self.prepared.gates.input_gradient(self.batch, frame, &gates),
        };
        self.dgates[t] = gates;
        (dboth, direct)
    }

    /// Weight gradients, over all frames at once.
    pub(crate) fn finish(self, cell: &Cell, params: &Params, stream: usize, gradients: &mut Gradients) {
        let frames = self.dgates.len() * self.batch;
        let dgates = self.dgates.concat();
        let frame = Frame { channels: cell.both, ..cell.map };
        let extent = |conv: &Prepared| conv.extent(frames, self.batch, frame.padded((conv.shape.k - 1) / 2));
        let (Some(attention), Some(ready)) = (&cell.attention, &self.prepared.attention) else {
            let (dw, db) = self.prepared.gates.gradients(&extent(&self.prepared.gates), &self.trace.padded, &dgates);
            return cell.gates.add_gradients(params, stream, &dw, &db, gradients);
        };
        let (dw, db) = self.prepared.gates.pointwise_gradients(&self.trace.read, &dgates);
        cell.gates.add_gradients(params, stream, &dw, &db, gradients);
        let (dw, db) = ready.qkv.pointwise_gradients(&self.trace.z, &self.dqkv.concat());
        attention.qkv.add_gradients(params, stream, &dw, &db, gradients);
        let (dw, db) = ready.conv.gradients(&extent(&ready.conv), &self.trace.padded, &self.dz.concat());
        attention.conv.add_gradients(params, stream, &dw, &db, gradients);
        gradients.add(params, &format!("core.recurrent.scales.{stream}"), &self.dscales);
    }
}

/// `c = f c_before + i g` from activated gates.
fn cell_state(cell: lstm::Cell, gates: &[f32], before: &[f32]) -> Vec<f32> {
    let ch = cell.channels;
    let blocks = gates.chunks_exact(4 * ch).zip(before.chunks_exact(ch));
    blocks.flat_map(|(gates, before)| (0..ch).map(move |k| gates[ch + k] * before[k] + gates[k] * gates[2 * ch + k])).collect()
}
