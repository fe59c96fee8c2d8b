//! Calcium imaging: spikes, a slow indicator, noise, deconvolution, and resampling to the video's rate.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Poisson, StandardNormal};

/// How activity is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Imaging {
    /// Imaging frames per second, Hz.
    pub rate: f64,
    /// Decay of the indicator, s.
    pub decay: f64,
    /// Standard deviation of the noise of an imaging frame, in units of one spike's signal.
    pub noise: f64,
}

impl Default for Imaging {
    /// A slow indicator (GCaMP6s decays over about half a second) imaged at 8 Hz with moderate noise.
    fn default() -> Self {
        Self { rate: 8.0, decay: 0.5, noise: 0.5 }
    }
}

/// Deconvolved activity at the video's frames, from spike rates (Hz) at them.
pub fn measure(rates: &[f64], video_rate: f64, imaging: &Imaging, rng: &mut ChaCha8Rng) -> Vec<f32> {
    let seconds = rates.len() as f64 / video_rate;
    let samples = (seconds * imaging.rate).ceil() as usize + 1;
    let keep = (-1.0 / (imaging.decay * imaging.rate)).exp();
    let period = 1.0 / imaging.rate;
    let phase = rng.random::<f64>() * period; // the scanner runs on its own clock
    let (mut calcium, mut before) = (0.0, 0.0);
    let deconvolved: Vec<f64> = (0..samples)
        .map(|k| {
            let start = k as f64 * period - phase;
            calcium = keep * calcium + spikes(expected(rates, video_rate, start, start + period), rng);
            let seen = calcium + imaging.noise * rng.sample::<f64, _>(StandardNormal);
            let activity = (seen - keep * before).max(0.0);
            before = seen;
            activity
        })
        .collect();
    // an imaging frame stands for the middle of its exposure
    let at = |t: f64| {
        let k = ((t + phase) * imaging.rate - 0.5).clamp(0.0, (samples - 1) as f64);
        let (left, share) = (k as usize, k.fract());
        let right = (left + 1).min(samples - 1);
        deconvolved[left] * (1.0 - share) + deconvolved[right] * share
    };
    (0..rates.len()).map(|t| at((t as f64 + 0.5) / video_rate) as f32).collect()
}

/// Expected spikes between two times, the rate being constant within a video frame.
fn expected(rates: &[f64], video_rate: f64, start: f64, end: f64) -> f64 {
    let (first, last) = ((start * video_rate).floor().max(0.0) as usize, (end * video_rate).ceil().max(0.0) as usize);
    (first..last.min(rates.len()))
        .map(|t| {
            let (from, to) = (t as f64 / video_rate, (t + 1) as f64 / video_rate);
            rates[t] * (to.min(end) - from.max(start)).max(0.0)
        })
        .sum()
}

fn spikes(mean: f64, rng: &mut ChaCha8Rng) -> f64 {
    // a rate of zero has no Poisson distribution, and no spikes
    Poisson::new(mean).map_or(0.0, |p| p.sample(rng))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn mean_activity_is_spikes_per_imaging_frame() {
        let imaging = Imaging { rate: 10.0, decay: 0.5, noise: 0.0 };
        let measured = measure(&vec![20.0; 30_000], 30.0, &imaging, &mut ChaCha8Rng::seed_from_u64(1));
        let mean = measured.iter().map(|v| f64::from(*v)).sum::<f64>() / measured.len() as f64;
        assert!((mean - 2.0).abs() < 0.05, "{mean}");
    }
}
