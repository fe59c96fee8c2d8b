//! The three recurrent cells: Conv-LSTM, CvT-LSTM (convolution and attention before the gates) and its two-gate GRU.
//!
//! A step reads the projected input and hidden state side by side, padded, `both`; the backward pass walks the frames in reverse
//! and leaves weight gradients to one product over all frames at the end.

mod backward;

use super::attention::{Attention, PreparedAttention};
use super::groups::concatenate_padded;
use crate::config::{RecurrentConfig, RecurrentKind};
use crate::layers::conv::{Conv, Fused, Prepared};
use crate::params::{Param, Params};
use crate::workspace::Workspace;
use rand_chacha::ChaCha8Rng;
use striate_kernels::conv::{ConvShape, Extent, Input};
use striate_kernels::lstm;
use striate_kernels::pad::Frame;
use striate_kernels::precision::Precision;

pub(crate) use backward::CellBackward;

/// Floats of the gates' gradients whose weight gradients are taken as one product, at most: 20 frames at the published size.
const TOGETHER: usize = 1 << 23;

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
    /// What the gates read, convolved `both` beside what attention makes of it; where nothing learns, convolved `both` alone (CvT cells).
    read: Vec<Vec<f32>>,
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
            precision: Precision::F32,
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
            attention.attend(ready, &qkv, batch, &mut read);
            space.give(qkv);
            gates = prepared.gates.pointwise(&read, space);
            let done = match &mut trace {
                Some(trace) => {
                    let (kept, done) = if ready.conv.learns { (read, z) } else { (z, read) };
                    trace.read.push(kept);
                    [done, Vec::new()]
                }
                None => [z, read],
            };
            done.into_iter().for_each(|done| space.give(done));
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
}

impl PreparedCell {
    /// Makes products in another precision from now on.
    pub(crate) fn lower(&mut self, precision: Precision) {
        self.gates.lower(precision);
        if let Some(attention) = &mut self.attention {
            attention.conv.lower(precision);
            attention.qkv.lower(precision);
            attention.precision = precision;
        }
    }

    /// Whether its weights are trained.
    pub(crate) fn learns(&self) -> bool {
        self.gates.learns
    }

    /// The convolution that reads `both`.
    fn spatial(&self) -> &Prepared {
        self.attention.as_ref().map_or(&self.gates, |a| &a.conv)
    }
}
