//! Recording: what was shown, what was measured, and in which trials.

use crate::description::{Meta, Tier, Trial, UnitTable, VideoEntry};
use crate::error::Error;
use crate::store::Stored;
use crate::tables::{Tables, read_meta};
use ndarray::{Array2, Array4};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zarrs::filesystem::FilesystemStore;
use zarrs::group::Group;

/// Consecutive frames of a trial. Missing eye and behaviour samples are 0, the mean.
#[derive(Clone, Debug)]
pub struct Window {
    /// Video [T, H, W, C].
    pub video: Array4<u8>,
    /// Eye position [T, P].
    pub eye: Array2<f32>,
    /// Behaviour [T, M].
    pub behavior: Array2<f32>,
    /// Responses [T, U]; NaN where unmeasured.
    pub responses: Array2<f32>,
}

/// Version of the format this code writes and reads.
pub(crate) const FORMAT: u64 = 1;

/// A recording on disk, opened for reading.
pub struct Recording {
    path: PathBuf,
    meta: Meta,
    videos: Vec<VideoEntry>,
    trials: Vec<Trial>,
    units: UnitTable,
    arrays: Arrays,
}

struct Arrays {
    video: Stored,
    response: Stored,
    eye: Stored,
    behavior: Stored,
    time: Stored,
}

impl std::fmt::Debug for Recording {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recording").field("path", &self.path).field("meta", &self.meta).finish_non_exhaustive()
    }
}

impl Recording {
    /// Opens a recording and checks that its parts agree.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        if !path.join("zarr.json").is_file() {
            let got = if path.is_dir() { "a folder without zarr.json" } else { "nothing, or no folder" };
            return Err(Error::damaged(path, "recording", "a Zarr v3 group (see docs/data.md)", got));
        }
        let store = Arc::new(FilesystemStore::new(path).map_err(Error::zarr(path, "store"))?);
        let group = Group::open(store.clone(), "/").map_err(Error::zarr(path, "group"))?;
        let attributes = Value::Object(group.attributes().clone());
        let meta = read_meta(path, &attributes)?;
        let array = |name, axes, kind| Stored::open(&store, path, name, axes, kind);
        let arrays = Arrays {
            video: array("video", 4, "uint8")?,
            response: array("response", 2, "float32")?,
            eye: array("eye", 2, "float32")?,
            behavior: array("behavior", 2, "float32")?,
            time: array("time", 1, "float64")?,
        };
        let tables = Tables { path, attributes: &attributes };
        let (videos, trials, units) = (tables.videos()?, tables.trials()?, tables.units()?);
        let recording = Self { path: path.to_owned(), meta, videos, trials, units, arrays };
        recording.check()?;
        Ok(recording)
    }

    fn check(&self) -> Result<(), Error> {
        let wrong = |what: String, expected: String, got: String| Err(Error::damaged(&self.path, what, expected, got));
        let a = &self.arrays;
        if !(self.meta.rate.is_finite() && self.meta.rate > 0.0) {
            return wrong("striate.rate".into(), "a rate above 0 Hz".into(), self.meta.rate.to_string());
        }
        let widths =
            [("response", &a.response, self.units.len()), ("eye", &a.eye, self.meta.eye.len()), ("behavior", &a.behavior, self.meta.behavior.len())];
        for (name, array, width) in widths {
            if array.shape[1] != width || array.shape[0] != a.time.shape[0] {
                return wrong(format!("array {name}"), format!("[{}, {width}] as time and names say", a.time.shape[0]), format!("{:?}", array.shape));
            }
        }
        if self.frame_shape().contains(&0) || !matches!(self.frame_shape()[2], 1 | 3) {
            return wrong("array video".into(), "[F, H, W, C] with C 1 or 3".into(), format!("{:?}", a.video.shape));
        }
        for video in &self.videos {
            if video.start.checked_add(video.frames).is_none_or(|end| end > a.video.shape[0]) || video.frames == 0 {
                return wrong(
                    format!("video {}", video.name),
                    format!("frames within the {} stored", a.video.shape[0]),
                    format!("{} from {}", video.frames, video.start),
                );
            }
        }
        for trial in &self.trials {
            let Some(video) = self.videos.get(trial.video) else {
                return wrong(format!("trial {}", trial.name), format!("one of {} videos", self.videos.len()), format!("video {}", trial.video));
            };
            if trial.video_start.checked_add(trial.frames).is_none_or(|end| end > video.frames) || trial.frames == 0 {
                return wrong(
                    format!("trial {}", trial.name),
                    format!("frames within the {} of video {}", video.frames, video.name),
                    format!("{} from {}", trial.frames, trial.video_start),
                );
            }
            if trial.start.checked_add(trial.frames).is_none_or(|end| end > a.time.shape[0]) {
                return wrong(
                    format!("trial {}", trial.name),
                    format!("rows within the {} stored", a.time.shape[0]),
                    format!("{} from {}", trial.frames, trial.start),
                );
            }
        }
        Ok(())
    }

    /// Folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is known as a whole.
    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    /// All videos.
    pub fn videos(&self) -> &[VideoEntry] {
        &self.videos
    }

    /// All trials.
    pub fn trials(&self) -> &[Trial] {
        &self.trials
    }

    /// All units.
    pub fn units(&self) -> &UnitTable {
        &self.units
    }

    /// U.
    pub fn unit_count(&self) -> usize {
        self.units.len()
    }

    /// H, W, C of every video.
    pub fn frame_shape(&self) -> [usize; 3] {
        let s = &self.arrays.video.shape;
        [s[1], s[2], s[3]]
    }

    /// Trials of a tier, in order.
    pub fn trials_of(&self, tier: Tier) -> Vec<usize> {
        (0..self.trials.len()).filter(|t| self.trials[*t].tier == tier).collect()
    }

    /// Names of the domains of test trials, in order of first appearance.
    pub fn test_domains(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for trial in self.trials.iter().filter(|t| t.tier == Tier::Test) {
            if !names.contains(&trial.domain) {
                names.push(trial.domain.clone());
            }
        }
        names
    }

    /// Test trials of a domain, those of the same frames together, in order of first appearance. Lengths may differ by one
    /// frame: trial ends are rounded.
    pub fn repeats(&self, domain: &str) -> Vec<Vec<usize>> {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let mut of: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        for (index, trial) in self.trials.iter().enumerate() {
            if trial.tier == Tier::Test && trial.domain == domain {
                let group = *of.entry((trial.video, trial.video_start)).or_insert_with(|| {
                    groups.push(Vec::new());
                    groups.len() - 1
                });
                groups[group].push(index);
            }
        }
        groups
    }

    /// `frames` consecutive frames of a trial from `start`; refuses infinite values.
    pub fn window(&self, trial: usize, start: usize, frames: usize) -> Result<Window, Error> {
        let video = self.frames(trial, start, frames)?;
        let series = |what, array| self.finite(what, array, trial, start, frames);
        let mean_where_missing = |mut x: Array2<f32>| {
            x.iter_mut().filter(|v| v.is_nan()).for_each(|v| *v = 0.0);
            x
        };
        Ok(Window {
            video,
            eye: mean_where_missing(series("eye position", &self.arrays.eye)?),
            behavior: mean_where_missing(series("behaviour", &self.arrays.behavior)?),
            responses: series("responses", &self.arrays.response)?,
        })
    }

    /// Video [T, H, W, C] of consecutive frames of a trial.
    pub fn frames(&self, trial: usize, start: usize, frames: usize) -> Result<Array4<u8>, Error> {
        let t = &self.trials[trial];
        if start.checked_add(frames).is_none_or(|end| end > t.frames) {
            return Err(Error::Window { trial: t.name.clone(), has: t.frames, start, end: start.saturating_add(frames) });
        }
        self.video_frames(t.video, t.video_start + start, frames)
    }

    /// Consecutive frames [T, H, W, C] of a video.
    pub fn video_frames(&self, video: usize, start: usize, frames: usize) -> Result<Array4<u8>, Error> {
        let of = &self.videos[video];
        if start.checked_add(frames).is_none_or(|end| end > of.frames) {
            return Err(Error::Window { trial: of.name.clone(), has: of.frames, start, end: start.saturating_add(frames) });
        }
        let first = of.start + start;
        let [h, w, c] = self.frame_shape();
        let video = self.arrays.video.read::<u8>(first..first + frames, &self.path)?;
        self.shaped(Array4::from_shape_vec((frames, h, w, c), video))
    }

    /// Responses [T, U] of a trial, NaN where unmeasured; refuses infinite ones.
    pub fn responses(&self, trial: usize) -> Result<Array2<f32>, Error> {
        self.finite("responses", &self.arrays.response, trial, 0, self.trials[trial].frames)
    }

    /// Rows of a series, none of them infinite.
    fn finite(&self, what: &'static str, array: &Stored, trial: usize, start: usize, frames: usize) -> Result<Array2<f32>, Error> {
        let t = &self.trials[trial];
        let rows = t.start + start..t.start + start + frames;
        let x = self.matrix(frames, array.read(rows, &self.path)?)?;
        match x.indexed_iter().find(|(_, v)| v.is_infinite()) {
            Some(((row, column), _)) => Err(Error::Infinite { what, trial: t.name.clone(), sample: start + row, column }),
            None => Ok(x),
        }
    }

    /// Eye position [T, P], behaviour [T, M] and responses [T, U] of a trial as stored, NaN where missing, without its video.
    pub fn series(&self, trial: usize) -> Result<[Array2<f32>; 3], Error> {
        let t = &self.trials[trial];
        let rows = t.start..t.start + t.frames;
        let read = |array: &Stored| self.matrix(t.frames, array.read(rows.clone(), &self.path)?);
        Ok([read(&self.arrays.eye)?, read(&self.arrays.behavior)?, read(&self.arrays.response)?])
    }

    /// For each array that lacks any: its name, how many of its chunks are not stored, of how many, and the value they read as.
    pub fn chunks_not_stored(&self) -> Vec<(&'static str, u64, u64, String)> {
        let Arrays { video, response, eye, behavior, time } = &self.arrays;
        let count = |array: &Stored| {
            let (missing, all) = array.chunks_not_stored(&self.path);
            (array.name, missing, all, array.fill())
        };
        [video, response, eye, behavior, time].map(count).into_iter().filter(|(_, missing, ..)| *missing > 0).collect()
    }

    fn matrix(&self, rows: usize, x: Vec<f32>) -> Result<Array2<f32>, Error> {
        self.shaped(Array2::from_shape_vec((rows, x.len() / rows.max(1)), x))
    }

    fn shaped<T>(&self, array: Result<T, ndarray::ShapeError>) -> Result<T, Error> {
        array.map_err(|e| Error::damaged(&self.path, "array", "as many values as its shape says", e.to_string()))
    }

    /// SHA-256 over all files of the recording, names and contents: what a run is keyed by.
    pub fn content_hash(&self) -> Result<String, Error> {
        let mut files = Vec::new();
        list(&self.path, &mut files)?;
        files.sort();
        let mut hash = Sha256::new();
        for file in files {
            let name = file.strip_prefix(&self.path).unwrap_or(&file).to_string_lossy().replace('\\', "/");
            hash.update(name.as_bytes());
            hash.update([0]);
            let mut reader = std::fs::File::open(&file).map_err(Error::io(&file, "read"))?;
            std::io::copy(&mut reader, &mut HashWriter(&mut hash)).map_err(Error::io(&file, "read"))?;
        }
        Ok(hash.finalize().iter().map(|b| format!("{b:02x}")).collect())
    }
}

/// Feeds a hash.
struct HashWriter<'a>(&'a mut Sha256);

impl std::io::Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    for entry in std::fs::read_dir(folder).map_err(Error::io(folder, "list"))? {
        let path = entry.map_err(Error::io(folder, "list"))?.path();
        if path.is_dir() { list(&path, files)? } else { files.push(path) }
    }
    Ok(())
}
