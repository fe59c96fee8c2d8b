//! Checks of a configuration, before anything is built from it.

use crate::config::{FeatureKind, NetworkConfig, PerspectiveKind, RecurrentKind};
use crate::error::Error;
use crate::size;
use serde_json::Value;

/// No size of a network is near this; larger ones are a damaged file.
const MOST: usize = 1 << 20;
/// Most streams, and most layers in a row.
const LAYERS: usize = 1024;
/// Most blocks.
const BLOCKS: usize = 64;
/// Widest kernel.
const KERNEL: usize = 63;
/// Most rows and columns of a video.
const VIDEO: usize = 8192;

impl NetworkConfig {
    /// Refuses sizes that do not fit together or that no machine can hold, naming the field.
    pub fn check(&self) -> Result<(), Error> {
        self.check_sizes()?;
        self.check_numbers()?;
        self.check_feedforward()?;
        self.check_recurrent()?;
        let channels = self.recurrent.out_channels;
        if self.readout.feature == FeatureKind::Norm && (self.readout.feature_groups == 0 || !channels.is_multiple_of(self.readout.feature_groups)) {
            return Err(wrong("readout.feature_groups", format!("a divisor of the core's {channels} channels"), self.readout.feature_groups));
        }
        let p = &self.perspective;
        if p.kind == PerspectiveKind::MonitorRetina && p.features.is_empty() {
            return Err(wrong("perspective.features", "at least one hidden layer".into(), "none"));
        }
        for (field, v) in [
            ("feedforward.dropout", self.feedforward.dropout),
            ("recurrent.dropout", self.recurrent.dropout),
            ("perspective.dropout", p.dropout),
            ("modulation.dropout", self.modulation.dropout),
        ] {
            if !(0.0..1.0).contains(&v) {
                return Err(wrong(field, "a probability below 1".into(), v));
            }
        }
        if !(p.retina.degrees > 0.0 && p.retina.degrees <= 180.0) {
            return Err(wrong("perspective.retina.degrees", "an angle in (0, 180]".into(), p.retina.degrees));
        }
        size::check(self)
    }

    /// Every number must be finite. One that is not has no JSON: it turns up as null.
    fn check_numbers(&self) -> Result<(), Error> {
        match serde_json::to_value(self) {
            Ok(value) => null(&value, "").map_or(Ok(()), |field| Err(wrong(&field, "a finite number".into(), "infinite or NaN"))),
            Err(e) => Err(wrong("(all)", "plain values".into(), e)),
        }
    }

    fn check_sizes(&self) -> Result<(), Error> {
        let (f, r, p, m) = (&self.feedforward, &self.recurrent, &self.perspective, &self.modulation);
        let sizes = [
            ("streams", self.streams),
            ("channels", self.channels),
            ("eye_features", self.eye_features),
            ("behavior_features", self.behavior_features),
            ("feedforward.in_spatial", f.in_spatial),
            ("feedforward.in_stride", f.in_stride),
            ("feedforward.out_channels", f.out_channels),
            ("recurrent.in_channels", r.in_channels),
            ("recurrent.hidden_channels", r.hidden_channels),
            ("recurrent.out_channels", r.out_channels),
            ("recurrent.common_channels", r.common()),
            ("recurrent.groups", r.groups),
            ("perspective.height", p.height),
            ("perspective.width", p.width),
            ("perspective.mlp_features", p.mlp_features),
            ("perspective.mlp_layers", p.mlp_layers),
            ("modulation.features", m.features()),
            ("modulation.hidden_features", m.hidden_features),
            ("modulation.in_features", m.in_features),
            ("modulation.mlp_features", m.mlp_features),
            ("modulation.mlp_layers", m.mlp_layers),
        ];
        within(&sizes, MOST)?;
        within(&p.features.iter().map(|n| ("perspective.features", *n)).collect::<Vec<_>>(), MOST)?;
        within(&self.video.unwrap_or([1, 1]).map(|n| ("video", n)), VIDEO)?;
        within(&[("streams", self.streams), ("perspective.mlp_layers", p.mlp_layers), ("modulation.mlp_layers", m.mlp_layers)], LAYERS)?;
        if p.features.len() > LAYERS {
            return Err(wrong("perspective.features", format!("at most {LAYERS} layers"), p.features.len()));
        }
        let widest = |kernels: &[usize]| kernels.iter().copied().max().unwrap_or(1);
        let kernels = [
            ("feedforward.in_spatial", f.in_spatial),
            ("feedforward.block_temporals", widest(&f.block_temporals)),
            ("feedforward.block_spatials", widest(&f.block_spatials)),
            ("recurrent.spatial", r.spatial),
        ];
        within(&kernels, KERNEL)
    }

    fn check_feedforward(&self) -> Result<(), Error> {
        let f = &self.feedforward;
        let blocks = f.block_channels.len();
        if !(1..=BLOCKS).contains(&blocks) {
            return Err(wrong("feedforward.block_channels", format!("1 to {BLOCKS} blocks"), format!("{blocks} of them")));
        }
        let largest = |list: &[usize]| list.iter().copied().max().unwrap_or(1);
        within(&[("feedforward.block_channels", largest(&f.block_channels)), ("feedforward.block_pools", largest(&f.block_pools))], MOST)?;
        within(&[("feedforward.block_layers", largest(&f.block_layers))], LAYERS)?;
        let lists = [
            ("block_groups", &f.block_groups),
            ("block_layers", &f.block_layers),
            ("block_temporals", &f.block_temporals),
            ("block_spatials", &f.block_spatials),
            ("block_pools", &f.block_pools),
        ];
        for (name, list) in lists {
            if list.len() != blocks || list.contains(&0) {
                return Err(wrong(&format!("feedforward.{name}"), format!("{blocks} whole numbers above 0, one per block"), format!("{list:?}")));
            }
        }
        for (c, g) in f.block_channels.iter().zip(&f.block_groups) {
            if *c == 0 || !c.is_multiple_of(*g) {
                return Err(wrong(
                    "feedforward.block_channels",
                    format!("multiples of the groups {:?}", f.block_groups),
                    format!("{:?}", f.block_channels),
                ));
            }
        }
        if let Some(k) = f.block_spatials.iter().find(|k| k.is_multiple_of(2)) {
            return Err(wrong("feedforward.block_spatials", "odd numbers".into(), k));
        }
        if f.in_spatial < f.in_stride || !(f.in_spatial - f.in_stride).is_multiple_of(2) {
            return Err(wrong("feedforward.in_spatial", format!("in_stride {} plus an even number", f.in_stride), f.in_spatial));
        }
        let shrink = f.block_pools.iter().fold(f.in_stride, |all, pool| all.saturating_mul(*pool));
        if self.perspective.height < shrink || self.perspective.width < shrink {
            let got = format!("{} x {}", self.perspective.height, self.perspective.width);
            return Err(wrong("perspective.height and width", format!("at least {shrink}, what stride and pooling divide by"), got));
        }
        Ok(())
    }

    fn check_recurrent(&self) -> Result<(), Error> {
        let r = &self.recurrent;
        for (field, v) in [("in_channels", r.in_channels), ("hidden_channels", r.hidden_channels), ("common_channels", r.common())] {
            if (field != "common_channels" || r.kind != RecurrentKind::ConvLstm) && !v.is_multiple_of(r.groups) {
                return Err(wrong(&format!("recurrent.{field}"), format!("a multiple of the {} groups", r.groups), v));
            }
        }
        if r.spatial.is_multiple_of(2) {
            return Err(wrong("recurrent.spatial", "an odd number".into(), r.spatial));
        }
        Ok(())
    }
}

/// Refuses the first size that is not 1 to `most`.
fn within(sizes: &[(&str, usize)], most: usize) -> Result<(), Error> {
    match sizes.iter().find(|(_, v)| *v == 0 || *v > most) {
        Some((field, v)) => Err(wrong(field, format!("a whole number from 1 to {most}"), v)),
        None => Ok(()),
    }
}

/// Dotted field of the first null.
fn null(value: &Value, field: &str) -> Option<String> {
    match value {
        Value::Null => Some(field.to_owned()),
        Value::Object(fields) => {
            fields.iter().find_map(|(name, inner)| null(inner, &if field.is_empty() { name.clone() } else { format!("{field}.{name}") }))
        }
        _ => None,
    }
}

pub(crate) fn wrong(field: &str, expected: String, got: impl ToString) -> Error {
    Error::Config { field: field.into(), expected, got: got.to_string() }
}
