//! Natural images: pictures shown one after the other with grey before each (paper, Methods; after Walker et al. 2019).

use crate::error::{Error, frames, within};
use crate::event::{Cursor, Event, Shown, Timeline};
use crate::film::Film;
use crate::values::Deck;
use crate::video::GREY;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// A grey picture [H, W].
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// What its events call it.
    pub name: String,
    /// H, W.
    pub size: [usize; 2],
    /// Pixels, row-major.
    pub pixels: Vec<u8>,
}

/// Settings of a sequence of pictures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pictures {
    /// H, pixels; all pictures have this size.
    pub height: usize,
    /// W, pixels.
    pub width: usize,
    /// Frames per second, Hz.
    pub rate: f64,
    /// T; left out, as many as show every picture `repeats` times.
    pub frames: Option<usize>,
    /// How long each picture is shown, s.
    pub seconds: f64,
    /// Grey before each picture, s: at least and at most, evenly drawn.
    pub blank: [f64; 2],
    /// How often each picture is shown, where `frames` is left out.
    pub repeats: usize,
    /// Show the pictures in random order instead of their own.
    pub shuffle: bool,
}

impl Default for Pictures {
    /// That of the paper: 500 ms, 300 to 500 ms of grey before.
    fn default() -> Self {
        Self { height: 144, width: 256, rate: 30.0, frames: None, seconds: 0.5, blank: [0.3, 0.5], repeats: 1, shuffle: true }
    }
}

const OF: &str = "pictures";

impl Pictures {
    /// Whether a video can be made with these settings.
    ///
    /// # Errors
    /// The setting that is out of range.
    pub fn check(&self) -> Result<(), Error> {
        frames(OF, [self.frames.unwrap_or(0), self.height, self.width], self.rate)?;
        within(OF, "seconds", self.seconds, [0.0, 1e6], "seconds, 0 to a million")?;
        within(OF, "blank", self.blank[0], [0.0, 1e6], "seconds, 0 to a million")?;
        within(OF, "blank", self.blank[1], [self.blank[0], 1e6], "least and most seconds, in this order")?;
        within(OF, "repeats", self.repeats as f64, [1.0, 1e6], "1 to a million")
    }

    /// The sequence of pictures from a seed.
    ///
    /// # Errors
    /// Those of [`Pictures::check`]; no pictures, or pictures of another size.
    pub fn film(&self, pictures: Vec<Picture>, seed: u64) -> Result<Film, Error> {
        self.check()?;
        let size = [self.height, self.width];
        let refused = |expected, got| Err(Error::Setting { of: OF, field: "pictures", expected, got });
        if pictures.is_empty() {
            return refused("at least one picture", "none".into());
        }
        if let Some(p) = pictures.iter().find(|p| p.size != size || p.pixels.len() != size[0] * size[1]) {
            return refused("pictures of the video's height and width", format!("{} of {} x {}", p.name, p.size[0], p.size[1]));
        }
        let events = self.events(&pictures, seed);
        let count = self.frames.unwrap_or_else(|| events.last().map_or(0, |e| e.offset_frame));
        frames(OF, [count, self.height, self.width], self.rate)?;
        let (shown, mut cursor) = (events.clone(), Cursor::default());
        let draw = move |t: usize, frame: &mut [u8]| match cursor.at(&shown, t, |e| e.onset_frame..e.offset_frame).map(|now| &shown[now].shown) {
            Some(Shown::Picture { condition, .. }) => frame.copy_from_slice(&pictures[*condition].pixels),
            _ => frame.fill(GREY),
        };
        Ok(Film::new([count, self.height, self.width], self.rate, events, draw))
    }

    fn events(&self, pictures: &[Picture], seed: u64) -> Vec<Event> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut deck = Deck::new(pictures.len());
        let mut timeline = Timeline::new(self.frames.unwrap_or(usize::MAX), self.rate);
        let most = if self.frames.is_some() { usize::MAX } else { pictures.len().saturating_mul(self.repeats) };
        let mut events = Vec::new();
        while events.len() < most {
            let blank = self.blank[0] + (self.blank[1] - self.blank[0]) * rng.random::<f64>();
            let Some(frames) = timeline.show(blank, self.seconds) else { break };
            let condition = if self.shuffle { deck.draw(&mut rng) } else { events.len() % pictures.len() };
            let name = pictures[condition].name.clone();
            events.push(Event::new(frames, self.rate, Shown::Picture { condition, name }));
        }
        events
    }
}
