//! `striate evaluate`: how well a twin predicts held-out trials.

use crate::output::{bar, free, note, number, say, say_json, table, whole_folder};
use crate::provenance::{EVALUATED, Origin};
use crate::run_folder::{preset_of, weights_for};
use anyhow::{Context, Result};
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use striate::analysis::Table;
use striate::insilico::Error;
use striate::insilico::evaluate::{Domain, EvaluateOptions, Summary, evaluate, summarise, table as scores};
use striate::insilico::fit::{check_fit, check_origin};
use striate::insilico::respond::resampled;
use striate::model::Precision;
use striate::model::open::{self, Opened};
use striate::recording::Recording;
use striate::report::{Figure, cc_norm_charts, tabular};

/// Evaluate a twin on a recording's test trials: cc_abs, cc_max and cc_norm per unit and test domain.
///
/// Writes units.csv, units.parquet, summary.json, evaluation.toml and cc_norm.svg. cc_norm is the correlation of mean prediction and mean response over the
/// highest that the repeats' noise allows; the accuracy of a twin is its median over units.
#[derive(Args)]
#[command(after_help = "Example:\n  striate evaluate runs/mouse mouse.zarr -o evaluation")]
pub struct Evaluate {
    /// Run folder or model file; of a cohort's run, the recording's own network is taken.
    model: PathBuf,
    /// Recording.
    recording: PathBuf,
    /// Folder to create.
    #[arg(short, long)]
    output: PathBuf,
    /// First frames of each trial that are not scored; by default as many as in training, 10 for a model file.
    #[arg(long)]
    burnin: Option<usize>,
    /// Show frames as they are, whatever size the twin was trained on.
    #[arg(long)]
    native: bool,
    /// What products in the core are made of: f32, or bf16, to see what that costs.
    #[arg(long, value_parser = crate::verbs::precision(), default_value = "f32")]
    precision: Precision,
    /// The recording is another one than the twin was trained on, but of the same neurons in the same order: another session, for example.
    #[arg(long)]
    other_recording: bool,
    /// Print the summary as JSON.
    #[arg(long)]
    json: bool,
}

impl Evaluate {
    /// Runs the verb.
    pub fn run(self) -> Result<ExitCode> {
        free(&self.output)?;
        let recording = Recording::open(&self.recording)?;
        let weights = weights_for(&self.model, &recording)?;
        let Opened { network, trained_on, .. } = open::load(&weights, None, None)?;
        check_fit(&network, &recording)?;
        if let Some(trained_on) = trained_on {
            check_origin(&trained_on, &recording, self.other_recording)
                .with_context(|| format!("{} and {}", self.model.display(), self.recording.display()))?;
        }
        let [height, width, _] = recording.frame_shape();
        resampled(&network, [height, width], self.native).into_iter().for_each(|(_, line)| note(line));
        let burnin = self.burnin.map_or_else(|| burnin_of(&self.model), Ok)?;
        let options = EvaluateOptions { burnin, native: self.native, precision: self.precision };
        let progress = bar(0, "evaluating");
        let domains = evaluate(&network, &recording, &options, &mut |done, total| {
            progress.set_length(total as u64);
            progress.set_position(done as u64);
        });
        progress.finish_and_clear();
        let domains = domains.map_err(|e| match e {
            Error::Analysis(striate::analysis::Error::NothingLeft { .. }) => anyhow::Error::new(e).context("lower --burnin"),
            e => e.into(),
        })?;
        let origin = Origin::model(&weights, &recording, burnin)?.in_precision(self.precision);
        let summaries = save(&self.output, &recording, &domains, &origin)?;
        if self.json {
            say_json(&summaries)?
        } else {
            print(&summaries)
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Frames that training left unscored where the model is a run folder.
fn burnin_of(model: &Path) -> Result<usize> {
    Ok(preset_of(model)?.map_or(EvaluateOptions::default().burnin, |preset| preset.objective.burnin_frames))
}

/// Writes an evaluation's tables and figure, and returns its summary.
pub fn save(folder: &Path, recording: &Recording, domains: &[Domain], origin: &Origin) -> Result<Vec<Summary>> {
    let scores = scores(recording, domains)?;
    let summaries: Vec<Summary> = domains.iter().map(summarise).collect();
    whole_folder(folder, |folder| write(folder, domains, &scores, &summaries, origin))?;
    Ok(summaries)
}

fn write(folder: &Path, domains: &[Domain], scores: &Table, summaries: &[Summary], origin: &Origin) -> Result<()> {
    tabular::write_csv(&folder.join("units.csv"), scores)?;
    tabular::write_parquet(&folder.join("units.parquet"), scores)?;
    crate::output::write(&folder.join("summary.json"), serde_json::to_string_pretty(summaries)?.as_bytes())?;
    crate::output::write(&folder.join(EVALUATED), toml::to_string_pretty(origin)?.as_bytes())?;
    let values: Vec<Vec<f64>> = domains.iter().map(|d| d.accuracy.cc_norm()).collect();
    let panels: Vec<(&str, &[f64])> = domains.iter().zip(&values).map(|(d, values)| (d.accuracy.domain.as_str(), values.as_slice())).collect();
    Figure::panels("cc_norm of the units", &cc_norm_charts(&panels)).write(&folder.join("cc_norm.svg"))?;
    Ok(())
}

/// Prints a summary.
pub fn print(summaries: &[Summary]) {
    let rows = summaries.iter().map(|s| {
        let valid = |m: &striate::insilico::evaluate::Median| format!("{} ({})", number(m.median), m.units);
        vec![s.domain.clone(), s.trials.to_string(), s.repeats.to_string(), valid(&s.cc_abs), valid(&s.cc_max), valid(&s.cc_norm)]
    });
    say(table(&["domain", "trials", "repeats", "cc_abs", "cc_max", "cc_norm"], rows.collect(), 1));
    say("medians over units, in brackets the number of units with a value");
}
