//! zarr-python opens what is written here, and what it writes is opened here. Runs where Python has zarr.

use crate::small::{series, write};
use std::process::Command;
use striate_recording::{Recording, Tier};

/// Interpreter to use; `STRIATE_PYTHON` names another.
fn python() -> Option<Command> {
    let name = std::env::var("STRIATE_PYTHON").unwrap_or_else(|_| "python3".into());
    let found = Command::new(&name).args(["-c", "import zarr; assert int(zarr.__version__.split('.')[0]) >= 3"]).output();
    match found {
        Ok(out) if out.status.success() => Some(Command::new(name)),
        _ => {
            println!("skipped: {name} has no zarr 3; pip install zarr, or name an interpreter in STRIATE_PYTHON");
            None
        }
    }
}

#[test]
fn zarr_python_reads_our_recordings() {
    let Some(mut python) = python() else { return };
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("r.zarr");
    drop(write(&path));
    let script = r#"
import sys, zarr, numpy as np
g = zarr.open_group(sys.argv[1], mode="r")
assert g.attrs["striate"]["animal"] == "mouse"
assert g.attrs["trials"]["tier"] == ["train", "validation", "test", "test"]
r = g["response"][:]
assert r.shape == (360, 3) and r.dtype == np.float32 and np.isnan(r[5, 1])
assert g["video"].shape == (270, 4, 6, 1) and g["video"][1, 2, 3, 0] == (7 + 62 + 9) % 256
print(float(r[91, 2]), float(g["time"][95]))
"#;
    let out = python.args(["-c", script]).arg(&path).output().expect("python");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let text = String::from_utf8_lossy(&out.stdout);
    let numbers: Vec<f64> = text.split_whitespace().map(|v| v.parse().expect("a number")).collect();
    assert_eq!(numbers[0] as f32, series(1, 3)[[1, 2]]);
    assert!((numbers[1] - 5.0 / 30.0).abs() < 1e-12);
}

#[test]
fn a_recording_written_in_python_opens() {
    let Some(mut python) = python() else { return };
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("p.zarr");
    // the example of docs/data.md, run as it stands there
    let document = include_str!("../../../../docs/data.md");
    let script = document.split("```python").nth(1).and_then(|rest| rest.split("```").next()).expect("docs/data.md has an example");
    let out = python.args(["-c", script]).arg(&path).output().expect("python");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let recording = Recording::open(&path).expect("open");
    assert_eq!(recording.unit_count(), 50);
    assert_eq!(recording.trials_of(Tier::Test).len(), 4);
    let window = recording.window(0, 10, 70).expect("window");
    assert_eq!(window.responses.dim(), (70, 50));
    assert!(window.responses.iter().all(|v| v.is_finite()));
}

#[test]
fn the_default_compression_of_python_opens() {
    let Some(mut python) = python() else { return };
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("p.zarr");
    // without compressors= zarr-python takes zstd
    let document = include_str!("../../../../docs/data.md");
    let script = document.split("```python").nth(1).and_then(|rest| rest.split("```").next()).expect("docs/data.md has an example");
    let script = script.replace(", compressors=zarr.codecs.GzipCodec(level=1)", "");
    let out = python.args(["-c", &script]).arg(&path).output().expect("python");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let metadata = std::fs::read_to_string(path.join("response/zarr.json")).expect("metadata");
    assert!(metadata.contains("zstd"), "{metadata}");
    let window = Recording::open(&path).expect("open").window(0, 10, 70).expect("window");
    assert!(window.responses.iter().all(|v| v.is_finite()));
}
