//! "Trippy": the cosine of smooth random phase that drifts at one temporal frequency, so that stripes of all directions wander about (shown in the
//! MICrONS recordings; after the public description of the laboratory's stimulus. Its random numbers are ours).

use crate::error::{Error, frames, within};
use crate::event::Event;
use crate::film::Film;
use libm::{cos, exp, sqrt};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::f64::consts::{PI, TAU};

/// Settings of Trippy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Trippy {
    /// H, pixels.
    pub height: usize,
    /// W, pixels.
    pub width: usize,
    /// Frames per second, Hz.
    pub rate: f64,
    /// T.
    pub frames: usize,
    /// Rows and columns of the laboratory's texture, in whose samples `up` counts; frames show the same place at their own resolution.
    pub texture: [usize; 2],
    /// Rows and columns of nodes, where random phases are drawn.
    pub nodes: [usize; 2],
    /// Samples of the texture from node to node.
    pub up: usize,
    /// Temporal frequency, Hz.
    pub temporal: f64,
    /// Length of the smoothing of phase in time, s.
    pub smooth: f64,
    /// Spatial frequency, cycles per degree: phases are drawn from as wide a range as makes it.
    pub spatial: f64,
    /// Height of the monitor, degrees.
    pub monitor_height: f64,
}

impl Default for Trippy {
    /// The documented example: 61 frames of smoothing at 60 Hz.
    fn default() -> Self {
        Self {
            height: 144,
            width: 256,
            rate: 30.0,
            frames: 900,
            texture: [90, 160],
            nodes: [6, 8],
            up: 24,
            temporal: 2.5,
            smooth: 61.0 / 60.0,
            spatial: 0.06,
            monitor_height: 85.0,
        }
    }
}

impl Trippy {
    /// Whether a video can be made with these settings.
    ///
    /// # Errors
    /// The setting that is out of range.
    pub fn check(&self) -> Result<(), Error> {
        const OF: &str = "trippy";
        frames(OF, [self.frames, self.height, self.width], self.rate)?;
        within(OF, "up", self.up as f64, [1.0, 1000.0], "1 to 1000")?;
        for k in 0..2 {
            within(OF, "nodes", self.nodes[k] as f64, [2.0, 200.0], "rows and columns, 2 to 200")?;
            let most = (self.nodes[k] * self.up) as f64;
            within(OF, "texture", self.texture[k] as f64, [1.0, most], "rows and columns, 1 to nodes x up")?;
        }
        within(OF, "temporal", self.temporal, [-1e6, 1e6], "a finite number")?;
        within(OF, "smooth", self.smooth, [1.0 / self.rate, 3600.0], "a frame to 3600 s")?;
        within(OF, "smooth", self.smooth * self.rate, [1.0, 100_000.0], "at most 100000 frames")?;
        within(OF, "spatial", self.spatial, [0.0, 1e6], "cycles per degree, 0 or more")?;
        within(OF, "monitor_height", self.monitor_height, [1e-3, 360.0], "degrees, above 0")
    }

    /// Trippy from a seed.
    ///
    /// # Errors
    /// Those of [`Trippy::check`].
    pub fn film(&self, seed: u64) -> Result<Film, Error> {
        self.check()?;
        let shape @ [frames, height, width] = [self.frames, self.height, self.width];
        let mut nodes = Nodes::new(self, seed);
        let [down, across] = [self.weights(0, height), self.weights(1, width)];
        let (spec, mut rows) = (self.clone(), vec![0.0; self.nodes[0] * width]);
        let draw = move |t: usize, frame: &mut [u8]| {
            let drift = spec.temporal * (t + 1) as f64 / spec.rate;
            let phase = nodes.next();
            for (i, value) in rows.iter_mut().enumerate() {
                let line = &phase[i / width * spec.nodes[1]..][..spec.nodes[1]];
                *value = line.iter().zip(&across[i % width]).map(|(p, w)| p * w).sum();
            }
            for (i, pixel) in frame.iter_mut().enumerate() {
                let phase: f64 = down[i / width].iter().enumerate().map(|(k, w)| w * rows[k * width + i % width]).sum();
                *pixel = ((cos(TAU * (phase + drift)) + 1.0) / 2.0 * 253.0 + 1.0).round() as u8;
            }
        };
        Ok(Film::new(shape, self.rate, Event::continuous(frames, self.rate), draw))
    }

    /// How much each node counts at each of `pixels` along an axis: a Gaussian about the node, around the circle of nodes.
    fn weights(&self, axis: usize, pixels: usize) -> Vec<Vec<f64>> {
        let (up, length) = (self.up as f64, (self.nodes[axis] * self.up) as f64);
        let sd = (length - 1.0) * up / (2.0 * sqrt(0.5) * length);
        let gaussian = |d: f64| exp(-0.5 * (d / sd).powi(2));
        let sum: f64 = (0..self.nodes[axis] * self.up).map(|k| gaussian(k as f64 - (length - 1.0) / 2.0)).sum();
        let weight = |at: f64, node: usize| {
            let d = (at - (node as f64 * up + (up / 2.0).round())).rem_euclid(length);
            up / sum * gaussian(d.min(length - d))
        };
        let at = |i: usize| (i as f64 + 0.5) * self.texture[axis] as f64 / pixels as f64 - 0.5;
        (0..pixels).map(|i| (0..self.nodes[axis]).map(|node| weight(at(i), node)).collect()).collect()
    }
}

/// Phases at the nodes, smooth in time: drawn every so many frames, what is between comes from a Hann window.
struct Nodes {
    rng: ChaCha8Rng,
    count: usize,
    /// Width of the range that phases are drawn from, cycles.
    scale: f64,
    window: Vec<f64>,
    every: usize,
    /// Draws that still count, each with its frame in the sequence with zeros.
    drawn: VecDeque<(usize, Vec<f64>)>,
    next_draw: usize,
    t: usize,
}

impl Nodes {
    fn new(spec: &Trippy, seed: u64) -> Self {
        let length = (spec.smooth * spec.rate).round().max(1.0) as usize;
        let every = length.div_ceil(4);
        let hann: Vec<f64> = (1..=length).map(|j| 0.5 * (1.0 - cos(2.0 * PI * j as f64 / (length + 1) as f64))).collect();
        let sum: f64 = hann.iter().sum();
        let window = hann.iter().map(|h| h * every as f64 / sum).collect();
        let scale = 8.0 * spec.up as f64 * spec.spatial * spec.monitor_height / spec.texture[0] as f64;
        let (rng, count) = (ChaCha8Rng::seed_from_u64(seed), spec.nodes[0] * spec.nodes[1]);
        Self { rng, count, scale, window, every, drawn: VecDeque::new(), next_draw: 0, t: 0 }
    }

    fn next(&mut self) -> Vec<f64> {
        let newest = self.t + self.window.len() - 1;
        while self.next_draw <= newest {
            let phases = (0..self.count).map(|_| self.scale * self.rng.random::<f64>()).collect();
            self.drawn.push_back((self.next_draw, phases));
            self.next_draw += self.every;
        }
        while self.drawn.front().is_some_and(|(at, _)| *at < self.t) {
            self.drawn.pop_front();
        }
        let mut phase = vec![0.0; self.count];
        for (at, phases) in &self.drawn {
            let weight = self.window[newest - at];
            phase.iter_mut().zip(phases).for_each(|(sum, p)| *sum += weight * p);
        }
        self.t += 1;
        phase
    }
}
