//! Recurrent part of the core: input projection, one of three cells, output projection (paper Methods, "Core").
//!
//! `x_t = tanh(I h_{t-1} + A f_t + B m_t)` where I lets each group see all other groups' hidden state, f is the
//! feedforward output and m the modulation; the cell reads x and h side by side, group by group. A, B and the output
//! projection see the whole clip at once; weight gradients are accumulated as one product over all frames.

use super::cell::{Cell, CellBackward, CellState, CellTrace, PreparedCell};
use super::groups::{add, split};
use super::inter_group::InterGroup;
use crate::config::RecurrentConfig;
use crate::draws::Draws;
use crate::layers::conv::{Conv, Prepared};
use crate::params::{Gradients, Params};
use crate::workspace::Workspace;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use striate_kernels::activation;
use striate_kernels::conv::ConvShape;
use striate_kernels::pad::Frame;
use striate_kernels::precision::Precision;

/// The recurrent network of one stream.
#[derive(Clone, Debug)]
pub(crate) struct Recurrent {
    inputs: usize,
    hidden: usize,
    groups: usize,
    /// 1x1 projection between groups; none with a single group.
    between: Option<InterGroup>,
    feedforward: Conv,
    modulation: Conv,
    cell: Cell,
    out: Conv,
    map: Frame,
}

/// The network of one stream, ready to run.
#[derive(Clone, Debug)]
pub(crate) struct PreparedRecurrent {
    between: Option<Prepared>,
    feedforward: Prepared,
    modulation: Prepared,
    cell: PreparedCell,
    out: Prepared,
}

impl PreparedRecurrent {
    /// Makes products in another precision from now on; modulation's, a handful, stay as they are.
    pub(crate) fn lower(&mut self, precision: Precision) {
        self.between.iter_mut().chain([&mut self.feedforward, &mut self.out]).for_each(|conv| conv.lower(precision));
        self.cell.lower(precision);
    }
}

/// What the backward pass needs; hidden states start with the one before the first frame.
#[derive(Debug)]
pub(crate) struct RecurrentTrace {
    feedforward: Vec<f32>,
    modulation: Vec<f32>,
    x: Vec<f32>,
    hidden: Vec<f32>,
    cell: CellTrace,
}

impl RecurrentTrace {
    /// The feedforward maps this part was given.
    pub(crate) fn feedforward(&self) -> &[f32] {
        &self.feedforward
    }

    /// Gives back what a pass that keeps nothing is made of.
    pub(crate) fn give_back(self, space: &mut Workspace) {
        space.give(self.feedforward);
        space.give(self.x);
    }
}

impl Recurrent {
    pub(crate) fn new(config: &RecurrentConfig, map: Frame, modulation: usize) -> Self {
        let (inputs, hidden, groups) = (config.in_channels, config.hidden_channels, config.groups);
        let terms = if groups > 1 { 3.0f32 } else { 2.0 }; // summed, so each starts with a share of unit variance
        let gain = terms.powf(-0.5);
        let pointwise = |name: &str, cin, cout, gain_groups| {
            Conv::new(format!("core.recurrent.{name}"), ConvShape { groups: 1, cin, cout, kt: 1, k: 1, stride: 1 }, gain_groups)
        };
        let first = usize::from(groups > 1);
        Self {
            inputs,
            hidden,
            groups,
            between: (groups > 1).then(|| InterGroup { groups, inputs: inputs / groups, hidden: hidden / groups, gain }),
            feedforward: pointwise(&format!("proj_x.{first}"), map.channels, inputs, groups).gain(gain),
            modulation: pointwise(&format!("proj_x.{}", first + 1), modulation, inputs, groups).gain(gain).bias(None),
            cell: Cell::new(config, map),
            out: pointwise("out", hidden, config.out_channels, 1),
            map,
        }
    }

    /// The map each frame becomes.
    pub(crate) fn output(&self) -> Frame {
        Frame { channels: self.out.shape.channels_out(), ..self.map }
    }

    /// Every convolution over the map, but for the projection between groups.
    pub(crate) fn layers(&self) -> Vec<(&Conv, Frame)> {
        std::iter::once(&self.feedforward).chain(self.cell.convs()).chain([&self.out]).map(|conv| (conv, self.map)).collect()
    }

    /// Multiply-adds of one frame beside those of [`Self::layers`]: modulation, attention, and the projection between groups,
    /// which is computed dense.
    pub(crate) fn other_multiply_adds(&self) -> usize {
        let pixels = self.map.height * self.map.width;
        let between = self.between.as_ref().map_or(0, |_| self.inputs * self.hidden);
        pixels * (between + self.cell.attention_multiply_adds(pixels)) + self.modulation.shape.weights()
    }

    pub(crate) fn declare(&self, params: &mut Params, stream: usize, rng: &mut ChaCha8Rng) {
        self.between.iter().for_each(|b| b.declare(params, stream, rng));
        self.feedforward.declare(params, stream, rng);
        self.modulation.declare(params, stream, rng);
        self.cell.declare(params, stream, rng);
        self.out.declare(params, stream, rng);
    }

    pub(crate) fn prepare(&self, params: &Params, stream: usize) -> PreparedRecurrent {
        PreparedRecurrent {
            between: self.between.as_ref().map(|b| b.prepare(params, stream)),
            feedforward: self.feedforward.prepare(params, stream),
            modulation: self.modulation.prepare(params, stream),
            cell: self.cell.prepare(params, stream),
            out: self.out.prepare(params, stream),
        }
    }

    pub(crate) fn begin(&self, batch: usize) -> CellState {
        self.cell.begin(batch)
    }

    /// Maps [T * N, h, w, C] and modulation features [T * N, F] to maps [T * N, h, w, C_out]; the trace is whole only where asked to
    /// `keep` it.
    pub(crate) fn forward(
        &self,
        prepared: &PreparedRecurrent,
        mut feedforward: Vec<f32>,
        modulation: &[f32],
        batch: usize,
        draws: &Draws,
        state: &mut CellState,
        space: &mut Workspace,
        keep: bool,
    ) -> (Vec<f32>, RecurrentTrace) {
        let mut x = prepared.feedforward.pointwise(&feedforward, space);
        let pixels = self.map.height * self.map.width;
        let steer = prepared.modulation.pointwise(modulation, space);
        for (x, steer) in x.chunks_exact_mut(pixels * self.inputs).zip(steer.chunks_exact(self.inputs)) {
            x.chunks_exact_mut(self.inputs).for_each(|x| x.iter_mut().zip(steer).for_each(|(x, s)| *x += s));
        }
        space.give(steer);
        let (step, frames) = (batch * pixels, x.len() / pixels / self.inputs);
        let (mut hidden, mut cell) = (Vec::new(), CellTrace::default());
        if keep {
            hidden.reserve_exact((frames + batch) * pixels * self.hidden);
            hidden.extend_from_slice(&state.h);
        }
        let mut out = space.take(frames * self.output().len());
        for (x, out) in x.chunks_exact_mut(step * self.inputs).zip(out.chunks_exact_mut(batch * self.output().len())) {
            if let Some(between) = &prepared.between {
                between.accumulate(&between.extent(step, 1, Frame { height: 1, width: 1, channels: self.hidden }), &state.h, x);
            }
            activation::plain_tanh(x);
            let both = self.both(x, &state.h, batch, draws, space);
            self.cell.step(&prepared.cell, &both, batch, draws.mask("core.recurrent.h"), state, keep.then_some(&mut cell), space);
            space.give(both);
            prepared.out.pointwise_to(&state.h, out);
            if keep {
                hidden.extend_from_slice(&state.h);
            }
        }
        let mut features = Vec::new();
        if keep {
            features.extend_from_slice(modulation);
            if !prepared.cell.learns() {
                // these serve gradients of weights alone, and a GRU's step
                feedforward = Vec::new();
                if !self.cell.needs_hidden() {
                    hidden = Vec::new();
                }
            }
        }
        (out, RecurrentTrace { feedforward, modulation: features, x, hidden, cell })
    }

    /// What the cell reads: projected input, after dropout, and hidden state.
    fn both(&self, x: &[f32], h: &[f32], batch: usize, draws: &Draws, space: &mut Workspace) -> Vec<f32> {
        const PLACE: &str = "core.recurrent.x";
        if draws.mask(PLACE).is_none() {
            return self.cell.both(x, h, batch, space);
        }
        let mut dropped = space.copy(x);
        draws.drop(PLACE, batch, self.inputs, self.map.height * self.map.width * self.inputs, &mut dropped);
        let both = self.cell.both(&dropped, h, batch, space);
        space.give(dropped);
        both
    }

    /// Adds parameter gradients; returns those of the feedforward maps and of the modulation features.
    pub(crate) fn backward(
        &self,
        prepared: &PreparedRecurrent,
        params: &Params,
        stream: usize,
        mut trace: RecurrentTrace,
        batch: usize,
        draws: &Draws,
        dout: &[f32],
        gradients: &mut Gradients,
    ) -> (Vec<f32>, Vec<f32>) {
        let pixels = self.map.height * self.map.width;
        let (per_x, per_h) = (batch * pixels * self.inputs, batch * pixels * self.hidden);
        let frames = trace.x.len() / per_x;
        let learns = prepared.cell.learns();
        if learns {
            self.out.add_gradients(params, stream, &prepared.out.pointwise_gradients(&trace.hidden[per_h..], dout), gradients);
        }
        let per_out = dout.len() / frames;

        let mut backward = CellBackward::new(&self.cell, &prepared.cell, trace.cell, batch);
        let mut dh = vec![0.0; per_h];
        for t in (0..frames).rev() {
            add(&mut dh, &prepared.out.pointwise_gradient(&dout[t * per_out..][..per_out]));
            let h_before = trace.hidden.get(t * per_h..(t + 1) * per_h).unwrap_or_default();
            let read = if learns { self.both(&trace.x[t * per_x..][..per_x], h_before, batch, draws, &mut Workspace::passing()) } else { Vec::new() };
            let (dboth, dh_direct) = backward.step(t, &read, h_before, dh, draws.mask("core.recurrent.h"));
            let mut parts = split(&dboth, &[self.inputs, self.hidden], self.groups);
            dh = parts.pop().unwrap_or_default();
            let mut d = parts.pop().unwrap_or_default();
            draws.drop("core.recurrent.x", batch, self.inputs, pixels * self.inputs, &mut d);
            d.iter_mut().zip(&trace.x[t * per_x..]).for_each(|(d, x)| *d *= 1.0 - x * x);
            if let Some(between) = &prepared.between {
                add(&mut dh, &between.pointwise_gradient(&d));
            }
            if let Some(direct) = dh_direct {
                add(&mut dh, &direct);
            }
            trace.x[t * per_x..][..per_x].copy_from_slice(&d); // nobody needs x any more
        }
        backward.finish(params, stream, gradients);
        let dx = trace.x; // of the projected input, before tanh

        if let (Some(between), Some(ready), true) = (&self.between, &prepared.between, learns) {
            let d = ready.pointwise_gradients(&trace.hidden[..frames * per_h], &dx);
            between.add_gradients(params, stream, &d.weights, gradients);
        }
        self.feedforward.add_gradients(params, stream, &prepared.feedforward.pointwise_gradients(&trace.feedforward, &dx), gradients);
        let dfeedforward = prepared.feedforward.pointwise_gradient(&dx);
        let dsteer: Vec<f32> = dx.par_chunks(pixels * self.inputs).flat_map_iter(|dx| sum_pixels(dx, self.inputs)).collect();
        self.modulation.add_gradients(params, stream, &prepared.modulation.pointwise_gradients(&trace.modulation, &dsteer), gradients);
        (dfeedforward, prepared.modulation.pointwise_gradient(&dsteer))
    }
}

fn sum_pixels(x: &[f32], channels: usize) -> Vec<f32> {
    let mut sums = vec![0.0; channels];
    x.chunks_exact(channels).for_each(|pixel| sums.iter_mut().zip(pixel).for_each(|(s, v)| *s += v));
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Network;
    use crate::config::{NetworkConfig, RecurrentKind};
    use rand::{RngExt, SeedableRng};

    /// Weight gradients of each frame on its own, of some together, or of all: the same, up to the order of sums.
    #[test]
    fn frames_taken_together_do_not_matter() {
        for kind in [RecurrentKind::ConvLstm, RecurrentKind::CvtLstm, RecurrentKind::CvtGru] {
            let mut config = NetworkConfig { units: 2, streams: 1, ..NetworkConfig::default() };
            let r = &mut config.recurrent;
            (r.kind, r.in_channels, r.hidden_channels, r.out_channels, r.groups, r.dropout) = (kind, 8, 8, 8, 2, 0.3);
            config.feedforward.out_channels = 4;
            let network = Network::new(config.clone(), 3).expect("a sound configuration");
            let (batch, frames, map) = (2, 10, Frame { height: 3, width: 5, channels: 4 });
            let mut rng = ChaCha8Rng::seed_from_u64(1);
            let mut series = |n: usize| (0..n).map(|_| rng.random_range(-1.0..1.0)).collect::<Vec<f32>>();
            let (x, m) = (series(frames * map.len()), series(frames * config.modulation.features()));
            let draws = Draws::sample(&config, batch, 4);
            let pass = |together: usize| {
                let mut recurrent = Recurrent::new(&config.recurrent, map, config.modulation.features());
                recurrent.cell.together = together;
                let ready = recurrent.prepare(network.params(), 0);
                let mut space = Workspace::passing();
                let (out, trace) = recurrent.forward(&ready, x.clone(), &m, batch, &draws, &mut recurrent.begin(batch), &mut space, true);
                let mut gradients = Gradients::none(network.params());
                recurrent.backward(&ready, network.params(), 0, trace, batch, &draws, &out, &mut gradients);
                gradients
            };
            let gates = batch * 15 * 8 * if kind == RecurrentKind::CvtGru { 2 } else { 4 }; // floats of one time step
            let whole = pass(usize::MAX);
            for pieces in [pass(1), pass(2 * gates)] {
                for (param, (a, b)) in network.params().iter().zip(pieces.iter().zip(whole.iter())) {
                    let (Some(a), Some(b)) = (a, b) else { continue };
                    let norm = |x: &mut dyn Iterator<Item = f32>| x.map(|v| f64::from(v).powi(2)).sum::<f64>().sqrt();
                    let off = norm(&mut a.iter().zip(b).map(|(a, b)| a - b)) / norm(&mut b.iter().copied()).max(1e-30);
                    assert!(off < 2e-6, "{kind:?}: {} {off}", param.name);
                }
            }
        }
    }
}
