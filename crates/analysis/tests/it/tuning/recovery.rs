//! Curves and fields drawn from known parameters with noise are found again.
use ndarray::{Array2, Array3, Axis, s};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use striate_analysis::median_valid;
use striate_analysis::tuning::*;

fn noise(rng: &mut ChaCha8Rng) -> f64 {
    StandardNormal.sample(rng)
}

/// Responses [E, U] to 16 directions with repeats, and the true curves.
fn directions(seed: u64, units: usize, sd: f64) -> (Vec<f64>, Array2<f64>, Vec<VonMises>) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut draw = |low: f64, high: f64| rng.random_range(low..high);
    let truth: Vec<VonMises> = (0..units)
        .map(|_| VonMises {
            mu: draw(0.0, std::f64::consts::TAU),
            phi: draw(0.6, 1.0),
            kappa: draw(1.0, 5.0),
            scale: draw(0.5, 4.0),
            baseline: draw(0.1, 1.0),
        })
        .collect();
    let degrees: Vec<f64> = (0..160).map(|e| f64::from(e % 16) * 22.5).collect();
    let responses = Array2::from_shape_fn((160, units), |(e, u)| truth[u].at(degrees[e].to_radians()) + sd * truth[u].scale * noise(&mut rng));
    (degrees, responses, truth)
}

#[test]
fn directions_and_orientations_are_found() {
    let (degrees, responses, truth) = directions(1, 200, 0.2);
    let tuning = direction_tuning(&Curves::of_directions(&degrees, responses.view()).unwrap()).unwrap();
    let direction: Vec<f64> =
        tuning.iter().zip(&truth).map(|(t, c)| direction_difference(t.preferred_direction(), c.preferred_direction())).collect();
    let orientation: Vec<f64> =
        tuning.iter().zip(&truth).map(|(t, c)| orientation_difference(t.preferred_orientation(), c.preferred_orientation())).collect();
    let (median, n) = median_valid(&direction);
    assert!(median < 3.0 && n == 200, "median {median} of {n}");
    assert!(median_valid(&orientation).0 < 3.0);
    // Of 200 units none is off by an axis, and no more than a few by the sign, where both bumps are nearly as high.
    assert!(orientation.iter().all(|d| *d < 30.0), "{orientation:?}");
    assert!(direction.iter().filter(|d| **d > 90.0).count() <= 6);
    let osi: Vec<f64> = tuning.iter().zip(&truth).map(|(t, c)| (t.fit.unwrap().curve.osi() - c.osi()).abs()).collect();
    assert!(median_valid(&osi).0 < 0.05);
}

#[test]
fn noiseless_curves_are_found_to_the_last_digits() {
    let (degrees, responses, truth) = directions(2, 100, 0.0);
    let tuning = direction_tuning(&Curves::of_directions(&degrees, responses.view()).unwrap()).unwrap();
    for (tuning, truth) in tuning.iter().zip(&truth) {
        let fit = tuning.fit.unwrap();
        assert!(fit.converged && fit.mse < 1e-12, "{fit:?} {truth:?}");
        assert!(direction_difference(fit.curve.preferred_direction(), truth.preferred_direction()) < 1e-3, "{fit:?} {truth:?}");
        assert!((fit.curve.kappa / truth.kappa - 1.0).abs() < 1e-3, "{fit:?} {truth:?}");
    }
}

#[test]
fn two_noisy_sessions_differ_little_and_selective_units_least() {
    let (degrees, first, truth) = directions(3, 300, 0.3);
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let second = Array2::from_shape_fn(first.dim(), |(e, u)| truth[u].at(degrees[e].to_radians()) + 0.3 * truth[u].scale * noise(&mut rng));
    let tuning = |responses: &Array2<f64>| direction_tuning(&Curves::of_directions(&degrees, responses.view()).unwrap()).unwrap();
    let (a, b) = (tuning(&first), tuning(&second));
    let table = compare_direction(&a, &b).unwrap();
    let index: Vec<f64> = b.iter().map(DirectionTuning::dsi).collect();
    let difference = table.floats("direction_difference_deg").unwrap();
    let above = above_thresholds(&index, difference, &[0.0, 0.2, 0.4, 2.0]).unwrap();
    let median = above.floats("median_difference").unwrap();
    assert!(median[0] < 10.0 && median[2] < median[0] && median[3].is_nan(), "{median:?}");
    assert_eq!(above.integers("units").unwrap()[3], 0);
    let density = difference_density(&index, difference, 0.2, &[0.0, 90.0, 170.0]).unwrap();
    assert!(density.floats("density").unwrap()[0] > 10.0 * density.floats("density").unwrap()[1]);
    assert!(table.floats("osi_difference").unwrap().iter().all(|d| *d < 0.3));
    assert!(compare_direction(&a, &b[1..]).is_err());
}

/// Fields on a 17 x 29 grid and their maps.
fn fields(seed: u64, units: usize, sd: f64) -> (Array3<f64>, Vec<Gaussian2d>) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let truth: Vec<Gaussian2d> = (0..units)
        .map(|_| {
            let mut draw = |low: f64, high: f64| rng.random_range(low..high);
            let (a, b, c): (f64, f64, f64) = (draw(0.05, 0.15), draw(-0.05, 0.05), draw(0.05, 0.15));
            let covariance = [a * a, a * b, b * b + c * c];
            Gaussian2d { mu: [draw(0.1, 0.9), draw(0.08, 0.5)], covariance, amplitude: draw(0.5, 3.0), offset: draw(0.2, 1.0) }
        })
        .collect();
    let maps = Array3::from_shape_fn((units, 17, 29), |(u, i, j)| {
        let g = &truth[u];
        let [xx, xy, yy] = g.covariance;
        let (x, y) = (j as f64 / 29.0 - g.mu[0], i as f64 / 29.0 - g.mu[1]);
        let square = (yy * x * x - 2.0 * xy * x * y + xx * y * y) / (xx * yy - xy * xy);
        g.amplitude * (-square / 2.0).exp() + g.offset + sd * g.amplitude * noise(&mut rng)
    });
    (maps, truth)
}

#[test]
fn receptive_fields_are_found() {
    let (maps, truth) = fields(5, 100, 0.0);
    for (tuning, truth) in spatial_tuning(maps.view()).iter().zip(&truth) {
        let field = tuning.field().unwrap();
        assert!(location_difference(&field, truth) < 1e-6, "{field:?} {truth:?}");
        let off = field.covariance.iter().zip(truth.covariance).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(off < 1e-6 && (field.amplitude / truth.amplitude - 1.0).abs() < 1e-5, "{field:?} {truth:?}");
    }
    let (maps, truth) = fields(6, 100, 0.2);
    let tuning = spatial_tuning(maps.view());
    let off: Vec<f64> = tuning.iter().zip(&truth).map(|(t, g)| t.field().map_or(f64::NAN, |f| location_difference(&f, g))).collect();
    let (median, n) = median_valid(&off);
    assert!(median < 0.01 && n >= 98, "median {median} of {n}");
    let again = compare_spatial(&tuning, &spatial_tuning(fields(6, 100, 0.0).0.view())).unwrap();
    assert!(median_valid(again.floats("location_difference_w").unwrap()).0 < 0.01);
}

#[test]
fn a_dot_mapped_field_is_where_it_is() {
    // A unit that sums dark within a Gaussian, mapped with dots of 0.038 widths on a 17 x 29 grid: the map is the field widened by the dot twice,
    // by the response's overlap and by the mask.
    let (rows, columns) = (17, 29);
    let at = |d: usize| [((d % columns) as f64 + 0.5) / columns as f64, ((d / columns) as f64 + 0.5) * 17.0 / 29.0 / rows as f64];
    let dot = |square: f64, sd: f64| (-square / (2.0 * sd * sd)).exp();
    let square = |a: [f64; 2], b: [f64; 2]| (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2);
    let (height, width) = (36, 64);
    let pixel = |i: usize, j: usize| [j as f64 / width as f64, i as f64 / width as f64];
    let masks = Array3::from_shape_fn((rows * columns, height, width), |(d, i, j)| dot(square(at(d), pixel(i, j)), 0.038));
    let centre = [0.6, 0.25];
    let responses = Array2::from_shape_fn((rows * columns, 1), |(d, _)| 0.2 + dot(square(at(d), centre), 0.08));
    let shown: Vec<usize> = (0..rows * columns).collect();
    let maps = sta(masks.view(), &shown, responses.view()).unwrap();
    let tuning = spatial_tuning(maps.view())[0];
    let field = tuning.field().unwrap();
    assert!((field.mu[0] - centre[0]).abs() < 1e-3 && (field.mu[1] - centre[1]).abs() < 1e-3, "{field:?}");
    let expected = (0.08f64 * 0.08 + 0.038 * 0.038).sqrt();
    assert!(field.sd().iter().all(|sd| (sd / expected - 1.0).abs() < 0.02), "{field:?} {expected}");
    assert!(tuning.ssi() > ssi(Array2::ones((height, width)).view()));
}

#[test]
fn contrast_frequency_and_size_curves_are_found() {
    let curves = |levels: &[f64], at: &dyn Fn(f64) -> f64| {
        Curves::new(levels, Array2::from_shape_fn((levels.len(), 1), |(e, _)| at(levels[e])).view()).unwrap()
    };
    let truth = NakaRushton { maximum: 3.0, c50: 0.25, exponent: 2.3, baseline: 0.5 };
    let fit = contrast_tuning(&curves(&[0.0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.0], &|c| truth.at(c))).unwrap()[0].unwrap();
    assert!(fit.converged && (fit.curve.c50 - 0.25).abs() < 1e-6 && (fit.curve.exponent - 2.3).abs() < 1e-5, "{fit:?}");

    let truth = LogGaussian { peak: 0.07, sd: 1.1, amplitude: 2.0, baseline: 0.4 };
    let fit = frequency_tuning(&curves(&[0.01, 0.02, 0.04, 0.08, 0.16, 0.32], &|f| truth.at(f))).unwrap()[0].unwrap();
    assert!(fit.converged && (fit.curve.peak - 0.07).abs() < 1e-7 && (fit.curve.bandwidth() - truth.bandwidth()).abs() < 1e-5, "{fit:?}");

    let truth = SizeCurve { excitation: 4.0, centre: 12.0, suppression: 2.0, beyond: 18.0, baseline: 0.3 };
    let sizes: Vec<f64> = (0..12).map(|i| f64::from(i) * 6.0).collect();
    let fit = size_tuning(&curves(&sizes, &|s| truth.at(s))).unwrap()[0].unwrap();
    // Where the slope of the true curve changes its sign, on a fine grid.
    let peak = (0..6600).map(|i| f64::from(i) * 0.01).max_by(|a, b| truth.at(*a).total_cmp(&truth.at(*b))).unwrap();
    assert!(fit.converged && fit.mse < 1e-10 && (fit.curve.preferred - peak).abs() < 0.1, "{fit:?}, peak {peak}");
    let suppression = (truth.at(peak) - truth.at(66.0)) / (truth.at(peak) - truth.baseline);
    assert!((fit.curve.suppression_index - suppression).abs() < 1e-3, "{fit:?} {suppression}");
}

#[test]
fn noisy_contrast_frequency_and_size_curves_are_found_by_most_units() {
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    let mut noisy = |levels: &[f64], at: &dyn Fn(f64) -> f64| {
        Curves::new(levels, Array2::from_shape_fn((levels.len(), 200), |(e, _)| at(levels[e]) + 0.1 * noise(&mut rng)).view()).unwrap()
    };
    let contrast = NakaRushton { maximum: 3.0, c50: 0.25, exponent: 2.3, baseline: 0.5 };
    let fits = contrast_tuning(&noisy(&[0.0, 0.05, 0.1, 0.2, 0.4, 0.8, 1.0], &|c| contrast.at(c))).unwrap();
    let found: Vec<f64> = fits.iter().map(|f| f.unwrap().curve.c50).collect();
    assert!((median_valid(&found).0 - 0.25).abs() < 0.02 && fits.iter().filter(|f| f.unwrap().converged).count() >= 195);
    let frequency = LogGaussian { peak: 0.07, sd: 1.1, amplitude: 2.0, baseline: 0.4 };
    let fits = frequency_tuning(&noisy(&[0.01, 0.02, 0.04, 0.08, 0.16, 0.32], &|f| frequency.at(f))).unwrap();
    let found: Vec<f64> = fits.iter().map(|f| f.unwrap().curve.peak).collect();
    assert!((median_valid(&found).0 - 0.07).abs() < 0.005 && fits.iter().filter(|f| f.unwrap().converged).count() >= 195);
    let size = SizeCurve { excitation: 4.0, centre: 12.0, suppression: 2.0, beyond: 18.0, baseline: 0.3 };
    let fits = size_tuning(&noisy(&(0..12).map(|i| f64::from(i) * 6.0).collect::<Vec<_>>(), &|s| size.at(s))).unwrap();
    let found: Vec<f64> = fits.iter().map(|f| f.unwrap().curve.preferred).collect();
    assert!((median_valid(&found).0 - 19.0).abs() < 3.0, "{}", median_valid(&found).0);
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let (degrees, responses, _) = directions(9, 150, 0.5);
    let (maps, _) = fields(10, 20, 0.5);
    let masks = Array3::from_shape_fn((160, 4, 5), |(d, i, j)| ((d * 7 + i * 3 + j * 5) % 11) as f64);
    let shown: Vec<usize> = (0..160).collect();
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let curves = Curves::of_directions(&degrees, responses.view()).unwrap();
            (direction_tuning(&curves).unwrap(), spatial_tuning(maps.view()), sta(masks.view(), &shown, responses.view()).unwrap())
        })
    };
    assert_eq!(on(1), on(3));
    // Nor does who else is fitted.
    let alone = direction_tuning(&Curves::of_directions(&degrees, responses.slice(s![.., 7..8])).unwrap()).unwrap();
    assert_eq!(alone[0], on(1).0[7]);
    assert_eq!(spatial_tuning(maps.select(Axis(0), &[3]).view())[0], on(1).1[3]);
}

#[test]
#[ignore = "a measurement: cargo test --release -p striate-analysis -- --ignored --nocapture how_long"]
fn how_long_eight_thousand_units_take() {
    let (degrees, responses, _) = directions(11, 8000, 0.5);
    let start = std::time::Instant::now();
    let tuning = direction_tuning(&Curves::of_directions(&degrees, responses.view()).unwrap()).unwrap();
    let converged = tuning.iter().filter(|t| t.preferred_direction().is_finite()).count();
    println!("8000 direction curves of 16 directions: {:.2?}, {converged} converged", start.elapsed());
    let (_, truth) = fields(12, 8000, 0.0);
    let masks = Array3::from_shape_fn((493, 17, 29), |(d, i, j)| {
        (-(((d % 29) as f64 - j as f64).powi(2) + ((d / 29) as f64 - i as f64).powi(2)) / (2.0 * (29.0f64 * 0.038).powi(2))).exp()
    });
    let mut rng = ChaCha8Rng::seed_from_u64(13);
    let responses = Array2::from_shape_fn((493 * 6, 8000), |(e, u)| {
        let (d, g) = (e % 493, &truth[u]);
        let square = ((d % 29) as f64 / 29.0 - g.mu[0]).powi(2) + ((d / 29) as f64 / 29.0 - g.mu[1]).powi(2);
        (-square / (2.0 * 0.08 * 0.08)).exp() + noise(&mut rng)
    });
    let shown: Vec<usize> = (0..493 * 6).map(|e| e % 493).collect();
    let start = std::time::Instant::now();
    let maps = sta(masks.view(), &shown, responses.view()).unwrap();
    println!("8000 maps of 17 x 29 from 2958 dots: {:.2?}", start.elapsed());
    let start = std::time::Instant::now();
    let found = spatial_tuning(maps.view()).iter().filter(|t| t.field().is_some()).count();
    println!("8000 Gaussian fits of 17 x 29: {:.2?}, {found} converged", start.elapsed());
}
