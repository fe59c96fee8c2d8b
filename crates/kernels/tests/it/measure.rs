//! Random values, relative errors, and central finite differences.

use proptest::test_runner::{Config, RngSeed};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The same `cases` random cases in every run, so that a rounding tolerance cannot fail by chance.
pub fn cases(cases: u32) -> Config {
    Config { cases, rng_seed: RngSeed::Fixed(2025), failure_persistence: None, ..Config::default() }
}

/// `n` values in (-1, 1).
pub fn values(seed: u64, n: usize) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..n).map(|_| rng.random_range(-1.0..1.0)).collect()
}

/// The same values in f64.
pub fn wide(x: &[f32]) -> Vec<f64> {
    x.iter().map(|v| f64::from(*v)).collect()
}

/// Sum of products.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Relative L2 error.
pub fn error(got: &[f32], want: &[f64]) -> f64 {
    assert_eq!(got.len(), want.len());
    let difference: Vec<f64> = got.iter().zip(want).map(|(g, w)| f64::from(*g) - w).collect();
    let (off, size) = (dot(&difference, &difference).sqrt(), dot(want, want).sqrt());
    if off == 0.0 { 0.0 } else { off / size }
}

/// Asserts that the relative L2 error stays below `limit`.
pub fn close(what: &str, got: &[f32], want: &[f64], limit: f64) {
    let error = error(got, want);
    println!("error {what} {error:.2e}");
    assert!(error < limit, "{what}: relative error {error:.2e}, limit {limit:.0e}");
}

/// Asserts that `got` is the gradient of `loss` at `x`: by central differences along some coordinates, and along random
/// directions through all of them.
pub fn gradient(what: &str, got: &[f32], x: &[f64], loss: impl Fn(&[f64]) -> f64) {
    const STEP: f64 = 1e-5;
    const COORDINATES: usize = 12;
    const DIRECTIONS: u64 = 3;
    const LIMIT: f64 = 3e-5;
    assert_eq!(got.len(), x.len(), "{what}");
    let slope = |change: &dyn Fn(&mut [f64], f64)| {
        let at = |step: f64| {
            let mut moved = x.to_vec();
            change(&mut moved, step);
            loss(&moved)
        };
        (at(STEP) - at(-STEP)) / (2.0 * STEP)
    };
    let (mut found, mut expected) = (Vec::new(), Vec::new());
    let stride = (x.len() / COORDINATES) | 1; // odd, so that every channel comes up
    for i in (0..x.len()).step_by(stride) {
        found.push(got[i]);
        expected.push(slope(&|x, step| x[i] += step));
    }
    for direction in 0..DIRECTIONS {
        let direction = wide(&values(900 + direction, x.len()));
        found.push(dot(&wide(got), &direction) as f32);
        expected.push(slope(&|x, step| x.iter_mut().zip(&direction).for_each(|(x, d)| *x += step * d)));
    }
    let error = error(&found, &expected);
    println!("error {what} {error:.2e}");
    assert!(error < LIMIT, "{what}: relative error of the gradient {error:.2e}\n found {found:?}\n expected {expected:?}");
}
