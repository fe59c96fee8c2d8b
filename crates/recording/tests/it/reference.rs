//! Resampling against the reference implementation's numbers.

use std::path::PathBuf;
use striate_recording::resample::{Grid, flip_index, hamming, linear, lowpass_hamming, missing};

fn series(name: &str) -> Vec<f64> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/analysis/analysis.safetensors");
    let bytes = std::fs::read(path).expect("reference numbers are part of the project");
    let file = safetensors::SafeTensors::deserialize(&bytes).expect("safetensors");
    let data = file.tensor(&format!("resample.{name}")).expect("tensor").data().to_vec();
    data.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b)).collect()
}

/// The reference computes in single precision.
fn close(got: &[f64], want: &[f64]) {
    let norm = want.iter().map(|w| w * w).sum::<f64>().sqrt();
    let error = got.iter().zip(want).map(|(g, w)| (g - w).powi(2)).sum::<f64>().sqrt() / norm;
    assert!(got.len() == want.len() && error < 1e-6, "relative error {error}, {} samples of {}", got.len(), want.len());
}

#[test]
fn resampling_is_the_reference_one() {
    let (times, values) = (series("scan_times"), series("scan_values"));
    let grid = Grid { start: times[5], end: times[5] + 20.0, rate: 30.0 };
    close(&linear(&times, &values, &grid), &series("scan_to_30hz_linear"));
    close(&missing(&times, &values, &grid), &series("scan_to_30hz_nans"));
    let (times, values) = (series("treadmill_times"), series("treadmill_values"));
    let grid = Grid { start: times[20], end: times[20] + 20.0, rate: 30.0 };
    close(&hamming(&times, &values, &grid), &series("treadmill_to_30hz_hamming"));
    close(&lowpass_hamming(&times, &values, 2.5, &grid), &series("treadmill_to_30hz_lowpass_2_5hz"));
    let flips: Vec<f64> = flip_index(&series("flip_times"), 30.0).into_iter().map(|i| i as f64).collect();
    assert_eq!(flips, series("flip_index_30hz"));
}
