//! Assembling the repeats of a test domain.
use ndarray::{Array2, ArrayView2};
use striate_analysis::{Accuracy, Error, Repeats};

/// A trial [T, U] whose values tell video, trial, sample and unit apart.
fn trial(video: usize, trial: usize, samples: usize, units: usize) -> Array2<f32> {
    Array2::from_shape_fn((samples, units), |(t, u)| (1000 * video + 100 * trial + 10 * t + u) as f32)
}

fn views(videos: &[Vec<Array2<f32>>]) -> Vec<Vec<ArrayView2<'_, f32>>> {
    videos.iter().map(|trials| trials.iter().map(|t| t.view()).collect()).collect()
}

#[test]
fn videos_follow_each_other_and_missing_repeats_are_nan() {
    let videos = vec![vec![trial(1, 0, 5, 3), trial(1, 1, 4, 3)], vec![trial(2, 0, 3, 3)]];
    let repeats = Repeats::new(views(&videos), 2).unwrap();
    assert_eq!((repeats.repeats(), repeats.samples(), repeats.units()), (2, 3, 3));
    let y = repeats.unit(1);
    assert_eq!(y.row(0).to_vec(), [1021.0, 1031.0, 2021.0]);
    assert_eq!(y.row(1).to_vec()[..2], [1121.0, 1131.0]);
    assert!(y[[1, 2]].is_nan());
}

#[test]
fn trials_that_do_not_fit_are_named() {
    let error = |videos: &[Vec<Array2<f32>>], burnin| Repeats::new(views(videos), burnin).unwrap_err();
    let long = [vec![trial(0, 0, 5, 2), trial(0, 1, 5, 2), trial(0, 2, 3, 2)]];
    assert_eq!(error(&long, 0), Error::RepeatLength { video: 0, trial: 2, longest: 5, got: 3 });
    let units = [vec![trial(0, 0, 5, 2)], vec![trial(0, 0, 5, 3)]];
    assert!(matches!(error(&units, 0), Error::Shape { what, .. } if what == "video 1, trial 0"));
    let short = [vec![trial(0, 0, 5, 2)], vec![trial(0, 0, 2, 2)]];
    assert_eq!(error(&short, 2), Error::NothingLeft { video: 1, trials: 1, samples: 2, burnin: 2 });
    let none = [vec![trial(0, 0, 5, 2)], vec![]];
    assert_eq!(error(&none, 0), Error::NothingLeft { video: 1, trials: 0, samples: 0, burnin: 0 });
    assert!(matches!(error(&[], 0), Error::Shape { .. }));
}

#[test]
fn accuracy_of_a_domain_is_a_row_per_unit() {
    // Unit 0 repeats a wave exactly, unit 1 was never measured, unit 2 is constant.
    let wave = |r: usize| {
        let noise = |t: usize| ((t * 7 + r * 13) % 5) as f32 * 0.02;
        Array2::from_shape_fn((30, 3), |(t, u)| [(t as f32 * 0.4).sin() + noise(t), f32::NAN, 1.0][u])
    };
    let measured = vec![vec![wave(0), wave(1), wave(2)], vec![wave(3), wave(4)]];
    let predicted: Vec<Vec<_>> =
        measured.iter().map(|v| v.iter().map(|t| Array2::from_shape_fn(t.dim(), |(t, _)| (t as f32 * 0.4).sin())).collect()).collect();
    let (response, prediction) = (Repeats::new(views(&measured), 10).unwrap(), Repeats::new(views(&predicted), 10).unwrap());
    let accuracy = Accuracy::new("movies", &prediction, &response).unwrap();
    let (median, valid) = accuracy.median();
    assert!(valid == 1 && (median - 1.0).abs() < 0.01, "{median} over {valid}");
    assert!(accuracy.median_above(1.5).0.is_nan());
    let table = accuracy.table();
    assert_eq!(table.integers("unit").unwrap(), [0, 1, 2]);
    assert!(table.floats("cc_norm").unwrap()[1].is_nan() && table.floats("cc_max").unwrap()[2].is_nan());
    let summary = Accuracy::summary(&[accuracy]);
    assert_eq!((summary.integers("units").unwrap(), summary.integers("valid").unwrap()), (&[3][..], &[1][..]));

    let fewer = vec![measured[0].clone()];
    let e = Accuracy::new("movies", &Repeats::new(views(&fewer), 10).unwrap(), &response).unwrap_err();
    assert_eq!(e.to_string(), "domain movies: videos of the prediction: expected 2, got 1");
}
