//! Where optional reference data lie, and the reference implementation's correlations.
use ndarray::{Array3, Axis};
use safetensors::SafeTensors;
use std::path::PathBuf;
use striate_analysis::{cc_abs, cc_max, cc_norm};

/// A file of the reference data, or `None` with a printed line when it is not there.
pub fn find(file: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("STRIATE_REFERENCE").map(PathBuf::from);
    let folder = folder.unwrap_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")));
    let path = folder.join(file);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: no {file} in the reference data; set STRIATE_REFERENCE to their folder");
    None
}

/// Shape and values of a tensor of f64.
pub fn tensor(file: &SafeTensors, name: &str) -> (Vec<usize>, Vec<f64>) {
    let view = file.tensor(name).unwrap();
    let values = view.data().chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect();
    (view.shape().to_vec(), values)
}

fn cube(file: &SafeTensors, name: &str) -> Array3<f64> {
    let (shape, values) = tensor(file, name);
    Array3::from_shape_vec((shape[0], shape[1], shape[2]), values).unwrap()
}

#[test]
fn correlations_equal_the_reference_implementation() {
    let Some(path) = find("golden/analysis/analysis.safetensors") else { return };
    let bytes = std::fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let (responses, predictions) = (cube(&file, "cc.responses"), cube(&file, "cc.predictions"));
    let expected = |name| tensor(&file, name).1;
    let (abs, max, norm, equal) = (expected("cc.cc_abs"), expected("cc.cc_max"), expected("cc.cc_norm"), expected("cc.cc_max_equal_repeats"));
    let mut valid = 0;
    for (u, (response, prediction)) in responses.axis_iter(Axis(0)).zip(predictions.axis_iter(Axis(0))).enumerate() {
        let close = |what: &str, got: f64, want: f64| {
            assert!((got - want).abs() < 1e-12 || (got.is_nan() && want.is_nan()), "unit {u} {what}: {got} is not {want}");
        };
        close("cc_abs", cc_abs(prediction, response), abs[u]);
        close("cc_max", cc_max(response), max[u]);
        close("cc_norm", cc_norm(prediction, response), norm[u]);
        close("cc_max of equal repeats", cc_max(response.slice(ndarray::s![..7, ..])), equal[u]);
        valid += usize::from(norm[u].is_finite());
    }
    assert!(valid > 5, "only {valid} units were compared");
}
