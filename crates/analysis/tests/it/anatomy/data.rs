//! Decoding of real recordings: held-out accuracy is what it is known to be, shuffled labels are at chance.
use crate::reference::find;
use ndarray::Array2;
use std::path::Path;
use striate_analysis::anatomy::{DecodeConfig, Labels, decode};

/// Columns of a CSV file without quotes.
fn columns(path: &Path, names: &[&str]) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    let header = lines.next().unwrap();
    let places: Vec<usize> = names.iter().map(|name| header.iter().position(|h| h == name).unwrap()).collect();
    let rows: Vec<Vec<String>> = lines.collect();
    places.iter().map(|&place| rows.iter().map(|row| row[place].clone()).collect()).collect()
}

fn told(what: &str, x: &Array2<f32>, labels: &Labels, groups: Option<&Labels>, config: &DecodeConfig) -> (f64, f64) {
    let decoded = decode(x.view(), labels, groups, config).unwrap();
    let confusion = decoded.confusion(labels);
    let right = decoded.predicted.iter().zip(&labels.of).filter(|(p, l)| p == l).count() as f64 / labels.len() as f64;
    let shuffled = labels.shuffled(1);
    let chance = decode(x.view(), &shuffled, groups, config).unwrap().confusion(&shuffled).balanced_accuracy();
    println!("{what}: n {}, balanced accuracy {:.3}, accuracy {right:.3}; shuffled {chance:.3}", labels.len(), confusion.balanced_accuracy());
    println!("  classes {:?}, recall {:.3?}, C {:?}", labels.classes, confusion.recall(), decoded.strength);
    (confusion.balanced_accuracy(), chance)
}

/// Calcium responses of T4/T5 neurons to stripes in eight directions (Henning et al., silieslab/C2C3_feedback_Henning, MIT), one
/// recording left out at a time.
#[test]
fn layers_of_fly_motion_neurons() {
    let (Some(responses), Some(labels)) = (find("data/fly_t4t5/responses.npy"), find("data/fly_t4t5/labels.csv")) else { return };
    let npy = npyz::NpyFile::new(std::fs::File::open(responses).unwrap()).unwrap();
    let shape: Vec<usize> = npy.shape().iter().map(|&n| n as usize).collect();
    let y = ndarray::Array3::from_shape_vec((shape[0], shape[1], shape[2]), npy.into_vec::<f32>().unwrap()).unwrap();
    let read = columns(&labels, &["layer", "cell_class", "fly"]);
    let peak = y.map_axis(ndarray::Axis(2), |trace| trace.iter().copied().fold(f32::NAN, f32::max));
    let largest = peak.map_axis(ndarray::Axis(1), |row| row.iter().copied().fold(f32::NAN, f32::max));
    let rows: Vec<usize> = (0..peak.nrows()).filter(|&i| peak.row(i).iter().all(|v| v.is_finite()) && largest[i] > 0.0).collect();
    let x = Array2::from_shape_fn((rows.len(), peak.ncols()), |(i, j)| peak[[rows[i], j]] / largest[rows[i]]);
    let of = |column: &[String]| Labels::new(&rows.iter().map(|&i| column[i].as_str()).collect::<Vec<_>>());
    let flies = of(&read[2]);
    println!("{} of {} rows whole, {} recordings", rows.len(), peak.nrows(), flies.classes.len());
    let config = DecodeConfig { inner_folds: 5, strengths: vec![1e-2, 1e-1, 1.0, 10.0], ..DecodeConfig::default() };
    let (accuracy, chance) = told("layer from direction tuning", &x, &of(&read[0]), Some(&flies), &config);
    assert!(accuracy > 0.8, "{accuracy}; nearest centroid finds .875 of rows");
    assert!((chance - 0.25).abs() < 0.06, "shuffled {chance}");
}
