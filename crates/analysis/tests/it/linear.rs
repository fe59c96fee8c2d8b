//! The linear-nonlinear baseline recovers what is known to be true and refuses what it cannot fit.
use ndarray::{Array2, ArrayView2, s};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use striate_analysis::{Error, LinearConfig, LinearNonlinear, OutputNonlinearity, pearson};

fn normal(rng: &mut ChaCha8Rng, rows: usize, columns: usize) -> Array2<f32> {
    Array2::from_shape_simple_fn((rows, columns), || StandardNormal.sample(rng))
}

/// Features with unequal scales and offsets [n, d], filters [d, U], and the drive [n, U].
fn problem(seed: u64, n: usize, d: usize, units: usize) -> (Array2<f32>, Array2<f32>, Array2<f32>) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let z = normal(&mut rng, n, d);
    let filters = normal(&mut rng, d, units) / (d as f32).sqrt();
    let drive = z.dot(&filters);
    let x = Array2::from_shape_fn(z.dim(), |(i, j)| z[[i, j]] * (1.0 + j as f32) + 3.0 * j as f32);
    (x, filters, drive)
}

fn fit(x: &Array2<f32>, y: &Array2<f32>, split: usize) -> Result<LinearNonlinear, Error> {
    let part = |a: ArrayView2<f32>, from: usize, to: usize| a.slice(s![from..to, ..]).to_owned();
    let end = x.nrows();
    let (xt, yt) = (part(x.view(), 0, split), part(y.view(), 0, split));
    let (xv, yv) = (part(x.view(), split, end), part(y.view(), split, end));
    LinearNonlinear::fit(xt.view(), yt.view(), xv.view(), yv.view(), &LinearConfig::default())
}

fn correlation(a: &Array2<f32>, b: &Array2<f32>, unit: usize) -> f64 {
    let column = |m: &Array2<f32>| m.column(unit).iter().map(|&v| f64::from(v)).collect::<Vec<_>>();
    pearson(&column(a), &column(b))
}

#[test]
fn noiseless_linear_responses_are_recovered() {
    let (x, filters, drive) = problem(1, 600, 20, 3);
    let y = &drive * 2.0 + 5.0;
    let model = fit(&x, &y, 500).unwrap();
    let predicted = model.predict(x.view()).unwrap();
    let worst = (&predicted - &y).iter().fold(0f32, |m, v| m.max(v.abs()));
    assert!(worst < 0.03, "off by {worst}");
    // Filters are per standard deviation of the features, which are close to 1, 2, 3, ... times unit normals.
    let off = model.filters().indexed_iter().map(|((j, u), w)| (w - 2.0 * f64::from(filters[[j, u]])).abs()).fold(0.0, f64::max);
    assert!(off < 0.1, "filters off by {off}");
    assert_eq!(model.penalty(), [1e-3; 3], "without noise the smallest penalty is best");
}

#[test]
fn noise_raises_the_penalty_and_test_data_are_predicted() {
    let (x, _, drive) = problem(2, 900, 200, 2);
    let mut rng = ChaCha8Rng::seed_from_u64(20);
    let mut y = drive.clone();
    y.column_mut(0).scaled_add(3.0, &normal(&mut rng, 900, 1).column(0));
    let model = fit(&x.slice(s![..600, ..]).to_owned(), &y.slice(s![..600, ..]).to_owned(), 400).unwrap();
    assert!(model.penalty()[0] > 30.0 * model.penalty()[1], "{:?}", model.penalty());
    let test = model.predict(x.slice(s![600.., ..])).unwrap();
    let truth = drive.slice(s![600.., ..]).to_owned();
    assert!(correlation(&test, &truth, 0) > 0.3 && correlation(&test, &truth, 1) > 0.9);
}

#[test]
fn a_rectified_unit_gets_a_softplus_and_a_linear_one_none() {
    let (x, _, drive) = problem(3, 3000, 10, 2);
    let mut y = drive.clone();
    y.column_mut(0).mapv_inplace(|v| (3.0 * v - 1.0).max(0.0));
    let mut rng = ChaCha8Rng::seed_from_u64(30);
    y.scaled_add(0.3, &normal(&mut rng, 3000, 2));
    let model = fit(&x, &y, 2000).unwrap();
    assert!(matches!(model.nonlinearity()[0], OutputNonlinearity::Softplus { .. }), "{:?}", model.nonlinearity());
    let truth = drive.column(0).mapv(|v| f64::from((3.0 * v - 1.0).max(0.0)));
    let predicted = model.predict(x.view()).unwrap().column(0).mapv(f64::from);
    let error = (&predicted - &truth).mapv(|v| v * v).mean().unwrap() / truth.var(0.0);
    assert!(error < 0.03, "relative error {error}");
    // The linear unit is predicted as well as its own drive allows, whichever nonlinearity was kept.
    let linear = model.predict(x.view()).unwrap();
    assert!(correlation(&linear, &drive, 1) > 0.995);
}

#[test]
fn missing_responses_count_for_their_unit_alone() {
    let (x, _, drive) = problem(4, 400, 8, 3);
    let mut rng = ChaCha8Rng::seed_from_u64(40);
    let y = &drive + normal(&mut rng, 400, 3) * 0.5;
    let complete = fit(&x, &y, 300).unwrap();
    let mut holed = y.clone();
    holed.slice_mut(s![50..120, 1]).fill(f32::NAN);
    holed.slice_mut(s![300..330, 1]).fill(f32::NAN);
    let masked = fit(&x, &holed, 300).unwrap();
    let (a, b) = (complete.predict(x.view()).unwrap(), masked.predict(x.view()).unwrap());
    let difference = |u: usize| a.column(u).iter().zip(b.column(u)).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(difference(0) < 1e-5 && difference(2) < 1e-5, "other units changed");
    assert!(difference(1) > 1e-4, "the masked samples were used");
    assert!(b.iter().all(|v| v.is_finite()));

    // The unit alone, with its missing samples cut out of the data, is fitted the same (features keep the whole data's scale).
    let keep: Vec<usize> = (0..400).filter(|t| !(50..120).contains(t) && !(300..330).contains(t)).collect();
    let cut = fit(&x.select(ndarray::Axis(0), &keep), &holed.select(ndarray::Axis(0), &keep).slice(s![.., 1..2]).to_owned(), 230).unwrap();
    let c = cut.predict(x.view()).unwrap();
    let worst = b.column(1).iter().zip(c.column(0)).map(|(b, c)| (b - c).abs()).fold(0.0, f32::max);
    assert!(worst < 0.05, "{worst}");
}

#[test]
fn validation_error_follows_from_moments_also_with_another_mean() {
    // Validation features and responses sit elsewhere than the training data's; the chosen penalty must be the one that a
    // direct computation of the validation error chooses.
    let (x, _, drive) = problem(5, 260, 60, 1);
    let mut rng = ChaCha8Rng::seed_from_u64(50);
    let mut y = &drive + normal(&mut rng, 260, 1) * 1.5;
    let mut x = x;
    x.slice_mut(s![160.., ..10]).mapv_inplace(|v| v + 2.0);
    y.slice_mut(s![160.., ..]).mapv_inplace(|v| v + 0.5);
    let (xt, yt, xv, yv) = (x.slice(s![..160, ..]), y.slice(s![..160, ..]), x.slice(s![160.., ..]), y.slice(s![160.., ..]));
    let chosen = fit(&x, &y, 160).unwrap().penalty()[0];
    let error = |penalty: f64| {
        let config = LinearConfig { penalties: vec![penalty], nonlinearity: false };
        let model = LinearNonlinear::fit(xt, yt, xv, yv, &config).unwrap();
        (model.predict(xv).unwrap() - yv).mapv(|v| v * v).mean().unwrap()
    };
    let penalties = LinearConfig::default().penalties;
    let best = penalties.iter().copied().min_by(|&a, &b| error(a).total_cmp(&error(b))).unwrap();
    assert_eq!(chosen, best);
}

#[test]
fn units_without_validation_and_constant_or_missing_features_are_fitted() {
    let (mut x, _, drive) = problem(6, 300, 6, 2);
    let mut y = drive.clone();
    y.slice_mut(s![200.., 1]).fill(f32::NAN);
    x.column_mut(3).fill(7.0);
    x[[5, 0]] = f32::NAN;
    x.slice_mut(s![.., 4]).fill(f32::NAN);
    let model = fit(&x, &y, 200).unwrap();
    assert!(model.predict(x.view()).unwrap().iter().all(|v| v.is_finite()));
    assert!(model.filters().row(3).iter().chain(model.filters().row(4)).all(|w| w.abs() < 1e-12));
    assert_eq!(model.nonlinearity()[1], OutputNonlinearity::Identity);
}

#[test]
fn what_cannot_be_fitted_is_refused() {
    let (x, _, y) = problem(7, 40, 4, 2);
    let mut missing = y.clone();
    missing.slice_mut(s![1..30, 1]).fill(f32::NAN);
    assert_eq!(fit(&x, &missing, 30).unwrap_err(), Error::Unmeasured { unit: 1, needed: 2, got: 1 });
    let mut unvalidated = y.clone();
    unvalidated.slice_mut(s![30.., ..]).fill(f32::NAN);
    assert_eq!(fit(&x, &unvalidated, 30).unwrap_err(), Error::NoValidation);
    let mut infinite = x.clone();
    infinite[[3, 2]] = f32::INFINITY;
    assert_eq!(fit(&infinite, &y, 30).unwrap_err(), Error::NotFinite { what: "features", row: 3, column: 2, value: f32::INFINITY });
    assert!(matches!(fit(&x, &y, 40), Err(Error::Shape { .. })), "no validation rows");
    let model = fit(&x, &y, 30).unwrap();
    assert!(matches!(model.predict(x.slice(s![.., ..3])), Err(Error::Shape { .. })));
    assert!(matches!(model.predict(infinite.view()), Err(Error::NotFinite { .. })));
    assert_eq!(model.predict(x.slice(s![..0, ..])).unwrap().dim(), (0, 2));
    for penalties in [vec![], vec![0.0], vec![f64::NAN]] {
        let config = LinearConfig { penalties, nonlinearity: true };
        assert!(matches!(LinearNonlinear::fit(x.view(), y.view(), x.view(), y.view(), &config), Err(Error::Config { .. })));
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let (x, _, drive) = problem(8, 3000, 100, 5);
    let mut y = drive.mapv(|v| v.max(0.0));
    y[[3, 2]] = f32::NAN;
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| fit(&x, &y, 2500).unwrap())
    };
    assert_eq!(on(1), on(3));
}
