//! Random dot kinematograms: dots of which some follow an optic flow and the others move anywhere (paper, Methods: translation, radial motion and
//! rotation, coherence 50 % or 100 %; number, speed and lifetime of dots are not published: our choice).

use crate::error::{Error, frames, within};
use crate::event::{Cursor, Event, Flow, Shown, Timeline};
use crate::film::Film;
use crate::monitor::{Monitor, check_length};
use crate::values::{Deck, Even, Values};
use crate::video::{GREY, about_grey};
use libm::{hypot, sincos};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;

/// Settings of random dot kinematograms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Kinematogram {
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
    /// How long each flow is shown, s.
    pub seconds: f64,
    /// Grey before each flow, s.
    pub blank: f64,
    /// Flows, shown in random order with each coherence.
    pub flows: Vec<Flow>,
    /// Shares of dots that follow the flow, 0 to 1.
    pub coherence: Values,
    /// Dots.
    pub dots: usize,
    /// Radius of a dot, units.
    pub radius: f64,
    /// Speed, units per second.
    pub speed: f64,
    /// How long a dot lives, s.
    pub lifetime: f64,
    /// Share of dots that are white; the others are black.
    pub white: f64,
}

impl Default for Kinematogram {
    /// A trial of the paper: five flows of 2 s.
    fn default() -> Self {
        use Flow::{Clockwise, Counterclockwise, Down, In, Left, Out, Right, Up};
        Self {
            height: 144,
            width: 256,
            rate: 30.0,
            frames: 300,
            monitor: Monitor::default(),
            seconds: 2.0,
            blank: 0.0,
            flows: vec![Right, Up, Left, Down, Out, In, Clockwise, Counterclockwise],
            coherence: Values::Each(vec![0.5, 1.0]),
            dots: 150,
            radius: 2.6,
            speed: 40.0,
            lifetime: 1.0,
            white: 0.5,
        }
    }
}

impl Kinematogram {
    /// Whether a video can be made with these settings.
    ///
    /// # Errors
    /// The setting that is out of range.
    pub fn check(&self) -> Result<(), Error> {
        const OF: &str = "kinematogram";
        frames(OF, [self.frames, self.height, self.width], self.rate)?;
        self.monitor.check(OF)?;
        within(OF, "seconds", self.seconds, [0.0, f64::MAX], "seconds, 0 or more")?;
        within(OF, "blank", self.blank, [0.0, f64::MAX], "seconds, 0 or more")?;
        within(OF, "flows", self.flows.len() as f64, [1.0, 100.0], "1 to 100 flows")?;
        self.coherence.check(OF, "coherence", [0.0, 1.0], Even::Values, "0 to 1")?;
        within(OF, "dots", self.dots as f64, [1.0, 100_000.0], "1 to 100000")?;
        check_length(OF, "radius", self.radius)?;
        within(OF, "speed", self.speed, [0.0, 1e6], "units per second, 0 or more")?;
        within(OF, "lifetime", self.lifetime, [0.0, 1e9], "seconds, 0 or more")?;
        within(OF, "white", self.white, [0.0, 1.0], "0 to 1")
    }

    /// Kinematograms from a seed. Each flow starts with new dots of random age.
    ///
    /// # Errors
    /// Those of [`Kinematogram::check`].
    pub fn film(&self, seed: u64) -> Result<Film, Error> {
        self.check()?;
        let shape @ [_, height, width] = [self.frames, self.height, self.width];
        let events = self.events(&mut ChaCha8Rng::seed_from_u64(seed));
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(1); // dots do not depend on how many events there are
        let (spec, shown, mut cursor) = (self.clone(), events.clone(), Cursor::default());
        let mut swarm = None;
        let draw = move |t: usize, frame: &mut [u8]| {
            frame.fill(GREY);
            let Some(now) = cursor.at(&shown, t, |e| e.onset_frame..e.offset_frame) else { return };
            let Shown::Flow { flow, coherence, .. } = shown[now].shown else { return };
            match &mut swarm {
                Some((event, swarm)) if *event == now => Swarm::advance(swarm, &mut rng),
                _ => swarm = Some((now, Swarm::new(&spec, flow, coherence, &mut rng))),
            }
            if let Some((_, swarm)) = &swarm {
                swarm.paint(frame, [height, width]);
            }
        };
        Ok(Film::new(shape, self.rate, events, draw))
    }

    fn events(&self, rng: &mut ChaCha8Rng) -> Vec<Event> {
        let mut deck = Deck::new(self.flows.len() * self.coherence.count());
        let mut timeline = Timeline::new(self.frames, self.rate);
        let mut events = Vec::new();
        while let Some(frames) = timeline.show(self.blank, self.seconds) {
            let condition = deck.draw(rng);
            let flow = self.flows[condition / self.coherence.count()];
            let coherence = self.coherence.at(condition % self.coherence.count(), Even::Values, rng);
            events.push(Event::new(frames, self.rate, Shown::Flow { condition, flow, direction: flow.direction(), coherence }));
        }
        events
    }
}

impl Flow {
    /// Direction of a translation, degrees: 0 right, 90 up.
    pub fn direction(self) -> Option<f64> {
        match self {
            Self::Right => Some(0.0),
            Self::Up => Some(90.0),
            Self::Left => Some(180.0),
            Self::Down => Some(270.0),
            _ => None,
        }
    }

    /// Direction of flow at (x, y) from the middle, x right and y down, as a unit vector.
    fn at(self, [x, y]: [f64; 2]) -> [f64; 2] {
        let r = hypot(x, y);
        let [x, y] = if r > 0.0 { [x / r, y / r] } else { [1.0, 0.0] };
        match self {
            Self::Right => [1.0, 0.0],
            Self::Up => [0.0, -1.0],
            Self::Left => [-1.0, 0.0],
            Self::Down => [0.0, 1.0],
            Self::Out => [x, y],
            Self::In => [-x, -y],
            Self::Clockwise => [-y, x],
            Self::Counterclockwise => [y, -x],
        }
    }
}

/// Dots on their way, in monitor widths.
struct Swarm {
    flow: Flow,
    coherence: f64,
    /// Monitor widths: the field is 1 wide and this high.
    height: f64,
    radius: f64,
    /// Monitor widths per frame.
    step: f64,
    /// Frames.
    lifetime: usize,
    dots: Vec<Dot>,
}

#[derive(Clone, Copy)]
struct Dot {
    place: [f64; 2],
    /// Its own direction; none where it follows the flow.
    noise: Option<[f64; 2]>,
    polarity: f64,
    left: usize,
}

impl Swarm {
    fn new(spec: &Kinematogram, flow: Flow, coherence: f64, rng: &mut ChaCha8Rng) -> Self {
        let mut swarm = Self {
            flow,
            coherence,
            height: spec.height as f64 / spec.width as f64,
            radius: spec.monitor.length(spec.radius),
            step: spec.speed * spec.monitor.scale() / spec.rate,
            lifetime: ((spec.lifetime * spec.rate).round() as usize).max(1),
            dots: Vec::new(),
        };
        let white = (spec.white * spec.dots as f64).round() as usize;
        for k in 0..spec.dots {
            let mut dot = swarm.born(if k < white { 1.0 } else { -1.0 }, rng);
            dot.left = rng.random_range(1..=swarm.lifetime);
            swarm.dots.push(dot);
        }
        // neither colour always in front
        for k in (1..spec.dots).rev() {
            swarm.dots.swap(k, rng.random_range(0..=k));
        }
        swarm
    }

    /// A dot anywhere, that follows the flow or its own direction.
    fn born(&self, polarity: f64, rng: &mut ChaCha8Rng) -> Dot {
        let place = [rng.random::<f64>(), rng.random::<f64>() * self.height];
        let signal = rng.random::<f64>() < self.coherence;
        let (s, c) = sincos(TAU * rng.random::<f64>());
        Dot { place, noise: (!signal).then_some([c, s]), polarity, left: self.lifetime }
    }

    /// Moves every dot by a frame; those that are too old, have left the monitor, or arrive in the middle of inward flow are born anew.
    fn advance(&mut self, rng: &mut ChaCha8Rng) {
        for k in 0..self.dots.len() {
            let Dot { place: [x, y], noise, polarity, left } = self.dots[k];
            let middle = [x - 0.5, y - 0.5 * self.height];
            let [dx, dy] = noise.unwrap_or_else(|| self.flow.at(middle));
            let arrives = self.flow == Flow::In && noise.is_none() && hypot(middle[0], middle[1]) < self.step;
            let [x, y] = [x + self.step * dx, y + self.step * dy];
            let stays = left > 1 && !arrives && (0.0..=1.0).contains(&x) && (0.0..=self.height).contains(&y);
            self.dots[k] = if stays { Dot { place: [x, y], noise, polarity, left: left - 1 } } else { self.born(polarity, rng) };
        }
    }

    /// Paints discs with smooth edges, later dots over earlier ones.
    fn paint(&self, frame: &mut [u8], [height, width]: [usize; 2]) {
        let (w, radius) = (width as f64, self.radius * width as f64);
        let span = |middle: f64, most: usize| ((middle - radius - 1.0).max(0.0) as usize)..((middle + radius + 2.0).max(0.0) as usize).min(most);
        for dot in &self.dots {
            let [x, y] = dot.place.map(|v| v * w - 0.5);
            for row in span(y, height) {
                for column in span(x, width) {
                    let cover = (radius + 0.5 - hypot(column as f64 - x, row as f64 - y)).clamp(0.0, 1.0);
                    let pixel = &mut frame[row * width + column];
                    let under = (f64::from(*pixel) - 128.0) / 127.0;
                    *pixel = about_grey(under + cover * (dot.polarity - under));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Displacements of dots that live on, as (place, move).
    fn moves(flow: Flow, coherence: f64) -> Vec<([f64; 2], [f64; 2])> {
        let spec = Kinematogram { dots: 2000, ..Kinematogram::default() };
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut swarm = Swarm::new(&spec, flow, coherence, &mut rng);
        let mut moves = Vec::new();
        for _ in 0..10 {
            let before = swarm.dots.clone();
            swarm.advance(&mut rng);
            let lived = before.iter().zip(&swarm.dots).filter(|(a, b)| b.left + 1 == a.left);
            moves.extend(lived.map(|(a, b)| (a.place, [b.place[0] - a.place[0], b.place[1] - a.place[1]])));
        }
        moves
    }

    #[test]
    fn coherence_is_the_share_of_dots_that_follow_the_flow() {
        let step = 40.0 * Monitor::default().scale() / 30.0;
        for coherence in [0.0, 0.5, 1.0] {
            let moves = moves(Flow::Up, coherence);
            let up = moves.iter().filter(|(_, [dx, dy])| dx.abs() < 1e-9 && (dy + step).abs() < 1e-9).count();
            let share = up as f64 / moves.len() as f64;
            assert!((share - coherence).abs() < 0.03, "{share} of the dots follow, not {coherence}");
            assert!(moves.iter().all(|(_, [dx, dy])| (hypot(*dx, *dy) - step).abs() < 1e-9), "all are as fast");
        }
    }

    #[test]
    fn flows_go_where_they_say() {
        let middle = [0.5, 0.28125];
        for (flow, radial, turning) in
            [(Flow::Out, 1.0, 0.0), (Flow::In, -1.0, 0.0), (Flow::Clockwise, 0.0, 1.0), (Flow::Counterclockwise, 0.0, -1.0)]
        {
            for ([x, y], [dx, dy]) in moves(flow, 1.0) {
                let ([rx, ry], speed) = ([x - middle[0], y - middle[1]], hypot(dx, dy));
                let r = hypot(rx, ry);
                assert!(((rx * dx + ry * dy) / (r * speed) - radial).abs() < 1e-6, "{flow:?}");
                // y runs down: from right to down is clockwise
                assert!(((rx * dy - ry * dx) / (r * speed) - turning).abs() < 1e-6, "{flow:?}");
            }
        }
    }

    #[test]
    fn dots_live_as_long_as_they_should() {
        let spec = Kinematogram { speed: 0.0, ..Kinematogram::default() };
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let mut swarm = Swarm::new(&spec, Flow::Right, 1.0, &mut rng);
        let mut moved = 0;
        for _ in 0..60 {
            let before = swarm.dots.clone();
            swarm.advance(&mut rng);
            moved += before.iter().zip(&swarm.dots).filter(|(a, b)| a.place != b.place).count();
        }
        assert_eq!(moved, 2 * spec.dots, "each twice in twice a lifetime");
        assert_eq!(swarm.dots.iter().filter(|d| d.polarity > 0.0).count(), 75);
    }
}
