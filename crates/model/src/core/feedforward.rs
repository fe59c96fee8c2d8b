//! Feedforward part of the core: causal 3-D convolutional DenseNet (paper Methods, "Core").
//!
//! A whole clip goes through at once; frame by frame is a clip of one. Only the temporal convolutions remember anything:
//! each keeps its last `kt - 1` padded inputs.

use super::groups::{add, concatenate, split};
use crate::config::{FeedforwardConfig, FeedforwardKind};
use crate::draws::Draws;
use crate::layers::conv::{Conv, Prepared};
use crate::params::{Gradients, Params};
use rand_chacha::ChaCha8Rng;
use striate_kernels::activation::{self, Activation};
use striate_kernels::conv::ConvShape;
use striate_kernels::pad::{self, Border, Frame};
use striate_kernels::pool;

/// The feedforward network of one stream.
#[derive(Clone, Debug)]
pub(crate) struct Feedforward {
    retina: Frame,
    input_pad: usize,
    /// One 1x1 projection before each block; the first is the strided input convolution.
    inputs: Vec<Conv>,
    blocks: Vec<Block>,
    out: Conv,
}

/// A dense block: every layer sees the sum of a 3-D convolution of the last output and a 1x1 convolution of all earlier ones.
#[derive(Clone, Debug)]
struct Block {
    index: usize,
    channels: usize,
    groups: usize,
    pool: usize,
    activation: Activation,
    convs: Vec<Conv>,
    /// `skips[l - 1]` belongs to layer l.
    skips: Vec<Conv>,
}

/// The network of one stream, ready to run.
#[derive(Clone, Debug)]
pub(crate) struct PreparedFeedforward {
    inputs: Vec<Prepared>,
    blocks: Vec<(Vec<Prepared>, Vec<Prepared>)>,
    out: Prepared,
}

/// Last `kt - 1` padded inputs of every temporal convolution, by block and layer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FeedforwardState(Vec<Vec<Vec<f32>>>);

/// What the backward pass needs.
pub(crate) struct FeedforwardTrace {
    retina_padded: Vec<f32>,
    blocks: Vec<BlockTrace>,
    /// Inputs of the 1x1 projections after each block.
    pooled: Vec<Vec<f32>>,
}

struct BlockTrace {
    frame: Frame,
    /// Input of each layer before its nonlinearity.
    before: Vec<Vec<f32>>,
    /// The same after nonlinearity and dropout.
    after: Vec<Vec<f32>>,
    /// The same padded, history in front: what the convolution read.
    padded: Vec<Vec<f32>>,
}

impl Feedforward {
    pub(crate) fn new(config: &FeedforwardConfig, retina: Frame) -> Self {
        let c = config;
        let first = ConvShape { groups: 1, cin: retina.channels, cout: c.block_channels[0], kt: 1, k: c.in_spatial, stride: c.in_stride };
        let first = Conv::new("core.feedforward.inputs.0", first, c.block_groups[0]);
        let mut inputs = vec![if c.kind == FeedforwardKind::InputDense { first.plain() } else { first }];
        let mut blocks = Vec::new();
        for b in 0..c.block_channels.len() {
            let block = Block::new(c, b);
            let pointwise = |cout, groups, name: String| {
                let shape = ConvShape { groups: 1, cin: block.width(), cout, kt: 1, k: 1, stride: 1 };
                Conv::new(name, shape, groups)
            };
            if b + 1 < c.block_channels.len() {
                inputs.push(pointwise(c.block_channels[b + 1], c.block_groups[b + 1], format!("core.feedforward.inputs.{}", b + 1)));
            } else {
                let out = pointwise(c.out_channels, 1, "core.feedforward.out".into());
                blocks.push(block);
                return Self { retina, input_pad: (c.in_spatial - c.in_stride) / 2, inputs, blocks, out };
            }
            blocks.push(block);
        }
        unreachable!("a checked configuration has a block")
    }

    /// The map each frame becomes.
    pub(crate) fn output(&self) -> Frame {
        let mut frame = self.after_input();
        for block in &self.blocks {
            frame = pool::pooled(frame, block.pool);
        }
        Frame { channels: self.out.shape.channels_out(), ..frame }
    }

    fn after_input(&self) -> Frame {
        let stride = self.inputs[0].shape.stride;
        Frame { height: self.retina.height / stride, width: self.retina.width / stride, channels: self.inputs[0].shape.channels_out() }
    }

    /// Every convolution, and the frame it puts out.
    pub(crate) fn layers(&self) -> Vec<(&Conv, Frame)> {
        let mut frame = self.after_input();
        let mut layers = Vec::new();
        for (input, block) in self.inputs.iter().zip(&self.blocks) {
            layers.extend(std::iter::once(input).chain(&block.convs).chain(&block.skips).map(|conv| (conv, frame)));
            frame = pool::pooled(frame, block.pool);
        }
        layers.push((&self.out, frame));
        layers
    }

    pub(crate) fn declare(&self, params: &mut Params, stream: usize, rng: &mut ChaCha8Rng) {
        for (input, block) in self.inputs.iter().zip(&self.blocks) {
            input.declare(params, stream, rng);
            block.convs.iter().chain(&block.skips).for_each(|conv| conv.declare(params, stream, rng));
        }
        self.out.declare(params, stream, rng);
    }

    pub(crate) fn prepare(&self, params: &Params, stream: usize) -> PreparedFeedforward {
        let prepare = |convs: &[Conv]| convs.iter().map(|c| c.prepare(params, stream)).collect();
        PreparedFeedforward {
            inputs: prepare(&self.inputs),
            blocks: self.blocks.iter().map(|b| (prepare(&b.convs), prepare(&b.skips))).collect(),
            out: self.out.prepare(params, stream),
        }
    }

    pub(crate) fn begin(&self, batch: usize) -> FeedforwardState {
        let mut frame = self.after_input();
        let mut state = Vec::new();
        for block in &self.blocks {
            frame.channels = block.channels;
            state.push(block.convs.iter().map(|c| vec![0.0; (c.shape.kt - 1) * batch * frame.padded((c.shape.k - 1) / 2).len()]).collect());
            frame = pool::pooled(frame, block.pool);
        }
        FeedforwardState(state)
    }

    /// Retinal images [T * N, H, W, C] to maps [T * N, h, w, C_out].
    pub(crate) fn forward(
        &self,
        prepared: &PreparedFeedforward,
        retina: &[f32],
        batch: usize,
        draws: &Draws,
        state: &mut FeedforwardState,
    ) -> (Vec<f32>, FeedforwardTrace) {
        let frames = retina.len() / self.retina.len();
        let padded = self.retina.padded(self.input_pad);
        let mut retina_padded = vec![0.0; frames * padded.len()];
        pad::pad(self.retina, self.input_pad, Border::Replicate, retina, &mut retina_padded);
        let mut x = prepared.inputs[0].forward(&prepared.inputs[0].extent(frames, batch, padded), &retina_padded);
        let mut frame = self.after_input();
        let (mut blocks, mut pooled) = (Vec::new(), Vec::new());
        for (b, block) in self.blocks.iter().enumerate() {
            frame.channels = block.channels;
            let (z, trace) = block.forward(&prepared.blocks[b], frame, x, batch, draws, &mut state.0[b]);
            let all = Frame { channels: block.width(), ..frame };
            let z = block.pooled(all, z);
            x = prepared.inputs.get(b + 1).unwrap_or(&prepared.out).pointwise(&z);
            frame = pool::pooled(frame, block.pool);
            blocks.push(trace);
            pooled.push(z);
        }
        (x, FeedforwardTrace { retina_padded, blocks, pooled })
    }

    /// Adds parameter gradients and returns that of the retinal images.
    pub(crate) fn backward(
        &self,
        prepared: &PreparedFeedforward,
        params: &Params,
        stream: usize,
        trace: FeedforwardTrace,
        batch: usize,
        draws: &Draws,
        dout: Vec<f32>,
        gradients: &mut Gradients,
    ) -> Vec<f32> {
        let mut d = dout;
        for (b, (block, (own, z))) in self.blocks.iter().zip(trace.blocks.into_iter().zip(&trace.pooled)).enumerate().rev() {
            let (conv, ready) = match self.inputs.get(b + 1) {
                Some(conv) => (conv, &prepared.inputs[b + 1]),
                None => (&self.out, &prepared.out),
            };
            let (dw, db) = ready.pointwise_gradients(z, &d);
            conv.add_gradients(params, stream, &dw, &db, gradients);
            let dz = block.pooled_gradient(Frame { channels: block.width(), ..own.frame }, ready.pointwise_gradient(&d));
            d = block.backward(&prepared.blocks[b], params, stream, own, batch, draws, &dz, gradients);
        }
        let padded = self.retina.padded(self.input_pad);
        let frames = trace.retina_padded.len() / padded.len();
        let (conv, ready) = (&self.inputs[0], &prepared.inputs[0]);
        let extent = ready.extent(frames, batch, padded);
        let (dw, db) = ready.gradients(&extent, &trace.retina_padded, &d);
        conv.add_gradients(params, stream, &dw, &db, gradients);
        let dpadded = ready.input_gradient_strided(&extent, &d);
        let mut dretina = vec![0.0; frames * self.retina.len()];
        pad::pad_gradient(self.retina, self.input_pad, Border::Replicate, &dpadded, &mut dretina);
        dretina
    }
}

impl Block {
    fn new(c: &FeedforwardConfig, b: usize) -> Self {
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
    fn width(&self) -> usize {
        (self.convs.len() + 1) * self.channels
    }

    fn place(&self, layer: usize) -> String {
        format!("core.feedforward.blocks.{}.{layer}", self.index)
    }

    fn forward(
        &self,
        (convs, skips): &(Vec<Prepared>, Vec<Prepared>),
        frame: Frame,
        x: Vec<f32>,
        batch: usize,
        draws: &Draws,
        history: &mut [Vec<f32>],
    ) -> (Vec<f32>, BlockTrace) {
        let frames = x.len() / frame.len();
        let mut trace = BlockTrace { frame, before: vec![x], after: Vec::new(), padded: Vec::new() };
        for (l, conv) in convs.iter().enumerate() {
            let mut y = vec![0.0; trace.before[l].len()];
            activation::forward(self.activation, &trace.before[l], &mut y);
            draws.drop(&self.place(l), batch, self.channels, frame.len(), &mut y);
            let p = (conv.shape.k - 1) / 2;
            let padded = frame.padded(p);
            let past = history[l].len();
            let mut read = vec![0.0; past + frames * padded.len()];
            read[..past].copy_from_slice(&history[l]);
            pad::pad(frame, p, Border::Zero, &y, &mut read[past..]);
            history[l].copy_from_slice(&read[read.len() - past..]);
            let mut out = conv.forward(&conv.extent(frames, batch, padded), &read);
            if l > 0 {
                let earlier: Vec<(&[f32], usize)> = trace.after.iter().map(|y: &Vec<f32>| (y.as_slice(), self.channels)).collect();
                let skip = &skips[l - 1];
                let earlier = concatenate(&earlier, self.groups);
                skip.accumulate(&skip.extent(frames, batch, Frame { channels: self.channels * l, ..frame }), &earlier, &mut out);
            }
            trace.after.push(y);
            trace.padded.push(read);
            trace.before.push(out);
        }
        let parts: Vec<(&[f32], usize)> = trace.before.iter().map(|x| (x.as_slice(), self.channels)).collect();
        let z = concatenate(&parts, self.groups);
        trace.before.pop(); // the last output has no nonlinearity after it
        (z, trace)
    }

    fn backward(
        &self,
        (convs, skips): &(Vec<Prepared>, Vec<Prepared>),
        params: &Params,
        stream: usize,
        trace: BlockTrace,
        batch: usize,
        draws: &Draws,
        dz: &[f32],
        gradients: &mut Gradients,
    ) -> Vec<f32> {
        let frame = trace.frame;
        let frames = trace.before[0].len() / frame.len();
        let layers = convs.len();
        let mut d = split(dz, &vec![self.channels; layers + 1], self.groups); // of the input and each layer's output
        let mut dafter = vec![vec![0.0; trace.before[0].len()]; layers];
        for l in (0..layers).rev() {
            let dout = std::mem::take(&mut d[l + 1]);
            let conv = &convs[l];
            let extent = conv.extent(frames, batch, frame.padded((conv.shape.k - 1) / 2));
            let (dw, db) = conv.gradients(&extent, &trace.padded[l], &dout);
            self.convs[l].add_gradients(params, stream, &dw, &db, gradients);
            add(&mut dafter[l], &conv.input_gradient(batch, frame, &dout));
            if l > 0 {
                let earlier: Vec<(&[f32], usize)> = trace.after[..l].iter().map(|y| (y.as_slice(), self.channels)).collect();
                let (dw, db) = skips[l - 1].pointwise_gradients(&concatenate(&earlier, self.groups), &dout);
                self.skips[l - 1].add_gradients(params, stream, &dw, &db, gradients);
                let dearlier = split(&skips[l - 1].pointwise_gradient(&dout), &vec![self.channels; l], self.groups);
                dearlier.iter().zip(&mut dafter).for_each(|(from, to)| add(to, from));
            }
            let mut dx = std::mem::take(&mut dafter[l]);
            draws.drop(&self.place(l), batch, self.channels, frame.len(), &mut dx);
            activation::gradient(self.activation, &trace.before[l], &mut dx);
            add(&mut d[l], &dx);
        }
        std::mem::take(&mut d[0])
    }

    fn pooled(&self, frame: Frame, z: Vec<f32>) -> Vec<f32> {
        if self.pool == 1 {
            return z;
        }
        let mut out = vec![0.0; z.len() / frame.len() * pool::pooled(frame, self.pool).len()];
        pool::forward(frame, self.pool, &z, &mut out);
        out
    }

    fn pooled_gradient(&self, frame: Frame, d: Vec<f32>) -> Vec<f32> {
        if self.pool == 1 {
            return d;
        }
        let mut out = vec![0.0; d.len() / pool::pooled(frame, self.pool).len() * frame.len()];
        pool::gradient(frame, self.pool, &d, &mut out);
        out
    }
}
