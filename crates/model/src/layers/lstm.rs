//! LSTM over feature vectors (modulation): gates from input and hidden state side by side.

use super::conv::{Conv, Fused, Prepared};
use crate::draws::Draws;
use crate::params::{Gradients, Params};
use crate::workspace::Workspace;
use rand_chacha::ChaCha8Rng;
use striate_kernels::lstm::{self, Cell};

/// Gates i, f, g, o over `[x; h]`.
#[derive(Clone, Debug)]
pub(crate) struct Lstm {
    gates: Fused,
    inputs: usize,
    hidden: usize,
}

/// Hidden and cell state, [N, hidden] each.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LstmState {
    h: Vec<f32>,
    c: Vec<f32>,
}

/// What the backward pass needs, per frame: `[x; h]`, activated gates, cell state before and after.
#[derive(Default)]
pub(crate) struct LstmTrace {
    inputs: Vec<f32>,
    gates: Vec<Vec<f32>>,
    cells: Vec<Vec<f32>>,
}

impl Lstm {
    /// Keys `<name>.proj_{i,f,g,o}`.
    pub(crate) fn new(name: &str, inputs: usize, hidden: usize, init_input: f32, init_forget: f32) -> Self {
        let biases = [("i", init_input), ("f", init_forget), ("g", 0.0), ("o", 0.0)];
        let parts = biases.map(|(gate, bias)| Conv::linear(format!("{name}.proj_{gate}"), inputs + hidden, hidden).bias(bias));
        Self { gates: Fused { parts: parts.into() }, inputs, hidden }
    }

    pub(crate) fn declare(&self, params: &mut Params, stream: usize, rng: &mut ChaCha8Rng) {
        self.gates.declare(params, stream, rng);
    }

    pub(crate) fn prepare(&self, params: &Params, stream: usize) -> Prepared {
        self.gates.prepare(params, stream)
    }

    pub(crate) fn begin(&self, batch: usize) -> LstmState {
        LstmState { h: vec![0.0; batch * self.hidden], c: vec![0.0; batch * self.hidden] }
    }

    /// Width of the hidden state.
    pub(crate) fn width(&self) -> usize {
        self.hidden
    }

    fn cell(&self) -> Cell {
        Cell { groups: 1, channels: self.hidden, pixels: 1 }
    }

    /// `x` [T * N, inputs] to hidden states [T * N, hidden]; dropout of the hidden state is the mask `modulation.h`. The trace is empty
    /// unless asked to `keep` it.
    pub(crate) fn forward(
        &self,
        gates: &Prepared,
        x: &[f32],
        batch: usize,
        draws: &Draws,
        state: &mut LstmState,
        space: &mut Workspace,
        keep: bool,
    ) -> (Vec<f32>, LstmTrace) {
        let mask = draws.mask("modulation.h");
        let mut trace = LstmTrace::default();
        if keep {
            trace.cells.push(state.c.clone());
        }
        let mut out = space.take(x.len() / self.inputs * self.hidden);
        let mut both = space.take(batch * (self.inputs + self.hidden));
        for (x, out) in x.chunks_exact(batch * self.inputs).zip(out.chunks_exact_mut(batch * self.hidden)) {
            let rows = x.chunks_exact(self.inputs).zip(state.h.chunks_exact(self.hidden));
            for (both, (x, h)) in both.chunks_exact_mut(self.inputs + self.hidden).zip(rows) {
                both[..self.inputs].copy_from_slice(x);
                both[self.inputs..].copy_from_slice(h);
            }
            let mut z = gates.pointwise(&both, space);
            lstm::lstm(self.cell(), &mut z, &mut state.c, &mut state.h, mask);
            out.copy_from_slice(&state.h);
            if keep {
                trace.inputs.extend_from_slice(&both);
                trace.gates.push(z);
                trace.cells.push(state.c.clone());
            } else {
                space.give(z);
            }
        }
        space.give(both);
        (out, trace)
    }

    /// Adds parameter gradients and returns that of `x`.
    pub(crate) fn backward(
        &self,
        gates: &Prepared,
        params: &Params,
        stream: usize,
        trace: LstmTrace,
        batch: usize,
        draws: &Draws,
        dout: &[f32],
        gradients: &mut Gradients,
    ) -> Vec<f32> {
        let mask = draws.mask("modulation.h");
        let (width, frames) = (batch * self.hidden, trace.gates.len());
        let (mut dh, mut dc) = (vec![0.0; width], vec![0.0; width]);
        let mut dgates = vec![Vec::new(); frames];
        let mut dx = vec![0.0; frames * batch * self.inputs];
        for (t, mut z) in trace.gates.into_iter().enumerate().rev() {
            dh.iter_mut().zip(&dout[t * width..]).for_each(|(h, d)| *h += d);
            lstm::lstm_backward(self.cell(), &mut z, &trace.cells[t], &trace.cells[t + 1], &dh, &mut dc, mask);
            let both = gates.pointwise_gradient(&z);
            for (n, both) in both.chunks_exact(self.inputs + self.hidden).enumerate() {
                dx[(t * batch + n) * self.inputs..][..self.inputs].copy_from_slice(&both[..self.inputs]);
                dh[n * self.hidden..][..self.hidden].copy_from_slice(&both[self.inputs..]);
            }
            dgates[t] = z;
        }
        let d = gates.pointwise_gradients(&trace.inputs, &dgates.concat());
        self.gates.add_gradients(params, stream, &d, gradients);
        dx
    }
}
