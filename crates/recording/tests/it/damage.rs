//! Damaged and hostile recordings are refused, not believed.

use crate::small::{meta, series, video, write};
use ndarray::Array2;
use serde_json::{Value, json};
use std::path::Path;
use striate_recording::{NewTrial, Recording, RecordingWriter, Tier, UnitTable};

fn change(path: &Path, edit: impl FnOnce(&mut Value)) {
    let file = path.join("zarr.json");
    let mut group: Value = serde_json::from_slice(&std::fs::read(&file).expect("read")).expect("json");
    edit(&mut group["attributes"]);
    std::fs::write(&file, group.to_string()).expect("write");
}

#[test]
fn tables_that_disagree_with_arrays_are_refused() {
    type Edit = fn(&mut Value);
    let cases: [(&str, Edit); 9] = [
        ("format", |a| a["striate"]["format"] = json!(99)),
        ("rate", |a| a["striate"]["rate"] = json!(-3.0)),
        ("unknown", |a| a["striate"]["speed"] = json!(1)),
        ("eye", |a| a["striate"]["eye"] = json!(["x"])),
        ("trials.frames", |a| a["trials"]["frames"][0] = json!(100_000)),
        ("trials.video", |a| a["trials"]["video"][1] = json!(77)),
        ("trials.tier", |a| a["trials"]["tier"][1] = json!("exam")),
        ("videos.start", |a| a["videos"]["start"][1] = json!(u64::MAX)),
        ("units.id", |a| a["units"]["id"] = json!([1, 2])),
    ];
    for (what, edit) in cases {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("r.zarr");
        drop(write(&path));
        change(&path, edit);
        let error = Recording::open(&path).expect_err(what).to_string();
        assert!(error.contains("r.zarr"), "{what}: {error}");
    }
}

#[test]
fn missing_empty_and_foreign_folders_are_refused() {
    let folder = tempfile::tempdir().expect("folder");
    assert!(Recording::open(folder.path().join("nothing")).is_err());
    assert!(Recording::open(folder.path()).is_err());
    std::fs::write(folder.path().join("zarr.json"), "{").expect("write");
    assert!(Recording::open(folder.path()).is_err());
    std::fs::write(folder.path().join("zarr.json"), r#"{"zarr_format":3,"node_type":"group","attributes":{}}"#).expect("write");
    let error = Recording::open(folder.path()).expect_err("not ours").to_string();
    assert!(error.contains("not a recording"), "{error}");
}

#[test]
fn a_truncated_chunk_is_an_error_when_read() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("r.zarr");
    let recording = write(&path);
    for array in ["response/c/0/0", "video/c/0/0/0/0"] {
        let chunk = path.join(array);
        let bytes = std::fs::read(&chunk).expect("a chunk");
        std::fs::write(&chunk, &bytes[..bytes.len() / 2]).expect("write");
        assert!(recording.window(0, 0, 10).is_err(), "{array}");
        std::fs::write(&chunk, bytes).expect("write");
    }
    assert!(recording.window(0, 0, 10).is_ok());
}

#[test]
fn what_does_not_fit_is_not_written() {
    let folder = tempfile::tempdir().expect("folder");
    let mut writer = RecordingWriter::create(folder.path().join("r.zarr"), meta(), [4, 6, 1], UnitTable::numbered(3)).expect("create");
    writer.add_video("v", video(0).view()).expect("video");
    let (r, e, b) = (series(0, 3), series(1, 2), series(2, 2));
    let good = NewTrial {
        name: "t",
        video: 0,
        video_start: 0,
        tier: Tier::Train,
        domain: "natural",
        times: None,
        responses: r.view(),
        eye: e.view(),
        behavior: b.view(),
    };
    let wide = series(0, 4);
    assert!(writer.add_trial(NewTrial { responses: wide.view(), ..good }).is_err(), "four units");
    assert!(writer.add_trial(NewTrial { video: 1, ..good }).is_err(), "no such video");
    assert!(writer.add_trial(NewTrial { video_start: 1, ..good }).is_err(), "beyond the video");
    let mut infinite: Array2<f32> = r.clone();
    infinite[[4, 2]] = f32::INFINITY;
    let error = writer.add_trial(NewTrial { responses: infinite.view(), ..good }).expect_err("infinity").to_string();
    assert!(error.contains("sample 4") && error.contains("column 2"), "{error}");
    assert!(writer.add_trial(good).is_ok());
}

#[test]
fn a_place_that_is_taken_or_cannot_be_written_is_an_error() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("r.zarr");
    drop(write(&path));
    assert!(RecordingWriter::create(&path, meta(), [4, 6, 1], UnitTable::numbered(3)).is_err());
    let file = folder.path().join("file");
    std::fs::write(&file, "x").expect("write");
    assert!(RecordingWriter::create(file.join("r.zarr"), meta(), [4, 6, 1], UnitTable::numbered(3)).is_err());
}
