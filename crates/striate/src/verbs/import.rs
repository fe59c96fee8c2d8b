//! `striate import`: foreign formats to recordings.

use crate::output::say;
use anyhow::{Context, Result};
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::process::ExitCode;
use striate::import::fnn::{FnnOptions, import_fnn};
use striate::import::stills::{Order, StillsOptions, import_stills};
use striate::recording::{Recording, Tier};

/// Turn data of other formats into a recording.
#[derive(Args)]
#[command(after_help = "Example:\n  striate import stills --images pictures.zip --responses mean.npy -o pe.zarr")]
pub struct Import {
    #[command(subcommand)]
    format: Format,
}

#[derive(Subcommand)]
enum Format {
    FnnTraining(FnnTraining),
    FnnEvaluation(FnnEvaluation),
    Stills(Stills),
}

/// What the folders of the reference implementation do not say.
#[derive(Args)]
struct Described {
    /// Recording to create.
    #[arg(short, long)]
    output: PathBuf,
    /// Animal.
    #[arg(long, default_value = "unknown")]
    animal: String,
    /// Session.
    #[arg(long)]
    session: Option<String>,
    /// Scan.
    #[arg(long)]
    scan: Option<String>,
    /// Frames per second, Hz.
    #[arg(long, default_value_t = 30.0)]
    rate: f64,
}

impl Described {
    fn options(&self) -> FnnOptions {
        FnnOptions { animal: self.animal.clone(), session: self.session.clone(), scan: self.scan.clone(), rate: self.rate, units: None }
    }
}

/// A training folder of fnn: {training,samples,stimuli,perspectives,modulations,units}/TRIAL.npy.
#[derive(Args)]
#[command(
    after_help = "Example:\n  striate import fnn-training training_data_27203_4_7 --evaluation natural=evaluation_data_27203_4_7 --animal 27203 -o 27203.zarr"
)]
struct FnnTraining {
    /// Training folder.
    folder: PathBuf,
    /// Evaluation folders to add as test domains.
    #[arg(long, value_name = "DOMAIN=FOLDER")]
    evaluation: Vec<String>,
    #[command(flatten)]
    described: Described,
}

/// An evaluation folder of fnn: {stimuli,perspectives,modulations,units}/VIDEO/REPEAT.npy.
#[derive(Args)]
#[command(after_help = "Example:\n  striate import fnn-evaluation evaluation_data_27203_4_7 --animal 27203 -o 27203-test.zarr")]
struct FnnEvaluation {
    /// Evaluation folder.
    folder: PathBuf,
    /// Name of the test domain.
    #[arg(long, default_value = "natural")]
    domain: String,
    #[command(flatten)]
    described: Described,
}

/// Flashed pictures: each becomes a short constant clip, its response on the last frames, all other frames unmeasured.
#[derive(Args)]
#[command(after_help = "Example:\n  striate import stills --images pictures.zip --responses mean.npy --repeats single.npy --animal PE -o pe.zarr")]
struct Stills {
    /// Pictures, PNG or JPEG, in a ZIP archive or folder.
    #[arg(long)]
    images: PathBuf,
    /// Order of the pictures that the responses are in: names as text (10 before 2), or numbers in names as numbers (2 before 10). Needed where the
    /// two differ.
    #[arg(long, value_enum)]
    order: Option<By>,
    /// Mean responses [unit, picture], .npy.
    #[arg(long)]
    responses: PathBuf,
    /// Single repeats [unit, picture, repeat], .npy, NaN = not shown.
    #[arg(long)]
    repeats: Option<PathBuf>,
    /// Recording to create.
    #[arg(short, long)]
    output: PathBuf,
    /// Grey frames before each picture.
    #[arg(long, default_value_t = StillsOptions::default().blank)]
    blank: usize,
    /// Frames of each picture.
    #[arg(long, default_value_t = StillsOptions::default().frames)]
    frames: usize,
    /// Last frames that carry the response.
    #[arg(long, default_value_t = StillsOptions::default().respond_on)]
    respond_on: usize,
    /// Keep colour.
    #[arg(long)]
    color: bool,
    /// Size pictures are resampled to.
    #[arg(long, value_name = "HxW", default_value = "64x64", value_parser = size)]
    size: [usize; 2],
    /// Share of pictures held out for the test.
    #[arg(long, default_value_t = StillsOptions::default().test)]
    test: f64,
    /// Share of the other pictures that validate.
    #[arg(long, default_value_t = StillsOptions::default().validation)]
    validation: f64,
    /// Seed of the split.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Animal.
    #[arg(long, default_value = "unknown")]
    animal: String,
    /// Session.
    #[arg(long)]
    session: Option<String>,
}

/// What pictures are sorted by.
#[derive(Clone, Copy, ValueEnum)]
enum By {
    Name,
    Number,
}

pub(crate) fn size(text: &str) -> Result<[usize; 2], String> {
    let parts = text.split_once('x').and_then(|(h, w)| Some([h.parse().ok()?, w.parse().ok()?]));
    parts.ok_or_else(|| "expected HEIGHTxWIDTH, for example 64x64".into())
}

impl Import {
    /// Runs the verb.
    pub fn run(self) -> Result<ExitCode> {
        let recording = match self.format {
            Format::FnnTraining(v) => {
                let domain = |text: &String| {
                    let (name, folder) = text.split_once('=').with_context(|| format!("--evaluation {text}: expected DOMAIN=FOLDER"))?;
                    Ok((name.to_owned(), PathBuf::from(folder)))
                };
                let evaluation = v.evaluation.iter().map(domain).collect::<Result<Vec<_>>>()?;
                import_fnn(Some(&v.folder), &evaluation, &v.described.output, &v.described.options())?
            }
            Format::FnnEvaluation(v) => import_fnn(None, &[(v.domain.clone(), v.folder.clone())], &v.described.output, &v.described.options())?,
            Format::Stills(v) => {
                let options = StillsOptions {
                    order: v.order.map(|by| match by {
                        By::Name => Order::Name,
                        By::Number => Order::Number,
                    }),
                    blank: v.blank,
                    frames: v.frames,
                    respond_on: v.respond_on,
                    color: v.color,
                    size: v.size,
                    test: v.test,
                    validation: v.validation,
                    seed: v.seed,
                    animal: v.animal,
                    session: v.session,
                    ..StillsOptions::default()
                };
                import_stills(&v.images, &v.responses, v.repeats.as_deref(), &v.output, &options)?
            }
        };
        describe(&recording);
        Ok(ExitCode::SUCCESS)
    }
}

fn describe(recording: &Recording) {
    let [train, validation, test] = [Tier::Train, Tier::Validation, Tier::Test].map(|tier| recording.trials_of(tier).len());
    say(format!("{}: {} units, trials: {train} train, {validation} validation, {test} test", recording.path().display(), recording.unit_count()));
}
