//! A dense block: every layer sees the sum of a causal 3-D convolution of the last output and a 1x1 convolution of all earlier
//! ones; the block puts out its input and every layer's output side by side, pooled.

use super::groups::{add, concatenate, split};
use crate::config::FeedforwardConfig;
use crate::draws::Draws;
use crate::layers::conv::{Conv, ConvGradient, Prepared};
use crate::params::{Gradients, Params};
use std::ops::Range;
use striate_kernels::activation::{self, Activation};
use striate_kernels::conv::ConvShape;
use striate_kernels::pad::{self, Border, Frame};
use striate_kernels::pool;

/// The block as declared.
#[derive(Clone, Debug)]
pub(super) struct Block {
    index: usize,
    pub(super) channels: usize,
    groups: usize,
    pub(super) pool: usize,
    activation: Activation,
    pub(super) convs: Vec<Conv>,
    /// `skips[l - 1]` belongs to layer l.
    pub(super) skips: Vec<Conv>,
}

/// The block of one stream, ready to run.
#[derive(Clone, Debug)]
pub(super) struct PreparedBlock {
    convs: Vec<Prepared>,
    skips: Vec<Prepared>,
}

/// What the backward pass needs of a clip, frame after frame; all else is computed again from it.
#[derive(Default)]
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
            index: b,
            channels,
            groups,
            pool: c.block_pools[b],
            activation: c.nonlinear.activation(),
            convs: (0..layers).map(conv).collect(),
            skips: (1..layers).map(skip).collect(),
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
    pub(super) fn begin(&self, frame: Frame, batch: usize) -> Vec<Vec<f32>> {
        self.convs.iter().map(|c| vec![0.0; (c.shape.kt - 1) * batch * frame.padded((c.shape.k - 1) / 2).len()]).collect()
    }

    /// Pooled outputs of the next frames; the trace, where there is one, grows by them, to the number of frames given.
    pub(super) fn forward(
        &self,
        ready: &PreparedBlock,
        frame: Frame,
        x: Vec<f32>,
        batch: usize,
        draws: &Draws,
        history: &mut [Vec<f32>],
        trace: Option<(&mut BlockTrace, usize)>,
    ) -> Vec<f32> {
        let frames = x.len() / frame.len();
        let before_all = trace.is_some().then(|| history.to_vec());
        let (mut outputs, mut after) = (vec![x], Vec::new());
        for (l, conv) in ready.convs.iter().enumerate() {
            let past = history[l].len();
            let (read, y) = self.read(l, frame, &outputs[l], batch, draws, &history[l]);
            history[l].copy_from_slice(&read[read.len() - past..]);
            let mut out = conv.forward(&self.extent(conv, frame, frames, batch), &read);
            if l > 0 {
                let skip = &ready.skips[l - 1];
                skip.accumulate(&skip.extent(frames, batch, Frame { channels: self.channels * l, ..frame }), &self.beside(&after), &mut out);
            }
            after.extend(y);
            outputs.push(out);
        }
        let mut z = vec![0.0; frames * pool::pooled(Frame { channels: self.width(), ..frame }, self.pool).len()];
        pool::forward(frame, self.groups, self.pool, &outputs.iter().map(Vec::as_slice).collect::<Vec<_>>(), &mut z);
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
        z
    }

    /// What the convolution of a layer reads: `past`, then the padded activation of `x`; and the activation itself where a later
    /// layer's skip reads that too.
    fn read(&self, l: usize, frame: Frame, x: &[f32], batch: usize, draws: &Draws, past: &[f32]) -> (Vec<f32>, Option<Vec<f32>>) {
        let p = (self.convs[l].shape.k - 1) / 2;
        let (frames, padded) = (x.len() / frame.len(), frame.padded(p));
        let place = format!("core.feedforward.blocks.{}.{l}", self.index);
        let mut read = vec![0.0; past.len() + frames * padded.len()];
        let (before, now) = read.split_at_mut(past.len());
        before.copy_from_slice(past);
        if l + 1 == self.convs.len() {
            activation::forward_padded(self.activation, frame, p, x, now);
            draws.drop(&place, batch, self.channels, padded.len(), now);
            return (read, None);
        }
        let mut y = vec![0.0; x.len()];
        activation::forward(self.activation, x, &mut y);
        draws.drop(&place, batch, self.channels, frame.len(), &mut y);
        pad::pad(frame, p, Border::Zero, &y, now);
        (read, Some(y))
    }

    /// Activations of earlier layers, side by side.
    fn beside(&self, after: &[Vec<f32>]) -> Vec<f32> {
        concatenate(&after.iter().map(|y| (y.as_slice(), self.channels)).collect::<Vec<_>>(), self.groups)
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
                    let after: Vec<_> = reads[..l].iter().filter_map(|(_, y)| y.as_deref()).map(|y| (y, self.channels)).collect();
                    sums.skips[l - 1].add(ready.skips[l - 1].pointwise_gradients(&concatenate(&after, self.groups), &dout));
                }
                let dearlier = split(&ready.skips[l - 1].pointwise_gradient(&dout), &vec![self.channels; l], self.groups);
                for (to, from) in dafter.iter_mut().zip(dearlier) {
                    if to.is_empty() { *to = from } else { add(to, &from) }
                }
            }
            if !dafter[l].is_empty() {
                add(&mut dx, &dafter[l]);
            }
            draws.drop(&format!("core.feedforward.blocks.{}.{l}", self.index), batch, self.channels, frame.len(), &mut dx);
            activation::gradient(self.activation, &inputs[l][earlier * frame.len()..], &mut dx);
            add(&mut d[l], &dx);
        }
        std::mem::take(&mut d[0])
    }

    /// [`Self::read`] of some traced frames, `earlier` ones before them among `x`; the activation is that of the frames alone.
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
        let padded = frame.padded((self.convs[l].shape.k - 1) / 2).len();
        let (read, y) = self.read(l, frame, x, batch, draws, &history[earlier * padded..]);
        (read, y.map(|y| y[earlier * frame.len()..].to_vec()))
    }

    /// Adds the parameter gradients of a whole clip.
    pub(super) fn finish(&self, sums: &BlockBackward, params: &Params, stream: usize, gradients: &mut Gradients) {
        let all = self.convs.iter().zip(&sums.convs).chain(self.skips.iter().zip(&sums.skips));
        all.for_each(|(conv, sum)| conv.add_gradients(params, stream, sum, gradients));
    }
}
