//! What a YAML configuration of the reference implementation says besides hyper-parameters: folders, files and the scan.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_yaml_ng::{Mapping, Value as Yaml};
use std::path::PathBuf;

/// Folders and files named by a configuration of the reference implementation; absent ones are `None`.
///
/// Keys of these sections that have no field of their own are ignored: they do not change a network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FnnPaths {
    /// Session of the network to transfer from (`data-source.foundation-core.session`).
    pub session: Option<u32>,
    /// Scan of the network to transfer from (`data-source.foundation-core.scan_idx`).
    pub scan_idx: Option<u32>,
    /// Folder of published weights (`data-source.foundation-core.directory`).
    pub weights: Option<PathBuf>,
    /// Folder of training trials (`training.directory`).
    pub training: Option<PathBuf>,
    /// Training trials to use at most (`training.max_items`).
    pub max_items: Option<usize>,
    /// Folder of evaluation trials (`evaluation.directory`).
    pub evaluation: Option<PathBuf>,
    /// Folder for results (`save-state.directory`).
    pub save: Option<PathBuf>,
    /// File of the trained parameters (`save-state.state_dict`).
    pub state_dict: Option<PathBuf>,
    /// File of the epochs' objectives, CSV (`save-state.metrics_csv`, or `metrics_filename`).
    pub metrics_csv: Option<PathBuf>,
    /// File of the epochs' objectives, tensors (`save-state.metrics_tensor`).
    pub metrics_tensor: Option<PathBuf>,
    /// Dotted keys of all that these sections say, for telling that none of it is a setting of a run.
    pub keys: Vec<String>,
}

const SECTIONS: [&str; 4] = ["data-source", "training", "evaluation", "save-state"];

/// Takes the sections that are not hyper-parameters out of a configuration; `None` where it has none of them.
pub(super) fn take_paths(yaml: &mut Yaml) -> Result<Option<FnnPaths>, String> {
    let Yaml::Mapping(sections) = yaml else { return Ok(None) };
    if !SECTIONS.iter().any(|name| sections.contains_key(name)) {
        return Ok(None);
    }
    let mut keys = Vec::new();
    SECTIONS.iter().filter_map(|name| Some((name, sections.get(name)?))).for_each(|(name, section)| list(name, section, &mut keys));
    let network = take::<DataSource>(sections, "data-source")?.foundation_core.unwrap_or_default();
    let training = take::<Trials>(sections, "training")?;
    let evaluation = take::<Trials>(sections, "evaluation")?;
    let save = take::<SaveState>(sections, "save-state")?;
    Ok(Some(FnnPaths {
        session: network.session,
        scan_idx: network.scan_idx,
        weights: network.directory,
        training: training.directory,
        max_items: training.max_items,
        evaluation: evaluation.directory,
        save: save.directory,
        state_dict: save.state_dict,
        metrics_csv: save.metrics_csv.or(save.metrics_filename),
        metrics_tensor: save.metrics_tensor,
        keys,
    }))
}

/// Dotted keys of a section, those without a value left out.
fn list(name: &str, value: &Yaml, keys: &mut Vec<String>) {
    match value {
        Yaml::Null => {}
        Yaml::Mapping(entries) => {
            entries.iter().for_each(|(key, inner)| list(&format!("{name}.{}", key.as_str().unwrap_or("?")), inner, keys));
        }
        _ => keys.push(name.to_owned()),
    }
}

/// Takes one section out; an absent or empty one has no entries.
fn take<T: DeserializeOwned + Default>(sections: &mut Mapping, name: &str) -> Result<T, String> {
    let section: Option<T> = serde_yaml_ng::from_value(sections.remove(name).unwrap_or_default()).map_err(|e| format!("{name}: {e}"))?;
    Ok(section.unwrap_or_default())
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct DataSource {
    foundation_core: Option<FoundationCore>,
}

#[derive(Default, Deserialize)]
struct FoundationCore {
    session: Option<u32>,
    scan_idx: Option<u32>,
    directory: Option<PathBuf>,
}

#[derive(Default, Deserialize)]
struct Trials {
    directory: Option<PathBuf>,
    max_items: Option<usize>,
}

#[derive(Default, Deserialize)]
struct SaveState {
    directory: Option<PathBuf>,
    state_dict: Option<PathBuf>,
    metrics_csv: Option<PathBuf>,
    metrics_filename: Option<PathBuf>,
    metrics_tensor: Option<PathBuf>,
}
