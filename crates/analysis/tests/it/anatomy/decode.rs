//! Nested cross-validation: what can be decoded is, what cannot is at chance, and folds are what they promise.
use super::clusters;
use ndarray::Array2;
use proptest::prelude::*;
use striate_analysis::Error;
use striate_analysis::anatomy::{DecodeConfig, Labels, decode, grouped_folds, leave_one_group_out, stratified_folds};

fn quick() -> DecodeConfig {
    DecodeConfig { folds: 5, inner_folds: 4, strengths: vec![1e-3, 1e-1, 10.0], ..DecodeConfig::default() }
}

#[test]
fn separate_classes_are_decoded_and_shuffled_labels_are_not() {
    let (x, labels) = clusters(300, 8, 3, 6.0, 1);
    let accuracy = |labels: &Labels| {
        let decoded = decode(x.view(), labels, None, &quick()).unwrap();
        assert_eq!(decoded.unconverged, 0);
        decoded.confusion(labels).balanced_accuracy()
    };
    assert!(accuracy(&labels) > 0.98);
    let shuffled: f64 = (0..4).map(|seed| accuracy(&labels.shuffled(seed))).sum::<f64>() / 4.0;
    // 1200 samples at chance 1/3: the standard error is .014
    assert!((shuffled - 1.0 / 3.0).abs() < 0.05, "shuffled labels are decoded at {shuffled}");
}

#[test]
fn the_grid_is_searched() {
    // many noise features: a weak penalty fits them, a strong one does not
    let (x, labels) = clusters(120, 150, 2, 1.5, 2);
    let decoded = decode(x.view(), &labels, None, &DecodeConfig { strengths: vec![1e-2, 1e4], ..quick() }).unwrap();
    assert!(decoded.strength.iter().filter(|c| **c == 1e-2).count() >= 4, "{:?}", decoded.strength);
    let default = DecodeConfig::default();
    assert_eq!((default.strengths.len(), default.strengths[0], default.strengths[9]), (10, 1e-4, 1e4));
}

#[test]
fn held_out_samples_do_not_enter_their_own_prediction() {
    // a feature that is the class in all samples but one: that one must be taken for the other class
    let n = 60;
    let mut x = Array2::from_shape_fn((n, 1), |(i, _)| (i % 2) as f32);
    x[[7, 0]] = 0.0;
    let labels = Labels::new(&(0..n).map(|i| ["a", "b"][i % 2]).collect::<Vec<_>>());
    let decoded = decode(x.view(), &labels, None, &quick()).unwrap();
    let wrong: Vec<usize> = (0..n).filter(|&i| decoded.predicted[i] != labels.of[i]).collect();
    assert_eq!(wrong, [7]);
    assert!((0..5).all(|f| decoded.fold.iter().filter(|fold| **fold == f).count() == 12));
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let (x, labels) = clusters(90, 6, 3, 1.0, 3);
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| decode(x.view(), &labels, None, &quick()).unwrap())
    };
    assert_eq!(with(1), with(3));
}

#[test]
fn a_group_is_predicted_from_the_others() {
    // the feature's sign means the opposite in group "odd": alone held out, it is taken for its mirror image
    let names: Vec<String> = (0..120).map(|i| format!("{}", i % 2)).collect();
    let groups = Labels::new(&(0..120).map(|i| if i < 30 { "odd".to_owned() } else { format!("g{}", i / 30) }).collect::<Vec<_>>());
    let noise = |i: usize| (i * 31 % 17) as f32 / 100.0;
    let x = Array2::from_shape_fn((120, 1), |(i, _)| (if (i % 2 == 0) == (i < 30) { 1.0 } else { -1.0 }) + noise(i));
    let labels = Labels::new(&names);
    let decoded = decode(x.view(), &labels, Some(&groups), &quick()).unwrap();
    let right = |range: std::ops::Range<usize>| range.filter(|&i| decoded.predicted[i] == labels.of[i]).count();
    assert_eq!((right(0..30), right(30..120)), (0, 90));
    assert_eq!(decoded.strength.len(), 4);
}

#[test]
fn what_cannot_be_decoded_is_refused() {
    let (mut x, labels) = clusters(40, 3, 2, 1.0, 4);
    let refused = |labels: &Labels, groups: Option<&Labels>, config: &DecodeConfig| decode(x.view(), labels, groups, config).unwrap_err();
    let one = Labels::new(&["V1"; 40]);
    assert_eq!(refused(&one, None, &quick()), Error::OneClass { class: "V1".into(), samples: 40 });
    let rare = Labels::new(&(0..40).map(|i| if i < 3 { "L5NP" } else { "L4a" }).collect::<Vec<_>>());
    assert_eq!(refused(&rare, None, &quick()), Error::RareClass { class: "L5NP".into(), samples: 3, folds: 5 });
    let groups = Labels::new(&(0..40).map(|i| if i < 3 { "fly 1" } else { "fly 2" }).collect::<Vec<_>>());
    assert!(matches!(refused(&rare, Some(&groups), &quick()), Error::OneGroup { class, .. } if class == "L4a"));
    assert!(matches!(refused(&labels, Some(&Labels::new(&["a"; 3])), &quick()), Error::Shape { .. }));
    assert!(matches!(refused(&Labels::new(&["a", "b"]), None, &quick()), Error::Shape { .. }));
    for strengths in [vec![], vec![1.0, 0.1], vec![0.0], vec![f64::NAN]] {
        assert!(matches!(refused(&labels, None, &DecodeConfig { strengths, ..quick() }), Error::Config { field: "strengths", .. }));
    }
    assert!(matches!(refused(&labels, None, &DecodeConfig { folds: 1, ..quick() }), Error::Config { field: "folds", .. }));
    x[[39, 2]] = f32::INFINITY;
    assert!(matches!(decode(x.view(), &labels, None, &quick()), Err(Error::Feature { row: 39, column: 2, .. })));
}

proptest! {
    #[test]
    fn folds_are_stratified(classes in prop::collection::vec(0usize..5, 1..200), folds in 2usize..12, seed: u64) {
        let labels = Labels { classes: (0..5).map(|k| k.to_string()).collect(), of: classes };
        let fold = stratified_folds(&labels, folds, seed);
        prop_assert_eq!(&fold, &stratified_folds(&labels, folds, seed));
        let even = |members: &[usize]| {
            let counts: Vec<usize> = (0..folds).map(|f| members.iter().filter(|&&i| fold[i] == f).count()).collect();
            counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1
        };
        prop_assert!(labels.members().iter().all(|members| even(members)));
        prop_assert!(even(&(0..labels.len()).collect::<Vec<_>>()));
    }

    #[test]
    fn groups_stay_together(groups in prop::collection::vec(0usize..8, 1..150), folds in 1usize..12, seed: u64) {
        let groups = Labels::new(&groups.iter().map(ToString::to_string).collect::<Vec<_>>());
        let fold = grouped_folds(&groups, folds, seed);
        prop_assert!(groups.members().iter().all(|members| members.iter().all(|&i| fold[i] == fold[members[0]])));
        let used = fold.iter().max().unwrap() + 1;
        prop_assert_eq!(used, folds.min(groups.classes.len()));
        prop_assert!((0..used).all(|f| fold.contains(&f)));
    }
}

#[test]
fn every_group_is_left_out_once() {
    let labels = Labels::new(&["a", "a", "b", "b"]);
    assert_eq!(leave_one_group_out(&labels, &Labels::new(&["x", "y", "x", "y"])).unwrap(), [0, 1, 0, 1]);
}

/// One outer fold of the published size on made-up barcodes;
/// `cargo test --release -p striate-analysis --test it speed_of_one_outer_fold -- --ignored --nocapture`.
#[test]
#[ignore = "takes a minute: a measurement"]
fn speed_of_one_outer_fold() {
    let (x, labels) = clusters(16_000, 512, 11, 2.0, 6);
    // features in common, as barcodes of neighbouring channels have
    let x = Array2::from_shape_fn(x.dim(), |(i, j)| x[[i, j]] + 2.0 * x[[i, (j + 1) % 512]] + x[[i, (j + 2) % 512]]);
    // two groups: a tenth held out, with all inner folds in the rest, and the reverse, a ninth of that work
    let groups = Labels::new(&(0..16_000).map(|i| if i < 1600 { "tenth" } else { "rest" }).collect::<Vec<_>>());
    let start = std::time::Instant::now();
    let decoded = decode(x.view(), &labels, Some(&groups), &DecodeConfig::default()).unwrap();
    let (seconds, threads) = (start.elapsed().as_secs_f64(), rayon::current_num_threads());
    println!(
        "one outer fold and a ninth of one: {seconds:.1} s on {threads} threads; balanced accuracy {:.3}, C {:?}, unconverged {}",
        decoded.confusion(&labels).balanced_accuracy(),
        decoded.strength,
        decoded.unconverged
    );
}
