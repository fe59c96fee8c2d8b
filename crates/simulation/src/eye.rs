//! Eye movements: saccades between fixations, and slow drift.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

/// Standard deviations of gaze, radians (right, down): head-fixed mice move their eyes more sideways.
pub const SPREAD: [f64; 2] = [0.09, 0.05];

/// Gaze (right, down; radians) at each of `frames` frames.
pub fn gaze(frames: usize, rate: f64, rng: &mut ChaCha8Rng) -> Vec<[f64; 2]> {
    const SACCADES: f64 = 0.6; // per second
    const DRIFT: f64 = 0.15; // share of the spread per root second
    let draw = |rng: &mut ChaCha8Rng| SPREAD.map(|s| s * rng.sample::<f64, _>(StandardNormal));
    let mut at = draw(rng);
    (0..frames)
        .map(|_| {
            if rng.random::<f64>() < SACCADES / rate {
                at = draw(rng);
            }
            for k in 0..2 {
                at[k] += DRIFT * SPREAD[k] / rate.sqrt() * rng.sample::<f64, _>(StandardNormal);
            }
            at
        })
        .collect()
}
