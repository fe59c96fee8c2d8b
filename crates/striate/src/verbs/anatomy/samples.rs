//! What is decoded: a network's units with their barcodes, or rows of a table of features; and the labels they are matched with.

use super::table::{column, distinct, floats, id_column, plain, texts};
use crate::run_folder::weights_of;
use anyhow::{Context, Result, bail};
use ndarray::{Array2, Axis, Ix2};
use std::collections::HashMap;
use std::path::Path;
use striate::analysis::Table;
use striate::import::npy;
use striate::model::Network;
use striate::model::open::{self, Opened, TrainedOn};
use striate::report::read_table;

/// Units or rows with their features.
pub struct Samples {
    /// What they are from, for messages.
    pub from: String,
    /// Identifier of each; `None` where they only have a place.
    pub ids: Option<Vec<String>>,
    /// Which recording they are of: names of columns of labels, and the value that is theirs.
    pub recording: Vec<(&'static str, String)>,
    /// [n, d].
    pub features: Array2<f32>,
    /// The recording of a network that was trained here.
    pub trained_on: Option<TrainedOn>,
    /// The network, where they are units.
    pub network: Option<Network>,
    /// The table, where they are its rows.
    pub table: Option<Table>,
}

impl Samples {
    /// Units of a run folder or model file.
    pub fn of_model(path: &Path) -> Result<Self> {
        let Opened { network, units, trained_on, .. } = open::load(&weights_of(path)?, None, None)?;
        let (count, barcodes) = (network.config().units, network.barcodes());
        let features = Array2::from_shape_vec((count, barcodes.len() / count.max(1)), barcodes)?;
        let mut recording = Vec::new();
        let ids = if let Some(first) = units.first() {
            recording.extend([("session", first.session.to_string()), ("scan_idx", first.scan_idx.to_string())]);
            Some(units.iter().map(|unit| unit.unit_id.to_string()).collect())
        } else if let Some(trained_on) = &trained_on {
            recording.push(("animal", trained_on.animal.clone()));
            recording.extend(trained_on.session.clone().map(|session| ("session", session)));
            recording.extend(trained_on.scan.clone().map(|scan| ("scan", scan)));
            Some(trained_on.units.iter().map(plain).collect())
        } else {
            None
        };
        Ok(Self { from: path.display().to_string(), ids, recording, features, trained_on, network: Some(network), table: None })
    }

    /// Rows of a .npy [n, d], or of a .csv or .parquet whose columns of numbers, without those in `not`, are features.
    pub fn of_features(path: &Path, id: Option<&str>, chosen: &[String], not: &[&str]) -> Result<Self> {
        let from = path.display().to_string();
        let (recording, trained_on, network) = (Vec::new(), None, None);
        if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("npy")) {
            let array = npy::read_f32(path)?;
            let shape = format!("{:?}", array.shape());
            let features = array.into_dimensionality::<Ix2>().with_context(|| format!("{from}: has shape {shape}, not [samples, features]"))?;
            return Ok(Self { from, ids: None, recording, features, trained_on, network, table: None });
        }
        let table = read_table(path)?;
        let id = id_column(&table, id)?;
        let ids = id.as_deref().map(|name| column(&table, name, &from).map(texts)).transpose()?;
        let is_feature =
            |name: &str| if chosen.is_empty() { Some(name) != id.as_deref() && !not.contains(&name) } else { chosen.iter().any(|c| c == name) };
        for name in chosen {
            let values = column(&table, name, &from)?;
            if floats(values).is_none() {
                bail!("{from}: column {name} holds {}, not numbers", values.kind());
            }
        }
        let features: Vec<Vec<f64>> = table.columns().filter(|(name, _)| is_feature(name)).filter_map(|(_, values)| floats(values)).collect();
        if features.is_empty() {
            bail!("{from}: has no column of numbers to decode from");
        }
        let features = Array2::from_shape_fn((table.rows(), features.len()), |(i, j)| features[j][i] as f32);
        Ok(Self { from, ids, recording, features, trained_on, network, table: Some(table) })
    }

    /// The row of `labels` for each sample: the one of the same identifier, among those that are of the same recording as far as
    /// `labels` tells; by place where either has no identifiers.
    pub fn rows_in(&self, labels: &Table, of: &str, id: Option<&str>) -> Result<Vec<Option<usize>>> {
        let samples = self.features.nrows();
        let (Some(ids), Some(id)) = (&self.ids, id_column(labels, id)?) else {
            if labels.rows() != samples {
                bail!("{of}: has {} rows for {samples} samples; without a column of identifiers in both, rows must match one by one", labels.rows());
            }
            return Ok((0..samples).map(Some).collect());
        };
        distinct(ids, &self.from)?;
        let mut rows: Vec<usize> = (0..labels.rows()).collect();
        for (name, value) in &self.recording {
            if let Ok(values) = labels.column(name) {
                let values = texts(values);
                rows.retain(|&row| values[row] == *value);
            }
        }
        let names = texts(column(labels, &id, of)?);
        distinct(&rows.iter().map(|&row| names[row].clone()).collect::<Vec<_>>(), of)?;
        let place: HashMap<&str, usize> = rows.iter().map(|&row| (names[row].as_str(), row)).collect();
        let found: Vec<Option<usize>> = ids.iter().map(|id| place.get(id.as_str()).copied()).collect();
        if found.iter().all(Option::is_none) {
            let recording = self.recording.iter().map(|(name, value)| format!(", {name} {value}")).collect::<String>();
            let first = |names: &[String]| names.first().cloned().unwrap_or_else(|| "none".into());
            bail!("{of}: no row is of a unit of {} (for example {}{recording}); its first {id} is {}", self.from, first(ids), first(&names));
        }
        Ok(found)
    }

    /// Features of some samples.
    pub fn select(&self, samples: &[usize]) -> Array2<f32> {
        self.features.select(Axis(0), samples)
    }

    /// Names of some samples: identifiers, or places.
    pub fn names(&self, samples: &[usize]) -> Vec<String> {
        samples.iter().map(|&i| self.ids.as_ref().map_or_else(|| i.to_string(), |ids| ids[i].clone())).collect()
    }
}

/// The samples that take part, their rows in the table of labels, and how many were left out.
pub struct Matched {
    pub samples: Vec<usize>,
    pub rows: Vec<usize>,
    pub left_out: LeftOut,
}

/// Numbers of samples that take no part.
#[derive(Clone, Copy, Default, serde::Serialize)]
pub struct LeftOut {
    /// Of units the table of labels does not have.
    pub unmatched: usize,
    /// Whose label is empty.
    pub unlabelled: usize,
    /// Of classes that were to be left out.
    pub class: usize,
    /// With a feature that is missing.
    pub missing: usize,
}

/// Matches samples with labels and leaves out what has none, what is of a class in `without`, and, where asked, what misses a feature.
pub fn matched(samples: &Samples, rows: &[Option<usize>], labels: &[String], without: &[String], drop_missing: bool) -> Matched {
    let mut matched = Matched { samples: Vec::new(), rows: Vec::new(), left_out: LeftOut::default() };
    for (sample, row) in rows.iter().enumerate() {
        let out = &mut matched.left_out;
        match row {
            None => out.unmatched += 1,
            Some(row) if labels[*row].trim().is_empty() => out.unlabelled += 1,
            Some(row) if without.contains(&labels[*row]) => out.class += 1,
            Some(_) if drop_missing && samples.features.row(sample).iter().any(|v| v.is_nan()) => out.missing += 1,
            Some(row) => {
                matched.samples.push(sample);
                matched.rows.push(*row);
            }
        }
    }
    matched
}

/// Numbers of some rows of a column, if the table has it and it holds numbers.
pub fn numbers(labels: &Table, name: &str, rows: &[usize]) -> Option<Vec<f64>> {
    let values = floats(labels.column(name).ok()?)?;
    Some(rows.iter().map(|&row| values[row]).collect())
}
