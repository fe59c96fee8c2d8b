//! What a group of the recurrent part hears of the others.

use crate::layers::conv::Prepared;
use crate::params::{Gradients, Param, Params};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use striate_kernels::conv::ConvShape;
use striate_kernels::weight_norm;

/// 1x1 projection from all other groups' hidden state ("external cells" of the paper): no self term.
#[derive(Clone, Debug)]
pub(super) struct InterGroup {
    pub(super) groups: usize,
    pub(super) inputs: usize,
    pub(super) hidden: usize,
    pub(super) gain: f32,
}

impl InterGroup {
    const NAME: &str = "core.recurrent.proj_x.0";

    fn fan_in(&self) -> usize {
        (self.groups - 1) * self.hidden
    }

    pub(super) fn declare(&self, params: &mut Params, stream: usize, rng: &mut ChaCha8Rng) {
        let bound = (self.fan_in() as f32).powf(-0.5);
        let shape = vec![self.groups, self.groups - 1, self.inputs, self.hidden];
        let value: Vec<f32> = (0..shape.iter().product::<usize>()).map(|_| rng.random_range(-bound..bound)).collect();
        let value = value.into();
        let name = |kind: &str| format!("{}.{kind}.{stream}", Self::NAME);
        params.push(Param { name: name("weights"), shape, value, decay: true, scale: 1.0, norm_axes: Some(vec![1, 3]), frozen: false });
        let value = vec![self.gain; self.groups * self.inputs].into();
        let shape = vec![self.groups, self.inputs];
        params.push(Param { name: name("gains"), shape, value, decay: false, scale: 1.0, norm_axes: Some(vec![1]), frozen: false });
    }

    /// Raw index [out group, other group, out channel, in channel] for row (out group, out channel), column (other, in).
    fn raw(&self, row: usize, column: usize) -> usize {
        let (o, a, other, b) = (row / self.inputs, row % self.inputs, column / self.hidden, column % self.hidden);
        ((o * (self.groups - 1) + other) * self.inputs + a) * self.hidden + b
    }

    /// Index into the dense [all inputs, all hidden] kernel for the same row and column.
    fn dense(&self, row: usize, column: usize) -> usize {
        let (o, other, b) = (row / self.inputs, column / self.hidden, column % self.hidden);
        let source = other + usize::from(other >= o);
        row * self.groups * self.hidden + source * self.hidden + b
    }

    fn rows(&self, params: &Params, stream: usize) -> Vec<f32> {
        let raw = params.value(&format!("{}.weights.{stream}", Self::NAME));
        let (rows, columns) = (self.groups * self.inputs, self.fan_in());
        (0..rows * columns).map(|i| raw[self.raw(i / columns, i % columns)]).collect()
    }

    pub(super) fn prepare(&self, params: &Params, stream: usize) -> Prepared {
        let gains = params.value(&format!("{}.gains.{stream}", Self::NAME));
        let columns = self.fan_in();
        let normal = weight_norm::forward(&self.rows(params, stream), columns, columns, Some(gains));
        let (cin, cout) = (self.groups * self.hidden, self.groups * self.inputs);
        let mut dense = vec![0.0; cin * cout];
        normal.iter().enumerate().for_each(|(i, w)| dense[self.dense(i / columns, i % columns)] = *w);
        let learns = params.learns(&format!("{}.weights.{stream}", Self::NAME));
        Prepared::new(ConvShape { groups: 1, cin, cout, kt: 1, k: 1, stride: 1 }, dense, None, learns)
    }

    pub(super) fn add_gradients(&self, params: &Params, stream: usize, dense: &[f32], gradients: &mut Gradients) {
        if dense.is_empty() {
            return; // frozen
        }
        let gains = params.value(&format!("{}.gains.{stream}", Self::NAME));
        let columns = self.fan_in();
        let rows = self.rows(params, stream);
        let drows: Vec<f32> = (0..rows.len()).map(|i| dense[self.dense(i / columns, i % columns)]).collect();
        let (drows, dgains) = weight_norm::backward(&rows, columns, columns, Some(gains), &drows);
        let mut draw = vec![0.0; drows.len()];
        drows.iter().enumerate().for_each(|(i, d)| draw[self.raw(i / columns, i % columns)] = *d);
        gradients.add(params, &format!("{}.weights.{stream}", Self::NAME), &draw);
        gradients.add(params, &format!("{}.gains.{stream}", Self::NAME), &dgains);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Workspace;
    use rand::SeedableRng;

    #[test]
    fn inter_group_kernel_is_the_reference_one() {
        let layer = InterGroup { groups: 2, inputs: 2, hidden: 2, gain: 1.0 };
        let mut params = Params::default();
        layer.declare(&mut params, 0, &mut ChaCha8Rng::seed_from_u64(0));
        params.get_mut("core.recurrent.proj_x.0.weights.0").expect("declared").value = vec![1., 2., 3., 5., 7., 8., 9., 12.].into();
        let dense = layer.prepare(&params, 0);
        let dense = dense.pointwise(&[1., 0., 0., 0., 0., 1., 0., 0., 0., 0., 1., 0., 0., 0., 0., 1.], &mut Workspace::passing());
        let want = [
            [0., 0., -0.70709968, -0.70710599],
            [0., 0., 0.70709968, 0.70710599],
            [-0.70709968, -0.70710498, 0., 0.],
            [0.70709968, 0.70710498, 0., 0.],
        ];
        dense.iter().zip(want.iter().flatten()).for_each(|(g, w)| assert!((g - w).abs() < 1e-6, "{dense:?}"));
    }
}
