//! The folder of a tuning: tables to read, and what a comparison needs to compute all of it again.
//!
//! ```text
//! tuning.json                      what was tuned, units, events
//! responses.npy                    mean responses to events [E, U]
//! direction.csv, direction-curves.csv, spatial.csv, maps.npy [U, h, w], size.csv, ...
//! filters.npy                      mean gradients [U, L, h, w], with --gradient
//! report.json, report.html
//! ```

use super::pages;
use crate::output::{npy_bytes, whole_folder};
use anyhow::{Context, Result, bail};
use ndarray::{Array2, Array4, Ix2, Ix3};
use serde::{Deserialize, Serialize};
use std::path::Path;
use striate::analysis::tuning::spatial_tuning;
use striate::import::npy;
use striate::insilico::gradient_field::GradientFields;
use striate::insilico::tune::{EventResponses, Tuning, curve_table, tuning};
use striate::report::tabular;
use striate::stimulus::Event;

const TUNING: &str = "tuning.json";
const RESPONSES: &str = "responses.npy";
const MAPS: &str = "maps.npy";
const FILTERS: &str = "filters.npy";

/// A tuning, as made or as read back.
pub struct Kept {
    /// Whose responses to what, in words.
    pub what: String,
    /// Ids of the units.
    pub ids: Vec<String>,
    /// Events.
    pub events: Vec<Event>,
    /// Mean responses [E, U].
    pub responses: Array2<f64>,
    /// What they say of each unit.
    pub tuning: Tuning,
    /// Mean gradients [U, L, h, w], where receptive fields are those of gradients and there are no events.
    pub filters: Option<Array4<f32>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    version: String,
    machine: String,
    what: String,
    units: Vec<String>,
    events: Vec<Event>,
}

/// Writes the folder, whole or not at all.
pub fn save(path: &Path, kept: &Kept) -> Result<()> {
    whole_folder(path, |folder| {
        let description = Description {
            version: env!("CARGO_PKG_VERSION").into(),
            machine: crate::provenance::machine(),
            what: kept.what.clone(),
            units: kept.ids.clone(),
            events: kept.events.clone(),
        };
        let write = |name: &str, bytes: &[u8]| crate::output::write(&folder.join(name), bytes);
        write(TUNING, serde_json::to_string(&description)?.as_bytes())?;
        let array = |shape: &[usize], values: Vec<f32>| npy_bytes(&shape.iter().map(|n| *n as u64).collect::<Vec<_>>(), &values);
        write(RESPONSES, &array(kept.responses.shape(), kept.responses.iter().map(|v| *v as f32).collect())?)?;
        if let Some((maps, _)) = &kept.tuning.spatial {
            write(MAPS, &array(maps.shape(), maps.iter().map(|v| *v as f32).collect())?)?;
        }
        if let Some(filters) = &kept.filters {
            write(FILTERS, &array(filters.shape(), filters.iter().copied().collect())?)?;
        }
        for (name, table) in kept.tuning.tables(&kept.ids)? {
            tabular::write_csv(&folder.join(format!("{name}.csv")), &table)?;
        }
        let curves = kept.tuning.direction.iter().map(|(curves, _)| ("direction", curves));
        for (name, curves) in curves.chain(kept.tuning.others.iter().map(|(name, curves, _)| (*name, curves))) {
            tabular::write_csv(&folder.join(format!("{name}-curves.csv")), &curve_table(curves, &kept.ids)?)?;
        }
        let page = pages::tuning(kept)?;
        page.save(folder)?;
        Ok(page.write_html(&folder.join("report.html"))?)
    })
}

impl Kept {
    /// From responses to events.
    pub fn of_events(what: String, ids: Vec<String>, seen: EventResponses) -> Result<Self, striate::insilico::Error> {
        Ok(Self { what, ids, tuning: tuning(&seen)?, events: seen.events, responses: seen.responses, filters: None })
    }

    /// From gradients.
    pub fn of_gradients(what: String, ids: Vec<String>, fields: GradientFields) -> Self {
        let tuned = spatial_tuning(fields.energy.view());
        let responses = Array2::zeros((0, ids.len()));
        let tuning = Tuning { spatial: Some((fields.energy, tuned)), ..Tuning::default() };
        Self { what, ids, tuning, events: Vec::new(), responses, filters: Some(fields.filters) }
    }

    /// Reads a folder that [`save`] wrote, and computes the tuning again.
    pub fn open(path: &Path) -> Result<Self> {
        let file = path.join(TUNING);
        let text = std::fs::read_to_string(&file)
            .with_context(|| format!("{}: cannot be read; is {} a folder that `striate tune` made?", file.display(), path.display()))?;
        let Description { what, units: ids, events, .. } = serde_json::from_str(&text).with_context(|| format!("{}: damaged", file.display()))?;
        let responses = npy::read_f32(&path.join(RESPONSES))?.into_dimensionality::<Ix2>().context("responses.npy: expected [events, units]")?;
        if responses.dim() != (events.len(), ids.len()) {
            let (shape, wanted) = (responses.shape().to_vec(), [events.len(), ids.len()]);
            bail!("{}: has shape {shape:?}, expected {wanted:?} as {TUNING} says", path.join(RESPONSES).display());
        }
        let responses = responses.mapv(f64::from);
        let mut found = Tuning::default();
        let maps = path.join(MAPS);
        if maps.is_file() {
            let maps = npy::read_f32(&maps)?.into_dimensionality::<Ix3>().context("maps.npy: expected [units, h, w]")?.mapv(f64::from);
            let tuned = spatial_tuning(maps.view());
            found.spatial = Some((maps, tuned));
        } else {
            let seen = EventResponses { events: events.clone(), responses: responses.clone(), ..EventResponses::new(ids.len()) };
            found = tuning(&seen)?;
        }
        Ok(Self { what, ids, events, responses, tuning: found, filters: None })
    }
}
