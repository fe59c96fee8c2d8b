//! Noise of checks, squares that tile the monitor: sparse, a few white and black spots at a time; or white, every check at random.

use crate::error::{Error, frames, within};
use crate::event::{Event, Shown, Timeline};
use crate::film::Film;
use crate::monitor::{Monitor, check_length};
use crate::video::{GREY, about_grey};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};

/// Squares that tile a monitor from its upper left corner; those at the right and lower edge may be cut.
struct Checks {
    rows: usize,
    columns: usize,
    /// Side, monitor widths.
    side: f64,
    /// Check of each pixel.
    of: Vec<usize>,
}

impl Checks {
    fn new([height, width]: [usize; 2], side: f64) -> Self {
        let count = |pixels: usize| ((pixels as f64 / width as f64 / side - 1e-9).ceil() as usize).max(1);
        let (rows, columns) = (count(height), count(width));
        let place = |pixel: usize, most: usize| (((pixel as f64 + 0.5) / width as f64 / side) as usize).min(most - 1);
        let of = (0..height * width).map(|i| place(i / width, rows) * columns + place(i % width, columns)).collect();
        Self { rows, columns, side, of }
    }
}

/// Refuses checks smaller than pixels.
fn check_side(of: &'static str, monitor: &Monitor, size: f64, width: usize) -> Result<(), Error> {
    check_length(of, "size", size)?;
    within(of, "size", 2.0 * monitor.length(0.5 * size) * width as f64, [1.0, f64::MAX], "checks of a pixel or more; this one in pixels")
}

/// Settings of sparse noise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SparseNoise {
    /// H, pixels.
    pub height: usize,
    /// W, pixels.
    pub width: usize,
    /// Frames per second, Hz.
    pub rate: f64,
    /// T.
    pub frames: usize,
    /// Monitor.
    pub monitor: Monitor,
    /// Side of a spot, units.
    pub size: f64,
    /// Spots at a time, all in different places; each is white or black.
    pub spots: usize,
    /// How long spots are shown, s.
    pub seconds: f64,
    /// Grey before spots, s.
    pub blank: f64,
    /// Contrast, 0 to 1.
    pub contrast: f64,
}

impl Default for SparseNoise {
    /// Four spots of 8 degrees for 100 ms, for 5 min (our choice).
    fn default() -> Self {
        let (height, width, rate) = (144, 256, 30.0);
        Self { height, width, rate, frames: 9000, monitor: Monitor::default(), size: 8.0, spots: 4, seconds: 0.1, blank: 0.0, contrast: 1.0 }
    }
}

impl SparseNoise {
    /// Whether a video can be made with these settings.
    ///
    /// # Errors
    /// The setting that is out of range.
    pub fn check(&self) -> Result<(), Error> {
        const OF: &str = "sparse noise";
        frames(OF, [self.frames, self.height, self.width], self.rate)?;
        self.monitor.check(OF)?;
        check_side(OF, &self.monitor, self.size, self.width)?;
        let Checks { rows, columns, .. } = self.checks();
        within(OF, "spots", self.spots as f64, [1.0, (rows * columns) as f64], "1 to the number of places")?;
        within(OF, "seconds", self.seconds, [0.0, f64::MAX], "seconds, 0 or more")?;
        within(OF, "blank", self.blank, [0.0, f64::MAX], "seconds, 0 or more")?;
        within(OF, "contrast", self.contrast, [0.0, 1.0], "0 to 1")
    }

    fn checks(&self) -> Checks {
        Checks::new([self.height, self.width], 2.0 * self.monitor.length(0.5 * self.size))
    }

    /// Sparse noise from a seed.
    ///
    /// # Errors
    /// Those of [`SparseNoise::check`].
    pub fn film(&self, seed: u64) -> Result<Film, Error> {
        self.check()?;
        let checks = self.checks();
        let events = self.events(&checks, seed);
        let (shown, contrast, mut first) = (events.clone(), self.contrast, 0);
        let mut levels = vec![GREY; checks.rows * checks.columns];
        let draw = move |t: usize, frame: &mut [u8]| {
            while shown.get(first).is_some_and(|e| e.offset_frame <= t) {
                first += 1;
            }
            levels.fill(GREY);
            for event in shown[first..].iter().take_while(|e| e.onset_frame <= t) {
                if let Shown::Spot { row, column, polarity, .. } = event.shown {
                    levels[row * checks.columns + column] = about_grey(contrast * f64::from(polarity));
                }
            }
            frame.iter_mut().zip(&checks.of).for_each(|(p, check)| *p = levels[*check]);
        };
        Ok(Film::new([self.frames, self.height, self.width], self.rate, events, draw))
    }

    fn events(&self, checks: &Checks, seed: u64) -> Vec<Event> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut timeline = Timeline::new(self.frames, self.rate);
        let mut places: Vec<usize> = (0..checks.rows * checks.columns).collect();
        let mut events = Vec::new();
        while let Some(frames) = timeline.show(self.blank, self.seconds) {
            for k in 0..self.spots {
                let other = rng.random_range(k..places.len());
                places.swap(k, other);
                let (row, column) = (places[k] / checks.columns, places[k] % checks.columns);
                let [x, y] = [column, row].map(|place| (place as f64 + 0.5) * checks.side);
                let polarity = if rng.random::<bool>() { 1 } else { -1 };
                events.push(Event::new(frames.clone(), self.rate, Shown::Spot { row, column, x, y, polarity }));
            }
        }
        events
    }
}

/// How the checks of white noise are distributed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Distribution {
    /// White or black, each as often.
    Binary,
    /// Normal about grey, with `contrast` for standard deviation; what does not fit is clipped.
    Gaussian,
}

/// Settings of white noise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WhiteNoise {
    /// H, pixels.
    pub height: usize,
    /// W, pixels.
    pub width: usize,
    /// Frames per second, Hz.
    pub rate: f64,
    /// T.
    pub frames: usize,
    /// Monitor.
    pub monitor: Monitor,
    /// Side of a check, units.
    pub size: f64,
    /// How long a pattern is shown, s.
    pub seconds: f64,
    /// Distribution.
    pub distribution: Distribution,
    /// Contrast, 0 to 1.
    pub contrast: f64,
}

impl Default for WhiteNoise {
    /// Binary checks of 5 degrees, new at every second frame, for 5 min (our choice).
    fn default() -> Self {
        let (height, width, rate, distribution) = (144, 256, 30.0, Distribution::Binary);
        Self { height, width, rate, frames: 9000, monitor: Monitor::default(), size: 5.0, seconds: 1.0 / 15.0, distribution, contrast: 1.0 }
    }
}

impl WhiteNoise {
    /// Whether a video can be made with these settings.
    ///
    /// # Errors
    /// The setting that is out of range.
    pub fn check(&self) -> Result<(), Error> {
        const OF: &str = "white noise";
        frames(OF, [self.frames, self.height, self.width], self.rate)?;
        self.monitor.check(OF)?;
        check_side(OF, &self.monitor, self.size, self.width)?;
        within(OF, "seconds", self.seconds, [0.0, f64::MAX], "seconds, 0 or more")?;
        within(OF, "contrast", self.contrast, [0.0, 1.0], "0 to 1")
    }

    /// White noise from a seed. Its one event is the whole: the frames themselves are what responses are held against.
    ///
    /// # Errors
    /// Those of [`WhiteNoise::check`].
    pub fn film(&self, seed: u64) -> Result<Film, Error> {
        self.check()?;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let checks = Checks::new([self.height, self.width], 2.0 * self.monitor.length(0.5 * self.size));
        let each = ((self.seconds * self.rate).round() as usize).max(1);
        let (spec, mut levels) = (self.clone(), vec![GREY; checks.rows * checks.columns]);
        let draw = move |t: usize, frame: &mut [u8]| {
            if t.is_multiple_of(each) {
                let mut level = || match spec.distribution {
                    Distribution::Binary => 2.0 * f64::from(u8::from(rng.random::<bool>())) - 1.0,
                    Distribution::Gaussian => rng.sample(StandardNormal),
                };
                levels.iter_mut().for_each(|v| *v = about_grey(spec.contrast * level()));
            }
            frame.iter_mut().zip(&checks.of).for_each(|(p, check)| *p = levels[*check]);
        };
        Ok(Film::new([self.frames, self.height, self.width], self.rate, Event::continuous(self.frames, self.rate), draw))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_tile_the_monitor() {
        let checks = Checks::new([9, 16], 0.25);
        assert_eq!([checks.rows, checks.columns], [3, 4], "the third row is cut");
        assert_eq!(checks.of[0], 0);
        assert_eq!(checks.of[3], 0);
        assert_eq!(checks.of[4], 1);
        assert_eq!(checks.of[4 * 16], 4);
        assert_eq!(checks.of[9 * 16 - 1], 11);
    }
}
