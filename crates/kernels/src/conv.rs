//! Grouped convolution over channels-last frames, causal in time: forward, input gradient, weight gradient.
//!
//! Frames are padded in space and time beforehand (`pad`), so no kernel has an edge case. Two algorithms, [`Algorithm`], chosen
//! by shape alone. Work is cut by frame and row, never by thread: bits do not depend on the number of threads.

mod direct;
mod input;
mod tile;
mod winograd;

use crate::precision::{Precision, pair_rows};
use crate::simd::{Kernel, Lanes, block_width, dispatch};
use input::Taps;
use rayon::prelude::*;

pub use input::Input;

/// Shape of a convolution. Weights are `[groups * cout, cin, kt, k, k]`, as the reference stores them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvShape {
    /// Channel groups.
    pub groups: usize,
    /// Input channels per group.
    pub cin: usize,
    /// Output channels per group.
    pub cout: usize,
    /// Temporal kernel, frames; index 0 is the oldest.
    pub kt: usize,
    /// Spatial kernel.
    pub k: usize,
    /// Spatial stride.
    pub stride: usize,
}

/// How far the frames go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Output frames: T * N, time-major.
    pub frames: usize,
    /// N: distance in frames between neighbours in time.
    pub batch: usize,
    /// Padded height.
    pub height: usize,
    /// Padded width.
    pub width: usize,
}

impl ConvShape {
    /// Input channels of all groups.
    pub fn channels_in(&self) -> usize {
        self.groups * self.cin
    }

    /// Output channels of all groups.
    pub fn channels_out(&self) -> usize {
        self.groups * self.cout
    }

    /// Inputs that one output sums over.
    pub fn fan_in(&self) -> usize {
        self.cin * self.kt * self.k * self.k
    }

    /// Number of weights.
    pub fn weights(&self) -> usize {
        self.channels_out() * self.fan_in()
    }

    fn taps(&self) -> usize {
        self.kt * self.k * self.k
    }

    /// Output height and width for padded frames.
    pub fn output(&self, e: &Extent) -> (usize, usize) {
        ((e.height - self.k) / self.stride + 1, (e.width - self.k) / self.stride + 1)
    }

    /// Frames the padded input holds: the output's and `kt - 1` earlier ones per batch element.
    pub fn input_frames(&self, e: &Extent) -> usize {
        e.frames + (self.kt - 1) * e.batch
    }

    /// Distance of each tap of a frame from the first one, where pixels are `pixel` apart.
    fn frame_taps(&self, e: &Extent, pixel: usize) -> Taps {
        Taps::new(self.k * self.k, |tap| (tap / self.k * e.width + tap % self.k) * pixel)
    }

    /// Distance of each tap from the first one, in floats of the padded input, all in one piece.
    fn tap_offsets(&self, e: &Extent) -> Vec<usize> {
        let row = e.width * self.channels_in();
        let frame = e.height * row;
        let mut taps = Vec::with_capacity(self.taps());
        for t in 0..self.kt {
            for y in 0..self.k {
                for x in 0..self.k {
                    taps.push(t * e.batch * frame + y * row + x * self.channels_in());
                }
            }
        }
        taps
    }

    /// The algorithm that is fastest for this shape.
    pub fn algorithm(&self) -> Algorithm {
        if self.k == 3 && self.stride == 1 { Algorithm::Winograd } else { Algorithm::Direct }
    }

    /// The precision of its products where some is asked for: with few input channels slots would stay half empty, and little is gained.
    fn precision(&self, asked: Precision) -> Precision {
        const FEW: usize = 8;
        if self.cin < FEW { Precision::F32 } else { asked }
    }

    /// A 1x1 convolution has no neighbours: all pixels of all frames form one long row.
    fn flattened(&self, e: &Extent) -> Extent {
        const ROW: usize = 384; // most pixels per piece of work
        let pixels = e.frames * e.height * e.width;
        if self.taps() > 1 || self.stride > 1 || pixels == 0 {
            return *e;
        }
        let row = (1..=ROW.min(pixels)).rev().find(|row| pixels.is_multiple_of(*row)).unwrap_or(1);
        Extent { frames: pixels / row, batch: 1, height: 1, width: row }
    }

    /// Length of one packed group-block `[tap][cin][width]` and the number of blocks per group.
    fn blocks(&self) -> (usize, usize, usize) {
        let width = block_width(self.cout);
        (width, self.cout.div_ceil(width), self.taps() * self.cin * width)
    }

    /// The shape whose forward pass is this one's input gradient (stride 1).
    fn transposed(&self) -> Self {
        Self { cin: self.cout, cout: self.cin, ..*self }
    }
}

/// How a convolution is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// One product per tap.
    Direct,
    /// Winograd's minimal filtering for 3x3 kernels of stride 1: four times fewer multiplications, as exact to within a factor of two.
    Winograd,
}

/// Weights packed for an algorithm, a precision and the instruction set in use.
#[derive(Clone, Debug)]
pub struct Packed {
    algorithm: Algorithm,
    precision: Precision,
    /// In slots of the precision.
    weights: Vec<f32>,
}

impl Packed {
    /// Makes f32 weights those of another precision, one that runs here; with few input channels they stay f32.
    pub fn lower(&mut self, s: &ConvShape, asked: Precision) {
        let precision = s.precision(asked);
        if self.precision == precision {
            return;
        }
        assert_eq!(self.precision, Precision::F32, "what is rounded stays so");
        let (width, _, _) = s.blocks();
        let mut slots = vec![0.0; self.weights.len() / s.cin * s.cin.div_ceil(precision.per_slot())];
        pair_rows(&self.weights, s.cin, width, &mut slots);
        (self.precision, self.weights) = (precision, slots);
    }
}

/// Packs weights for [`forward`].
pub fn pack(s: &ConvShape, weights: &[f32]) -> Packed {
    pack_for(s.algorithm(), s, weights)
}

/// Packs weights for [`input_gradient`]: taps reversed, input and output channels exchanged.
pub fn pack_transposed(s: &ConvShape, weights: &[f32]) -> Packed {
    pack_transposed_for(s.algorithm(), s, weights)
}

/// [`pack`] for products of some precision, see [`Packed::lower`].
pub fn pack_in(precision: Precision, s: &ConvShape, weights: &[f32]) -> Packed {
    pack_in_for(precision, s.algorithm(), s, weights)
}

/// [`pack_in`] for an algorithm of choice.
pub fn pack_in_for(precision: Precision, algorithm: Algorithm, s: &ConvShape, weights: &[f32]) -> Packed {
    let mut packed = pack_for(algorithm, s, weights);
    packed.lower(s, precision);
    packed
}

/// [`pack`] for an algorithm of choice.
pub fn pack_for(algorithm: Algorithm, s: &ConvShape, weights: &[f32]) -> Packed {
    pack_by(algorithm, s, |g, co, ci, tap| weights[((g * s.cout + co) * s.cin + ci) * s.taps() + tap])
}

/// [`pack_transposed`] for an algorithm of choice.
pub fn pack_transposed_for(algorithm: Algorithm, s: &ConvShape, weights: &[f32]) -> Packed {
    let last = s.taps() - 1;
    pack_by(algorithm, &s.transposed(), |g, co, ci, tap| weights[((g * s.cout + ci) * s.cin + co) * s.taps() + last - tap])
}

/// `weight(group, output channel, input channel, tap)`.
fn pack_by(algorithm: Algorithm, s: &ConvShape, weight: impl Fn(usize, usize, usize, usize) -> f32 + Sync) -> Packed {
    let weights = match algorithm {
        Algorithm::Direct => direct::pack(s, weight),
        Algorithm::Winograd => winograd::pack(s, weight),
    };
    Packed { algorithm, precision: Precision::F32, weights }
}

/// `out [frames, ho, wo, groups * cout] (+)= conv(x) + bias`, `x` padded, `packed` from [`pack`].
pub fn forward(s: &ConvShape, e: &Extent, x: &[f32], packed: &Packed, bias: Option<&[f32]>, out: &mut [f32], accumulate: bool) {
    forward_from(s, e, Input::Frames(x), packed, bias, out, accumulate);
}

/// [`forward`] from any [`Input`].
pub fn forward_from(s: &ConvShape, e: &Extent, x: Input, packed: &Packed, bias: Option<&[f32]>, out: &mut [f32], accumulate: bool) {
    let (ho, wo) = s.output(e);
    assert!(x.holds(s.input_frames(e), e.height * e.width * s.channels_in()), "padded input size");
    assert_eq!(out.len(), e.frames * ho * wo * s.channels_out(), "output size");
    assert!(bias.is_none_or(|b| b.len() == s.channels_out()) && !(accumulate && bias.is_some()), "bias");
    match packed.algorithm {
        Algorithm::Direct => direct::forward(s, e, x, packed, bias, out, accumulate),
        Algorithm::Winograd => winograd::forward(s, e, x, packed, bias, out, accumulate),
    }
}

/// Gradient of the unpadded input for stride 1 and zero padding `(k - 1) / 2`; `dy_padded` is the output gradient padded
/// by the same in space and by `kt - 1` zero frames after the end; `packed` from [`pack_transposed`].
pub fn input_gradient(s: &ConvShape, e: &Extent, dy_padded: &[f32], packed: &Packed, dx: &mut [f32], accumulate: bool) {
    assert_eq!(s.stride, 1, "use input_gradient_strided");
    forward(&s.transposed(), e, dy_padded, packed, None, dx, accumulate);
}

/// Gradient of the padded input for any stride (`kt` 1): scatters. `weights` as the reference stores them.
pub fn input_gradient_strided(s: &ConvShape, e: &Extent, dy: &[f32], weights: &[f32], dx_padded: &mut [f32]) {
    assert_eq!(s.kt, 1, "temporal kernels have stride 1");
    let (ho, wo) = s.output(e);
    let taps = s.tap_offsets(e);
    let (channels_in, channels_out) = (s.channels_in(), s.channels_out());
    // [tap][channel in][cout], so that the innermost sum runs over neighbours
    let mut by_tap = vec![0.0; s.weights()];
    for (i, w) in weights.iter().enumerate() {
        let (tap, ci, o) = (i % s.taps(), i / s.taps() % s.cin, i / s.taps() / s.cin);
        by_tap[(tap * channels_in + o / s.cout * s.cin + ci) * s.cout + o % s.cout] = *w;
    }
    dx_padded.par_chunks_mut(e.height * e.width * channels_in).zip(dy.par_chunks(ho * wo * channels_out)).for_each(|(dx, dy)| {
        dispatch(Scatter { s, width: e.width, wo, taps: &taps, by_tap: &by_tap, dy, dx });
    });
}

/// One frame of [`input_gradient_strided`].
struct Scatter<'a> {
    s: &'a ConvShape,
    width: usize,
    wo: usize,
    taps: &'a [usize],
    by_tap: &'a [f32],
    dy: &'a [f32],
    dx: &'a mut [f32],
}

impl Kernel for Scatter<'_> {
    #[inline(always)]
    fn run<V: Lanes>(self) {
        let (s, channels_in) = (self.s, self.s.channels_in());
        self.dx.fill(0.0);
        for (pixel, dy) in self.dy.chunks_exact(s.channels_out()).enumerate() {
            let origin = (pixel / self.wo * self.width + pixel % self.wo) * s.stride * channels_in;
            for (tap, &offset) in self.taps.iter().enumerate() {
                let weights = &self.by_tap[tap * channels_in * s.cout..];
                for channel in 0..channels_in {
                    let dy = &dy[channel / s.cin * s.cout..][..s.cout];
                    self.dx[origin + offset + channel] += dot(&weights[channel * s.cout..][..s.cout], dy);
                }
            }
        }
    }
}

/// Inlined into each kernel, so that it has the tier's instructions.
#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; 8];
    let (a8, b8) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 = a8.remainder().iter().zip(b8.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in a8.zip(b8) {
        for i in 0..8 {
            sums[i] += a[i] * b[i];
        }
    }
    sums.iter().sum::<f32>() + rest
}

/// Gradient of the weights, in the reference's layout, from the padded input and the output gradient.
pub fn weight_gradient(s: &ConvShape, e: &Extent, x: &[f32], dy: &[f32]) -> Vec<f32> {
    weight_gradient_by(s.algorithm(), s, e, x, dy)
}

/// [`weight_gradient`] by an algorithm of choice.
pub fn weight_gradient_by(algorithm: Algorithm, s: &ConvShape, e: &Extent, x: &[f32], dy: &[f32]) -> Vec<f32> {
    let (ho, wo) = s.output(e);
    assert_eq!(x.len(), s.input_frames(e) * e.height * e.width * s.channels_in(), "padded input size");
    assert_eq!(dy.len(), e.frames * ho * wo * s.channels_out(), "output gradient size");
    match algorithm {
        Algorithm::Direct => direct::weight_gradient(s, e, x, dy),
        Algorithm::Winograd => winograd::weight_gradient(s, e, x, dy),
    }
}

/// Sum of the output gradient over frames and pixels, per channel.
pub fn bias_gradient(dy: &[f32], channels: usize) -> Vec<f32> {
    const PIXELS: usize = 4096; // one partial sum each
    let partial: Vec<Vec<f32>> = dy
        .par_chunks(PIXELS * channels)
        .map(|dy| {
            let mut sums = vec![0.0f32; channels];
            for pixel in dy.chunks_exact(channels) {
                sums.iter_mut().zip(pixel).for_each(|(s, d)| *s += d);
            }
            sums
        })
        .collect();
    let mut gradient = vec![0.0; channels];
    for sums in partial {
        gradient.iter_mut().zip(sums).for_each(|(g, s)| *g += s);
    }
    gradient
}
