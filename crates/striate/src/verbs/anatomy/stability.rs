//! `striate anatomy stability`: does a neuron keep its barcode from scan to scan (paper Extended Data Fig. 7)?

use super::samples::{Samples, numbers};
use super::table;
use crate::figures::densities;
use crate::output::{free, number, say, whole_folder};
use crate::run_folder::recording_of;
use anyhow::{Context, Result, bail};
use clap::Args;
use ndarray::{Array2, Axis, concatenate};
use std::path::{Path, PathBuf};
use striate::analysis::Table;
use striate::analysis::anatomy::{Observations, barcode_stability};
use striate::analysis::statistics::median_valid;
use striate::model::{Modules, Network};
use striate::recording::Recording;
use striate::report::{Axis as Scale, Page, Sample, Section, read_table, tabular};

/// Neighbours' share below which a neuron counts as told apart (the paper's).
const TOLD_APART: f64 = 0.05;

/// Angles between the barcodes of the same neuron in several scans, beside those to its neighbours' (paper Extended Data Fig. 7).
///
/// Every model is one scan; all must have the same core, such as models that `striate train --from` made of one. Units are the same neuron where
/// their table says so (column `neuron`, or the identifiers), and neighbours where their somata lie within the radius.
#[derive(Args)]
#[command(after_help = "Example:\n  striate anatomy stability runs/monday runs/friday --labels units.csv -o stability")]
pub struct Stability {
    /// Run folders or model files, one for each scan.
    #[arg(required = true, num_args = 2..)]
    models: Vec<PathBuf>,
    /// Table of units, .csv or .parquet, with soma_x, soma_y and perhaps soma_z, um; by default each run's recording.
    #[arg(long, value_name = "TABLE")]
    labels: Option<PathBuf>,
    /// Column that names the neuron; by default `neuron`, or the identifiers.
    #[arg(long, value_name = "COLUMN")]
    neuron: Option<String>,
    /// Column of identifiers; by default id, unit_id or unit.
    #[arg(long, value_name = "COLUMN")]
    id: Option<String>,
    /// Farthest soma of a neighbour, um (the paper's is not published; our choice).
    #[arg(long, default_value_t = 100.0)]
    radius: f64,
    /// Folder to create.
    #[arg(short, long)]
    output: PathBuf,
}

/// Units of one scan.
struct Scan {
    barcodes: Array2<f32>,
    neuron: Vec<String>,
    soma: Array2<f32>,
}

impl Stability {
    /// Runs the verb.
    pub fn run(&self) -> Result<()> {
        free(&self.output)?;
        let mut scans = Vec::new();
        let mut first: Option<Network> = None;
        for path in &self.models {
            let mut samples = Samples::of_model(path)?;
            let network = samples.network.take().with_context(|| format!("{}: has no network", path.display()))?;
            match &first {
                Some(first) => same_core(first, &network, &self.models[0], path)?,
                None => first = Some(network),
            }
            scans.push(self.scan(path, &samples)?);
        }
        let table = self.table(&scans)?;
        if table.rows() == 0 {
            bail!("no neuron is in two of the scans: name the column that tells which are the same with --neuron");
        }
        let page = self.page(&table)?;
        whole_folder(&self.output, |folder| {
            tabular::write_csv(&folder.join("stability.csv"), &table)?;
            page.save(folder)?;
            Ok(page.write_html(&folder.join("report.html"))?)
        })?;
        summarise(&table)?;
        say(format!("tables and page are in {}", self.output.display()));
        Ok(())
    }

    fn scan(&self, path: &Path, samples: &Samples) -> Result<Scan> {
        let (labels, of) = match &self.labels {
            Some(labels) => (read_table(labels)?, labels.display().to_string()),
            None => match recording_of(path)? {
                Some(recording) => (table::of_units(Recording::open(&recording)?.units())?, recording.display().to_string()),
                None => bail!("{}: does not know where its units lie; name a table with --labels", path.display()),
            },
        };
        let rows = samples.rows_in(&labels, &of, self.id.as_deref())?;
        let (kept, rows): (Vec<usize>, Vec<usize>) = rows.iter().enumerate().filter_map(|(unit, row)| Some((unit, (*row)?))).unzip();
        let axes = ["soma_x", "soma_y", "soma_z"];
        let places: Vec<Vec<f64>> = axes.iter().map_while(|axis| numbers(&labels, axis, &rows)).collect();
        if places.len() < 2 {
            bail!("{of}: has no columns soma_x and soma_y of numbers, which say who is whose neighbour");
        }
        let soma = Array2::from_shape_fn((rows.len(), places.len()), |(i, axis)| places[axis][i] as f32);
        let column = match &self.neuron {
            Some(name) => Some(table::column(&labels, name, &of)?),
            None => labels.column("neuron").ok(),
        };
        let neuron = match column.map(table::texts) {
            Some(names) => rows.iter().map(|row| names[*row].clone()).collect(),
            None => samples.names(&kept),
        };
        Ok(Scan { barcodes: samples.select(&kept), neuron, soma })
    }

    fn table(&self, scans: &[Scan]) -> Result<Table> {
        let joined = |of: fn(&Scan) -> &Array2<f32>| concatenate(Axis(0), &scans.iter().map(|s| of(s).view()).collect::<Vec<_>>());
        let (barcodes, soma) = (joined(|s| &s.barcodes)?, joined(|s| &s.soma).context("some scans have soma_z and some have not")?);
        let names: Vec<&String> = scans.iter().flat_map(|s| &s.neuron).collect();
        // a unit without a name is nobody's double
        let neuron: Vec<String> = names.iter().enumerate().map(|(i, n)| if n.is_empty() { format!("(unnamed {i})") } else { (*n).clone() }).collect();
        let scan: Vec<String> = scans.iter().enumerate().flat_map(|(n, s)| std::iter::repeat_n(n.to_string(), s.neuron.len())).collect();
        let all = Observations { barcodes: barcodes.view(), neuron: &neuron, scan: &scan, soma: soma.view() };
        Ok(barcode_stability(&all, self.radius)?)
    }

    fn page(&self, table: &Table) -> Result<Page> {
        let sample = |name: &str, column: &str| -> Result<Sample> { Ok(Sample { name: name.into(), values: table.floats(column)?.to_vec() }) };
        let distances =
            vec![sample("same neuron", "same")?, sample("neighbours, other scans", "other_scans")?, sample("neighbours, same scan", "same_scan")?];
        let shares = vec![sample("other scans", "closer_other_scans")?, sample("same scan", "closer_same_scan")?];
        let scans = self.models.iter().map(|m| m.display().to_string()).collect::<Vec<_>>().join(", ");
        let section = Section::new("Angular distance")
            .chart(densities("barcodes of the same neuron and of neighbours", Scale::new("angle", "radians"), distances, [0.0, std::f64::consts::PI]))
            .chart(densities("share of neighbours closer than the neuron itself", Scale::new("share", ""), shares, [0.0, 1.0]))
            .computed("Angle between readout weights: arccos(w.w' / |w||w'|). Of each neuron the mean over pairs of scans, the mean to neighbours (somata within the radius), and the share of neighbours that are closer than that. Densities: Gaussian kernels, Scott's bandwidth.");
        let page = Page::new("Barcodes from scan to scan").fact("scans", scans).fact("neurons in several scans", table.rows());
        Ok(page
            .fact("radius", format!("{} um", self.radius))
            .section(section)
            .section(Section::new("Every neuron").table("stability", table.clone())))
    }
}

/// Barcodes are weights of the core's features: they say the same only of the same core.
fn same_core(a: &Network, b: &Network, first: &Path, other: &Path) -> Result<()> {
    let core = Modules::default();
    let of =
        |network: &Network| network.params().iter().filter(|p| core.contain(&p.name)).map(|p| (p.name.clone(), p.value.clone())).collect::<Vec<_>>();
    if of(a) != of(b) {
        bail!(
            "{} and {} have different cores, so their barcodes cannot be compared; train both around one with `striate train --from`",
            first.display(),
            other.display()
        );
    }
    Ok(())
}

fn summarise(table: &Table) -> Result<()> {
    let mut rows = Vec::new();
    for (what, column) in [("same neuron", "same"), ("neighbours, other scans", "other_scans"), ("neighbours, same scan", "same_scan")] {
        let (median, neurons) = median_valid(table.floats(column)?);
        rows.push(vec![what.to_owned(), number(median), neurons.to_string()]);
    }
    say(crate::output::table(&["angle between barcodes", "median, radians", "neurons"], rows, 1));
    for (what, column) in [("other scans", "closer_other_scans"), ("the same scan", "closer_same_scan")] {
        let shares: Vec<f64> = table.floats(column)?.iter().copied().filter(|s| s.is_finite()).collect();
        let apart = shares.iter().filter(|s| **s < TOLD_APART).count();
        say(format!("{apart} of {} neurons have less than 5 % of their neighbours in {what} closer than themselves", shares.len()));
    }
    Ok(())
}
