//! Writing a recording: videos and trials are appended, nothing is held in memory, and the folder appears whole or not at all.

use crate::description::{Meta, Tier, Trial, UnitTable, VideoEntry};
use crate::error::Error;
use crate::recording::{FORMAT, Recording};
use crate::store::{Rows, SERIES_CHUNK, VIDEO_CHUNK};
use ndarray::{ArrayView1, ArrayView2, ArrayView4};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use striate_stimulus::Event;
use zarrs::filesystem::FilesystemStore;
use zarrs::group::GroupBuilder;

/// A trial to append; all series have the same number of samples, one per frame.
#[derive(Clone, Copy, Debug)]
pub struct NewTrial<'a> {
    /// Name.
    pub name: &'a str,
    /// Index of the video shown, from [`RecordingWriter::add_video`].
    pub video: usize,
    /// First frame of it.
    pub video_start: usize,
    /// What the trial is for.
    pub tier: Tier,
    /// Kind of stimulus.
    pub domain: &'a str,
    /// Times of the frames, s; from the rate where left out.
    pub times: Option<ArrayView1<'a, f64>>,
    /// Responses [T, U]; NaN where unmeasured.
    pub responses: ArrayView2<'a, f32>,
    /// Eye position [T, P]; NaN where missing.
    pub eye: ArrayView2<'a, f32>,
    /// Behaviour [T, M]; NaN where missing.
    pub behavior: ArrayView2<'a, f32>,
}

/// A recording under construction, in a temporary folder beside its place.
pub struct RecordingWriter {
    path: PathBuf,
    partial: PathBuf,
    store: Arc<FilesystemStore>,
    meta: Meta,
    frame: [usize; 3],
    units: UnitTable,
    videos: Vec<VideoEntry>,
    trials: Vec<Trial>,
    video: Option<Rows<u8>>,
    response: Option<Rows<f32>>,
    eye: Option<Rows<f32>>,
    behavior: Option<Rows<f32>>,
    time: Option<Rows<f64>>,
    finished: bool,
}

impl RecordingWriter {
    /// Starts a recording of videos of `frame` = [H, W, C].
    pub fn create(path: impl AsRef<Path>, meta: Meta, frame: [usize; 3], units: UnitTable) -> Result<Self, Error> {
        let path = path.as_ref().to_owned();
        if path.exists() {
            return Err(Error::Exists { path });
        }
        let shape = |what, expected: &str, got: String| Err(Error::Shape { what, of: "the recording".into(), expected: expected.into(), got });
        if units.is_empty() || units.columns.iter().any(|(_, v)| v.len() != units.len()) || units.columns[0].0 != "id" {
            return shape("unit table", "equally long columns, the first id, at least one unit", format!("{} columns", units.columns.len()));
        }
        if frame.contains(&0) || !matches!(frame[2], 1 | 3) {
            return shape("frame", "[H, W, C] with C 1 or 3", format!("{frame:?}"));
        }
        if meta.eye.is_empty() || meta.behavior.is_empty() {
            return shape("inputs", "at least one eye and one behaviour input (all NaN where nothing was measured)", "none".into());
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".partial");
        let partial = path.with_file_name(name);
        if partial.exists() {
            std::fs::remove_dir_all(&partial).map_err(Error::io(&partial, "remove what an earlier attempt left"))?;
        }
        std::fs::create_dir_all(&partial).map_err(Error::io(&partial, "create the folder"))?;
        let store = Arc::new(FilesystemStore::new(&partial).map_err(Error::zarr(&partial, "store"))?);
        let mut writer = Self {
            video: None,
            response: None,
            eye: None,
            behavior: None,
            time: None,
            path,
            partial,
            store,
            meta,
            frame,
            units,
            videos: Vec::new(),
            trials: Vec::new(),
            finished: false,
        };
        writer.create_arrays()?;
        Ok(writer)
    }

    fn create_arrays(&mut self) -> Result<(), Error> {
        let (store, path) = (&self.store, &self.partial);
        let series = |name, width: usize, axis| Rows::create(store, path, name, SERIES_CHUNK, &[width], &["time", axis]);
        self.video = Some(Rows::create(store, path, "video", VIDEO_CHUNK, &self.frame, &["frame", "height", "width", "channel"])?);
        self.response = Some(series("response", self.units.len(), "unit")?);
        self.eye = Some(series("eye", self.meta.eye.len(), "eye")?);
        self.behavior = Some(series("behavior", self.meta.behavior.len(), "behavior")?);
        self.time = Some(Rows::create(store, path, "time", 64 * SERIES_CHUNK, &[], &["time"])?);
        Ok(())
    }

    /// Adds a video [T, H, W, C] and returns its index.
    pub fn add_video(&mut self, name: &str, frames: ArrayView4<u8>) -> Result<usize, Error> {
        let (t, h, w, c) = frames.dim();
        if [h, w, c] != self.frame || t == 0 {
            let (expected, got) =
                (format!("[T, {}, {}, {}] with T above 0", self.frame[0], self.frame[1], self.frame[2]), format!("{:?}", frames.shape()));
            return Err(Error::Shape { what: "frames", of: format!("video {name}"), expected, got });
        }
        let start = self.video.as_ref().map_or(0, Rows::len);
        if let Some(video) = &mut self.video {
            video.append(frames.iter().copied(), &self.partial)?;
        }
        self.videos.push(VideoEntry { name: name.to_owned(), start, frames: t, events: Vec::new() });
        Ok(self.videos.len() - 1)
    }

    /// Says what a video shows when. Its index is that of [`RecordingWriter::add_video`].
    pub fn set_events(&mut self, video: usize, events: Vec<Event>) {
        if let Some(video) = self.videos.get_mut(video) {
            video.events = events;
        }
    }

    /// Adds a trial and returns its index.
    pub fn add_trial(&mut self, trial: NewTrial<'_>) -> Result<usize, Error> {
        let frames = trial.responses.nrows();
        self.check_trial(&trial, frames)?;
        let start = self.response.as_ref().map_or(0, Rows::len);
        let missing = |x: &ArrayView2<f32>| x.iter().filter(|v| v.is_nan()).count() as u64;
        self.meta.missing.eye += missing(&trial.eye);
        self.meta.missing.behavior += missing(&trial.behavior);
        self.meta.missing.response += missing(&trial.responses);
        for (rows, x) in [(&mut self.response, &trial.responses), (&mut self.eye, &trial.eye), (&mut self.behavior, &trial.behavior)] {
            if let Some(rows) = rows {
                rows.append(x.iter().copied(), &self.partial)?;
            }
        }
        let (first, rate) = (trial.video_start as f64, self.meta.rate);
        let times: Vec<f64> = match trial.times {
            Some(times) => times.to_vec(),
            None => (0..frames).map(|t| (first + t as f64) / rate).collect(),
        };
        if let Some(time) = &mut self.time {
            time.append(times.into_iter(), &self.partial)?;
        }
        self.trials.push(Trial {
            name: trial.name.to_owned(),
            video: trial.video,
            video_start: trial.video_start,
            frames,
            start,
            tier: trial.tier,
            domain: trial.domain.to_owned(),
        });
        Ok(self.trials.len() - 1)
    }

    fn check_trial(&self, trial: &NewTrial, frames: usize) -> Result<(), Error> {
        let of = format!("trial {}", trial.name);
        let wrong = |what, expected: String, got: String| Err(Error::Shape { what, of: of.clone(), expected, got });
        let Some(video) = self.videos.get(trial.video) else {
            return wrong("video", format!("an index below {}", self.videos.len()), trial.video.to_string());
        };
        if frames == 0 || trial.video_start + frames > video.frames {
            return wrong(
                "length",
                format!("1 to {} frames of video {}", video.frames.saturating_sub(trial.video_start), video.name),
                frames.to_string(),
            );
        }
        let series = [
            ("responses", &trial.responses, self.units.len()),
            ("eye position", &trial.eye, self.meta.eye.len()),
            ("behaviour", &trial.behavior, self.meta.behavior.len()),
        ];
        for (what, x, width) in series {
            if x.dim() != (frames, width) {
                return wrong(what, format!("[{frames}, {width}]"), format!("{:?}", x.shape()));
            }
            if let Some(((sample, column), _)) = x.indexed_iter().find(|(_, v)| v.is_infinite()) {
                return Err(Error::Infinite { what, trial: trial.name.to_owned(), sample, column });
            }
        }
        match trial.times {
            Some(times) if times.len() != frames => wrong("times", frames.to_string(), times.len().to_string()),
            _ => Ok(()),
        }
    }

    /// Writes the tables, gives the folder its name, and opens the recording.
    pub fn finish(mut self) -> Result<Recording, Error> {
        if let Some(rows) = self.video.take() {
            rows.finish(&self.partial)?;
        }
        for rows in [self.response.take(), self.eye.take(), self.behavior.take()].into_iter().flatten() {
            rows.finish(&self.partial)?;
        }
        if let Some(rows) = self.time.take() {
            rows.finish(&self.partial)?;
        }
        let group = GroupBuilder::new().attributes(self.attributes()?).build(self.store.clone(), "/").map_err(Error::zarr(&self.partial, "group"))?;
        group.store_metadata().map_err(Error::zarr(&self.partial, "group"))?;
        if self.path.exists() {
            return Err(Error::Exists { path: self.path.clone() });
        }
        std::fs::rename(&self.partial, &self.path).map_err(Error::io(&self.path, "rename the finished recording"))?;
        self.finished = true;
        Recording::open(&self.path)
    }

    fn attributes(&self) -> Result<Map<String, Value>, Error> {
        let mut meta = serde_json::to_value(&self.meta).map_err(Error::zarr(&self.partial, "attribute striate"))?;
        meta["format"] = FORMAT.into();
        let units: Map<String, Value> = self.units.columns.iter().map(|(name, values)| (name.clone(), Value::Array(values.clone()))).collect();
        let column = |of: fn(&Trial) -> Value| self.trials.iter().map(of).collect::<Value>();
        let trials = json!({
            "name": column(|t| t.name.clone().into()),
            "video": column(|t| t.video.into()),
            "video_start": column(|t| t.video_start.into()),
            "frames": column(|t| t.frames.into()),
            "start": column(|t| t.start.into()),
            "tier": column(|t| json!(t.tier)),
            "domain": column(|t| t.domain.clone().into()),
        });
        let column = |of: fn(&VideoEntry) -> Value| self.videos.iter().map(of).collect::<Value>();
        let mut videos = json!({
            "name": column(|v| v.name.clone().into()),
            "start": column(|v| v.start.into()),
            "frames": column(|v| v.frames.into()),
        });
        if self.videos.iter().any(|v| !v.events.is_empty()) {
            videos["events"] = column(|v| json!(v.events));
        }
        Ok(Map::from_iter([("striate".into(), meta), ("videos".into(), videos), ("trials".into(), trials), ("units".into(), units.into())]))
    }
}

impl Drop for RecordingWriter {
    fn drop(&mut self) {
        if !self.finished {
            let _ = std::fs::remove_dir_all(&self.partial); // an unfinished recording leaves nothing behind
        }
    }
}
