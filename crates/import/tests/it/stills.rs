//! Flashed pictures from folders and archives.

use crate::npy_file::f64s;
use image::{GrayImage, Luma, RgbImage};
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use striate_import::stills::{Order, StillsOptions, import_stills};
use striate_recording::{Recording, Tier};
use zip::write::SimpleFileOptions;

const PICTURES: usize = 20;
const UNITS: usize = 2;

/// Each picture is of one grey, so that it can be told from the others.
fn tone(i: usize) -> u8 {
    (10 * i) as u8
}

/// 2 + unit + picture, so that no training mean is 0.
fn response(unit: usize, picture: usize) -> f64 {
    (2 + unit + picture) as f64
}

fn png(i: usize) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    GrayImage::from_pixel(6, 5, Luma([tone(i)])).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

fn archive(path: &Path, entries: impl IntoIterator<Item = (String, Vec<u8>)>) -> PathBuf {
    let mut zip = zip::ZipWriter::new(std::fs::File::create(path).unwrap());
    zip.add_directory("set", SimpleFileOptions::default()).unwrap();
    for (name, bytes) in entries {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(&bytes).unwrap();
    }
    zip.finish().unwrap();
    path.into()
}

/// Pictures in the archive's own order, which is not that of their names, and what archivers add.
fn pictures(root: &Path) -> PathBuf {
    let added = ["__MACOSX/set/._image00.png", "set/.DS_Store", "set/notes.txt"].map(|name| (name.to_owned(), b"no picture".to_vec()));
    archive(&root.join("pictures.zip"), (0..PICTURES).rev().map(|i| (format!("set/image{i:02}.png"), png(i))).chain(added))
}

fn responses(root: &Path) -> PathBuf {
    let values: Vec<f64> = (0..UNITS).flat_map(|u| (0..PICTURES).map(move |i| response(u, i))).collect();
    f64s(&root.join("mean.npy"), &[UNITS, PICTURES], &values)
}

fn options() -> StillsOptions {
    StillsOptions { size: [4, 6], animal: "PE".into(), ..StillsOptions::default() }
}

/// The one response of a trial, before its division, and the tone of its picture.
fn shown(recording: &Recording, trial: usize) -> (Vec<f64>, u8) {
    let frames = recording.trials()[trial].frames;
    let window = recording.window(trial, 0, frames).unwrap();
    assert!(window.responses.rows().into_iter().take(frames - 1).flatten().all(|v| v.is_nan()), "only the last frame was measured");
    assert!(window.eye.iter().chain(&window.behavior).all(|v| *v == 0.0));
    assert_eq!((window.video[[0, 1, 1, 0]], window.video[[1, 1, 1, 0]]), (128, window.video[[frames - 1, 1, 1, 0]]), "grey, then the picture");
    let scale = |u: usize| recording.meta().standardization["response"][u]["scale"].as_f64().unwrap();
    (window.responses.row(frames - 1).iter().enumerate().map(|(u, v)| f64::from(*v) * scale(u)).collect(), window.video[[1, 1, 1, 0]])
}

#[test]
fn every_picture_meets_its_response() {
    let root = tempfile::tempdir().unwrap();
    let out = root.path().join("r.zarr");
    let recording = import_stills(&pictures(root.path()), &responses(root.path()), None, &out, &options()).unwrap();
    assert_eq!((recording.frame_shape(), recording.trials().len(), recording.videos().len()), ([4, 6, 1], PICTURES, PICTURES));
    // 20 % of 20, then 10 % of 16 rounded
    let counts = [Tier::Train, Tier::Validation, Tier::Test].map(|tier| recording.trials_of(tier).len());
    assert_eq!(counts, [14, 2, 4]);
    for i in 0..PICTURES {
        let (values, picture) = shown(&recording, i);
        assert_eq!((picture, recording.trials()[i].name.as_str()), (tone(i), format!("set/image{i:02}.png").as_str()));
        assert!(values.iter().enumerate().all(|(u, v)| (v - response(u, i)).abs() < 1e-4), "{values:?}");
    }
    let train = recording.trials_of(Tier::Train);
    let mean: f64 = train.iter().map(|t| f64::from(recording.series(*t).unwrap()[2][[3, 1]])).sum::<f64>() / train.len() as f64;
    assert!((mean - 1.0).abs() < 1e-5, "responses are divided by their training mean, which becomes {mean}");
    let meta = recording.meta();
    assert!(meta.source.contains("pictures.zip") && meta.source.contains("mean.npy"));
    assert_eq!((meta.animal.as_str(), meta.eye.join(","), meta.behavior.join(",")), ("PE", "x,y".into(), "pupil,treadmill".into()));
    assert_eq!(meta.standardization["eye"], "not measured: the mean state");
}

#[test]
fn an_order_that_is_not_clear_must_be_said() {
    let root = tempfile::tempdir().unwrap();
    let images = archive(&root.path().join("pictures.zip"), (0..PICTURES).map(|i| (format!("{i}.png"), png(i))));
    let import = |order, out: &str| {
        let options = StillsOptions { order, ..options() };
        import_stills(&images, &responses(root.path()), None, &root.path().join(out), &options)
    };
    let error = import(None, "a.zarr").unwrap_err().to_string();
    assert!(error.contains("--order") && error.contains("19.png comes before 2.png"), "{error}");
    assert!(!root.path().join("a.zarr").exists());
    let names = |recording: Recording| recording.trials().iter().map(|t| t.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(import(Some(Order::Name), "b.zarr").unwrap())[..3], ["0.png", "1.png", "10.png"]);
    let recording = import(Some(Order::Number), "c.zarr").unwrap();
    for i in 0..PICTURES {
        let (values, picture) = shown(&recording, i);
        assert_eq!(picture, tone(i));
        assert!((values[0] - response(0, i)).abs() < 1e-4, "{values:?}");
    }
}

#[test]
fn test_pictures_are_repeated_and_others_averaged() {
    let root = tempfile::tempdir().unwrap();
    // picture i was shown i % 4 times, of 3 at most at places 0, 2, 3; never is left to its mean
    let was_shown = |i: usize, r: usize| r != 1 && (if r == 0 { 0 } else { r - 1 }) < i % 4;
    let values: Vec<f64> = (0..UNITS)
        .flat_map(|u| {
            (0..PICTURES).flat_map(move |i| (0..4).map(move |r| if was_shown(i, r) { response(u, i) + 100.0 * r as f64 } else { f64::NAN }))
        })
        .collect();
    let single = f64s(&root.path().join("single.npy"), &[UNITS, PICTURES, 4], &values);
    let out = root.path().join("r.zarr");
    let recording = import_stills(&pictures(root.path()), &responses(root.path()), Some(&single), &out, &options()).unwrap();
    assert!(recording.meta().source.contains("single.npy"));
    assert_eq!(recording.videos().len(), PICTURES);
    for i in 0..PICTURES {
        let of: Vec<usize> = (0..recording.trials().len()).filter(|t| recording.trials()[*t].video == i).collect();
        let tests = recording.trials()[of[0]].tier == Tier::Test;
        let places: Vec<usize> = if tests && i % 4 > 0 { [0, 2, 3][..i % 4].to_vec() } else { vec![0] };
        assert_eq!(of.len(), places.len(), "picture {i}");
        for (trial, place) in of.into_iter().zip(places) {
            let (values, picture) = shown(&recording, trial);
            assert!((values[1] - response(1, i) - 100.0 * place as f64).abs() < 1e-3 && picture == tone(i), "picture {i}: {values:?}");
        }
    }
    assert_eq!(recording.repeats("pictures").len(), 4);
    assert!(recording.repeats("pictures").iter().any(|r| r.len() > 1));
}

#[test]
fn clips_and_split_follow_the_options() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("./.hidden/pictures");
    std::fs::create_dir_all(folder.join("more.png")).unwrap();
    for i in 0..PICTURES {
        RgbImage::from_pixel(3, 3, image::Rgb([tone(i), 7, 9])).save(folder.join(format!("{i:02}.png"))).unwrap();
    }
    std::fs::write(folder.join("._00.png"), b"x").unwrap();
    let options = StillsOptions { color: true, blank: 0, frames: 5, respond_on: 2, seed: 3, ..options() };
    let import = |name: &str, options| import_stills(&folder, &responses(root.path()), None, &root.path().join(name), options).unwrap();
    let recording = import("a.zarr", &options);
    let window = recording.window(4, 0, 5).unwrap();
    assert_eq!(window.video.slice(ndarray::s![0, 3, 5, ..]).to_vec(), [tone(4), 7, 9]);
    let measured: Vec<bool> = window.responses.column(0).iter().map(|v| !v.is_nan()).collect();
    assert_eq!(measured, [false, false, false, true, true]);
    let tiers = |r: &Recording| r.trials().iter().map(|t| t.tier).collect::<Vec<_>>();
    assert_eq!(tiers(&recording), tiers(&import("b.zarr", &options)), "one split per seed");
    assert_ne!(tiers(&recording), tiers(&import("c.zarr", &StillsOptions { seed: 4, ..options.clone() })));
}

/// A change of the files or the options.
type Change<'a, T> = &'a dyn Fn(&mut T);

#[test]
fn damaged_pictures_are_refused() {
    let root = tempfile::tempdir().unwrap();
    let r = root.path();
    let (images, mean) = (pictures(r), responses(r));
    let refused = |images: &Path, mean: &Path, single: Option<&Path>, options: &StillsOptions, part: &str| {
        let out = tempfile::tempdir().unwrap();
        let message = import_stills(images, mean, single, &out.path().join("r.zarr"), options).expect_err(part).to_string();
        assert!(message.contains(part), "{part}: {message}");
        assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 0, "nothing half-written stays: {message}");
    };
    let plain = options();
    let few = f64s(&r.join("few.npy"), &[UNITS, 19], &[1.0; 19 * UNITS]);
    refused(&images, &few, None, &plain, "few.npy: expected responses to the 20 pictures of");
    let flat = f64s(&r.join("flat.npy"), &[PICTURES], &[1.0; PICTURES]);
    refused(&images, &flat, None, &plain, "expected [units, pictures], got shape [20]");
    refused(&images, &f64s(&r.join("none.npy"), &[0, PICTURES], &[]), None, &plain, "got shape [0, 20]");
    refused(&images, &mean, Some(&mean), &plain, "expected [2, 20, repeats], units and pictures as in the mean responses, got shape [2, 20]");
    let infinite = f64s(&r.join("infinite.npy"), &[1, PICTURES], &[f64::INFINITY; PICTURES]);
    refused(&images, &infinite, None, &plain, "an infinite one at [0, 0]");
    refused(&mean, &mean, None, &plain, "mean.npy: not a whole ZIP archive");
    let whole = std::fs::read(&images).unwrap();
    let cut = r.join("cut.zip");
    std::fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
    refused(&cut, &mean, None, &plain, "cut.zip: not a whole ZIP archive");
    refused(&archive(&r.join("empty.zip"), []), &mean, None, &plain, "holds no PNG or JPEG picture");
    refused(&archive(&r.join("text.zip"), [("a.png".into(), b"not a picture".to_vec())]), &mean, None, &plain, "picture a.png: ");
    refused(&archive(&r.join("half.zip"), [("a.png".into(), png(3)[..40].to_vec())]), &mean, None, &plain, "picture a.png: ");
    let mut huge = png(3);
    huge[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]); // width and height 65536
    let sum = crc32(&huge[12..29]);
    huge[29..33].copy_from_slice(&sum.to_be_bytes());
    refused(&archive(&r.join("huge.zip"), [("a.png".into(), huge)]), &mean, None, &plain, "65536 x 65536 pixels, expected at most 64 million");
    refused(&archive(&r.join("bomb.zip"), [("a.png".into(), vec![0; (64 << 20) + 1])]), &mean, None, &plain, "larger than 64 MiB");
    refused(&r.join("absent.zip"), &mean, None, &plain, "absent.zip");
    let changes: [(&str, Change<StillsOptions>); 9] = [
        ("option frames", &|o| o.frames = 0),
        ("option frames", &|o| o.blank = usize::MAX),
        ("option respond_on", &|o| o.respond_on = 4),
        ("option respond_on", &|o| o.respond_on = 0),
        ("option size", &|o| o.size = [0, 4]),
        ("option size", &|o| o.size = [4, usize::MAX]),
        ("option rate", &|o| o.rate = f64::INFINITY),
        ("option test", &|o| o.test = f64::NAN),
        ("split: expected at least one training picture", &|o| o.test = 0.99),
    ];
    for (part, change) in changes {
        let mut options = options();
        change(&mut options);
        refused(&images, &mean, None, &options, part);
    }
}

/// CRC-32 as PNG chunks carry it.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum, b| (0..8).fold(sum ^ u32::from(*b), |s, _| (s >> 1) ^ (0xEDB8_8320 & (s & 1).wrapping_neg())))
}

/// V4 of three macaques (Cowley, Stan, Pillow, Smith 2023), where the data are at hand.
#[test]
fn macaque_v4() {
    let reference =
        std::env::var_os("STRIATE_REFERENCE").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let data = reference.join("data/macaque_v4");
    if !data.is_dir() {
        eprintln!("skipped: no macaque_v4 under {}; set STRIATE_REFERENCE to the folder of reference data", reference.display());
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let file = |name: &str| data.join(name);
    let options = StillsOptions { size: [32, 32], ..StillsOptions::default() };
    let (images, mean, out) = (file("images_190923.zip"), file("responses_avg_190923.npy"), root.path().join("we.zarr"));
    let recording = import_stills(&images, &mean, None, &out, &options).unwrap();
    assert_eq!((recording.unit_count(), recording.trials().len(), recording.trials_of(Tier::Test).len()), (33, 1200, 240));
    let (images, mean, single) = (file("images_210325.zip"), file("responses_avg_210325.npy"), file("responses_raw_210325.npy"));
    let recording = import_stills(&images, &mean, Some(&single), &root.path().join("pe.zarr"), &options).unwrap();
    assert_eq!((recording.unit_count(), recording.videos().len()), (50, 640));
    let repeats = recording.repeats("pictures");
    assert_eq!((repeats.len(), recording.trials().len() - repeats.concat().len()), (128, 512));
    assert!(repeats.iter().all(|r| (6..=10).contains(&r.len())));
    let expected = striate_import::npy::read_f32(&mean).unwrap();
    for group in repeats {
        let video = recording.trials()[group[0]].video;
        let all: Vec<f64> = group.iter().map(|t| shown(&recording, *t).0[7]).collect();
        let mean = all.iter().sum::<f64>() / all.len() as f64;
        assert!((mean - f64::from(expected[[7, video]])).abs() < 1e-4, "repeats average to the mean response of the same picture");
    }
}
