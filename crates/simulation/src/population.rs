//! Neurons: which channels each mixes, where it looks, how behaviour changes its gain, and how much it fires.

use crate::filters::{Bank, Channel, Kind, SPATIAL};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

/// A visual area, and what its neurons are like. The differences are our choice, so large that areas can be told apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Area {
    /// Name.
    pub name: &'static str,
    /// How likely its neurons are simple, complex, direction-selective and centre-surround.
    pub kinds: [f64; 4],
    /// How likely they prefer each spatial frequency of the bank.
    pub spatial: [f64; SPATIAL.len()],
}

/// Areas that can be simulated: primary visual cortex, lateromedial, anterolateral and rostrolateral.
pub const AREAS: [Area; 4] = [
    Area { name: "V1", kinds: [0.4, 0.25, 0.15, 0.2], spatial: [0.3, 0.4, 0.3] },
    Area { name: "LM", kinds: [0.2, 0.5, 0.15, 0.15], spatial: [0.15, 0.35, 0.5] },
    Area { name: "AL", kinds: [0.1, 0.25, 0.6, 0.05], spatial: [0.6, 0.3, 0.1] },
    Area { name: "RL", kinds: [0.1, 0.2, 0.4, 0.3], spatial: [0.5, 0.3, 0.2] },
];

/// One simulated neuron, known in full.
#[derive(Clone, Debug, PartialEq)]
pub struct Neuron {
    /// Visual area.
    pub area: &'static str,
    /// Kind of its strongest channel.
    pub kind: Kind,
    /// Channel and weight; the first is the strongest.
    pub mix: Vec<(usize, f64)>,
    /// Receptive-field centre on the retina, and on the monitor with gaze straight ahead; monitor widths from its middle
    /// (right, down).
    pub place: [f64; 2],
    /// Share of its drives over reference scenes below which it is silent.
    pub silent: f64,
    /// Drive below which it is silent, from that share.
    pub threshold: f64,
    /// Exponent of the output.
    pub power: f64,
    /// Gain of pupil size and of running, per standard deviation.
    pub gain: [f64; 2],
    /// Mean firing rate in units of the population's.
    pub firing: f64,
    /// Spikes per second and unit of drive, so that the mean is that over reference scenes.
    pub scale: f64,
    /// Place in cortex, um: medial to lateral, posterior to anterior, depth.
    pub soma: [f64; 3],
}

/// Draws `units` neurons, areas in turn. `aspect` is the monitor's height over its width.
pub fn population(bank: &Bank, units: usize, areas: &[Area], aspect: f64, rng: &mut ChaCha8Rng) -> Vec<Neuron> {
    (0..units).map(|i| neuron(bank, areas[i % areas.len()], i % areas.len(), aspect, rng)).collect()
}

fn neuron(bank: &Bank, area: Area, index: usize, aspect: f64, rng: &mut ChaCha8Rng) -> Neuron {
    let kind = Kind::ALL[pick(&area.kinds, rng)];
    let spatial = SPATIAL[pick(&area.spatial, rng)];
    let all = bank.channels();
    let of_kind = |c: &Channel| c.kind == kind && (kind == Kind::CentreSurround || c.spatial == spatial);
    let first = choose(&(0..all.len()).filter(|c| of_kind(&all[*c])).collect::<Vec<_>>(), rng);
    // weaker channels: others of the same orientation, centre-surround, or inhibition across it. None turns the preference.
    let preferred = all[first];
    let mut mix = vec![(first, 1.0)];
    for _ in 0..rng.random_range(0..3) {
        let sign = if rng.random::<f64>() < 0.35 { -1.0 } else { 1.0 };
        let apart = if sign < 0.0 && rng.random::<bool>() { 90.0 } else { 0.0 };
        let fits = |c: &Channel| match (preferred.kind, c.kind) {
            (_, Kind::CentreSurround) => true,
            (Kind::CentreSurround, _) => false,
            // motion the other way may take from a direction-selective neuron, and never adds
            (Kind::Direction, Kind::Direction) => turn(preferred.direction, c.direction, 360.0) == if sign < 0.0 { 180.0 } else { 0.0 },
            (_, Kind::Direction) => false,
            _ => turn(preferred.direction, c.direction, 180.0) == apart,
        };
        let others: Vec<usize> = (0..all.len()).filter(|c| *c != first && fits(&all[*c])).collect();
        mix.push((choose(&others, rng), sign * rng.random_range(0.1..0.4)));
    }
    // one imaged patch of cortex looks at the middle of the monitor, and gaze does not move its receptive fields off it
    let place = [rng.random_range(-0.22..0.22), rng.random_range(-0.25..0.25) * aspect];
    // retinotopy: azimuth along the lateral axis, mirrored in every other area
    let mirror = if index.is_multiple_of(2) { 1.0 } else { -1.0 };
    let soma = [1200.0 * index as f64 + 1000.0 * mirror * place[0], 1000.0 * place[1], rng.random_range(150.0..450.0)];
    Neuron {
        area: area.name,
        kind,
        mix,
        place,
        silent: rng.random_range(0.2..0.6),
        threshold: 0.0,
        power: rng.random_range(1.1..1.6),
        gain: [rng.random_range(-0.1..0.3), rng.random_range(-0.15..0.5)],
        firing: (0.35 * rng.sample::<f64, _>(StandardNormal)).exp(),
        scale: 1.0,
        soma,
    }
}

/// Smallest angle between two directions that repeat after `period`, degrees.
fn turn(a: f64, b: f64, period: f64) -> f64 {
    let d = (a - b).rem_euclid(period);
    d.min(period - d)
}

/// Index drawn with these probabilities.
fn pick(shares: &[f64], rng: &mut ChaCha8Rng) -> usize {
    let mut left = rng.random::<f64>() * shares.iter().sum::<f64>();
    for (index, share) in shares.iter().enumerate() {
        left -= share;
        if left < 0.0 {
            return index;
        }
    }
    shares.len() - 1
}

fn choose(from: &[usize], rng: &mut ChaCha8Rng) -> usize {
    from[rng.random_range(0..from.len())]
}
