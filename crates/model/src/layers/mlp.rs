//! Multilayer perceptron of the published networks: a plain, zero-initialised first layer, then weight-normalised ones.

use super::conv::{Conv, Prepared};
use crate::params::{Gradients, Params};
use crate::workspace::Workspace;
use rand_chacha::ChaCha8Rng;
use striate_kernels::activation::{self, Activation};

/// Layers, and the nonlinearity after each but, where there is an output layer, the last.
#[derive(Clone, Debug)]
pub(crate) struct Mlp {
    layers: Vec<Conv>,
    activation: Activation,
    output: bool,
}

/// What the backward pass needs: input and pre-activation of each layer.
pub(crate) struct MlpTrace(Vec<(Vec<f32>, Vec<f32>)>);

impl Mlp {
    /// The layers given; `output`: the last one has no nonlinearity.
    pub(crate) fn new(layers: Vec<Conv>, activation: Activation, output: bool) -> Self {
        Self { layers, activation, output }
    }

    /// `inputs -> features -> ... (-> outputs)`, keys `<name>.linears.<i>`, the first layer plain and zero at the start.
    pub(crate) fn published(name: &str, inputs: usize, features: usize, layers: usize, outputs: Option<usize>, activation: Activation) -> Self {
        let widths: Vec<usize> = std::iter::once(inputs).chain(std::iter::repeat_n(features, layers)).chain(outputs).collect();
        let layers = widths.windows(2).enumerate().map(|(i, w)| {
            let layer = Conv::linear(format!("{name}.linears.{i}"), w[0], w[1]);
            if i == 0 { layer.plain().zeros() } else { layer }
        });
        Self::new(layers.collect(), activation, outputs.is_some())
    }

    pub(crate) fn declare(&self, params: &mut Params, stream: usize, rng: &mut ChaCha8Rng) {
        self.layers.iter().for_each(|layer| layer.declare(params, stream, rng));
    }

    pub(crate) fn prepare(&self, params: &Params, stream: usize) -> Vec<Prepared> {
        self.layers.iter().map(|layer| layer.prepare(params, stream)).collect()
    }

    fn linear(&self, layer: usize) -> bool {
        self.output && layer + 1 == self.layers.len()
    }

    /// Rows [n, inputs] to rows [n, outputs]; `drop` acts on the last hidden layer. The trace is empty unless asked to `keep` it.
    pub(crate) fn forward(
        &self,
        prepared: &[Prepared],
        x: &[f32],
        drop: impl Fn(&mut [f32]),
        space: &mut Workspace,
        keep: bool,
    ) -> (Vec<f32>, MlpTrace) {
        let (mut x, mut trace) = (space.copy(x), Vec::new());
        for (l, layer) in prepared.iter().enumerate() {
            let before = layer.pointwise(&x, space);
            let mut y = space.copy(&before);
            if !self.linear(l) {
                activation::forward(self.activation, &before, &mut y);
                if self.output && self.linear(l + 1) {
                    drop(&mut y);
                }
            }
            let read = std::mem::replace(&mut x, y);
            if keep {
                trace.push((read, before));
            } else {
                space.give(read);
                space.give(before);
            }
        }
        (x, MlpTrace(trace))
    }

    /// Adds parameter gradients and returns that of the input.
    pub(crate) fn backward(
        &self,
        prepared: &[Prepared],
        params: &Params,
        stream: usize,
        trace: &MlpTrace,
        dy: Vec<f32>,
        drop: impl Fn(&mut [f32]),
        gradients: &mut Gradients,
    ) -> Vec<f32> {
        let mut dy = dy;
        for (l, (x, before)) in trace.0.iter().enumerate().rev() {
            if !self.linear(l) {
                if self.output && self.linear(l + 1) {
                    drop(&mut dy);
                }
                activation::gradient(self.activation, before, &mut dy);
            }
            let d = prepared[l].pointwise_gradients(x, &dy);
            self.layers[l].add_gradients(params, stream, &d, gradients);
            dy = prepared[l].pointwise_gradient(&dy);
        }
        dy
    }
}
