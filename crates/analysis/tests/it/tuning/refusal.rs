//! Units and stimuli without tuning: NaN with a reason per unit, or an error that says what is wrong.
use ndarray::{Array2, Array3, array};
use striate_analysis::Error;
use striate_analysis::tuning::*;

const NAN: f64 = f64::NAN;

fn degrees() -> Vec<f64> {
    (0..16).map(|k| 22.5 * f64::from(k)).collect()
}

#[test]
fn units_without_direction_tuning_say_why() {
    let curve = VonMises { mu: 1.0, phi: 0.8, kappa: 2.0, scale: 1.0, baseline: 0.2 };
    let good: Vec<f64> = degrees().iter().map(|d| curve.at(d.to_radians())).collect();
    let mut one_missing = good.clone();
    one_missing[4] = NAN;
    let mut one_event = vec![NAN; 16];
    one_event[3] = 1.0;
    let units: [(Vec<f64>, &str, &str); 7] = [
        (good, "", ""),
        (one_missing, "", "15 of at least 16 values were measured"),
        (one_event, "1 of at least 5 values were measured", "1 of at least 16 values were measured"),
        (vec![NAN; 16], "0 of at least 5 values were measured", "0 of at least 16 values were measured"),
        (vec![0.0; 16], "all responses are the same", "responses are not positive"),
        (vec![0.7; 16], "all responses are the same", ""),
        (degrees().iter().map(|d| -1.0 - d).collect(), "responses are not positive", "responses are not positive"),
    ];
    let responses = Array2::from_shape_fn((16, units.len()), |(k, u)| units[u].0[k]);
    let tuning = direction_tuning(&Curves::of_directions(&degrees(), responses.view()).unwrap()).unwrap();
    let table = direction_table(&tuning).unwrap();
    assert_eq!(table.text("reason").unwrap(), units.iter().map(|u| u.1).collect::<Vec<_>>());
    assert_eq!(table.text("index_reason").unwrap(), units.iter().map(|u| u.2).collect::<Vec<_>>());
    for (unit, (_, reason, index_reason)) in units.iter().enumerate() {
        assert_eq!(table.floats("preferred_direction_deg").unwrap()[unit].is_nan(), !reason.is_empty(), "unit {unit}");
        assert_eq!(table.bools("success").unwrap()[unit], reason.is_empty());
        assert_eq!(table.floats("osi").unwrap()[unit].is_nan(), !index_reason.is_empty());
    }
    assert!(table.floats("dsi").unwrap()[5] < 1e-12, "a constant unit has no selectivity");
    // The missing direction costs the fit nothing.
    assert!(direction_difference(tuning[1].preferred_direction(), 1f64.to_degrees()) < 0.01);
    assert!(compare_direction(&tuning, &tuning).unwrap().floats("direction_difference_deg").unwrap()[3].is_nan());
}

#[test]
fn a_single_peak_and_scales_far_from_one_are_fitted() {
    let mut peak = [0.0; 16];
    peak[5] = 1.0;
    let scaled = |by: f64| peak.iter().map(|r| r * by).collect::<Vec<_>>();
    let responses = Array2::from_shape_fn((16, 3), |(k, u)| scaled([1.0, 1e-12, 1e12][u])[k]);
    let tuning = direction_tuning(&Curves::of_directions(&degrees(), responses.view()).unwrap()).unwrap();
    for unit in &tuning {
        let fit = unit.fit.unwrap();
        assert!(direction_difference(fit.curve.preferred_direction(), 112.5) < 11.25, "{fit:?}");
        assert!((unit.osi() - 1.0).abs() < 1e-9 && (unit.dsi() - 1.0).abs() < 1e-9);
    }
    assert!((tuning[1].fit.unwrap().curve.kappa / tuning[0].fit.unwrap().curve.kappa - 1.0).abs() < 1e-6);
}

#[test]
fn directions_that_make_no_index_are_refused() {
    let of = |degrees: &[f64]| direction_tuning(&Curves::of_directions(degrees, Array2::ones((degrees.len(), 1)).view()).unwrap());
    assert!(matches!(of(&[0.0, 120.0, 240.0]), Err(Error::TooFew { got: 3, .. })));
    assert!(matches!(of(&[0.0, 90.0, 180.0, 280.0]), Err(Error::Value { index: 3, .. })));
    assert!(matches!(of(&[]), Err(Error::TooFew { got: 0, .. })));
    assert!(of(&[30.0, 120.0, 210.0, 300.0]).is_ok());
}

#[test]
fn maps_without_a_field_say_why() {
    let mut holed = Array2::from_shape_fn((5, 8), |(i, j)| (i * j) as f64);
    holed[[2, 3]] = NAN;
    let point = Array2::from_shape_fn((5, 8), |(i, j)| f64::from(u8::from(i == 2 && j == 3)));
    let maps = [holed, Array2::from_elem((5, 8), 0.3), Array2::from_elem((5, 8), NAN), Array2::zeros((5, 8)), point];
    let maps = Array3::from_shape_fn((5, 5, 8), |(u, i, j)| maps[u][[i, j]]);
    let tuning = spatial_tuning(maps.view());
    let table = spatial_table(&tuning).unwrap();
    let index: Vec<&str> = table.text("index_reason").unwrap().iter().map(String::as_str).collect();
    let missing = "39 of at least 40 values were measured";
    assert_eq!(index, [missing, "", "0 of at least 40 values were measured", "responses are not positive", "the map has no extent"]);
    let fit: Vec<&str> = table.text("reason").unwrap()[1..4].iter().map(String::as_str).collect();
    assert_eq!(fit, ["all responses are the same", "0 of at least 7 values were measured", "all responses are the same"]);
    let centre = tuning[4].field().expect("a single pixel has a place");
    assert!((centre.mu[0] - 3.0 / 8.0).abs() < 0.5 / 8.0 && (centre.mu[1] - 2.0 / 8.0).abs() < 0.5 / 8.0, "{centre:?}");
    assert!(spatial_tuning(Array3::zeros((2, 0, 3)).view()).iter().all(|t| t.fit.is_err() && t.selectivity.is_err()));
    // One pixel row: nothing says how far the field reaches across.
    assert!(spatial_tuning(Array3::ones((1, 1, 9)).view())[0].selectivity.is_err());
}

#[test]
fn a_field_at_the_edge_of_the_monitor_stays_on_it() {
    let map = Array2::from_shape_fn((17, 29), |(i, j)| (-((i as f64).powi(2) + (j as f64 + 2.0).powi(2)) / 18.0).exp());
    let fit = spatial_tuning(map.insert_axis(ndarray::Axis(0)).view())[0].fit.unwrap();
    assert!(fit.converged && fit.curve.mu[0] >= 0.0 && fit.curve.mu[0] < 0.02 && fit.curve.mu[1] >= 0.0, "{fit:?}");
}

#[test]
fn labels_that_cannot_be_and_curves_too_short_are_refused() {
    let curves = |levels: &[f64]| Curves::new(levels, Array2::from_shape_fn((levels.len(), 2), |(e, u)| (e * u) as f64).view()).unwrap();
    assert!(matches!(contrast_tuning(&curves(&[-0.1, 0.5])), Err(Error::Value { what: "contrasts", .. })));
    assert!(matches!(frequency_tuning(&curves(&[0.0, 0.5])), Err(Error::Value { what: "frequencies", .. })));
    assert!(matches!(size_tuning(&curves(&[-1.0])), Err(Error::Value { what: "sizes", .. })));
    let too_few = contrast_table(&contrast_tuning(&curves(&[0.1, 0.5, 1.0])).unwrap()).unwrap();
    assert_eq!(too_few.text("reason").unwrap()[1], "3 of at least 4 values were measured");
    let flat = frequency_table(&frequency_tuning(&curves(&[0.1, 0.5, 1.0, 2.0])).unwrap()).unwrap();
    assert_eq!(flat.text("reason").unwrap()[0], "all responses are the same");
    assert!(flat.floats("peak").unwrap()[0].is_nan());
    let none = size_table(&size_tuning(&Curves::new(&[NAN; 2], array![[1.0], [2.0]].view()).unwrap()).unwrap()).unwrap();
    assert_eq!(none.text("reason").unwrap()[0], "0 of at least 5 values were measured");
}
