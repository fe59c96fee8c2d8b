//! SgdClip: stochastic gradient descent with adaptive clipping per slice, Nesterov momentum and decoupled weight decay.
//!
//! Steps of the reference implementation, per parameter that has a gradient: scale, clip each slice against the slice's own
//! norm, momentum, decay, move. Parameters without a gradient (another stream's, or frozen) are left alone entirely.

use crate::config::OptimizerConfig;
use striate_model::{Gradients, Param, Params};

/// The optimizer: its settings and one momentum buffer per parameter that ever had a gradient.
#[derive(Clone, Debug, PartialEq)]
pub struct SgdClip {
    config: OptimizerConfig,
    momentum: Vec<Option<Vec<f32>>>,
}

impl SgdClip {
    /// Without momentum yet.
    pub fn new(config: OptimizerConfig, params: &Params) -> Self {
        Self { config, momentum: vec![None; params.len()] }
    }

    /// Momentum of the parameter at a place, if it has any.
    pub fn momentum(&self, place: usize) -> Option<&[f32]> {
        self.momentum[place].as_deref()
    }

    /// Gives back a momentum buffer (resuming).
    pub fn set_momentum(&mut self, place: usize, buffer: Vec<f32>) {
        self.momentum[place] = Some(buffer);
    }

    /// One step at learning rate `lr`.
    pub fn step(&mut self, params: &mut Params, gradients: &Gradients, lr: f64) {
        self.step_those(params, gradients, lr, |_| true);
    }

    /// One step of the parameters that `which` names.
    pub fn step_those(&mut self, params: &mut Params, gradients: &Gradients, lr: f64, which: impl Fn(&str) -> bool) {
        for (place, param) in params.iter_mut().enumerate().filter(|(_, param)| which(&param.name)) {
            let Some(gradient) = gradients.get(place) else { continue };
            let mut d: Vec<f32> = gradient.iter().map(|g| g * param.scale).collect();
            if self.config.clip.is_finite() {
                clip(param, &mut d, self.config.clip, self.config.eps);
            }
            self.accelerate(place, &mut d);
            let (lr, decay) = (lr as f32, if param.decay { self.config.decay as f32 } else { 0.0 });
            for (p, d) in param.value.iter_mut().zip(&d) {
                *p -= lr * (d + decay * *p);
            }
        }
    }

    fn accelerate(&mut self, place: usize, d: &mut [f32]) {
        let momentum = self.config.momentum as f32;
        match &mut self.momentum[place] {
            slot @ None => *slot = Some(d.to_vec()),
            Some(v) => v.iter_mut().zip(d.iter()).for_each(|(v, d)| *v = momentum * *v + d),
        }
        let v = self.momentum[place].as_deref().unwrap_or_default();
        if self.config.nesterov {
            d.iter_mut().zip(v).for_each(|(d, v)| *d += momentum * v);
        } else {
            d.copy_from_slice(v);
        }
    }
}

/// Scales each slice of the gradient down to at most `clip` times the parameter slice's norm (and no less than `eps` per
/// root of the whole tensor's size).
fn clip(param: &Param, d: &mut [f32], clip: f64, eps: f64) {
    let slices = Slices::new(param);
    let (mut of_param, mut of_gradient) = (vec![0.0f64; slices.count], vec![0.0f64; slices.count]);
    for (i, (p, d)) in param.value.iter().zip(d.iter()).enumerate() {
        let slice = slices.of(i);
        of_param[slice] += f64::from(*p).powi(2);
        of_gradient[slice] += f64::from(*d).powi(2);
    }
    let floor = eps * (d.len() as f64).sqrt();
    let shrink: Vec<f32> = of_param
        .iter()
        .zip(&of_gradient)
        .map(|(p, d)| {
            let most = (clip * p.sqrt()).max(floor);
            (most / d.sqrt().max(most)) as f32
        })
        .collect();
    d.iter_mut().enumerate().for_each(|(i, d)| *d *= shrink[slices.of(i)]);
}

/// Which slice an element belongs to: elements that differ only along the norm axes share one.
struct Slices {
    count: usize,
    /// (stride in the tensor, size, stride among slices) of every axis that is not summed over.
    kept: Vec<(usize, usize, usize)>,
}

impl Slices {
    fn new(param: &Param) -> Self {
        let Some(axes) = &param.norm_axes else { return Self { count: 1, kept: Vec::new() } };
        let (mut kept, mut stride, mut count) = (Vec::new(), 1, 1);
        for (axis, size) in param.shape.iter().enumerate().rev() {
            if !axes.contains(&axis) {
                kept.push((stride, *size, count));
                count *= size;
            }
            stride *= size;
        }
        Self { count, kept }
    }

    fn of(&self, element: usize) -> usize {
        self.kept.iter().map(|(stride, size, among)| element / stride % size * among).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use striate_model::{Network, NetworkConfig};

    /// A parameter tensor of a real network, put to another shape.
    fn params(value: Vec<f32>, shape: Vec<usize>, norm_axes: Option<Vec<usize>>, decay: bool) -> Params {
        let config = NetworkConfig { units: 1, streams: 1, ..NetworkConfig::default() };
        let mut params = Network::new(config, 0).expect("default network").params().clone();
        let first = params.iter_mut().next().expect("parameters");
        (first.value, first.shape, first.norm_axes, first.decay) = (value.into(), shape, norm_axes, decay);
        params
    }

    #[test]
    fn two_steps_are_the_reference_ones() {
        let config = OptimizerConfig { lr: 0.1, decay: 1e-4, momentum: 0.9, nesterov: true, clip: 0.01, eps: 0.001, seed: 0 };
        let mut params = params(vec![3.0, 4.0], vec![2], None, true);
        let mut optimizer = SgdClip::new(config, &params);
        for (d, want) in [([1.0, 0.0], [2.99047, 3.99996]), ([0.0, 1.0], [2.9863901, 3.9904308])] {
            let mut gradients = Gradients::none(&params);
            gradients.set(0, Some(d.to_vec()));
            optimizer.step(&mut params, &gradients, 0.1);
            for (g, w) in params[0].value.iter().zip(want) {
                assert!((g - w).abs() < 5e-7, "{:?} {want:?}", params[0].value);
            }
        }
    }

    #[test]
    fn slices_keep_the_other_axes() {
        let params = params(vec![0.0; 24], vec![2, 3, 2, 2], Some(vec![1, 3]), false);
        let slices = Slices::new(&params[0]);
        assert_eq!(slices.count, 4);
        // element [o, i, a, b] belongs to slice (o, a)
        for (o, i, a, b) in [(0, 0, 0, 0), (1, 2, 1, 0), (1, 0, 0, 1), (0, 2, 1, 1)] {
            assert_eq!(slices.of(((o * 3 + i) * 2 + a) * 2 + b), o * 2 + a);
        }
    }

    #[test]
    fn a_parameter_without_gradient_stays() {
        let config = OptimizerConfig::default();
        let mut params = params(vec![3.0, 4.0], vec![2], None, true);
        let before = params.clone();
        SgdClip::new(config, &params).step(&mut params, &Gradients::none(&before), 0.1);
        assert_eq!(params, before);
    }
}
