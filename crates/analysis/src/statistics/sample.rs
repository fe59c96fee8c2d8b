//! Samples: mean, variance, Pearson correlation, median and histogram, with NaN as missing.

/// Mean of what is not NaN; NaN if nothing is left.
pub fn mean(values: &[f64]) -> f64 {
    let (sum, count) = values.iter().filter(|v| !v.is_nan()).fold((0.0, 0usize), |(s, n), v| (s + v, n + 1));
    sum / count as f64
}

/// Variance of what is not NaN, divided by the number of values minus `ddof`; NaN if too few are left.
pub fn variance(values: &[f64], ddof: usize) -> f64 {
    let centre = mean(values);
    let (sum, count) = values.iter().filter(|v| !v.is_nan()).fold((0.0, 0usize), |(s, n), v| (s + (v - centre) * (v - centre), n + 1));
    if count > ddof { sum / (count - ddof) as f64 } else { f64::NAN }
}

/// Whether the values that are not NaN are all the same up to rounding. Also true when fewer than two are left: no trace of
/// which nothing varies has a correlation.
///
/// Rounding matters because a constant response divided by its own mean, or averaged over unequal numbers of trials, differs
/// from sample to sample in the last bit, and a correlation of those bits is noise.
pub fn is_constant(values: &[f64]) -> bool {
    let largest = values.iter().filter(|v| !v.is_nan()).fold(0.0f64, |m, v| m.max(v.abs()));
    let sd = variance(values, 0).sqrt();
    // An infinity makes the deviation NaN; it is not constant, and the caller's result becomes NaN by itself.
    values.iter().filter(|v| !v.is_nan()).count() < 2 || sd <= 16.0 * f64::EPSILON * largest
}

/// Pearson correlation of two traces `[samples]` over the samples where neither is NaN.
///
/// NaN if the lengths differ, fewer than two samples are left, either trace is constant, or a value is infinite.
pub fn pearson(a: &[f64], b: &[f64]) -> f64 {
    if a.len() != b.len() {
        return f64::NAN;
    }
    let (a, b): (Vec<f64>, Vec<f64>) = a.iter().zip(b).filter(|(x, y)| !x.is_nan() && !y.is_nan()).unzip();
    if is_constant(&a) || is_constant(&b) {
        return f64::NAN;
    }
    let (mean_a, mean_b) = (mean(&a), mean(&b));
    let (mut aa, mut bb, mut ab) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(&b) {
        let (x, y) = (x - mean_a, y - mean_b);
        aa += x * x;
        bb += y * y;
        ab += x * y;
    }
    ab / (aa.sqrt() * bb.sqrt())
}

/// Median of the finite values and how many there are; (NaN, 0) if none is.
pub fn median_valid(values: &[f64]) -> (f64, usize) {
    let mut finite: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    finite.sort_by(f64::total_cmp);
    let n = finite.len();
    let median = match n {
        0 => f64::NAN,
        _ if n % 2 == 1 => finite[n / 2],
        _ => finite[n / 2 - 1] / 2.0 + finite[n / 2] / 2.0,
    };
    (median, n)
}

/// Counts of values in bins of equal width.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// Bin edges `[bins + 1]`; a value on an inner edge belongs to the bin above it, one on the last edge to the last bin.
    pub edges: Vec<f64>,
    /// Values in each bin `[bins]`.
    pub counts: Vec<usize>,
    /// Finite values under the first edge.
    pub below: usize,
    /// Finite values over the last edge.
    pub above: usize,
    /// NaN and infinite values.
    pub invalid: usize,
}

/// Histogram of `values` over `bins` bins from `low` to `high`. `None` if there is no such range or no bin.
pub fn histogram(values: &[f64], low: f64, high: f64, bins: usize) -> Option<Histogram> {
    let width = (high - low) / bins as f64;
    if !(width.is_finite() && width > 0.0) {
        return None;
    }
    let edges = (0..=bins).map(|i| if i == bins { high } else { low + width * i as f64 }).collect();
    let mut h = Histogram { edges, counts: vec![0; bins], below: 0, above: 0, invalid: 0 };
    for &v in values {
        if !v.is_finite() {
            h.invalid += 1;
        } else if v < low {
            h.below += 1;
        } else if v > high {
            h.above += 1;
        } else {
            // The last edge not above v: searched among the edges themselves, so that rounding cannot misplace a value.
            let bin = h.edges.partition_point(|&edge| edge <= v);
            h.counts[bin.clamp(1, bins) - 1] += 1;
        }
    }
    Some(h)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_leaves_out_what_is_not_finite() {
        assert_eq!(median_valid(&[3.0, f64::NAN, 1.0, f64::INFINITY, 2.0]), (2.0, 3));
        assert_eq!(median_valid(&[4.0, 1.0, 2.0, 3.0]), (2.5, 4));
        assert_eq!(median_valid(&[f64::MAX, f64::MAX]).0, f64::MAX);
        let (m, n) = median_valid(&[f64::NAN]);
        assert!(m.is_nan() && n == 0);
    }

    #[test]
    fn histogram_counts_every_value_once() {
        let values = [0.0, 0.1, 0.2, 0.3, 1.0, -0.5, 1.5, f64::NAN, f64::INFINITY];
        let h = histogram(&values, 0.0, 1.0, 10).unwrap();
        assert_eq!(h.counts.iter().sum::<usize>() + h.below + h.above + h.invalid, values.len());
        assert_eq!((h.counts[0], h.counts[1], h.counts[9], h.below, h.above, h.invalid), (1, 1, 1, 1, 1, 2));
        assert_eq!(histogram(&values, 1.0, 1.0, 10), None);
        assert_eq!(histogram(&values, 0.0, 1.0, 0), None);
        assert_eq!(histogram(&values, 0.0, f64::NAN, 3), None);
    }

    #[test]
    fn a_trace_constant_up_to_rounding_has_no_correlation() {
        let third = [0.1, 0.1 + 2e-17, (0.1 + 0.1 + 0.1) / 3.0, 0.1];
        assert!(is_constant(&third));
        assert!(pearson(&third, &[1.0, 2.0, 3.0, 5.0]).is_nan());
        assert!(!is_constant(&[1e9, 1e9 + 1.0]));
        assert!(pearson(&[1.0], &[2.0]).is_nan());
        assert!(pearson(&[1.0, 2.0], &[2.0]).is_nan());
        assert!(pearson(&[1.0, f64::INFINITY, 0.0], &[2.0, 1.0, 0.0]).is_nan());
    }

    #[test]
    fn pearson_of_known_numbers() {
        // r = 8 / sqrt(10 * 10)
        let r = pearson(&[1.0, 2.0, 3.0, 4.0, 5.0, f64::NAN], &[1.0, 3.0, 2.0, 5.0, 4.0, 7.0]);
        assert!((r - 0.8).abs() < 1e-15, "{r}");
    }
}
