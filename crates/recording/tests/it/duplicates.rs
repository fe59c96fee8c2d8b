//! Held-out video that is training video again.

use crate::small::{meta, series};
use ndarray::Array4;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::path::Path;
use striate_recording::duplicates::duplicates;
use striate_recording::{NewTrial, Recording, RecordingWriter, Tier, UnitTable};

const FRAMES: usize = 20;

/// Smooth random pictures that change slowly.
fn film(seed: u64) -> Array4<u8> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let waves: Vec<[f64; 4]> = (0..6).map(|_| std::array::from_fn(|_| rng.random_range(-1.0..1.0))).collect();
    Array4::from_shape_fn((FRAMES, 36, 64, 1), |(t, y, x, _)| {
        let v: f64 = waves.iter().map(|[a, b, c, d]| (a * x as f64 * 0.3 + b * y as f64 * 0.4 + c * t as f64 * 0.2 + 6.0 * d).sin()).sum();
        (128.0f64 + 30.0 * v).clamp(0.0, 255.0) as u8
    })
}

fn recording(path: &Path, films: &[(Array4<u8>, Tier)]) -> Recording {
    let mut writer = RecordingWriter::create(path, meta(), [36, 64, 1], UnitTable::numbered(3)).expect("create");
    for (n, (film, tier)) in films.iter().enumerate() {
        let video = writer.add_video(&format!("film{n}"), film.view()).expect("video");
        let cut = |width| series(n, width).slice(ndarray::s![..FRAMES, ..]).to_owned();
        let (r, e, b) = (cut(3), cut(2), cut(2));
        let (name, responses, eye, behavior) = (&format!("trial{n}"), r.view(), e.view(), b.view());
        let trial = NewTrial { name, video, video_start: 0, tier: *tier, domain: "natural", times: None, responses, eye, behavior };
        writer.add_trial(trial).expect("trial");
    }
    writer.finish().expect("finish")
}

#[test]
fn copies_are_found_across_recordings_and_after_changes() {
    let folder = tempfile::tempdir().expect("folder");
    let brighter = film(1).mapv(|v| (f64::from(v) * 0.8 + 40.0) as u8);
    let grey = Array4::from_elem((FRAMES, 36, 64, 1), 128);
    let train: Vec<_> = (0..30).map(|n| (film(n), Tier::Train)).chain([(grey.clone(), Tier::Train)]).collect();
    let a = recording(&folder.path().join("a.zarr"), &train);
    let tests =
        [(film(3), Tier::Test), (brighter, Tier::Test), (film(100), Tier::Test), (grey.mapv(|v| v + 1), Tier::Test), (film(5), Tier::Validation)];
    let b = recording(&folder.path().join("b.zarr"), &tests);
    let found = duplicates(&[&a, &b]).expect("read");
    let mut told: Vec<_> = found.iter().map(|d| (d.held_out.video.as_str(), d.other.video.as_str(), d.exact)).collect();
    told.sort();
    assert_eq!(told, [("film0", "film3", true), ("film1", "film1", false), ("film4", "film5", true)]);
    let line = found[0].to_string();
    assert!(line.contains("test video film0 of") && line.contains("is training video film3 of"), "{line}");
    assert!(duplicates(&[&b]).expect("read").is_empty(), "within one recording nothing is shown twice");
}
