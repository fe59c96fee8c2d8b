//! `striate report`: what a folder holds, as one page.

use crate::output::say;
use crate::provenance::{EVALUATED, Origin, sha256};
use crate::run_folder::{Inputs, epochs, members, weights_in};
use anyhow::{Context, Result, bail};
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use striate::model::config::UnitKind;
use striate::report::{self, Evaluation, FinishedEpoch, Loss, Page, REPORT, Run, tabular};
use striate::training::{Epoch, Preset};

/// One page that says what was run, what came out and how each number is computed.
///
/// The page is a single HTML file that loads nothing: it can be mailed, archived and read on a phone. Pointing at a mark says its value.
#[derive(Args)]
#[command(after_help = "Examples:\n  striate report runs/mouse -o mouse.html\n  striate report evaluation -o evaluation.html --figures figures")]
pub struct Report {
    /// Folder of a run, of an evaluation, or with a report.json.
    folder: PathBuf,
    /// Page to write, .html; one that is there is replaced.
    #[arg(short, long)]
    output: PathBuf,
    /// Folder for the page's figures as SVG, PDF and PNG files.
    #[arg(long, value_name = "DIR")]
    figures: Option<PathBuf>,
}

impl Report {
    /// Runs the verb.
    pub fn run(self) -> Result<ExitCode> {
        let ending = self.output.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
        if !matches!(ending.as_deref(), Some("html" | "htm")) {
            bail!("{}: the page's file name must end in .html", self.output.display());
        }
        let page = page(&self.folder)?;
        page.write_html(&self.output)?;
        say(format!("the page is in {}", self.output.display()));
        if let Some(folder) = &self.figures {
            let files = page.write_figures(folder)?;
            say(format!("{} figure files are in {}", files.len(), folder.display()));
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The page of a folder: whatever made it.
fn page(folder: &Path) -> Result<Page> {
    let has = |file: &str| folder.join(file).is_file();
    if has(REPORT) {
        return Ok(Page::open(folder)?);
    }
    if has("inputs.toml") && has("preset.toml") {
        return Ok(report::run(&run(folder)?)?);
    }
    if has("units.csv") && has("summary.json") {
        return report::evaluation(&evaluation(folder)?).with_context(|| format!("{}", folder.join("units.csv").display()));
    }
    if !folder.exists() {
        bail!("{}: there is no such folder", folder.display());
    }
    bail!(
        "{}: nothing to report on; looked for {REPORT}, for a run (inputs.toml and preset.toml) and for an evaluation (units.csv and summary.json)",
        folder.display()
    )
}

/// The folder's own name.
fn name(folder: &Path) -> String {
    let whole = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    whole.file_name().map_or_else(|| folder.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// A run as its folder tells it.
fn run(folder: &Path) -> Result<Run> {
    let inputs = Inputs::read(folder)?;
    let file = folder.join("preset.toml");
    let text = std::fs::read_to_string(&file).with_context(|| format!("{}: cannot be read", file.display()))?;
    let preset = Preset::load(&file.to_string_lossy(), &[])?;
    let finished =
        |e: Epoch| FinishedEpoch { epoch: e.epoch, learning_rate: e.lr, training: e.training_objective, validation: e.validation_objective };
    let folders = std::iter::once(folder.to_owned()).chain(members(folder)?);
    let weights =
        folders.flat_map(|f| weights_in(&f)).map(|file| Ok((file.strip_prefix(folder).unwrap_or(&file).display().to_string(), sha256(&file)?)));
    Ok(Run {
        name: name(folder),
        version: inputs.version.clone(),
        recipe: inputs.recipe(),
        recordings: inputs.recordings.iter().map(|r| (r.path.display().to_string(), r.sha256.clone())).collect(),
        machine: Some(inputs.machine),
        seed: preset.optimizer.seed,
        planned: preset.scheduler.cycles * preset.scheduler.cycle_size,
        burnin: preset.objective.burnin_frames,
        preset: text,
        loss: match preset.model.unit {
            UnitKind::Poisson => Loss::Poisson,
            UnitKind::EluMse => Loss::SquaredError,
        },
        epochs: epochs(folder)?.into_iter().map(finished).collect(),
        weights: weights.collect::<Result<_>>()?,
    })
}

/// An evaluation as its folder tells it.
fn evaluation(folder: &Path) -> Result<Evaluation> {
    Ok(Evaluation { name: name(folder), facts: facts(folder)?, units: tabular::read_csv(&folder.join("units.csv"))?, domains: domains(folder)? })
}

/// Test domains, each with its trials and the most repeats of a video.
fn domains(folder: &Path) -> Result<Vec<(String, usize, usize)>> {
    #[derive(serde::Deserialize)]
    struct Domain {
        domain: String,
        trials: usize,
        repeats: usize,
    }
    let file = folder.join("summary.json");
    let text = std::fs::read_to_string(&file).with_context(|| format!("{}: cannot be read", file.display()))?;
    let domains: Vec<Domain> = serde_json::from_str(&text).with_context(|| format!("{}: damaged", file.display()))?;
    Ok(domains.into_iter().map(|d| (d.domain, d.trials, d.repeats)).collect())
}

/// What was evaluated on what, where the folder says so.
fn facts(folder: &Path) -> Result<Vec<(String, String)>> {
    let file = folder.join(EVALUATED);
    if !file.is_file() {
        return Ok(vec![("origin".into(), format!("not recorded: there is no {EVALUATED}"))]);
    }
    let text = std::fs::read_to_string(&file).with_context(|| format!("{}: cannot be read", file.display()))?;
    let origin: Origin = toml::from_str(&text).with_context(|| format!("{}: damaged", file.display()))?;
    let mut facts = vec![("predictor".to_owned(), origin.predictor)];
    facts.extend(origin.predictor_sha256.map(|hash| ("predictor, SHA-256".to_owned(), hash)));
    facts.extend([
        ("recording".into(), origin.recording.display().to_string()),
        ("recording, SHA-256".into(), origin.recording_sha256),
        ("frames not scored at the start of a trial".into(), origin.burnin.to_string()),
        ("striate".into(), origin.version),
        ("machine".into(), origin.machine),
    ]);
    Ok(facts)
}
