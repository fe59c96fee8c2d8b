//! A dense block: every layer sees the sum of a causal 3-D convolution of the last output and a 1x1 convolution of all earlier
//! ones; the block puts out its input and every layer's output side by side, pooled.

use super::groups::{add, concatenate, split};
use crate::config::FeedforwardConfig;
use crate::draws::Draws;
use crate::layers::conv::{Conv, ConvGradient, Prepared};
use crate::params::{Gradients, Params};
use crate::workspace::Workspace;
use std::ops::Range;
use striate_kernels::activation::{self, Activation};
use striate_kernels::conv::{ConvShape, Input};
use striate_kernels::pad::{self, Border, Frame};
use striate_kernels::pool;
use striate_kernels::precision::Precision;

/// The block as declared.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) channels: usize,
    groups: usize,
    pub(super) pool: usize,
    activation: Activation,
    pub(super) convs: Vec<Conv>,
    /// `skips[l - 1]` belongs to layer l.
    pub(super) skips: Vec<Conv>,
    /// Where dropout acts, by layer.
    places: Vec<String>,
}

/// The block of one stream, ready to run.
#[derive(Clone, Debug)]
pub(super) struct PreparedBlock {
    convs: Vec<Prepared>,
    skips: Vec<Prepared>,
}

impl PreparedBlock {
    /// Makes products in another precision from now on.
    pub(super) fn lower(&mut self, precision: Precision) {
        self.convs.iter_mut().chain(&mut self.skips).for_each(|conv| conv.lower(precision));
    }
}

/// Padded inputs of a convolution in the time steps before the next frames: as many as its temporal kernel reaches back.
pub(super) type History = Vec<Vec<f32>>;

/// What the backward pass needs of a clip, frame after frame; all else is computed again from it.
#[derive(Debug, Default)]
pub(super) struct BlockTrace {
    /// Padded inputs of each convolution before the first frame.
    history: Vec<Vec<f32>>,
    /// Input of each layer but the first, before its nonlinearity; the first's is a cheap product of what came before the block.
    before: Vec<Vec<f32>>,
}

/// Gradients of applied weights, and what later frames hand to earlier ones.
pub(super) struct BlockBackward {
    convs: Vec<ConvGradient>,
    skips: Vec<ConvGradient>,
    /// Of each convolution, see [`Prepared::input_gradient`].
    later: Vec<Vec<f32>>,
}

impl Block {
    pub(super) fn new(c: &FeedforwardConfig, b: usize) -> Self {
        let (channels, groups, layers) = (c.block_channels[b], c.block_groups[b], c.block_layers[b]);
        let shape =
            ConvShape { groups, cin: channels / groups, cout: channels / groups, kt: c.block_temporals[b], k: c.block_spatials[b], stride: 1 };
        let half = 0.5f32.sqrt(); // two terms of unit variance are summed
        let name = |kind: &str, l: usize| format!("core.feedforward.blocks.{b}.{kind}.{l}");
        let conv = |l| Conv::new(name("convs", l), shape, groups).gain(if l == 0 { 1.0 } else { half });
        let skip = |l| {
            let shape = ConvShape { cin: shape.cin * l, kt: 1, k: 1, ..shape };
            Conv::new(name("skips", l), shape, groups).gain(half).bias(None)
        };
        Self {
            channels,
            groups,
            pool: c.block_pools[b],
            activation: c.nonlinear.activation(),
            convs: (0..layers).map(conv).collect(),
            skips: (1..layers).map(skip).collect(),
            places: (0..layers).map(|l| format!("core.feedforward.blocks.{b}.{l}")).collect(),
        }
    }

    /// Channels of the output: the block's input and every layer's output.
    pub(super) fn width(&self) -> usize {
        (self.convs.len() + 1) * self.channels
    }

    pub(super) fn prepare(&self, params: &Params, stream: usize) -> PreparedBlock {
        let prepare = |convs: &[Conv]| convs.iter().map(|c| c.prepare(params, stream)).collect();
        PreparedBlock { convs: prepare(&self.convs), skips: prepare(&self.skips) }
    }

    /// Empty history of every convolution.
    pub(super) fn begin(&self, frame: Frame, batch: usize) -> Vec<History> {
        let step = |conv: &Conv| vec![0.0; batch * frame.padded((conv.shape.k - 1) / 2).len()];
        self.convs.iter().map(|conv| (1..conv.shape.kt).map(|_| step(conv)).collect()).collect()
    }

    /// Pooled outputs of the next frames; the trace, where there is one, grows by them, to the number of frames given.
    pub(super) fn forward(
        &self,
        ready: &PreparedBlock,
        frame: Frame,
        x: Vec<f32>,
        batch: usize,
        draws: &Draws,
        history: &mut [History],
        trace: Option<(&mut BlockTrace, usize)>,
        space: &mut Workspace,
    ) -> Vec<f32> {
        let (frames, last) = (x.len() / frame.len(), self.convs.len() - 1);
        let before_all = trace.is_some().then(|| history.iter().map(|steps| steps.concat()).collect());
        let (mut outputs, mut after) = (space.list(), space.list());
        outputs.push(x);
        for (l, conv) in ready.convs.iter().enumerate() {
            if l < last {
                after.push(self.activated(l, frame, &outputs[l], batch, draws, space));
            }
            let padded = frame.padded((conv.shape.k - 1) / 2);
            let (kept, steps) = (history[l].len(), &mut history[l]);
            for step in 0..frames / batch {
                let mut now = space.take(batch * padded.len());
                let step = step * batch * frame.len()..(step + 1) * batch * frame.len();
                self.read(l, frame, &outputs[l][step.clone()], after.get(l).map(|y| &y[step]), batch, draws, &mut now);
                steps.push(now);
            }
            let mut out = conv.forward(&self.extent(conv, frame, frames, batch), Input::Steps(steps), space);
            steps.drain(..steps.len() - kept).for_each(|step| space.give(step));
            if l > 0 {
                self.skip(&ready.skips[l - 1], frame, &after[..l], batch, &mut out, space);
            }
            outputs.push(out);
        }
        let mut z = space.take(frames * pool::pooled(Frame { channels: self.width(), ..frame }, self.pool).len());
        pool::forward(frame, self.groups, self.pool, &outputs, &mut z);
        if let Some((trace, all)) = trace {
            let inner = &outputs[1..self.convs.len()]; // the last output has no nonlinearity after it
            trace.before.resize_with(inner.len(), Vec::new);
            if let (true, Some(history)) = (trace.history.is_empty(), before_all) {
                trace.history = history;
            }
            for (kept, new) in trace.before.iter_mut().zip(inner) {
                kept.reserve_exact(all * frame.len() - kept.len());
                kept.extend_from_slice(new);
            }
        }
        space.give_list(outputs);
        space.give_list(after);
        z
    }

    /// Adds to a layer's output what it sees of all earlier ones.
    fn skip(&self, skip: &Prepared, frame: Frame, after: &[Vec<f32>], batch: usize, out: &mut [f32], space: &mut Workspace) {
        let extent = skip.extent(out.len() / frame.len(), batch, Frame { channels: self.channels * after.len(), ..frame });
        if let [only] = after {
            return skip.accumulate(&extent, only, out);
        }
        let mut beside = space.take(out.len() * after.len());
        concatenate(after.iter().map(|y| (y.as_slice(), self.channels)), self.groups, &mut beside);
        skip.accumulate(&extent, &beside, out);
        space.give(beside);
    }

    /// A layer's input after its nonlinearity: what skips read, and, padded, convolutions.
    fn activated(&self, l: usize, frame: Frame, x: &[f32], batch: usize, draws: &Draws, space: &mut Workspace) -> Vec<f32> {
        let mut y = space.take(x.len());
        activation::forward(self.activation, x, &mut y);
        draws.drop(&self.places[l], batch, self.channels, frame.len(), &mut y);
        y
    }

    /// What the convolution of a layer reads of some frames, padded: `y`, where that is there already, or the activation of `x`.
    fn read(&self, l: usize, frame: Frame, x: &[f32], y: Option<&[f32]>, batch: usize, draws: &Draws, now: &mut [f32]) {
        let p = (self.convs[l].shape.k - 1) / 2;
        if let Some(y) = y {
            return pad::pad(frame, p, Border::Zero, y, now);
        }
        activation::forward_padded(self.activation, frame, p, x, now);
        draws.drop(&self.places[l], batch, self.channels, frame.padded(p).len(), now);
    }

    fn extent(&self, conv: &Prepared, frame: Frame, frames: usize, batch: usize) -> striate_kernels::conv::Extent {
        conv.extent(frames, batch, frame.padded((conv.shape.k - 1) / 2))
    }

    /// Prepares to walk back over a clip.
    pub(super) fn begin_backward(&self) -> BlockBackward {
        let none = |convs: &[Conv]| vec![ConvGradient::default(); convs.len()];
        BlockBackward { convs: none(&self.convs), skips: none(&self.skips), later: vec![Vec::new(); self.convs.len()] }
    }

    /// Frames before a piece of a clip that its convolutions see.
    pub(super) fn reach(&self, batch: usize) -> usize {
        self.convs.iter().map(|conv| (conv.shape.kt - 1) * batch).max().unwrap_or(0)
    }

    /// From the gradient of some frames' pooled output to that of their input; later frames come first. `x` is the block's input from
    /// as many frames earlier as there are, up to [`Self::reach`].
    pub(super) fn backward(
        &self,
        ready: &PreparedBlock,
        frame: Frame,
        trace: &BlockTrace,
        frames: Range<usize>,
        x: &[f32],
        batch: usize,
        draws: &Draws,
        dz: &[f32],
        sums: &mut BlockBackward,
    ) -> Vec<f32> {
        let layers = self.convs.len();
        let earlier = self.reach(batch).min(frames.start);
        let with_earlier = (frames.start - earlier) * frame.len()..frames.end * frame.len();
        let inputs: Vec<&[f32]> = std::iter::once(x).chain(trace.before.iter().map(|before| &before[with_earlier.clone()])).collect();
        // what the convolutions read serves the gradients of their weights alone
        let learning = if ready.convs.iter().any(|conv| conv.learns) { layers } else { 0 };
        let reads: Vec<_> = (0..learning).map(|l| self.read_again(l, frame, inputs[l], &trace.history[l], earlier, batch, draws)).collect();
        let mut d = pool::gradient(frame, self.groups, self.pool, layers + 1, dz); // of the input and each layer's output
        let mut dafter = vec![Vec::new(); layers];
        for l in (0..layers).rev() {
            let dout = std::mem::take(&mut d[l + 1]);
            let conv = &ready.convs[l];
            if let Some((read, _)) = reads.get(l) {
                sums.convs[l].add(conv.gradients(&self.extent(conv, frame, frames.len(), batch), read, &dout));
            }
            let mut dx = conv.input_gradient(batch, frame, &dout, &mut sums.later[l]);
            if l > 0 {
                if learning > 0 {
                    let after = reads[..l].iter().filter_map(|(_, y)| y.as_deref()).map(|y| (y, self.channels));
                    let mut beside = vec![0.0; l * dout.len()];
                    concatenate(after, self.groups, &mut beside);
                    sums.skips[l - 1].add(ready.skips[l - 1].pointwise_gradients(&beside, &dout));
                }
                let dearlier = split(&ready.skips[l - 1].pointwise_gradient(&dout), &vec![self.channels; l], self.groups);
                for (to, from) in dafter.iter_mut().zip(dearlier) {
                    if to.is_empty() { *to = from } else { add(to, &from) }
                }
            }
            if !dafter[l].is_empty() {
                add(&mut dx, &dafter[l]);
            }
            draws.drop(&self.places[l], batch, self.channels, frame.len(), &mut dx);
            activation::gradient(self.activation, &inputs[l][earlier * frame.len()..], &mut dx);
            add(&mut d[l], &dx);
        }
        std::mem::take(&mut d[0])
    }

    /// What the convolution of a layer read of some traced frames, `earlier` ones before them among `x`, in one piece, and the activation
    /// of the frames alone where a later layer's skip read that too.
    fn read_again(
        &self,
        l: usize,
        frame: Frame,
        x: &[f32],
        history: &[f32],
        earlier: usize,
        batch: usize,
        draws: &Draws,
    ) -> (Vec<f32>, Option<Vec<f32>>) {
        let padded = frame.padded((self.convs[l].shape.k - 1) / 2);
        let past = &history[earlier * padded.len()..];
        let y = (l + 1 < self.convs.len()).then(|| self.activated(l, frame, x, batch, draws, &mut Workspace::passing()));
        let mut read = vec![0.0; past.len() + x.len() / frame.len() * padded.len()];
        read[..past.len()].copy_from_slice(past);
        self.read(l, frame, x, y.as_deref(), batch, draws, &mut read[past.len()..]);
        (read, y.map(|y| y[earlier * frame.len()..].to_vec()))
    }

    /// Adds the parameter gradients of a whole clip.
    pub(super) fn finish(&self, sums: &BlockBackward, params: &Params, stream: usize, gradients: &mut Gradients) {
        let all = self.convs.iter().zip(&sums.convs).chain(self.skips.iter().zip(&sums.skips));
        all.for_each(|(conv, sum)| conv.add_gradients(params, stream, sum, gradients));
    }
}
