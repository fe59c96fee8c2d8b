//! Windows of events, curves of their labels, and maps of what they showed.
use ndarray::{Array1, Array2, Array3, array};
use proptest::prelude::*;
use striate_analysis::Error;
use striate_analysis::tuning::{Curves, Delay, Event, event_responses, frame_responses, sta, stimulus_masks};

const NAN: f64 = f64::NAN;

fn event(onset_s: f64, offset_s: f64) -> Event {
    Event { onset_s, offset_s }
}

#[test]
fn both_ends_of_a_window_are_included_and_empty_ones_are_nan() {
    let times = [0.0, 1.0, 2.5, 3.0, 7.0];
    let values = array![[1.0, 1.0], [2.0, NAN], [4.0, NAN], [8.0, 3.0], [16.0, NAN]];
    let events = [event(1.0, 3.0), event(1.1, 2.4), event(3.5, 8.0), event(NAN, 2.0), event(0.0, NAN), event(9.0, 10.0), event(3.0, 3.0)];
    let responses = event_responses(&times, values.view(), &events, Delay::default()).unwrap();
    let want = [[14.0 / 3.0, 3.0], [NAN, NAN], [16.0, NAN], [NAN, NAN], [NAN, NAN], [NAN, NAN], [8.0, 3.0]];
    for (row, want) in responses.rows().into_iter().zip(want) {
        row.iter().zip(want).for_each(|(got, want)| assert!(*got == want || (got.is_nan() && want.is_nan()), "{row} is not {want}"));
    }
    let later = event_responses(&times, values.view(), &[event(0.0, 1.0)], Delay::Same(2.0)).unwrap();
    assert_eq!(later[[0, 0]], 6.0);
}

#[test]
fn frames_are_samples_at_multiples_of_the_period_after_the_burnin() {
    let frames = Array2::from_shape_fn((20, 3), |(t, u)| (t * t + u) as f64);
    let events = [event(0.0, 0.55), event(0.3, 1.2), event(1.85, 3.0)];
    let got = frame_responses(frames.view(), 0.1, 4, &events, Delay::Same(0.05)).unwrap();
    // Frames 4 to 6, 4 to 12 (the fourth comes after 0.35) and 19.
    for unit in 0..3 {
        let mean = |of: std::ops::RangeInclusive<usize>| Array1::from_iter(of.map(|t| (t * t + unit) as f64)).mean().unwrap();
        assert_eq!(got.column(unit).to_vec(), [mean(4..=6), mean(4..=12), mean(19..=19)]);
    }
    assert!(frame_responses(frames.view(), 0.1, 100, &events, Delay::default()).unwrap().iter().all(|v| v.is_nan()));
    assert!(matches!(frame_responses(frames.view(), 0.0, 0, &events, Delay::default()), Err(Error::Config { .. })));
}

#[test]
fn windows_that_cannot_be_are_refused() {
    let values = Array2::zeros((3, 2));
    let on = |times: &[f64], events: &[Event], delay| event_responses(times, values.view(), events, delay);
    let fine = [event(0.0, 1.0)];
    assert!(matches!(on(&[0.0, 1.0], &fine, Delay::default()), Err(Error::Shape { .. })));
    assert!(matches!(on(&[0.0, 2.0, 1.0], &fine, Delay::default()), Err(Error::Value { index: 2, .. })));
    assert!(matches!(on(&[0.0, NAN, 1.0], &fine, Delay::default()), Err(Error::Value { index: 1, .. })));
    assert!(matches!(on(&[0.0, 1.0, 2.0], &[event(1.0, 0.5)], Delay::default()), Err(Error::Value { what: "event ends", .. })));
    assert!(matches!(on(&[0.0, 1.0, 2.0], &fine, Delay::Same(NAN)), Err(Error::Value { what: "delays", .. })));
    assert!(matches!(on(&[0.0, 1.0, 2.0], &fine, Delay::PerUnit(&[0.0])), Err(Error::Shape { .. })));
    let infinite = array![[0.0], [f64::INFINITY]];
    assert!(event_responses(&[0.0, 1.0], infinite.view(), &fine, Delay::default()).is_err());
    assert_eq!(on(&[0.0, 1.0, 2.0], &[], Delay::default()).unwrap().dim(), (0, 2));
}

#[test]
fn curves_average_what_was_measured_at_each_level() {
    let responses = array![[1.0, NAN], [2.0, 5.0], [3.0, 6.0], [10.0, NAN], [100.0, 100.0]];
    let curves = Curves::new(&[0.3, 0.1, 0.1 + 0.2, 0.5, NAN], responses.view()).unwrap();
    assert_eq!(curves.levels.len(), 3, "0.1 + 0.2 is 0.3 up to rounding");
    assert_eq!(curves.mean.row(0).to_vec(), [2.0, 2.0, 10.0]);
    assert!(curves.mean[[1, 0]] == 5.0 && curves.mean[[1, 1]] == 6.0 && curves.mean[[1, 2]].is_nan());
    assert_eq!(curves.count, array![[1, 2, 1], [1, 1, 0]]);
    let turned = Curves::of_directions(&[-90.0, 270.0, 360.0, 0.0, 359.9999999999], responses.view()).unwrap();
    assert_eq!(turned.levels, [0.0, 270.0]);
    assert!(matches!(Curves::new(&[0.0], responses.view()), Err(Error::Shape { .. })));
    assert!(matches!(Curves::new(&[0.0, 1.0, f64::INFINITY, 0.0, 0.0], responses.view()), Err(Error::Value { index: 2, .. })));
    assert!(Curves::new(&[NAN; 5], responses.view()).unwrap().levels.is_empty());
}

#[test]
fn a_map_is_the_mask_weighted_mean_of_the_responses() {
    let masks = Array3::from_shape_fn((4, 2, 3), |(d, i, j)| ((d * 7 + i * 3 + j * 5) % 6) as f64);
    let shown = [0, 1, 3, 0, 2, 1];
    let mut responses = Array2::from_shape_fn((6, 70), |(e, u)| ((e * 31 + u * 17) % 23) as f64);
    responses[[3, 1]] = NAN;
    responses.column_mut(69).fill(NAN);
    let maps = sta(masks.view(), &shown, responses.view()).unwrap();
    for unit in [0, 1, 64, 69] {
        for i in 0..2 {
            for j in 0..3 {
                let (mut sum, mut weight) = (0.0, 0.0);
                for (e, &d) in shown.iter().enumerate().filter(|(e, _)| !responses[[*e, unit]].is_nan()) {
                    sum += responses[[e, unit]] * masks[[d, i, j]];
                    weight += masks[[d, i, j]];
                }
                let (got, want): (f64, f64) = (maps[[unit, i, j]], sum / weight);
                assert!((got - want).abs() < 1e-12 || (got.is_nan() && want.is_nan()), "unit {unit}: {got} is not {want}");
            }
        }
    }
    let masks = stimulus_masks(array![[[128u8, 0], [255, 100]]].view(), 128);
    assert_eq!(masks, array![[[0.0, 128.0], [127.0, 28.0]]]);
    // A pixel that no dot covered has no value.
    assert!(sta(masks.view(), &[0], array![[2.0]].view()).unwrap()[[0, 0, 0]].is_nan());
}

#[test]
fn maps_that_cannot_be_are_refused() {
    let masks = Array3::<f64>::ones((2, 2, 2));
    let responses = Array2::<f64>::ones((3, 1));
    assert!(matches!(sta(masks.view(), &[0, 1], responses.view()), Err(Error::Shape { .. })));
    assert!(matches!(sta(masks.view(), &[0, 1, 2], responses.view()), Err(Error::Value { index: 2, .. })));
    assert!(matches!(sta((masks.clone() - 2.0).view(), &[0, 1, 1], responses.view()), Err(Error::Value { what: "masks", .. })));
    assert!(matches!(sta(Array3::zeros((2, 0, 2)).view(), &[0, 1, 1], responses.view()), Err(Error::Shape { .. })));
    assert!(sta(masks.view(), &[0, 1, 1], array![[1.0], [f64::NEG_INFINITY], [0.0]].view()).is_err());
    assert_eq!(sta(masks.view(), &[0, 1, 1], Array2::zeros((3, 0)).view()).unwrap().dim(), (0, 2, 2));
}

proptest! {
    #[test]
    fn a_window_means_what_lies_inside(times in prop::collection::btree_set(0u32..1000, 1..60), onset in 0u32..1000, length in 0u32..400) {
        let times: Vec<f64> = times.into_iter().map(|t| f64::from(t) / 7.0).collect();
        let (onset, offset) = (f64::from(onset) / 7.0, f64::from(onset + length) / 7.0);
        let values = Array2::from_shape_fn((times.len(), 1), |(t, _)| times[t] * times[t]);
        let got = event_responses(&times, values.view(), &[event(onset, offset)], Delay::default()).unwrap()[[0, 0]];
        let inside: Vec<f64> = times.iter().filter(|t| (onset..=offset).contains(*t)).map(|t| t * t).collect();
        let want = inside.iter().sum::<f64>() / inside.len() as f64;
        prop_assert!(got == want || (got.is_nan() && want.is_nan()), "{got} is not {want}");
    }
}
