//! Moving bars: each sweeps over the whole monitor, at right angles to its length.

use crate::error::{Error, frames, within};
use crate::event::{Cursor, Event, Shown, Timeline};
use crate::film::Film;
use crate::monitor::{Monitor, check_length};
use crate::values::{Deck, Even, Values};
use crate::video::{GREY, about_grey};
use libm::sincos;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// Settings of moving bars.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Bars {
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
    /// Grey before each sweep, s.
    pub blank: f64,
    /// Directions of motion, degrees: 0 right, 90 up.
    pub direction: Values,
    /// Width of the bar, units.
    pub bar: f64,
    /// Speed, units per second.
    pub speed: f64,
    /// Show white bars.
    pub white: bool,
    /// Show black bars.
    pub black: bool,
    /// Contrast, 0 to 1.
    pub contrast: f64,
}

impl Default for Bars {
    /// White bars of 8 degrees in eight directions at 40 degrees per second, 1 s of grey before each (our choice).
    fn default() -> Self {
        Self {
            height: 144,
            width: 256,
            rate: 30.0,
            frames: 1500,
            monitor: Monitor::default(),
            blank: 1.0,
            direction: Values::directions(8),
            bar: 8.0,
            speed: 40.0,
            white: true,
            black: false,
            contrast: 1.0,
        }
    }
}

impl Bars {
    /// Whether a video can be made with these settings.
    ///
    /// # Errors
    /// The setting that is out of range.
    pub fn check(&self) -> Result<(), Error> {
        const OF: &str = "bars";
        frames(OF, [self.frames, self.height, self.width], self.rate)?;
        self.monitor.check(OF)?;
        within(OF, "blank", self.blank, [0.0, f64::MAX], "seconds, 0 or more")?;
        self.direction.check(OF, "direction", [-1e6, 1e6], Even::Values, "a finite number of degrees")?;
        check_length(OF, "bar", self.bar)?;
        within(OF, "speed", self.speed, [1e-6, 1e6], "units per second, above 0")?;
        within(OF, "contrast", self.contrast, [0.0, 1.0], "0 to 1")?;
        if !(self.white || self.black) {
            return Err(Error::Setting { of: OF, field: "white", expected: "true where black is false", got: "false".into() });
        }
        Ok(())
    }

    /// Bars from a seed, in random order: all directions and polarities once before any comes again.
    ///
    /// # Errors
    /// Those of [`Bars::check`].
    pub fn film(&self, seed: u64) -> Result<Film, Error> {
        self.check()?;
        let shape @ [_, height, width] = [self.frames, self.height, self.width];
        let (spec, events) = (self.clone(), self.events(seed));
        let (shown, mut cursor) = (events.clone(), Cursor::default());
        let draw = move |t: usize, frame: &mut [u8]| {
            let Some(now) = cursor.at(&shown, t, |e| e.onset_frame..e.offset_frame) else { return frame.fill(GREY) };
            let Event { onset_frame, shown: Shown::Bar { direction, polarity, .. }, .. } = shown[now] else { return };
            let (s, c) = sincos(direction.to_radians());
            // all in pixels from the middle of the monitor
            let w = width as f64;
            let half = spec.half() * w;
            let travelled = spec.speed * spec.monitor.scale() * w * (t - onset_frame) as f64 / spec.rate;
            let middle = travelled - (0.5 * spec.travel(direction) * w);
            for (i, pixel) in frame.iter_mut().enumerate() {
                let (x, y) = ((i % width) as f64 + 0.5 - 0.5 * w, (i / width) as f64 + 0.5 - 0.5 * height as f64);
                let cover = (half + 0.5 - (x * c - y * s - middle).abs()).clamp(0.0, 1.0);
                *pixel = about_grey(f64::from(polarity) * spec.contrast * cover);
            }
        };
        Ok(Film::new(shape, self.rate, events, draw))
    }

    /// Half the bar's width, monitor widths.
    fn half(&self) -> f64 {
        self.monitor.length(0.5 * self.bar)
    }

    /// How far the bar goes to cross the whole monitor, from just before one corner to just behind the opposite one, monitor widths.
    fn travel(&self, direction: f64) -> f64 {
        let (s, c) = sincos(direction.to_radians());
        c.abs() + s.abs() * self.height as f64 / self.width as f64 + 2.0 * self.half()
    }

    fn events(&self, seed: u64) -> Vec<Event> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let polarities: Vec<i8> = [(self.white, 1), (self.black, -1)].into_iter().filter(|(shown, _)| *shown).map(|(_, p)| p).collect();
        let mut deck = Deck::new(self.direction.count() * polarities.len());
        let mut timeline = Timeline::new(self.frames, self.rate);
        let mut events = Vec::new();
        loop {
            let condition = deck.draw(&mut rng);
            let direction = self.direction.at(condition / polarities.len(), Even::Values, &mut rng);
            let polarity = polarities[condition % polarities.len()];
            let seconds = self.travel(direction) / (self.speed * self.monitor.scale());
            let Some(frames) = timeline.show(self.blank, seconds) else { return events };
            events.push(Event::new(frames, self.rate, Shown::Bar { condition, direction, polarity }));
        }
    }
}
