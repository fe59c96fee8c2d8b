//! Resampling to a regular grid: linear interpolation, after a Hamming low-pass where the grid is coarser than the source.
//!
//! Rules of the reference implementation (paper Methods: linear interpolation for units and behaviour, Hamming low-pass for
//! the treadmill). NaN values are first filled by linear interpolation over their index.

/// A regular grid of samples at `start + k / rate`, up to `end`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grid {
    /// First sample, s.
    pub start: f64,
    /// No sample is later, s.
    pub end: f64,
    /// Samples per second, Hz.
    pub rate: f64,
}

impl Grid {
    /// Number of samples.
    pub fn len(&self) -> usize {
        if self.end >= self.start { index(self.end - self.start, self.rate) + 1 } else { 0 }
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn times(&self) -> impl Iterator<Item = f64> {
        let Self { start, rate, .. } = *self;
        (0..self.len()).map(move |k| start + k as f64 / rate)
    }
}

/// Index of the sample at time `t` after the first: whole periods, forgiving a twentieth of one.
fn index(t: f64, rate: f64) -> usize {
    ((t * rate * 10.0).round_ties_even() / 10.0).floor().max(0.0) as usize
}

/// Linear interpolation of values at times (s, increasing) to the grid; NaN outside the times.
pub fn linear(times: &[f64], values: &[f64], grid: &Grid) -> Vec<f64> {
    interpolate(times, &filled(values), grid)
}

/// 1 where interpolation touches a value that was NaN, else 0.
pub fn missing(times: &[f64], values: &[f64], grid: &Grid) -> Vec<f64> {
    let nan: Vec<f64> = values.iter().map(|v| f64::from(v.is_nan())).collect();
    interpolate(times, &nan, grid).into_iter().map(|v| f64::from(v > 0.0)).collect()
}

/// As [`linear`], after a Hamming low-pass as wide as the grid's period where that is longer than the source's.
pub fn hamming(times: &[f64], values: &[f64], grid: &Grid) -> Vec<f64> {
    filtered(times, values, 1.0 / grid.rate, grid)
}

/// As [`hamming`], with the low-pass as wide as the period of `frequency` (Hz).
pub fn lowpass_hamming(times: &[f64], values: &[f64], frequency: f64, grid: &Grid) -> Vec<f64> {
    filtered(times, values, 1.0 / frequency, grid)
}

fn filtered(times: &[f64], values: &[f64], period: f64, grid: &Grid) -> Vec<f64> {
    let values = filled(values);
    let steps: Vec<f64> = times.windows(2).map(|t| t[1] - t[0]).filter(|d| d.is_finite()).collect();
    let source = median(&steps);
    if !(period > source && source > 0.0) {
        return interpolate(times, &values, grid);
    }
    let radius = (period / source).round_ties_even() as usize;
    interpolate(times, &smoothed(&values, radius), grid)
}

/// Convolution with a symmetric Hamming window of 2 `radius` + 1 samples and unit sum, about the median so that the zeros
/// beyond the ends stand for it.
fn smoothed(values: &[f64], radius: usize) -> Vec<f64> {
    let weight = |k: usize| if radius == 0 { 1.0 } else { 0.54 - 0.46 * (std::f64::consts::PI * k as f64 / radius as f64).cos() };
    let window: Vec<f64> = (0..=2 * radius).map(weight).collect();
    let sum: f64 = window.iter().sum();
    let centre = median(values);
    (0..values.len())
        .map(|i| {
            let inside = (0..=2 * radius).filter_map(|k| (i + k).checked_sub(radius).and_then(|j| values.get(j)).map(|v| window[k] * (v - centre)));
            centre + inside.sum::<f64>() / sum
        })
        .collect()
}

/// For each sample of a grid that begins with the first flip: the flip on screen. That is the first flip among those that
/// reached the latest index not after the sample's (60 Hz flips at 30 Hz: every other one).
pub fn flip_index(times: &[f64], rate: f64) -> Vec<usize> {
    let (Some(first), Some(last)) = (times.first(), times.last()) else { return Vec::new() };
    let reached: Vec<usize> = times.iter().map(|t| index(t - first, rate)).collect();
    let mut flip = 0;
    (0..=index(last - first, rate))
        .map(|k| {
            while let Some(next) = (flip + 1..reached.len()).find(|j| reached[*j] > reached[flip]).filter(|j| reached[*j] <= k) {
                flip = next;
            }
            flip
        })
        .collect()
}

/// NaN filled by linear interpolation over the index, beyond the ends by the nearest value.
fn filled(values: &[f64]) -> Vec<f64> {
    let known: Vec<usize> = (0..values.len()).filter(|i| !values[*i].is_nan()).collect();
    let (Some(&first), Some(&last)) = (known.first(), known.last()) else { return values.to_vec() };
    let mut out = values.to_vec();
    out[..first].fill(values[first]);
    out[last..].fill(values[last]);
    for pair in known.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        for i in a + 1..b {
            out[i] = values[a] + (values[b] - values[a]) * (i - a) as f64 / (b - a) as f64;
        }
    }
    out
}

fn interpolate(times: &[f64], values: &[f64], grid: &Grid) -> Vec<f64> {
    let times = filled(times);
    let mut right = 0;
    grid.times()
        .map(|t| {
            while right < times.len() && times[right] < t {
                right += 1;
            }
            match (right.checked_sub(1), times.get(right)) {
                (_, Some(after)) if *after == t => values[right],
                (Some(left), Some(after)) => values[left] + (values[right] - values[left]) * (t - times[left]) / (after - times[left]),
                _ => f64::NAN,
            }
        })
        .collect()
}

fn median(values: &[f64]) -> f64 {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|v| !v.is_nan()).collect();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[n / 2],
        n => (sorted[n / 2 - 1] + sorted[n / 2]) / 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_a_line() {
        let times: Vec<f64> = (0..50).map(|i| 0.13 * f64::from(i)).collect();
        let mut values: Vec<f64> = times.iter().map(|t| 3.0 * t - 1.0).collect();
        values[7] = f64::NAN; // evenly spaced, so the index stands for time
        let grid = Grid { start: 1.0, end: 3.0, rate: 30.0 };
        let out = linear(&times, &values, &grid);
        assert_eq!(out.len(), 61);
        for (k, v) in out.iter().enumerate() {
            assert!((v - (3.0 * (1.0 + k as f64 / 30.0) - 1.0)).abs() < 1e-12);
        }
    }

    #[test]
    fn outside_is_missing() {
        let out = linear(&[0.0, 1.0], &[1.0, 2.0], &Grid { start: -0.5, end: 1.5, rate: 2.0 });
        assert!(out[0].is_nan() && out[4].is_nan());
        assert_eq!(out[1..4], [1.0, 1.5, 2.0]);
    }

    #[test]
    fn sixty_hertz_flips_at_thirty_show_every_other_frame() {
        let flips: Vec<f64> = (0..13).map(|i| f64::from(i) / 60.0).collect();
        assert_eq!(flip_index(&flips, 30.0), [0, 2, 4, 6, 8, 10, 12]);
    }

    #[test]
    fn smoothing_keeps_a_constant() {
        let times: Vec<f64> = (0..300).map(|i| f64::from(i) / 100.0).collect();
        let out = hamming(&times, &[4.0; 300], &Grid { start: 0.0, end: 2.9, rate: 30.0 });
        assert!(out.iter().all(|v| (v - 4.0).abs() < 1e-12));
    }
}
