//! Between a network and its state dictionary: parameters as they are, buffers made from the configuration.

use super::layout::{Entry, MASK, layout};
use super::published::{self, UnitId};
use super::safetensors::{self, Metadata};
use super::state_dict::{StateDict, Tensor};
use super::{Error, infer, pt};
use crate::config::NetworkConfig;
use crate::network::Network;
use crate::perspective::retina;
use std::path::{Path, PathBuf};

/// Metadata key of the configuration, as JSON, in the project's own files.
const CONFIG_KEY: &str = "network";

/// A network from a file or folder.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The network.
    pub network: Network,
    /// Its units in the order of its responses, where the source names them (the published folder).
    pub units: Option<Vec<UnitId>>,
    /// Text kept beside the tensors.
    pub metadata: Metadata,
    /// The file, or folder of files, that was read.
    pub path: PathBuf,
}

/// Loads a network from a .safetensors, .pt or .pth file, or from a folder: the published layout, where `scan` (session, scan)
/// chooses among several, or one that holds `weights.` or `state_dict.` files.
///
/// The architecture is `config` if given, else the one kept in the file's metadata, else inferred from the weights.
pub fn load(path: &Path, scan: Option<(u32, u32)>, config: Option<NetworkConfig>) -> Result<Loaded, Error> {
    if published::is_published(path) {
        let scan = published::choose(&published::list_scans(path)?, scan).map_err(|error| error.at(path))?;
        let (state, units) = published::read_scan(path, scan.session, scan.scan_idx)?;
        let network = from_state(&state, config).map_err(|error| error.at(path))?;
        return Ok(Loaded { network, units: Some(units), metadata: Metadata::new(), path: path.to_owned() });
    }
    let path = if path.is_dir() { find(path)? } else { path.to_owned() };
    let (state, metadata) = read(&path)?;
    let config = config.map_or_else(|| kept(&metadata), |config| Ok(Some(config))).map_err(|error| error.at(&path))?;
    let network = from_state(&state, config).map_err(|error| error.at(&path))?;
    Ok(Loaded { network, units: None, metadata, path })
}

fn find(folder: &Path) -> Result<PathBuf, Error> {
    const NAMES: [&str; 5] = ["weights.safetensors", "state_dict.safetensors", "weights.pt", "state_dict.pt", "state_dict.pth"];
    let found = NAMES.iter().map(|name| folder.join(name)).find(|path| path.is_file());
    found.ok_or_else(|| Error::Unknown { got: format!("a folder without params_core.pt, {}", NAMES.join(", ")) }.at(folder))
}

fn read(path: &Path) -> Result<(StateDict, Metadata), Error> {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("safetensors") => safetensors::read(path),
        Some("pt" | "pth") => pt::read(path).map(|state| (state, Metadata::new())),
        other => Err(Error::Unknown { got: format!("extension {:?}", other.unwrap_or_default()) }.at(path)),
    }
}

fn kept(metadata: &Metadata) -> Result<Option<NetworkConfig>, Error> {
    let parse = |text: &String| {
        let wrong = |e: serde_json::Error| Error::Mismatch { what: format!("metadata {CONFIG_KEY}"), expected: "a network's configuration".into(), got: e.to_string() };
        serde_json::from_str(text).map_err(wrong)
    };
    metadata.get(CONFIG_KEY).map(parse).transpose()
}

/// Saves a network as a safetensors file, its configuration among the metadata: what [`load`] reads back as it was.
pub fn save(path: &Path, network: &Network, metadata: &Metadata) -> Result<(), Error> {
    let mut metadata = metadata.clone();
    let wrong = |e: serde_json::Error| Error::Mismatch { what: "configuration".into(), expected: "one that JSON can hold".into(), got: e.to_string() };
    metadata.insert(CONFIG_KEY.into(), serde_json::to_string(network.config()).map_err(wrong)?);
    safetensors::write(path, &to_state(network), &metadata)
}

/// The network with these weights, of the configuration given or, without one, inferred.
pub fn from_state(state: &StateDict, config: Option<NetworkConfig>) -> Result<Network, Error> {
    let config = match config {
        Some(config) => {
            config.check()?;
            infer::check(state, &config)?;
            config
        }
        None => infer::infer_config(state)?,
    };
    let mut network = Network::new(config, 0)?;
    assign(&mut network, state)?;
    Ok(network)
}

/// Gives a network other weights; all of its tensors must be there, and nothing changes unless they are and are finite.
pub fn assign(network: &mut Network, state: &StateDict) -> Result<(), Error> {
    infer::check(state, network.config())?;
    for (key, tensor) in state.iter() {
        if let Some(place) = tensor.as_f32().and_then(|x| x.iter().position(|v| !v.is_finite())) {
            let (expected, got) = ("finite numbers".into(), format!("another at place {place}"));
            return Err(Error::Tensor { key: key.to_owned(), expected, got });
        }
    }
    for param in network.params_mut().iter_mut() {
        if let Some(values) = state.get(&param.name).and_then(Tensor::as_f32) {
            param.value.copy_from_slice(values);
        }
    }
    Ok(())
}

/// All tensors of a network, parameters and buffers, under the reference implementation's names.
pub fn to_state(network: &Network) -> StateDict {
    let tensor = |entry: Entry| {
        let tensor = match network.params().get(&entry.key) {
            Some(param) => Tensor::f32(param.shape.clone(), param.value.clone()),
            None => buffer(&entry, network.config()),
        };
        (entry.key, tensor)
    };
    layout(network.config()).into_iter().map(tensor).collect()
}

/// A constant the reference implementation keeps among its tensors.
fn buffer(entry: &Entry, config: &NetworkConfig) -> Tensor {
    let (p, shape) = (&config.perspective, entry.shape.clone());
    match entry.key.as_str() {
        MASK => {
            let groups = config.recurrent.groups;
            Tensor::bool(shape, (0..groups * groups).map(|i| i / groups != i % groups).collect())
        }
        "perspective.monitor_pixel.power" => Tensor::f32(shape, vec![p.monitor_pixel.power]),
        "perspective.monitor_pixel.scale" => Tensor::f32(shape, vec![p.monitor_pixel.scale]),
        "perspective.monitor_pixel.offset" => Tensor::f32(shape, vec![p.monitor_pixel.offset]),
        "perspective.retina.grid" => {
            let rays = retina::rays(p.height, p.width, f64::from(p.retina.degrees));
            Tensor::f32(shape, rays.into_iter().flatten().map(|v| v as f32).collect())
        }
        _ => Tensor::f32(shape.clone(), vec![0.0; shape.iter().product()]), // the diagonal that the mask leaves out
    }
}
