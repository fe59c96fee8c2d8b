//! Uniform fields: the chirp, which probes polarity, temporal frequency and contrast one after the other (after Baden et al. 2016), and steps of
//! luminance.

use crate::error::{Error, frames, within};
use crate::event::{ChirpPart, Cursor, Event, Shown, Timeline};
use crate::film::Film;
use crate::values::Deck;
use crate::video::{GREY, about_grey};
use libm::sin;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;

/// Settings of a chirp. It is the same for every seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Chirp {
    /// H, pixels.
    pub height: usize,
    /// W, pixels.
    pub width: usize,
    /// Frames per second, Hz.
    pub rate: f64,
    /// T; the chirp is repeated until they are over.
    pub frames: usize,
    /// Grey before the step, before each sweep and at the end, s.
    pub blank: f64,
    /// White, then as long black, s.
    pub step: f64,
    /// Length of each sweep, s.
    pub sweep: f64,
    /// First and last frequency of the frequency sweep, Hz; it rises linearly.
    pub frequency: [f64; 2],
    /// Frequency of the contrast sweep, Hz; contrast rises linearly from 0.
    pub flicker: f64,
    /// Contrast, 0 to 1.
    pub contrast: f64,
}

impl Default for Chirp {
    /// One chirp of 30 s: 0.5 to 8 Hz, then contrast at 2 Hz (durations are our choice).
    fn default() -> Self {
        let (height, width, rate) = (144, 256, 30.0);
        Self { height, width, rate, frames: 900, blank: 2.0, step: 3.0, sweep: 8.0, frequency: [0.5, 8.0], flicker: 2.0, contrast: 1.0 }
    }
}

impl Chirp {
    /// Whether a video can be made with these settings.
    ///
    /// # Errors
    /// The setting that is out of range.
    pub fn check(&self) -> Result<(), Error> {
        const OF: &str = "chirp";
        const EXPECTED: &str = "0 Hz to half the rate: frames cannot show more";
        frames(OF, [self.frames, self.height, self.width], self.rate)?;
        for (field, seconds) in [("blank", self.blank), ("step", self.step), ("sweep", self.sweep)] {
            within(OF, field, seconds, [0.0, 1e6], "seconds, 0 to a million")?;
        }
        self.frequency.iter().try_for_each(|f| within(OF, "frequency", *f, [0.0, 0.5 * self.rate], EXPECTED))?;
        within(OF, "flicker", self.flicker, [0.0, 0.5 * self.rate], EXPECTED)?;
        within(OF, "contrast", self.contrast, [0.0, 1.0], "0 to 1")
    }

    /// The chirp.
    ///
    /// # Errors
    /// Those of [`Chirp::check`].
    pub fn film(&self) -> Result<Film, Error> {
        self.check()?;
        let (spec, events) = (self.clone(), self.events());
        let (shown, mut cursor) = (events.clone(), Cursor::default());
        let draw = move |t: usize, frame: &mut [u8]| {
            let level = cursor.at(&shown, t, |e| e.onset_frame..e.offset_frame).map_or(0.0, |now| match &shown[now] {
                Event { onset_frame, shown: Shown::Chirp { part }, .. } => spec.level(*part, (t - onset_frame) as f64 / spec.rate),
                _ => 0.0,
            });
            frame.fill(about_grey(spec.contrast * level));
        };
        Ok(Film::new([self.frames, self.height, self.width], self.rate, events, draw))
    }

    fn events(&self) -> Vec<Event> {
        use ChirpPart::{Contrast, Frequency, Off, On};
        let parts = [(self.blank, self.step, On), (0.0, self.step, Off), (self.blank, self.sweep, Frequency), (self.blank, self.sweep, Contrast)];
        let mut timeline = Timeline::new(self.frames, self.rate);
        let mut events = Vec::new();
        loop {
            for (k, (blank, seconds, part)) in parts.into_iter().enumerate() {
                // the grey at the end is that before the next
                let last = if k == 0 && !events.is_empty() { self.blank } else { 0.0 };
                let Some(frames) = timeline.show(last + blank, seconds) else { return events };
                events.push(Event::new(frames, self.rate, Shown::Chirp { part }));
            }
        }
    }

    /// Intensity about grey, `time` s from the onset of a part.
    fn level(&self, part: ChirpPart, time: f64) -> f64 {
        let [from, to] = self.frequency;
        match part {
            ChirpPart::On => 1.0,
            ChirpPart::Off => -1.0,
            ChirpPart::Frequency => sin(TAU * (from * time + 0.5 * (to - from) / self.sweep.max(1.0 / self.rate) * time * time)),
            ChirpPart::Contrast => time / self.sweep.max(1.0 / self.rate) * sin(TAU * self.flicker * time),
        }
    }
}

/// Settings of steps of luminance over the whole monitor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Steps {
    /// H, pixels.
    pub height: usize,
    /// W, pixels.
    pub width: usize,
    /// Frames per second, Hz.
    pub rate: f64,
    /// T.
    pub frames: usize,
    /// How long each level is shown, s.
    pub seconds: f64,
    /// Grey before each level, s.
    pub blank: f64,
    /// Levels from -1, black, over 0, grey, to 1, white.
    pub levels: Vec<f64>,
    /// Show the levels in random order instead of their own.
    pub shuffle: bool,
}

impl Default for Steps {
    /// Five levels for 1 s, 1 s of grey before each (our choice).
    fn default() -> Self {
        let levels = vec![-1.0, -0.5, 0.25, 0.5, 1.0];
        Self { height: 144, width: 256, rate: 30.0, frames: 300, seconds: 1.0, blank: 1.0, levels, shuffle: true }
    }
}

impl Steps {
    /// Whether a video can be made with these settings.
    ///
    /// # Errors
    /// The setting that is out of range.
    pub fn check(&self) -> Result<(), Error> {
        const OF: &str = "steps";
        frames(OF, [self.frames, self.height, self.width], self.rate)?;
        within(OF, "seconds", self.seconds, [0.0, f64::MAX], "seconds, 0 or more")?;
        within(OF, "blank", self.blank, [0.0, f64::MAX], "seconds, 0 or more")?;
        within(OF, "levels", self.levels.len() as f64, [1.0, 10_000.0], "1 to 10000 levels")?;
        self.levels.iter().try_for_each(|level| within(OF, "levels", *level, [-1.0, 1.0], "-1 to 1"))
    }

    /// Steps from a seed.
    ///
    /// # Errors
    /// Those of [`Steps::check`].
    pub fn film(&self, seed: u64) -> Result<Film, Error> {
        self.check()?;
        let events = self.events(seed);
        let (shown, mut cursor) = (events.clone(), Cursor::default());
        let draw = move |t: usize, frame: &mut [u8]| {
            let now = cursor.at(&shown, t, |e| e.onset_frame..e.offset_frame);
            frame.fill(match now.map(|now| &shown[now].shown) {
                Some(Shown::Level { level, .. }) => about_grey(*level),
                _ => GREY,
            });
        };
        Ok(Film::new([self.frames, self.height, self.width], self.rate, events, draw))
    }

    fn events(&self, seed: u64) -> Vec<Event> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut deck = Deck::new(self.levels.len());
        let mut timeline = Timeline::new(self.frames, self.rate);
        let mut events = Vec::new();
        while let Some(frames) = timeline.show(self.blank, self.seconds) {
            let condition = if self.shuffle { deck.draw(&mut rng) } else { events.len() % self.levels.len() };
            events.push(Event::new(frames, self.rate, Shown::Level { condition, level: self.levels[condition] }));
        }
        events
    }
}
