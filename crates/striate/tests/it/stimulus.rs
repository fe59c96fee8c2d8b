//! Stimuli are made whole or not at all.

use crate::{failure, golden, output, striate, text};
use std::path::Path;

/// Bytes of all files in a folder, in order of their names, or of a file.
fn bytes(path: &Path) -> Vec<u8> {
    if path.is_file() {
        return std::fs::read(path).expect("read");
    }
    let mut paths: Vec<_> = std::fs::read_dir(path).expect("list").map(|entry| entry.expect("entry").path()).collect();
    paths.sort();
    paths.iter().flat_map(|path| bytes(path)).collect()
}

fn names() -> Vec<String> {
    output(&["stimulus"]).lines().skip(1).filter_map(|line| line.split_whitespace().next().map(str::to_owned)).collect()
}

#[test]
fn every_stimulus_is_the_same_for_the_same_seed() {
    let folder = tempfile::tempdir().expect("folder");
    let at = |name: &str| folder.path().join(name);
    output(&["stimulus", "natural", "--size", "30x40", "--frames", "3", "-o", text(&at("photos"))]);
    let names = names();
    assert_eq!(names, output(&["stimulus", "--list"]).lines().skip(1).filter_map(|l| l.split_whitespace().next()).collect::<Vec<_>>());
    assert_eq!(names.len(), 14);
    for name in &names {
        let photos = at("photos");
        let pictures: &[&str] = if name == "pictures" { &["--pictures", text(&photos)] } else { &[] };
        let make = |file: &str, seed: &str| {
            let out = at(file);
            output(&[&["stimulus", name, "--size", "27x48", "--frames", "40", "--seed", seed, "-o", text(&out)], pictures].concat());
            bytes(&out)
        };
        let [a, b, c] = [("a", "1"), ("b", "1"), ("c", "2")].map(|(file, seed)| make(&format!("{name}-{file}.npy"), seed));
        assert_eq!(a, b, "{name}");
        assert_eq!(a == c, name == "chirp", "{name}: another seed");
        assert_eq!(a.len(), 128 + 40 * 27 * 48, "{name}");
        let table = std::fs::read_to_string(at(&format!("{name}-a.events.csv"))).expect("events");
        assert!(table.starts_with("onset_frame,offset_frame,onset,offset,type"), "{name}: {table}");
        assert_eq!(table.lines().count() > 1, name != "chirp", "{name}, of which a chirp begins with two seconds of grey: {table}");
    }
}

#[test]
fn a_network_responds_to_every_kind_of_file() {
    let folder = tempfile::tempdir().expect("folder");
    let at = |name: &str| folder.path().join(name);
    let case = golden("mlp-small");
    let model = at("m.safetensors");
    output(&["model", "import", text(&case.join("state_dict.safetensors")), "--config", text(&case.join("case.json")), "-o", text(&model)]);
    let mut responses = Vec::new();
    for kind in ["v.npy", "v.zarr", "v.gif", "v"] {
        let said = output(&["stimulus", "gabors", "--size", "36x64", "--frames", "40", "--rate", "25", "-o", text(&at(kind))]);
        assert!(said.contains("40 frames of 36 x 64 at 25 Hz"), "{said}");
        output(&["respond", text(&model), "--video", text(&at(kind)), "-o", text(&at("r.npy"))]);
        responses.push(bytes(&at("r.npy")));
        std::fs::remove_file(at("v.events.csv")).expect("events");
    }
    assert!(responses.windows(2).all(|pair| pair[0] == pair[1]), "the kinds of file hold different frames");
    let attributes: serde_json::Value = serde_json::from_slice(&bytes(&at("v.zarr").join("zarr.json"))).expect("json");
    let told = &attributes["attributes"]["striate-video"];
    assert_eq!((told["seed"].as_u64(), told["rate"].as_f64(), told["stimulus"]["stimulus"].as_str()), (Some(0), Some(25.0), Some("gabors")));
    assert_eq!(told["events"][1]["onset_frame"], 25);
}

#[test]
fn settings_come_from_files_and_words_and_are_printed() {
    let folder = tempfile::tempdir().expect("folder");
    let at = |name: &str| folder.path().join(name);
    let printed = output(&["stimulus", "gratings", "spatial=[0.02, 0.08]", "monitor.unit=centre", "size=20", "--rate", "60", "--print-config"]);
    assert!(printed.contains("unit = \"centre\"") && printed.contains("frames = 2880"), "the length in seconds stays: {printed}");
    std::fs::write(at("g.toml"), &printed).expect("write");
    assert_eq!(output(&["stimulus", "--config", text(&at("g.toml")), "--print-config"]), printed);
    let said = output(&[
        "stimulus",
        "--config",
        text(&at("g.toml")),
        "seconds=0.5",
        "--seconds",
        "2",
        "--size",
        "9x16",
        "-o",
        text(&at("g.zarr")),
        "--preview",
        text(&at("g.png")),
    ]);
    assert!(said.contains("120 frames of 9 x 16 at 60 Hz"), "{said}");
    assert!(bytes(&at("g.png")).starts_with(b"\x89PNG"));
}

#[test]
fn what_cannot_be_made_leaves_nothing_behind() {
    let folder = tempfile::tempdir().expect("folder");
    let out = folder.path().join("out.npy");
    let wrong: [(&[&str], &str); 13] = [
        (&["gabor"], "there are pink-noise"),
        (&["gabors", "spatail=0.1"], "spatail"),
        (&["gabors", "envelope=wide"], "envelope=wide"),
        (&["gabors", "height=-3"], "height=-3"),
        (&["gabors", "--size", "-3x4"], "144x256"),
        (&["gabors", "--size", "0x4"], "height is 0"),
        (&["gabors", "--rate", "nan"], "frames"),
        (&["gabors", "--seconds", "-1"], "at least one"),
        (&["gabors", "contrast=2"], "contrast is 2"),
        (&["gabors", "monitor.distance=0"], "monitor.distance is 0"),
        (&["gabors", "spatial"], "KEY=VALUE"),
        (&["pictures"], "--pictures"),
        (&["gabors", "--pictures", "nowhere"], "shows none"),
    ];
    for (arguments, said) in wrong {
        let error = failure(&[&["stimulus"], arguments, &["-o", text(&out)]].concat());
        assert!(error.contains(said), "{arguments:?}: {error}");
    }
    let error = failure(&["stimulus", "steps", "-o", text(&folder.path().join("v.avi"))]);
    assert!(error.contains(".zarr"), "{error}");
    std::fs::write(folder.path().join("file"), b"").expect("write");
    assert!(failure(&["stimulus", "steps", "-o", text(&folder.path().join("file/v.npy"))]).contains("v.npy"));
    assert!(failure(&["stimulus", "steps"]).contains("-o"));
    let without = striate(&["stimulus", "steps", "-o", text(&folder.path().join("v.mp4"))]).env("PATH", "").output().expect("the binary runs");
    assert!(!without.status.success() && String::from_utf8_lossy(&without.stderr).contains("install ffmpeg"));
    let left: Vec<_> = std::fs::read_dir(folder.path()).expect("list").map(|e| e.expect("entry").file_name()).collect();
    assert_eq!(left, ["file"]);
    // and what is there is not replaced
    output(&["stimulus", "steps", "--size", "4x4", "-o", text(&out)]);
    let before = bytes(&out);
    assert!(failure(&["stimulus", "steps", "--size", "4x4", "-o", text(&out)]).contains("exists already"));
    assert_eq!(bytes(&out), before);
}

/// A program that stands in for ffmpeg: it keeps what it is fed, or complains.
#[cfg(unix)]
#[test]
fn films_are_fed_to_ffmpeg_frame_by_frame() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("folder");
    let at = |name: &str| folder.path().join(name);
    let make = |script: &str, out: &str| {
        std::fs::write(at("ffmpeg"), script).expect("write");
        std::fs::set_permissions(at("ffmpeg"), std::fs::Permissions::from_mode(0o755)).expect("mode");
        let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap_or_default());
        striate(&["stimulus", "steps", "--size", "6x8", "--frames", "45", "-o", text(&at(out))]).env("PATH", path).output().expect("the binary runs")
    };
    let done = make("#!/bin/sh\nfor last; do :; done\nexec cat > \"${last#file:}\"\n", "v.mp4");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(bytes(&at("v.mp4")).len(), 45 * 6 * 8);
    let failed = make("#!/bin/sh\necho no such codec >&2\nexit 1\n", "w.mp4");
    assert!(!failed.status.success() && String::from_utf8_lossy(&failed.stderr).contains("no such codec"));
    let mut left: Vec<_> = std::fs::read_dir(folder.path()).expect("list").map(|e| e.expect("entry").file_name()).collect();
    left.sort();
    assert_eq!(left, ["ffmpeg", "v.events.csv", "v.mp4"]);
}
