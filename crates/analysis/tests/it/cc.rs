//! CC_abs, CC_max and CC_norm: numbers known by hand, laws, and data that define no value.
use ndarray::{Array2, array, s};
use proptest::prelude::*;
use striate_analysis::{Error, UnitCorrelation, cc_abs, cc_max, cc_norm, median_valid, single_trial};

const NAN: f64 = f64::NAN;

#[test]
fn cc_max_of_numbers_known_by_hand() {
    let mut y = array![[1.0, 2.0, 0.0, 4.0, 3.0], [0.0, 3.0, 1.0, 5.0, 2.0], [2.0, 2.0, 1.0, 3.0, 4.0]];
    // n = 3, SP = 1.6333333
    assert!((cc_max(y.view()) - 1.0306011).abs() < 5e-8);
    // n = 2.6186147, SP = 2.3710165
    y.slice_mut(s![2, 3..]).fill(NAN);
    assert!((cc_max(y.view()) - 1.1358495).abs() < 5e-8);
}

#[test]
fn data_that_define_no_value_give_nan() {
    let y = array![[1.0, 2.0, 0.0, 4.0], [0.0, 3.0, 1.0, 5.0]];
    let constant = Array2::from_elem((2, 4), 0.1);
    // The same number throughout, but averaged over two or three repeats, which rounds differently.
    let unequal = array![[0.1, 0.1, 0.1, 0.1], [0.1, 0.1, 0.1, 0.1], [0.1, 0.1, NAN, NAN]];
    // Repeats that disagree exactly: no signal, so SP < 0.
    let opposed = array![[0.0, 1.0, 0.0, 1.2], [1.0, 0.0, 1.0, 0.0]];
    // n = 2, mean [0, 1, 0, -1] and trial variances whose mean is exactly 2 Var(mean): SP = 0.
    let silent = array![[1.0, 2.0, -1.0, -2.0], [-1.0, 0.0, 1.0, 0.0]];
    for response in [&constant, &unequal, &opposed, &silent] {
        assert!(cc_max(response.view()).is_nan(), "{response}");
    }
    assert!(cc_abs(y.view(), constant.view()).is_nan());
    assert!(cc_abs(constant.view(), y.view()).is_nan());
    assert!(cc_max(y.slice(s![..1, ..])).is_nan(), "one repeat has no ceiling");
    assert!(cc_max(Array2::<f64>::zeros((0, 0)).view()).is_nan());
    assert!(cc_max(Array2::from_elem((3, 4), NAN).view()).is_nan());
    assert!(cc_norm(y.view(), array![[1.0, f64::INFINITY, 0.0, 1.0], [1.0, 0.0, 1.0, 2.0]].view()).is_nan());
    assert!(cc_abs(y.view(), y.slice(s![.., ..3])).is_nan());
    let e = UnitCorrelation::new(y.view(), y.slice(s![.., ..3])).unwrap_err();
    assert!(matches!(e, Error::Shape { .. }));
}

#[test]
fn a_sample_without_any_trial_is_left_out() {
    let y = array![[1.0, 2.0, 0.0, 4.0, 3.0], [0.0, 3.0, 1.0, 5.0, 2.0]];
    let prediction = array![[1.0, 2.5, 0.2, 4.4, 2.0], [1.0, 2.5, 0.2, 4.4, 2.0]];
    let mut holed = Array2::from_elem((3, 6), NAN);
    let mut wide = Array2::zeros((3, 6));
    for (from, to) in [0usize, 1, 2, 3, 4].into_iter().zip([0usize, 1, 3, 4, 5]) {
        holed.slice_mut(s![..2, to]).assign(&y.column(from));
        wide.slice_mut(s![..2, to]).assign(&prediction.column(from));
        wide[[2, to]] = NAN;
    }
    assert!((cc_norm(wide.view(), holed.view()) - cc_norm(prediction.view(), y.view())).abs() < 1e-14);
}

#[test]
fn single_trial_uses_every_measured_sample() {
    let y = array![[1.0, 2.0, NAN], [3.0, 5.0, 4.0]];
    let p = array![[1.0, 3.0, 9.0], [2.0, 5.0, 4.0]];
    assert!((single_trial(p.view(), y.view()) - 0.9).abs() < 1e-15, "r of (1 2 3 5 4) and (1 3 2 5 4)");
    assert_eq!(median_valid(&[NAN, 0.5, f64::INFINITY, 0.7, 0.6]), (0.6, 3));
}

/// Repeats of a signal with noise: [R, samples].
fn repeats() -> impl Strategy<Value = Array2<f64>> {
    (2usize..6, 4usize..20).prop_flat_map(|(r, n)| {
        (prop::collection::vec(-5.0f64..5.0, n), prop::collection::vec(-1.0f64..1.0, r * n))
            .prop_map(move |(signal, noise)| Array2::from_shape_fn((r, n), |(i, j)| signal[j] + noise[i * n + j]))
    })
}

fn same(a: f64, b: f64) -> bool {
    (a.is_nan() && b.is_nan()) || (a - b).abs() < 1e-9 * (1.0 + a.abs())
}

proptest! {
    #[test]
    fn the_ceiling_ignores_scale_offset_and_order_of_trials(y in repeats(), scale in 0.1f64..10.0, offset in -10.0f64..10.0) {
        let ceiling = cc_max(y.view());
        prop_assume!(ceiling >= 1e-3);
        prop_assert!(same(ceiling, cc_max((&y * scale + offset).view())));
        prop_assert!(same(ceiling, cc_max(y.slice(s![..;-1, ..]))));
        prop_assert!(same(ceiling, cc_max(y.slice(s![.., ..;-1]))));
    }

    #[test]
    fn the_average_itself_reaches_one_and_its_negative_minus_one(y in repeats()) {
        let mean = y.mean_axis(ndarray::Axis(0)).unwrap();
        let prediction = mean.broadcast(y.dim()).unwrap();
        prop_assert!((cc_abs(prediction, y.view()) - 1.0).abs() < 1e-12);
        prop_assert!((cc_abs(prediction.mapv(|v| -v).view(), y.view()) + 1.0).abs() < 1e-12);
    }

    #[test]
    fn trials_never_measured_change_nothing(y in repeats()) {
        let mut padded = Array2::from_elem((y.nrows() + 2, y.ncols()), NAN);
        padded.slice_mut(s![..y.nrows(), ..]).assign(&y);
        prop_assert!(same(cc_max(y.view()), cc_max(padded.view())));
    }
}
