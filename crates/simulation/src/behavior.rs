//! Behaviour: bouts of running, and a pupil that widens with them.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

/// Pupil radius and running speed, arbitrary units, at each of `frames` frames.
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
