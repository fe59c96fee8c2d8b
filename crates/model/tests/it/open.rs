//! Opening networks: hostile configurations, constants that were changed, settings that complete.

use serde_json::{Value, json};
use std::path::Path;
use striate_model::open::{self, TrainedOn};
use striate_model::weights::{Tensor, safetensors_file};
use striate_model::{Network, NetworkConfig};

/// A network of two groups and three units.
fn small() -> Network {
    let mut config = NetworkConfig { units: 3, streams: 2, ..NetworkConfig::default() };
    (config.perspective.height, config.perspective.width) = (12, 16);
    let f = &mut config.feedforward;
    (f.block_channels, f.block_groups, f.block_layers) = (vec![4], vec![1], vec![2]);
    (f.block_temporals, f.block_spatials, f.block_pools, f.out_channels) = (vec![3], vec![3], vec![2], 4);
    let r = &mut config.recurrent;
    (r.in_channels, r.hidden_channels, r.out_channels, r.groups) = (4, 4, 4, 2);
    Network::new(config, 1).expect("network")
}

/// Writes the network with its configuration changed.
fn with_config(path: &Path, change: impl FnOnce(&mut Value)) {
    let network = small();
    let mut config = serde_json::to_value(network.config()).expect("json");
    change(&mut config);
    let metadata = [("striate.config".to_owned(), config.to_string())].into();
    safetensors_file::write(path, &network.weights(), &metadata).expect("write");
}

#[test]
fn hostile_configurations_are_refused_before_memory_is_spent() {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("m.safetensors");
    type Change = fn(&mut Value);
    let changes: [(&str, Change); 15] = [
        ("streams", |c| c["streams"] = json!(u64::MAX)),
        ("groups", |c| c["recurrent"]["groups"] = json!(0)),
        ("common_channels", |c| c["recurrent"]["common_channels"] = json!(0)),
        ("hidden_channels", |c| c["recurrent"]["hidden_channels"] = json!(1u64 << 63)),
        ("parameters", |c| c["units"] = json!(u64::MAX)),
        ("in_spatial", |c| c["feedforward"]["in_spatial"] = json!(1_000_000)),
        ("block_temporals", |c| c["feedforward"]["block_temporals"] = json!([64])),
        ("block_spatials", |c| c["feedforward"]["block_spatials"] = json!([65])),
        ("recurrent.spatial", |c| c["recurrent"]["spatial"] = json!(101)),
        ("block_layers", |c| c["feedforward"]["block_layers"] = json!([1u64 << 40])),
        ("block_groups", |c| c["feedforward"]["block_groups"] = json!([0])),
        ("block_pools", |c| c["feedforward"]["block_pools"] = json!([u64::MAX])),
        ("perspective.height", |c| (c["perspective"]["height"], c["perspective"]["width"]) = (json!(16_000), json!(20_000))),
        ("mlp_layers", |c| c["perspective"]["mlp_layers"] = json!(1_000_000)),
        ("video", |c| c["video"] = json!([8193, 16])),
    ];
    for (field, change) in changes {
        with_config(&file, change);
        let error = open::load(&file, None, None).expect_err(field).to_string();
        assert!(error.contains(field) && error.contains("m.safetensors"), "{field}: {error}");
    }
    with_config(&file, |_| {});
    open::load(&file, None, None).expect("unchanged");
}

#[test]
fn infinite_settings_are_refused() {
    let mut config = small().config().clone();
    config.perspective.retina_pixel.max_power = f32::INFINITY;
    let error = Network::new(config, 0).expect_err("infinite").to_string();
    assert!(error.contains("perspective.retina_pixel.max_power"), "{error}");
}

#[test]
fn published_sizes_are_within_bounds() {
    assert!(Network::new(NetworkConfig { units: 10_000, ..NetworkConfig::default() }, 0).is_ok());
}

#[test]
fn constants_that_were_changed_are_refused() {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("m.safetensors");
    let network = small();
    let metadata = [("striate.config".to_owned(), serde_json::to_string(network.config()).expect("json"))].into();
    let changed = [
        ("core.recurrent.proj_x.0.mask", Tensor::bool([2, 2, 1, 1], vec![true; 4])),
        ("core.recurrent.proj_x.0.zero", Tensor::f32([2, 2, 2, 2], vec![1.0; 16])),
        ("perspective.monitor_pixel.power", Tensor::f32([], vec![f32::NAN])),
        ("perspective.monitor_pixel.offset", Tensor::f32([], vec![f32::INFINITY])),
    ];
    for (key, tensor) in changed {
        let mut weights = network.weights();
        assert!(weights.insert(key, tensor).is_some(), "{key}");
        safetensors_file::write(&file, &weights, &metadata).expect("write");
        let error = open::load(&file, None, None).expect_err(key).to_string();
        assert!(error.contains(key), "{error}");
    }
}

#[test]
fn some_settings_complete_what_keys_and_shapes_tell() {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("m.safetensors");
    let network = small();
    safetensors_file::write(&file, &network.weights(), &Default::default()).expect("write");
    let settings = json!({"feedforward": {"block_pools": [2], "nonlinear": "silu"}, "unit": "elu_mse"});
    let opened = open::load_completed(&file, None, &settings).expect("completed");
    let config = opened.network.config();
    assert!(opened.inferred);
    assert_eq!((config.feedforward.block_channels.clone(), config.units), (vec![4], 3), "the rest is inferred");
    let json = serde_json::to_value(config).expect("json");
    assert_eq!((&json["unit"], &json["feedforward"]["nonlinear"]), (&json!("elu_mse"), &json!("silu")));

    let refused = |settings: Value| open::load_completed(&file, None, &settings).expect_err("refused").to_string();
    assert!(refused(json!({"feedforward": {"nonliner": "silu"}})).contains("nearest is nonlinear"));
    assert!(refused(json!({"units": "many"})).contains("units is \"many\""));
    assert!(refused(json!({"feedforward": 3})).contains("feedforward is 3"));
    let error = open::load(&file, Some("4_7"), None).expect_err("not published").to_string();
    assert!(error.contains("not a published folder"), "{error}");
}

#[test]
fn a_file_says_which_recording_it_was_trained_on() {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("m.safetensors");
    let trained_on = TrainedOn {
        animal: "mouse".into(),
        session: Some("4".into()),
        scan: None,
        rate: 30.0,
        units: vec![json!(5), json!("b"), json!(7)],
        core_animals: vec!["a".into()],
    };
    open::save(&file, &small(), &[], Some(&trained_on)).expect("save");
    assert_eq!(open::load(&file, None, None).expect("load").trained_on, Some(trained_on));
    open::save(&file, &small(), &[], None).expect("save");
    assert_eq!(open::load(&file, None, None).expect("load").trained_on, None);
}
