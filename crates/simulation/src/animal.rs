//! An animal: the shared filter bank, its own neurons, and what they would answer without noise.

use crate::behavior::felt;
use crate::config::SimulateConfig;
use crate::error::Error;
use crate::filters::{Bank, Seen, reference_scenes};
use crate::population::{Neuron, population};
use ndarray::Array2;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use striate_stimulus::Video;

/// A simulated visual cortex.
#[derive(Clone, Debug)]
pub struct Cortex {
    /// Filters, the same in every animal.
    pub bank: Bank,
    /// Neurons, this animal's own.
    pub neurons: Vec<Neuron>,
}

/// Share of the mean rate that a neuron fires whatever it is shown.
const SPONTANEOUS: f64 = 0.05;

impl Cortex {
    /// The animal a simulation describes: its seed, units, areas, size and rate of frames, and mean spike rate count.
    ///
    /// # Errors
    /// A setting is out of range.
    pub fn new(config: &SimulateConfig) -> Result<Self, Error> {
        config.check()?;
        let bank = Bank::new(config.height, config.width, config.rate);
        let mut rng = ChaCha8Rng::seed_from_u64(config.seed_of("animal", 0));
        let aspect = config.height as f64 / config.width as f64;
        let neurons = population(&bank, config.units, &config.areas()?, aspect, &mut rng);
        let mut cortex = Self { bank, neurons };
        cortex.calibrate(config)?;
        Ok(cortex)
    }

    /// Finds thresholds and scales that give every neuron its share of silence and its mean rate over reference scenes.
    fn calibrate(&mut self, config: &SimulateConfig) -> Result<(), Error> {
        let scenes = reference_scenes(config.height, config.width, config.rate);
        let seen = scenes.iter().map(|v| self.bank.see(v, &vec![[0.0; 2]; v.shape()[0]])).collect::<Result<Vec<_>, _>>()?;
        let fitted: Vec<(f64, f64)> = self
            .neurons
            .par_iter()
            .map(|neuron| {
                let mut drives: Vec<f64> = seen.iter().flat_map(|s| self.drive(neuron, s)).collect();
                drives.sort_by(f64::total_cmp);
                let threshold = drives[(neuron.silent * drives.len() as f64) as usize];
                let mean = drives.iter().map(|d| (d - threshold).max(0.0).powf(neuron.power)).sum::<f64>() / drives.len() as f64;
                (threshold, config.spike_rate * neuron.firing * (1.0 - SPONTANEOUS) / mean.max(1e-9))
            })
            .collect();
        for (neuron, (threshold, scale)) in self.neurons.iter_mut().zip(fitted) {
            (neuron.threshold, neuron.scale) = (threshold, scale);
            neuron.firing *= config.spike_rate;
        }
        Ok(())
    }

    /// Weighted sum of a neuron's channels at its place, at each frame.
    fn drive(&self, neuron: &Neuron, seen: &Seen) -> Vec<f64> {
        let mut drive = Vec::new();
        for (channel, weight) in &neuron.mix {
            let values = self.bank.respond(seen, *channel, neuron.place);
            drive.resize(values.len(), 0.0);
            drive.iter_mut().zip(values).for_each(|(d, v)| *d += weight * f64::from(v));
        }
        drive
    }

    /// Noiseless rates [T, U], spikes per second, to a video [T, H, W, C] seen with `gaze` (right, down; radians) and felt with
    /// `behavior` (pupil radius and running speed as [`crate::behavior::behavior`] makes them), both one for each frame.
    ///
    /// # Errors
    /// Sizes or lengths do not fit, or a value is not finite.
    pub fn rates(&self, video: &Video, gaze: &[[f64; 2]], behavior: &[[f64; 2]]) -> Result<Array2<f64>, Error> {
        if behavior.len() != gaze.len() {
            let expected = format!("{}, one for each frame", gaze.len());
            return Err(Error::Input { what: "the number of behaviour samples", expected, got: behavior.len().to_string() });
        }
        if let Some(t) = behavior.iter().position(|b| b.iter().any(|v| !v.is_finite())) {
            return Err(Error::Input { what: "behaviour", expected: "finite".into(), got: format!("{:?} at frame {t}", behavior[t]) });
        }
        let seen = self.bank.see(video, gaze)?;
        let of_unit = |neuron: &Neuron| -> Vec<f64> {
            let drive = self.drive(neuron, &seen);
            drive.iter().zip(behavior).map(|(d, b)| neuron.rate(*d, *b)).collect()
        };
        let units: Vec<Vec<f64>> = self.neurons.par_iter().map(of_unit).collect();
        Ok(Array2::from_shape_fn((gaze.len(), units.len()), |(t, u)| units[u][t]))
    }
}

impl Neuron {
    /// Spikes per second at a drive and behaviour (pupil radius, running speed).
    pub fn rate(&self, drive: f64, behavior: [f64; 2]) -> f64 {
        let felt = felt(behavior);
        let gain = (1.0 + self.gain[0] * felt[0] + self.gain[1] * felt[1]).max(0.1);
        SPONTANEOUS * self.firing + self.scale * (drive - self.threshold).max(0.0).powf(self.power) * gain
    }
}
