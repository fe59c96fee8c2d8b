//! Position: where on the core's map each unit looks, a Gaussian in training and its mean otherwise.

use crate::draws::Draws;
use crate::params::{Gradients, Param, Params};
use striate_kernels::pad::Frame;
use striate_kernels::readout::Gather;

/// Learned mean and spread of every unit's position, before tanh maps them onto the map.
#[derive(Clone, Debug)]
pub(crate) struct Position {
    pub(crate) units: usize,
    pub(crate) init_std: f32,
}

/// Positions ready to run, [N, U]: before tanh, and as gathers on the map.
#[derive(Clone, Debug)]
pub(crate) struct PreparedPosition {
    raw: Vec<[f32; 2]>,
    pub(crate) gathers: Vec<Gather>,
}

impl Position {
    pub(crate) fn declare(&self, params: &mut Params) {
        let units = self.units;
        let mut push = |name: &str, shape: Vec<usize>, value: Vec<f32>| {
            let name = format!("readout.position.{name}");
            params.push(Param { name, shape, value: value.into(), decay: false, scale: units as f32, norm_axes: None, frozen: false });
        };
        push("mu", vec![units, 2], vec![0.0; 2 * units]);
        let spread = [self.init_std, 0.0, 0.0, self.init_std];
        push("sigma", vec![units, 2, 2], spread.repeat(units));
    }

    /// `mu + sigma draw` per batch element and unit, or mu.
    pub(crate) fn prepare(&self, params: &Params, map: Frame, batch: usize, draws: &Draws) -> PreparedPosition {
        let (mu, sigma) = (params.value("readout.position.mu"), params.value("readout.position.sigma"));
        let raw: Vec<[f32; 2]> = (0..batch * self.units)
            .map(|i| {
                let u = i % self.units;
                std::array::from_fn(|k| {
                    let noise = draws.readout_position.get(i).map_or(0.0, |e| sigma[u * 4 + k * 2] * e[0] + sigma[u * 4 + k * 2 + 1] * e[1]);
                    mu[u * 2 + k] + noise
                })
            })
            .collect();
        let gathers = raw.iter().map(|p| Gather::new(map, to_pixels(*p, map))).collect();
        PreparedPosition { raw, gathers }
    }

    /// Adds gradients of mu and sigma from those of pixel positions [N, U].
    pub(crate) fn add_gradients(
        &self,
        prepared: &PreparedPosition,
        params: &Params,
        map: Frame,
        draws: &Draws,
        dpixels: &[[f32; 2]],
        gradients: &mut Gradients,
    ) {
        let (mut dmu, mut dsigma) = (vec![0.0; 2 * self.units], vec![0.0; 4 * self.units]);
        for (i, (raw, d)) in prepared.raw.iter().zip(dpixels).enumerate() {
            let u = i % self.units;
            for k in 0..2 {
                let size = [map.width, map.height][k] as f32;
                let t = raw[k].tanh();
                let d = d[k] * size / 2.0 * (1.0 - t * t);
                dmu[u * 2 + k] += d;
                if let Some(e) = draws.readout_position.get(i) {
                    dsigma[u * 4 + k * 2] += d * e[0];
                    dsigma[u * 4 + k * 2 + 1] += d * e[1];
                }
            }
        }
        gradients.add(params, "readout.position.mu", &dmu);
        if !draws.readout_position.is_empty() {
            gradients.add(params, "readout.position.sigma", &dsigma);
        }
    }
}

/// Pixel position (x, y) of a position before tanh; -1 and 1 are the outer edges of the map.
pub(crate) fn to_pixels(raw: [f32; 2], map: Frame) -> [f32; 2] {
    let at = |v: f32, n: usize| ((v.tanh() + 1.0) * n as f32 - 1.0) / 2.0;
    [at(raw[0], map.width), at(raw[1], map.height)]
}
