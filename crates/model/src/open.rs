//! From weights to a network and back: our own file, PyTorch files, the published folder.
//!
//! Our file is safetensors with the reference implementation's keys, parameters and buffers alike, and the configuration as JSON
//! in the metadata. Where there is no configuration it is inferred from keys and shapes.

use crate::config::NetworkConfig;
use crate::network::Network;
use crate::perspective::retina;
use crate::weights::published::{self, UnitId};
use crate::weights::{Error, StateDict, Tensor, infer, pt, safetensors_file};
use std::collections::BTreeMap;
use std::path::Path;

/// Metadata key of the configuration.
const CONFIG: &str = "striate.config";
/// Metadata key of the version that wrote the file.
const VERSION: &str = "striate.version";
/// Metadata key of which neuron each unit is.
const UNITS: &str = "striate.units";

/// A network read from disk.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The network.
    pub network: Network,
    /// Which neuron each unit is, where the published folder tells.
    pub units: Vec<UnitId>,
    /// Whether the configuration was inferred from keys and shapes rather than stored or given.
    pub inferred: bool,
}

/// Reads a network: `.safetensors`, `.pt`, `.pth`, or a folder that is published (`scan` picks one of several, such as `4_7`),
/// or holds `state_dict.safetensors` or `state_dict.pt`. `config` overrides what is stored or inferred.
pub fn load(path: &Path, scan: Option<&str>, config: Option<NetworkConfig>) -> Result<Opened, Error> {
    let (dict, stored, units) = read(path, scan)?;
    let inferred = config.is_none() && stored.is_none();
    let config = match config.or(stored) {
        Some(config) => config,
        None => infer::infer_config(&dict).map_err(|e| e.within(path))?,
    };
    let network = Network::from_weights(config, &dict).map_err(|e| e.within(path))?;
    Ok(Opened { network, units, inferred })
}

type Read = (StateDict, Option<NetworkConfig>, Vec<UnitId>);

fn read(path: &Path, scan: Option<&str>) -> Result<Read, Error> {
    if path.is_dir() {
        if path.join("params_core.pt").exists() {
            let (session, scan) = published::choose(path, scan)?;
            let (dict, units) = published::read_scan(path, session, scan)?;
            return Ok((dict, None, units));
        }
        let inside = ["state_dict.safetensors", "state_dict.pt", "weights.safetensors"].map(|name| path.join(name));
        return match inside.iter().find(|file| file.exists()) {
            Some(file) => read(file, scan),
            None => Err(Error::Unknown { got: "a folder without params_core.pt, state_dict.* or weights.safetensors".into() }.within(path)),
        };
    }
    let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    match extension.as_str() {
        "pt" | "pth" => Ok((pt::read(path)?, None, Vec::new())),
        "safetensors" => {
            let (dict, metadata) = safetensors_file::read(path)?;
            let stored = metadata.get(CONFIG).map(|json| serde_json::from_str(json)).transpose();
            let stored = stored.map_err(|e| Error::Metadata { key: CONFIG.into(), why: e.to_string() }.within(path))?;
            let units = metadata.get(UNITS).map(|json| serde_json::from_str(json)).transpose();
            let units = units.map_err(|e| Error::Metadata { key: UNITS.into(), why: e.to_string() }.within(path))?;
            Ok((dict, stored, units.unwrap_or_default()))
        }
        _ => Err(Error::Unknown { got: format!("a name ending in .{extension}") }.within(path)),
    }
}

/// Writes a network as our own file, atomically; `units` says which neuron each unit is, where that is known.
pub fn save(path: &Path, network: &Network, units: &[UnitId]) -> Result<(), Error> {
    let config = serde_json::to_string(network.config()).map_err(|e| Error::Metadata { key: CONFIG.into(), why: e.to_string() })?;
    let mut metadata = BTreeMap::from([(CONFIG.to_owned(), config), (VERSION.to_owned(), env!("CARGO_PKG_VERSION").to_owned())]);
    if !units.is_empty() {
        let units = serde_json::to_string(units).map_err(|e| Error::Metadata { key: UNITS.into(), why: e.to_string() })?;
        metadata.insert(UNITS.to_owned(), units);
    }
    safetensors_file::write(path, &network.weights(), &metadata)
}

impl Network {
    /// A network of the given configuration with the given weights; every parameter must be there, in its shape, and finite.
    pub fn from_weights(mut config: NetworkConfig, dict: &StateDict) -> Result<Self, Error> {
        infer::check(dict, &config)?;
        config.adopt_buffers(dict)?;
        let mut network = Self::new(config, 0).map_err(Error::Model)?;
        let buffers: Vec<String> = network.buffers().into_iter().map(|(key, _)| key).collect();
        for param in network.params_mut().iter_mut() {
            let expected = || format!("float32 of shape {:?}", param.shape);
            let Some(tensor) = dict.get(&param.name) else {
                return Err(Error::Tensor {
                    key: param.name.clone(),
                    expected: expected(),
                    got: "nothing: the weights are of another architecture".into(),
                });
            };
            match tensor.as_f32() {
                Some(value) if tensor.shape == param.shape => param.value = value.to_vec(),
                _ => return Err(Error::Tensor { key: param.name.clone(), expected: expected(), got: format!("shape {:?}", tensor.shape) }),
            }
            if let Some(at) = param.value.iter().position(|v| !v.is_finite()) {
                return Err(Error::Tensor { key: param.name.clone(), expected: "finite values".into(), got: format!("{} at {at}", param.value[at]) });
            }
        }
        match dict.keys().find(|key| network.params().get(key).is_none() && !buffers.iter().any(|b| b == key)) {
            Some(key) => Err(Error::Tensor { key: key.to_owned(), expected: "no such tensor in this architecture".into(), got: "one".into() }),
            None => Ok(network),
        }
    }

    /// Parameters and buffers under the reference implementation's keys.
    pub fn weights(&self) -> StateDict {
        let mut dict = StateDict::new();
        for param in self.params().iter() {
            dict.insert(param.name.clone(), Tensor::f32(param.shape.clone(), param.value.clone()));
        }
        for (key, tensor) in self.buffers() {
            dict.insert(key, tensor);
        }
        dict
    }

    /// Constants that the reference implementation keeps beside its parameters.
    fn buffers(&self) -> Vec<(String, Tensor)> {
        let (p, r) = (&self.config.perspective, &self.config.recurrent);
        let mut buffers = Vec::new();
        for (name, value) in [("power", p.monitor_pixel.power), ("scale", p.monitor_pixel.scale), ("offset", p.monitor_pixel.offset)] {
            buffers.push((format!("perspective.monitor_pixel.{name}"), Tensor::f32(vec![], vec![value])));
        }
        let rays = retina::rays(p.height, p.width, f64::from(p.retina.degrees));
        let grid = rays.into_iter().flatten().map(|v| v as f32).collect();
        buffers.push((GRID.into(), Tensor::f32(vec![p.height, p.width, 3], grid)));
        if r.groups > 1 {
            let (g, ci, ch) = (r.groups, r.in_channels / r.groups, r.hidden_channels / r.groups);
            let mask = (0..g * g).map(|i| i / g != i % g).collect();
            buffers.push(("core.recurrent.proj_x.0.mask".into(), Tensor::bool(vec![g, g, 1, 1], mask)));
            buffers.push(("core.recurrent.proj_x.0.zero".into(), Tensor::f32(vec![g, g, ci, ch], vec![0.0; g * g * ci * ch])));
        }
        buffers
    }
}

const GRID: &str = "perspective.retina.grid";

impl NetworkConfig {
    /// Takes over what buffers say: the monitor's power law; and refuses a retina that is not the configured one.
    fn adopt_buffers(&mut self, dict: &StateDict) -> Result<(), Error> {
        let pixel = &mut self.perspective.monitor_pixel;
        for (name, value) in [("power", &mut pixel.power), ("scale", &mut pixel.scale), ("offset", &mut pixel.offset)] {
            if let Some(stored) = dict.get(&format!("perspective.monitor_pixel.{name}")).and_then(Tensor::as_f32).and_then(|v| v.first()) {
                *value = *stored;
            }
        }
        let p = &self.perspective;
        let Some(grid) = dict.get(GRID) else { return Ok(()) };
        let expected = || format!("the retina of {} x {} pixels and {} degrees", p.height, p.width, p.retina.degrees);
        let wrong = |got: String| Error::Tensor { key: GRID.into(), expected: expected(), got };
        if grid.shape != [p.height, p.width, 3] {
            return Err(wrong(format!("shape {:?}", grid.shape)));
        }
        let rays = retina::rays(p.height, p.width, f64::from(p.retina.degrees));
        let differs = |stored: &[f32]| rays.iter().flatten().zip(stored).any(|(want, got)| (*want as f32 - got).abs() > 1e-4 || got.is_nan());
        if grid.as_f32().is_none_or(differs) {
            return Err(wrong("other rays; set perspective.retina.degrees".into()));
        }
        Ok(())
    }
}
