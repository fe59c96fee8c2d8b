//! The register tile as a matrix product.

use crate::measure::{cases, close, values, wide};
use proptest::prelude::*;
use striate_kernels::matmul::{matmul, matmul_parallel, pack};
use striate_kernels::reference;

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn product_is_the_definition(
        (m, k, n) in (1..=40usize, 0..=40usize, 1..=70usize),
        (more_a, more_b, more_out) in (0..=3usize, 0..=3usize, 0..=3usize),
        accumulate: bool,
    ) {
        let (lda, ldb, ldo) = (k + more_a, n + more_b, n + more_out);
        let (a, b, before) = (values(1, m * lda), values(2, k * ldb), values(3, m * ldo));
        let dense = |x: &[f32], rows: usize, stride: usize, width: usize| -> Vec<f64> {
            (0..rows).flat_map(|r| wide(&x[r * stride..][..width])).collect()
        };
        let mut expected = wide(&before);
        let product = reference::matmul(&dense(&a, m, lda, k), &dense(&b, k, ldb, n), m, k, n);
        for (i, p) in product.iter().enumerate() {
            let at = &mut expected[i / n * ldo + i % n];
            *at = if accumulate { *at + p } else { *p };
        }
        let mut out = before;
        matmul(&a, lda, &pack(&b, k, n, ldb), &mut out, ldo, m, k, n, accumulate);
        // what lies between rows must stay as it was, so everything is compared
        close("matmul", &out, &expected, 1e-6);
    }

    #[test]
    fn product_over_all_threads_is_the_definition((m, k, n) in (1..=300usize, 1..=20usize, 1..=40usize)) {
        let (a, b) = (values(1, m * k), values(2, k * n));
        let mut out = vec![f32::NAN; m * n];
        matmul_parallel(&a, &pack(&b, k, n, n), &mut out, k, n);
        close("matmul parallel", &out, &reference::matmul(&wide(&a), &wide(&b), m, k, n), 1e-6);
    }
}
