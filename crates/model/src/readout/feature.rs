//! Features: what each unit reads at its position. The weights of all streams together are its functional barcode.

use crate::config::FeatureKind;
use crate::params::{Gradients, Param, Params};
use rayon::prelude::*;
use striate_kernels::weight_norm;

/// Feature weights of every unit, one set per stream.
#[derive(Clone, Debug)]
pub(crate) struct Feature {
    pub(crate) kind: FeatureKind,
    pub(crate) units: usize,
    pub(crate) channels: usize,
    pub(crate) groups: usize,
}

impl Feature {
    fn key(&self, kind: &str, stream: usize) -> String {
        format!("readout.feature.{kind}.{stream}")
    }

    pub(crate) fn declare(&self, params: &mut Params, stream: usize) {
        let (units, scale) = (self.units, self.units as f32);
        let (shape, axis) = match self.kind {
            FeatureKind::Vanilla => (vec![units, 1, self.channels], 2),
            FeatureKind::Norm => (vec![units, 1, self.groups, self.channels / self.groups], 3),
        };
        let value = vec![0.0; units * self.channels].into();
        params.push(Param { name: self.key("weights", stream), shape, value, decay: true, scale, norm_axes: Some(vec![axis]), frozen: false });
        if self.kind == FeatureKind::Norm {
            let value = vec![(self.groups as f32).powf(-0.5); units * self.groups].into();
            let shape = vec![units, 1, self.groups];
            params.push(Param { name: self.key("gains", stream), shape, value, decay: false, scale, norm_axes: Some(vec![0]), frozen: false });
        }
    }

    /// Weights as applied, [U, C]. Normalised ones are scaled over all channels, whatever the number of groups.
    pub(crate) fn effective(&self, params: &Params, stream: usize) -> Vec<f32> {
        let raw = params.value(&self.key("weights", stream));
        match self.kind {
            FeatureKind::Vanilla => raw.to_vec(),
            FeatureKind::Norm => {
                let gains = params.value(&self.key("gains", stream));
                raw.par_chunks(self.channels)
                    .zip(gains.par_chunks(self.groups))
                    .flat_map_iter(|(raw, gains)| weight_norm::forward(raw, self.channels / self.groups, self.channels, Some(gains)))
                    .collect()
            }
        }
    }

    /// Adds gradients of the raw weights (and gains) from those of the applied ones.
    pub(crate) fn add_gradients(&self, params: &Params, stream: usize, d: &[f32], gradients: &mut Gradients) {
        match self.kind {
            FeatureKind::Vanilla => gradients.add(params, &self.key("weights", stream), d),
            FeatureKind::Norm => {
                let (raw, gains) = (params.value(&self.key("weights", stream)), params.value(&self.key("gains", stream)));
                let (draw, dgains) = weight_norm::backward(raw, self.channels / self.groups, self.channels, Some(gains), d);
                gradients.add(params, &self.key("weights", stream), &draw);
                gradients.add(params, &self.key("gains", stream), &dgains);
            }
        }
    }
}
