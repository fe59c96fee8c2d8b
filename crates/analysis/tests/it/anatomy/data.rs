//! Decoding of real recordings: held-out accuracy is what it is known to be, shuffled labels are at chance.
use crate::reference::find;
use ndarray::{Array2, Axis, concatenate};
use std::path::{Path, PathBuf};
use striate_analysis::anatomy::{DecodeConfig, Labels, decode};
use striate_analysis::tuning::{Curves, direction_tuning};

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

/// Responses [rows, 8 directions, frames] of T4/T5 neurons, and the file of their labels.
fn flies() -> Option<(ndarray::Array3<f32>, PathBuf)> {
    let (responses, labels) = (find("data/fly_t4t5/responses.npy")?, find("data/fly_t4t5/labels.csv")?);
    let npy = npyz::NpyFile::new(std::fs::File::open(responses).unwrap()).unwrap();
    let shape: Vec<usize> = npy.shape().iter().map(|&n| n as usize).collect();
    Some((ndarray::Array3::from_shape_vec((shape[0], shape[1], shape[2]), npy.into_vec::<f32>().unwrap()).unwrap(), labels))
}

/// Calcium responses of T4/T5 neurons to stripes in eight directions (Henning et al., silieslab/C2C3_feedback_Henning, MIT), one
/// recording left out at a time. The published sorting into layers used direction too, so the layer is partly circular; T4 against
/// T5 is not.
#[test]
fn layers_and_classes_of_fly_motion_neurons() {
    let Some((y, labels)) = flies() else { return };
    let read = columns(&labels, &["layer", "cell_class", "fly"]);
    let top = |trace: ndarray::ArrayView1<f32>| {
        trace.iter().enumerate().fold((0, f32::NAN), |best, (t, &v)| if v > best.1 || best.1.is_nan() { (t, v) } else { best })
    };
    let (latency, peak) = (y.map_axis(Axis(2), |trace| top(trace).0 as f32), y.map_axis(Axis(2), |trace| top(trace).1));
    let largest = peak.map_axis(Axis(1), |row| top(row).1);
    let rows: Vec<usize> = (0..peak.nrows()).filter(|&i| peak.row(i).iter().all(|v| v.is_finite()) && largest[i] > 0.0).collect();
    let tuning = Array2::from_shape_fn((rows.len(), 8), |(i, j)| peak[[rows[i], j]] / largest[rows[i]]);
    let both = concatenate(Axis(1), &[tuning.view(), latency.select(Axis(0), &rows).view()]).unwrap();
    let of = |column: &[String]| Labels::new(&rows.iter().map(|&i| column[i].as_str()).collect::<Vec<_>>());
    let flies = of(&read[2]);
    println!("{} of {} rows whole, {} recordings", rows.len(), peak.nrows(), flies.classes.len());
    let config = DecodeConfig { inner_folds: 3, strengths: vec![1e-2, 1e-1, 1.0, 10.0], ..DecodeConfig::default() };
    let (accuracy, chance) = told("layer from direction tuning", &tuning, &of(&read[0]), Some(&flies), &config);
    assert!(accuracy > 0.8, "{accuracy}; nearest centroid finds .875 of rows");
    assert!((chance - 0.25).abs() < 0.06, "shuffled {chance}");
    let (_, chance) = told("T4 against T5 from tuning and time of the peak", &both, &of(&read[1]), Some(&flies), &config);
    assert!((chance - 0.5).abs() < 0.06, "shuffled {chance}");
}

/// The four layers of T4/T5 prefer four directions at right angles (same data): fitted peaks of the same tuning code as for cortex.
#[test]
fn four_layers_prefer_four_cardinal_directions() {
    let Some((y, labels)) = flies() else { return };
    let peak = y.map_axis(Axis(2), |trace| f64::from(trace.iter().copied().fold(f32::NAN, f32::max)).max(0.0));
    let degrees: Vec<f64> = (0..8).map(|k| 45.0 * f64::from(k)).collect();
    let tuned = direction_tuning(&Curves::of_directions(&degrees, peak.t()).unwrap()).unwrap();
    let layers = &columns(&labels, &["layer"])[0];
    let mut means = Vec::new();
    for layer in ["A", "B", "C", "D"] {
        let angles: Vec<f64> =
            (0..tuned.len()).filter(|&i| layers[i] == layer && tuned[i].dsi() > 0.2).map(|i| tuned[i].preferred_direction()).collect();
        let angles: Vec<f64> = angles.into_iter().filter(|a| a.is_finite()).map(f64::to_radians).collect();
        let (sin, cos) = angles.iter().fold((0.0, 0.0), |(s, c), a| (s + a.sin(), c + a.cos()));
        let mean = sin.atan2(cos).to_degrees().rem_euclid(360.0);
        println!(
            "layer {layer}: {} cells with DSI above .2 prefer {mean:.0} degrees, concentration {:.2}",
            angles.len(),
            sin.hypot(cos) / angles.len() as f64
        );
        assert!(angles.len() > 50 && sin.hypot(cos) > 0.6 * angles.len() as f64, "layer {layer} has no one direction");
        means.push(mean);
    }
    means.sort_by(f64::total_cmp);
    for (a, b) in means.iter().zip(means[1..].iter().chain([&(means[0] + 360.0)])) {
        assert!((b - a - 90.0).abs() < 30.0, "{means:?}");
    }
}

/// Areas of mouse units from their timescales and spike counts (Siegle, Jia et al. 2021, AllenInstitute/neuropixels_platform_paper,
/// Allen Institute licence), one session left out at a time. A fit at its bounds, or with an error above its value, is missing.
#[test]
fn areas_of_mouse_units() {
    let Some(path) = find("data/mouse_units/timescale_metrics.csv") else { return };
    let names = ["timescale_ac", "err_ac", "timescale_it", "err_it", "spike_count_ac", "spike_count_it", "area", "session"];
    let read = columns(&path, &names);
    let value = |column: usize, row: usize| read[column][row].parse().unwrap_or(f32::NAN);
    let fitted = |column: usize, row: usize| value(column, row) > 1.001 && value(column, row) < 999.0 && value(column + 1, row) < value(column, row);
    let rows: Vec<usize> = (0..read[0].len()).filter(|&row| fitted(0, row) && fitted(2, row)).collect();
    let x = Array2::from_shape_fn((rows.len(), 4), |(i, j)| (value([0, 2, 4, 5][j], rows[i]) + [0.0, 0.0, 1.0, 1.0][j]).ln());
    let of = |column: usize| Labels::new(&rows.iter().map(|&i| read[column][i].as_str()).collect::<Vec<_>>());
    let config = DecodeConfig { inner_folds: 2, strengths: vec![1e-3, 1.0], balanced: true, ..DecodeConfig::default() };
    let (accuracy, chance) = told("area from timescales", &x, &of(6), Some(&of(7)), &config);
    assert!(accuracy > 0.15, "{accuracy}, chance is .125");
    assert!((chance - 0.125).abs() < 0.03, "shuffled {chance}");
}
