//! Anatomy: what is known by closed form, by scikit-learn or by construction, and what must be refused.
mod data;
mod decode;
mod embed;
mod logistic;
mod scans;

use ndarray::Array2;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use striate_analysis::anatomy::Labels;

/// Standard normal samples [n, d] whose class, `sample % classes`, moves feature `class` by `shift`.
fn clusters(n: usize, d: usize, classes: usize, shift: f32, seed: u64) -> (Array2<f32>, Labels) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut x = Array2::from_shape_simple_fn((n, d), || StandardNormal.sample(&mut rng));
    (0..n).for_each(|i| x[[i, i % classes]] += shift);
    let names: Vec<String> = (0..n).map(|i| format!("class {}", i % classes)).collect();
    (x, Labels::new(&names))
}
