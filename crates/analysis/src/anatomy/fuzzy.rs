//! Fuzzy graph: how strongly samples belong together, from their nearest neighbours (McInnes et al. 2018, section 3.1).

use std::collections::BTreeMap;

use super::neighbours::Neighbours;

/// Halvings of the search for a sample's scale.
const HALVINGS: usize = 64;
/// Smallest scale, as a share of the mean distance to the neighbours: keeps duplicates apart from nothing.
const SMALLEST: f64 = 1e-3;

/// Two samples and their strength in (0, 1].
pub(super) type Edge = (usize, usize, f64);

/// Edges of the symmetric graph, each once, the smaller index first, in order.
pub(super) fn fuzzy_graph(neighbours: &Neighbours) -> Vec<Edge> {
    let mut directed: BTreeMap<(usize, usize), [f64; 2]> = BTreeMap::new();
    for (i, (index, distance)) in neighbours.index.rows().into_iter().zip(neighbours.distance.rows()).enumerate() {
        let distance = distance.to_vec();
        for (&j, strength) in index.iter().zip(strengths(&distance)) {
            directed.entry((i.min(j), i.max(j))).or_default()[usize::from(i > j)] = strength;
        }
    }
    // together if either says so: a + b - a b
    directed.into_iter().map(|((i, j), [a, b])| (i, j, a + b - a * b)).filter(|edge| edge.2 > 0.0).collect()
}

/// Strengths of one sample's neighbours, exp(-(d - rho) / sigma) with rho the distance of the nearest one apart from it and sigma
/// such that they sum to log2 k.
fn strengths(distance: &[f64]) -> Vec<f64> {
    let rho = distance.iter().copied().find(|&d| d > 0.0).unwrap_or(0.0);
    let at = |sigma: f64| distance.iter().map(move |&d| (-(d - rho).max(0.0) / sigma).exp());
    let target = (distance.len() as f64).log2();
    let (mut low, mut high, mut sigma) = (0.0, f64::INFINITY, 1.0);
    for _ in 0..HALVINGS {
        if at(sigma).sum::<f64>() > target {
            high = sigma;
            sigma = (low + high) / 2.0;
        } else {
            low = sigma;
            sigma = if high.is_finite() { (low + high) / 2.0 } else { 2.0 * sigma };
        }
    }
    let mean = crate::statistics::mean(distance);
    at(sigma.max(SMALLEST * mean).max(f64::MIN_POSITIVE)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strengths_sum_to_log2_k_and_the_nearest_is_certain() {
        let distance = [0.5, 0.7, 1.1, 1.2, 2.0, 2.5, 3.0, 4.5];
        let found = strengths(&distance);
        assert!((found.iter().sum::<f64>() - 3.0).abs() < 1e-9, "{found:?}");
        assert_eq!(found[0], 1.0);
        assert!(found.is_sorted_by(|a, b| a >= b));
    }

    #[test]
    fn duplicates_and_far_samples_have_finite_strengths() {
        for distance in [&[0.0, 0.0, 0.0][..], &[0.0, 1e-30, 1e30], &[1e300, 1e300]] {
            assert!(strengths(distance).iter().all(|s| (0.0..=1.0).contains(s)), "{distance:?}");
        }
    }
}
