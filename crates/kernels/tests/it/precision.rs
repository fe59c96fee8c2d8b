//! Products of bf16: the definition with rounded operands, where operands are what was given; near it, where they are transformed.

use crate::conv::{Case, any_case};
use crate::measure::{cases, close, error, values, wide};
use proptest::prelude::*;
use proptest::sample::select;
use striate_kernels::attention::{self, Heads};
use striate_kernels::conv::{self, Algorithm, ConvShape, Input};
use striate_kernels::precision::{Precision, nearest_bf16};
use striate_kernels::reference;
use striate_kernels::simd::{Tier, tier};

/// Whether there is something to test, and a word about it if not.
fn there() -> bool {
    let there = Precision::Bf16.runs_here();
    if !there {
        println!("skipped: {} has no bf16 products here", tier().name());
    }
    there
}

fn rounded(x: &[f32]) -> Vec<f64> {
    x.iter().map(|v| f64::from(nearest_bf16(*v))).collect()
}

fn forward(case: Case, algorithm: Algorithm, precision: Precision) -> Vec<f32> {
    let packed = conv::pack_in_for(precision, algorithm, &case.s, &case.weights());
    let (x, e) = (case.padded(&case.input()), case.extent());
    let mut out = vec![f32::NAN; case.time * case.batch * case.out().len()];
    conv::forward(&case.s, &e, &x, &packed, Some(&case.bias()), &mut out, false);
    let steps: Vec<Vec<f32>> = x.chunks_exact(case.batch * e.height * e.width * case.s.channels_in()).map(<[f32]>::to_vec).collect();
    let mut by_steps = vec![f32::NAN; out.len()];
    conv::forward_from(&case.s, &e, Input::Steps(&steps), &packed, Some(&case.bias()), &mut by_steps, false);
    assert_eq!(by_steps, out, "time steps that lie apart");
    out
}

/// As [`Case`] has it, in f64, with what `number` makes of inputs and weights.
fn expected(case: Case, number: impl Fn(&[f32]) -> Vec<f64>) -> Vec<f64> {
    let (x, weights, bias) = (number(&case.input()), number(&case.weights()), wide(&case.bias()));
    reference::conv(&case.s, case.frame(), case.batch, case.padding, case.border, &x, &weights, Some(&bias))
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn direct_convolution_rounds_its_operands_and_nothing_else(case in any_case(4_000_000)) {
        if there() {
            let exact = case.s.cin < 8; // too few channels for pairs
            let expected = if exact { expected(case, wide) } else { expected(case, rounded) };
            close("direct convolution", &forward(case, Algorithm::Direct, Precision::Bf16), &expected, 1e-6);
        }
    }

    #[test]
    fn winograd_convolution_is_near_the_definition(case in any_case(4_000_000)) {
        let mut case = case;
        (case.s.k, case.s.stride, case.padding) = (3, 1, 1);
        case.s.cin = case.s.cin.max(8);
        if there() {
            let error = error(&forward(case, Algorithm::Winograd, Precision::Bf16), &expected(case, wide));
            println!("error Winograd {error:.2e}");
            prop_assert!((1e-4..2.5e-2).contains(&error), "{error:.2e}");
        }
    }

    #[test]
    fn attention_is_near_the_definition(
        tokens in select(vec![1usize, 2, 7, 31, 32, 33, 64, 75, 96]),
        dim in select(vec![1usize, 3, 8, 16, 17, 32, 33, 64]),
        sharpness in 0.1f32..10.0,
    ) {
        if there() {
            let (qkv, scale) = (values(1, tokens * 3 * dim), vec![sharpness; dim]);
            let mut out = vec![f32::NAN; tokens * dim];
            attention::forward_in(Precision::Bf16, Heads { groups: 1, dim, tokens }, &qkv, &scale, &mut out, 0, 1);
            let part = |part: usize| qkv.chunks_exact(3 * dim).flat_map(|token| wide(&token[part * dim..][..dim])).collect::<Vec<f64>>();
            let expected = reference::attention(&part(0), &part(1), &part(2), &wide(&scale), dim);
            close("attention", &out, &expected, 2e-2);
        }
    }
}

#[test]
fn a_nan_is_seen_through_pairs() {
    if there() {
        let s = ConvShape { groups: 1, cin: 17, cout: 5, kt: 1, k: 1, stride: 1 };
        let mut x = values(1, 3 * 17);
        x[17 + 16] = f32::NAN; // the odd last channel of the second pixel
        let packed = conv::pack_in(Precision::Bf16, &s, &values(2, s.weights()));
        let mut out = vec![0.0; 15];
        conv::forward(&s, &conv::Extent { frames: 1, batch: 1, height: 1, width: 3 }, &x, &packed, None, &mut out, false);
        assert!(out.iter().enumerate().all(|(i, v)| v.is_nan() == (5..10).contains(&i)), "{out:?}");
    }
}

#[test]
fn a_precision_the_processor_lacks_is_refused_in_words() {
    assert_eq!(Precision::F32.here(), Ok(Precision::F32));
    match Precision::Bf16.here() {
        Ok(found) => assert!(found == Precision::Bf16 && tier() == Tier::Avx512),
        Err(lacking) => assert!(lacking.to_string().contains("AVX-512 BF16") && lacking.to_string().contains(tier().name()), "{lacking}"),
    }
}
