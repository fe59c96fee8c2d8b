//! Folders of the reference implementation: training trials `{training,samples,stimuli,perspectives,modulations,units}/TRIAL.npy`
//! and evaluation trials `{stimuli,perspectives,modulations,units}/VIDEO/REPEAT.npy`.

use crate::error::Error;
use crate::npy::{read_f32, read_u8};
use ndarray::{Array2, Array4, Axis, Ix2, Ix4, s};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use striate_recording::{Meta, Missing, NewTrial, Recording, RecordingWriter, Tier, UnitTable};

/// What the folders do not say.
#[derive(Clone, Debug, PartialEq)]
pub struct FnnOptions {
    /// Animal.
    pub animal: String,
    /// Session.
    pub session: Option<String>,
    /// Scan.
    pub scan: Option<String>,
    /// Frames per second, Hz.
    pub rate: f64,
    /// Table of units, in the order of the columns of `units/`; numbered from 0 where left out.
    pub units: Option<UnitTable>,
}

impl Default for FnnOptions {
    fn default() -> Self {
        Self { animal: "unknown".into(), session: None, scan: None, rate: 30.0, units: None }
    }
}

/// Folders with a file for every trial, in training and evaluation data alike.
const SERIES: [&str; 4] = ["stimuli", "perspectives", "modulations", "units"];
/// Folders that only training data have: whether the trial trains or validates, and its number of samples.
const TRAINING: [&str; 2] = ["training", "samples"];

/// Imports a training folder alone; see [`import_fnn`].
///
/// # Errors
/// As [`import_fnn`].
pub fn import_fnn_training(folder: &Path, out: &Path, options: &FnnOptions) -> Result<Recording, Error> {
    import_fnn(Some(folder), &[], out, options)
}

/// Imports an evaluation folder alone, as test domain `domain`; see [`import_fnn`].
///
/// # Errors
/// As [`import_fnn`].
pub fn import_fnn_evaluation(folder: &Path, domain: &str, out: &Path, options: &FnnOptions) -> Result<Recording, Error> {
    import_fnn(None, &[(domain.to_owned(), folder.to_owned())], out, options)
}

/// Imports training trials and any number of evaluation folders, each a test domain, into one recording.
///
/// Stimuli uint8 [T, H, W] or [T, H, W, C], perspectives [T, P], modulations [T, M], units [T, U]. Values are taken as they
/// are: the reference implementation stores them standardised. Trials are in order of name, as it sorts them (trial10 before
/// trial2), and identical stimuli are stored once. Repeats of a video may be shorter than the longest, not different.
///
/// # Errors
/// A file that is missing or damaged; sizes that disagree within a trial or between trials; an output that exists.
pub fn import_fnn(training: Option<&Path>, evaluation: &[(String, PathBuf)], out: &Path, options: &FnnOptions) -> Result<Recording, Error> {
    let domains: BTreeSet<&str> = evaluation.iter().map(|(domain, _)| domain.as_str()).collect();
    if domains.len() < evaluation.len() {
        return Err(mismatch("evaluation folders", "one for each domain", "two of the same domain"));
    }
    let training = training.map_or(Ok(Vec::new()), training_trials)?;
    let mut repeated = Vec::new();
    for (domain, folder) in evaluation {
        repeated.extend(evaluation_trials(domain, folder)?);
    }
    let Some(first) = training.first().or_else(|| repeated.first().map(|repeats| &repeats[0])) else {
        return Err(mismatch("import", "a training or evaluation folder", "none"));
    };
    let mut import = Import::start(&first.read()?, sources(&training, &repeated), out, options)?;
    for trial in &training {
        let read = trial.read()?;
        let video = import.video(&trial.name, &read.video)?;
        import.trial(trial, &read, video)?;
    }
    for repeats in &repeated {
        import.repeats(repeats)?;
    }
    Ok(import.writer.finish()?)
}

/// A recording under construction.
struct Import {
    writer: RecordingWriter,
    /// Videos by the SHA-256 of their size and frames.
    videos: HashMap<[u8; 32], usize>,
    /// H, W, C of the first trial.
    frame: [usize; 3],
    /// Numbers of eye inputs, behaviour inputs and units of the first trial.
    columns: [usize; 3],
}

impl Import {
    fn start(first: &Loaded, source: String, out: &Path, options: &FnnOptions) -> Result<Self, Error> {
        if !(options.rate.is_finite() && options.rate > 0.0) {
            return Err(mismatch("rate", "a number of frames per second above 0", &options.rate.to_string()));
        }
        let columns = first.columns();
        let units = options.units.clone().unwrap_or_else(|| UnitTable::numbered(columns[2]));
        if units.len() != columns[2] {
            return Err(mismatch("table of units", &format!("{} rows, one for each column of units/", columns[2]), &units.len().to_string()));
        }
        let names = |known: &[&str], n| (0..n).map(|i| known.get(i).map_or_else(|| format!("input {i}"), |s| (*s).to_owned())).collect();
        let meta = Meta {
            animal: options.animal.clone(),
            session: options.session.clone(),
            scan: options.scan.clone(),
            rate: options.rate,
            eye: names(&["pupil x", "pupil y"], columns[0]),
            behavior: names(&["pupil radius", "treadmill", "pupil change"], columns[1]),
            source,
            simulated: false,
            standardization: json!("as in the imported files"),
            missing: Missing::default(),
        };
        let (_, h, w, c) = first.video.dim();
        Ok(Self { writer: RecordingWriter::create(out, meta, [h, w, c], units)?, videos: HashMap::new(), frame: [h, w, c], columns })
    }

    /// Index of a video, which is stored unless the same frames are already.
    fn video(&mut self, name: &str, frames: &Array4<u8>) -> Result<usize, Error> {
        let (t, h, w, c) = frames.dim();
        if [h, w, c] != self.frame {
            return Err(mismatch(
                &format!("stimulus {name}"),
                &format!("frames {:?} as in the first trial", self.frame),
                &format!("{:?}", [h, w, c]),
            ));
        }
        let mut hash = Sha256::new();
        hash.update(t.to_le_bytes());
        hash.update(frames.as_standard_layout().as_slice().unwrap_or_default());
        let hash: [u8; 32] = hash.finalize().into();
        if let Some(video) = self.videos.get(&hash) {
            return Ok(*video);
        }
        let video = self.writer.add_video(name, frames.view())?;
        self.videos.insert(hash, video);
        Ok(video)
    }

    fn trial(&mut self, files: &Files, read: &Loaded, video: usize) -> Result<(), Error> {
        let of = format!("trial {} of {}", files.name, files.folder.display());
        if read.columns() != self.columns {
            let said = |[p, m, u]: [usize; 3]| format!("{p} perspectives, {m} modulations and {u} units");
            return Err(mismatch(&of, &format!("{} as in the first trial", said(self.columns)), &said(read.columns())));
        }
        let frames = read.video.len_of(Axis(0));
        for (what, rows) in [("perspectives", read.eye.nrows()), ("modulations", read.behavior.nrows()), ("units", read.responses.nrows())] {
            if rows != frames {
                return Err(mismatch(&of, &format!("{frames} samples of {what}, one per frame of its stimulus"), &rows.to_string()));
            }
        }
        if let Some(samples) = read.samples.filter(|n| *n != frames as f32) {
            return Err(mismatch(&of, &format!("a stimulus of {samples} frames, as samples/ says"), &format!("{frames} frames")));
        }
        self.writer.add_trial(NewTrial {
            name: &files.name,
            video,
            video_start: 0,
            tier: files.tier,
            domain: &files.domain,
            times: None,
            responses: read.responses.view(),
            eye: read.eye.view(),
            behavior: read.behavior.view(),
        })?;
        Ok(())
    }

    /// All repeats of a video. The longest is stored: ends of trials are rounded, so lengths may differ by a frame.
    fn repeats(&mut self, repeats: &[Files]) -> Result<(), Error> {
        let size = |files: &&Files| std::fs::metadata(files.path("stimuli")).map_or(0, |m| m.len());
        let Some(longest) = repeats.iter().rev().max_by_key(size) else { return Ok(()) };
        let shown = longest.frames()?;
        let video = self.video(&longest.name, &shown)?;
        for files in repeats {
            let read = files.read()?;
            let frames = read.video.len_of(Axis(0));
            if frames > shown.len_of(Axis(0)) || read.video != shown.slice(s![..frames, .., .., ..]) {
                let of = format!("trial {} of {}", files.name, files.folder.display());
                return Err(mismatch(&of, &format!("the stimulus of {}, another repeat of the same video", longest.name), "other frames"));
            }
            self.trial(files, &read, video)?;
        }
        Ok(())
    }
}

/// Where a trial's files are.
struct Files {
    folder: PathBuf,
    /// Path of each of its files within the folder of their kind, without `.npy`.
    stem: String,
    name: String,
    tier: Tier,
    domain: String,
}

/// What a trial's files hold.
struct Loaded {
    video: Array4<u8>,
    eye: Array2<f32>,
    behavior: Array2<f32>,
    responses: Array2<f32>,
    samples: Option<f32>,
}

impl Loaded {
    fn columns(&self) -> [usize; 3] {
        [self.eye.ncols(), self.behavior.ncols(), self.responses.ncols()]
    }
}

impl Files {
    fn path(&self, kind: &str) -> PathBuf {
        self.folder.join(kind).join(format!("{}.npy", self.stem))
    }

    fn frames(&self) -> Result<Array4<u8>, Error> {
        let path = self.path("stimuli");
        let x = read_u8(&path)?;
        let got = format!("shape {:?}", x.shape());
        let x = if x.ndim() == 3 { x.insert_axis(Axis(3)) } else { x };
        x.into_dimensionality::<Ix4>().map_err(|_| mismatch(&path.display().to_string(), "[T, H, W] or [T, H, W, C]", &got))
    }

    fn matrix(&self, kind: &str) -> Result<Array2<f32>, Error> {
        let path = self.path(kind);
        let x = read_f32(&path)?;
        let got = format!("shape {:?}", x.shape());
        x.into_dimensionality::<Ix2>().map_err(|_| mismatch(&path.display().to_string(), "[T, columns]", &got))
    }

    /// The one value of a file.
    fn value(&self, kind: &str) -> Result<f32, Error> {
        let path = self.path(kind);
        let x = read_f32(&path)?;
        match (x.first(), x.len()) {
            (Some(value), 1) => Ok(*value),
            _ => Err(mismatch(&path.display().to_string(), "one value", &format!("shape {:?}", x.shape()))),
        }
    }

    fn read(&self) -> Result<Loaded, Error> {
        let samples = if self.tier == Tier::Test { None } else { Some(self.value("samples")?) };
        let (video, eye, behavior) = (self.frames()?, self.matrix("perspectives")?, self.matrix("modulations")?);
        Ok(Loaded { video, eye, behavior, responses: self.matrix("units")?, samples })
    }
}

/// Training and validation trials, in order of name.
fn training_trials(folder: &Path) -> Result<Vec<Files>, Error> {
    let kinds: Vec<PathBuf> = TRAINING.iter().chain(&SERIES).map(|kind| folder.join(kind)).collect();
    let trial = |name: String| {
        let mut files = Files { folder: folder.to_owned(), stem: name.clone(), name, tier: Tier::Train, domain: "natural".into() };
        if files.value("training")? == 0.0 {
            files.tier = Tier::Validation;
        }
        Ok(files)
    };
    shared_names(&kinds, false)?.into_iter().map(trial).collect()
}

/// Test trials in order of name, those of one video together.
fn evaluation_trials(domain: &str, folder: &Path) -> Result<Vec<Vec<Files>>, Error> {
    let kinds = SERIES.map(|kind| folder.join(kind));
    let repeats = |video: String| {
        let trial = |repeat: String| {
            let stem = format!("{video}/{repeat}");
            Files { folder: folder.to_owned(), name: format!("{domain}/{stem}"), stem, tier: Tier::Test, domain: domain.to_owned() }
        };
        Ok(shared_names(&kinds.each_ref().map(|kind| kind.join(&video)), false)?.into_iter().map(trial).collect())
    };
    shared_names(&kinds, true)?.into_iter().map(repeats).collect()
}

/// Names that each of several folders must hold: of folders, or of .npy files without the extension. At least one.
fn shared_names(folders: &[PathBuf], of_folders: bool) -> Result<Vec<String>, Error> {
    let found = folders.iter().map(|folder| names(folder, of_folders)).collect::<Result<Vec<_>, _>>()?;
    let all: BTreeSet<&String> = found.iter().flatten().collect();
    let extension = if of_folders { "" } else { ".npy" };
    for (folder, names) in folders.iter().zip(&found) {
        if let Some(name) = all.iter().find(|name| !names.contains(**name)) {
            let expected = format!("{name}{extension}, as the folders beside it have");
            return Err(mismatch(&folder.display().to_string(), &expected, "no such name; add it, or remove it from the others"));
        }
    }
    if all.is_empty() {
        let of = folders.last().map_or_else(String::new, |folder| folder.display().to_string());
        return Err(mismatch(&of, if of_folders { "a folder for each video" } else { "a .npy file for each trial" }, "none"));
    }
    Ok(all.into_iter().cloned().collect())
}

/// Names in one folder; hidden ones are not data.
fn names(folder: &Path, of_folders: bool) -> Result<BTreeSet<String>, Error> {
    let io = |source| Error::Io { path: folder.to_owned(), source };
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(folder).map_err(io)? {
        let path = entry.map_err(io)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let name = if of_folders { path.is_dir().then_some(name.as_str()) } else { name.strip_suffix(".npy") };
        names.extend(name.filter(|name| !name.starts_with('.')).map(str::to_owned));
    }
    Ok(names)
}

fn sources(training: &[Files], repeated: &[Vec<Files>]) -> String {
    let folders: BTreeSet<&PathBuf> = training.iter().chain(repeated.iter().flatten()).map(|files| &files.folder).collect();
    let folders: Vec<String> = folders.into_iter().map(|folder| folder.display().to_string()).collect();
    format!("imported from {}", folders.join(", "))
}

fn mismatch(of: &str, expected: &str, got: &str) -> Error {
    Error::Mismatch { of: of.into(), expected: expected.into(), got: got.into() }
}
