//! The unit table is what gratings find.

use striate_simulation::filters::{Kind, SPATIAL, TEMPORAL};
use striate_simulation::{Cortex, SimulateConfig};
use striate_stimulus::grating::{Grating, grating};

const DIRECTIONS: usize = 16;

/// Mean rates [spatial frequency][direction][unit] to drifting gratings, after the onset.
fn curves(cortex: &Cortex, rest: [f64; 2]) -> Vec<Vec<Vec<f64>>> {
    let curve = |spatial: f64, k: usize| {
        let direction = 360.0 * k as f64 / DIRECTIONS as f64;
        let video = grating(&Grating { direction, spatial, temporal: TEMPORAL, frames: 46, ..Grating::default() });
        let rates = cortex.rates(&video, &[[0.0; 2]; 46], &[rest; 46]).unwrap();
        (0..rates.ncols()).map(|u| rates.column(u).iter().skip(12).sum::<f64>() / 34.0).collect()
    };
    SPATIAL.iter().map(|f| (0..DIRECTIONS).map(|k| curve(*f, k)).collect()).collect()
}

/// Angle of the vector sum of a curve over directions, in turns of `period` degrees, and its length over the plain sum.
fn preferred(curve: &[f64], period: f64) -> (f64, f64) {
    let angle = |k: usize| 360.0 * k as f64 / DIRECTIONS as f64 * std::f64::consts::TAU / period;
    let (x, y) = curve.iter().enumerate().fold((0.0, 0.0), |(x, y), (k, r)| (x + r * angle(k).cos(), y + r * angle(k).sin()));
    (y.atan2(x).to_degrees() * period / 360.0, x.hypot(y) / curve.iter().sum::<f64>())
}

fn apart(a: f64, b: f64, period: f64) -> f64 {
    let d = (a - b).rem_euclid(period);
    d.min(period - d)
}

#[test]
fn preferences_are_those_of_the_table() {
    let cortex = Cortex::new(&SimulateConfig { units: 60, seed: 3, ..SimulateConfig::default() }).unwrap();
    let curves = curves(&cortex, [1.3, 0.3]);
    let mut oriented = 0;
    let mut frequencies = 0;
    for (u, neuron) in cortex.neurons.iter().enumerate() {
        let truth = cortex.bank.channels()[neuron.mix[0].0];
        if neuron.kind == Kind::CentreSurround {
            continue;
        }
        let best = (0..SPATIAL.len()).max_by(|a, b| total(&curves[*a], u).total_cmp(&total(&curves[*b], u))).unwrap();
        frequencies += usize::from(SPATIAL[best] == truth.spatial);
        let own = SPATIAL.iter().position(|f| *f == truth.spatial).unwrap();
        let curve: Vec<f64> = curves[own].iter().map(|rates| rates[u]).collect();
        let (drift, selectivity) = preferred(&curve, 180.0);
        assert!(selectivity > 0.1, "unit {u}, {:?}: orientation selectivity {selectivity}", neuron.mix);
        assert!(apart(drift, truth.direction, 180.0) < 6.0, "unit {u}, {:?}: {drift}, truth {}", neuron.mix, truth.direction);
        if neuron.kind == Kind::Direction {
            let (direction, _) = preferred(&curve, 360.0);
            assert!(apart(direction, truth.direction, 360.0) < 15.0, "unit {u}: {direction}, truth {}", truth.direction);
        }
        oriented += 1;
    }
    assert!(oriented > 30, "{oriented}");
    assert!(frequencies * 10 > oriented * 7, "{frequencies} of {oriented} respond most to the frequency of their first channel");
}

fn total(curves: &[Vec<f64>], unit: usize) -> f64 {
    curves.iter().map(|rates| rates[unit]).sum()
}

#[test]
fn behaviour_scales_responses_as_the_table_says() {
    let cortex = Cortex::new(&SimulateConfig { units: 24, seed: 3, ..SimulateConfig::default() }).unwrap();
    let video = grating(&Grating { spatial: 4.0, frames: 40, ..Grating::default() });
    let rates = |behavior: [f64; 2]| cortex.rates(&video, &[[0.0; 2]; 40], &[behavior; 40]).unwrap();
    let (still, running) = (rates([1.3, 0.3]), rates([1.3, 1.3]));
    for (u, neuron) in cortex.neurons.iter().enumerate() {
        let (still, running) = (still.column(u).sum(), running.column(u).sum());
        assert!(neuron.gain[1].abs() < 0.02 || (running - still) * neuron.gain[1] >= 0.0, "unit {u}: {still} to {running}, gain {}", neuron.gain[1]);
    }
    assert!(running.sum() > 1.1 * still.sum(), "running raises responses on the whole");
}

#[test]
fn areas_differ_in_what_their_neurons_are() {
    let config = SimulateConfig { units: 400, height: 9, width: 16, ..SimulateConfig::default() };
    let cortex = Cortex::new(&config).unwrap();
    let share = |area: &str, kind: Kind| {
        let own: Vec<_> = cortex.neurons.iter().filter(|n| n.area == area).collect();
        assert_eq!(own.len(), 100);
        own.iter().filter(|n| n.kind == kind).count()
    };
    assert!(share("AL", Kind::Direction) > share("V1", Kind::Direction) + 25);
    assert!(share("LM", Kind::Complex) > share("AL", Kind::Complex) + 10);
    assert!(share("V1", Kind::Simple) > share("RL", Kind::Simple) + 15);
}
