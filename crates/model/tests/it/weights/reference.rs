//! Files that the reference implementation wrote, where they are at hand.

use std::path::PathBuf;
use striate_model::NetworkConfig;
use striate_model::weights::{Error, StateDict, infer_config, pt, published, safetensors_file};

/// A folder of the reference data; `None`, with a message, where it is absent.
fn reference(case: &str) -> Option<PathBuf> {
    let root =
        std::env::var_os("STRIATE_REFERENCE").map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")), PathBuf::from);
    let folder = root.join("golden").join(case);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: no {case} in the reference data; set STRIATE_REFERENCE to their folder");
    None
}

fn weights(folder: &std::path::Path) -> StateDict {
    if folder.join("params_core.pt").is_file() {
        return published::read_scan(folder, 4, 7).expect("a sound folder").0;
    }
    safetensors_file::read(&folder.join("state_dict.safetensors")).expect("a sound file").0
}

const CASES: [&str; 6] = ["conv-small", "conv-ungrouped", "cvt-small", "mlp-small", "published-layout", "rvt-small"];

#[test]
fn a_torch_file_equals_its_safetensors_twin() {
    let Some(folder) = reference("cvt-small") else { return };
    let read = pt::read(&folder.join("state_dict.pt")).expect("a sound file");
    assert!(read.len() > 100);
    assert_eq!(read, weights(&folder));
}

#[test]
fn the_published_folder_is_read() {
    let Some(folder) = reference("published-layout") else { return };
    assert_eq!(published::choose(&folder, None).expect("one scan"), (4, 7));
    let (state, units) = published::read_scan(&folder, 4, 7).expect("a sound folder");
    assert_eq!((state.len(), units.len(), units[1].unit_id), (338, 60, 4));
    assert!(units.iter().enumerate().all(|(place, unit)| unit.readout_id == place));
}

#[test]
fn architectures_are_inferred() {
    for case in CASES {
        let Some(folder) = reference(case) else { return };
        let text = std::fs::read_to_string(folder.join("case.json")).expect("read");
        let mut json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let mut want: NetworkConfig = serde_json::from_value(json["config"].take()).expect("a configuration");
        let got = infer_config(&weights(&folder)).expect(case);
        // what weights cannot tell
        want.unit = got.unit;
        want.video = got.video;
        want.feedforward.dropout = got.feedforward.dropout;
        want.recurrent.dropout = got.recurrent.dropout;
        want.modulation.dropout = got.modulation.dropout;
        want.perspective.dropout = got.perspective.dropout;
        want.perspective.retina_pixel = got.perspective.retina_pixel.clone();
        assert_eq!(got, want, "{case}");
        assert_eq!(got.video.is_some(), case == "published-layout");
    }
}

#[test]
fn every_tensor_is_needed_and_no_other_is_known() {
    for case in CASES {
        let Some(folder) = reference(case) else { return };
        let whole = weights(&folder);
        for missing in whole.keys() {
            let rest: StateDict = whole.iter().filter(|(key, _)| *key != missing).map(|(key, tensor)| (key.to_owned(), tensor.clone())).collect();
            let error = match infer_config(&rest) {
                // with one stream this is the other kind of feedforward network
                Ok(config) if missing == "core.feedforward.inputs.0.gains.0" && config.streams == 1 => continue,
                Ok(_) => panic!("{case} without {missing} is no network"),
                Err(error) => error,
            };
            let explained = matches!(error, Error::MissingKey { .. } | Error::UnknownKey { .. } | Error::Tensor { .. });
            assert!(explained, "{case} without {missing}: {error}");
        }
        let mut more = whole.clone();
        more.insert("core.recurrent.proj_j.weights.0", whole.get("core.recurrent.out.weights.0").expect("there").clone());
        let error = infer_config(&more).expect_err("unknown");
        assert!(matches!(&error, Error::UnknownKey { key, .. } if key.contains("proj_j")), "{error}");
    }
}
