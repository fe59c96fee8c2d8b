//! The number of threads changes no bit.

use crate::conv::Case;
use crate::measure::values;
use striate_kernels::activation::{self, Activation};
use striate_kernels::attention::{self, Heads};
use striate_kernels::conv::{self, ConvShape};
use striate_kernels::lstm::{Cell, gru, lstm, lstm_backward};
use striate_kernels::matmul::{matmul_parallel, pack};
use striate_kernels::pad::{Border, Frame, pad_gradient};
use striate_kernels::precision::Precision;
use striate_kernels::readout::{self, Gather};

/// Asserts that `work` gives the same bits on one thread, on two and on five.
fn same_bits(what: &str, work: impl Fn() -> Vec<f32> + Sync) {
    let on = |threads: usize| -> Vec<u32> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a thread pool");
        pool.install(&work).into_iter().map(f32::to_bits).collect()
    };
    let one = on(1);
    assert!(!one.is_empty());
    assert!(one == on(2) && one == on(5), "{what}");
}

fn convolutions() -> [Case; 3] {
    let case = |s, time, height, width, padding, border| Case { s, time, batch: 2, height, width, padding, border };
    [
        case(ConvShape { groups: 2, cin: 5, cout: 33, kt: 3, k: 3, stride: 1 }, 19, 13, 17, 1, Border::Zero),
        case(ConvShape { groups: 1, cin: 48, cout: 17, kt: 1, k: 1, stride: 1 }, 11, 16, 24, 0, Border::Zero),
        case(ConvShape { groups: 1, cin: 3, cout: 32, kt: 1, k: 6, stride: 2 }, 9, 32, 48, 2, Border::Replicate),
    ]
}

#[test]
fn of_convolutions() {
    for case in convolutions() {
        let (s, e) = (case.s, case.extent());
        let (x, dout) = (case.padded(&case.input()), case.dout());
        same_bits("forward", || {
            let mut out = vec![0.0; dout.len()];
            conv::forward(&s, &e, &x, &conv::pack(&s, &case.weights()), Some(&case.bias()), &mut out, false);
            out
        });
        let lower = if Precision::Bf16.runs_here() { Precision::Bf16 } else { Precision::F32 };
        same_bits("forward of pairs", || {
            let mut out = vec![0.0; dout.len()];
            conv::forward(&s, &e, &x, &conv::pack_in(lower, &s, &case.weights()), Some(&case.bias()), &mut out, false);
            out
        });
        same_bits("weight gradient", || conv::weight_gradient(&s, &e, &x, &dout));
        same_bits("bias gradient", || conv::bias_gradient(&dout, s.channels_out()));
        same_bits("input gradient", || {
            let frames = case.time * case.batch;
            if s.stride == 1 {
                let mut dx = vec![0.0; frames * case.frame().len()];
                conv::input_gradient(&s, &e, &case.padded_dout(), &conv::pack_transposed(&s, &case.weights()), &mut dx, false);
                return dx;
            }
            let mut padded = vec![0.0; frames * case.frame().padded(case.padding).len()];
            conv::input_gradient_strided(&s, &e, &dout, &case.weights(), &mut padded);
            let mut dx = vec![0.0; frames * case.frame().len()];
            pad_gradient(case.frame(), case.padding, case.border, &padded, &mut dx);
            dx
        });
    }
}

#[test]
fn of_the_readout() {
    let frame = Frame { height: 16, width: 24, channels: 40 };
    let (batch, frames, units) = (2, 10, 61);
    let maps = values(1, frames * frame.len());
    let (weights, biases, dr) = (values(2, units * frame.channels), values(3, units), values(4, frames * units));
    let at = values(5, batch * units * 2);
    let gathers: Vec<Gather> = at.chunks_exact(2).map(|p| Gather::new(frame, [12.0 + 13.0 * p[0], 8.0 + 9.0 * p[1]])).collect();
    same_bits("forward", || {
        let mut out = vec![0.0; dr.len()];
        readout::forward(frame, &maps, &gathers, &weights, &biases, &mut out);
        out
    });
    same_bits("backward", || {
        let found = readout::backward(frame, &maps, &gathers, &weights, &dr);
        [found.maps, found.weights, found.biases, found.positions.into_flattened()].concat()
    });
}

#[test]
fn of_pointwise_work_and_products() {
    let x = values(1, 50_001);
    for activation in [Activation::Gelu, Activation::Silu, Activation::Elu, Activation::Tanh] {
        same_bits("activation", || {
            let (mut y, mut d) = (vec![0.0; x.len()], vec![1.0; x.len()]);
            activation::forward(activation, &x, &mut y);
            activation::gradient(activation, &x, &mut d);
            [y, d].concat()
        });
    }
    same_bits("product", || {
        let mut out = vec![0.0; 1000 * 33];
        matmul_parallel(&x[..1000 * 17], &pack(&x[..17 * 33], 17, 33, 33), &mut out, 17, 33);
        out
    });
    let (heads, size) = (Heads { groups: 3, dim: 17, tokens: 75 }, 2 * 75 * 3 * 17);
    same_bits("attention", || {
        let mut out = vec![0.0; size];
        attention::forward(heads, &x[..3 * size], &x[..3 * 17], &mut out, 0, 1);
        let (mut dqkv, mut dscales) = (vec![0.0; 3 * size], vec![0.0; 3 * 17]);
        attention::backward(heads, &x[..3 * size], &x[..3 * 17], &out, 0, 1, &mut dqkv, &mut dscales);
        [out, dqkv, dscales].concat()
    });
    let cell = Cell { groups: 2, channels: 17, pixels: 31 };
    let n = 5 * cell.pixels * cell.groups * cell.channels;
    same_bits("cells", || {
        let (mut gates, mut two) = (x[..4 * n].to_vec(), x[..2 * n].to_vec());
        let (mut c, mut h, mut g) = (x[..n].to_vec(), vec![0.0; n], x[..n].to_vec());
        lstm(cell, &mut gates, &mut c, &mut h, None);
        gru(cell, &mut two, &mut g, None);
        let mut dc = vec![0.5; n];
        lstm_backward(cell, &mut gates, &x[..n], &c, &h, &mut dc, None);
        [gates, two, c, h, g, dc].concat()
    });
}
