//! What a linear model sees of a video: luminance and contrast of coarse patches over the last frames.

use ndarray::{Array2, ArrayView2, ArrayView4, Axis, concatenate, s};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// Settings of the stimulus features.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FeatureConfig {
    /// Patches from top to bottom.
    pub height: usize,
    /// Patches from left to right.
    pub width: usize,
    /// Lengths in frames of consecutive stretches of the past, the first ending with the present frame; frames of a stretch are
    /// averaged. `[1]` is the present frame alone, for still pictures.
    pub lags: Vec<usize>,
    /// Whether the standard deviation within each patch is a feature beside its mean.
    pub contrast: bool,
}

impl Default for FeatureConfig {
    /// 9 by 16 patches over the last 9 frames (0.3 s at 30 Hz) in three stretches, with contrast: 864 features.
    fn default() -> Self {
        Self { height: 9, width: 16, lags: vec![2, 3, 4], contrast: true }
    }
}

impl FeatureConfig {
    /// Number of features (d).
    pub fn features(&self) -> usize {
        self.lags.len() * self.of_frame()
    }

    fn of_frame(&self) -> usize {
        self.height * self.width * if self.contrast { 2 } else { 1 }
    }

    fn check(&self) -> Result<(), Error> {
        let size = format!("{} by {}", self.height, self.width);
        if self.height == 0 || self.width == 0 {
            return Err(Error::Config { field: "height and width of the features", expected: "at least 1 by 1", got: size });
        }
        if self.lags.is_empty() || self.lags.contains(&0) {
            let got = format!("{:?}", self.lags);
            return Err(Error::Config { field: "lags", expected: "a list of at least one length of at least 1 frame", got });
        }
        Ok(())
    }
}

/// Features [T, d] of each frame of a video [T, H, W, C], C 1 (grey) or 3 (red, green, blue).
///
/// Patches average the area they cover, with fractions of pixels where the size does not divide. Values are 0 (black) to 1.
/// Columns run by stretch of the past, then mean before contrast, then rows and columns of patches. Before the first frame the
/// first frame is taken to have stood still.
///
/// # Errors
/// [`Error::Shape`] for another C or an empty frame, [`Error::Config`] for a size or lag of 0.
pub fn stimulus_features(video: ArrayView4<u8>, config: &FeatureConfig) -> Result<Array2<f32>, Error> {
    config.check()?;
    let (frames, height, width, channels) = video.dim();
    if height == 0 || width == 0 || !matches!(channels, 1 | 3) {
        let got = format!("{height} x {width} x {channels}");
        return Err(Error::Shape { what: "video frame".into(), expected: "height x width x 1 or 3 channels".into(), got });
    }
    let grid = Grid { rows: shares(height, config.height), columns: shares(width, config.width), size: (config.height, config.width) };
    let mut patches = Array2::<f32>::zeros((frames, config.of_frame()));
    let per_frame: Vec<_> = patches.axis_iter_mut(Axis(0)).zip(video.axis_iter(Axis(0))).collect();
    per_frame.into_par_iter().for_each(|(mut row, frame)| {
        let luminance = |y: usize, x: usize| match channels {
            1 => f32::from(frame[[y, x, 0]]) / 255.0,
            _ => (0.299 * f32::from(frame[[y, x, 0]]) + 0.587 * f32::from(frame[[y, x, 1]]) + 0.114 * f32::from(frame[[y, x, 2]])) / 255.0,
        };
        let (mean, sd) = grid.patches(luminance);
        let values = mean.into_iter().chain(if config.contrast { sd } else { Vec::new() });
        row.iter_mut().zip(values).for_each(|(to, from)| *to = from);
    });
    Ok(lagged(patches.view(), &config.lags))
}

/// Features [T, d] with further columns, such as eye and behaviour traces [T, extra]; NaN in a trace stays and means missing.
///
/// # Errors
/// [`Error::Shape`] if the numbers of frames differ.
pub fn with_traces(features: ArrayView2<f32>, traces: ArrayView2<f32>) -> Result<Array2<f32>, Error> {
    concatenate(Axis(1), &[features, traces]).map_err(|_| Error::Shape {
        what: "traces beside features".into(),
        expected: format!("{} samples", features.nrows()),
        got: format!("{} samples", traces.nrows()),
    })
}

/// Which share of each pixel falls to which patch along one axis: for every pixel its (patch, share of the patch).
fn shares(pixels: usize, patches: usize) -> Vec<Vec<(usize, f32)>> {
    let size = pixels as f64 / patches as f64;
    let of_pixel = |pixel: usize| {
        let (low, high) = (pixel as f64, (pixel + 1) as f64);
        let first = (low / size).floor() as usize;
        let last = ((high / size).ceil() as usize).min(patches);
        let overlap = |patch: usize| high.min((patch + 1) as f64 * size) - low.max(patch as f64 * size);
        (first..last).map(|patch| (patch, (overlap(patch) / size) as f32)).filter(|(_, share)| *share > 1e-6).collect()
    };
    (0..pixels).map(of_pixel).collect()
}

/// Patches over a frame.
struct Grid {
    rows: Vec<Vec<(usize, f32)>>,
    columns: Vec<Vec<(usize, f32)>>,
    size: (usize, usize),
}

impl Grid {
    /// Mean and standard deviation of the luminance in every patch [height * width].
    fn patches(&self, luminance: impl Fn(usize, usize) -> f32) -> (Vec<f32>, Vec<f32>) {
        let (height, width) = self.size;
        let (mut mean, mut square) = (vec![0f32; height * width], vec![0f32; height * width]);
        let (mut line, mut line_square) = (vec![0f32; width], vec![0f32; width]);
        for (y, into) in self.rows.iter().enumerate() {
            line.fill(0.0);
            line_square.fill(0.0);
            for (x, columns) in self.columns.iter().enumerate() {
                // About mid grey, so that the square keeps its digits in a bright, even patch.
                let v = luminance(y, x) - 0.5;
                for &(column, share) in columns {
                    line[column] += share * v;
                    line_square[column] += share * v * v;
                }
            }
            for &(row, share) in into {
                for column in 0..width {
                    mean[row * width + column] += share * line[column];
                    square[row * width + column] += share * line_square[column];
                }
            }
        }
        let sd = mean.iter().zip(&square).map(|(m, s)| (s - m * m).max(0.0).sqrt()).collect();
        mean.iter_mut().for_each(|m| *m += 0.5);
        (mean, sd)
    }
}

/// Averages [T, lags * d] of the frames' features [T, d] over stretches of the past.
fn lagged(frames: ArrayView2<f32>, lags: &[usize]) -> Array2<f32> {
    let (length, d) = frames.dim();
    let mut features = Array2::<f32>::zeros((length, d * lags.len()));
    let per_frame: Vec<_> = features.axis_iter_mut(Axis(0)).enumerate().collect();
    per_frame.into_par_iter().for_each(|(t, mut row)| {
        let mut back = 0;
        for (stretch, &lag) in lags.iter().enumerate() {
            let mut to = row.slice_mut(s![stretch * d..(stretch + 1) * d]);
            for age in back..back + lag {
                to.scaled_add(1.0 / lag as f32, &frames.row(t.saturating_sub(age)));
            }
            back += lag;
        }
    });
    features
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array4;

    #[test]
    fn shares_of_every_patch_sum_to_one() {
        for (pixels, patches) in [(16, 4), (10, 3), (3, 7), (144, 9), (5, 5), (1, 1)] {
            let mut total = vec![0f32; patches];
            shares(pixels, patches).iter().flatten().for_each(|&(patch, share)| total[patch] += share);
            assert!(total.iter().all(|t| (t - 1.0).abs() < 1e-4), "{pixels} pixels on {patches} patches: {total:?}");
        }
    }

    #[test]
    fn a_checkerboard_has_mean_and_contrast() {
        let video = Array4::from_shape_fn((1, 8, 8, 1), |(_, y, x, _)| if (x + y) % 2 == 0 { 255 } else { 0 });
        let config = FeatureConfig { height: 2, width: 2, lags: vec![1], contrast: true };
        let f = stimulus_features(video.view(), &config).unwrap();
        assert_eq!(f.dim(), (1, config.features()));
        assert!(f.iter().all(|v| (v - 0.5).abs() < 1e-6), "{f}");
    }

    #[test]
    fn lags_average_the_past_and_hold_the_first_frame() {
        let video = Array4::from_shape_fn((5, 2, 2, 1), |(t, ..)| 51 * t as u8);
        let config = FeatureConfig { height: 1, width: 1, lags: vec![1, 2], contrast: false };
        let f = stimulus_features(video.view(), &config).unwrap();
        // Frames are 0, .2, .4, .6, .8: present frame, then the mean of the two before it.
        let expected = [[0.0, 0.0], [0.2, 0.0], [0.4, 0.1], [0.6, 0.3], [0.8, 0.5]];
        assert!(f.iter().zip(expected.iter().flatten()).all(|(a, b)| (a - b).abs() < 1e-6), "{f}");
    }

    #[test]
    fn colour_is_weighted_as_luminance() {
        let mut video = Array4::<u8>::zeros((1, 1, 1, 3));
        video[[0, 0, 0, 1]] = 255;
        let config = FeatureConfig { height: 1, width: 1, lags: vec![1], contrast: false };
        assert!((stimulus_features(video.view(), &config).unwrap()[[0, 0]] - 0.587).abs() < 1e-6);
    }

    #[test]
    fn what_makes_no_features_is_refused() {
        let video = Array4::<u8>::zeros((1, 4, 4, 2));
        assert!(matches!(stimulus_features(video.view(), &FeatureConfig::default()), Err(Error::Shape { .. })));
        let video = Array4::<u8>::zeros((1, 4, 4, 1));
        for lags in [vec![], vec![1, 0]] {
            let config = FeatureConfig { lags, ..FeatureConfig::default() };
            assert!(matches!(stimulus_features(video.view(), &config), Err(Error::Config { .. })));
        }
        let none = Array4::<u8>::zeros((0, 4, 4, 1));
        assert_eq!(stimulus_features(none.view(), &FeatureConfig::default()).unwrap().dim(), (0, 864));
        let features = Array2::<f32>::zeros((3, 2));
        assert!(with_traces(features.view(), Array2::zeros((4, 1)).view()).is_err());
        assert_eq!(with_traces(features.view(), Array2::zeros((3, 4)).view()).unwrap().dim(), (3, 6));
    }
}
