//! The static output nonlinearity of a linear-nonlinear model.

use ndarray::ArrayView1;

/// Bins of equal counts the drive is sorted into before fitting; the mean response in each is the measured nonlinearity.
const BINS: usize = 64;

/// Rounds of refinement of the two parameters that are searched, each with half the step of the one before.
const ROUNDS: usize = 8;

/// How a unit's drive becomes its response.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum OutputNonlinearity {
    /// The drive itself.
    Identity,
    /// baseline + gain * softness * ln(1 + exp((drive - threshold) / softness)): a rectifier with a soft knee, which for a
    /// threshold beyond all drives is an exponential and for one below them a line. It never decreases.
    Softplus {
        /// Response far below threshold.
        baseline: f64,
        /// Slope far above threshold; positive.
        gain: f64,
        /// Drive at the knee.
        threshold: f64,
        /// Width of the knee, in units of the drive; positive.
        softness: f64,
    },
}

impl OutputNonlinearity {
    /// Response to one drive.
    pub fn apply(&self, drive: f64) -> f64 {
        match *self {
            Self::Identity => drive,
            Self::Softplus { baseline, gain, threshold, softness } => baseline + gain * softplus(drive, threshold, softness),
        }
    }

    /// The softplus of least squared error on training (drive, response) if it beats the identity on validation (drive,
    /// response), else the identity. NaN responses are left out.
    pub(super) fn choose(train: (ArrayView1<f32>, ArrayView1<f32>), validation: (ArrayView1<f32>, ArrayView1<f32>)) -> Self {
        let fitted = match fit(&pairs(train)) {
            Some(fitted) => fitted,
            None => return Self::Identity,
        };
        let held_out = pairs(validation);
        let error = |f: Self| held_out.iter().map(|&(z, y)| (f.apply(z) - y).powi(2)).sum::<f64>();
        if error(fitted) < error(Self::Identity) { fitted } else { Self::Identity }
    }
}

/// softness * ln(1 + exp((drive - threshold) / softness)) without overflow.
fn softplus(drive: f64, threshold: f64, softness: f64) -> f64 {
    let v = (drive - threshold) / softness;
    softness * (v.max(0.0) + (-v.abs()).exp().ln_1p())
}

fn pairs((drive, response): (ArrayView1<f32>, ArrayView1<f32>)) -> Vec<(f64, f64)> {
    drive.iter().zip(response).filter(|(_, y)| !y.is_nan()).map(|(&z, &y)| (f64::from(z), f64::from(y))).collect()
}

/// Mean drive, mean response and number of samples of each bin of the sorted drive.
fn binned(mut samples: Vec<(f64, f64)>) -> Vec<(f64, f64, f64)> {
    samples.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let per_bin = samples.len().div_ceil(BINS).max(1);
    let bin = |bin: &[(f64, f64)]| {
        let (z, y) = bin.iter().fold((0.0, 0.0), |(z, y), s| (z + s.0, y + s.1));
        (z / bin.len() as f64, y / bin.len() as f64, bin.len() as f64)
    };
    samples.chunks(per_bin).map(bin).collect()
}

/// The best softplus: threshold and softness by a grid that is then refined, baseline and gain in closed form.
/// `None` if the response does not rise with the drive or the drive does not vary.
fn fit(samples: &[(f64, f64)]) -> Option<OutputNonlinearity> {
    let drives: Vec<f64> = samples.iter().map(|s| s.0).collect();
    if crate::statistics::is_constant(&drives) {
        return None;
    }
    let (centre, sd) = (crate::statistics::mean(&drives), crate::statistics::variance(&drives, 0).sqrt());
    let bins = binned(samples.to_vec());
    // Thresholds in standard deviations from the mean drive; softness in octaves of the standard deviation.
    let curve = |(at, octave): (f64, f64)| least_squares(&bins, centre + at * sd, sd * octave.exp2());
    let coarse = (-6..=12).flat_map(|at| (-5..=2).map(move |octave| (f64::from(at) / 2.0, f64::from(octave))));
    let mut best = coarse.filter_map(|p| curve(p).map(|(error, f)| (error, p, f))).min_by(|a, b| a.0.total_cmp(&b.0))?;
    let mut step = (0.25, 0.5);
    for _ in 0..ROUNDS {
        let (at, octave) = best.1;
        for (i, j) in [(-1.0, -1.0), (-1.0, 0.0), (-1.0, 1.0), (0.0, -1.0), (0.0, 1.0), (1.0, -1.0), (1.0, 0.0), (1.0, 1.0)] {
            let p = (at + i * step.0, octave + j * step.1);
            if let Some((error, f)) = curve(p).filter(|(error, _)| *error < best.0) {
                best = (error, p, f);
            }
        }
        step = (step.0 / 2.0, step.1 / 2.0);
    }
    Some(best.2)
}

/// Baseline and gain of least squares for one threshold and softness, with the weighted squared error over bins.
/// `None` unless the gain is positive.
fn least_squares(bins: &[(f64, f64, f64)], threshold: f64, softness: f64) -> Option<(f64, OutputNonlinearity)> {
    let curve: Vec<f64> = bins.iter().map(|bin| softplus(bin.0, threshold, softness)).collect();
    let n: f64 = bins.iter().map(|bin| bin.2).sum();
    let curve_mean = bins.iter().zip(&curve).map(|(bin, c)| bin.2 * c).sum::<f64>() / n;
    let y_mean = bins.iter().map(|bin| bin.2 * bin.1).sum::<f64>() / n;
    let (mut cc, mut cy) = (0.0, 0.0);
    for (bin, c) in bins.iter().zip(&curve) {
        cc += bin.2 * (c - curve_mean) * (c - curve_mean);
        cy += bin.2 * (c - curve_mean) * (bin.1 - y_mean);
    }
    let gain = cy / cc;
    let baseline = y_mean - gain * curve_mean;
    let error = bins.iter().zip(&curve).map(|(bin, c)| bin.2 * (baseline + gain * c - bin.1).powi(2)).sum::<f64>();
    let good = gain > 0.0 && gain.is_finite() && error.is_finite();
    good.then_some((error, OutputNonlinearity::Softplus { baseline, gain, threshold, softness }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_softplus_is_recovered() {
        let truth = OutputNonlinearity::Softplus { baseline: 0.3, gain: 2.0, threshold: 0.5, softness: 0.2 };
        let samples: Vec<_> = (0..4000).map(|i| -2.0 + f64::from(i) * 1e-3).map(|z| (z, truth.apply(z))).collect();
        let found = fit(&samples).unwrap();
        let worst = samples.iter().map(|&(z, y)| (found.apply(z) - y).abs()).fold(0.0, f64::max);
        assert!(worst < 0.02, "{found:?} is off by {worst}");
    }

    #[test]
    fn a_falling_response_has_no_softplus() {
        let samples: Vec<_> = (0..100).map(|i| (f64::from(i), -f64::from(i))).collect();
        assert_eq!(fit(&samples), None);
        assert_eq!(fit(&[(1.0, 2.0); 5]), None);
        assert_eq!(fit(&[]), None);
    }

    #[test]
    fn softplus_neither_overflows_nor_falls() {
        let f = OutputNonlinearity::Softplus { baseline: 0.0, gain: 1.0, threshold: 0.0, softness: 1e-3 };
        assert_eq!(f.apply(-1e6), 0.0);
        assert_eq!(f.apply(1e6), 1e6);
        let values: Vec<f64> = (-100..100).map(|i| f.apply(f64::from(i) * 1e-4)).collect();
        assert!(values.windows(2).all(|w| w[0] < w[1]));
    }
}
