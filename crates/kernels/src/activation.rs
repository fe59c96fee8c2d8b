//! Pointwise nonlinearities with their variance-preserving gain, and the vectorisable exp, sigmoid and tanh beneath them.

use crate::pad::Frame;
use crate::simd::{Kernel, Lanes, dispatch, madd};
use rayon::prelude::*;

/// A nonlinearity `f`, always applied as `gain * f(x)` (reference implementation's constants).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// x Phi(x), exact (erf) form.
    Gelu,
    /// x sigm(x).
    Silu,
    /// x for x > 0, else exp(x) - 1.
    Elu,
    /// tanh x.
    Tanh,
    /// x.
    Identity,
}

impl Activation {
    /// Gain that keeps unit variance for standard-normal input.
    pub fn gain(self) -> f32 {
        match self {
            Self::Gelu => 1.701_504_3,
            Self::Silu => 1.788_129_3,
            Self::Elu => 1.271_600_5,
            Self::Tanh => 1.593_911_8,
            Self::Identity => 1.0,
        }
    }
}

const PIECE: usize = 1 << 14; // floats per piece of parallel work

/// `y = gain f(x)`.
pub fn forward(activation: Activation, x: &[f32], y: &mut [f32]) {
    assert_eq!(x.len(), y.len());
    y.par_chunks_mut(PIECE).zip(x.par_chunks(PIECE)).for_each(|(y, x)| dispatch(Forward { activation, x, y }));
}

/// `y = gain f(x)` of frames [F, H, W, C] into the middle of zero-padded frames [F, H + 2p, W + 2p, C].
pub fn forward_padded(activation: Activation, frame: Frame, p: usize, x: &[f32], out: &mut [f32]) {
    let padded = frame.padded(p);
    assert_eq!(x.len() / frame.len(), out.len() / padded.len());
    let (row, side) = (frame.width * frame.channels, p * frame.channels);
    out.par_chunks_mut(padded.len()).zip(x.par_chunks(frame.len())).for_each(|(out, x)| {
        let (above, rest) = out.split_at_mut(p * padded.width * frame.channels);
        let (middle, below) = rest.split_at_mut(frame.height * padded.width * frame.channels);
        above.fill(0.0);
        below.fill(0.0);
        for (out, x) in middle.chunks_exact_mut(padded.width * frame.channels).zip(x.chunks_exact(row)) {
            out[..side].fill(0.0);
            out[side + row..].fill(0.0);
            dispatch(Forward { activation, x, y: &mut out[side..side + row] });
        }
    });
}

/// `x <- tanh x`, without a gain.
pub fn plain_tanh(x: &mut [f32]) {
    struct Tanh<'a>(&'a mut [f32]);
    impl Kernel for Tanh<'_> {
        #[inline(always)]
        fn run<V: Lanes>(self) {
            self.0.iter_mut().for_each(|x| *x = tanh::<V>(*x));
        }
    }
    x.par_chunks_mut(PIECE).for_each(|x| dispatch(Tanh(x)));
}

/// `dy *= gain f'(x)`: turns the output's gradient into the input's, in place.
pub fn gradient(activation: Activation, x: &[f32], dy: &mut [f32]) {
    assert_eq!(x.len(), dy.len());
    dy.par_chunks_mut(PIECE).zip(x.par_chunks(PIECE)).for_each(|(dy, x)| dispatch(Gradient { activation, x, dy }));
}

struct Forward<'a> {
    activation: Activation,
    x: &'a [f32],
    y: &'a mut [f32],
}

impl Kernel for Forward<'_> {
    #[inline(always)]
    fn run<V: Lanes>(self) {
        let gain = self.activation.gain();
        let pairs = self.y.iter_mut().zip(self.x);
        match self.activation {
            Activation::Gelu => pairs.for_each(|(y, &x)| *y = gain * x * normal::<V>(x).0),
            Activation::Silu => pairs.for_each(|(y, &x)| *y = gain * x * sigmoid::<V>(x)),
            Activation::Elu => pairs.for_each(|(y, &x)| *y = gain * if x > 0.0 { x } else { exp_minus_one::<V>(x) }),
            Activation::Tanh => pairs.for_each(|(y, &x)| *y = gain * tanh::<V>(x)),
            Activation::Identity => pairs.for_each(|(y, &x)| *y = x),
        }
    }
}

struct Gradient<'a> {
    activation: Activation,
    x: &'a [f32],
    dy: &'a mut [f32],
}

impl Kernel for Gradient<'_> {
    #[inline(always)]
    fn run<V: Lanes>(self) {
        let gain = self.activation.gain();
        let pairs = self.dy.iter_mut().zip(self.x);
        match self.activation {
            Activation::Gelu => pairs.for_each(|(d, &x)| {
                let (cumulative, density) = normal::<V>(x);
                *d *= gain * madd::<V>(x, density, cumulative);
            }),
            Activation::Silu => pairs.for_each(|(d, &x)| {
                let s = sigmoid::<V>(x);
                *d *= gain * s * (1.0 + x * (1.0 - s));
            }),
            Activation::Elu => pairs.for_each(|(d, &x)| *d *= gain * if x > 0.0 { 1.0 } else { exp::<V>(x) }),
            Activation::Tanh => pairs.for_each(|(d, &x)| {
                let t = tanh::<V>(x);
                *d *= gain * (1.0 - t * t);
            }),
            Activation::Identity => {}
        }
    }
}

/// exp(x), relative error below 2e-7; x is held in [-87, 88], where the result is a normal number.
#[inline(always)]
pub(crate) fn exp<V: Lanes>(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0; // 1.5 * 2^23: adding it rounds to an integer, kept in the low bits
    let x = if x.is_nan() { x } else { x.clamp(-87.0, 88.0) };
    let shifted = madd::<V>(x, std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    // x - n ln 2 in two steps: ln 2 = 0.693359375 - 2.12194440e-4, the first part exact in a product with a small integer
    let r = madd::<V>(n, 2.121_944_4e-4, madd::<V>(n, -0.693_359_4, x));
    let mut p = 1.0 / 5040.0; // Taylor series, |r| < 0.35
    for c in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        p = madd::<V>(p, r, c);
    }
    p * f32::from_bits((shifted.to_bits() << 23).wrapping_add(0x3f80_0000))
}

/// exp(x) - 1, without cancellation near 0.
#[inline(always)]
fn exp_minus_one<V: Lanes>(x: f32) -> f32 {
    let mut p = 1.0 / 5040.0;
    for c in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0] {
        p = madd::<V>(p, x, c);
    }
    if x.abs() < 0.35 { p * x } else { exp::<V>(x) - 1.0 }
}

/// 1 / (1 + exp(-x)).
#[inline(always)]
pub(crate) fn sigmoid<V: Lanes>(x: f32) -> f32 {
    1.0 / (1.0 + exp::<V>(-x))
}

/// tanh x, relative error below 3e-7: a series near 0, exponentials elsewhere.
#[inline(always)]
pub(crate) fn tanh<V: Lanes>(x: f32) -> f32 {
    let s = x * x;
    let mut p = -1382.0 / 155_925.0;
    for c in [62.0 / 2835.0, -17.0 / 315.0, 2.0 / 15.0, -1.0 / 3.0, 1.0] {
        p = madd::<V>(p, s, c);
    }
    let e = exp::<V>(-2.0 * x.abs());
    let far = ((1.0 - e) / (1.0 + e)).copysign(x);
    if s < 0.16 { p * x } else { far }
}

/// Standard normal distribution function and density at x.
///
/// The tail is density times a polynomial in 1 / (1 + 0.33 |x|), fitted here for least relative error (6e-8).
#[inline(always)]
fn normal<V: Lanes>(x: f32) -> (f32, f32) {
    const TAIL: [f32; 10] = [
        -0.019_363_144,
        0.078_583_46,
        -0.096_207_46,
        0.004_891_748_5,
        0.016_120_674,
        0.045_480_48,
        0.090_064_645,
        0.117_114_92,
        0.131_664_02,
        0.131_650_64,
    ];
    let t = 1.0 / madd::<V>(x.abs(), 0.33, 1.0);
    let mut p = TAIL[0];
    for c in &TAIL[1..] {
        p = madd::<V>(p, t, *c);
    }
    let e = exp::<V>(-0.5 * x * x);
    let tail = p * t * e;
    (if x < 0.0 { tail } else { 1.0 - tail }, e * 0.398_942_3)
}

/// Sum of `f` of every value, in f64, in sixteen interleaved sums: one would wait for each addition in turn.
#[inline(always)]
pub(crate) fn sum_by(x: &[f32], f: impl Fn(f64) -> f64) -> f64 {
    let mut sums = [0.0f64; 16];
    let pieces = x.chunks_exact(16);
    let rest: f64 = pieces.remainder().iter().map(|v| f(f64::from(*v))).sum();
    for piece in pieces {
        for (sum, v) in sums.iter_mut().zip(piece) {
            *sum += f(f64::from(*v));
        }
    }
    sums.iter().sum::<f64>() + rest
}

/// Largest value, in sixteen interleaved lanes; a NaN is not the largest, but makes every exponential of its own NaN.
#[inline(always)]
pub(crate) fn largest(x: &[f32]) -> f32 {
    let mut most = [f32::NEG_INFINITY; 16];
    let pieces = x.chunks_exact(16);
    let rest = pieces.remainder().iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for piece in pieces {
        for (most, v) in most.iter_mut().zip(piece) {
            *most = if *v > *most { *v } else { *most };
        }
    }
    most.into_iter().fold(rest, f32::max)
}
