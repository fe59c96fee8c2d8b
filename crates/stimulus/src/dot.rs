//! Flashing Gaussian dots, white or black, on a grid that tiles the monitor (paper, Methods: spatial tuning).

use crate::error::{Error, frames, within};
use crate::event::{Cursor, Event, Shown, Timeline};
use crate::film::Film;
use crate::monitor::{Field, Monitor, check_length, check_spherical};
use crate::values::Deck;
use crate::video::{GREY, about_grey};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// Settings of flashing Gaussian dots.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Dots {
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
    /// Draw on the visual field instead of on the flat monitor.
    pub spherical: bool,
    /// Rows and columns of the grid. Middles are at (column + 1/2) / columns of the width and (row + 1/2) / rows of the height (our choice).
    pub grid: [usize; 2],
    /// Standard deviation of a dot, units.
    pub sd: f64,
    /// How long each dot is shown, s.
    pub seconds: f64,
    /// Grey before each dot, s.
    pub blank: f64,
    /// Show white dots.
    pub white: bool,
    /// Show black dots.
    pub black: bool,
    /// Contrast, 0 to 1.
    pub contrast: f64,
}

impl Default for Dots {
    /// That of the paper: 17 x 29 places, white and black, 300 ms each. One set of them lasts 8874 frames, about 5 min.
    fn default() -> Self {
        Self {
            height: 144,
            width: 256,
            rate: 30.0,
            frames: 2 * 17 * 29 * 9,
            monitor: Monitor::default(),
            spherical: false,
            grid: [17, 29],
            sd: 8.0,
            seconds: 0.3,
            blank: 0.0,
            white: true,
            black: true,
            contrast: 1.0,
        }
    }
}

impl Dots {
    /// Whether a video can be made with these settings.
    ///
    /// # Errors
    /// The setting that is out of range.
    pub fn check(&self) -> Result<(), Error> {
        const OF: &str = "dots";
        frames(OF, [self.frames, self.height, self.width], self.rate)?;
        self.monitor.check(OF)?;
        check_spherical(OF, self.spherical, &self.monitor)?;
        for count in self.grid {
            within(OF, "grid", count as f64, [1.0, 1000.0], "rows and columns, 1 to 1000")?;
        }
        check_length(OF, "sd", self.sd)?;
        within(OF, "seconds", self.seconds, [0.0, f64::MAX], "seconds, 0 or more")?;
        within(OF, "blank", self.blank, [0.0, f64::MAX], "seconds, 0 or more")?;
        within(OF, "contrast", self.contrast, [0.0, 1.0], "0 to 1")?;
        if !(self.white || self.black) {
            return Err(Error::Setting { of: OF, field: "white", expected: "true where black is false", got: "false".into() });
        }
        Ok(())
    }

    /// Dots from a seed, in random order: all places and polarities once before any comes again.
    ///
    /// # Errors
    /// Those of [`Dots::check`].
    pub fn film(&self, seed: u64) -> Result<Film, Error> {
        self.check()?;
        let [height, width] = [self.height, self.width];
        let events = self.events(seed);
        let field = Field::new([height, width], &self.monitor, self.spherical);
        let (sd, contrast) = (field.length(self.sd), self.contrast);
        let (shown, mut cursor, mut drawn, mut dot) = (events.clone(), Cursor::default(), None, vec![GREY; height * width]);
        let draw = move |t: usize, frame: &mut [u8]| {
            let Some(now) = cursor.at(&shown, t, |e| e.onset_frame..e.offset_frame) else { return frame.fill(GREY) };
            let Shown::Dot { x, y, polarity, .. } = shown[now].shown else { return };
            if drawn != Some(now) {
                let [x, y] = field.seen([x, y]);
                for (p, [px, py]) in dot.iter_mut().zip(&field.points) {
                    let mask = libm::exp(-((px - x).powi(2) + (py - y).powi(2)) / (2.0 * sd * sd));
                    *p = about_grey(f64::from(polarity) * contrast * mask);
                }
                drawn = Some(now);
            }
            frame.copy_from_slice(&dot);
        };
        Ok(Film::new([self.frames, height, width], self.rate, events, draw))
    }

    fn events(&self, seed: u64) -> Vec<Event> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let [rows, columns] = self.grid;
        let polarities: &[i8] = match (self.white, self.black) {
            (true, true) => &[1, -1],
            (true, false) => &[1],
            _ => &[-1],
        };
        let mut deck = Deck::new(rows * columns * polarities.len());
        let mut timeline = Timeline::new(self.frames, self.rate);
        let mut events = Vec::new();
        while let Some(frames) = timeline.show(self.blank, self.seconds) {
            let condition = deck.draw(&mut rng);
            let (place, polarity) = (condition / polarities.len(), polarities[condition % polarities.len()]);
            let (row, column) = (place / columns, place % columns);
            let x = (column as f64 + 0.5) / columns as f64;
            let y = (row as f64 + 0.5) / rows as f64 * self.height as f64 / self.width as f64;
            events.push(Event::new(frames, self.rate, Shown::Dot { condition, row, column, x, y, polarity }));
        }
        events
    }
}
