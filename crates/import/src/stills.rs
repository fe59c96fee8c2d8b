//! Flashed pictures: each becomes a short constant clip, its response placed on the frames where it counts.

mod pictures;

use crate::error::Error;
use crate::npy::read_f32;
use ndarray::{Array2, Array3, Array4, ArrayD, Axis, Ix2, Ix3};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::path::Path;
use striate_recording::split::draw;
use striate_recording::standardize::{Scale, mean_scale, standardize};
use striate_recording::{Meta, Missing, NewTrial, Recording, RecordingWriter, Tier, UnitTable};

/// Which order of pictures their responses are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// Names as text: 10 before 2.
    Name,
    /// Numbers in names as numbers: 2 before 10.
    Number,
}

/// How pictures become clips.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StillsOptions {
    /// Order of the pictures; may be left out where both orders are the same.
    pub order: Option<Order>,
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
            order: None,
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

/// Mid-grey of blank frames.
const GREY: u8 = 128;
/// Most frames of a clip, and most rows and columns of a picture.
const LARGEST: usize = 8192;

/// Imports pictures (PNG or JPEG in a ZIP archive or a folder, in [`StillsOptions::order`]), mean responses [U, pictures], and
/// where there are any single repeats [U, pictures, repeats] with NaN = not shown. The picture is shown after `blank` grey
/// frames; responses are divided by each unit's mean over the training pictures.
///
/// Training and validation pictures become one trial each, with the mean response; a test picture becomes one trial for each
/// of its repeats where they are given. No eye or behaviour was measured: both are zero, the mean state.
///
/// # Errors
/// A file that is missing or damaged; numbers of pictures, units and responses that disagree; a split without training
/// pictures; an output that exists.
pub fn import_stills(images: &Path, responses: &Path, repeats: Option<&Path>, out: &Path, options: &StillsOptions) -> Result<Recording, Error> {
    options.check()?;
    let mean = matrix(responses)?;
    let single = repeats.map(|path| repeated(path, &mean)).transpose()?;
    let pictures = pictures::read(images, options)?;
    if mean.ncols() != pictures.len() {
        let expected = format!("responses to the {} pictures of {}", pictures.len(), images.display());
        return Err(mismatch(&responses.display().to_string(), &expected, format!("{} columns", mean.ncols())));
    }
    let tiers = options.tiers(pictures.len());
    let training: Vec<usize> = (0..pictures.len()).filter(|i| tiers[*i] == Tier::Train).collect();
    if training.is_empty() {
        return Err(mismatch("split", "at least one training picture", format!("none of {}", pictures.len())));
    }
    let scales = mean_scale(mean.select(Axis(1), &training).t());
    let files: Vec<String> = [Some(images), Some(responses), repeats].into_iter().flatten().map(|f| f.display().to_string()).collect();
    let meta = options.meta(&files.join(", "), &scales);
    let frame = [options.size[0], options.size[1], if options.color { 3 } else { 1 }];
    let mut writer = RecordingWriter::create(out, meta, frame, UnitTable::numbered(mean.nrows()))?;
    for (i, (name, picture)) in pictures.iter().enumerate() {
        let video = writer.add_video(name, options.clip(picture).view())?;
        let repeats = single.as_ref().filter(|_| tiers[i] == Tier::Test).map_or(Vec::new(), |single| shown(single, i));
        if repeats.is_empty() {
            options.add(&mut writer, name, video, tiers[i], mean.column(i).to_vec(), &scales)?;
        }
        for (repeat, response) in repeats {
            options.add(&mut writer, &format!("{name} repeat {repeat}"), video, tiers[i], response, &scales)?;
        }
    }
    Ok(writer.finish()?)
}

/// Repeats of a picture in which at least one unit was measured, and their responses.
fn shown(single: &Array3<f32>, picture: usize) -> Vec<(usize, Vec<f32>)> {
    let repeats = single.index_axis(Axis(1), picture);
    repeats.axis_iter(Axis(1)).map(|r| r.to_vec()).enumerate().filter(|(_, r)| r.iter().any(|v| !v.is_nan())).collect()
}

impl StillsOptions {
    fn check(&self) -> Result<(), Error> {
        let wrong = |of: &str, expected: String, got: String| Err(mismatch(&format!("option {of}"), &expected, got));
        if !(1..=LARGEST).contains(&self.frames) || self.blank > LARGEST {
            return wrong(
                "frames",
                format!("1 to {LARGEST} picture frames and at most {LARGEST} blank ones"),
                format!("{} and {}", self.frames, self.blank),
            );
        }
        if !(1..=self.frames).contains(&self.respond_on) {
            return wrong("respond_on", format!("1 to the {} picture frames", self.frames), self.respond_on.to_string());
        }
        if self.size.iter().any(|n| !(1..=LARGEST).contains(n)) {
            return wrong("size", format!("a height and width of 1 to {LARGEST}"), format!("{:?}", self.size));
        }
        if !(self.rate.is_finite() && self.rate > 0.0) {
            return wrong("rate", "a number of frames per second above 0".into(), self.rate.to_string());
        }
        for (name, share) in [("test", self.test), ("validation", self.validation)] {
            if !(0.0..1.0).contains(&share) {
                return wrong(name, "a share from 0 to below 1".into(), share.to_string());
            }
        }
        Ok(())
    }

    fn meta(&self, source: &str, scales: &[Scale]) -> Meta {
        let names = |names: [&str; 2]| names.map(str::to_owned).to_vec();
        Meta {
            animal: self.animal.clone(),
            session: self.session.clone(),
            scan: None,
            rate: self.rate,
            eye: names(["x", "y"]),
            behavior: names(["pupil", "treadmill"]),
            source: format!("imported from {source}"),
            simulated: false,
            standardization: json!({
                "response": scales,
                "eye": "not measured: the mean state",
                "behavior": "not measured: the mean state",
                "stills": self,
            }),
            missing: Missing::default(),
        }
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

    fn add(&self, writer: &mut RecordingWriter, name: &str, video: usize, tier: Tier, mut column: Vec<f32>, scales: &[Scale]) -> Result<(), Error> {
        let (frames, units) = (self.blank + self.frames, column.len());
        if let Ok(view) = ndarray::ArrayViewMut2::from_shape((1, units), &mut column) {
            standardize(view, scales);
        }
        let counts = frames - self.respond_on;
        let responses = Array2::from_shape_fn((frames, units), |(t, u)| if t >= counts { column[u] } else { f32::NAN });
        let zeros = Array2::zeros((frames, 2));
        let trial = NewTrial {
            name,
            video,
            video_start: 0,
            tier,
            domain: "pictures",
            times: None,
            responses: responses.view(),
            eye: zeros.view(),
            behavior: zeros.view(),
        };
        writer.add_trial(trial)?;
        Ok(())
    }
}

fn matrix(path: &Path) -> Result<Array2<f32>, Error> {
    let x = measured(path)?;
    let got = format!("shape {:?}", x.shape());
    let x = x.into_dimensionality::<Ix2>().ok().filter(|x| !x.is_empty());
    x.ok_or_else(|| mismatch(&path.display().to_string(), "[units, pictures]", got))
}

fn repeated(path: &Path, mean: &Array2<f32>) -> Result<Array3<f32>, Error> {
    let x = measured(path)?;
    let got = format!("shape {:?}", x.shape());
    let expected = format!("[{}, {}, repeats], units and pictures as in the mean responses", mean.nrows(), mean.ncols());
    let x = x.into_dimensionality::<Ix3>().ok().filter(|x| (x.dim().0, x.dim().1) == mean.dim());
    x.ok_or_else(|| mismatch(&path.display().to_string(), &expected, got))
}

/// Numbers, none of them infinite: divided by an infinite mean they would seem unmeasured.
fn measured(path: &Path) -> Result<ArrayD<f32>, Error> {
    let x = read_f32(path)?;
    match x.indexed_iter().find(|(_, v)| v.is_infinite()) {
        Some((at, _)) => Err(mismatch(
            &path.display().to_string(),
            "finite numbers, NaN where missing",
            format!("an infinite one at {:?}", ndarray::Dimension::slice(&at)),
        )),
        None => Ok(x),
    }
}

fn mismatch(of: &str, expected: &str, got: String) -> Error {
    Error::Mismatch { of: of.into(), expected: expected.into(), got }
}
