//! Behaviour: bouts of running, and a pupil that widens with them.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

/// Means and standard deviations of [`behavior`] over long times: pupil radius, running speed.
const USUAL: [(f64, f64); 2] = [(1.32, 0.5), (0.32, 0.45)];

/// Behaviour as the cortex feels it: about mean 0 and standard deviation 1.
pub fn felt(behavior: [f64; 2]) -> [f64; 2] {
    [0, 1].map(|k| (behavior[k] - USUAL[k].0) / USUAL[k].1)
}

/// Pupil radius and running speed, arbitrary units, at each of `frames` frames: the animal starts and stops running at random,
/// and the pupil follows slowly, with a slow wandering of its own.
pub fn behavior(frames: usize, rate: f64, rng: &mut ChaCha8Rng) -> Vec<[f64; 2]> {
    const START: f64 = 0.12; // bouts per second of rest
    const STOP: f64 = 0.25; // ends per second of running
    let low_pass = |seconds: f64| (-1.0 / (seconds * rate)).exp();
    let (slow, fast) = (low_pass(1.2), low_pass(0.25));
    let mut runs = rng.random::<f64>() < START / (START + STOP);
    let (mut speed, mut arousal) = (if runs { 1.0 } else { 0.0 }, if runs { 1.0 } else { 0.0 });
    let mut wander = rng.sample::<f64, _>(StandardNormal) * 0.3;
    (0..frames)
        .map(|_| {
            if rng.random::<f64>() < if runs { STOP } else { START } / rate {
                runs = !runs;
            }
            let goal = if runs { 1.0 + 0.2 * rng.sample::<f64, _>(StandardNormal) } else { 0.0 };
            speed = fast * speed + (1.0 - fast) * goal;
            arousal = slow * arousal + (1.0 - slow) * f64::from(u8::from(runs));
            wander = 0.995 * wander + 0.03 * rng.sample::<f64, _>(StandardNormal);
            [1.0 + arousal + wander, speed]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn is_felt_with_mean_zero_and_unit_deviation_and_the_pupil_follows_running() {
        let felt: Vec<[f64; 2]> = behavior(600_000, 30.0, &mut ChaCha8Rng::seed_from_u64(1)).into_iter().map(felt).collect();
        let mean = |f: &dyn Fn(&[f64; 2]) -> f64| felt.iter().map(f).sum::<f64>() / felt.len() as f64;
        for k in 0..2 {
            let (first, second) = (mean(&|b| b[k]), mean(&|b| b[k] * b[k]));
            assert!(first.abs() < 0.12 && (second.sqrt() - 1.0).abs() < 0.15, "{k}: {first} +- {second}");
        }
        let correlation = mean(&|b| b[0] * b[1]);
        assert!((0.3..0.95).contains(&correlation), "{correlation}");
    }
}
