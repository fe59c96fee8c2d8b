//! The core: feedforward DenseNet and recurrent cell.

use super::{Conv, Maps, ONE, ReferenceNetwork, Sequence, nonlinear};
use striate_kernels::conv::ConvShape;
use striate_kernels::pad::{Border, Frame};
use striate_kernels::{pool, reference};
use striate_model::config::{FeedforwardKind, RecurrentKind};

impl ReferenceNetwork {
    /// Feedforward maps [T * N, H, W, C] of one stream.
    pub fn feedforward(&self, sequence: &Sequence, retinal: &Maps, stream: usize) -> Maps {
        let f = &self.config.feedforward;
        let mut x = retinal.clone();
        for b in 0..f.block_channels.len() {
            let key = format!("core.feedforward.inputs.{b}");
            let first = Conv { stride: f.in_stride, plain: f.kind == FeedforwardKind::InputDense, ..ONE };
            let input = if b == 0 { first } else { ONE };
            x = self.conv(&key, stream, Conv { border: Border::Replicate, ..input }, &x);
            x = self.block(sequence, x, b, stream);
        }
        self.conv("core.feedforward.out", stream, ONE, &x)
    }

    /// One densely connected block.
    fn block(&self, sequence: &Sequence, input: Maps, b: usize, stream: usize) -> Maps {
        let f = &self.config.feedforward;
        let groups = f.block_groups[b];
        let grouped = Conv { groups, batch: sequence.batch(), ..ONE };
        let mut z = input.clone();
        let mut x = input;
        let mut n: Option<Maps> = None;
        for l in 0..f.block_layers[b] {
            let mut y = x.map(nonlinear(f.nonlinear));
            sequence.drop(&format!("core.feedforward.blocks.{b}.{l}"), &mut y);
            x = self.conv(&format!("core.feedforward.blocks.{b}.convs.{l}"), stream, grouped, &y);
            if let Some(n) = &n {
                x = x.plus(&self.conv(&format!("core.feedforward.blocks.{b}.skips.{l}"), stream, grouped, n));
            }
            n = Some(match &n {
                None => y,
                Some(n) => Maps::concatenate(&[n, &y], groups),
            });
            z = Maps::concatenate(&[&z, &x], groups);
        }
        let size = f.block_pools[b];
        Maps { frame: pool::pooled(z.frame, size), values: reference::average_pool(z.frame, size, &z.values) }
    }

    /// The core's output [T * N, H, W, C] of one stream.
    pub fn recurrent(&self, sequence: &Sequence, feedforward: &Maps, modulation: &Maps, stream: usize) -> Maps {
        let r = &self.config.recurrent;
        let batch = sequence.batch();
        let frame = Frame { channels: r.hidden_channels, ..feedforward.frame };
        let zero = Maps { frame, values: vec![0.0; batch * frame.len()] };
        let (mut h, mut c) = (zero.clone(), zero);
        let mut outputs = Vec::new();
        for t in 0..sequence.video.shape[0] {
            let now =
                |maps: &Maps| Maps { frame: maps.frame, values: maps.values[t * batch * maps.frame.len()..][..batch * maps.frame.len()].to_vec() };
            let mut x = self.cell_input(&now(feedforward), &now(modulation), &h, stream);
            sequence.drop("core.recurrent.x", &mut x);
            let xh = Maps::concatenate(&[&x, &h], r.groups);
            let seen = if r.kind == RecurrentKind::ConvLstm { xh } else { self.attended(&xh, stream) };
            let gate = |name: &str| self.conv(&format!("core.recurrent.proj_{name}"), stream, Conv { groups: r.groups, ..ONE }, &seen);
            if r.kind == RecurrentKind::CvtGru {
                let (u, mut new) = (gate("z").map(reference::sigmoid).values, gate("n").map(f64::tanh));
                sequence.drop("core.recurrent.h", &mut new);
                for k in 0..u.len() {
                    h.values[k] = u[k] * h.values[k] + (1.0 - u[k]) * new.values[k];
                }
            } else {
                let (i, f, g, o) = (gate("i").values, gate("f").values, gate("g").values, gate("o").values);
                for k in 0..i.len() {
                    c.values[k] = reference::sigmoid(f[k]) * c.values[k] + reference::sigmoid(i[k]) * g[k].tanh();
                    h.values[k] = reference::sigmoid(o[k]) * c.values[k].tanh();
                }
                sequence.drop("core.recurrent.h", &mut h);
            }
            outputs.extend(self.conv("core.recurrent.out", stream, ONE, &h).values);
        }
        Maps { frame: Frame { channels: r.out_channels, ..frame }, values: outputs }
    }

    /// tanh of what the other groups, the feedforward maps and the modulation send.
    fn cell_input(&self, feedforward: &Maps, modulation: &Maps, h: &Maps, stream: usize) -> Maps {
        let several = self.config.recurrent.groups > 1;
        let key = |input: usize| format!("core.recurrent.proj_x.{}", input + usize::from(several));
        let mut x = self.conv(&key(0), stream, ONE, feedforward).plus(&self.conv(&key(1), stream, ONE, modulation));
        if several {
            x = x.plus(&self.other_groups(h, stream));
        }
        x.map(f64::tanh)
    }

    /// What each group receives from the hidden states of all others.
    fn other_groups(&self, h: &Maps, stream: usize) -> Maps {
        let (shape, raw) = &self.params[&format!("core.recurrent.proj_x.0.weights.{stream}")];
        let [groups, others, to, from] = shape[..] else { panic!("weights between groups have four axes") };
        let gains = self.values(&format!("core.recurrent.proj_x.0.gains.{stream}"));
        let (channels_in, channels_out) = (groups * from, groups * to);
        let mut weights = vec![0.0; channels_out * channels_in];
        for o in 0..groups {
            for a in 0..to {
                let row: Vec<f64> = (0..others * from).map(|i| raw[((o * others + i / from) * to + a) * from + i % from]).collect();
                let row = reference::weight_norm(&row, row.len(), row.len(), Some(&gains[o * to + a..][..1]));
                for i in (0..groups).filter(|i| *i != o) {
                    for b in 0..from {
                        weights[(o * to + a) * channels_in + i * from + b] = row[(i - usize::from(i > o)) * from + b];
                    }
                }
            }
        }
        let s = ConvShape { groups: 1, cin: channels_in, cout: channels_out, kt: 1, k: 1, stride: 1 };
        let values = reference::conv(&s, h.frame, 1, 0, Border::Zero, &h.values, &weights, None);
        Maps { frame: Frame { channels: channels_out, ..h.frame }, values }
    }

    /// Convolution and attention over it, group by group.
    fn attended(&self, xh: &Maps, stream: usize) -> Maps {
        let groups = self.config.recurrent.groups;
        let grouped = Conv { groups, ..ONE };
        let z = self.conv("core.recurrent.conv", stream, grouped, xh);
        let project = |name: &str| self.conv(&format!("core.recurrent.proj_{name}"), stream, grouped, &z);
        let (q, k, v) = (project("q"), project("k"), project("v"));
        let scales = self.values(&format!("core.recurrent.scales.{stream}"));
        let (frame, dim) = (q.frame, q.frame.channels / groups);
        let mut a = q.clone();
        for (n, g) in (0..q.values.len() / frame.len()).flat_map(|n| (0..groups).map(move |g| (n, g))) {
            let at = |pixel: usize| n * frame.len() + pixel * frame.channels + g * dim;
            let pixels = frame.height * frame.width;
            let head = |x: &Maps| -> Vec<f64> { (0..pixels).flat_map(|p| x.values[at(p)..][..dim].to_vec()).collect() };
            let out = reference::attention(&head(&q), &head(&k), &head(&v), &scales[g * dim..][..dim], dim);
            for pixel in 0..pixels {
                a.values[at(pixel)..][..dim].copy_from_slice(&out[pixel * dim..][..dim]);
            }
        }
        Maps::concatenate(&[&z, &a], groups)
    }
}
