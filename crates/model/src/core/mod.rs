//! Core: what neurons share. Causal 3-D convolutional DenseNet, then a recurrent cell steered by modulation; one
//! independent copy per stream.

mod attention;
mod block;
mod cell;
mod feedforward;
mod groups;
mod inter_group;
mod recurrent;

use crate::config::NetworkConfig;
use crate::draws::Draws;
use crate::layers::conv::Conv;
use crate::params::{Gradients, Params};
use crate::workspace::Workspace;
use cell::CellState;
use feedforward::{Feedforward, FeedforwardState, FeedforwardTrace, PreparedFeedforward};
use rand_chacha::ChaCha8Rng;
use recurrent::{PreparedRecurrent, Recurrent, RecurrentTrace};
use striate_kernels::pad::Frame;
use striate_kernels::precision::Precision;

/// The core of one stream (every stream has the same shape).
#[derive(Clone, Debug)]
pub(crate) struct Core {
    feedforward: Feedforward,
    recurrent: Recurrent,
}

/// The core of one stream, ready to run.
#[derive(Clone, Debug)]
pub(crate) struct PreparedCore {
    feedforward: PreparedFeedforward,
    recurrent: PreparedRecurrent,
}

impl PreparedCore {
    /// Makes products in another precision from now on.
    pub(crate) fn lower(&mut self, precision: Precision) {
        self.feedforward.lower(precision);
        self.recurrent.lower(precision);
    }
}

/// What the core of one stream remembers between frames.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CoreState {
    feedforward: FeedforwardState,
    recurrent: CellState,
}

/// What the backward pass needs.
#[derive(Debug)]
pub(crate) struct CoreTrace {
    feedforward: FeedforwardTrace,
    recurrent: RecurrentTrace,
}

impl CoreTrace {
    /// What the feedforward part handed to the recurrent one, [T * N, h, w, C].
    pub(crate) fn feedforward_output(&self) -> &[f32] {
        self.recurrent.feedforward()
    }

    /// Gives back what a pass that keeps nothing is made of.
    pub(crate) fn give_back(self, space: &mut Workspace) {
        self.recurrent.give_back(space);
    }
}

impl Core {
    pub(crate) fn new(config: &NetworkConfig, retina: Frame) -> Self {
        let feedforward = Feedforward::new(&config.feedforward, retina);
        let recurrent = Recurrent::new(&config.recurrent, feedforward.output(), config.modulation.features());
        Self { feedforward, recurrent }
    }

    /// The map each frame becomes.
    pub(crate) fn output(&self) -> Frame {
        self.recurrent.output()
    }

    /// Every convolution and the frame it puts out, feedforward before recurrent; and the recurrent part's other multiply-adds.
    pub(crate) fn layers(&self) -> (Vec<(&Conv, Frame)>, Vec<(&Conv, Frame)>, usize) {
        (self.feedforward.layers(), self.recurrent.layers(), self.recurrent.other_multiply_adds())
    }

    pub(crate) fn declare(&self, params: &mut Params, stream: usize, rng: &mut ChaCha8Rng) {
        self.feedforward.declare(params, stream, rng);
        self.recurrent.declare(params, stream, rng);
    }

    pub(crate) fn prepare(&self, params: &Params, stream: usize) -> PreparedCore {
        PreparedCore { feedforward: self.feedforward.prepare(params, stream), recurrent: self.recurrent.prepare(params, stream) }
    }

    pub(crate) fn begin(&self, batch: usize) -> CoreState {
        CoreState { feedforward: self.feedforward.begin(batch), recurrent: self.recurrent.begin(batch) }
    }

    /// Retinal images [T * N, H, W, C] and modulation features [T * N, F] to maps [T * N, h, w, C]; the trace is whole only where asked to
    /// `keep` it for a backward pass.
    pub(crate) fn forward(
        &self,
        prepared: &PreparedCore,
        retina: &[f32],
        modulation: &[f32],
        batch: usize,
        draws: &Draws,
        state: &mut CoreState,
        space: &mut Workspace,
        keep: bool,
    ) -> (Vec<f32>, CoreTrace) {
        let (maps, feedforward) = self.feedforward.forward(&prepared.feedforward, retina, batch, draws, &mut state.feedforward, space, keep);
        let (out, recurrent) = self.recurrent.forward(&prepared.recurrent, maps, modulation, batch, draws, &mut state.recurrent, space, keep);
        (out, CoreTrace { feedforward, recurrent })
    }

    /// Adds parameter gradients; returns those of the retinal images and of the modulation features.
    pub(crate) fn backward(
        &self,
        prepared: &PreparedCore,
        params: &Params,
        stream: usize,
        trace: CoreTrace,
        batch: usize,
        draws: &Draws,
        dout: &[f32],
        gradients: &mut Gradients,
    ) -> (Vec<f32>, Vec<f32>) {
        let (dmaps, dmodulation) = self.recurrent.backward(&prepared.recurrent, params, stream, trace.recurrent, batch, draws, dout, gradients);
        let dretina = self.feedforward.backward(&prepared.feedforward, params, stream, &trace.feedforward, batch, draws, &dmaps, gradients);
        (dretina, dmodulation)
    }
}
