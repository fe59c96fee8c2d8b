//! Feedforward part of the core: causal 3-D convolutional DenseNet (paper Methods, "Core").
//!
//! A whole clip goes through a few frames at a time, forward and backward, so that what lies between the layers stays small; frame by
//! frame is a clip of one. Only the temporal convolutions remember anything: each keeps its last `kt - 1` padded inputs.

use super::block::{Block, BlockBackward, BlockTrace, History, PreparedBlock};
use crate::config::{FeedforwardConfig, FeedforwardKind};
use crate::draws::Draws;
use crate::layers::conv::{Conv, ConvGradient, Prepared};
use crate::params::{Gradients, Params};
use crate::workspace::Workspace;
use rand_chacha::ChaCha8Rng;
use striate_kernels::conv::{ConvShape, Input};
use striate_kernels::pad::{self, Border, Frame};
use striate_kernels::pool;
use striate_kernels::precision::Precision;

/// Floats of the largest maps of frames that go through together, at most: what a last-level cache holds, 20 frames at the published size.
const TOGETHER: usize = 1 << 22;

/// The feedforward network of one stream.
#[derive(Clone, Debug)]
pub(crate) struct Feedforward {
    retina: Frame,
    input_pad: usize,
    /// One 1x1 projection before each block; the first is the strided input convolution.
    inputs: Vec<Conv>,
    blocks: Vec<Block>,
    out: Conv,
    together: usize,
}

/// The network of one stream, ready to run.
#[derive(Clone, Debug)]
pub(crate) struct PreparedFeedforward {
    inputs: Vec<Prepared>,
    blocks: Vec<PreparedBlock>,
    out: Prepared,
}

impl PreparedFeedforward {
    /// Makes products in another precision from now on.
    pub(crate) fn lower(&mut self, precision: Precision) {
        self.inputs.iter_mut().chain([&mut self.out]).for_each(|conv| conv.lower(precision));
        self.blocks.iter_mut().for_each(|block| block.lower(precision));
    }
}

/// Last `kt - 1` padded inputs of every temporal convolution, by block and layer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FeedforwardState(Vec<Vec<History>>);

/// What the backward pass needs, all frames.
#[derive(Debug, Default)]
pub(crate) struct FeedforwardTrace {
    retina: Vec<f32>,
    blocks: Vec<BlockTrace>,
    /// Inputs of the 1x1 projection after each block.
    pooled: Vec<Vec<f32>>,
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
                return Self { retina, input_pad: (c.in_spatial - c.in_stride) / 2, inputs, blocks, out, together: TOGETHER };
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
        PreparedFeedforward {
            inputs: self.inputs.iter().map(|c| c.prepare(params, stream)).collect(),
            blocks: self.blocks.iter().map(|b| b.prepare(params, stream)).collect(),
            out: self.out.prepare(params, stream),
        }
    }

    pub(crate) fn begin(&self, batch: usize) -> FeedforwardState {
        FeedforwardState(self.blocks.iter().zip(self.frames()).map(|(block, frame)| block.begin(frame, batch)).collect())
    }

    /// Frame of each block's layers.
    fn frames(&self) -> impl DoubleEndedIterator<Item = Frame> + ExactSizeIterator {
        let after = |frame: Frame, block: &Block| pool::pooled(frame, block.pool);
        (0..self.blocks.len()).map(move |b| Frame { channels: self.blocks[b].channels, ..self.blocks[..b].iter().fold(self.after_input(), after) })
    }

    /// Frames that go through together: whole time steps.
    fn piece(&self, batch: usize) -> usize {
        let largest = self.frames().map(|frame| frame.len()).max().unwrap_or(1);
        (self.together / largest / batch).max(1) * batch
    }

    /// Retinal images [T * N, H, W, C] to maps [T * N, h, w, C_out]; with a trace where a backward pass is to come.
    pub(crate) fn forward(
        &self,
        ready: &PreparedFeedforward,
        retina: &[f32],
        batch: usize,
        draws: &Draws,
        state: &mut FeedforwardState,
        space: &mut Workspace,
        keep: bool,
    ) -> (Vec<f32>, FeedforwardTrace) {
        let mut trace = FeedforwardTrace::default();
        if keep {
            trace.retina = retina.to_vec();
            trace.blocks.resize_with(self.blocks.len(), BlockTrace::default);
            trace.pooled.resize_with(self.blocks.len(), Vec::new);
        }
        let all = retina.len() / self.retina.len();
        let (mut maps, piece) = (space.take(all * self.output().len()), self.piece(batch));
        let pieces = retina.chunks(piece * self.retina.len()).zip(maps.chunks_mut(piece * self.output().len()));
        for (retina, maps) in pieces {
            let frames = retina.len() / self.retina.len();
            let mut x = self.projected(&ready.inputs[0], retina, batch, space);
            for (b, (block, frame)) in self.blocks.iter().zip(self.frames()).enumerate() {
                let z = block.forward(&ready.blocks[b], frame, x, batch, draws, &mut state.0[b], trace.blocks.get_mut(b).map(|t| (t, all)), space);
                x = match ready.inputs.get(b + 1) {
                    Some(input) => input.pointwise(&z, space),
                    None => {
                        ready.out.pointwise_to(&z, maps);
                        Vec::new()
                    }
                };
                // the last serves the gradient of the output projection's weights alone
                let wanted = b + 1 < self.blocks.len() || ready.out.learns;
                if let (true, Some(pooled)) = (wanted, trace.pooled.get_mut(b)) {
                    pooled.reserve_exact(all * (z.len() / frames) - pooled.len());
                    pooled.extend_from_slice(&z);
                }
                space.give(z);
            }
        }
        (maps, trace)
    }

    /// Input of a block in some frames and in those before them that the block sees.
    fn block_input(
        &self,
        ready: &PreparedFeedforward,
        trace: &FeedforwardTrace,
        b: usize,
        all: usize,
        frames: &std::ops::Range<usize>,
        batch: usize,
    ) -> Vec<f32> {
        let frames = frames.start - self.blocks[b].reach(batch).min(frames.start)..frames.end;
        if b > 0 {
            return ready.inputs[b].pointwise(of_frames(&trace.pooled[b - 1], all, &frames), &mut Workspace::passing());
        }
        self.projected(&ready.inputs[0], of_frames(&trace.retina, all, &frames), batch, &mut Workspace::passing())
    }

    /// Input of the first block.
    fn projected(&self, input: &Prepared, retina: &[f32], batch: usize, space: &mut Workspace) -> Vec<f32> {
        let padded = self.padded_retina(retina, space);
        let extent = input.extent(retina.len() / self.retina.len(), batch, self.retina.padded(self.input_pad));
        let x = input.forward(&extent, Input::Frames(&padded), space);
        space.give(padded);
        x
    }

    fn padded_retina(&self, retina: &[f32], space: &mut Workspace) -> Vec<f32> {
        let padded = self.retina.padded(self.input_pad);
        let mut out = space.take(retina.len() / self.retina.len() * padded.len());
        pad::pad(self.retina, self.input_pad, Border::Replicate, retina, &mut out);
        out
    }

    /// Adds parameter gradients and returns that of the retinal images.
    pub(crate) fn backward(
        &self,
        ready: &PreparedFeedforward,
        params: &Params,
        stream: usize,
        trace: &FeedforwardTrace,
        batch: usize,
        draws: &Draws,
        dout: &[f32],
        gradients: &mut Gradients,
    ) -> Vec<f32> {
        let all = trace.retina.len() / self.retina.len();
        let mut sums: Vec<BlockBackward> = self.blocks.iter().map(Block::begin_backward).collect();
        let mut pointwise = vec![ConvGradient::default(); self.blocks.len()]; // of the projection after each block
        let mut input = ConvGradient::default();
        let mut dretina = vec![0.0; trace.retina.len()];
        let starts: Vec<usize> = (0..all).step_by(self.piece(batch)).collect();
        for start in starts.into_iter().rev() {
            let frames = start..(start + self.piece(batch)).min(all);
            let xs: Vec<Vec<f32>> = (0..self.blocks.len()).map(|b| self.block_input(ready, trace, b, all, &frames, batch)).collect();
            let mut d = of_frames(dout, all, &frames).to_vec();
            for (b, (block, frame)) in self.blocks.iter().zip(self.frames()).enumerate().rev() {
                let after = ready.inputs.get(b + 1).unwrap_or(&ready.out);
                if after.learns {
                    pointwise[b].add(after.pointwise_gradients(of_frames(&trace.pooled[b], all, &frames), &d));
                }
                let dz = after.pointwise_gradient(&d);
                d = block.backward(&ready.blocks[b], frame, &trace.blocks[b], frames.clone(), &xs[b], batch, draws, &dz, &mut sums[b]);
            }
            let extent = ready.inputs[0].extent(frames.len(), batch, self.retina.padded(self.input_pad));
            if ready.inputs[0].learns {
                input.add(ready.inputs[0].gradients(
                    &extent,
                    &self.padded_retina(of_frames(&trace.retina, all, &frames), &mut Workspace::passing()),
                    &d,
                ));
            }
            let dpadded = ready.inputs[0].input_gradient_strided(&extent, &d);
            let per_frame = self.retina.len();
            let dretina = &mut dretina[frames.start * per_frame..frames.end * per_frame];
            pad::pad_gradient(self.retina, self.input_pad, Border::Replicate, &dpadded, dretina);
        }
        self.inputs[0].add_gradients(params, stream, &input, gradients);
        for (b, (block, sums)) in self.blocks.iter().zip(&sums).enumerate() {
            self.inputs.get(b + 1).unwrap_or(&self.out).add_gradients(params, stream, &pointwise[b], gradients);
            block.finish(sums, params, stream, gradients);
        }
        dretina
    }
}

/// The part of `x`, which holds `all` frames, that belongs to some.
fn of_frames<'a>(x: &'a [f32], all: usize, frames: &std::ops::Range<usize>) -> &'a [f32] {
    let per_frame = x.len() / all;
    &x[frames.start * per_frame..frames.end * per_frame]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::NetworkConfig;
    use crate::{Draws, Network};
    use rand::{RngExt, SeedableRng};

    fn difference(a: &[f32], b: &[f32]) -> f64 {
        let sum = |x: &mut dyn Iterator<Item = f64>| x.map(|v| v * v).sum::<f64>().sqrt();
        sum(&mut a.iter().zip(b).map(|(a, b)| f64::from(a - b))) / sum(&mut b.iter().map(|b| f64::from(*b))).max(1e-30)
    }

    /// One time step at a time or all at once: the same maps and gradients, up to the order of sums.
    #[test]
    fn pieces_do_not_matter() {
        let mut config = NetworkConfig { units: 2, streams: 1, ..NetworkConfig::default() };
        (config.perspective.height, config.perspective.width) = (16, 24);
        let f = &mut config.feedforward;
        (f.block_channels, f.block_groups, f.block_layers) = (vec![4, 8], vec![1, 2], vec![2, 3]);
        (f.block_temporals, f.block_spatials, f.block_pools, f.out_channels, f.dropout) = (vec![3, 2], vec![3, 3], vec![2, 1], 8, 0.3);
        let network = Network::new(config.clone(), 3).expect("a sound configuration");
        let (batch, frames) = (2, 14);
        let retina = Frame { height: 16, width: 24, channels: 1 };
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let x: Vec<f32> = (0..frames * retina.len()).map(|_| rng.random_range(-1.0..1.0)).collect();
        let draws = Draws::sample(&config, batch, 4);
        let pass = |together: usize| {
            let feedforward = Feedforward { together, ..Feedforward::new(&config.feedforward, retina) };
            let ready = feedforward.prepare(network.params(), 0);
            let mut state = feedforward.begin(batch);
            let (maps, trace) = feedforward.forward(&ready, &x, batch, &draws, &mut state, &mut Workspace::passing(), true);
            let mut gradients = Gradients::none(network.params());
            let dretina = feedforward.backward(&ready, network.params(), 0, &trace, batch, &draws, &maps, &mut gradients);
            (feedforward.piece(batch), maps, dretina, gradients)
        };
        let (whole, steps, some) = (pass(1 << 22), pass(1), pass(3 * 2 * 384));
        assert_eq!([whole.0 > frames, steps.0 == batch, some.0 == 3 * batch], [true; 3]);
        for pieces in [steps, some] {
            assert_eq!(pieces.1, whole.1, "maps");
            assert!(difference(&pieces.2, &whole.2) < 1e-6, "retina {}", difference(&pieces.2, &whole.2));
            for (param, (a, b)) in network.params().iter().zip(pieces.3.iter().zip(whole.3.iter())) {
                let (Some(a), Some(b)) = (a, b) else { continue };
                assert!(difference(a, b) < 2e-6, "{}: {}", param.name, difference(a, b));
            }
        }
    }
}
