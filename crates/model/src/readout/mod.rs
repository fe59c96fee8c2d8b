//! Readout: each unit reads the core at one learned position with its own feature weights (paper Methods, "Readout").

pub(crate) mod feature;
pub(crate) mod position;

use crate::config::NetworkConfig;
use crate::draws::Draws;
use crate::params::{Gradients, Param, Params};
use feature::Feature;
use position::{Position, PreparedPosition};
use striate_kernels::pad::Frame;
use striate_kernels::readout;

/// The readout of all streams: positions are shared, features and biases are each stream's own.
#[derive(Clone, Debug)]
pub(crate) struct Readout {
    pub(crate) position: Position,
    pub(crate) feature: Feature,
    map: Frame,
}

/// Features and biases of one stream, ready to run.
#[derive(Clone, Debug)]
pub(crate) struct PreparedReadout {
    weights: Vec<f32>,
    biases: Vec<f32>,
}

impl Readout {
    pub(crate) fn new(config: &NetworkConfig, map: Frame) -> Self {
        let r = &config.readout;
        let feature = Feature { kind: r.feature, units: config.units, channels: map.channels, groups: r.feature_groups };
        Self { position: Position { units: config.units, init_std: r.init_std }, feature, map }
    }

    /// Adds the positions.
    pub(crate) fn declare_shared(&self, params: &mut Params) {
        self.position.declare(params);
    }

    /// Adds one stream's features and biases.
    pub(crate) fn declare(&self, params: &mut Params, stream: usize) {
        self.feature.declare(params, stream);
        let units = self.feature.units;
        params.push(Param {
            name: format!("readout.biases.{stream}"),
            shape: vec![units, 1],
            value: vec![0.0; units].into(),
            decay: false,
            scale: units as f32,
            norm_axes: Some(vec![0]),
            frozen: false,
        });
    }

    pub(crate) fn prepare_positions(&self, params: &Params, batch: usize, draws: &Draws) -> PreparedPosition {
        self.position.prepare(params, self.map, batch, draws)
    }

    pub(crate) fn prepare(&self, params: &Params, stream: usize) -> PreparedReadout {
        let biases = params.value(&format!("readout.biases.{stream}")).to_vec();
        PreparedReadout { weights: self.feature.effective(params, stream), biases }
    }

    /// Readout [T * N, U] of one stream's maps [T * N, h, w, C], written to `out`.
    pub(crate) fn forward(&self, prepared: &PreparedReadout, positions: &PreparedPosition, maps: &[f32], out: &mut Vec<f32>) {
        out.resize(maps.len() / self.map.len() * self.feature.units, 0.0);
        if self.feature.units > 0 {
            readout::forward(self.map, maps, &positions.gathers, &prepared.weights, &prepared.biases, out);
        }
    }

    /// Adds parameter gradients and returns that of the maps.
    pub(crate) fn backward(
        &self,
        prepared: &PreparedReadout,
        positions: &PreparedPosition,
        params: &Params,
        stream: usize,
        maps: &[f32],
        draws: &Draws,
        dr: &[f32],
        gradients: &mut Gradients,
    ) -> Vec<f32> {
        let d = readout::backward(self.map, maps, &positions.gathers, &prepared.weights, dr);
        self.feature.add_gradients(params, stream, &d.weights, gradients);
        gradients.add(params, &format!("readout.biases.{stream}"), &d.biases);
        self.position.add_gradients(positions, params, self.map, draws, &d.positions, gradients);
        d.maps
    }
}
