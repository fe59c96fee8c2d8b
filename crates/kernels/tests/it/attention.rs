//! Cosine attention of one head.

use crate::measure::{cases, close, dot, gradient, values, wide};
use proptest::prelude::*;
use proptest::sample::select;
use striate_kernels::attention::{self, Heads};
use striate_kernels::reference;

/// Inputs of a head with scales around `sharpness`.
struct Inputs {
    q: Vec<f32>,
    k: Vec<f32>,
    v: Vec<f32>,
    scale: Vec<f32>,
    dim: usize,
}

impl Inputs {
    fn new(tokens: usize, dim: usize, sharpness: f32) -> Self {
        let draw = |seed| values(seed, tokens * dim);
        let scale = values(4, dim).iter().map(|v| sharpness * (1.0 + 0.3 * v)).collect();
        Self { q: draw(1), k: draw(2), v: draw(3), scale, dim }
    }

    /// Attended values [tokens, dim].
    fn attended(&self) -> Vec<f32> {
        let mut out = vec![f32::NAN; self.q.len()];
        attention::forward(self.heads(), &self.qkv(), &self.scale, &mut out, 0, 1);
        out
    }

    fn heads(&self) -> Heads {
        Heads { groups: 1, dim: self.dim, tokens: self.q.len() / self.dim }
    }

    fn qkv(&self) -> Vec<f32> {
        let of_token = |t: usize| [&self.q, &self.k, &self.v].into_iter().flat_map(move |x| &x[t * self.dim..][..self.dim]);
        (0..self.heads().tokens).flat_map(of_token).copied().collect()
    }

    /// Gradients of queries, keys, values and scale.
    fn gradients(&self, da: &[f32]) -> [Vec<f32>; 4] {
        let (qkv, mut dqkv, mut dscale) = (self.qkv(), vec![f32::NAN; 3 * self.q.len()], vec![0.0; self.dim]);
        attention::backward(self.heads(), &qkv, &self.scale, da, 0, 1, &mut dqkv, &mut dscale);
        let part = |part: usize| dqkv.chunks_exact(3 * self.dim).flat_map(|token| token[part * self.dim..][..self.dim].to_vec()).collect();
        [part(0), part(1), part(2), dscale]
    }
}

proptest! {
    #![proptest_config(cases(32))]

    #[test]
    fn forward_is_the_definition(
        tokens in select(vec![1usize, 2, 7, 31, 32, 33, 64, 75, 96]),
        dim in select(vec![1usize, 2, 3, 8, 16, 17, 32, 33, 64]),
        sharpness in 0.1f32..10.0,
    ) {
        let i = Inputs::new(tokens, dim, sharpness);
        let expected = reference::attention(&wide(&i.q), &wide(&i.k), &wide(&i.v), &wide(&i.scale), dim);
        close("attention forward", &i.attended(), &expected, 3e-6);
    }

    #[test]
    fn heads_lie_side_by_side(
        tokens in select(vec![1usize, 6, 33, 49]),
        dim in select(vec![1usize, 5, 16, 33]),
        groups in 1usize..4,
        batch in 1usize..3,
        parts in 1usize..4,
    ) {
        let (qkv, scales) = (values(1, batch * tokens * groups * 3 * dim), values(2, groups * dim));
        let before = values(3, batch * tokens * groups * parts * dim);
        let mut out = before.clone();
        attention::forward(Heads { groups, dim, tokens }, &qkv, &scales, &mut out, parts - 1, parts);
        let mut expected = wide(&before);
        for (n, g) in (0..batch * groups).map(|head| (head / groups, head % groups)) {
            let at = |t: usize, place: usize, places: usize| (((n * tokens + t) * groups + g) * places + place) * dim;
            let part = |place: usize| (0..tokens).flat_map(|t| wide(&qkv[at(t, place, 3)..][..dim])).collect::<Vec<f64>>();
            let a = reference::attention(&part(0), &part(1), &part(2), &wide(&scales[g * dim..][..dim]), dim);
            a.chunks_exact(dim).enumerate().for_each(|(t, a)| expected[at(t, parts - 1, parts)..][..dim].copy_from_slice(a));
        }
        close("attention of a map", &out, &expected, 3e-6);
        let kept = |x: &[f32]| x.chunks_exact(parts * dim).flat_map(|pixel| pixel[..(parts - 1) * dim].to_vec()).collect::<Vec<f32>>();
        assert_eq!(kept(&out), kept(&before));
    }

    #[test]
    fn gradients_are_the_slopes(
        tokens in select(vec![2usize, 7, 31, 32, 33, 50]),
        dim in select(vec![2usize, 3, 8, 16, 17, 33]),
        sharpness in 0.3f32..10.0,
    ) {
        let i = Inputs::new(tokens, dim, sharpness);
        let da = values(5, tokens * dim);
        let [dq, dk, dv, dscale] = i.gradients(&da);
        let (q, k, v, scale, da) = (wide(&i.q), wide(&i.k), wide(&i.v), wide(&i.scale), wide(&da));
        gradient("attention q", &dq, &q, |q| dot(&reference::attention(q, &k, &v, &scale, dim), &da));
        gradient("attention k", &dk, &k, |k| dot(&reference::attention(&q, k, &v, &scale, dim), &da));
        gradient("attention v", &dv, &v, |v| dot(&reference::attention(&q, &k, v, &scale, dim), &da));
        gradient("attention scale", &dscale, &scale, |s| dot(&reference::attention(&q, &k, &v, s, dim), &da));
    }
}

/// Gradients of a map are those of its heads, one at a time; the scales' are added up over the batch, and to what was there.
#[test]
fn gradients_of_heads_side_by_side() {
    let (batch, groups, tokens, dim, parts) = (2, 3, 50, 5, 2);
    let (qkv, scales) = (values(1, batch * tokens * groups * 3 * dim), values(2, groups * dim));
    let dout = values(3, batch * tokens * groups * parts * dim);
    let (mut dqkv, mut dscales) = (vec![f32::NAN; qkv.len()], vec![1.0; scales.len()]);
    attention::backward(Heads { groups, dim, tokens }, &qkv, &scales, &dout, 1, parts, &mut dqkv, &mut dscales);
    let mut expected = vec![1.0; scales.len()];
    for (n, g) in (0..batch * groups).map(|head| (head / groups, head % groups)) {
        let part = |x: &[f32], place: usize, places: usize| -> Vec<f32> {
            (0..tokens).flat_map(|t| x[(((n * tokens + t) * groups + g) * places + place) * dim..][..dim].to_vec()).collect()
        };
        let [q, k, v] = [0, 1, 2].map(|place| part(&qkv, place, 3));
        let [dq, dk, dv, dscale] = Inputs { q, k, v, scale: scales[g * dim..][..dim].to_vec(), dim }.gradients(&part(&dout, 1, parts));
        for (place, alone) in [dq, dk, dv].into_iter().enumerate() {
            assert_eq!(part(&dqkv, place, 3), alone);
        }
        expected[g * dim..][..dim].iter_mut().zip(dscale).for_each(|(sum, d)| *sum += d);
    }
    assert_eq!(dscales, expected);
}

#[test]
fn lengths_of_queries_and_keys_do_not_matter() {
    let i = Inputs::new(40, 16, 5.0);
    let (q, k): (Vec<f32>, Vec<f32>) = i.q.iter().zip(&i.k).map(|(q, k)| (q * 8.0, k / 4.0)).unzip();
    assert_eq!(i.attended(), Inputs { q, k, ..Inputs::new(40, 16, 5.0) }.attended());
}

#[test]
fn equal_values_come_out_as_they_went_in() {
    let mut i = Inputs::new(70, 8, 10.0);
    i.v = [0.5, -1.0, 2.0, 0.0, 3.0, -0.25, 1.0, 7.0].repeat(70);
    close("equal values", &i.attended(), &wide(&i.v), 1e-6);
}

#[test]
fn a_nan_value_is_not_hidden() {
    let mut i = Inputs::new(40, 8, 3.0);
    i.q[3 * 8] = f32::NAN;
    let out = i.attended();
    assert!(out[3 * 8..4 * 8].iter().all(|v| v.is_nan()));
    assert!(out[..3 * 8].iter().chain(&out[4 * 8..]).all(|v| v.is_finite()));
}
