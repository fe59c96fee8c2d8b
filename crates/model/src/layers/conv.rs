//! Weight-normalised convolution; a linear layer is the 1x1 case.
//!
//! Raw weights are centred, scaled and multiplied by a gain once per sequence; gradients come back through that.

use crate::params::{Gradients, Param, Params};
use crate::workspace::Workspace;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::sync::OnceLock;
use striate_kernels::conv::{self, ConvShape, Extent, Input};
use striate_kernels::pad::{self, Border, Frame};
use striate_kernels::precision::Precision;
use striate_kernels::weight_norm;

/// A convolution as declared: names, shape and initial values; one set of parameters per stream.
#[derive(Clone, Debug)]
pub(crate) struct Conv {
    pub(crate) name: String,
    pub(crate) shape: ConvShape,
    gain_groups: usize,
    wnorm: bool,
    gain: Option<f32>,
    bias: Option<f32>,
    zero: bool,
}

impl Conv {
    /// A weight-normalised convolution with gain 1 and bias 0. `gain_groups` shapes gains and biases, [groups, channels].
    pub(crate) fn new(name: impl Into<String>, shape: ConvShape, gain_groups: usize) -> Self {
        Self { name: name.into(), shape, gain_groups, wnorm: true, gain: Some(1.0), bias: Some(0.0), zero: false }
    }

    /// A weight-normalised linear layer.
    pub(crate) fn linear(name: impl Into<String>, inputs: usize, outputs: usize) -> Self {
        Self::new(name, ConvShape { groups: 1, cin: inputs, cout: outputs, kt: 1, k: 1, stride: 1 }, 1)
    }

    /// With another initial gain, or none.
    pub(crate) fn gain(self, gain: impl Into<Option<f32>>) -> Self {
        Self { gain: gain.into(), ..self }
    }

    /// With another initial bias, or none.
    pub(crate) fn bias(self, bias: impl Into<Option<f32>>) -> Self {
        Self { bias: bias.into(), ..self }
    }

    /// Without weight normalisation, and so without a gain.
    pub(crate) fn plain(self) -> Self {
        Self { wnorm: false, gain: None, ..self }
    }

    /// With weights that start at zero.
    pub(crate) fn zeros(self) -> Self {
        Self { zero: true, ..self }
    }

    fn key(&self, kind: &str, stream: usize) -> String {
        format!("{}.{kind}.{stream}", self.name)
    }

    /// Adds the parameters of one stream.
    pub(crate) fn declare(&self, params: &mut Params, stream: usize, rng: &mut ChaCha8Rng) {
        let s = &self.shape;
        // variance 1/3 of the bound's square: raw weights start at unit norm over the fan-in either way
        let bound = (if self.wnorm { 1.0 } else { 3.0 } / s.fan_in() as f32).sqrt();
        let value: Vec<f32> = (0..s.weights()).map(|_| if self.zero { 0.0 } else { rng.random_range(-bound..bound) }).collect();
        params.push(Param {
            name: self.key("weights", stream),
            shape: vec![s.channels_out(), s.cin, s.kt, s.k, s.k],
            value: value.into(),
            decay: true,
            scale: 1.0,
            norm_axes: Some(vec![1, 2, 3, 4]),
            frozen: false,
        });
        for (kind, value) in [("gains", self.gain), ("biases", self.bias)] {
            if let Some(value) = value {
                params.push(Param {
                    name: self.key(kind, stream),
                    shape: vec![self.gain_groups, s.channels_out() / self.gain_groups],
                    value: vec![value; s.channels_out()].into(),
                    decay: false,
                    scale: 1.0,
                    norm_axes: Some(vec![1]),
                    frozen: false,
                });
            }
        }
    }

    /// Weights as applied, in the raw weights' layout.
    fn effective(&self, params: &Params, stream: usize) -> Vec<f32> {
        let raw = params.value(&self.key("weights", stream));
        if !self.wnorm {
            return raw.to_vec();
        }
        let gains = self.gain.map(|_| params.value(&self.key("gains", stream)));
        weight_norm::forward(raw, self.shape.fan_in(), self.shape.fan_in(), gains)
    }

    /// Normalises and packs the weights of one stream.
    pub(crate) fn prepare(&self, params: &Params, stream: usize) -> Prepared {
        let bias = self.bias.map(|_| params.value(&self.key("biases", stream)).to_vec());
        Prepared::new(self.shape, self.effective(params, stream), bias, params.learns(&self.key("weights", stream)))
    }

    /// Gradients of raw weights, gains and biases from those of the applied ones.
    pub(crate) fn add_gradients(&self, params: &Params, stream: usize, applied: &ConvGradient, gradients: &mut Gradients) {
        let ConvGradient { weights, bias } = applied;
        if weights.is_empty() {
            return; // frozen
        }
        let key = self.key("weights", stream);
        if self.wnorm {
            let gains = self.gain.map(|_| params.value(&self.key("gains", stream)));
            let fan_in = self.shape.fan_in();
            let (dw, dgain) = weight_norm::backward(params.value(&key), fan_in, fan_in, gains, weights);
            gradients.add(params, &key, &dw);
            if self.gain.is_some() {
                gradients.add(params, &self.key("gains", stream), &dgain);
            }
        } else {
            gradients.add(params, &key, weights);
        }
        if self.bias.is_some() {
            gradients.add(params, &self.key("biases", stream), bias);
        }
    }
}

/// Several convolutions of the same input and shape, computed as one: per group, their output channels side by side.
#[derive(Clone, Debug)]
pub(crate) struct Fused {
    pub(crate) parts: Vec<Conv>,
}

impl Fused {
    /// Declares each part.
    pub(crate) fn declare(&self, params: &mut Params, stream: usize, rng: &mut ChaCha8Rng) {
        self.parts.iter().for_each(|part| part.declare(params, stream, rng));
    }

    /// One convolution with `[part 0, part 1, ...]` within each group's output channels.
    pub(crate) fn prepare(&self, params: &Params, stream: usize) -> Prepared {
        let part = self.parts[0].shape;
        let shape = ConvShape { cout: part.cout * self.parts.len(), ..part };
        let (mut weights, mut bias) = (vec![0.0; shape.weights()], vec![0.0; shape.channels_out()]);
        for (p, conv) in self.parts.iter().enumerate() {
            let own = conv.effective(params, stream);
            let own_bias = conv.bias.map(|_| params.value(&conv.key("biases", stream)));
            for (o, row) in own.chunks_exact(part.fan_in()).enumerate() {
                let to = self.place(p, o);
                weights[to * part.fan_in()..][..part.fan_in()].copy_from_slice(row);
                bias[to] = own_bias.map_or(0.0, |b| b[o]);
            }
        }
        let learns = self.parts.iter().any(|conv| params.learns(&conv.key("weights", stream)));
        Prepared::new(shape, weights, Some(bias), learns)
    }

    /// Output channel of the whole for channel `o` of part `p`.
    fn place(&self, p: usize, o: usize) -> usize {
        let cout = self.parts[0].shape.cout;
        (o / cout * self.parts.len() + p) * cout + o % cout
    }

    /// Gives each part its share of the gradients.
    pub(crate) fn add_gradients(&self, params: &Params, stream: usize, applied: &ConvGradient, gradients: &mut Gradients) {
        let (part, fan_in) = (self.parts[0].shape, self.parts[0].shape.fan_in());
        if applied.weights.is_empty() {
            return; // frozen
        }
        for (p, conv) in self.parts.iter().enumerate() {
            let places = (0..part.channels_out()).map(|o| self.place(p, o));
            let own = ConvGradient {
                weights: places.clone().flat_map(|to| applied.weights[to * fan_in..][..fan_in].iter().copied()).collect(),
                bias: places.map(|to| applied.bias[to]).collect(),
            };
            conv.add_gradients(params, stream, &own, gradients);
        }
    }
}

/// Gradients of applied weights and biases, a sum over the pieces of a clip; empty for a frozen convolution.
#[derive(Clone, Debug, Default)]
pub(crate) struct ConvGradient {
    pub(crate) weights: Vec<f32>,
    bias: Vec<f32>,
}

impl ConvGradient {
    /// Adds another piece's.
    pub(crate) fn add(&mut self, piece: Self) {
        if self.weights.is_empty() {
            *self = piece;
            return;
        }
        for (sum, piece) in [(&mut self.weights, piece.weights), (&mut self.bias, piece.bias)] {
            sum.iter_mut().zip(piece).for_each(|(s, p)| *s += p);
        }
    }
}

/// A convolution ready to run: normalised, packed weights.
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    pub(crate) shape: ConvShape,
    weights: Vec<f32>,
    packed: conv::Packed,
    /// Packed for the input gradient, once it is asked for.
    transposed: OnceLock<conv::Packed>,
    bias: Option<Vec<f32>>,
    /// Whether its weights are trained; if not, [`Self::gradients`] are empty, and need no input.
    pub(crate) learns: bool,
}

impl Prepared {
    pub(crate) fn new(shape: ConvShape, weights: Vec<f32>, bias: Option<Vec<f32>>, learns: bool) -> Self {
        Self { shape, packed: conv::pack(&shape, &weights), weights, transposed: OnceLock::new(), bias, learns }
    }

    /// Makes products in another precision from now on, in the forward pass alone.
    pub(crate) fn lower(&mut self, precision: Precision) {
        match precision {
            Precision::F32 => self.packed = conv::pack(&self.shape, &self.weights),
            lower => self.packed.lower(&self.shape, lower), // packed they are already
        }
    }

    /// Frames of the padded input of this convolution.
    pub(crate) fn extent(&self, frames: usize, batch: usize, padded: Frame) -> Extent {
        Extent { frames, batch, height: padded.height, width: padded.width }
    }

    /// `out = conv(padded x) + bias`.
    pub(crate) fn forward(&self, e: &Extent, x: Input, space: &mut Workspace) -> Vec<f32> {
        let (h, w) = self.shape.output(e);
        let mut out = space.take(e.frames * h * w * self.shape.channels_out());
        conv::forward_from(&self.shape, e, x, &self.packed, self.bias.as_deref(), &mut out, false);
        out
    }

    /// `out += conv(padded x)`, without bias.
    pub(crate) fn accumulate(&self, e: &Extent, x: &[f32], out: &mut [f32]) {
        conv::forward(&self.shape, e, x, &self.packed, None, out, true);
    }

    /// 1x1 convolution of `[pixels, Cin]`.
    pub(crate) fn pointwise(&self, x: &[f32], space: &mut Workspace) -> Vec<f32> {
        self.forward(&self.flat(x.len() / self.shape.channels_in()), Input::Frames(x), space)
    }

    /// The same, written to `out`.
    pub(crate) fn pointwise_to(&self, x: &[f32], out: &mut [f32]) {
        conv::forward(&self.shape, &self.flat(x.len() / self.shape.channels_in()), x, &self.packed, self.bias.as_deref(), out, false);
    }

    fn flat(&self, pixels: usize) -> Extent {
        Extent { frames: pixels, batch: 1, height: 1, width: 1 }
    }

    /// Gradient of the unpadded input (stride 1, zero padding), frames [F, H, W, Cout] of the output gradient.
    ///
    /// A temporal kernel reaches into later frames: `later` holds the padded output gradients of the `kt - 1` time steps after
    /// these frames, and is left with those of the first ones here, for the piece of the clip before this one.
    pub(crate) fn input_gradient(&self, batch: usize, frame: Frame, dy: &[f32], later: &mut Vec<f32>) -> Vec<f32> {
        let s = &self.shape;
        let p = (s.k - 1) / 2;
        let of_dy = Frame { channels: s.channels_out(), ..frame };
        let frames = dy.len() / of_dy.len();
        let padded = of_dy.padded(p);
        let mut dx = vec![0.0; frames * frame.height * frame.width * s.channels_in()];
        let packed = self.transposed.get_or_init(|| conv::pack_transposed(s, &self.weights));
        let e = self.extent(frames, batch, padded);
        if p == 0 && s.kt == 1 {
            conv::input_gradient(s, &e, dy, packed, &mut dx, false);
            return dx;
        }
        let reach = (s.kt - 1) * batch * padded.len();
        let mut padded_dy = vec![0.0; frames * padded.len() + reach];
        pad::pad(of_dy, p, Border::Zero, dy, &mut padded_dy[..frames * padded.len()]);
        if !later.is_empty() {
            padded_dy[frames * padded.len()..].copy_from_slice(later);
        }
        conv::input_gradient(s, &e, &padded_dy, packed, &mut dx, false);
        padded_dy.truncate(reach);
        *later = padded_dy;
        dx
    }

    /// Gradient of the padded input for a strided convolution.
    pub(crate) fn input_gradient_strided(&self, e: &Extent, dy: &[f32]) -> Vec<f32> {
        let mut dx = vec![0.0; e.frames * e.height * e.width * self.shape.channels_in()];
        conv::input_gradient_strided(&self.shape, e, dy, &self.weights, &mut dx);
        dx
    }

    /// Gradient of the input of a 1x1 convolution.
    pub(crate) fn pointwise_gradient(&self, dy: &[f32]) -> Vec<f32> {
        let pixels = dy.len() / self.shape.channels_out();
        let pixel = Frame { height: 1, width: 1, channels: self.shape.channels_in() };
        self.input_gradient(1, pixel, &dy[..pixels * self.shape.channels_out()], &mut Vec::new())
    }

    /// The same, added to `dx`.
    pub(crate) fn accumulate_pointwise_gradient(&self, dy: &[f32], dx: &mut [f32]) {
        let packed = self.transposed.get_or_init(|| conv::pack_transposed(&self.shape, &self.weights));
        conv::input_gradient(&self.shape, &self.flat(dy.len() / self.shape.channels_out()), dy, packed, dx, true);
    }

    /// Gradients of applied weights and biases from the padded input and the output gradient.
    pub(crate) fn gradients(&self, e: &Extent, x: &[f32], dy: &[f32]) -> ConvGradient {
        if !self.learns {
            return ConvGradient::default();
        }
        ConvGradient { weights: conv::weight_gradient(&self.shape, e, x, dy), bias: conv::bias_gradient(dy, self.shape.channels_out()) }
    }

    /// The same for a 1x1 convolution.
    pub(crate) fn pointwise_gradients(&self, x: &[f32], dy: &[f32]) -> ConvGradient {
        self.gradients(&self.flat(x.len() / self.shape.channels_in()), x, dy)
    }
}
