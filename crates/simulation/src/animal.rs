//! An animal: the shared filter bank, its own neurons, and what they would answer without noise.

use crate::filters::{Bank, Maps};
use crate::population::{Neuron, population};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// A simulated visual cortex.
#[derive(Clone, Debug)]
pub struct Cortex {
    /// Filters, the same in every animal.
    pub bank: Bank,
    /// Neurons, this animal's own.
    pub neurons: Vec<Neuron>,
}

/// Gaze and behaviour at one frame, as the cortex feels them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Moment {
    /// Gaze (right, down), radians.
    pub gaze: [f64; 2],
    /// Pupil and running, standardised.
    pub behavior: [f64; 2],
}

impl Cortex {
    /// An animal with `units` neurons, from a seed, watching frames of `height x width` at `rate` Hz.
    pub fn new(units: usize, height: usize, width: usize, rate: f64, seed: u64) -> Self {
        let bank = Bank::new(height, width, rate);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let neurons = population(&bank, units, height as f64 / width as f64, &mut rng);
        Self { bank, neurons }
    }

    /// Drive of a neuron at a frame, before noise: a rate in arbitrary units, 1 on average over natural scenes or so.
    pub fn rate(&self, neuron: &Neuron, maps: &Maps, t: usize, moment: &Moment) -> f64 {
        let place = neuron.place_at(moment.gaze);
        let drive: f64 = neuron.mix.iter().map(|(channel, weight)| weight * f64::from(maps.at(t, *channel, place))).sum();
        // behaviour is the pupil first, then running, as in recordings
        let gain = 1.0 + neuron.gain[1] * moment.behavior[0] + neuron.gain[0] * moment.behavior[1];
        0.05 + (drive - neuron.threshold).max(0.0).powf(neuron.power) * gain.max(0.1)
    }

    /// Noiseless rates [T, U] to a video's channel maps.
    pub fn rates(&self, maps: &Maps, moments: &[Moment]) -> Vec<Vec<f64>> {
        let frames = maps.frames().min(moments.len());
        (0..frames).map(|t| self.neurons.iter().map(|n| self.rate(n, maps, t, &moments[t])).collect()).collect()
    }
}
