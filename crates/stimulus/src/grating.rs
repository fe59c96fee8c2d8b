//! Sinusoidal gratings, drifting or still: one, or many one after the other, in a window or over the whole monitor, alone, as plaids, or with a
//! surround.

use crate::carrier::{Carrier, Stripes};
use crate::error::{Error, frames, within};
use crate::event::{Cursor, Event, Shown, Timeline};
use crate::film::Film;
use crate::monitor::{Field, LARGEST, Monitor, Unit, check_position, check_spherical};
use crate::values::{Deck, Even, Values};
use crate::video::{GREY, Video, pixel};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// Settings of a drifting grating over whole frames, whatever they are shown on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Grating {
    /// H, pixels.
    pub height: usize,
    /// W, pixels.
    pub width: usize,
    /// Frames per second, Hz.
    pub rate: f64,
    /// T.
    pub frames: usize,
    /// Direction of motion, degrees: 0 right, 90 up. The stripes are at right angles to it.
    pub direction: f64,
    /// Cycles per frame width.
    pub spatial: f64,
    /// Cycles per second, Hz.
    pub temporal: f64,
    /// Phase at the start, cycles.
    pub phase: f64,
    /// Michelson contrast, 0 to 1.
    pub contrast: f64,
}

impl Default for Grating {
    fn default() -> Self {
        Self { height: 36, width: 64, rate: 30.0, frames: 60, direction: 0.0, spatial: 6.0, temporal: 2.0, phase: 0.0, contrast: 1.0 }
    }
}

impl Grating {
    /// Whether a video can be made with these settings.
    ///
    /// # Errors
    /// The setting that is out of range.
    pub fn check(&self) -> Result<(), Error> {
        const OF: &str = "grating";
        frames(OF, [self.frames, self.height, self.width], self.rate)?;
        for (field, value) in [("direction", self.direction), ("temporal", self.temporal), ("phase", self.phase)] {
            within(OF, field, value, [-1e6, 1e6], "a finite number")?;
        }
        within(OF, "spatial", self.spatial, [0.0, 1e6], "cycles per frame width, 0 or more")?;
        within(OF, "contrast", self.contrast, [0.0, 1.0], "0 to 1")
    }
}

/// A drifting grating. Settings that [`Grating::check`] refuses give frames without meaning.
pub fn grating(spec: &Grating) -> Video {
    let shape @ [frames, height, width] = [spec.frames, spec.height, spec.width];
    let points = Field::new([height, width], &Monitor { unit: Unit::Width, ..Monitor::default() }, false).points;
    let mut carrier = Carrier::new(points.len());
    let origin = points.first().copied().unwrap_or_default();
    let stripes = Stripes { origin, direction: spec.direction, frequency: spec.spatial, phase: spec.phase };
    carrier.add(&points, stripes, |_| spec.contrast);
    let mut pixels = Vec::with_capacity(frames * height * width);
    for t in 0..frames {
        pixels.extend(carrier.at(spec.temporal * t as f64 / spec.rate).map(|v| pixel(v as f32)));
    }
    Video::drawn(pixels, shape, spec.rate)
}

/// Settings of gratings one after the other: all combinations of the listed values in random order, each once before any comes again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Gratings {
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
    /// Keep spatial frequency and size constant over the visual field instead of over the flat monitor.
    pub spherical: bool,
    /// How long each grating is shown, s.
    pub seconds: f64,
    /// Grey before each grating, s.
    pub blank: f64,
    /// Directions of motion, degrees: 0 right, 90 up.
    pub direction: Values,
    /// Spatial frequencies, cycles per unit; a range is drawn evenly over octaves.
    pub spatial: Values,
    /// Temporal frequencies, Hz, 0 for still gratings; a range is drawn evenly over octaves.
    pub temporal: Values,
    /// Phases at the onset, cycles, at the middle of the window, or of the upper left pixel where there is none.
    pub phase: Values,
    /// Michelson contrasts, 0 to 1.
    pub contrast: Values,
    /// Diameters of the window, units; left out, the grating fills the monitor.
    pub size: Option<Values>,
    /// Width of the window's smooth (raised-cosine) edge, units.
    pub edge: f64,
    /// Middle of the window, monitor widths from the left and upper edge; left out, the middle of the monitor.
    pub position: Option<[f64; 2]>,
    /// Angle from the grating to a second one of the same frequencies, degrees; both have half the contrast. Left out, there is one.
    pub plaid: Option<f64>,
    /// A grating around the window; left out, grey.
    pub surround: Option<Surround>,
}

/// A grating around the window, of the same frequencies and phase.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Surround {
    /// Angle from the centre's direction to the surround's, degrees.
    pub turn: f64,
    /// Michelson contrast, 0 to 1.
    pub contrast: f64,
    /// Grey between centre and surround, units.
    pub gap: f64,
    /// Outer diameter, units; left out, the surround fills the monitor.
    pub size: Option<f64>,
}

impl Default for Surround {
    fn default() -> Self {
        Self { turn: 90.0, contrast: 1.0, gap: 0.0, size: None }
    }
}

impl Default for Gratings {
    /// Sixteen directions of .04 cycles per degree and 2 Hz for 2 s, 1 s of grey before each (our choice).
    fn default() -> Self {
        Self {
            height: 144,
            width: 256,
            rate: 30.0,
            frames: 1440,
            monitor: Monitor::default(),
            spherical: false,
            seconds: 2.0,
            blank: 1.0,
            direction: Values::directions(16),
            spatial: Values::One(0.04),
            temporal: Values::One(2.0),
            phase: Values::One(0.0),
            contrast: Values::One(1.0),
            size: None,
            edge: 0.0,
            position: None,
            plaid: None,
            surround: None,
        }
    }
}

impl Gratings {
    /// Whether a video can be made with these settings.
    ///
    /// # Errors
    /// The setting that is out of range.
    pub fn check(&self) -> Result<(), Error> {
        const OF: &str = "gratings";
        const FINITE: [f64; 2] = [-1e6, 1e6];
        frames(OF, [self.frames, self.height, self.width], self.rate)?;
        self.monitor.check(OF)?;
        check_spherical(OF, self.spherical, &self.monitor)?;
        within(OF, "seconds", self.seconds, [0.0, f64::MAX], "seconds, 0 or more")?;
        within(OF, "blank", self.blank, [0.0, f64::MAX], "seconds, 0 or more")?;
        self.direction.check(OF, "direction", FINITE, Even::Values, "a finite number of degrees")?;
        self.spatial.check(OF, "spatial", [0.0, 1e6], Even::Octaves, "a spatial frequency, 0 or more")?;
        self.temporal.check(OF, "temporal", [0.0, 1e6], Even::Octaves, "a temporal frequency, 0 Hz or more; to run backwards turn the direction")?;
        self.phase.check(OF, "phase", FINITE, Even::Values, "a finite number of cycles")?;
        self.contrast.check(OF, "contrast", [0.0, 1.0], Even::Values, "0 to 1")?;
        if let Some(size) = &self.size {
            size.check(OF, "size", [1e-6, 2.0 * LARGEST], Even::Values, "a diameter above 0, and at most 160 (degrees)")?;
        }
        let conditions = self.values().iter().try_fold(1usize, |n, v| n.checked_mul(v.count())).unwrap_or(usize::MAX);
        within(OF, "the number of combinations", conditions as f64, [1.0, 1e6], "at most a million of all listed values")?;
        within(OF, "edge", self.edge, [0.0, LARGEST], "0 to 80 (degrees)")?;
        check_position(OF, "position", self.position.unwrap_or_default())?;
        if let Some(angle) = self.plaid {
            within(OF, "plaid", angle, FINITE, "a finite number of degrees")?;
        }
        let Some(surround) = &self.surround else { return Ok(()) };
        if self.size.is_none() {
            return Err(Error::Setting { of: OF, field: "size", expected: "given where there is a surround", got: "none".into() });
        }
        within(OF, "surround.turn", surround.turn, FINITE, "a finite number of degrees")?;
        within(OF, "surround.contrast", surround.contrast, [0.0, 1.0], "0 to 1")?;
        within(OF, "surround.gap", surround.gap, [0.0, LARGEST], "0 to 80 (degrees)")?;
        within(OF, "surround.size", surround.size.unwrap_or(1.0), [1e-6, 2.0 * LARGEST], "a diameter above 0, and at most 160 (degrees)")
    }

    /// Gratings from a seed.
    ///
    /// # Errors
    /// Those of [`Gratings::check`].
    pub fn film(&self, seed: u64) -> Result<Film, Error> {
        self.check()?;
        let [height, width] = [self.height, self.width];
        let (spec, events) = (self.clone(), self.events(seed));
        let field = Field::new([height, width], &self.monitor, self.spherical);
        let (shown, mut cursor, mut drawn) = (events.clone(), Cursor::default(), None);
        let draw = move |t: usize, frame: &mut [u8]| {
            let Some(now) = cursor.at(&shown, t, |e| e.onset_frame..e.offset_frame) else { return frame.fill(GREY) };
            let Event { onset_frame, shown: Shown::Grating { temporal, .. }, .. } = shown[now] else { return };
            if drawn.as_ref().is_none_or(|(event, _)| *event != now) {
                drawn = Some((now, spec.carrier(&field, &shown[now].shown)));
            }
            if let Some((_, carrier)) = &drawn {
                let turns = temporal * (t - onset_frame) as f64 / spec.rate;
                frame.iter_mut().zip(carrier.at(turns)).for_each(|(p, v)| *p = pixel(v as f32));
            }
        };
        Ok(Film::new([self.frames, height, width], self.rate, events, draw))
    }

    /// What is combined, in the order it is drawn in.
    fn values(&self) -> [&Values; 6] {
        const NONE: &Values = &Values::One(0.0);
        [&self.spatial, &self.temporal, &self.direction, &self.phase, &self.contrast, self.size.as_ref().unwrap_or(NONE)]
    }

    fn events(&self, seed: u64) -> Vec<Event> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let values = self.values();
        let even = [Even::Octaves, Even::Octaves, Even::Values, Even::Values, Even::Values, Even::Values];
        let mut deck = Deck::new(values.iter().map(|v| v.count()).product());
        let mut timeline = Timeline::new(self.frames, self.rate);
        let mut events = Vec::new();
        while let Some(frames) = timeline.show(self.blank, self.seconds) {
            let condition = deck.draw(&mut rng);
            let mut rest = condition;
            let [spatial, temporal, direction, phase, contrast, size] = std::array::from_fn(|k| {
                let place = rest % values[k].count();
                rest /= values[k].count();
                values[k].at(place, even[k], &mut rng)
            });
            let size = self.size.is_some().then_some(size);
            events.push(Event::new(frames, self.rate, Shown::Grating { condition, direction, spatial, temporal, phase, contrast, size }));
        }
        events
    }

    /// The grating of an event, with its plaid, window and surround.
    fn carrier(&self, field: &Field, shown: &Shown) -> Carrier {
        let mut carrier = Carrier::new(field.points.len());
        let Shown::Grating { direction, spatial, phase, contrast, size, .. } = *shown else { return carrier };
        let middle = field.seen(self.position.unwrap_or([0.5, 0.5 * self.height as f64 / self.width as f64]));
        let origin = if size.is_some() { middle } else { field.points.first().copied().unwrap_or_default() };
        let frequency = field.frequency(spatial);
        let mut add = |direction: f64, contrast: f64, inner: Option<f64>, outer: Option<f64>| {
            let weight = |i: usize| {
                let [x, y] = field.points[i];
                let radius = libm::hypot(x - middle[0], y - middle[1]);
                let within = |diameter: Option<f64>, none: f64| diameter.map_or(none, |d| self.inside(field, radius, d));
                contrast * within(outer, 1.0) * (1.0 - within(inner, 0.0))
            };
            match self.plaid {
                None => carrier.add(&field.points, Stripes { origin, direction, frequency, phase }, weight),
                Some(angle) => [direction, direction + angle].into_iter().for_each(|direction| {
                    carrier.add(&field.points, Stripes { origin, direction, frequency, phase }, |i| 0.5 * weight(i));
                }),
            }
        };
        add(direction, contrast, None, size);
        if let (Some(surround), Some(size)) = (&self.surround, size) {
            add(direction + surround.turn, surround.contrast, Some((size + 2.0 * surround.gap).min(2.0 * LARGEST)), surround.size);
        }
        carrier
    }

    /// How much of a point at `radius` from the middle is in a window: 1 inside, 0 outside, a raised cosine over the edge.
    fn inside(&self, field: &Field, radius: f64, diameter: f64) -> f64 {
        let (limit, edge) = (field.length(0.5 * diameter), field.length(self.edge));
        match (radius - limit) / edge {
            d if d.is_nan() || d <= -0.5 => 1.0,
            d if d >= 0.5 => 0.0,
            d => 0.5 - 0.5 * libm::sin(std::f64::consts::PI * d),
        }
    }
}

/// Gratings from a seed, in memory.
///
/// # Errors
/// Those of [`Gratings::check`].
pub fn gratings(spec: &Gratings, seed: u64) -> Result<Video, Error> {
    Ok(spec.film(seed)?.video())
}
