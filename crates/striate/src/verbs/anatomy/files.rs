//! The files `striate anatomy` writes.

use super::Found;
use super::samples::{Matched, Samples, numbers};
use anyhow::{Context, Result};
use ndarray::{Array2, Axis, concatenate};
use std::path::Path;
use striate::analysis::anatomy::{EmbedConfig, Labels, embed, retinotopy};
use striate::analysis::{Column, Table};
use striate::model::Network;
use striate::recording::Recording;
use striate::report::tabular;

/// Most frames of behaviour whose modulation states are laid out in a plane.
const STATES: usize = 5000;
/// Size of the video of a network that does not know the one it was trained on, [height, width] (the published networks').
const VIDEO: [usize; 2] = [144, 256];

impl Found {
    /// What any samples have.
    pub fn write(&self, folder: &Path, samples: &Samples, matched: &Matched, classes: &Labels) -> Result<()> {
        let label = |of: &[usize]| of.iter().map(|&class| classes.classes[class].clone()).collect::<Vec<_>>();
        let fold: Vec<i64> = self.decoded.fold.iter().map(|&fold| fold as i64).collect();
        let named = Table::new().with("id", samples.names(&matched.samples))?.with("label", label(&classes.of))?;
        let predictions = named.clone().with("predicted", label(&self.decoded.predicted))?.with("fold", fold)?;
        tabular::write_csv(&folder.join("predictions.csv"), &predictions)?;
        tabular::write_csv(&folder.join("confusion.csv"), &self.confusion.table())?;
        tabular::write_csv(&folder.join("embedding.csv"), &with_places(named, &self.embedding)?)?;
        crate::output::write(&folder.join("accuracy.json"), serde_json::to_string_pretty(&self.summary)?.as_bytes())
    }
}

/// The table with places [n, 2] as columns x and y.
fn with_places(table: Table, places: &Array2<f32>) -> Result<Table> {
    let axis = |axis: usize| Column::Float(places.column(axis).iter().map(|&v| f64::from(v)).collect());
    Ok(table.with("x", axis(0))?.with("y", axis(1))?)
}

/// Barcodes of all units; positions on the monitor and maps of those with a label. Returns the positions.
pub fn write_units(folder: &Path, network: &Network, samples: &Samples, matched: &Matched, labels: &Table, classes: &Labels) -> Result<Table> {
    let all: Vec<usize> = (0..samples.features.nrows()).collect();
    let mut barcodes = Table::new().with("id", samples.names(&all))?;
    for (j, weights) in samples.features.columns().into_iter().enumerate() {
        barcodes.push(format!("w{j}"), weights.iter().map(|&w| f64::from(w)).collect::<Vec<f64>>())?;
    }
    tabular::write_parquet(&folder.join("barcodes.parquet"), &barcodes)?;
    let places = network.monitor_positions(network.config().video.unwrap_or(VIDEO));
    let position = Array2::from_shape_fn((matched.samples.len(), 2), |(i, axis)| places[matched.samples[i]][axis]);
    let label: Vec<String> = (0..classes.len()).map(|i| classes.name(i).to_owned()).collect();
    let mut table = Table::new().with("id", samples.names(&matched.samples))?.with("label", label)?;
    table.push("x", position.column(0).to_vec())?;
    table.push("y", position.column(1).to_vec())?;
    let soma = ["soma_x", "soma_y"].map(|name| numbers(labels, name, &matched.rows));
    if let [Some(x), Some(y)] = soma {
        let soma = Array2::from_shape_fn((x.len(), 2), |(i, axis)| [x[i], y[i]][axis]);
        tabular::write_csv(&folder.join("retinotopy.csv"), &retinotopy(classes, soma.view(), position.view())?)?;
        table.push("soma_x", x)?;
        table.push("soma_y", y)?;
    }
    tabular::write_csv(&folder.join("positions.csv"), &table)?;
    Ok(table)
}

/// States of the modulation network over a recording, every so many frames, laid out in a plane beside the behaviour.
pub fn write_states(folder: &Path, network: &Network, recording: &Recording, seed: u64) -> Result<()> {
    let frames: usize = recording.trials().iter().map(|trial| trial.frames).sum();
    let every = frames.div_ceil(STATES).max(1);
    let mut before = 0;
    let (mut states, mut behavior, mut trials, mut times) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (index, trial) in recording.trials().iter().enumerate() {
        let shown = recording.series(index)?[1].mapv(|v| if v.is_nan() { 0.0 } else { v });
        let all = network.modulation_states(shown.as_slice().unwrap_or_default()).with_context(|| format!("trial {}", trial.name))?;
        let all = Array2::from_shape_vec((trial.frames, all.len() / trial.frames), all)?;
        let kept: Vec<usize> = (0..trial.frames).filter(|t| (before + t).is_multiple_of(every)).collect();
        before += trial.frames;
        states.push(all.select(Axis(0), &kept));
        behavior.push(shown.select(Axis(0), &kept));
        trials.extend(kept.iter().map(|_| trial.name.clone()));
        times.extend(kept.iter().map(|&t| t as i64));
    }
    let whole = |parts: &[Array2<f32>]| concatenate(Axis(0), &parts.iter().map(|part| part.view()).collect::<Vec<_>>());
    let (states, behavior) = (whole(&states)?, whole(&behavior)?);
    let places = embed(states.view(), &EmbedConfig { seed, ..EmbedConfig::default() }).context("modulation states")?;
    let mut table = with_places(Table::new().with("trial", trials)?.with("frame", times)?, &places)?;
    for (name, values) in recording.meta().behavior.iter().zip(behavior.columns()) {
        table.push(format!("behavior {name}"), values.iter().map(|&v| f64::from(v)).collect::<Vec<f64>>())?;
    }
    Ok(tabular::write_csv(&folder.join("modulation.csv"), &table)?)
}
