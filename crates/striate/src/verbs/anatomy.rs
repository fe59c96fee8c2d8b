//! `striate anatomy`: what function tells of anatomy.

mod files;
mod pages;
mod samples;
mod stability;
mod table;

use crate::output::{free, note, number, say, say_json, whole_folder};
use crate::run_folder::recording_of;
use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use files::{write_states, write_units};
use ndarray::{Array1, Array2};
use samples::{LeftOut, Matched, Samples, matched, numbers};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use striate::analysis::Table;
use striate::analysis::anatomy::{
    Confusion, DecodeConfig, Decoded, EmbedConfig, Labels, LikelihoodRatio, decode, depth_test, embed, neighbours_kept,
};
use striate::insilico::fit::check_origin;
use striate::recording::Recording;
use striate::report::read_table;

/// Decode each unit's area or cell type from its functional barcode, its readout weights.
///
/// Multinomial logistic regression in nested cross-validation, with shuffled labels as control. Writes predictions.csv, confusion.csv,
/// accuracy.json, embedding.csv, and of a model also barcodes.parquet, positions.csv, retinotopy.csv where somata are known, and modulation.csv
/// with --recording. Any table of features (--features) can take the place of the model. See docs/anatomy.md.
#[derive(Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  striate anatomy runs/mouse --recording mouse.zarr -o anatomy\n  striate anatomy mouse.safetensors --labels units.csv --column cell_type --without L5NP -o types\n  striate anatomy --features tuning.csv --column layer --group fly -o layers"
)]
pub struct Anatomy {
    #[command(subcommand)]
    further: Option<Further>,
    /// Run folder or model file.
    #[arg(required_unless_present = "features", conflicts_with = "features")]
    model: Option<PathBuf>,
    /// Features instead of a model: .npy [n, d], or columns of numbers in a .csv or .parquet.
    #[arg(long, value_name = "FILE")]
    features: Option<PathBuf>,
    /// Columns of the table of features to use; by default all of numbers.
    #[arg(long, value_name = "COLUMN", value_delimiter = ',', requires = "features")]
    select: Vec<String>,
    /// Labels, .csv or .parquet; by default the recording's table of units, or the table of features.
    #[arg(long, value_name = "TABLE")]
    labels: Option<PathBuf>,
    /// Recording, for labels and modulation states; by default the one a run folder names.
    #[arg(long, conflicts_with = "features")]
    recording: Option<PathBuf>,
    /// Column of labels that is decoded.
    #[arg(long, default_value = "area")]
    column: String,
    /// Column of labels whose groups, such as animals, are held out one at a time.
    #[arg(long, value_name = "COLUMN")]
    group: Option<String>,
    /// Column of identifiers; by default id, unit_id or unit.
    #[arg(long, value_name = "COLUMN")]
    id: Option<String>,
    /// Classes to leave out.
    #[arg(long, value_name = "CLASS", value_delimiter = ',')]
    without: Vec<String>,
    /// Leave out samples with a missing feature.
    #[arg(long)]
    drop_missing: bool,
    /// Outer folds, each predicted from the others.
    #[arg(long, default_value_t = DecodeConfig::default().folds)]
    folds: usize,
    /// Inner folds, which choose the penalty.
    #[arg(long, default_value_t = DecodeConfig::default().inner_folds)]
    inner_folds: usize,
    /// Let all classes count the same in the objective.
    #[arg(long)]
    balanced: bool,
    /// Seed of folds, shuffled labels and layout.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Folder to create.
    #[arg(short, long, required = true)]
    output: Option<PathBuf>,
    /// Print the summary as JSON.
    #[arg(long)]
    json: bool,
}

/// What else can be asked of barcodes.
#[derive(Subcommand)]
enum Further {
    Stability(stability::Stability),
}

/// What accuracy.json tells.
#[derive(Serialize)]
struct Summary {
    from: String,
    column: String,
    group: Option<String>,
    samples: usize,
    features: usize,
    left_out: LeftOut,
    balanced_accuracy: f64,
    chance: f64,
    shuffled_balanced_accuracy: f64,
    recall: BTreeMap<String, f64>,
    /// Balanced accuracy of V1 against all other areas together, after they were told apart.
    v1_against_others: Option<f64>,
    depth_test: Option<LikelihoodRatio>,
    /// Share of the 15 nearest neighbours that the embedding keeps.
    neighbours_kept: f64,
    unconverged_folds: usize,
    config: DecodeConfig,
}

impl Anatomy {
    /// Runs the verb.
    pub fn run(self) -> Result<ExitCode> {
        if let Some(Further::Stability(stability)) = &self.further {
            stability.run()?;
            return Ok(ExitCode::SUCCESS);
        }
        let Some(folder) = &self.output else { bail!("name a folder to create (-o)") };
        free(folder)?;
        let samples = match (&self.model, &self.features) {
            (Some(model), _) => Samples::of_model(model)?,
            (None, Some(features)) => {
                let not: Vec<&str> = [Some(self.column.as_str()), self.group.as_deref()].into_iter().flatten().collect();
                Samples::of_features(features, self.id.as_deref(), &self.select, &not)?
            }
            (None, None) => bail!("name a model, or features with --features"),
        };
        let recording = self.recording()?;
        if let (Some(trained_on), Some(recording)) = (&samples.trained_on, &recording) {
            check_origin(trained_on, recording, false).with_context(|| format!("{} and {}", samples.from, recording.path().display()))?;
        }
        let (labels, of) = self.labels(&samples, recording.as_ref())?;
        let rows = samples.rows_in(&labels, &of, self.id.as_deref())?;
        let names = table::texts(table::column(&labels, &self.column, &of)?);
        let matched = matched(&samples, &rows, &names, &self.without, self.drop_missing);
        let class = |row: &usize| names[*row].as_str();
        let classes = Labels::new(&matched.rows.iter().map(class).collect::<Vec<_>>());
        let found = self.decoded(&samples, &matched, &labels, &classes, &of)?;
        whole_folder(folder, |folder| {
            found.write(folder, &samples, &matched, &classes)?;
            let mut positions = None;
            if let Some(network) = &samples.network {
                positions = Some(write_units(folder, network, &samples, &matched, &labels, &classes)?);
                if let Some(recording) = recording.as_ref().filter(|_| self.recording.is_some()) {
                    write_states(folder, network, recording, self.seed)?;
                }
            }
            pages::write(folder, &found, &classes, positions.as_ref())
        })?;
        if self.json {
            say_json(&found.summary)?
        } else {
            found.print()
        }
        Ok(ExitCode::SUCCESS)
    }

    /// The recording asked for, or the one of the run folder if labels have to come from it.
    fn recording(&self) -> Result<Option<Recording>> {
        if let Some(path) = &self.recording {
            return Ok(Some(Recording::open(path)?));
        }
        match &self.model {
            Some(model) if self.labels.is_none() => recording_of(model)?
                .map(|path| Recording::open(path).context("the recording of this run; if it was moved, name it with --recording"))
                .transpose(),
            _ => Ok(None),
        }
    }

    /// The table of labels, and what to call it.
    fn labels(&self, samples: &Samples, recording: Option<&Recording>) -> Result<(Table, String)> {
        match (&self.labels, recording, &samples.table) {
            (Some(path), ..) => Ok((read_table(path)?, path.display().to_string())),
            (None, Some(recording), _) => Ok((table::of_units(recording.units())?, recording.path().display().to_string())),
            (None, None, Some(table)) => Ok((table.clone(), samples.from.clone())),
            (None, None, None) => bail!("{}: does not know its units' labels; name a table with --labels", samples.from),
        }
    }

    /// Everything that is computed from features and labels.
    fn decoded(&self, samples: &Samples, matched: &Matched, labels: &Table, classes: &Labels, of: &str) -> Result<Found> {
        let config =
            DecodeConfig { folds: self.folds, inner_folds: self.inner_folds, balanced: self.balanced, seed: self.seed, ..DecodeConfig::default() };
        let of_group = |name: &String| -> Result<Labels> {
            let names = table::texts(table::column(labels, name, of)?);
            Ok(Labels::new(&matched.rows.iter().map(|&row| names[row].as_str()).collect::<Vec<_>>()))
        };
        let groups = self.group.as_ref().map(of_group).transpose()?;
        let x = samples.select(&matched.samples);
        let hint = || format!("{}, labelled by {of}", samples.from);
        let decoded = decode(x.view(), classes, groups.as_ref(), &config).with_context(hint)?;
        let shuffled = classes.shuffled(self.seed);
        let control = decode(x.view(), &shuffled, groups.as_ref(), &config).context("shuffled labels")?;
        let confusion = decoded.confusion(classes);
        let embedding = embed(x.view(), &EmbedConfig { seed: self.seed, ..EmbedConfig::default() })?;
        let summary = Summary {
            from: samples.from.clone(),
            column: self.column.clone(),
            group: self.group.clone(),
            samples: classes.len(),
            features: x.ncols(),
            left_out: matched.left_out,
            balanced_accuracy: confusion.balanced_accuracy(),
            chance: 1.0 / classes.classes.len() as f64,
            shuffled_balanced_accuracy: control.confusion(&shuffled).balanced_accuracy(),
            recall: classes.classes.iter().cloned().zip(confusion.recall()).collect(),
            v1_against_others: v1_against_others(&confusion),
            depth_test: samples.network.as_ref().and_then(|_| tested(&x, matched, labels, classes)),
            neighbours_kept: neighbours_kept(x.view(), embedding.view(), EmbedConfig::default().neighbours),
            unconverged_folds: decoded.unconverged,
            config,
        };
        Ok(Found { decoded, confusion, embedding, summary })
    }
}

/// Balanced accuracy of V1 against the rest, where there are V1 and at least two other areas.
fn v1_against_others(confusion: &Confusion) -> Option<f64> {
    let merged = confusion.relabelled(|area| if area == "V1" { area.to_owned() } else { "HVA".into() });
    (merged.classes().len() == 2 && confusion.classes().len() > 2).then(|| merged.balanced_accuracy())
}

/// The likelihood-ratio test, where labels tell the depth of all units.
fn tested(x: &Array2<f32>, matched: &Matched, labels: &Table, classes: &Labels) -> Option<LikelihoodRatio> {
    let depth: Array1<f32> = numbers(labels, "depth", &matched.rows)?.into_iter().map(|v| v as f32).collect();
    let test = depth_test(x.view(), depth.view(), classes);
    test.map_err(|e| note(format_args!("no likelihood-ratio test of depth: {e}"))).ok()
}

/// What was found out.
struct Found {
    decoded: Decoded,
    confusion: Confusion,
    embedding: Array2<f32>,
    summary: Summary,
}

impl Found {
    fn print(&self) {
        let s = &self.summary;
        let classes = self.confusion.classes();
        let header: Vec<&str> = std::iter::once("true \\ predicted").chain(classes.iter().map(String::as_str)).chain(["n"]).collect();
        let rows = classes.iter().zip(self.confusion.normalised()).zip(self.confusion.counts()).map(|((class, row), counts)| {
            let cells = row.into_iter().map(number);
            std::iter::once(class.clone()).chain(cells).chain([counts.iter().sum::<usize>().to_string()]).collect()
        });
        say(crate::output::table(&header, rows.collect(), 1));
        let (accuracy, chance, shuffled) = (number(s.balanced_accuracy), number(s.chance), number(s.shuffled_balanced_accuracy));
        say(format!("balanced accuracy {accuracy} (chance {chance}, shuffled labels {shuffled}), {} samples, {} features", s.samples, s.features));
        if let Some(accuracy) = s.v1_against_others {
            say(format!("V1 against the other areas together: balanced accuracy {} (chance 0.500)", number(accuracy)));
        }
        if let Some(t) = &s.depth_test {
            say(format!("more than depth: D {:.1}, {} degrees of freedom, p {:.2e} (likelihood-ratio test)", t.statistic, t.degrees, t.p));
        }
        let LeftOut { unmatched, unlabelled, class, missing } = s.left_out;
        if unmatched + unlabelled + class + missing > 0 {
            note(format_args!(
                "left out: {unmatched} without a row of labels, {unlabelled} without a label, {class} of a class left out, {missing} with a missing feature"
            ));
        }
        if s.unconverged_folds > 0 {
            note(format_args!("{} of the classifiers did not converge", s.unconverged_folds));
        }
    }
}
