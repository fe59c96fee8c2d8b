//! `striate evaluate`: how well a twin predicts held-out trials.

use crate::output::{bar, new_folder, number, say, say_json, table};
use crate::run_folder::weights_of;
use anyhow::Result;
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use striate::insilico::evaluate::{Domain, EvaluateOptions, Summary, evaluate, summarise, table as scores};
use striate::model::open;
use striate::recording::Recording;
use striate::report::histogram::{Panel, cc_norm_histogram};
use striate::report::{tabular, write_svg};

/// Evaluate a twin on a recording's test trials: cc_abs, cc_max and cc_norm per unit and test domain.
///
/// Writes units.csv, units.parquet, summary.json and cc_norm.svg. cc_norm is the correlation of mean prediction and mean response over the
/// highest that the repeats' noise allows; the accuracy of a twin is its median over units.
#[derive(Args)]
#[command(after_help = "Example:\n  striate evaluate runs/mouse mouse.zarr -o evaluation")]
pub struct Evaluate {
    /// Run folder or model file.
    model: PathBuf,
    /// Recording.
    recording: PathBuf,
    /// Folder to create.
    #[arg(short, long)]
    output: PathBuf,
    /// First frames of each trial that are not scored.
    #[arg(long, default_value_t = EvaluateOptions::default().burnin)]
    burnin: usize,
    /// Print the summary as JSON.
    #[arg(long)]
    json: bool,
}

impl Evaluate {
    /// Runs the verb.
    pub fn run(self) -> Result<ExitCode> {
        let network = open::load(&weights_of(&self.model), None, None)?.network;
        let recording = Recording::open(&self.recording)?;
        let progress = bar(0, "evaluating");
        let domains = evaluate(&network, &recording, &EvaluateOptions { burnin: self.burnin }, &mut |done, total| {
            progress.set_length(total as u64);
            progress.set_position(done as u64);
        })?;
        progress.finish_and_clear();
        let summaries = save(&self.output, &recording, &domains)?;
        if self.json {
            say_json(&summaries)?
        } else {
            print(&summaries)
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Writes an evaluation's tables and figure, and returns its summary.
pub fn save(folder: &Path, recording: &Recording, domains: &[Domain]) -> Result<Vec<Summary>> {
    new_folder(folder)?;
    let scores = scores(recording, domains)?;
    let summaries: Vec<Summary> = domains.iter().map(summarise).collect();
    tabular::write_csv(&folder.join("units.csv"), &scores)?;
    tabular::write_parquet(&folder.join("units.parquet"), &scores)?;
    crate::output::write(&folder.join("summary.json"), serde_json::to_string_pretty(&summaries)?.as_bytes())?;
    let values: Vec<Vec<f64>> = domains.iter().map(|d| d.accuracy.cc_norm()).collect();
    let panels: Vec<Panel> = domains.iter().zip(&values).map(|(d, values)| Panel { domain: &d.accuracy.domain, values }).collect();
    write_svg(&folder.join("cc_norm.svg"), &cc_norm_histogram(&panels)?)?;
    Ok(summaries)
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
