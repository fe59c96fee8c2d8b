//! Inference inverts the layout, and the layout is that of networks.

use super::*;
use crate::config::Nonlinear;
use crate::network::Network;
use crate::weights::StateDict;
use proptest::prelude::*;

/// Small networks of every kind of module, with dropout and the like as inference takes them.
fn variants() -> Vec<NetworkConfig> {
    let mut small = NetworkConfig { units: 5, streams: 2, ..NetworkConfig::default() };
    (small.perspective.height, small.perspective.width) = (12, 20);
    let f = &mut small.feedforward;
    (f.block_channels, f.block_groups, f.block_layers) = (vec![4, 8], vec![1, 2], vec![1, 3]);
    (f.block_temporals, f.block_spatials, f.block_pools, f.out_channels) = (vec![3, 1], vec![3, 5], vec![2, 1], 6);
    let r = &mut small.recurrent;
    (r.in_channels, r.hidden_channels, r.out_channels, r.groups) = (8, 12, 9, 4);
    let changed = |change: fn(&mut NetworkConfig)| {
        let mut config = small.clone();
        change(&mut config);
        config
    };
    let earlier = |config: &mut NetworkConfig| {
        config.perspective.kind = PerspectiveKind::MonitorRetina;
        config.perspective.retina_pixel = SigmoidPowerConfig { init_scale: 4.0, init_offset: -1.4, ..SigmoidPowerConfig::default() };
        for dropout in
            [&mut config.perspective.dropout, &mut config.feedforward.dropout, &mut config.recurrent.dropout, &mut config.modulation.dropout]
        {
            *dropout = 0.1;
        }
    };
    let mut all = vec![
        small.clone(),
        changed(|c| (c.recurrent.kind, c.recurrent.common_channels) = (RecurrentKind::CvtLstm, Some(16))),
        changed(|c| (c.recurrent.kind, c.recurrent.common_channels) = (RecurrentKind::CvtGru, Some(24))),
        changed(|c| (c.recurrent.groups, c.recurrent.spatial, c.streams) = (1, 5, 1)),
        changed(|c| (c.recurrent.groups, c.recurrent.kind, c.recurrent.common_channels) = (1, RecurrentKind::CvtLstm, Some(5))),
        changed(|c| (c.channels, c.eye_features, c.behavior_features) = (3, 4, 3)),
        changed(|c| c.perspective.retina.degrees = 62.5),
        changed(|c| c.perspective.retina.degrees = 133.375),
        changed(|c| (c.perspective.mlp_layers, c.perspective.mlp_features, c.modulation.mlp_layers, c.modulation.mlp_features) = (1, 7, 3, 5)),
        changed(|c| c.perspective.monitor_pixel = StaticPowerConfig { power: 2.0, scale: 0.5, offset: 0.25 }),
        changed(|c| (c.modulation.kind, c.modulation.out_features, c.modulation.in_features) = (ModulationKind::FlatLstm, 3, 7)),
        changed(|c| (c.modulation.kind, c.modulation.hidden_features) = (ModulationKind::SigmoidLstm, 11)),
        changed(|c| (c.feedforward.kind, c.feedforward.in_spatial, c.feedforward.in_stride) = (FeedforwardKind::Dense, 5, 1)),
        changed(|c| (c.readout.feature, c.readout.feature_groups) = (FeatureKind::Norm, 3)),
        changed(|c| (c.perspective.height, c.perspective.width, c.video) = (128, 192, Some([144, 256]))),
    ];
    let mut profile = small.clone();
    earlier(&mut profile);
    all.push(profile.clone());
    profile.perspective.features = vec![5, 6, 7];
    all.push(profile);
    all
}

/// Tensors of a configuration: zeros, but for the buffers that tell something.
fn state(config: &NetworkConfig) -> StateDict {
    let p = &config.perspective;
    let mut state = StateDict::new();
    let seen = visit(config, &mut |entry| {
        let size = entry.shape.iter().product();
        let tensor = match (entry.kind(), entry.key.as_str()) {
            ("bool", _) => Tensor::bool(entry.shape, vec![true; size]),
            (_, "perspective.monitor_pixel.power") => Tensor::f32(entry.shape, vec![p.monitor_pixel.power]),
            (_, "perspective.monitor_pixel.scale") => Tensor::f32(entry.shape, vec![p.monitor_pixel.scale]),
            (_, "perspective.monitor_pixel.offset") => Tensor::f32(entry.shape, vec![p.monitor_pixel.offset]),
            (_, "perspective.retina.grid") => {
                let rays = retina::rays(p.height, p.width, f64::from(p.retina.degrees));
                Tensor::f32(entry.shape, rays.into_iter().flatten().map(|v| v as f32).collect())
            }
            _ => Tensor::f32(entry.shape, vec![0.0; size]),
        };
        state.add(entry.key, tensor)
    });
    seen.expect("every key once");
    state
}

#[test]
fn architectures_come_back() {
    for config in variants() {
        assert_eq!(infer_config(&state(&config)).expect("a sound dictionary"), config);
    }
}

#[test]
fn the_layout_is_that_of_networks() {
    for config in variants() {
        let is_buffer =
            |key: &str| key.contains(".monitor_pixel.") || ["retina.grid", "proj_x.0.mask", "proj_x.0.zero"].iter().any(|b| key.ends_with(b));
        let mut layout = Vec::new();
        let collected = visit(&config, &mut |entry| {
            layout.push((entry.key, entry.shape));
            Ok(())
        });
        collected.expect("nothing is refused");
        layout.retain(|(key, _)| !is_buffer(key));
        let network = Network::new(config, 0).expect("a sound configuration");
        let mut params: Vec<_> = network.params().iter().map(|param| (param.name.clone(), param.shape.clone())).collect();
        layout.sort();
        params.sort();
        assert_eq!(layout, params);
    }
}

#[test]
fn what_weights_cannot_tell_is_the_default() {
    let mut config = variants().remove(0);
    (config.unit, config.feedforward.nonlinear, config.recurrent.dropout) = (UnitKind::EluMse, Nonlinear::Silu, 0.3);
    let got = infer_config(&state(&config)).expect("a sound dictionary");
    assert_eq!((got.unit, got.feedforward.nonlinear, got.recurrent.dropout), (UnitKind::Poisson, Nonlinear::Gelu, 0.0));
}

#[test]
fn a_misspelled_key_is_named_with_the_right_one() {
    let good = state(&variants()[0]);
    let renamed = |from: &str, to: &str| -> StateDict {
        good.iter().map(|(key, tensor)| (if key == from { to.to_owned() } else { key.to_owned() }, tensor.clone())).collect()
    };
    let (right, wrong) = ("core.recurrent.proj_f.gains.1", "core.recurrent.proj_f.gain.1");
    let error = infer_config(&renamed(right, wrong)).expect_err("misspelled");
    assert!(matches!(&error, Error::MissingKey { key, nearest } if key == right && nearest == wrong), "{error}");
    let (right, wrong) = ("readout.position.mu", "readout.positions.mu");
    let error = infer_config(&renamed(right, wrong)).expect_err("misspelled");
    assert!(matches!(&error, Error::MissingKey { key, nearest } if key == right && nearest == wrong), "{error}");
    let mut more = good.clone();
    more.insert("readout.bias.0", Tensor::f32([5, 1], vec![0.0; 5]));
    let error = infer_config(&more).expect_err("unknown");
    assert!(matches!(&error, Error::UnknownKey { nearest, .. } if nearest == "readout.biases.0"), "{error}");
    let error = infer_config(&StateDict::new()).expect_err("empty");
    assert!(matches!(&error, Error::MissingKey { nearest, .. } if nearest == "none"), "{error}");
}

#[test]
fn buffers_of_another_geometry_are_refused() {
    let good = state(&variants()[0]);
    let with = |key: &str, values: Vec<f32>| {
        let mut state = good.clone();
        let shape = state.get(key).expect("there").shape.clone();
        state.insert(key, Tensor::f32(shape, values));
        infer_config(&state).expect_err("refused")
    };
    let rays = good.get("perspective.retina.grid").and_then(Tensor::as_f32).expect("there");
    let changed = |place: usize, value: f32| {
        let mut rays = rays.to_vec();
        rays[place] = value;
        rays
    };
    for rays in
        [changed(100, 0.9), changed(7, f32::NAN), vec![0.0; rays.len()], rays.iter().rev().copied().collect(), vec![f32::INFINITY; rays.len()]]
    {
        let error = with("perspective.retina.grid", rays);
        assert!(matches!(&error, Error::Tensor { key, .. } if key == "perspective.retina.grid"), "{error}");
    }
    let error = with("perspective.monitor_pixel.power", vec![f32::NAN]);
    assert!(error.to_string().contains("monitor_pixel.power"), "{error}");
}

#[test]
fn hostile_shapes_and_numbers_are_refused() {
    let good = state(&variants()[0]);
    let with = |key: &str, tensor: Tensor| {
        let mut state = good.clone();
        state.insert(key, tensor);
        infer_config(&state).expect_err(key)
    };
    let error = with("core.feedforward.out.weights.0", Tensor::f32([1 << 40, 0, 1, 1, 1], Vec::new()));
    assert!(matches!(error, Error::Tensor { .. }), "{error}");
    let error = with("core.feedforward.out.weights.0", Tensor::f32([1 << 40, 1 << 40, 1, 1, 1], vec![0.0]));
    assert!(matches!(error, Error::Tensor { .. }), "{error}");
    with("core.recurrent.proj_x.0.mask", Tensor::f32([4, 4, 1, 1], vec![1.0; 16]));
    with(&format!("core.feedforward.inputs.0.weights.{}", usize::MAX), Tensor::f32([1], vec![0.0]));
    with(&["1"; 100_000].join("."), Tensor::f32([1], vec![0.0]));
    for key in ["readout.position.mu", "perspective.retina.grid", "core.recurrent.proj_x.1.gains.0"] {
        with(key, Tensor::f32([1], vec![0.0]));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_retina_tells_its_field_of_view(height in 2usize..24, width in 2usize..24, degrees in 5.0f32..180.0) {
        let mut config = variants().remove(0);
        (config.perspective.height, config.perspective.width) = (height.max(4), width.max(4));
        config.perspective.retina.degrees = degrees;
        let got = infer_config(&state(&config)).expect("a sound dictionary").perspective.retina.degrees;
        prop_assert!((got - degrees).abs() < 2e-3, "{} for {}", got, degrees);
    }

    #[test]
    fn any_sizes_come_back(
        blocks in prop::collection::vec((1usize..4, 1usize..3, 1usize..4, 1usize..4, 0usize..3), 1..4),
        groups in 1usize..4, streams in 1usize..4, units in 1usize..9, channels in 1usize..4,
    ) {
        let mut config = variants().remove(0);
        let f = &mut config.feedforward;
        f.block_channels = blocks.iter().map(|b| b.0 * b.1).collect();
        f.block_groups = blocks.iter().map(|b| b.1).collect();
        f.block_layers = blocks.iter().map(|b| b.2).collect();
        f.block_temporals = blocks.iter().map(|b| b.3).collect();
        f.block_spatials = blocks.iter().map(|b| 2 * b.4 + 1).collect();
        f.block_pools = (0..blocks.len()).map(|b| if b + 1 < blocks.len() { 2 } else { 1 }).collect();
        let r = &mut config.recurrent;
        (r.groups, r.in_channels, r.hidden_channels) = (groups, 2 * groups, 3 * groups);
        (config.streams, config.units, config.channels) = (streams, units, channels);
        prop_assert_eq!(infer_config(&state(&config)).expect("a sound dictionary"), config);
    }
}
