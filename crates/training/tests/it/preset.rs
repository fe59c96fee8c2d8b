//! Presets: what comes with the program, files, overrides, and every way to get them wrong.

use proptest::prelude::*;
use std::path::{Path, PathBuf};
use striate_model::Network;
use striate_model::config::RecurrentKind;
use striate_training::preset::{FnnPaths, to_toml};
use striate_training::{Error, Preset};

fn load(name: &str, overrides: &[&str]) -> Result<Preset, Error> {
    Preset::load(name, &overrides.iter().map(|o| o.to_string()).collect::<Vec<_>>())
}

fn message(name: &str, overrides: &[&str]) -> String {
    load(name, overrides).expect_err("should be refused").to_string()
}

fn written(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().into()
}

#[test]
fn every_named_preset_builds_a_network_that_fits_its_video() {
    for (name, map) in [("paper", [16, 24, 128]), ("published", [16, 24, 128]), ("small", [8, 12, 32]), ("tiny", [9, 16, 32])] {
        let mut preset = load(name, &[]).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(preset.model.units, 0, "{name} leaves the units to the recording");
        preset.model.units = 3;
        let network = Network::new(preset.model, 0).unwrap();
        assert_eq!(network.core_map(), map, "{name}");
    }
    assert_eq!(Preset::names().collect::<Vec<_>>(), ["paper", "published", "small", "tiny"]);
}

#[test]
fn paper_is_the_default_and_published_has_the_published_core() {
    assert_eq!(Preset::named("paper").unwrap(), Preset::default());
    let mut published = Preset::named("published").unwrap();
    assert_eq!(published.model.recurrent.kind, RecurrentKind::CvtLstm);
    assert_eq!(published.scheduler.cycles * published.scheduler.cycle_size, 100);
    published.model.units = 1;
    let network = Network::new(published.model, 0).unwrap();
    let core: usize = network.params().iter().filter(|p| p.name.starts_with("core.")).map(|p| p.value.len()).sum();
    assert_eq!(core, 4_528_640, "parameters of the published core");
}

#[test]
fn written_presets_read_back_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    for name in Preset::names() {
        let mut preset = Preset::named(name).unwrap();
        preset.optimizer.clip = f64::INFINITY;
        preset.model.video = Some([36, 64]);
        preset.model.recurrent.common_channels = Some(64);
        let toml = written(folder.path(), "preset.toml", &to_toml(&preset).unwrap());
        assert_eq!(load(&toml, &[]).unwrap(), preset, "{name} as TOML");
        let yaml = written(folder.path(), "preset.yaml", &serde_yaml_ng::to_string(&preset).unwrap());
        assert_eq!(load(&yaml, &[]).unwrap(), preset, "{name} as YAML");
    }
}

#[test]
fn overrides_take_full_and_shortened_keys() {
    let overrides = [
        "lr=0.05",
        "model.recurrent.groups=4",
        "feedforward.block_channels=[4, 8, 16]",
        "recurrent.type=cvt_lstm",
        "nesterov=false",
        "optimizer.clip=inf",
        "decay=.5",
        "cycle_size=20",
        "model.feedforward.input_stride=4",
        "model.readout={init_std=0.2, feature='norm'}",
        "momentum=0",
    ];
    let preset = load("paper", &overrides).unwrap();
    assert_eq!((preset.optimizer.lr, preset.optimizer.decay, preset.optimizer.momentum), (0.05, 0.5, 0.0));
    assert_eq!(preset.optimizer.clip, f64::INFINITY);
    assert!(!preset.optimizer.nesterov);
    assert_eq!((preset.model.recurrent.groups, preset.model.recurrent.kind), (4, RecurrentKind::CvtLstm));
    assert_eq!(preset.model.feedforward.block_channels, [4, 8, 16]);
    assert_eq!(preset.model.feedforward.in_stride, 4);
    assert_eq!(preset.model.readout.init_std, 0.2);
    assert_eq!(preset.scheduler.cycle_size, 20);
    assert_eq!(load("paper", &["lr=1", "lr=2"]).unwrap().optimizer.lr, 2.0, "the last override holds");
}

#[test]
fn wrong_overrides_say_what_is_wrong() {
    let cases: [(&[&str], &[&str]); 12] = [
        (&["dropout=0.1"], &["model.feedforward.dropout", "model.modulation.dropout", "write more"]),
        (&["optimiser.lr=0.1"], &["no setting optimiser.lr", "optimizer.lr"]),
        (&["epochs=3"], &["no setting epochs; the nearest are scheduler.cycle_size, scheduler.warmup_epochs"]),
        (&["learning=3"], &["no setting learning"]),
        (&["lr"], &["key=value", "lr"]),
        (&["=3"], &["no setting"]),
        (&["lr=fast"], &["optimizer.lr is \"fast\"", "a number"]),
        (&["lr="], &["optimizer.lr is \"\"", "a number"]),
        (&["batch_size=4.5"], &["loader.batch_size is 4.5", "a whole number"]),
        (&["batch_size=-1"], &["loader.batch_size is -1"]),
        (&["recurrent.type=lstm"], &["model.recurrent.type", "conv_lstm", "cvt_lstm"]),
        (&["optimizer=3"], &["optimizer is 3", "settings in braces"]),
    ];
    for (overrides, parts) in cases {
        let text = message("tiny", overrides);
        for part in parts {
            assert!(text.contains(part), "{overrides:?}: {text:?} lacks {part:?}");
        }
    }
    assert!(message("tyni", &[]).contains("use paper, published, small or tiny"));
    assert!(message("tiny", &["lr=1\nloader.batch_size=2"]).contains("a number"), "one override is one setting");
}

#[test]
fn values_out_of_range_are_refused_by_key() {
    let cases = [
        ("loader.batch_size=0", "loader.batch_size"),
        ("loader.training_size=0", "loader.training_size"),
        ("loader.sample_size=10", "burnin_frames"),
        ("loader.batch_size=99999999999", "loader.batch_size"),
        ("optimizer.lr=nan", "optimizer.lr"),
        ("optimizer.lr=inf", "optimizer.lr"),
        ("optimizer.lr=-0.1", "optimizer.lr"),
        ("optimizer.decay=-1", "optimizer.decay"),
        ("optimizer.momentum=1", "optimizer.momentum"),
        ("optimizer.clip=0", "optimizer.clip"),
        ("optimizer.clip=nan", "optimizer.clip"),
        ("optimizer.eps=0", "optimizer.eps"),
        ("optimizer.seed=-1", "optimizer.seed"),
        ("scheduler.cycle_size=0", "scheduler.cycle_size"),
        ("scheduler.cycle_size=1", "scheduler.warmup_epochs"),
        ("scheduler.cycles=0", "scheduler.cycles"),
        ("model.recurrent.groups=3", "model.recurrent."),
        ("model.recurrent.init_forget=nan", "model.recurrent.init_forget"),
        ("model.video=[36]", "model.video"),
        ("model.streams=0", "model.streams"),
    ];
    for (text, key) in cases {
        let got = message("tiny", &[text]);
        assert!(got.contains(key), "{text}: {got}");
    }
    let seed = Preset { optimizer: striate_training::config::OptimizerConfig { seed: u64::MAX, ..Default::default() }, ..Preset::default() };
    assert!(seed.check().unwrap_err().to_string().contains("optimizer.seed"));
}

const REFERENCE_YAML: &str = "
data-source:
  foundation-core: {session: 4, scan_idx: 7, directory: /data/weights}
training: {directory: /data/train, max_items: null}
evaluation:
  directory: /data/eval
scheduler: {cycle_size: 50, warmup_epochs: 5, warmup_cycles: 1}
optimizer: {lr: .2, decay: 1e-4, momentum: .9, nesterov: True, clip: .01, eps: .001, seed: 3}
loader: {sample_size: 100, batch_size: 4, training_size: 500, validation_size: 20}
objective: {sample_stream: true, burnin_frames: 10}
save-state: {directory: /out, state_dict: state_dict.pth, metrics_csv: metrics.csv, metrics_tensor: metrics.pt}
";

#[test]
fn reference_yaml_is_read_on_top_of_published() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path(), "config.yaml", REFERENCE_YAML);
    let (preset, paths) = Preset::load_with_paths(&path, &["batch_size=2".into()]).unwrap();
    let mut want = Preset::named("published").unwrap();
    (want.scheduler.cycle_size, want.scheduler.warmup_epochs) = (50, 5);
    (want.optimizer.lr, want.optimizer.seed, want.loader.batch_size) = (0.2, 3, 2);
    assert_eq!(preset, want);
    let file = |p: &str| Some(PathBuf::from(p));
    let want = FnnPaths {
        session: Some(4),
        scan_idx: Some(7),
        weights: file("/data/weights"),
        training: file("/data/train"),
        max_items: None,
        evaluation: file("/data/eval"),
        save: file("/out"),
        state_dict: file("state_dict.pth"),
        metrics_csv: file("metrics.csv"),
        metrics_tensor: file("metrics.pt"),
        keys: [
            "data-source.foundation-core.session",
            "data-source.foundation-core.scan_idx",
            "data-source.foundation-core.directory",
            "training.directory",
            "evaluation.directory",
            "save-state.directory",
            "save-state.state_dict",
            "save-state.metrics_csv",
            "save-state.metrics_tensor",
        ]
        .map(str::to_owned)
        .to_vec(),
    };
    assert_eq!(paths, Some(want));
    let sparse = written(folder.path(), "sparse.yml", "training:\n  max_items: 3\ndata-source:\n");
    let (preset, paths) = Preset::load_with_paths(&sparse, &[]).unwrap();
    assert_eq!(preset, Preset::named("published").unwrap());
    assert_eq!(paths.unwrap().max_items, Some(3));
}

#[test]
fn files_give_only_what_differs_from_the_paper() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path(), "mine.toml", "[optimizer]\nlr = 1\n");
    let (preset, paths) = Preset::load_with_paths(&path, &[]).unwrap();
    let mut want = Preset::default();
    want.optimizer.lr = 1.0;
    assert_eq!((preset, paths), (want, None));
    assert_eq!(load(&written(folder.path(), "empty.yaml", ""), &[]).unwrap(), Preset::default());
}

#[test]
fn wrong_files_say_where() {
    let folder = tempfile::tempdir().unwrap();
    let cases = [
        ("a.toml", "[optimizer]\nlr = 0.1\n[loader]\nbatchsize = 3\n", "no setting loader.batchsize; the nearest are loader.batch_size"),
        ("b.toml", "[optimizer]\nlr = \n", "line 2"),
        ("c.toml", "model = 3\n", "model is 3, expected a section"),
        ("d.toml", "[mdoel]\n", "no setting mdoel"),
        ("e.toml", "[optimizer]\nlr = 1\nlr = 2\n", "line 3"),
        ("f.yaml", "optimizer:\n  lr: [1, 2]\n", "optimizer.lr is [1, 2], expected a number"),
        ("g.yaml", "optimizer: {clip: null}\n", "optimizer.clip is empty"),
        ("h.yaml", "- 1\n- 2\n", "expected sections"),
        ("i.yaml", "optimizer: {lr: 1\n", "i.yaml"),
        ("j.yaml", "training: {max_items: many}\n", "training: invalid type: string \"many\""),
        ("k.yaml", "optimizer: {seed: 18446744073709551615}\n", "optimizer.seed"),
        ("l.yaml", "1: {2: 3}\n", "not a word"),
        ("m.yaml", "training: {}\nloader: {batchsize: 3}\n", "loader.batchsize"),
    ];
    for (name, text, part) in cases {
        let path = written(folder.path(), name, text);
        let got = message(&path, &[]);
        assert!(got.contains(part) && got.contains(name), "{name}: {got:?} lacks {part:?}");
    }
    std::fs::write(folder.path().join("binary.toml"), [0xff, 0xfe, 0x00]).unwrap();
    assert!(message(folder.path().join("binary.toml").to_str().unwrap(), &[]).contains("UTF-8"));
    assert!(message("/nowhere/preset.toml", &[]).contains("/nowhere/preset.toml"));
}

proptest! {
    #[test]
    fn any_override_is_set_or_refused(text in "[a-z_.=0-9\\[\\]\"{}\n -]{0,40}") {
        if let Ok(preset) = Preset::load("tiny", std::slice::from_ref(&text)) {
            prop_assert!(preset.check().is_ok());
            prop_assert!(text.contains('='));
        }
    }

    #[test]
    fn learning_rates_survive_the_file(lr in 0.0..1e6f64, init in -10.0..10.0f32) {
        let mut preset = Preset::default();
        preset.optimizer.lr = lr;
        preset.model.recurrent.init_input = init;
        let read: Preset = toml::from_str(&to_toml(&preset).unwrap()).unwrap();
        prop_assert_eq!(read, preset);
    }
}
