//! The slow, obvious definition of each operation, in f64: what the kernels must equal.
//!
//! Loops over indices and nothing else: no packing, no tiles, no threads, no approximations beyond those of the standard
//! library and of `libm`'s error function. Layouts are the kernels': row-major, frames channels-last `[T * N, H, W, C]`
//! with time outermost, grouped channels group-major. Frames are never padded beforehand.

use crate::activation::Activation;
use crate::conv::ConvShape;
use crate::lstm::Cell;
use crate::pad::{Border, Frame};
use crate::pool::pooled;

/// Index of the pixel that row or column `i` of an unbounded image shows, where the image holds `length` of them;
/// `None` where that is a zero.
fn shown(border: Border, i: isize, length: usize) -> Option<usize> {
    match border {
        _ if i >= 0 && i < length as isize => Some(i as usize),
        Border::Zero => None,
        Border::Replicate if i < 0 => Some(0),
        Border::Replicate => Some(length - 1),
    }
}

/// Frames [F, H, W, C] with `p` more pixels on each side.
pub fn pad(frame: Frame, p: usize, border: Border, x: &[f64]) -> Vec<f64> {
    let padded = frame.padded(p);
    let mut out = Vec::new();
    for f in 0..x.len() / frame.len() {
        for y in 0..padded.height {
            for column in 0..padded.width {
                let from = shown(border, y as isize - p as isize, frame.height).zip(shown(border, column as isize - p as isize, frame.width));
                for c in 0..frame.channels {
                    out.push(from.map_or(0.0, |(y, column)| x[((f * frame.height + y) * frame.width + column) * frame.channels + c]));
                }
            }
        }
    }
    out
}

/// Grouped convolution, causal in time (cross-correlation): output `[T * N, ho, wo, groups * cout]` from input
/// `[T * N, H, W, groups * cin]`, weights `[groups * cout, cin, kt, k, k]` and a bias per output channel.
///
/// Time `t` sees inputs `t - kt + 1 ..= t` of its own batch element, zeros before the first. `padding` pixels are added on
/// each side.
pub fn conv(s: &ConvShape, frame: Frame, batch: usize, padding: usize, border: Border, x: &[f64], weights: &[f64], bias: Option<&[f64]>) -> Vec<f64> {
    assert_eq!(frame.channels, s.channels_in());
    let padded = frame.padded(padding);
    let (ho, wo) = ((padded.height - s.k) / s.stride + 1, (padded.width - s.k) / s.stride + 1);
    let mut out = Vec::new();
    for f in 0..x.len() / frame.len() {
        for y in 0..ho {
            for column in 0..wo {
                for o in 0..s.channels_out() {
                    let group = o / s.cout;
                    let mut sum = bias.map_or(0.0, |b| b[o]);
                    for dt in 0..s.kt {
                        // frames of one batch element are `batch` apart
                        let Some(f) = (f + (dt + 1) * batch).checked_sub(s.kt * batch) else { continue };
                        for dy in 0..s.k {
                            let Some(y) = shown(border, (y * s.stride + dy) as isize - padding as isize, frame.height) else { continue };
                            for dx in 0..s.k {
                                let Some(column) = shown(border, (column * s.stride + dx) as isize - padding as isize, frame.width) else { continue };
                                let pixel = ((f * frame.height + y) * frame.width + column) * frame.channels + group * s.cin;
                                for c in 0..s.cin {
                                    sum += x[pixel + c] * weights[(((o * s.cin + c) * s.kt + dt) * s.k + dy) * s.k + dx];
                                }
                            }
                        }
                    }
                    out.push(sum);
                }
            }
        }
    }
    out
}

/// `a [m, k] b [k, n]`.
pub fn matmul(a: &[f64], b: &[f64], m: usize, k: usize, n: usize) -> Vec<f64> {
    let mut out = Vec::new();
    for i in 0..m {
        for j in 0..n {
            out.push((0..k).map(|l| a[i * k + l] * b[l * n + j]).sum());
        }
    }
    out
}

/// 1 / (1 + exp(-x)).
pub fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Gain that keeps unit variance for standard-normal input (reference implementation's constants).
pub fn gain(activation: Activation) -> f64 {
    match activation {
        Activation::Gelu => 1.7015043497085571,
        Activation::Silu => 1.7881293296813965,
        Activation::Elu => 1.2716004848480225,
        Activation::Tanh => 1.5939117670059204,
        Activation::Identity => 1.0,
    }
}

/// `gain f(x)`.
pub fn activation(activation: Activation, x: f64) -> f64 {
    gain(activation)
        * match activation {
            Activation::Gelu => x * 0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2),
            Activation::Silu => x * sigmoid(x),
            Activation::Elu if x > 0.0 => x,
            Activation::Elu => x.exp_m1(),
            Activation::Tanh => x.tanh(),
            Activation::Identity => x,
        }
}

/// Means of `size x size` windows of frames [F, H, W, C], remainder dropped.
pub fn average_pool(frame: Frame, size: usize, x: &[f64]) -> Vec<f64> {
    let small = pooled(frame, size);
    let mut out = Vec::new();
    for f in 0..x.len() / frame.len() {
        for y in 0..small.height {
            for column in 0..small.width {
                for c in 0..frame.channels {
                    let mut sum = 0.0;
                    for dy in 0..size {
                        for dx in 0..size {
                            sum += x[((f * frame.height + y * size + dy) * frame.width + column * size + dx) * frame.channels + c];
                        }
                    }
                    out.push(sum / (size * size) as f64);
                }
            }
        }
    }
    out
}

/// Weight normalisation: rows of `length` raw weights become `(raw - mean) (variance fan_in + 1e-5)^(-1/2) gain`.
pub fn weight_norm(raw: &[f64], length: usize, fan_in: usize, gains: Option<&[f64]>) -> Vec<f64> {
    let mut out = Vec::new();
    for row in 0..raw.len() / length {
        let raw = &raw[row * length..][..length];
        let mean = raw.iter().sum::<f64>() / length as f64;
        let variance = raw.iter().map(|r| (r - mean) * (r - mean)).sum::<f64>() / length as f64;
        for r in raw {
            out.push((r - mean) / (variance * fan_in as f64 + 1e-5).sqrt() * gains.map_or(1.0, |g| g[row]));
        }
    }
    out
}

/// Features [C] of an image [H, W, C] at position (x, y) in pixels, pixel centres at integers: the mean of the four
/// neighbours, each weighted by its nearness. `border` Zero: neighbours outside are zero; Replicate: the position is moved
/// onto the image first.
pub fn bilinear(frame: Frame, border: Border, image: &[f64], [x, y]: [f64; 2]) -> Vec<f64> {
    let (x, y) = match border {
        Border::Zero => (x, y),
        Border::Replicate => (x.clamp(0.0, (frame.width - 1) as f64), y.clamp(0.0, (frame.height - 1) as f64)),
    };
    let mut out = vec![0.0; frame.channels];
    for row in [y.floor(), y.floor() + 1.0] {
        for column in [x.floor(), x.floor() + 1.0] {
            if row < 0.0 || column < 0.0 || row >= frame.height as f64 || column >= frame.width as f64 {
                continue;
            }
            for c in 0..frame.channels {
                let pixel = image[(row as usize * frame.width + column as usize) * frame.channels + c];
                out[c] += (1.0 - (x - column).abs()) * (1.0 - (y - row).abs()) * pixel;
            }
        }
    }
    out
}

/// Spatial attention of one head with cosine similarity: q, k, v [tokens, dim], a scale per channel;
/// `softmax over m of (q_n / |q_n| * scale) . (k_m / |k_m|)` weighs the values `v_m`.
pub fn attention(q: &[f64], k: &[f64], v: &[f64], scale: &[f64], dim: usize) -> Vec<f64> {
    let tokens = q.len() / dim;
    let norm = |x: &[f64]| x.iter().map(|v| v * v).sum::<f64>().sqrt();
    let mut out = vec![0.0; q.len()];
    for n in 0..tokens {
        let q = &q[n * dim..][..dim];
        let length_q = norm(q);
        let mut weights = Vec::new();
        for m in 0..tokens {
            let k = &k[m * dim..][..dim];
            let length_k = norm(k);
            let score: f64 = (0..dim).map(|c| q[c] / length_q * scale[c] * k[c] / length_k).sum();
            weights.push(score.exp());
        }
        let sum: f64 = weights.iter().sum();
        for m in 0..tokens {
            for c in 0..dim {
                out[n * dim + c] += weights[m] / sum * v[m * dim + c];
            }
        }
    }
    out
}

/// Pointwise part of the LSTM: new states (c, h) of `[pixels of all batch elements, group, channel]` from gates i, f, g, o
/// before their nonlinearity, `[.., group, gate, channel]`; `mask [N, group * channel]` multiplies h.
pub fn lstm(cell: Cell, gates: &[f64], c_before: &[f64], mask: Option<&[f64]>) -> (Vec<f64>, Vec<f64>) {
    let (mut c, mut h) = (Vec::new(), Vec::new());
    for at in 0..c_before.len() {
        let gate = |gate: usize| gates[at / cell.channels * 4 * cell.channels + gate * cell.channels + at % cell.channels];
        let state = sigmoid(gate(1)) * c_before[at] + sigmoid(gate(0)) * gate(2).tanh();
        c.push(state);
        h.push(masked(cell, mask, at) * sigmoid(gate(3)) * state.tanh());
    }
    (c, h)
}

/// Pointwise part of the two-gate GRU: gates u, n; `h = u h_before + (1 - u) mask n`.
pub fn gru(cell: Cell, gates: &[f64], h_before: &[f64], mask: Option<&[f64]>) -> Vec<f64> {
    let mut h = Vec::new();
    for at in 0..h_before.len() {
        let gate = |gate: usize| gates[at / cell.channels * 2 * cell.channels + gate * cell.channels + at % cell.channels];
        let u = sigmoid(gate(0));
        h.push(u * h_before[at] + (1.0 - u) * masked(cell, mask, at) * gate(1).tanh());
    }
    h
}

/// Dropout factor of the state at index `at` of `[N, pixels, group, channel]`; 1 without a mask.
fn masked(cell: Cell, mask: Option<&[f64]>, at: usize) -> f64 {
    let states = cell.groups * cell.channels;
    mask.map_or(1.0, |m| m[at / (cell.pixels * states) * states + at % states])
}

/// Readout: `out [F, U]` = weights [U, C] times the features of maps [F, H, W, C] at positions [N, U] in pixels, moved onto
/// the map, plus a bias per unit; frame f uses row `f % N` of the positions.
pub fn readout(frame: Frame, maps: &[f64], positions: &[[f64; 2]], weights: &[f64], biases: &[f64]) -> Vec<f64> {
    let units = biases.len();
    let batch = positions.len() / units;
    let mut out = Vec::new();
    for f in 0..maps.len() / frame.len() {
        for u in 0..units {
            let map = &maps[f * frame.len()..][..frame.len()];
            let features = bilinear(frame, Border::Replicate, map, positions[f % batch * units + u]);
            out.push(biases[u] + (0..frame.channels).map(|c| weights[u * frame.channels + c] * features[c]).sum::<f64>());
        }
    }
    out
}
