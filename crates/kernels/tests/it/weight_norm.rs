//! Weight normalisation.

use crate::measure::{cases, close, dot, gradient, values, wide};
use proptest::prelude::*;
use striate_kernels::{reference, weight_norm};

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn normalised_weights_are_the_definition_and_gradients_the_slopes(
        (rows, length, more) in (1..=9usize, 2..=60usize, 1..=4usize),
        with_gains: bool,
    ) {
        let fan_in = length * more; // grouped readout features divide by all inputs
        let (raw, dw) = (values(1, rows * length), values(3, rows * length));
        let gains = values(2, rows);
        let used = with_gains.then_some(gains.as_slice());
        let (wr, wg, wd) = (wide(&raw), wide(&gains), wide(&dw));
        let wide_used = with_gains.then_some(wg.as_slice());
        let found = weight_norm::forward(&raw, length, fan_in, used);
        close("weight norm", &found, &reference::weight_norm(&wr, length, fan_in, wide_used), 1e-7);
        let (draw, dgain) = weight_norm::backward(&raw, length, fan_in, used, &dw);
        gradient("weight norm raw", &draw, &wr, |r| dot(&reference::weight_norm(r, length, fan_in, wide_used), &wd));
        if with_gains {
            gradient("weight norm gains", &dgain, &wg, |g| dot(&reference::weight_norm(&wr, length, fan_in, Some(g)), &wd));
        }
    }

    #[test]
    fn shift_and_scale_of_raw_weights_do_not_matter(shift in -2.0f32..2.0, scale in 0.5f32..20.0) {
        let raw = values(1, 5 * 30);
        let moved: Vec<f32> = raw.iter().map(|r| r * scale + shift).collect();
        let (a, b) = (weight_norm::forward(&raw, 30, 30, None), weight_norm::forward(&moved, 30, 30, None));
        close("moved", &b, &wide(&a), 2e-5); // the epsilon is not scaled
    }
}

#[test]
fn equal_weights_become_zero_and_stay_finite() {
    let (raw, gains) = ([0.25; 8], [2.0, 3.0]);
    assert_eq!(weight_norm::forward(&raw, 4, 4, Some(&gains)), [0.0; 8]);
    let (draw, dgain) = weight_norm::backward(&raw, 4, 4, Some(&gains), &[1.0, 2.0, 3.0, 4.0, 1.0, 1.0, 1.0, 1.0]);
    assert!(draw.iter().chain(&dgain).all(|d| d.is_finite()));
}
