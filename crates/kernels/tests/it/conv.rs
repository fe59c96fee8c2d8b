//! Convolution: any number of channels, groups, rows and frames.

use crate::measure::{cases, close, dot, gradient, values, wide};
use proptest::prelude::*;
use proptest::sample::select;
use striate_kernels::conv::{self, Algorithm, ConvShape, Extent, Input};
use striate_kernels::pad::{Border, Frame, pad, pad_gradient};
use striate_kernels::reference;

/// A convolution of frames [T * N, H, W, C].
#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub s: ConvShape,
    pub time: usize,
    pub batch: usize,
    pub height: usize,
    pub width: usize,
    pub padding: usize,
    pub border: Border,
}

impl Case {
    pub fn frame(&self) -> Frame {
        Frame { height: self.height, width: self.width, channels: self.s.channels_in() }
    }

    pub fn extent(&self) -> Extent {
        let padded = self.frame().padded(self.padding);
        Extent { frames: self.time * self.batch, batch: self.batch, height: padded.height, width: padded.width }
    }

    /// The output's frame.
    pub fn out(&self) -> Frame {
        let (height, width) = self.s.output(&self.extent());
        Frame { height, width, channels: self.s.channels_out() }
    }

    pub fn input(&self) -> Vec<f32> {
        values(1, self.time * self.batch * self.frame().len())
    }

    pub fn weights(&self) -> Vec<f32> {
        values(2, self.s.weights())
    }

    pub fn bias(&self) -> Vec<f32> {
        values(3, self.s.channels_out())
    }

    /// The gradient that reaches the output.
    pub fn dout(&self) -> Vec<f32> {
        values(4, self.time * self.batch * self.out().len())
    }

    /// Pads in space and by `kt - 1` zero frames before the first.
    pub fn padded(&self, x: &[f32]) -> Vec<f32> {
        let padded = self.frame().padded(self.padding).len();
        let history = (self.s.kt - 1) * self.batch * padded;
        let mut out = vec![0.0; history + self.time * self.batch * padded];
        pad(self.frame(), self.padding, self.border, x, &mut out[history..]);
        out
    }

    /// Pads the output's gradient in space and by `kt - 1` zero frames after the last, for the input gradient.
    pub fn padded_dout(&self) -> Vec<f32> {
        let padded = self.out().padded(self.padding).len();
        let mut out = vec![0.0; (self.time + self.s.kt - 1) * self.batch * padded];
        pad(self.out(), self.padding, Border::Zero, &self.dout(), &mut out[..self.time * self.batch * padded]);
        out
    }

    fn reference(&self, x: &[f64], weights: &[f64], bias: Option<&[f64]>) -> Vec<f64> {
        reference::conv(&self.s, self.frame(), self.batch, self.padding, self.border, x, weights, bias)
    }

    /// Multiply-adds, about.
    fn cost(&self) -> usize {
        self.time * self.batch * self.height * self.width / self.s.stride.pow(2) * self.s.weights()
    }
}

/// The paper's kernels and others, with channels on both sides of every vector width.
pub fn any_case(most: usize) -> impl Strategy<Value = Case> {
    let channels = || select(vec![1usize, 3, 4, 5, 16, 17, 32, 48]);
    let shape = (select(vec![1usize, 2, 4, 8]), channels(), channels(), select(vec![1usize, 3]), select(vec![1usize, 3, 5, 6]), 1..=2usize)
        .prop_map(|(groups, cin, cout, kt, k, stride)| ConvShape { groups, cin, cout, kt, k, stride });
    (shape, 1..=4usize, 1..=3usize, 0..=11usize, 0..=28usize, 0..=2usize, select(vec![Border::Zero, Border::Replicate]))
        .prop_map(|(s, time, batch, height, width, padding, border)| {
            let padding = padding.min(s.k / 2);
            let least = (s.k - 2 * padding).max(1);
            Case { s, time, batch, height: least + height, width: least + width, padding, border }
        })
        .prop_filter("too slow for the reference", move |case| case.cost() < most)
}

/// The algorithms that can compute a shape, and the relative error a sum may have: transforms cost Winograd's a factor of two.
fn algorithms(s: &ConvShape) -> Vec<(Algorithm, f64)> {
    let mut all = vec![(Algorithm::Direct, 1e-6)];
    if s.k == 3 && s.stride == 1 {
        all.push((Algorithm::Winograd, 2e-6));
    }
    all
}

fn check_forward(case: Case) {
    let (x, weights, bias) = (case.input(), case.weights(), case.bias());
    let (padded, e) = (case.padded(&x), case.extent());
    let plain = case.reference(&wide(&x), &wide(&weights), None);
    for (algorithm, limit) in algorithms(&case.s) {
        let packed = conv::pack_for(algorithm, &case.s, &weights);
        let mut out = vec![f32::NAN; plain.len()];
        conv::forward(&case.s, &e, &padded, &packed, None, &mut out, false);
        close(&format!("conv forward, {algorithm:?}"), &out, &plain, limit);
        conv::forward(&case.s, &e, &padded, &packed, Some(&bias), &mut out, false);
        close("conv forward with bias", &out, &case.reference(&wide(&x), &wide(&weights), Some(&wide(&bias))), limit);
        let steps: Vec<Vec<f32>> = padded.chunks_exact(case.batch * e.height * e.width * case.s.channels_in()).map(<[f32]>::to_vec).collect();
        let mut by_steps = vec![f32::NAN; plain.len()];
        conv::forward_from(&case.s, &e, Input::Steps(&steps), &packed, Some(&bias), &mut by_steps, false);
        assert_eq!(by_steps, out, "time steps that lie apart");
        let before = case.dout();
        out.copy_from_slice(&before);
        conv::forward(&case.s, &e, &padded, &packed, None, &mut out, true);
        let sum: Vec<f64> = plain.iter().zip(&before).map(|(p, b)| p + f64::from(*b)).collect();
        close("conv forward, accumulated", &out, &sum, limit);
    }
}

fn check_weight_and_bias_gradient(case: Case) {
    let (x, weights, dout) = (case.input(), case.weights(), case.dout());
    let (wx, ww, wd) = (wide(&x), wide(&weights), wide(&dout));
    for (algorithm, _) in algorithms(&case.s) {
        let found = conv::weight_gradient_by(algorithm, &case.s, &case.extent(), &case.padded(&x), &dout);
        gradient(&format!("conv weight gradient, {algorithm:?}"), &found, &ww, |w| dot(&case.reference(&wx, w, None), &wd));
    }
    let found = conv::bias_gradient(&dout, case.s.channels_out());
    gradient("conv bias gradient", &found, &wide(&case.bias()), |b| dot(&case.reference(&wx, &ww, Some(b)), &wd));
}

/// Stride 1, odd kernel, same size: the gradient is a convolution.
fn check_input_gradient(case: Case) {
    let (s, x, weights) = (case.s, wide(&case.input()), wide(&case.weights()));
    for (algorithm, limit) in algorithms(&s) {
        let packed = conv::pack_transposed_for(algorithm, &s, &case.weights());
        let mut dx = vec![f32::NAN; x.len()];
        conv::input_gradient(&s, &case.extent(), &case.padded_dout(), &packed, &mut dx, false);
        gradient(&format!("conv input gradient, {algorithm:?}"), &dx, &x, |x| dot(&case.reference(x, &weights, None), &wide(&case.dout())));
        let before = case.input();
        let mut sum = before.clone();
        conv::input_gradient(&s, &case.extent(), &case.padded_dout(), &packed, &mut sum, true);
        let expected: Vec<f64> = dx.iter().zip(&before).map(|(d, b)| f64::from(*d) + f64::from(*b)).collect();
        close("conv input gradient, accumulated", &sum, &expected, limit);
    }
}

/// Any stride, one frame: the gradient is scattered, then the padding's gradient is taken.
fn check_strided_input_gradient(case: Case) {
    let (x, weights) = (wide(&case.input()), wide(&case.weights()));
    let frames = case.time * case.batch;
    let mut padded = vec![f32::NAN; frames * case.frame().padded(case.padding).len()];
    conv::input_gradient_strided(&case.s, &case.extent(), &case.dout(), &case.weights(), &mut padded);
    let mut dx = vec![f32::NAN; x.len()];
    pad_gradient(case.frame(), case.padding, case.border, &padded, &mut dx);
    gradient("conv input gradient, strided", &dx, &x, |x| dot(&case.reference(x, &weights, None), &wide(&case.dout())));
}

/// What the property tests' sizes do not reach: long rows, many rows, prime numbers of pixels, the paper's first layer.
fn large() -> Vec<Case> {
    let shape = |groups, cin, cout, kt, k, stride| ConvShape { groups, cin, cout, kt, k, stride };
    let case = |s, time, batch, height, width, padding, border| Case { s, time, batch, height, width, padding, border };
    vec![
        case(shape(1, 1, 32, 1, 6, 2), 2, 1, 32, 48, 2, Border::Replicate),
        case(shape(4, 32, 32, 1, 1, 1), 2, 2, 16, 24, 0, Border::Zero),
        case(shape(1, 3, 17, 1, 1, 1), 1, 1, 1, 1009, 0, Border::Zero),
        case(shape(2, 5, 33, 1, 1, 1), 1, 1, 31, 31, 0, Border::Zero),
        case(shape(1, 4, 32, 3, 3, 1), 2, 1, 17, 37, 1, Border::Zero),
        case(shape(1, 2, 70, 3, 3, 1), 1, 2, 13, 12, 1, Border::Zero),
        case(shape(2, 16, 7, 2, 5, 1), 20, 1, 4, 5, 2, Border::Zero),
    ]
}

/// The paper's sizes, where a piece of work is a strip of tiles or several, through several frames: too large for finite differences.
fn of_the_paper() -> Vec<Case> {
    let shape = |groups, cin, cout, kt| ConvShape { groups, cin, cout, kt, k: 3, stride: 1 };
    let case = |s, time, batch, height, width| Case { s, time, batch, height, width, padding: 1, border: Border::Zero };
    vec![case(shape(1, 32, 32, 3), 5, 1, 8, 96), case(shape(2, 32, 32, 3), 9, 2, 16, 24), case(shape(2, 64, 128, 1), 1, 5, 16, 24)]
}

#[test]
fn forward_of_large_frames() {
    large().into_iter().chain(of_the_paper()).for_each(check_forward);
}

/// Gradients of one algorithm hold the other's, which finite differences hold on smaller frames.
#[test]
fn gradients_at_the_papers_sizes_agree() {
    for case in of_the_paper() {
        let (s, e, x, dout) = (case.s, case.extent(), case.padded(&case.input()), case.dout());
        let [direct, winograd] = [Algorithm::Direct, Algorithm::Winograd].map(|a| {
            let mut dx = vec![0.0; case.time * case.batch * case.frame().len()];
            conv::input_gradient(&s, &e, &case.padded_dout(), &conv::pack_transposed_for(a, &s, &case.weights()), &mut dx, false);
            (conv::weight_gradient_by(a, &s, &e, &x, &dout), dx)
        });
        close("weight gradient", &winograd.0, &wide(&direct.0), 3e-6);
        close("input gradient", &winograd.1, &wide(&direct.1), 3e-6);
    }
}

#[test]
fn gradients_of_large_frames() {
    for mut case in large() {
        check_weight_and_bias_gradient(case);
        case.border = Border::Zero;
        if case.s.stride == 1 {
            check_input_gradient(case);
        }
        if case.s.kt == 1 {
            check_strided_input_gradient(case);
        }
    }
}

#[test]
fn weights_of_the_reference_give_its_published_output() {
    // two inputs, two outputs, two frames of history, one pixel: all ones, then all twos, after weight normalisation
    let s = ConvShape { groups: 1, cin: 2, cout: 2, kt: 2, k: 1, stride: 1 };
    let raw: Vec<f32> = (0..8).map(|i| i as f32).collect();
    let weights = striate_kernels::weight_norm::forward(&raw, 4, 4, Some(&[0.5, 0.5]));
    close("weights", &weights[..4], &[-0.33540988, -0.11180329, 0.11180329, 0.33540988], 1e-6);
    let e = Extent { frames: 2, batch: 1, height: 1, width: 1 };
    let mut out = [0.0; 4];
    conv::forward(&s, &e, &[0.0, 0.0, 1.0, 1.0, 2.0, 2.0], &conv::pack(&s, &weights), Some(&[0.1, 0.1]), &mut out, false);
    close("outputs", &out, &[0.32360658; 4], 1e-6);
}

#[test]
fn a_nan_pixel_reaches_every_output_that_sees_it() {
    let s = ConvShape { groups: 2, cin: 3, cout: 5, kt: 3, k: 3, stride: 1 };
    let case = Case { s, time: 4, batch: 2, height: 7, width: 9, padding: 1, border: Border::Zero };
    let mut x = case.input();
    let (frame, y, column, channel) = (2, 3, 4, 1); // second frame of batch element 0, first group
    x[((frame * 7 + y) * 9 + column) * 6 + channel] = f32::NAN;
    let mut out = vec![0.0; 4 * 2 * case.out().len()];
    let direct = conv::pack_for(Algorithm::Direct, &s, &case.weights());
    conv::forward(&s, &case.extent(), &case.padded(&x), &direct, None, &mut out, false);
    let winograd = conv::pack_for(Algorithm::Winograd, &s, &case.weights());
    let mut by_tiles = vec![0.0; out.len()];
    conv::forward(&s, &case.extent(), &case.padded(&x), &winograd, None, &mut by_tiles, false);
    for (i, v) in out.iter().enumerate() {
        let (f, row, col, o) = (i / (7 * 9 * 10), i / (9 * 10) % 7, i / 10 % 9, i % 10);
        let seen = f % 2 == 0 && (frame..=frame + 4).contains(&f) && row.abs_diff(y) <= 1 && col.abs_diff(column) <= 1 && o < 5;
        assert_eq!(v.is_nan(), seen, "frame {f}, row {row}, column {col}, channel {o}");
        // a tile is computed as a whole: its other pixels are lost with it, but never the ones that see it
        assert!(by_tiles[i].is_nan() || !seen, "frame {f}, row {row}, column {col}, channel {o}");
    }
}

proptest! {
    #![proptest_config(cases(80))]

    #[test]
    fn forward_is_the_definition(case in any_case(4_000_000)) {
        check_forward(case);
    }
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn weight_and_bias_gradients_are_the_slopes(case in any_case(600_000)) {
        check_weight_and_bias_gradient(case);
    }

    #[test]
    fn input_gradient_is_the_slope(case in any_case(600_000)) {
        let mut case = case;
        case.s.stride = 1;
        case.s.k -= usize::from(case.s.k % 2 == 0);
        case.padding = (case.s.k - 1) / 2;
        case.border = Border::Zero;
        check_input_gradient(case);
    }

    #[test]
    fn strided_input_gradient_is_the_slope(case in any_case(600_000)) {
        let mut case = case;
        case.s.kt = 1;
        check_strided_input_gradient(case);
    }
}
