//! Flashed pictures: each becomes a short constant clip, its response placed on the frames where it counts.

use crate::error::Error;
use crate::npy::read_f32;
use image::{ImageReader, Limits};
use ndarray::{Array2, Array3, Array4, Axis, Ix2, Ix3};
use serde::{Deserialize, Serialize};
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use striate_recording::resize::{resize, to_grey};
use striate_recording::split::draw;
use striate_recording::standardize::{mean_scale, standardize};
use striate_recording::{Meta, Missing, NewTrial, Recording, RecordingWriter, Tier, UnitTable};

/// How pictures become clips.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StillsOptions {
    /// Grey frames before each picture.
    pub blank: usize,
    /// Frames of each picture.
    pub frames: usize,
    /// Last frames of the clip that carry the response; on all others nothing was measured.
    pub respond_on: usize,
    /// Keep red, green and blue; otherwise luminance.
    pub color: bool,
    /// H, W that pictures are resampled to.
    pub size: [usize; 2],
    /// Share of pictures held out for the test.
    pub test: f64,
    /// Share of the other pictures that validate.
    pub validation: f64,
    /// Seed of the split.
    pub seed: u64,
    /// Animal.
    pub animal: String,
    /// Session.
    pub session: Option<String>,
    /// Frames per second, Hz: only names the time axis.
    pub rate: f64,
}

impl Default for StillsOptions {
    fn default() -> Self {
        Self {
            blank: 1,
            frames: 3,
            respond_on: 1,
            color: false,
            size: [64, 64],
            test: 0.2,
            validation: 0.1,
            seed: 0,
            animal: "unknown".into(),
            session: None,
            rate: 30.0,
        }
    }
}

/// Largest picture, pixels; and largest file in an archive, bytes.
const PIXELS: u32 = 8192;
const FILE: u64 = 64 << 20;
/// Mid-grey of blank frames.
const GREY: u8 = 128;

/// Imports pictures (a ZIP archive or a folder; sorted names are their order), mean responses [U, pictures], and where there are
/// any single repeats [U, pictures, repeats] with NaN = not shown. A test picture with repeats becomes one trial per repeat.
///
/// No eye or behaviour was measured: both are zero, the mean state.
pub fn import_stills(images: &Path, responses: &Path, repeats: Option<&Path>, out: &Path, options: &StillsOptions) -> Result<Recording, Error> {
    options.check()?;
    let pictures = read_pictures(images, options)?;
    let mean = matrix(responses)?;
    if mean.ncols() != pictures.len() {
        let expected = format!("responses to the {} pictures of {}", pictures.len(), images.display());
        return Err(Error::Mismatch { of: responses.display().to_string(), expected, got: format!("{} columns", mean.ncols()) });
    }
    let single = repeats.map(|path| repeated(path, &mean)).transpose()?;
    let tiers = options.tiers(pictures.len());
    let training: Vec<usize> = (0..pictures.len()).filter(|i| tiers[*i] == Tier::Train).collect();
    let scales = mean_scale(mean.select(Axis(1), &training).t());
    let source = format!("{}, {}{}", images.display(), responses.display(), repeats.map_or_else(String::new, |r| format!(", {}", r.display())));
    let meta = Meta {
        animal: options.animal.clone(),
        session: options.session.clone(),
        scan: None,
        rate: options.rate,
        eye: vec!["not measured x".into(), "not measured y".into()],
        behavior: vec!["not measured pupil".into(), "not measured treadmill".into()],
        source,
        simulated: false,
        standardization: serde_json::json!({"response": scales, "stills": options}),
        missing: Missing::default(),
    };
    let channels = if options.color { 3 } else { 1 };
    let mut writer = RecordingWriter::create(out, meta, [options.size[0], options.size[1], channels], UnitTable::numbered(mean.nrows()))?;
    for (i, (name, picture)) in pictures.iter().enumerate() {
        let video = writer.add_video(name, options.clip(picture).view())?;
        let columns: Vec<Vec<f32>> = match &single {
            Some(single) if tiers[i] == Tier::Test => shown(single, i),
            _ => vec![mean.column(i).to_vec()],
        };
        for (repeat, column) in columns.into_iter().enumerate() {
            options.add(&mut writer, &format!("{name}-{repeat}"), video, tiers[i], column, &scales)?;
        }
    }
    Ok(writer.finish()?)
}

/// Repeats in which at least one unit was measured.
fn shown(single: &Array3<f32>, picture: usize) -> Vec<Vec<f32>> {
    let repeats = single.index_axis(Axis(1), picture);
    repeats.axis_iter(Axis(1)).map(|r| r.to_vec()).filter(|r| r.iter().any(|v| !v.is_nan())).collect()
}

impl StillsOptions {
    fn check(&self) -> Result<(), Error> {
        let wrong = |of: &str, expected: &str, got: String| Err(Error::Mismatch { of: format!("option {of}"), expected: expected.into(), got });
        if self.frames == 0 || self.respond_on == 0 || self.respond_on > self.frames {
            return wrong("respond_on", "1 to the number of picture frames", format!("{} of {}", self.respond_on, self.frames));
        }
        if self.size.contains(&0) {
            return wrong("size", "a height and width above 0", format!("{:?}", self.size));
        }
        for (name, share) in [("test", self.test), ("validation", self.validation)] {
            if !(0.0..1.0).contains(&share) {
                return wrong(name, "a share below 1", share.to_string());
            }
        }
        Ok(())
    }

    /// The tier of each picture: one fixed split per seed.
    fn tiers(&self, pictures: usize) -> Vec<Tier> {
        let test = draw(pictures, self.test, self.seed);
        let rest: Vec<usize> = (0..pictures).filter(|i| !test[*i]).collect();
        let validates = draw(rest.len(), self.validation, self.seed.wrapping_add(1));
        let mut tiers = vec![Tier::Test; pictures];
        for (place, picture) in rest.into_iter().enumerate() {
            tiers[picture] = if validates[place] { Tier::Validation } else { Tier::Train };
        }
        tiers
    }

    fn clip(&self, picture: &Array4<u8>) -> Array4<u8> {
        let (_, h, w, c) = picture.dim();
        let mut clip = Array4::from_elem((self.blank + self.frames, h, w, c), GREY);
        (self.blank..self.blank + self.frames).for_each(|t| clip.index_axis_mut(Axis(0), t).assign(&picture.index_axis(Axis(0), 0)));
        clip
    }

    fn add(
        &self,
        writer: &mut RecordingWriter,
        name: &str,
        video: usize,
        tier: Tier,
        mut column: Vec<f32>,
        scales: &[striate_recording::standardize::Scale],
    ) -> Result<(), Error> {
        let (frames, units) = (self.blank + self.frames, column.len());
        if let Ok(view) = ndarray::ArrayViewMut2::from_shape((1, units), &mut column) {
            standardize(view, scales);
        }
        let counts = frames - self.respond_on;
        let responses = Array2::from_shape_fn((frames, units), |(t, u)| if t >= counts { column[u] } else { f32::NAN });
        let zeros = Array2::zeros((frames, 2));
        let trial = NewTrial { name, video, video_start: 0, tier, domain: "pictures", times: None, responses: responses.view(), eye: zeros.view(), behavior: zeros.view() };
        writer.add_trial(trial)?;
        Ok(())
    }
}

fn matrix(path: &Path) -> Result<Array2<f32>, Error> {
    let x = read_f32(path)?;
    let got = format!("shape {:?}", x.shape());
    x.into_dimensionality::<Ix2>().map_err(|_| Error::Mismatch { of: path.display().to_string(), expected: "[units, pictures]".into(), got })
}

fn repeated(path: &Path, mean: &Array2<f32>) -> Result<Array3<f32>, Error> {
    let x = read_f32(path)?;
    let got = format!("shape {:?}", x.shape());
    let expected = format!("[{}, {}, repeats], as the mean responses", mean.nrows(), mean.ncols());
    let wrong = || Error::Mismatch { of: path.display().to_string(), expected, got };
    match x.into_dimensionality::<Ix3>() {
        Ok(x) if x.dim().0 == mean.nrows() && x.dim().1 == mean.ncols() => Ok(x),
        _ => Err(wrong()),
    }
}

/// Names and pictures [1, H, W, C], in order of name.
fn read_pictures(path: &Path, options: &StillsOptions) -> Result<Vec<(String, Array4<u8>)>, Error> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::Io { path, source }
    };
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    if path.is_dir() {
        for entry in std::fs::read_dir(path).map_err(io(path))? {
            let file = entry.map_err(io(path))?.path();
            if is_picture(&file) {
                files.push((file.file_name().unwrap_or_default().to_string_lossy().into_owned(), std::fs::read(&file).map_err(io(&file))?));
            }
        }
    } else {
        let broken = |e: zip::result::ZipError| Error::Array { path: path.to_owned(), problem: format!("not a whole ZIP archive: {e}") };
        let mut archive = zip::ZipArchive::new(std::fs::File::open(path).map_err(io(path))?).map_err(broken)?;
        for index in 0..archive.len() {
            let entry = archive.by_index(index).map_err(broken)?;
            let name = PathBuf::from(entry.name().map_err(broken)?.into_owned());
            if entry.is_dir() || !is_picture(&name) {
                continue;
            }
            let mut bytes = Vec::new();
            let read = entry.take(FILE + 1).read_to_end(&mut bytes).map_err(io(path))?;
            if read as u64 > FILE {
                return Err(Error::Array { path: path.to_owned(), problem: format!("entry {} is larger than {} MiB", name.display(), FILE >> 20) });
            }
            files.push((name.to_string_lossy().into_owned(), bytes));
        }
    }
    if files.is_empty() {
        return Err(Error::Array { path: path.to_owned(), problem: "holds no PNG or JPEG picture".into() });
    }
    files.sort_by(|a, b| a.0.cmp(&b.0));
    files.into_iter().map(|(name, bytes)| decode(path, &name, &bytes, options).map(|picture| (name, picture))).collect()
}

/// PNG or JPEG by name, and not what archivers add.
fn is_picture(path: &Path) -> bool {
    let hidden = path.components().any(|c| c.as_os_str().to_string_lossy().starts_with(['.', '_']));
    let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    !hidden && matches!(extension.as_str(), "png" | "jpg" | "jpeg")
}

fn decode(path: &Path, name: &str, bytes: &[u8], options: &StillsOptions) -> Result<Array4<u8>, Error> {
    let wrong = |why: String| Error::Array { path: path.to_owned(), problem: format!("picture {name}: {why}") };
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|e| wrong(e.to_string()))?;
    let mut limits = Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(PIXELS), Some(PIXELS));
    reader.limits(limits);
    let picture = reader.decode().map_err(|e| wrong(e.to_string()))?.into_rgb8();
    let (w, h) = (picture.width() as usize, picture.height() as usize);
    let picture = Array4::from_shape_vec((1, h, w, 3), picture.into_raw()).map_err(|e| wrong(e.to_string()))?;
    let picture = if options.color { picture } else { to_grey(picture.view()) };
    Ok(resize(picture.view(), options.size[0], options.size[1]))
}
