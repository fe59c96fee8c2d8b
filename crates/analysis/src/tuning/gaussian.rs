//! Two-dimensional Gaussian fitted to a map: where and how large a receptive field is.

use ndarray::ArrayView2;

use super::least_squares::{Bound, fittable, least_squares};
use super::{Fit, Unfit};
use crate::statistics::median_valid;

/// Standard deviation a fit starts from, in widths of the monitor. Our choice.
const START_SD: f64 = 0.1;

/// amplitude exp(-(x - mu)' S^-1 (x - mu) / 2) + offset, positions in widths of the monitor from its upper left pixel, x to the right and y
/// down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gaussian2d {
    /// Centre [x, y].
    pub mu: [f64; 2],
    /// Covariance S: xx, xy, yy.
    pub covariance: [f64; 3],
    /// Height over the offset, in response units; negative for a trough.
    pub amplitude: f64,
    /// Response far away.
    pub offset: f64,
}

/// Distance of two centres in widths of the monitor.
pub fn location_difference(a: &Gaussian2d, b: &Gaussian2d) -> f64 {
    (a.mu[0] - b.mu[0]).hypot(a.mu[1] - b.mu[1])
}

impl Gaussian2d {
    /// Standard deviations along the longer and the shorter axis, in widths of the monitor.
    pub fn sd(&self) -> [f64; 2] {
        let [xx, xy, yy] = self.covariance;
        let (middle, half) = ((xx + yy) / 2.0, ((xx - yy) / 2.0).hypot(xy));
        // Through the determinant, since the difference of near equals has no digits.
        let long = middle + half;
        [long.sqrt(), ((xx * yy - xy * xy) / long).max(0.0).sqrt()]
    }

    /// Least squares on a map [H, W] with pixel (i, j) at (j / W, i / W); NaN pixels are left out. The centre stays on the monitor, and neither
    /// factor of S falls under a quarter of a pixel, which no map resolves.
    pub(super) fn fit(map: ArrayView2<f64>) -> Result<Fit<Self>, Unfit> {
        let (height, width) = map.dim();
        let scale = 1.0 / width as f64;
        let pixels: Vec<([f64; 2], f64)> =
            map.indexed_iter().filter(|(_, v)| v.is_finite()).map(|((i, j), v)| ([j as f64 * scale, i as f64 * scale], *v)).collect();
        let values: Vec<f64> = pixels.iter().map(|p| p.1).collect();
        fittable(&values, 7)?;
        let peak = pixels[super::curve::argmax(&values)];
        let (median, _) = median_valid(&values);
        let height_over = peak.1 - median;
        // In units of the amplitude, so that what counts as converged does not depend on the responses'. A map whose median is its peak is all
        // trough and has only its range.
        let (low, high) = super::curve::range(&values);
        let unit = if height_over > 0.0 { height_over } else { high - low };
        let y: Vec<f64> = values.iter().map(|v| (v - median) / unit).collect();
        let last = [(width - 1) as f64 * scale, (height - 1) as f64 * scale];
        // On the bound itself the centre could not move.
        let inside = |x: f64, last: f64| x.clamp(0.5 * scale, (last - 0.5 * scale).max(0.5 * scale));
        let start = [inside(peak.0[0], last[0]), inside(peak.0[1], last[1]), START_SD, 0.0, START_SD, height_over / unit, 0.0];
        let least = Bound::AtLeast(0.25 * scale);
        let bounds =
            [Bound::Between(0.0, last[0].max(scale)), Bound::Between(0.0, last[1].max(scale)), least, Bound::Free, least, Bound::Free, Bound::Free];
        let curve = |p: &[f64; 7], i: usize| value(p, pixels[i].0);
        let fit = least_squares(&y, &curve, start, &bounds);
        let [x, y, a, b, c, amplitude, offset] = fit.curve;
        let curve = Self { mu: [x, y], covariance: [a * a, a * b, b * b + c * c], amplitude: amplitude * unit, offset: offset * unit + median };
        Ok(Fit { curve, mse: fit.mse * unit * unit, converged: fit.converged })
    }
}

/// Value and derivatives by the centre, the Cholesky factor (a, 0; b, c) of S, the amplitude and the offset.
fn value(&[x, y, a, b, c, amplitude, offset]: &[f64; 7], at: [f64; 2]) -> (f64, [f64; 7]) {
    let u = (at[0] - x) / a;
    let v = (at[1] - y - b * u) / c;
    let bump = (-0.5 * (u * u + v * v)).exp();
    let fall = amplitude * bump;
    // dv/du = -b / c, and u depends on x and a.
    let by_u = fall * (u - v * b / c);
    let slopes = [by_u / a, fall * v / c, by_u * u / a, fall * v * u / c, fall * v * v / c, bump, 1.0];
    (fall + offset, slopes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tuning::least_squares::derivative_error;

    #[test]
    fn derivatives_are_those_of_the_bump() {
        let at = |i: usize| [(i % 6) as f64 / 6.0, (i / 6) as f64 / 6.0];
        let error = derivative_error(&|p: &[f64; 7], i: usize| value(p, at(i)), [0.45, 0.3, 0.15, -0.06, 0.1, 1.7, 0.2], 24);
        assert!(error < 1e-8, "{error}");
    }

    #[test]
    fn axes_are_the_roots_of_the_covariance() {
        // Standard deviations 0.2 and 0.1, turned by 30 degrees.
        let (s, c) = 30f64.to_radians().sin_cos();
        let covariance = [0.04 * c * c + 0.01 * s * s, 0.03 * s * c, 0.04 * s * s + 0.01 * c * c];
        let [long, short] = Gaussian2d { mu: [0.0; 2], covariance, amplitude: 1.0, offset: 0.0 }.sd();
        assert!((long - 0.2).abs() < 1e-12 && (short - 0.1).abs() < 1e-12);
    }
}
