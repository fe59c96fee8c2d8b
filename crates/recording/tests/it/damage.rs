//! Damaged and hostile recordings are refused, not believed.

use crate::small::{meta, series, video, write};
use ndarray::Array2;
use serde_json::{Value, json};
use std::path::Path;
use striate_recording::inspect::inspect;
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
fn events_that_cannot_be_are_named() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("r.zarr");
    drop(write(&path));
    let event = |on: usize, off: usize| json!({"onset_frame": on, "offset_frame": off, "onset": on as f64 / 30.0, "offset": off as f64 / 30.0, "type": "motion", "direction": 90.0});
    let set = |events: Value| change(&path, |a| a["videos"]["events"] = json!([[], events, []]));
    set(json!([event(0, 20), event(20, 90)]));
    assert_eq!(Recording::open(&path).expect("sound").videos()[1].events.len(), 2);
    let mut timeless = event(20, 40);
    timeless["onset"] = Value::Null;
    let mut backwards = event(20, 40);
    backwards["offset"] = json!(0.1);
    for (second, what) in [
        (event(40, 40), "onset before an offset within the video's 90 frames"),
        (event(60, 91), "within the video's 90 frames"),
        (timeless, "an event"),
        (backwards, "seconds before the offset"),
        (event(5, 40), "no earlier"),
        (json!({"onset_frame": 20}), "an event"),
    ] {
        set(json!([event(10, 20), second]));
        let error = Recording::open(&path).expect_err(what).to_string();
        assert!(error.contains(what) && error.contains("event 1 of video video1"), "{error}");
    }
    set(json!("none"));
    assert!(Recording::open(&path).expect_err("no list").to_string().contains("a list of events"));
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
fn a_tier_that_is_none_names_those_there_are() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("r.zarr");
    drop(write(&path));
    change(&path, |a| a["trials"]["tier"][1] = json!("exam"));
    let error = Recording::open(&path).expect_err("no tier").to_string();
    assert!(error.contains("train, validation or test") && error.contains("exam"), "{error}");
}

#[test]
fn sizes_that_no_file_stands_behind_are_refused() {
    type Edit = fn(&mut Value);
    let chunk = |a: &mut Value, axis: usize| a["chunk_grid"]["configuration"]["chunk_shape"][axis] = json!(1u64 << 62);
    let cases: [(&str, Edit); 4] = [
        ("video", |a| (a["shape"][1], a["shape"][2]) = (json!(1u64 << 33), json!(1u64 << 33))),
        ("video", |a| a["shape"][1] = json!(1u64 << 31)),
        ("response", |a| a["shape"][0] = json!(u64::MAX)),
        ("time", |a| a["shape"][0] = json!(1u64 << 62)),
    ];
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("r.zarr");
    drop(write(&path));
    let refused = |array: &str, edit: &dyn Fn(&mut Value)| {
        let file = path.join(array).join("zarr.json");
        let whole = std::fs::read(&file).expect("read");
        let mut metadata: Value = serde_json::from_slice(&whole).expect("json");
        edit(&mut metadata);
        std::fs::write(&file, metadata.to_string()).expect("write");
        let error = Recording::open(&path).expect_err(array).to_string();
        assert!(error.contains(array), "{error}");
        std::fs::write(&file, whole).expect("write");
    };
    cases.iter().for_each(|(array, edit)| refused(array, edit));
    refused("video", &|a| chunk(a, 3));
    refused("response", &|a| chunk(a, 0));
    assert!(Recording::open(&path).is_ok());
}

#[test]
fn a_trial_of_more_frames_than_there_is_memory_is_an_error() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("r.zarr");
    drop(write(&path));
    let rows = 1u64 << 46;
    for array in ["video", "response", "eye", "behavior", "time"] {
        let file = path.join(array).join("zarr.json");
        let mut metadata: Value = serde_json::from_slice(&std::fs::read(&file).expect("read")).expect("json");
        metadata["shape"][0] = json!(rows);
        std::fs::write(&file, metadata.to_string()).expect("write");
    }
    change(&path, |a| {
        a["videos"]["frames"][2] = json!(rows - 180);
        a["trials"]["frames"][3] = json!(rows - 270);
    });
    let recording = Recording::open(&path).expect("numbers that agree");
    let error = recording.window(3, 0, recording.trials()[3].frames).expect_err("a petabyte").to_string();
    assert!(error.contains("memory"), "{error}");
}

#[test]
fn infinite_values_are_named_when_read_and_counted_by_inspection() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("r.zarr");
    drop(write(&path));
    let mut responses = Recording::open(&path).expect("open").series(0).expect("series")[2].clone();
    (responses[[10, 2]], responses[[11, 1]]) = (f32::INFINITY, f32::NEG_INFINITY);
    overwrite(&path, "response", &responses);
    let recording = Recording::open(&path).expect("open");
    let error = recording.window(0, 8, 20).expect_err("infinite").to_string();
    assert!(error.contains("responses of trial trial0, sample 10") && error.contains("column 2"), "{error}");
    assert!(recording.window(0, 12, 20).is_ok(), "not in this window");
    let found = inspect(&recording).expect("inspect");
    assert_eq!(found.responses.infinite, 2);
    assert!(found.responses.mean.is_finite());
    assert!(found.warnings.iter().any(|w| w.contains("responses: 2 infinite")), "{:?}", found.warnings);
}

/// Writes the rows of the first trial anew, uncompressed, and other rows, finite ones, for the other trials.
fn overwrite(path: &Path, array: &str, rows: &Array2<f32>) {
    let file = path.join(array).join("zarr.json");
    let mut metadata: Value = serde_json::from_slice(&std::fs::read(&file).expect("read")).expect("json");
    metadata["codecs"] = json!([{"name": "bytes", "configuration": {"endian": "little"}}]);
    metadata["chunk_grid"]["configuration"]["chunk_shape"][0] = json!(rows.nrows());
    std::fs::write(&file, metadata.to_string()).expect("write");
    for chunk in 0..4 {
        let value = |v: &f32| if chunk == 0 || v.is_finite() { *v } else { 1.0 };
        let bytes: Vec<u8> = rows.iter().flat_map(|v| value(v).to_le_bytes()).collect();
        std::fs::create_dir_all(path.join(array).join(format!("c/{chunk}"))).expect("folder");
        std::fs::write(path.join(array).join(format!("c/{chunk}/0")), &bytes).expect("write");
    }
}

#[test]
fn chunks_that_are_not_stored_are_counted() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("r.zarr");
    let recording = write(&path);
    assert!(recording.chunks_not_stored().is_empty());
    std::fs::remove_file(path.join("video/c/1/0/0/0")).expect("a chunk");
    std::fs::remove_file(path.join("eye/c/0/0")).expect("a chunk");
    assert_eq!(recording.chunks_not_stored(), [("video", 1, 9, "0".to_owned()), ("eye", 1, 6, "NaN".to_owned())]);
    let warnings = inspect(&recording).expect("inspect").warnings;
    assert!(warnings.iter().any(|w| w.contains("video: 1 of 9 chunks") && w.contains("black")), "{warnings:?}");
}

#[test]
fn a_black_video_and_a_trial_nobody_measured_are_stored() {
    let folder = tempfile::tempdir().expect("folder");
    let mut writer = RecordingWriter::create(folder.path().join("r.zarr"), meta(), [4, 6, 1], UnitTable::numbered(3)).expect("create");
    writer.add_video("v", ndarray::Array4::zeros((90, 4, 6, 1)).view()).expect("video");
    let (r, e, b) = (Array2::from_elem((90, 3), f32::NAN), series(1, 2), series(2, 2));
    let trial = NewTrial {
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
    writer.add_trial(trial).expect("trial");
    assert!(writer.finish().expect("finish").chunks_not_stored().is_empty());
}

#[test]
fn a_truncated_chunk_is_an_error_when_read() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("r.zarr");
    write(&path);
    // opened anew each time: what was read whole is remembered
    let read = || Recording::open(&path).expect("open").window(0, 0, 10);
    for array in ["response/c/0/0", "video/c/0/0/0/0"] {
        let chunk = path.join(array);
        let bytes = std::fs::read(&chunk).expect("a chunk");
        std::fs::write(&chunk, &bytes[..bytes.len() / 2]).expect("write");
        assert!(read().is_err(), "{array}");
        std::fs::write(&chunk, bytes).expect("write");
    }
    assert!(read().is_ok());
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
