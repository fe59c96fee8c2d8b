//! Logistic regression against scikit-learn and closed forms; the likelihood-ratio test.
use super::clusters;
use ndarray::{Array1, Array2, Axis, concatenate};
use striate_analysis::Error;
use striate_analysis::anatomy::{Labels, Logistic, LogisticConfig, depth_test, logistic_regression};

/// 24 samples of three features and three classes.
fn small() -> (Array2<f32>, Vec<usize>) {
    let x = Array2::from_shape_fn((24, 3), |(i, j)| ((7 * i + 13 * j + 3 * i * j) % 17) as f32 / 3.0);
    let class = (0..24)
        .map(|i| {
            if x[[i, 0]] + ((i % 3) as f32) < 2.0 {
                0
            } else if x[[i, 1]] > 3.0 {
                1
            } else {
                2
            }
        })
        .collect();
    (x, class)
}

fn fit(strength: f64, balanced: bool) -> Logistic {
    let (x, class) = small();
    let config = LogisticConfig { strength, balanced, tolerance: 1e-12, ..LogisticConfig::default() };
    logistic_regression(x.view(), &class, 3, &config).unwrap()
}

/// scikit-learn 1.9.1, `z = (x - x.mean(0)) / x.std(0)` and
/// `LogisticRegression(C=C, tol=1e-12, max_iter=100000, class_weight=w).fit(z, y)`: `coef_`, `intercept_` less its mean, and the
/// log-likelihood of y.
#[test]
fn coefficients_are_those_of_scikit_learn() {
    let cases = [
        (
            (0.5, false),
            [[-0.6470451197, 0.2221377896, -0.1605711376], [0.3516074628, 0.9436866686, 0.0403876892], [0.2954376569, -1.1658244582, 0.1201834484]],
            [-0.4808602561, -0.336124456, 0.816984712],
            -9.844474722523367,
        ),
        (
            (20.0, false),
            [[-1.2418726801, 0.1170616895, -0.3003407004], [0.0469975704, 3.9379780573, 0.1144741105], [1.1948751097, -4.0550397468, 0.1858665899]],
            [-0.1286553351, -1.9549655091, 2.0836208442],
            -5.335148236894939,
        ),
        (
            (0.5, true),
            [[-0.6972316124, 0.1369072696, -0.1398912878], [0.3658358719, 0.9791806043, 0.0568846161], [0.3313957405, -1.1160878739, 0.0830066717]],
            [-0.1762127468, -0.2462719991, 0.422484746],
            -10.53992485224065,
        ),
    ];
    for ((strength, balanced), weights, biases, log_likelihood) in cases {
        let found = fit(strength, balanced);
        let mean = found.biases.iter().sum::<f64>() / 3.0;
        for k in 0..3 {
            for j in 0..3 {
                let got = found.weights[[j, k]];
                assert!((got - weights[k][j]).abs() < 1e-5, "C {strength}, feature {j}, class {k}: {got} is not {}", weights[k][j]);
            }
            assert!((found.biases[k] - mean - biases[k]).abs() < 1e-5, "C {strength}: {:?}", found.biases);
        }
        assert!((found.log_likelihood - log_likelihood).abs() < 1e-6, "C {strength}: {}", found.log_likelihood);
        assert!(found.converged && found.steps < 100, "{} steps", found.steps);
    }
    let predicted = [0, 2, 1, 2, 2, 0, 2, 1, 2, 2, 0, 2, 1, 2, 2, 0, 2, 0, 2, 1, 2, 2, 0, 2];
    assert_eq!(fit(0.5, false).predict(small().0.view()), predicted);
}

#[test]
fn scale_and_offset_of_features_do_not_matter() {
    let (x, class) = small();
    let moved = Array2::from_shape_fn(x.dim(), |(i, j)| x[[i, j]] * [1e-3, 1.0, 1e4][j] + [5.0, -20.0, 1e5][j]);
    let (plain, moved_fit) = (fit(1.0, false), logistic_regression(moved.view(), &class, 3, &LogisticConfig::default()).unwrap());
    let apart = (&plain.weights - &moved_fit.weights).iter().fold(0.0f64, |m, v| m.max(v.abs()));
    assert!(apart < 0.01, "weights differ by {apart}");
    assert_eq!(plain.predict(x.view()), moved_fit.predict(moved.view()));
}

#[test]
fn a_constant_feature_says_nothing() {
    let (x, class) = small();
    let constant = Array2::from_elem((24, 1), 7.5);
    let with =
        logistic_regression(concatenate(Axis(1), &[x.view(), constant.view()]).unwrap().view(), &class, 3, &LogisticConfig::default()).unwrap();
    let without = logistic_regression(x.view(), &class, 3, &LogisticConfig::default()).unwrap();
    assert!(with.weights.row(3).iter().all(|w| *w == 0.0), "{}", with.weights.row(3));
    assert!((with.log_likelihood - without.log_likelihood).abs() < 1e-3);
}

#[test]
fn what_cannot_be_fitted_is_refused() {
    let (mut x, class) = small();
    let config = LogisticConfig { strength: 0.0, ..LogisticConfig::default() };
    assert!(matches!(logistic_regression(x.view(), &class, 3, &config), Err(Error::Config { field: "strength", .. })));
    assert!(matches!(logistic_regression(x.view(), &class[1..], 3, &LogisticConfig::default()), Err(Error::Shape { .. })));
    x[[4, 1]] = f32::NAN;
    let error = logistic_regression(x.view(), &class, 3, &LogisticConfig::default()).unwrap_err();
    assert!(matches!(error, Error::Feature { row: 4, column: 1, .. }), "{error}");
}

/// With depth constant and one binary feature both likelihoods are those of a 2 x 2 table, D is its G statistic, and p = erfc(sqrt(D / 2)).
#[test]
fn likelihood_ratio_of_a_two_by_two_table() {
    let cells = [[30.0f64, 10.0], [15.0, 25.0]]; // feature by class
    let (mut feature, mut names) = (Vec::new(), Vec::new());
    for (f, row) in cells.iter().enumerate() {
        for (k, &count) in row.iter().enumerate() {
            feature.extend(vec![f as f32; count as usize]);
            names.extend(vec![["a", "b"][k]; count as usize]);
        }
    }
    let x = Array2::from_shape_vec((80, 1), feature).unwrap();
    let test = depth_test(x.view(), Array1::from_elem(80, 200.0).view(), &Labels::new(&names)).unwrap();
    let reduced = 45.0 * (45.0f64 / 80.0).ln() + 35.0 * (35.0f64 / 80.0).ln();
    let full: f64 = cells.iter().flat_map(|row| row.iter().map(|c| c * (c / (row[0] + row[1])).ln())).sum();
    assert!((test.reduced - reduced).abs() < 1e-5 && (test.full - full).abs() < 1e-5, "{test:?}; {reduced} {full}");
    // math.erfc(math.sqrt(D / 2)) of Python for D = 11.738402542090085
    assert!((test.p - 6.122355097e-4).abs() < 1e-8 && test.degrees == 1.0 && test.converged, "{test:?}");
}

#[test]
fn barcodes_that_tell_more_than_depth_are_found_and_noise_is_not() {
    let (x, labels) = clusters(600, 6, 3, 1.0, 5);
    let depth = Array1::from_shape_fn(600, |i| (i % 3) as f32 * 10.0 + (i * 37 % 101) as f32);
    let told = depth_test(x.view(), depth.view(), &labels).unwrap();
    assert!(told.p < 1e-9 && told.degrees == 12.0, "{told:?}");
    let noise = depth_test(x.view(), depth.view(), &labels.shuffled(1)).unwrap();
    assert!(noise.p > 1e-3, "{noise:?}");
    assert!(matches!(depth_test(x.view(), depth.slice(ndarray::s![1..]), &labels), Err(Error::Shape { .. })));
    let few = ndarray::s![..16, ..];
    let some = Labels::new(&(0..16).map(|i| labels.name(i)).collect::<Vec<_>>());
    assert!(matches!(depth_test(x.slice(few), depth.slice(ndarray::s![..16]), &some), Err(Error::Shape { .. })), "16 samples, 16 parameters");
}
