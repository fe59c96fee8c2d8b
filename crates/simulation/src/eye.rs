//! Eye movements: saccades between fixations, and slow drift.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

/// Standard deviations of gaze, radians (right, down): head-fixed mice move their eyes more sideways.
pub const SPREAD: [f64; 2] = [0.06, 0.035];

/// Gaze (right, down; radians) at each of `frames` frames.
pub fn gaze(frames: usize, rate: f64, rng: &mut ChaCha8Rng) -> Vec<[f64; 2]> {
    const SACCADES: f64 = 0.4; // per second
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

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn fixates_drifts_and_jumps() {
        let trace = gaze(30_000, 30.0, &mut ChaCha8Rng::seed_from_u64(1));
        for k in 0..2 {
            let mean = trace.iter().map(|g| g[k]).sum::<f64>() / trace.len() as f64;
            let sd = (trace.iter().map(|g| (g[k] - mean).powi(2)).sum::<f64>() / trace.len() as f64).sqrt();
            assert!(mean.abs() < 0.2 * SPREAD[k] && (0.85..1.35).contains(&(sd / SPREAD[k])), "{k}: {mean} +- {sd}");
        }
        // within a fixation gaze moves by a few hundredths of its spread a frame; only saccades go further
        let steps = trace.windows(2).filter(|w| (w[1][0] - w[0][0]).abs() > 0.3 * SPREAD[0]).count() as f64 / 1000.0;
        assert!((0.22..0.5).contains(&steps), "{steps} saccades per second");
    }
}
