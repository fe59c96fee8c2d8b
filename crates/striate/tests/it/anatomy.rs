//! Anatomy from barcodes and from tables of features.

use crate::{failure, output, striate, text, write_npy};
use std::path::Path;
use striate::insilico::fit::trained_on;
use striate::model::{Network, NetworkConfig, open};
use striate::recording::Recording;
use striate::simulation::{SimulateConfig, simulate};

const AREAS: [&str; 4] = ["V1", "LM", "AL", "RL"];

/// A number in (-1, 1) that looks like no other.
fn noise(i: usize) -> f32 {
    ((i as f32 * 12.9898).sin() * 43758.547).fract()
}

/// A recording of 40 units, and a network whose barcodes tell their areas.
fn animal(folder: &Path) -> (std::path::PathBuf, std::path::PathBuf) {
    let (recording, model) = (folder.join("a.zarr"), folder.join("m.safetensors"));
    let config = SimulateConfig {
        units: 40,
        clip_seconds: 2.0,
        train_minutes: 0.1,
        validation_clips: 1,
        test_clips: 1,
        other_clips: 1,
        repeats: 2,
        ..SimulateConfig::default()
    };
    simulate(&config, &recording, &mut |_, _| {}).expect("simulate");
    let recorded = Recording::open(&recording).expect("a recording");
    let areas: Vec<&str> = recorded.units().column("area").expect("areas").iter().map(|v| v.as_str().expect("text")).collect();
    let mut config = NetworkConfig { units: 40, streams: 1, behavior_features: 2, ..NetworkConfig::default() };
    (config.perspective.height, config.perspective.width) = (16, 24);
    let f = &mut config.feedforward;
    (f.block_channels, f.block_groups, f.block_layers) = (vec![4], vec![1], vec![1]);
    (f.block_temporals, f.block_spatials, f.block_pools, f.out_channels) = (vec![2], vec![3], vec![2], 8);
    let r = &mut config.recurrent;
    (r.in_channels, r.hidden_channels, r.out_channels, r.groups) = (8, 8, 8, 1);
    let mut network = Network::new(config, 1).expect("a sound configuration");
    let channels = network.core_map()[2];
    for param in network.params_mut().iter_mut() {
        if param.name == "readout.feature.weights.0" {
            for (unit, weights) in param.value.chunks_exact_mut(channels).enumerate() {
                weights.iter_mut().enumerate().for_each(|(c, w)| *w = 0.3 * noise(unit * channels + c));
                weights[AREAS.iter().position(|a| *a == areas[unit]).expect("an area")] += 2.0;
            }
        }
        if param.name == "readout.position.mu" {
            param.value.iter_mut().enumerate().for_each(|(i, mu)| *mu = 0.4 * noise(i + 7));
        }
    }
    open::save(&model, &network, &[], Some(&trained_on(&recorded))).expect("save");
    (recording, model)
}

#[test]
fn areas_are_decoded_from_barcodes() {
    let folder = tempfile::tempdir().expect("folder");
    let at = |name: &str| folder.path().join(name);
    let (recording, model) = animal(folder.path());
    let run = |threads: &str, out: &str| {
        let out = at(out);
        let arguments = ["--threads", threads, "anatomy", text(&model), "--recording", text(&recording)];
        output(&[&arguments[..], &["--folds", "5", "--inner-folds", "3", "--json", "-o", text(&out)]].concat())
    };
    let summary: serde_json::Value = serde_json::from_str(&run("1", "out")).expect("json");
    assert!(summary["balanced_accuracy"].as_f64().expect("a number") > 0.9, "{summary}");
    assert!(summary["v1_against_others"].as_f64().expect("a number") > 0.9, "{summary}");
    assert!(summary["shuffled_balanced_accuracy"].as_f64().expect("a number") < 0.6, "{summary}");
    assert_eq!((summary["samples"].as_u64(), summary["features"].as_u64(), summary["chance"].as_f64()), (Some(40), Some(8), Some(0.25)));
    assert_eq!(summary["depth_test"]["degrees"], 24.0);
    run("2", "again");
    for file in [
        "predictions.csv",
        "confusion.csv",
        "embedding.csv",
        "positions.csv",
        "retinotopy.csv",
        "modulation.csv",
        "barcodes.parquet",
        "accuracy.json",
    ] {
        let read = |out: &str| std::fs::read(at(out).join(file)).expect(file);
        assert!(read("out") == read("again"), "{file} differs between one and two threads");
    }
    let page = std::fs::read_to_string(at("out").join("report.html")).expect("page");
    assert!(["Confusion", "Balanced accuracy", "Embedding", "Retinotopy"].iter().all(|part| page.contains(part)), "a part of the page is missing");
    let lines = |file: &str| std::fs::read_to_string(at("out").join(file)).expect(file).lines().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!((lines("predictions.csv").len(), lines("confusion.csv").len(), lines("retinotopy.csv").len()), (41, 17, 5));
    assert!(lines("modulation.csv")[0].starts_with("trial,frame,x,y,behavior "), "{}", lines("modulation.csv")[0]);

    // barcodes written here are features like any others, and labels are matched by id whatever their order
    let mut labels = vec!["unit_id,area".to_owned()];
    labels.extend(lines("predictions.csv")[1..].iter().rev().map(|line| line.split(',').take(2).collect::<Vec<_>>().join(",")));
    std::fs::write(at("labels.csv"), labels.join("\n")).expect("write");
    let (barcodes, table, by_labels) = (at("out").join("barcodes.parquet"), at("labels.csv"), at("by_labels"));
    let arguments = ["anatomy", "--features", text(&barcodes), "--labels", text(&table), "--folds", "5", "--inner-folds", "3"];
    let said = output(&[&arguments[..], &["-o", text(&by_labels)]].concat());
    assert!(said.contains("balanced accuracy") && said.contains("V1 against"), "{said}");
    let predictions = |out: &str| std::fs::read(at(out).join("predictions.csv")).expect("predictions");
    assert!(predictions("out") == predictions("by_labels"), "the same barcodes and labels are decoded differently");
}

#[test]
fn labels_of_another_animal_are_refused() {
    let folder = tempfile::tempdir().expect("folder");
    let at = |name: &str| folder.path().join(name);
    let (_, model) = animal(folder.path());
    let (labels, out) = (at("labels.csv"), at("out"));
    let rows: String = (0..40).map(|i| format!("another,{i},{}\n", AREAS[i % 4])).collect();
    std::fs::write(&labels, format!("animal,id,area\n{rows}")).expect("write");
    let arguments = ["anatomy", text(&model), "--labels", text(&labels), "-o", text(&out)];
    let error = failure(&arguments);
    assert!(error.contains("no row is of a unit") && error.contains("simulated-0"), "{error}");
    assert!(failure(&["anatomy", text(&model), "-o", text(&out)]).contains("--labels"));
    assert!(!out.exists());
}

#[test]
fn what_cannot_be_decoded_is_told() {
    let folder = tempfile::tempdir().expect("folder");
    let at = |name: &str| folder.path().join(name);
    let out = at("out");
    let rows = |of: &dyn Fn(usize) -> String| (0..24).map(|i| of(i) + "\n").collect::<String>();
    let refused = |table: String, more: &[&str]| {
        std::fs::write(at("t.csv"), table).expect("write");
        let file = at("t.csv");
        let error = failure(&[&["anatomy", "--features", text(&file), "--folds", "4", "-o", text(&out)], more].concat());
        assert!(!out.exists(), "an output was begun: {error}");
        error
    };
    let good = |i: usize| format!("{i},{},{},{}", i % 2 * 3, noise(i), ["V1", "LM"][i % 2]);
    let error = refused("id,a,b,area\n".to_owned() + &rows(&|i| format!("{i},1,{},V1", noise(i))), &[]);
    assert!(error.contains("all 24 samples are of class \"V1\""), "{error}");
    let error = refused("id,a,b,area\n".to_owned() + &rows(&|i| format!("{},1,{},V1", i / 2, noise(i))), &[]);
    assert!(error.contains("there twice"), "{error}");
    let error = refused("id,a,b,area\n".to_owned() + &rows(&|i| if i == 5 { "5,,2,LM".into() } else { good(i) }), &[]);
    assert!(error.contains("feature 0 of sample 5 is NaN"), "{error}");
    let error = refused("id,a,b,area\n".to_owned() + &rows(&|i| if i < 3 { format!("{i},1,2,RL") } else { good(i) }), &[]);
    assert!(error.contains("\"RL\" has 3 samples, fewer than the 4 folds"), "{error}");
    let error = refused("id,a,b,area\n".to_owned() + &rows(&good), &["--column", "layer"]);
    assert!(error.contains("no column layer"), "{error}");
    let error = refused("id,a,b,area\n".to_owned() + &rows(&good), &["--select", "area"]);
    assert!(error.contains("not numbers"), "{error}");
    let error = refused("id,a,b,area\n".to_owned(), &[]);
    assert!(!error.is_empty());

    // what was refused is decoded once the row, or the class, is left out
    let table = "id,a,b,area\n".to_owned()
        + &rows(&|i| {
            if i < 3 {
                format!("{i},1,2,RL")
            } else if i == 5 {
                "5,,2,LM".into()
            } else {
                good(i)
            }
        });
    std::fs::write(at("t.csv"), table).expect("write");
    let file = at("t.csv");
    let arguments = ["anatomy", "--features", text(&file), "--folds", "4", "--drop-missing", "--without", "RL", "-o", text(&out)];
    let said = striate(&arguments).output().expect("the binary runs");
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    assert!(String::from_utf8_lossy(&said.stdout).contains("balanced accuracy 1.000"), "{}", String::from_utf8_lossy(&said.stdout));
    assert!(String::from_utf8_lossy(&said.stderr).contains("3 of a class left out, 1 with a missing feature"));
    assert!(failure(&arguments).contains("exists already"));

    let labels = at("labels.csv");
    std::fs::write(&labels, "layer\nA\nB\n").expect("write");
    write_npy(&at("x.npy"), "<f4", "(24,)", &[0; 96]);
    let (npy, other) = (at("x.npy"), at("other"));
    let arguments = ["anatomy", "--features", text(&npy), "--labels", text(&labels), "--column", "layer", "-o", text(&other)];
    assert!(failure(&arguments).contains("not [samples, features]"));
    write_npy(&at("x.npy"), "<f4", "(24, 1)", &[0; 96]);
    assert!(failure(&arguments).contains("2 rows for 24 samples"));
}

#[test]
fn a_neuron_is_nearer_to_itself_than_to_its_neighbours() {
    let folder = tempfile::tempdir().expect("folder");
    let at = |name: &str| folder.path().join(name);
    let (recording, model) = animal(folder.path());
    let opened = open::load(&model, None, None).expect("a model");
    let save = |name: &str, change: &dyn Fn(&mut Network)| {
        let mut network = opened.network.clone();
        change(&mut network);
        open::save(&at(name), &network, &[], opened.trained_on.as_ref()).expect("save");
        at(name)
    };
    let weights = "readout.feature.weights.0";
    let nudge = |network: &mut Network| {
        network.params_mut().get_mut(weights).expect("weights").value.iter_mut().enumerate().for_each(|(i, w)| *w += 0.02 * noise(i + 5));
    };
    let (later, other) = (
        save("later.safetensors", &nudge),
        save("other.safetensors", &|network| {
            network.params_mut().iter_mut().filter(|p| p.name.starts_with("core.")).for_each(|p| p.value.iter_mut().for_each(|v| *v += 0.1));
        }),
    );
    let units = Recording::open(&recording).expect("a recording");
    let column = |name: &str| -> Vec<String> { units.units().column(name).expect("a column").iter().map(ToString::to_string).collect() };
    let (ids, x, y) = (units.units().ids(), column("soma_x"), column("soma_y"));
    let rows: Vec<String> = (0..ids.len()).map(|i| format!("{},cell {i},{},{}", ids[i], x[i], y[i])).collect();
    std::fs::write(at("units.csv"), format!("id,cell,soma_x,soma_y\n{}\n", rows.join("\n"))).expect("write");
    let table = at("units.csv");
    let asked = ["--labels", text(&table), "--neuron", "cell", "--radius", "2000"];
    let said = output(&[&["anatomy", "stability", text(&model), text(&later), "-o", text(&at("out"))], &asked[..]].concat());
    assert!(said.contains("40 of 40 neurons have less than 5 % of their neighbours in other scans"), "{said}");
    let rows = std::fs::read_to_string(at("out").join("stability.csv")).expect("table");
    assert_eq!(rows.lines().count(), 41);
    for row in rows.lines().skip(1) {
        let values: Vec<f64> = row.split(',').skip(1).map(|v| v.parse().expect("a number")).collect();
        assert!(values[0] < 0.05 && values[1] > 3.0 * values[0] && values[2] > 3.0 * values[0], "{row}");
    }
    let refused = |arguments: &[&str]| failure(&[&["anatomy", "stability"], arguments, &["-o", text(&at("x"))]].concat());
    assert!(refused(&[&[text(&model), text(&other)], &asked[..]].concat()).contains("different cores"));
    assert!(refused(&[text(&model), text(&later)]).contains("--labels"));
    assert!(refused(&[text(&model)]).contains("2 values"));
    std::fs::write(at("flat.csv"), "id,soma_x\n0,1\n1,2\n").expect("write");
    assert!(refused(&[text(&model), text(&later), "--labels", text(&at("flat.csv"))]).contains("soma_y"));
    assert!(!at("x").exists());
}
