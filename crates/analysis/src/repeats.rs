//! Repeats of a test domain: the trials of each video gathered, unit by unit, as a matrix [R repeats, samples].

use ndarray::{Array2, ArrayView2, s};

use crate::error::Error;

/// Samples at the start of a trial that are not evaluated while the network's state settles, as in the released code; 10 samples
/// are a third of a second at 30 Hz.
pub const BURNIN: usize = 10;

/// The trials of one test domain, held as views; nothing is copied until a unit is asked for.
#[derive(Debug, Clone)]
pub struct Repeats<'a> {
    videos: Vec<Video<'a>>,
    repeats: usize,
    samples: usize,
    units: usize,
}

/// The trials of one video, already cut to their evaluated samples [samples, U].
#[derive(Debug, Clone)]
struct Video<'a> {
    trials: Vec<ArrayView2<'a, f32>>,
    samples: usize,
}

impl<'a> Repeats<'a> {
    /// Trials [T, U] of each video of the domain; NaN is a sample that was not measured.
    ///
    /// Trials of one video that differ in length by one sample (rounding of the trial's end) are cut to the shortest, and the
    /// first `burnin` samples of each are dropped.
    ///
    /// # Errors
    /// [`Error::RepeatLength`] if lengths differ by more, [`Error::Shape`] if trials differ in units or there is no video, and
    /// [`Error::NothingLeft`] if a video has no trial or is not longer than the burn-in.
    pub fn new(videos: Vec<Vec<ArrayView2<'a, f32>>>, burnin: usize) -> Result<Self, Error> {
        let Some(units) = videos.iter().flatten().map(|trial| trial.ncols()).next() else {
            let got = format!("{} videos without trials", videos.len());
            return Err(Error::Shape { what: "trials of a test domain".into(), expected: "at least one trial".into(), got });
        };
        let videos: Vec<Video> =
            videos.into_iter().enumerate().map(|(v, trials)| Video::new(v, trials, units, burnin)).collect::<Result<_, Error>>()?;
        let repeats = videos.iter().map(|v| v.trials.len()).max().unwrap_or(0);
        let samples = videos.iter().map(|v| v.samples).sum();
        Ok(Self { videos, repeats, samples, units })
    }

    /// Number of repeats of the video that was shown most often (R).
    pub fn repeats(&self) -> usize {
        self.repeats
    }

    /// Evaluated samples of all videos together.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Number of units (U).
    pub fn units(&self) -> usize {
        self.units
    }

    /// The trials of one unit [R, samples]: videos one after the other, NaN where a video has fewer repeats.
    ///
    /// # Panics
    /// If there is no such unit.
    pub fn unit(&self, unit: usize) -> Array2<f64> {
        let mut matrix = Array2::from_elem((self.repeats, self.samples), f64::NAN);
        let mut start = 0;
        for video in &self.videos {
            for (r, trial) in video.trials.iter().enumerate() {
                let row = matrix.slice_mut(s![r, start..start + video.samples]);
                row.into_iter().zip(trial.column(unit)).for_each(|(to, &from)| *to = f64::from(from));
            }
            start += video.samples;
        }
        matrix
    }

    /// Holds that this prediction has the videos, trials, samples and units of `response`.
    pub(crate) fn matches(&self, response: &Repeats, domain: &str) -> Result<(), Error> {
        let error = |what: String, expected: usize, got: usize| {
            if expected == got { Ok(()) } else { Err(Error::Shape { what, expected: expected.to_string(), got: got.to_string() }) }
        };
        error(format!("domain {domain}: units of the prediction"), response.units, self.units)?;
        error(format!("domain {domain}: videos of the prediction"), response.videos.len(), self.videos.len())?;
        for (v, (a, b)) in self.videos.iter().zip(&response.videos).enumerate() {
            error(format!("domain {domain}, video {v}: trials of the prediction"), b.trials.len(), a.trials.len())?;
            error(format!("domain {domain}, video {v}: samples of the prediction"), b.samples, a.samples)?;
        }
        Ok(())
    }
}

impl<'a> Video<'a> {
    fn new(video: usize, trials: Vec<ArrayView2<'a, f32>>, units: usize, burnin: usize) -> Result<Self, Error> {
        let longest = trials.iter().map(|t| t.nrows()).max().unwrap_or(0);
        let shortest = trials.iter().map(|t| t.nrows()).min().unwrap_or(0);
        for (trial, values) in trials.iter().enumerate() {
            let (got, columns) = values.dim();
            if got + 1 < longest {
                return Err(Error::RepeatLength { video, trial, longest, got });
            }
            if columns != units {
                let what = format!("video {video}, trial {trial}");
                return Err(Error::Shape { what, expected: format!("{units} units"), got: format!("{columns} units") });
            }
        }
        if shortest <= burnin {
            return Err(Error::NothingLeft { video, trials: trials.len(), samples: shortest, burnin });
        }
        let trials = trials.into_iter().map(|trial| trial.slice_move(s![burnin..shortest, ..])).collect();
        Ok(Self { trials, samples: shortest - burnin })
    }
}
