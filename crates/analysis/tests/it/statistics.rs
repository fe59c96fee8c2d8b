//! Tests and models against closed forms and against SciPy 1.17 and statsmodels 0.14 (the calls stand beside the numbers).
use proptest::prelude::*;
use striate_analysis::Error;
use striate_analysis::statistics::{
    Density, Estimation, MixedModel, bootstrap, chi_square_upper, likelihood_ratio, mean, paired_t_test, permutation_test, signed_rank,
};

/// Depression scores of nine patients before and after treatment (Hollander & Wolfe, Nonparametric Statistical Methods, table 3.1).
const BEFORE: [f64; 9] = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30];
#[allow(clippy::approx_constant)] // a measurement
const AFTER: [f64; 9] = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29];

fn close(what: &str, got: f64, want: f64, relative: f64) {
    assert!((got - want).abs() <= relative * want.abs(), "{what}: {got} is not {want}");
}

#[test]
fn paired_t_of_a_published_example() {
    // scipy.stats.ttest_rel(before, after)
    let test = paired_t_test(&BEFORE, &AFTER).unwrap();
    close("t", test.t, 3.0353754156485917, 1e-13);
    close("p", test.p, 0.016176627434908088, 1e-11);
    assert_eq!((test.df, test.pairs), (8, 9));
    // The sample of pairs decides, not the order or what is missing.
    let gap = |x: &[f64], at: usize| [&x[..at], &[f64::NAN], &x[at..]].concat();
    let with_gap = paired_t_test(&gap(&BEFORE, 4), &gap(&AFTER, 4)).unwrap();
    assert_eq!((with_gap.t, with_gap.pairs), (test.t, 9));
    assert_eq!(paired_t_test(&AFTER, &BEFORE).unwrap().t, -test.t);
}

#[test]
fn a_t_test_that_is_not_defined_is_nan() {
    for (a, b) in [(vec![1.0, 2.0, 3.0], vec![0.5, 1.5, 2.5]), (vec![1.0], vec![0.0]), (vec![], vec![]), (vec![f64::INFINITY, 1.0], vec![0.0, 3.0])] {
        let test = paired_t_test(&a, &b).unwrap();
        assert!(test.t.is_nan() && test.p.is_nan(), "{a:?} {b:?} {test:?}");
    }
    assert!(matches!(paired_t_test(&[1.0], &[1.0, 2.0]), Err(Error::Shape { .. })));
}

#[test]
fn signed_ranks_of_known_samples() {
    // scipy.stats.wilcoxon(before, after, method='exact')
    let test = signed_rank(&BEFORE, &AFTER).unwrap();
    assert_eq!((test.positive, test.negative, test.pairs), (40.0, 5.0, 9));
    close("exact p", test.p, 0.0390625, 1e-14);
    // scipy.stats.wilcoxon(d, method='approx', correction=False): ties and a zero
    let d = [1.0, 2.0, 2.0, -3.0, 4.0, 5.0, -1.0, 2.0, 6.0, 0.0];
    let test = signed_rank(&d, &[0.0; 10]).unwrap();
    assert_eq!((test.negative, test.pairs), (7.5, 9));
    close("normal p", test.p, 0.07427877944816885, 1e-9);
    assert!(signed_rank(&[1.0, f64::NAN], &[1.0, 2.0]).unwrap().p.is_nan());
    // Positive and negative ranks balance: nothing is less extreme.
    assert_eq!(signed_rank(&[1.0, 2.0, -3.0], &[0.0; 3]).unwrap().p, 1.0);
}

#[test]
fn chi_square_tails_at_few_and_very_many_degrees_of_freedom() {
    // scipy.stats.chi2.sf(x, df)
    for (x, df, want) in [
        (7.8, 3, 0.050331097859853326),
        (30.0, 3, 1.3800570312932553e-06),
        (500.0, 400, 0.00048221275959343273),
        (150400.0, 150000, 0.23243065841800764),
        (1e6, 1_000_000, 0.4998119368033945),
        (1003000.0, 1_000_000, 0.017016772933266328),
    ] {
        close(&format!("chi-square {df}"), chi_square_upper(x, df), want, 1e-8);
    }
    // Two degrees of freedom: exp(-x/2).
    close("chi-square 2", chi_square_upper(10.0, 2), (-5.0f64).exp(), 1e-13);
    assert_eq!((chi_square_upper(-1.0, 3), chi_square_upper(f64::INFINITY, 3), chi_square_upper(1e9, 10)), (1.0, 0.0, 0.0));
    assert!(chi_square_upper(f64::NAN, 3).is_nan() && chi_square_upper(1.0, 0).is_nan());
    let test = likelihood_ratio(-100.0, -105.0, 2).unwrap();
    assert_eq!(test.statistic, 10.0);
    close("p", test.p, (-5.0f64).exp(), 1e-13);
    assert!(matches!(likelihood_ratio(0.0, 0.0, 0), Err(Error::Config { .. })));
    assert!(matches!(likelihood_ratio(f64::NAN, 0.0, 1), Err(Error::Config { .. })));
}

#[test]
fn a_density_integrates_to_one_and_needs_spread() {
    let density = Density::scott(&[0.0, 1.0, f64::NAN, 3.0]).unwrap();
    // sd of (0, 1, 3) is sqrt(7/3)
    close("bandwidth", density.bandwidth(), (7.0f64 / 3.0).sqrt() * 3f64.powf(-0.2), 1e-14);
    let grid: Vec<f64> = (0..4000).map(|i| -10.0 + 0.006 * f64::from(i)).collect();
    close("integral", density.on(&grid).iter().sum::<f64>() * 0.006, 1.0, 1e-9);
    assert!(matches!(Density::scott(&[1.0, f64::NAN]), Err(Error::TooFew { got: 1, .. })));
    assert!(matches!(Density::scott(&[1.0, 1.0]), Err(Error::NoSpread { .. })));
}

/// Accuracy of four mice (groups, in rows) in four areas (levels).
const ACCURACY: [f64; 16] = [0.62, 0.55, 0.48, 0.51, 0.70, 0.61, 0.57, 0.55, 0.58, 0.54, 0.41, 0.47, 0.66, 0.60, 0.52, 0.56];

fn areas_and_mice() -> (Vec<usize>, Vec<usize>) {
    ((0..16).map(|i| i % 4).collect(), (0..16).map(|i| i / 4).collect())
}

#[test]
fn balanced_data_give_three_f() {
    let (area, mouse) = areas_and_mice();
    let model = MixedModel::fit(&ACCURACY, &area, &mouse, Estimation::Reml).unwrap();
    // Two-way analysis of variance without interaction.
    let by = |label: &[usize], i: usize| mean(&(0..16).filter(|&j| label[j] == i).map(|j| ACCURACY[j]).collect::<Vec<_>>());
    let all = mean(&ACCURACY);
    let area_squares: f64 = (0..4).map(|a| 4.0 * (by(&area, a) - all).powi(2)).sum();
    let residual_squares: f64 = (0..16).map(|i| (ACCURACY[i] - by(&area, area[i]) - by(&mouse, mouse[i]) + all).powi(2)).sum();
    close("W", model.wald, 3.0 * (area_squares / 3.0) / (residual_squares / 9.0), 1e-10);
    close("residual variance", model.residual_variance, residual_squares / 9.0, 1e-10);
    close("p", model.p, chi_square_upper(model.wald, 3), 1e-14);
    (0..4).for_each(|a| close("mean", model.coefficients[a] + if a > 0 { model.coefficients[0] } else { 0.0 }, by(&area, a), 1e-13));
    let model = MixedModel::fit(&ACCURACY, &area, &mouse, Estimation::Ml).unwrap();
    close("W of ML", model.wald, area_squares / (residual_squares / 12.0), 1e-10);
}

#[test]
fn unbalanced_data_give_the_numbers_of_statsmodels() {
    // r = smf.mixedlm('y ~ C(area)', data without rows 3, 6 and 14, groups=mouse).fit(reml=..., method=['bfgs', 'powell'], gtol=1e-12).
    // Its own covariance is the inverse of the observed Hessian of all parameters; the covariance of generalised least squares is
    // inv(X.T @ inv(V) @ X) with V = r.scale * I + r.cov_re * (same mouse), X = r.model.exog.
    let (area, mouse) = areas_and_mice();
    let mut accuracy = ACCURACY;
    [3, 6, 14].iter().for_each(|&i| accuracy[i] = f64::NAN);
    let reml = MixedModel::fit(&accuracy, &area, &mouse, Estimation::Reml).unwrap();
    let want = [0.64, -0.065, -0.16250817, -0.11780969];
    reml.coefficients.iter().zip(want).for_each(|(&got, want)| close("coefficient", got, want, 1e-6));
    let want = [0.02269995, 0.01205534, 0.01562867, 0.01335312];
    reml.standard_errors.iter().zip(want).for_each(|(&got, want)| close("standard error", got, want, 1e-5));
    close("group variance", reml.group_variance, 0.0017704889718547798, 1e-4);
    close("residual variance", reml.residual_variance, 0.0002906623465256851, 1e-4);
    close("W", reml.wald, 144.78444047727174, 1e-4);
    let ml = MixedModel::fit(&accuracy, &area, &mouse, Estimation::Ml).unwrap();
    close("log-likelihood", ml.log_likelihood, 30.82971304802308, 1e-9);
    close("W of ML", ml.wald, 216.44971012538488, 1e-4);
    close("group variance of ML", ml.group_variance, 0.0013300064153340624, 1e-4);
    // An optimizer of another kind found no better likelihood.
    assert!(ml.log_likelihood >= 30.82971304802308 - 1e-12 && reml.log_likelihood >= 17.17126690746317 - 1e-12);
}

#[test]
fn groups_that_do_not_differ_have_no_variance() {
    let values = [1.0, 2.0, 1.3, 2.3, 1.1, 1.9, 1.25, 2.1];
    let (level, group) = ([0, 1, 0, 1, 0, 1, 0, 1], [0, 0, 0, 0, 1, 1, 1, 1]);
    let model = MixedModel::fit(&values, &level, &group, Estimation::Reml).unwrap();
    assert_eq!(model.group_variance, 0.0);
    // Then W is the square of the two-sample t with a pooled variance: scipy.stats.ttest_ind(values[1::2], values[::2]).
    let spread = |from: usize| {
        let x: Vec<f64> = values.iter().skip(from).step_by(2).copied().collect();
        (mean(&x), x.iter().map(|v| (v - mean(&x)).powi(2)).sum::<f64>())
    };
    let ((low, a), (high, b)) = (spread(0), spread(1));
    close("W", model.wald, (high - low).powi(2) / ((a + b) / 6.0 / 2.0), 1e-12);
}

#[test]
fn a_mixed_model_refuses_what_it_cannot_fit() {
    let fit = |values: &[f64], level: &[usize], group: &[usize]| MixedModel::fit(values, level, group, Estimation::Reml);
    assert!(matches!(fit(&[1.0, 2.0], &[0], &[0, 1]), Err(Error::Shape { .. })));
    assert!(matches!(fit(&[1.0, 2.0, 1.5, 2.5], &[0, 2, 0, 2], &[0, 0, 1, 1]), Err(Error::TooFew { got: 2, needed: 3, .. })));
    assert!(matches!(fit(&[1.0, 2.0, 1.5, 2.5], &[0, 1, 0, 1], &[0; 4]), Err(Error::TooFew { .. })));
    assert!(matches!(fit(&[1.0, f64::INFINITY, 1.5, 2.5], &[0, 1, 0, 1], &[0, 0, 1, 1]), Err(Error::Value { index: 1, .. })));
    // Level and mouse explain everything.
    assert!(matches!(fit(&[1.0, 2.0, 3.0, 4.0], &[0, 1, 0, 1], &[0, 0, 1, 1]), Err(Error::NoSpread { .. })));
    assert!(matches!(fit(&[1.0; 8], &[0, 1, 0, 1, 0, 1, 0, 1], &[0, 0, 1, 1, 2, 2, 3, 3]), Err(Error::NoSpread { .. })));
}

#[test]
fn a_bootstrap_interval_of_the_mean_is_that_of_theory() {
    // Mean 49.5, standard error sqrt(833.25 / 100) = 2.887; the interval is known to about 2 % from 20,000 resamples.
    let values: Vec<f64> = (0..100).map(f64::from).collect();
    let interval = bootstrap(&values, mean, 0.95, 20_000, 7).unwrap();
    assert_eq!(interval.estimate, 49.5);
    close("low", 49.5 - interval.low, 1.96 * 2.887, 0.03);
    close("high", interval.high - 49.5, 1.96 * 2.887, 0.03);
    let on = |threads: usize, seed| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| bootstrap(&values, mean, 0.95, 500, seed).unwrap())
    };
    assert_eq!(on(1, 3), on(3, 3));
    assert_ne!(on(1, 3), on(1, 4));
    assert!(matches!(bootstrap(&[f64::NAN], mean, 0.95, 10, 0), Err(Error::TooFew { .. })));
    assert!(matches!(bootstrap(&values, mean, 1.0, 10, 0), Err(Error::Config { .. })));
    assert!(matches!(bootstrap(&values, mean, 0.9, 0, 0), Err(Error::Config { .. })));
}

#[test]
fn a_permutation_test_knows_small_samples_by_counting() {
    let difference = |a: &[f64], b: &[f64]| mean(a) - mean(b);
    // Of the 20 ways to take 3 of 6, two are as extreme as this one.
    let p = permutation_test(&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0], difference, 20_000, 1).unwrap();
    assert!((p - 0.1).abs() < 0.008, "{p}");
    let p = permutation_test(&[1.0, 4.0], &[4.0, 1.0], difference, 100, 1).unwrap();
    assert_eq!(p, 1.0);
    let far: Vec<f64> = (0..20).map(|i| 100.0 + f64::from(i)).collect();
    assert_eq!(permutation_test(&far, &far.iter().map(|v| v - 100.0).collect::<Vec<_>>(), difference, 999, 1).unwrap(), 0.001);
    assert!(permutation_test(&[1.0], &[2.0], |_, _| f64::NAN, 10, 0).unwrap().is_nan());
    assert!(matches!(permutation_test(&[f64::NAN], &[1.0], difference, 10, 0), Err(Error::TooFew { .. })));
}

proptest! {
    #[test]
    fn a_shift_of_a_group_changes_no_test(shift in -5.0f64..5.0) {
        // A balanced design: what a mouse is worse or better by is its intercept's.
        let (area, mouse) = areas_and_mice();
        let shifted: Vec<f64> = (0..16).map(|i| ACCURACY[i] + if mouse[i] == 2 { shift } else { 0.0 }).collect();
        let wald = |values: &[f64]| MixedModel::fit(values, &area, &mouse, Estimation::Reml).unwrap();
        let (a, b) = (wald(&ACCURACY), wald(&shifted));
        prop_assume!(b.group_variance > 0.0);
        prop_assert!((a.wald - b.wald).abs() < 1e-6 * a.wald, "{} and {}", a.wald, b.wald);
    }
}
