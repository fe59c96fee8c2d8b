//! Tiers: which trials train and which validate.

/// Draws `round(fraction * n)` of `n` trials without replacement, from a seed; true where drawn (reference: tier A of two).
pub fn draw(n: usize, fraction: f64, seed: u64) -> Vec<bool> {
    let mut order: Vec<usize> = (0..n).collect();
    let mut state = seed;
    // Fisher-Yates with SplitMix64, so that a split depends on nothing but its seed
    for i in (1..n).rev() {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        order.swap(i, ((u128::from(z) * (i as u128 + 1)) >> 64) as usize);
    }
    let mut drawn = vec![false; n];
    let count = (n as f64 * fraction.clamp(0.0, 1.0)).round_ties_even() as usize;
    order[..count.min(n)].iter().for_each(|i| drawn[*i] = true);
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_the_fraction_and_keeps_to_its_seed() {
        for (n, fraction) in [(0, 0.5), (1, 1.0), (10, 0.25), (1000, 0.99)] {
            let drawn = draw(n, fraction, 4);
            assert_eq!(drawn.iter().filter(|d| **d).count(), (n as f64 * fraction).round_ties_even() as usize);
            assert_eq!(drawn, draw(n, fraction, 4));
        }
        assert_ne!(draw(100, 0.5, 1), draw(100, 0.5, 2));
        // no place is favoured
        let hits: Vec<usize> = (0..20).map(|i| (0..2000).filter(|s| draw(20, 0.3, *s)[i]).count()).collect();
        assert!(hits.iter().all(|h| (520..680).contains(h)), "{hits:?}");
    }
}
