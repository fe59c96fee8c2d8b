//! Neurons: which channels each mixes, where it looks, and how behaviour changes its gain.

use crate::filters::{Bank, Kind};
use crate::geometry;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Visual areas, and how likely their neurons are to be of each kind (simple, complex, direction, centre-surround).
pub const AREAS: [(&str, [f64; 4]); 4] =
    [("V1", [0.4, 0.25, 0.15, 0.2]), ("LM", [0.2, 0.45, 0.15, 0.2]), ("AL", [0.1, 0.25, 0.6, 0.05]), ("RL", [0.15, 0.2, 0.4, 0.25])];

/// One simulated neuron, known in full.
#[derive(Clone, Debug, PartialEq)]
pub struct Neuron {
    /// Visual area.
    pub area: &'static str,
    /// Kind of its strongest channel.
    pub kind: Kind,
    /// Channel and weight; the first is the strongest.
    pub mix: Vec<(usize, f64)>,
    /// Receptive-field centre on the monitor with gaze straight ahead, monitor widths from its middle (right, down).
    pub place: [f64; 2],
    /// Drive below which it is silent.
    pub threshold: f64,
    /// Exponent of the output.
    pub power: f64,
    /// Gain of running and of pupil size.
    pub gain: [f64; 2],
    /// Place in cortex, um: medial to lateral, posterior to anterior, depth.
    pub soma: [f64; 3],
}

/// Draws `units` neurons, areas in turn.
pub fn population(bank: &Bank, units: usize, aspect: f64, rng: &mut ChaCha8Rng) -> Vec<Neuron> {
    (0..units).map(|i| neuron(bank, i % AREAS.len(), aspect, rng)).collect()
}

fn neuron(bank: &Bank, area: usize, aspect: f64, rng: &mut ChaCha8Rng) -> Neuron {
    let (name, shares) = AREAS[area];
    let kind = pick(&shares, rng);
    let of = |kind: Kind| (0..bank.channels().len()).filter(move |c| bank.channels()[*c].kind == kind).collect::<Vec<_>>();
    let first = *choose(&of(kind), rng);
    let mut mix = vec![(first, 1.0)];
    for _ in 0..rng.random_range(0..3) {
        let other = *choose(&of(pick(&shares, rng)), rng);
        // a weaker channel, sometimes inhibitory
        let weight = rng.random_range(0.1..0.4) * if rng.random::<f64>() < 0.35 { -1.0 } else { 1.0 };
        mix.push((other, weight));
    }
    // the middle four fifths of the monitor, so that gaze rarely moves a receptive field off it
    let place = [rng.random_range(-0.4..0.4), rng.random_range(-0.4..0.4) * aspect];
    // retinotopy: azimuth along the lateral axis, mirrored in every other area
    let mirror = if area.is_multiple_of(2) { 1.0 } else { -1.0 };
    let soma = [1200.0 * area as f64 + 1000.0 * mirror * place[0], 1000.0 * place[1], rng.random_range(150.0..450.0)];
    Neuron {
        area: name,
        kind,
        mix,
        place,
        threshold: rng.random_range(0.2..0.7),
        power: rng.random_range(1.2..1.8),
        gain: [rng.random_range(-0.15..0.6), rng.random_range(-0.1..0.3)],
        soma,
    }
}

fn pick(shares: &[f64; 4], rng: &mut ChaCha8Rng) -> Kind {
    let mut left = rng.random::<f64>();
    for (share, kind) in shares.iter().zip([Kind::Simple, Kind::Complex, Kind::Direction]) {
        left -= share;
        if left < 0.0 {
            return kind;
        }
    }
    Kind::CentreSurround
}

fn choose<'a, T>(from: &'a [T], rng: &mut ChaCha8Rng) -> &'a T {
    &from[rng.random_range(0..from.len())]
}

impl Neuron {
    /// Where the receptive field is on the monitor at a gaze (radians).
    pub fn place_at(&self, gaze: [f64; 2]) -> [f64; 2] {
        geometry::project(geometry::direction(self.place), gaze)
    }
}
