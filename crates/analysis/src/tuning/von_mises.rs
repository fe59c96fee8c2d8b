//! Direction tuning curve: two von-Mises bumps half a turn apart on a baseline.

use std::f64::consts::{PI, TAU};

use super::curve::{argmax, range};
use super::least_squares::{Bound, fittable, least_squares};
use super::{Fit, Unfit};

/// f(theta) = scale (phi e^(kappa (cos(theta - mu) - 1)) + (1 - phi) e^(kappa (-cos(theta - mu) - 1))) + baseline, the parameterisation of
/// the public data tables of the paper's curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VonMises {
    /// Preferred direction, radians in [0, 2 pi).
    pub mu: f64,
    /// Share of the bump at mu, in [0.5, 1].
    pub phi: f64,
    /// Concentration of either bump, at least 0.
    pub kappa: f64,
    /// Height of both bumps together, in response units, at least 0.
    pub scale: f64,
    /// Baseline, in response units, at least 0.
    pub baseline: f64,
}

/// Concentrations a fit starts from: the reference's 1, and a narrower curve, which ends in a lower minimum for about one unit of eight whose noise is
/// 0.4 of its tuning's height (and hardly any below half that noise). The second start is our choice.
const START_KAPPA: [f64; 2] = [1.0, 4.0];

impl VonMises {
    /// Value at a direction in radians.
    pub fn at(&self, theta: f64) -> f64 {
        value([self.mu, self.phi, self.kappa, self.scale, self.baseline], theta).0
    }

    /// Preferred direction in degrees, in [0, 360).
    pub fn preferred_direction(&self) -> f64 {
        // The remainder of an angle just below 0 rounds up to the full turn.
        self.mu.to_degrees().rem_euclid(360.0) % 360.0
    }

    /// Preferred orientation in degrees, in [0, 180): that of the bar, orthogonal to the preferred direction, as in the paper. (Public data
    /// tables give the direction modulo 180 instead.)
    pub fn preferred_orientation(&self) -> f64 {
        (self.preferred_direction() + 90.0) % 180.0
    }

    /// Orientation selectivity of the curve: (R(mu) - R(mu + pi/2)) / (R(mu) + R(mu + pi/2)) with R(t) = (f(t) + f(t + pi)) / 2.
    pub fn osi(&self) -> f64 {
        let r = |t: f64| (self.at(t) + self.at(t + PI)) / 2.0;
        let (preferred, orthogonal) = (r(self.mu), r(self.mu + PI / 2.0));
        (preferred - orthogonal) / (preferred + orthogonal)
    }

    /// Direction selectivity of the curve: 1 - f(mu + pi) / f(mu).
    pub fn dsi(&self) -> f64 {
        1.0 - self.at(self.mu + PI) / self.at(self.mu)
    }

    /// Unweighted least squares on responses `[n]` to directions `[n]` in radians; five directions at least.
    pub(super) fn fit(theta: &[f64], responses: &[f64]) -> Result<Fit<Self>, Unfit> {
        fittable(responses, 5)?;
        let (low, high) = range(responses);
        if high <= 0.0 {
            return Err(Unfit::NotPositive);
        }
        let bounds = [Bound::Free, Bound::Between(0.0, 1.0), Bound::AtLeast(0.0), Bound::AtLeast(0.0), Bound::AtLeast(0.0)];
        let baseline = low.max(high / 100.0);
        let mu = theta[argmax(responses)];
        // A curve as good as constant but for its largest response has no room between baseline and peak.
        let scale = (2.0 * (high - baseline)).max(high / 100.0);
        // In units of the largest response, so that what counts as converged does not depend on them.
        let y: Vec<f64> = responses.iter().map(|r| r / high).collect();
        let curve = |p: &[f64; 5], i: usize| value(*p, theta[i]);
        let fits = START_KAPPA.map(|kappa| least_squares(&y, &curve, [mu, 0.5, kappa, scale / high, baseline / high], &bounds));
        let [first, second] = fits;
        // The later start has to be better by more than rounding, so that curves with one minimum keep the paper's start.
        let best = if second.converged && (!first.converged || second.mse < first.mse * (1.0 - 1e-6)) { second } else { first };
        let [mu, phi, kappa, scale, baseline] = best.curve;
        let (mu, phi) = if phi <= 0.5 { (mu + PI, 1.0 - phi) } else { (mu, phi) };
        let curve = Self { mu: mu.rem_euclid(TAU) % TAU, phi, kappa, scale: scale * high, baseline: baseline * high };
        Ok(Fit { curve, mse: best.mse * high * high, converged: best.converged })
    }
}

/// Value and derivatives by mu, phi, kappa, scale and baseline.
fn value([mu, phi, kappa, scale, baseline]: [f64; 5], theta: f64) -> (f64, [f64; 5]) {
    let (sin, cos) = (theta - mu).sin_cos();
    let (towards, away) = ((kappa * (cos - 1.0)).exp(), (kappa * (-cos - 1.0)).exp());
    let (a, b) = (phi * towards, (1.0 - phi) * away);
    let slopes = [scale * kappa * sin * (a - b), scale * (towards - away), scale * (a * (cos - 1.0) - b * (cos + 1.0)), a + b, 1.0];
    (scale * (a + b) + baseline, slopes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tuning::least_squares::derivative_error;

    #[test]
    fn derivatives_are_those_of_the_curve() {
        let theta: Vec<f64> = (0..16).map(|k| TAU * f64::from(k) / 16.0).collect();
        let error = derivative_error(&|p: &[f64; 5], i: usize| value(*p, theta[i]), [1.3, 0.7, 2.1, 1.8, 0.4], 16);
        assert!(error < 1e-8, "{error}");
    }

    #[test]
    fn indices_of_a_curve_in_closed_form() {
        // Far apart, sharp bumps of heights 0.75 and 0.25 times 4 on a baseline of 1: f(mu) = 4, f(mu + pi) = 2, f between = 1.
        let curve = VonMises { mu: 0.3, phi: 0.75, kappa: 50.0, scale: 4.0, baseline: 1.0 };
        assert!((curve.dsi() - 0.5).abs() < 1e-12);
        assert!((curve.osi() - (3.0 - 1.0) / (3.0 + 1.0)).abs() < 1e-12);
        let turned = VonMises { mu: TAU - 1e-17, ..curve };
        assert!(turned.preferred_direction() < 360.0 && turned.preferred_orientation() < 180.0);
        assert!((VonMises { mu: 2.0, ..curve }.preferred_orientation() - (2f64.to_degrees() + 90.0 - 180.0)).abs() < 1e-12);
    }
}
