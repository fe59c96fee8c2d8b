//! Nonlinear least squares with bounds: Levenberg-Marquardt (Marquardt 1963) on transformed parameters.
//!
//! A bounded parameter x is a smooth function of a free one p, as MINUIT does it: x = l - 1 + sqrt(p^2 + 1) above a lower bound l,
//! x = l + (sin p + 1)(h - l) / 2 between l and h. The few parameters of a tuning curve fit into arrays on the stack, so a fit allocates
//! nothing.

use super::{Fit, Unfit};
use crate::statistics::is_constant;

/// Steps tried before a fit is given up.
const STEPS: usize = 1000;
/// Cosine of the angle between residuals and every column of the Jacobian below which a minimum is reached.
const COSINE: f64 = 1e-9;
/// Relative change of the squared error, achieved and foreseen, and of the parameters, below which nothing is gained.
const CHANGE: f64 = 1e-14;

/// What values a parameter may take.
#[derive(Debug, Clone, Copy)]
pub(super) enum Bound {
    Free,
    AtLeast(f64),
    Between(f64, f64),
}

impl Bound {
    /// The parameter and its derivative by the free one.
    fn inside(self, p: f64) -> (f64, f64) {
        match self {
            Bound::Free => (p, 1.0),
            Bound::AtLeast(low) => {
                let root = p.hypot(1.0);
                (low - 1.0 + root, p / root)
            }
            Bound::Between(low, high) => (low + (p.sin() + 1.0) * (high - low) / 2.0, p.cos() * (high - low) / 2.0),
        }
    }

    /// The free parameter for a parameter, which is taken onto the bound where it lies beyond.
    fn outside(self, x: f64) -> f64 {
        match self {
            Bound::Free => x,
            Bound::AtLeast(low) => {
                let above = (x - low).max(0.0);
                (above * (above + 2.0)).sqrt()
            }
            Bound::Between(low, high) => (2.0 * (x - low) / (high - low) - 1.0).clamp(-1.0, 1.0).asin(),
        }
    }
}

/// A curve whose parameters are to be found.
pub(super) trait Curve<const P: usize> {
    /// Value and derivatives by the parameters at point i.
    fn at(&self, params: &[f64; P], i: usize) -> (f64, [f64; P]);
}

impl<const P: usize, F: Fn(&[f64; P], usize) -> (f64, [f64; P])> Curve<P> for F {
    fn at(&self, params: &[f64; P], i: usize) -> (f64, [f64; P]) {
        self(params, i)
    }
}

/// Whether values can be fitted with `needed` parameters at all.
pub(super) fn fittable(y: &[f64], needed: usize) -> Result<(), Unfit> {
    if y.len() < needed {
        return Err(Unfit::TooFew { needed, got: y.len() });
    }
    if is_constant(y) { Err(Unfit::Constant) } else { Ok(()) }
}

/// Parameters of least squared error near `start`; y `[n]` is finite.
pub(super) fn least_squares<const P: usize>(y: &[f64], curve: &impl Curve<P>, start: [f64; P], bounds: &[Bound; P]) -> Fit<[f64; P]> {
    let mut free: [f64; P] = std::array::from_fn(|k| bounds[k].outside(start[k]));
    let mut here = Linearised::at(y, curve, &free, bounds);
    // Marquardt's scaling: the largest curvature seen, so that a parameter that has lost its influence does not run away.
    let mut scale = [0.0f64; P];
    let (mut damping, mut growth) = (1e-3, 2.0);
    let mut converged = false;
    for _ in 0..STEPS {
        (0..P).for_each(|k| scale[k] = scale[k].max(here.curvature[k][k]));
        if here.is_minimum() {
            converged = true;
            break;
        }
        let mut damped = here.curvature;
        (0..P).for_each(|k| damped[k][k] += damping * if scale[k] > 0.0 { scale[k] } else { 1.0 });
        let step = solve(damped, here.descent).filter(|s| s.iter().all(|v| v.is_finite()));
        let tried = step.map(|step| {
            let there: [f64; P] = std::array::from_fn(|k| free[k] + step[k]);
            (step, there, Linearised::at(y, curve, &there, bounds))
        });
        let Some((step, there, next)) = tried else {
            damping *= growth;
            continue;
        };
        let size = |v: &[f64; P]| (0..P).map(|k| scale[k] * v[k] * v[k]).sum::<f64>().sqrt();
        let foreseen = (0..P).map(|k| step[k] * (here.descent[k] + damping * scale[k] * step[k])).sum::<f64>();
        let gained = here.squares - next.squares;
        let still = size(&step) <= CHANGE * size(&free);
        if gained > 0.0 || (gained == 0.0 && foreseen > 0.0) {
            converged = still || (gained <= CHANGE * here.squares && foreseen <= CHANGE * here.squares);
            let ratio = gained / foreseen;
            damping *= (1.0 - (2.0 * ratio - 1.0).powi(3)).max(1.0 / 3.0);
            (growth, free, here) = (2.0, there, next);
        } else {
            converged = still || foreseen <= CHANGE * here.squares;
            damping *= growth;
            growth *= 2.0;
        }
        if converged || !damping.is_finite() {
            break;
        }
    }
    let params = std::array::from_fn(|k| bounds[k].inside(free[k]).0);
    Fit { curve: params, mse: here.squares / y.len() as f64, converged: converged && here.squares.is_finite() }
}

/// Squared error at a point with its slope and, from first derivatives, its curvature.
struct Linearised<const P: usize> {
    squares: f64,
    /// J'r: minus half the gradient.
    descent: [f64; P],
    /// J'J.
    curvature: [[f64; P]; P],
}

impl<const P: usize> Linearised<P> {
    fn at(y: &[f64], curve: &impl Curve<P>, free: &[f64; P], bounds: &[Bound; P]) -> Self {
        let inside: [(f64, f64); P] = std::array::from_fn(|k| bounds[k].inside(free[k]));
        let params = inside.map(|(x, _)| x);
        let mut sums = Self { squares: 0.0, descent: [0.0; P], curvature: [[0.0; P]; P] };
        for (i, y) in y.iter().enumerate() {
            let (value, mut slope) = curve.at(&params, i);
            (0..P).for_each(|k| slope[k] *= inside[k].1);
            let residual = y - value;
            sums.squares += residual * residual;
            for j in 0..P {
                sums.descent[j] += slope[j] * residual;
                for k in 0..=j {
                    sums.curvature[j][k] += slope[j] * slope[k];
                }
            }
        }
        sums
    }

    /// Whether the residuals are orthogonal to every direction the curve can move in.
    fn is_minimum(&self) -> bool {
        self.squares == 0.0 || (0..P).all(|k| self.descent[k].abs() <= COSINE * (self.curvature[k][k] * self.squares).sqrt())
    }
}

/// Solution of a symmetric positive definite system, of which the lower triangle is read, by Cholesky's factorisation.
fn solve<const P: usize>(mut a: [[f64; P]; P], mut b: [f64; P]) -> Option<[f64; P]> {
    for j in 0..P {
        for k in 0..=j {
            let sum = a[j][k] - (0..k).map(|m| a[j][m] * a[k][m]).sum::<f64>();
            a[j][k] = if j > k { sum / a[k][k] } else { sum.sqrt() };
        }
        if a[j][j].is_nan() || a[j][j] <= 0.0 {
            return None;
        }
        b[j] = (b[j] - (0..j).map(|m| a[j][m] * b[m]).sum::<f64>()) / a[j][j];
    }
    for j in (0..P).rev() {
        b[j] = (b[j] - (j + 1..P).map(|m| a[m][j] * b[m]).sum::<f64>()) / a[j][j];
    }
    Some(b)
}

/// Largest difference between a curve's derivatives and central differences of its values at some points, relative to the largest derivative.
#[cfg(test)]
pub(super) fn derivative_error<const P: usize>(curve: &impl Curve<P>, params: [f64; P], points: usize) -> f64 {
    let mut worst = (0.0f64, 0.0f64);
    for i in 0..points {
        let (_, slope) = curve.at(&params, i);
        for k in 0..P {
            let h = 1e-6 * params[k].abs().max(1e-3);
            let moved = |by: f64| curve.at(&std::array::from_fn(|j| if j == k { params[j] + by } else { params[j] }), i).0;
            let numeric = (moved(h) - moved(-h)) / (2.0 * h);
            worst = (worst.0.max((numeric - slope[k]).abs()), worst.1.max(slope[k].abs()));
        }
    }
    worst.0 / worst.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_kept_and_undone() {
        for (bound, values) in
            [(Bound::Free, [-3.0, 0.0, 8.0]), (Bound::AtLeast(2.0), [2.0, 2.5, 90.0]), (Bound::Between(-1.0, 3.0), [-1.0, 0.3, 3.0])]
        {
            for x in values {
                let p = bound.outside(x);
                assert!((bound.inside(p).0 - x).abs() < 1e-12, "{bound:?} {x}");
                let numeric = (bound.inside(p + 1e-6).0 - bound.inside(p - 1e-6).0) / 2e-6;
                assert!((numeric - bound.inside(p).1).abs() < 1e-8);
            }
        }
        assert_eq!(Bound::AtLeast(1.0).inside(Bound::AtLeast(1.0).outside(-5.0)).0, 1.0);
    }

    #[test]
    fn a_line_is_found_in_closed_form_and_a_bound_binds() {
        let y = [1.0, 2.9, 5.2, 6.9];
        let line = |p: &[f64; 2], i: usize| (p[0] + p[1] * i as f64, [1.0, i as f64]);
        let fit = least_squares(&y, &line, [0.0, 0.0], &[Bound::Free, Bound::Free]);
        // Slope 10/5 and intercept 4 - 1.5 * 2.
        assert!(fit.converged && (fit.curve[1] - 2.0).abs() < 1e-9 && (fit.curve[0] - 1.0).abs() < 1e-9, "{fit:?}");
        let fit = least_squares(&y, &line, [0.0, 1.0], &[Bound::Free, Bound::Between(0.0, 1.5)]);
        assert!(fit.converged && (fit.curve[1] - 1.5).abs() < 1e-6 && (fit.curve[0] - 1.75).abs() < 1e-6, "{fit:?}");
    }

    #[test]
    fn a_curved_valley_is_followed() {
        // Rosenbrock's function as residuals, minimum 0 at (1, 1).
        let valley = |p: &[f64; 2], i: usize| match i {
            0 => (10.0 * (p[1] - p[0] * p[0]), [-20.0 * p[0], 10.0]),
            _ => (p[0], [1.0, 0.0]),
        };
        let fit = least_squares(&[0.0, 1.0], &valley, [-1.2, 1.0], &[Bound::Free; 2]);
        assert!(fit.converged && fit.mse < 1e-20 && (fit.curve[0] - 1.0).abs() < 1e-8, "{fit:?}");
    }

    #[test]
    fn a_curve_that_is_nowhere_a_number_does_not_converge() {
        let fit = least_squares(&[1.0, 2.0], &|_: &[f64; 1], _| (f64::NAN, [f64::NAN]), [1.0], &[Bound::Free]);
        assert!(!fit.converged);
    }
}
