//! Barcodes of the same neurons in several scans, and maps of positions over cortex.
use ndarray::{Array2, array};
use striate_analysis::Error;
use striate_analysis::anatomy::{Labels, Observations, angular_distance, barcode_stability, retinotopy};

#[test]
fn angles_by_hand() {
    let angle = |a: [f32; 2], b: [f32; 2]| angular_distance(array![a[0], a[1]].view(), array![b[0], b[1]].view());
    assert!(angle([0.1, 0.3], [0.3, 0.9]) < 1e-7 && angle([1e-20, 0.0], [1e-20, 0.0]) == 0.0);
    assert!((angle([1.0, 0.0], [0.0, 2.0]) - std::f64::consts::FRAC_PI_2).abs() < 1e-12);
    assert!((angle([1.0, 1.0], [-2.0, -2.0]) - std::f64::consts::PI).abs() < 1e-7);
    assert!(angle([0.0, 0.0], [1.0, 0.0]).is_nan() && angle([f32::NAN, 0.0], [1.0, 0.0]).is_nan());
}

/// Barcodes at given angles, degrees.
fn at(degrees: &[f32]) -> Array2<f32> {
    Array2::from_shape_fn((degrees.len(), 2), |(i, axis)| [degrees[i].to_radians().cos(), degrees[i].to_radians().sin()][axis])
}

#[test]
fn own_barcodes_against_neighbours() {
    let text = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
    // a is seen at 0 and 10 degrees; in scan 2 its neighbours are b at 5 (closer to 0) and c at 90, far away d does not count
    let barcodes = at(&[0.0, 10.0, 5.0, 90.0, 3.0, 40.0]);
    let (neuron, scan) = (text(&["a", "a", "b", "c", "d", "e"]), text(&["1", "2", "2", "2", "2", "1"]));
    let soma = array![[0.0f32, 0.0, 100.0], [1.0, 0.0, 100.0], [50.0, 0.0, 100.0], [0.0, 60.0, 100.0], [0.0, 0.0, 500.0], [0.0, 9.0, 90.0]];
    let all = Observations { barcodes: barcodes.view(), neuron: &neuron, scan: &scan, soma: soma.view() };
    let table = barcode_stability(&all, 100.0).unwrap();
    let value = |name: &str| table.floats(name).unwrap()[0].to_degrees();
    assert_eq!(table.text("neuron").unwrap(), ["a"]);
    let close = |got: f64, want: f64| assert!((got - want).abs() < 1e-4, "{got} is not {want}");
    close(value("same"), 10.0);
    // from scan 1 (0 degrees): b 5, c 90; from scan 2 (10 degrees): e 30
    close(value("other_scans"), 125.0 / 3.0);
    // in scan 1: e 40; in scan 2: b 5, c 80
    close(value("same_scan"), 125.0 / 3.0);
    assert!((table.floats("closer_other_scans").unwrap()[0] - 1.0 / 3.0).abs() < 1e-12);
    assert!((table.floats("closer_same_scan").unwrap()[0] - 1.0 / 3.0).abs() < 1e-12);
    let near = barcode_stability(&all, 5.0).unwrap();
    assert!(near.floats("closer_same_scan").unwrap()[0].is_nan(), "no neighbour within 5 um");
    let once = text(&["1"; 6]);
    assert_eq!(barcode_stability(&Observations { scan: &once, ..all }, 100.0).unwrap().rows(), 0);
    assert!(matches!(barcode_stability(&all, f64::NAN), Err(Error::Config { field: "radius", .. })));
    assert!(matches!(barcode_stability(&Observations { neuron: &neuron[1..], ..all }, 9.0), Err(Error::Shape { .. })));
}

#[test]
fn planes_of_a_map_and_its_mirror_image() {
    let soma = Array2::from_shape_fn((50, 2), |(i, axis)| [(i * 13 % 50) as f64 * 20.0, (i * 29 % 47) as f64 * 15.0][axis]);
    let area = Labels::new(&(0..50).map(|i| if i < 25 { "V1" } else { "LM" }).collect::<Vec<_>>());
    let mut position = Array2::from_shape_fn((50, 2), |(i, axis)| {
        let reversed = if i < 25 { 1.0 } else { -1.0 };
        [0.1 + reversed * 1e-3 * soma[[i, 0]], -0.2 + 2e-3 * soma[[i, 1]] + 5e-4 * soma[[i, 0]]][axis]
    });
    position[[3, 0]] = f64::NAN;
    let table = retinotopy(&area, soma.view(), position.view()).unwrap();
    assert_eq!((table.text("area").unwrap(), table.integers("units").unwrap()), (["LM", "V1"].map(str::to_owned).as_slice(), [25, 24].as_slice()));
    for (name, expected) in [("x_per_soma_x", [-1e-3, 1e-3]), ("x_per_soma_y", [0.0; 2]), ("y_per_soma_x", [5e-4; 2]), ("y_per_soma_y", [2e-3; 2])] {
        let got = table.floats(name).unwrap();
        assert!(got.iter().zip(expected).all(|(g, e)| (g - e).abs() < 1e-12), "{name}: {got:?}");
    }
    assert_eq!(table.floats("field_sign").unwrap(), [-1.0, 1.0]);
    assert!(table.floats("r2_x").unwrap().iter().all(|r2| (r2 - 1.0).abs() < 1e-9));
    let line = Array2::from_shape_fn((50, 2), |(i, _)| i as f64);
    assert!(retinotopy(&area, line.view(), position.view()).unwrap().floats("field_sign").unwrap()[0].is_nan(), "somata on a line");
    assert!(matches!(retinotopy(&area, soma.slice(ndarray::s![1.., ..]), position.view()), Err(Error::Shape { .. })));
}
