//! Pointwise part of the recurrent cells.

use crate::measure::{cases, close, dot, gradient, values, wide};
use proptest::prelude::*;
use proptest::sample::select;
use striate_kernels::lstm::{Cell, gru, gru_backward, lstm, lstm_backward};
use striate_kernels::reference;

fn cells() -> impl Strategy<Value = (Cell, usize, bool)> {
    (1..=4usize, select(vec![1usize, 3, 4, 8, 16, 17, 32]), 1..=13usize, 1..=3usize, any::<bool>())
        .prop_map(|(groups, channels, pixels, batch, dropout)| (Cell { groups, channels, pixels }, batch, dropout))
}

/// Dropout factors 0 and 1.25, if any.
fn mask(cell: Cell, batch: usize, dropout: bool) -> Option<Vec<f32>> {
    let mask = values(7, batch * cell.groups * cell.channels);
    dropout.then(|| mask.iter().map(|v| if *v > -0.6 { 1.25 } else { 0.0 }).collect())
}

/// Gates as large as they become.
fn gates(n: usize) -> Vec<f32> {
    values(1, n).iter().map(|v| v * 4.0).collect()
}

proptest! {
    #![proptest_config(cases(32))]

    #[test]
    fn lstm_is_the_definition_and_its_gradients_the_slopes((cell, batch, dropout) in cells()) {
        let n = batch * cell.pixels * cell.groups * cell.channels;
        let (raw, c_before, mask) = (gates(4 * n), values(2, n), mask(cell, batch, dropout));
        let (wr, wc, wm) = (wide(&raw), wide(&c_before), mask.as_ref().map(|m| wide(m)));
        let expected = |gates: &[f64], c: &[f64]| reference::lstm(cell, gates, c, wm.as_deref());
        let mut gates = raw;
        let (mut c, mut h) = (c_before.clone(), vec![f32::NAN; n]);
        lstm(cell, &mut gates, &mut c, &mut h, mask.as_deref());
        close("lstm c", &c, &expected(&wr, &wc).0, 1e-6);
        close("lstm h", &h, &expected(&wr, &wc).1, 1e-6);

        let (dh, mut dc) = (values(3, n), values(4, n));
        let (wdh, wdc) = (wide(&dh), wide(&dc));
        let loss = |gates: &[f64], c: &[f64]| {
            let (c, h) = expected(gates, c);
            dot(&c, &wdc) + dot(&h, &wdh)
        };
        lstm_backward(cell, &mut gates, &c_before, &c, &dh, &mut dc, mask.as_deref());
        gradient("lstm gates", &gates, &wr, |gates| loss(gates, &wc));
        gradient("lstm state", &dc, &wc, |c| loss(&wr, c));
    }

    #[test]
    fn gru_is_the_definition_and_its_gradients_the_slopes((cell, batch, dropout) in cells()) {
        let n = batch * cell.pixels * cell.groups * cell.channels;
        let (raw, h_before, mask) = (gates(2 * n), values(2, n), mask(cell, batch, dropout));
        let (wr, wh, wm) = (wide(&raw), wide(&h_before), mask.as_ref().map(|m| wide(m)));
        let expected = |gates: &[f64], h: &[f64]| reference::gru(cell, gates, h, wm.as_deref());
        let mut gates = raw;
        let mut h = h_before.clone();
        gru(cell, &mut gates, &mut h, mask.as_deref());
        close("gru h", &h, &expected(&wr, &wh), 1e-6);

        let mut dh = values(3, n);
        let wdh = wide(&dh);
        gru_backward(cell, &mut gates, &h_before, &mut dh, mask.as_deref());
        gradient("gru gates", &gates, &wr, |gates| dot(&expected(gates, &wh), &wdh));
        gradient("gru state", &dh, &wh, |h| dot(&expected(&wr, h), &wdh));
    }
}

#[test]
fn saturated_gates_stay_finite_and_a_nan_gate_is_not_hidden() {
    let cell = Cell { groups: 1, channels: 2, pixels: 1 };
    for size in [50.0, 1e4, 1e30] {
        let mut gates = [size, -size, size, size, size, -size, size, size];
        let (mut c, mut h) = ([0.5; 2], [0.0; 2]);
        lstm(cell, &mut gates, &mut c, &mut h, None);
        assert!(c[0] == 1.5 && c[1].abs() < 1.0 && h.iter().all(|h| h.is_finite()), "{c:?} {h:?}");
    }
    let (mut c, mut h) = ([0.5; 2], [0.0; 2]);
    lstm(cell, &mut [0.0, f32::NAN, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], &mut c, &mut h, None);
    assert!(h[0].is_finite() && c[1].is_nan() && h[1].is_nan());
}
