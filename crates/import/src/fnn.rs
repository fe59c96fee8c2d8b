//! Folders of the reference implementation: `training`, `samples`, `stimuli`, ... with one .npy per trial, and evaluation
//! folders with one per video and repeat.

use crate::error::Error;
use crate::npy::{read_f32, read_u8};
use ndarray::{Array2, Array4, Ix2, Ix4};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
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
}

impl Default for FnnOptions {
    fn default() -> Self {
        Self { animal: "unknown".into(), session: None, scan: None, rate: 30.0 }
    }
}

/// Imports training trials and any number of evaluation folders, each a test domain, into one recording. The responses are
/// taken as they are: the reference's are divided by their training mean already.
pub fn import_fnn(training: Option<&Path>, evaluation: &[(String, PathBuf)], out: &Path, options: &FnnOptions) -> Result<Recording, Error> {
    let mut trials = Vec::new();
    if let Some(folder) = training {
        for name in names(&folder.join("stimuli"))? {
            trials.push(Files::training(folder, &name)?);
        }
    }
    for (domain, folder) in evaluation {
        let stimuli = folder.join("stimuli");
        for video in names(&stimuli)? {
            for repeat in names(&stimuli.join(&video))? {
                trials.push(Files { folder: folder.clone(), name: format!("{video}/{repeat}"), tier: Tier::Test, domain: domain.clone() });
            }
        }
    }
    let Some(first) = trials.first() else {
        return Err(mismatch("folder", "at least one trial under stimuli/", "none"));
    };
    let first = first.read()?;
    let (_, h, w, c) = first.video.dim();
    let named = |base: &[&str], n: usize| (0..n).map(|i| base.get(i).map_or_else(|| format!("input {i}"), |s| (*s).to_owned())).collect();
    let sources: Vec<String> = training.into_iter().chain(evaluation.iter().map(|(_, p)| p.as_path())).map(|p| p.display().to_string()).collect();
    let meta = Meta {
        animal: options.animal.clone(),
        session: options.session.clone(),
        scan: options.scan.clone(),
        rate: options.rate,
        eye: named(&["pupil x", "pupil y"], first.eye.ncols()),
        behavior: named(&["pupil radius", "treadmill", "pupil change"], first.behavior.ncols()),
        source: format!("imported from {}", sources.join(", ")),
        simulated: false,
        standardization: "as in the imported files".into(),
        missing: Missing::default(),
    };
    let units = first.responses.ncols();
    let mut writer = RecordingWriter::create(out, meta, [h, w, c], UnitTable::numbered(units))?;
    let mut seen: HashMap<u64, usize> = HashMap::new();
    for files in &trials {
        add(&mut writer, files, &mut seen, [h, w, c], units)?;
    }
    Ok(writer.finish()?)
}

/// Appends one trial; a video that was shown before is stored once.
fn add(writer: &mut RecordingWriter, files: &Files, seen: &mut HashMap<u64, usize>, frame: [usize; 3], units: usize) -> Result<(), Error> {
    let trial = files.read()?;
    let (t, h, w, c) = trial.video.dim();
    let of = || format!("trial {} of {}", files.name, files.folder.display());
    if [h, w, c] != frame || trial.responses.ncols() != units {
        let expected = format!("frames {frame:?} and {units} units, as in the first trial");
        return Err(mismatch(&of(), &expected, &format!("frames {:?} and {} units", [h, w, c], trial.responses.ncols())));
    }
    for (what, rows) in [("units", trial.responses.nrows()), ("perspectives", trial.eye.nrows()), ("modulations", trial.behavior.nrows())] {
        if rows != t {
            return Err(mismatch(&of(), &format!("{t} samples of {what}, one per frame"), &rows.to_string()));
        }
    }
    if let Some(samples) = trial.samples.filter(|n| *n != t) {
        return Err(mismatch(&of(), &format!("{samples} frames, as samples/ says"), &t.to_string()));
    }
    let mut hasher = DefaultHasher::new();
    (trial.video.shape(), trial.video.as_slice()).hash(&mut hasher);
    let video = match seen.get(&hasher.finish()) {
        Some(video) => *video,
        None => *seen.entry(hasher.finish()).or_insert(writer.add_video(&files.name, trial.video.view())?),
    };
    writer.add_trial(NewTrial {
        name: &files.name,
        video,
        video_start: 0,
        tier: files.tier,
        domain: &files.domain,
        times: None,
        responses: trial.responses.view(),
        eye: trial.eye.view(),
        behavior: trial.behavior.view(),
    })?;
    Ok(())
}

/// Where a trial's files are.
struct Files {
    folder: PathBuf,
    name: String,
    tier: Tier,
    domain: String,
}

struct Loaded {
    video: Array4<u8>,
    eye: Array2<f32>,
    behavior: Array2<f32>,
    responses: Array2<f32>,
    samples: Option<usize>,
}

impl Files {
    /// A training trial; `training/` says whether it trains or validates.
    fn training(folder: &Path, name: &str) -> Result<Self, Error> {
        let path = folder.join("training").join(format!("{name}.npy"));
        let flag = read_f32(&path)?;
        let trains = match flag.iter().collect::<Vec<_>>()[..] {
            [v] => *v != 0.0,
            _ => return Err(mismatch(&path.display().to_string(), "one value", &format!("shape {:?}", flag.shape()))),
        };
        let tier = if trains { Tier::Train } else { Tier::Validation };
        Ok(Self { folder: folder.to_owned(), name: name.to_owned(), tier, domain: "natural".into() })
    }

    fn path(&self, kind: &str) -> PathBuf {
        self.folder.join(kind).join(format!("{}.npy", self.name))
    }

    fn matrix(&self, kind: &str) -> Result<Array2<f32>, Error> {
        let (path, x) = (self.path(kind), read_f32(&self.path(kind))?);
        let shape = format!("{:?}", x.shape());
        x.into_dimensionality::<Ix2>().map_err(|_| mismatch(&path.display().to_string(), "[T, columns]", &shape))
    }

    fn read(&self) -> Result<Loaded, Error> {
        let (path, x) = (self.path("stimuli"), read_u8(&self.path("stimuli"))?);
        let shape = format!("{:?}", x.shape());
        let x = if x.ndim() == 3 { x.insert_axis(ndarray::Axis(3)) } else { x };
        let video = x.into_dimensionality::<Ix4>().map_err(|_| mismatch(&path.display().to_string(), "[T, H, W] or [T, H, W, C]", &shape))?;
        let samples = self.path("samples");
        let samples = if samples.exists() { read_f32(&samples)?.iter().next().map(|v| *v as usize) } else { None };
        Ok(Loaded { video, eye: self.matrix("perspectives")?, behavior: self.matrix("modulations")?, responses: self.matrix("units")?, samples })
    }
}

/// Names in a folder, without `.npy`, sorted as the reference sorts them.
fn names(folder: &Path) -> Result<Vec<String>, Error> {
    let io = |source| Error::Io { path: folder.to_owned(), source };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(io)? {
        let path = entry.map_err(io)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            names.push(name);
        } else if let Some(stem) = name.strip_suffix(".npy").filter(|stem| !stem.starts_with('.')) {
            names.push(stem.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn mismatch(of: &str, expected: &str, got: &str) -> Error {
    Error::Mismatch { of: of.into(), expected: expected.into(), got: got.into() }
}
