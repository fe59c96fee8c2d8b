//! Drifting Gabors: sinusoids under a Gaussian, of random place, direction, phase and frequencies (paper, Methods; the formula is that of Petkov &
//! Subramanian 2007 with a still, round envelope. Which frequencies were shown is not published: our choice).

use crate::carrier::{Carrier, Stripes};
use crate::error::{Error, frames, within};
use crate::event::{Cursor, Event, Shown, Timeline};
use crate::film::Film;
use crate::monitor::{Field, Monitor, check_length, check_spherical};
use crate::values::{Even, Values};
use crate::video::{GREY, about_grey};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// Settings of drifting Gabors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Gabors {
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
    /// How long each Gabor is shown, s.
    pub seconds: f64,
    /// Grey before each Gabor, s.
    pub blank: f64,
    /// Standard deviation of the envelope, units.
    pub envelope: f64,
    /// Directions of motion, degrees: 0 right, 90 up.
    pub direction: Values,
    /// Spatial frequencies, cycles per unit; a range is drawn evenly over octaves.
    pub spatial: Values,
    /// Temporal frequencies, Hz; a range is drawn evenly over octaves.
    pub temporal: Values,
    /// Phases at the onset at the middle of the Gabor, cycles.
    pub phase: Values,
    /// Contrasts, 0 to 1.
    pub contrast: Values,
}

impl Default for Gabors {
    /// A trial of the paper: ten Gabors of 1 s.
    fn default() -> Self {
        Self {
            height: 144,
            width: 256,
            rate: 30.0,
            frames: 300,
            monitor: Monitor::default(),
            spherical: false,
            seconds: 1.0,
            blank: 0.0,
            envelope: 16.4,
            direction: Values::directions(16),
            spatial: Values::Each(vec![0.02, 0.04, 0.08, 0.16]),
            temporal: Values::Each(vec![1.0, 2.0, 4.0, 8.0]),
            phase: Values::Between { from: 0.0, to: 1.0 },
            contrast: Values::One(1.0),
        }
    }
}

impl Gabors {
    /// Whether a video can be made with these settings.
    ///
    /// # Errors
    /// The setting that is out of range.
    pub fn check(&self) -> Result<(), Error> {
        const OF: &str = "gabors";
        frames(OF, [self.frames, self.height, self.width], self.rate)?;
        self.monitor.check(OF)?;
        check_spherical(OF, self.spherical, &self.monitor)?;
        within(OF, "seconds", self.seconds, [0.0, f64::MAX], "seconds, 0 or more")?;
        within(OF, "blank", self.blank, [0.0, f64::MAX], "seconds, 0 or more")?;
        check_length(OF, "envelope", self.envelope)?;
        self.direction.check(OF, "direction", [-1e6, 1e6], Even::Values, "a finite number of degrees")?;
        self.spatial.check(OF, "spatial", [0.0, 1e6], Even::Octaves, "a spatial frequency, 0 or more")?;
        self.temporal.check(OF, "temporal", [0.0, 1e6], Even::Octaves, "a temporal frequency, 0 Hz or more")?;
        self.phase.check(OF, "phase", [-1e6, 1e6], Even::Values, "a finite number of cycles")?;
        self.contrast.check(OF, "contrast", [0.0, 1.0], Even::Values, "0 to 1")
    }

    /// Gabors from a seed.
    ///
    /// # Errors
    /// Those of [`Gabors::check`].
    pub fn film(&self, seed: u64) -> Result<Film, Error> {
        self.check()?;
        let [height, width] = [self.height, self.width];
        let (spec, events) = (self.clone(), self.events(seed));
        let field = Field::new([height, width], &self.monitor, self.spherical);
        let (shown, mut cursor, mut drawn) = (events.clone(), Cursor::default(), None);
        let draw = move |t: usize, frame: &mut [u8]| {
            let Some(now) = cursor.at(&shown, t, |e| e.onset_frame..e.offset_frame) else { return frame.fill(GREY) };
            let Event { onset_frame, shown: Shown::Gabor { temporal, .. }, .. } = shown[now] else { return };
            if drawn.as_ref().is_none_or(|(event, _)| *event != now) {
                drawn = Some((now, spec.carrier(&field, &shown[now].shown)));
            }
            if let Some((_, carrier)) = &drawn {
                let turns = temporal * (t - onset_frame) as f64 / spec.rate;
                frame.iter_mut().zip(carrier.at(turns)).for_each(|(p, v)| *p = about_grey(v));
            }
        };
        Ok(Film::new([self.frames, height, width], self.rate, events, draw))
    }

    /// Each Gabor's values are drawn by themselves, not in balanced blocks.
    fn events(&self, seed: u64) -> Vec<Event> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut timeline = Timeline::new(self.frames, self.rate);
        let mut events = Vec::new();
        while let Some(frames) = timeline.show(self.blank, self.seconds) {
            let x = rng.random::<f64>();
            let y = rng.random::<f64>() * self.height as f64 / self.width as f64;
            let shown = Shown::Gabor {
                x,
                y,
                direction: self.direction.draw(Even::Values, &mut rng),
                spatial: self.spatial.draw(Even::Octaves, &mut rng),
                temporal: self.temporal.draw(Even::Octaves, &mut rng),
                phase: self.phase.draw(Even::Values, &mut rng),
                contrast: self.contrast.draw(Even::Values, &mut rng),
            };
            events.push(Event::new(frames, self.rate, shown));
        }
        events
    }

    fn carrier(&self, field: &Field, shown: &Shown) -> Carrier {
        let mut carrier = Carrier::new(field.points.len());
        let Shown::Gabor { x, y, direction, spatial, phase, contrast, .. } = *shown else { return carrier };
        let origin = field.seen([x, y]);
        let sd = field.length(self.envelope);
        let weight = |i: usize| {
            let [px, py] = field.points[i];
            contrast * libm::exp(-((px - origin[0]).powi(2) + (py - origin[1]).powi(2)) / (2.0 * sd * sd))
        };
        carrier.add(&field.points, Stripes { origin, direction, frequency: field.frequency(spatial), phase }, weight);
        carrier
    }
}
