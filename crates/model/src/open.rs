//! From weights to a network and back: our own file, PyTorch files, the published folder.
//!
//! Our file is safetensors with the reference implementation's keys, parameters and buffers alike, and the configuration as JSON
//! in the metadata. Where there is no configuration it is inferred from keys and shapes.

use crate::config::NetworkConfig;
use crate::network::Network;
use crate::perspective::retina;
use crate::weights::published::{self, UnitId};
use crate::weights::{Error, StateDict, Tensor, infer, pt, safetensors_file};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// Metadata key of the configuration.
const CONFIG: &str = "striate.config";
/// Metadata key of the version that wrote the file.
const VERSION: &str = "striate.version";
/// Metadata key of which neuron each unit is.
const UNITS: &str = "striate.units";
/// Metadata key of the recording.
const RECORDING: &str = "striate.recording";

/// Which recording a network was trained on: a network belongs to the neurons of one animal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainedOn {
    /// Animal.
    pub animal: String,
    /// Session, where there are several.
    pub session: Option<String>,
    /// Scan within the session, where there are several.
    pub scan: Option<String>,
    /// Frames per second, Hz.
    pub rate: f64,
    /// Identifiers of the units, in the order of the responses.
    pub units: Vec<Value>,
    /// Animals that parts of the network were trained on which this one shares: all of its cohort, or those of a frozen core.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub core_animals: Vec<String>,
}

/// A network read from disk.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The network.
    pub network: Network,
    /// Which neuron each unit is, where the published folder tells.
    pub units: Vec<UnitId>,
    /// Which recording it was trained on, where the file tells.
    pub trained_on: Option<TrainedOn>,
    /// Whether the configuration was inferred from keys and shapes rather than stored or given.
    pub inferred: bool,
}

/// Reads a network: `.safetensors`, `.pt`, `.pth`, or a folder that is published (`scan` picks one of several, such as `4_7`),
/// or holds `state_dict.safetensors` or `state_dict.pt`. `config` overrides what is stored or inferred.
pub fn load(path: &Path, scan: Option<&str>, config: Option<NetworkConfig>) -> Result<Opened, Error> {
    open(path, scan, |dict, stored| match config.or(stored) {
        Some(config) => Ok((config, false)),
        None => Ok((infer::infer_config(dict)?, true)),
    })
}

/// As [`load`], with a table of some settings, nested as the configuration is, that go before what is stored or inferred.
pub fn load_completed(path: &Path, scan: Option<&str>, settings: &Value) -> Result<Opened, Error> {
    open(path, scan, |dict, stored| {
        let inferred = stored.is_none();
        // where keys and shapes tell nothing, the settings must tell all
        let base = stored.unwrap_or_else(|| infer::guess(dict).unwrap_or_default());
        Ok((base.completed_by(settings)?, inferred))
    })
}

/// Reads a network whose configuration, and whether that was inferred, is chosen by its tensors and what is stored.
fn open(
    path: &Path,
    scan: Option<&str>,
    choose: impl FnOnce(&StateDict, Option<NetworkConfig>) -> Result<(NetworkConfig, bool), Error>,
) -> Result<Opened, Error> {
    let Read { dict, config, units, trained_on } = read(path, scan)?;
    let (config, inferred) = choose(&dict, config).map_err(|e| e.within(path))?;
    let network = Network::from_weights(config, &dict).map_err(|e| e.within(path))?;
    Ok(Opened { network, units, trained_on, inferred })
}

/// What a file or folder holds.
#[derive(Default)]
struct Read {
    dict: StateDict,
    config: Option<NetworkConfig>,
    units: Vec<UnitId>,
    trained_on: Option<TrainedOn>,
}

fn read(path: &Path, scan: Option<&str>) -> Result<Read, Error> {
    let published = path.join("params_core.pt").exists();
    if published {
        let (session, scan) = published::choose(path, scan)?;
        let (dict, units) = published::read_scan(path, session, scan)?;
        return Ok(Read { dict, units, ..Read::default() });
    }
    if let Some(scan) = scan {
        let asked = format!("scan {scan} was asked for, but this is not a published folder; leave --scan out");
        return Err(Error::Scan { asked, there: "none".into() }.within(path));
    }
    if path.is_dir() {
        let inside = ["state_dict.safetensors", "state_dict.pt", "weights.safetensors"].map(|name| path.join(name));
        return match inside.iter().find(|file| file.exists()) {
            Some(file) => read(file, None),
            None => Err(Error::Unknown { got: "a folder without params_core.pt, state_dict.* or weights.safetensors".into() }.within(path)),
        };
    }
    let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    match extension.as_str() {
        "pt" | "pth" => Ok(Read { dict: pt::read(path)?, ..Read::default() }),
        "safetensors" => {
            let (dict, metadata) = safetensors_file::read(path)?;
            let stored = Stored { metadata: &metadata, path };
            Ok(Read { config: stored.get(CONFIG)?, units: stored.get(UNITS)?.unwrap_or_default(), trained_on: stored.get(RECORDING)?, dict })
        }
        _ => Err(Error::Unknown { got: format!("a name ending in .{extension}") }.within(path)),
    }
}

/// Values kept as JSON beside the tensors of a file.
struct Stored<'a> {
    metadata: &'a safetensors_file::Metadata,
    path: &'a Path,
}

impl Stored<'_> {
    fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Error> {
        let value = self.metadata.get(key).map(|json| serde_json::from_str(json)).transpose();
        value.map_err(|e| Error::Metadata { key: key.into(), why: e.to_string() }.within(self.path))
    }
}

/// Writes a network as our own file, atomically; `units` says which neuron each unit is and `trained_on` which recording it is a
/// twin of, where that is known.
pub fn save(path: &Path, network: &Network, units: &[UnitId], trained_on: Option<&TrainedOn>) -> Result<(), Error> {
    fn json(key: &str, value: &impl Serialize) -> Result<(String, String), Error> {
        let text = serde_json::to_string(value).map_err(|e| Error::Metadata { key: key.into(), why: e.to_string() })?;
        Ok((key.to_owned(), text))
    }
    let mut metadata = BTreeMap::from([json(CONFIG, network.config())?, (VERSION.to_owned(), env!("CARGO_PKG_VERSION").to_owned())]);
    if !units.is_empty() {
        metadata.extend([json(UNITS, &units)?]);
    }
    if let Some(trained_on) = trained_on {
        metadata.extend([json(RECORDING, trained_on)?]);
    }
    safetensors_file::write(path, &network.weights(), &metadata)
}

impl Network {
    /// A network of the given configuration with the given weights; every parameter must be there, in its shape, and finite.
    pub fn from_weights(mut config: NetworkConfig, dict: &StateDict) -> Result<Self, Error> {
        config.check()?; // before sizes are multiplied
        infer::check(dict, &config)?;
        config.adopt_buffers(dict)?;
        let mut network = Self::new(config, 0).map_err(Error::Model)?;
        let buffers = network.buffers();
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
                Some(value) if tensor.shape == param.shape => param.value = value.to_vec().into(),
                _ => return Err(Error::Tensor { key: param.name.clone(), expected: expected(), got: format!("shape {:?}", tensor.shape) }),
            }
            if let Some(at) = param.value.iter().position(|v| !v.is_finite()) {
                return Err(Error::Tensor { key: param.name.clone(), expected: "finite values".into(), got: format!("{} at {at}", param.value[at]) });
            }
        }
        for (key, expected) in &buffers {
            if key != GRID && dict.get(key).is_some_and(|stored| stored != expected) {
                return Err(Error::Tensor {
                    key: key.clone(),
                    expected: "the constant that the configuration makes it".into(),
                    got: "other values".into(),
                });
            }
        }
        match dict.keys().find(|key| network.params().get(key).is_none() && !buffers.iter().any(|(b, _)| b == key)) {
            Some(key) => Err(Error::Tensor { key: key.to_owned(), expected: "no such tensor in this architecture".into(), got: "one".into() }),
            None => Ok(network),
        }
    }

    /// Parameters and buffers under the reference implementation's keys.
    pub fn weights(&self) -> StateDict {
        let mut dict = StateDict::new();
        for param in self.params().iter() {
            dict.insert(param.name.clone(), Tensor::f32(param.shape.clone(), param.value.to_vec()));
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
            let key = format!("perspective.monitor_pixel.{name}");
            match dict.get(&key).and_then(Tensor::as_f32).and_then(|v| v.first()) {
                Some(stored) if stored.is_finite() => *value = *stored,
                Some(stored) => return Err(Error::Tensor { key, expected: "a finite number".into(), got: stored.to_string() }),
                None => {}
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
