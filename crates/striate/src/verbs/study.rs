//! `striate study`: the paper's experiments on models, many trainings in one command.

use crate::output::{bar, note, say, table};
use crate::study::execute::{Ended, execute, names_differ};
use crate::study::folder::StudyFolder;
use crate::study::pages;
use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use striate::insilico::study::design::FRACTIONS;
use striate::insilico::study::estimate::Estimate;
use striate::insilico::study::score::distinct;
use striate::insilico::study::{Cell, Design, Kind, Subject};
use striate::model::Modules;
use striate::recording::Recording;
use striate::recording::duplicates::duplicates;
use striate::simulation::cohort::Size;
use striate::simulation::{SimulateConfig, simulate};
use striate::training::Preset;

/// A study of the paper in one command: every model trained and evaluated, tables and figures in one page.
///
/// data-scaling: a core trained by --cohort against individual models of --test, at several amounts of training data, on every test domain.
/// lesion: networks without perspective, modulation, temporal kernels or the Poisson loss. recurrent: Conv-LSTM against CvT-LSTM cores. areas:
/// accuracy by visual area. reliability: twins of the same neurons from different seeds.
///
/// Stops cleanly on Ctrl-C; the same command again, or --resume, goes on. Models that are done are not trained again.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  striate study data-scaling --simulated quick -o scaling\n  striate study data-scaling --cohort a.zarr b.zarr --test c.zarr --preset small -o scaling\n  striate study lesion --test a.zarr b.zarr --preset small --plan -o lesion\n  striate study --resume scaling"
)]
pub struct Study {
    /// Which study.
    #[arg(required_unless_present = "resume")]
    kind: Option<Which>,
    /// Settings that differ from the preset, for example scheduler.cycle_size=10.
    #[arg(value_name = "KEY=VALUE")]
    settings: Vec<String>,
    /// Recordings that train a core together.
    #[arg(long, value_name = "RECORDING", num_args = 1..)]
    cohort: Vec<PathBuf>,
    /// Recordings that models are fitted to and tested on.
    #[arg(long, value_name = "RECORDING", num_args = 1..)]
    test: Vec<PathBuf>,
    /// Simulate the animals, into the study's folder: quick (4 and 2, preset tiny, under half an hour) or full (8 and 4, a night).
    #[arg(long, value_name = "SIZE", conflicts_with_all = ["cohort", "test", "resume"])]
    simulated: Option<Sized>,
    /// paper, published, small, tiny, or a TOML or YAML file; tiny where animals are simulated, small elsewhere.
    #[arg(long)]
    preset: Option<String>,
    /// Fractions of the training data.
    #[arg(long, value_name = "F,F,...", value_delimiter = ',')]
    fractions: Vec<f64>,
    /// Seeds; every model is trained once for each.
    #[arg(long, value_name = "SEED,SEED,...", value_delimiter = ',')]
    seeds: Vec<u64>,
    /// Modules that a cohort shares.
    #[arg(long, value_name = "MODULES")]
    share: Option<Modules>,
    /// Test on animals of the cohort, too.
    #[arg(long)]
    same_animal: bool,
    /// Models trained at a time; one per processor core where nothing is said.
    #[arg(long, value_name = "J")]
    jobs: Option<usize>,
    /// Print what would be trained, how long it would take here and how much memory, and stop.
    #[arg(long)]
    plan: bool,
    /// Study folder, new or of the same study.
    #[arg(short, long, required_unless_present = "resume")]
    output: Option<PathBuf>,
    /// Where the animal is that stands for all in a plan.
    #[arg(skip)]
    stand_in: Option<tempfile::TempDir>,
    /// Go on with a study.
    #[arg(long, value_name = "STUDY", conflicts_with_all = ["output", "settings", "cohort", "test", "preset", "fractions", "seeds", "share"])]
    resume: Option<PathBuf>,
}

/// [`Kind`] on the command line.
#[derive(Clone, Copy, ValueEnum)]
#[value(rename_all = "kebab-case")]
enum Which {
    DataScaling,
    Lesion,
    Recurrent,
    Areas,
    Reliability,
}

impl From<Which> for Kind {
    fn from(which: Which) -> Self {
        match which {
            Which::DataScaling => Self::DataScaling,
            Which::Lesion => Self::Lesion,
            Which::Recurrent => Self::Recurrent,
            Which::Areas => Self::Areas,
            Which::Reliability => Self::Reliability,
        }
    }
}

/// [`Size`] on the command line.
#[derive(Clone, Copy, ValueEnum)]
enum Sized {
    Quick,
    Full,
}

impl From<Sized> for Size {
    fn from(size: Sized) -> Self {
        match size {
            Sized::Quick => Self::Quick,
            Sized::Full => Self::Full,
        }
    }
}

impl Study {
    /// Runs the verb.
    pub fn run(mut self) -> Result<ExitCode> {
        let study = match (&self.resume, &self.output) {
            (Some(path), _) => StudyFolder::open(path)?,
            (None, Some(out)) => {
                let out = out.clone();
                self.begin(&out)?
            }
            (None, None) => bail!("name a study folder (-o)"),
        };
        let cells = study.design.cells();
        anyhow::ensure!(names_differ(&cells), "two models of the study have one name: rename the recordings' animals, sessions or scans");
        let leaks = if self.stand_in.is_some() { Vec::new() } else { self.leaks(&study.design)? };
        let cores = rayon::current_num_threads();
        let jobs = self.jobs.unwrap_or(cores).clamp(1, cells.len().max(1));
        let threads = (cores / jobs).max(1);
        if self.plan {
            plan(&study, &cells, jobs, threads)?;
            return Ok(ExitCode::SUCCESS);
        }
        say(format!("{} models, {jobs} at a time with {threads} thread(s) each", cells.len()));
        let ended = execute(&study, &cells, jobs, threads);
        pages::write(&study, &cells, &leaks)?; // also of what is there so far
        if ended? == Ended::Stopped {
            say(format!("stopped; go on with: striate study --resume {}", study.path.display()));
            return Ok(ExitCode::from(130));
        }
        say(format!("the page is in {}", study.path.join("report.html").display()));
        Ok(ExitCode::SUCCESS)
    }

    /// A new study, or one that goes on; a plan leaves nothing behind.
    fn begin(&mut self, out: &Path) -> Result<StudyFolder> {
        self.sort_arguments();
        let kind: Kind = self.kind.context("name a study")?.into();
        let new = !out.join("study.toml").exists();
        let (cohort, test) = match self.simulated {
            Some(size) if self.plan && new => self.stand_ins(size.into())?,
            Some(size) => simulated(size.into(), &out.join("recordings"))?,
            None => (subjects(&self.cohort)?, subjects(&self.test)?),
        };
        let preset = self.preset.clone().unwrap_or_else(|| if self.simulated.is_some() { "tiny" } else { "small" }.into());
        let or = |given: &[f64], default: &[f64]| if given.is_empty() { default.to_vec() } else { given.to_vec() };
        let scaled = matches!(kind, Kind::DataScaling | Kind::Recurrent);
        let fractions: &[f64] = match self.simulated {
            _ if !scaled => &[1.0],
            Some(Sized::Quick) => &[0.1, 0.3, 1.0],
            _ => &FRACTIONS,
        };
        let seeds = match (kind, self.simulated) {
            (_, Some(Sized::Full)) => vec![0, 1, 2],
            (Kind::Reliability, _) => vec![0, 1],
            _ => vec![0],
        };
        let design = Design {
            kind,
            fractions: or(&self.fractions, fractions),
            seeds: if self.seeds.is_empty() { seeds } else { self.seeds.clone() },
            share: self.share.clone().unwrap_or_default(),
            cohort: if matches!(kind, Kind::DataScaling | Kind::Recurrent) { cohort } else { Vec::new() },
            test,
            preset: Preset::load(&preset, &self.settings)?,
        };
        design.check()?;
        if let (Some(animal), false) = (design.shared_animals().first(), self.same_animal) {
            bail!("animal {animal} is in --cohort and in --test: its test says nothing about new animals; --same-animal if that is meant");
        }
        StudyFolder::create(out, design, self.plan)
    }

    /// Simulated animals for a plan: one is made, aside, and stands for all, which are as large.
    fn stand_ins(&mut self, size: Size) -> Result<(Vec<Subject>, Vec<Subject>)> {
        let folder = self.stand_in.insert(tempfile::tempdir().context("a folder for what is tried")?);
        let configs = size.configs(1);
        let path = folder.path().join("animal.zarr");
        make(&configs[0], &path)?;
        let one = Subject::of(&Recording::open(&path)?)?;
        let mut all: Vec<Subject> =
            configs.into_iter().map(|c| Subject { name: c.animal.clone(), animal: c.animal, sha256: c.seed.to_string(), ..one.clone() }).collect();
        let test = all.split_off(size.animals().0);
        Ok((all, test))
    }

    /// Settings may stand after the recordings.
    fn sort_arguments(&mut self) {
        for list in [&mut self.cohort, &mut self.test] {
            let is_setting = |path: &PathBuf| path.to_string_lossy().contains('=') && !path.exists();
            let (settings, paths) = std::mem::take(list).into_iter().partition(is_setting);
            *list = paths;
            self.settings.extend(settings.iter().map(|path: &PathBuf| path.to_string_lossy().into_owned()));
        }
    }

    /// Held-out video that is training video, told and kept for the page.
    fn leaks(&self, design: &Design) -> Result<Vec<String>> {
        let recordings = design.cohort.iter().chain(&design.test).map(|s| Recording::open(&s.path)).collect::<Result<Vec<_>, _>>()?;
        let found: Vec<String> = duplicates(&recordings.iter().collect::<Vec<_>>())?.iter().map(ToString::to_string).collect();
        const TOLD: usize = 5;
        found.iter().take(TOLD).for_each(note);
        if found.len() > TOLD {
            note(format!("and {} more; the page lists them all", found.len() - TOLD));
        }
        Ok(found)
    }
}

fn subjects(paths: &[PathBuf]) -> Result<Vec<Subject>> {
    paths.iter().map(|path| Ok(Subject::of(&Recording::open(path)?)?)).collect()
}

/// Makes a simulated animal, and shows how far it is.
fn make(config: &SimulateConfig, path: &Path) -> Result<()> {
    let progress = bar(0, "simulating");
    simulate(config, path, &mut |done, total| {
        progress.set_length(total as u64);
        progress.set_position(done as u64);
    })?;
    progress.finish_and_clear();
    Ok(())
}

/// Simulated animals, made where they are not there yet: the cohort's and those to test on.
fn simulated(size: Size, folder: &Path) -> Result<(Vec<Subject>, Vec<Subject>)> {
    std::fs::create_dir_all(folder).with_context(|| format!("{}: cannot create the folder", folder.display()))?;
    let mut paths = Vec::new();
    for config in size.configs(1) {
        let path = folder.join(format!("{}.zarr", config.animal));
        if !path.exists() {
            make(&config, &path)?;
        }
        paths.push(path);
    }
    let test = paths.split_off(size.animals().0);
    Ok((subjects(&paths)?, subjects(&test)?))
}

/// Prints the models, and what they cost here; a row for all models of one kind and recording.
fn plan(study: &StudyFolder, cells: &[Cell], jobs: usize, threads: usize) -> Result<()> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    let mut estimate = Estimate::new(&study.design, cells);
    let seconds = cells.iter().map(|cell| pool.install(|| estimate.seconds(cell))).collect::<Result<Vec<_>, _>>()?;
    let of = |cell: &Cell| (cell.arm.clone(), cell.subject());
    let kinds = distinct(cells.iter().map(of));
    let rows = kinds.iter().map(|kind| {
        let alike: Vec<&Cell> = cells.iter().filter(|cell| of(cell) == *kind).collect();
        let first = cells.iter().position(|cell| of(cell) == *kind).unwrap_or_default();
        let list = |values: Vec<String>| distinct(values.into_iter()).join(", ");
        vec![
            kind.0.clone(),
            kind.1.map_or("cohort", |s| study.design.test[s].name.as_str()).into(),
            list(alike.iter().map(|cell| cell.seed.to_string()).collect()),
            list(alike.iter().map(|cell| cell.fraction.to_string()).collect()),
            alike.len().to_string(),
            alike.iter().filter(|cell| study.done(cell)).count().to_string(),
            format!("{:.1}", seconds[first] / 60.0),
        ]
    });
    say(table(&["as", "recording", "seeds", "fractions", "models", "done", "minutes each"], rows.collect(), 4));
    let left: f64 = cells.iter().zip(&seconds).filter(|(cell, _)| !study.done(cell)).map(|(_, seconds)| seconds).sum();
    let hours = left / 3600.0 / jobs as f64;
    say(format!("{} models, {jobs} at a time with {threads} thread(s) each: about {hours:.2} h on this machine", cells.len()));
    if let Some(gb) = crate::verbs::bench::peak_memory() {
        say(format!("a process that trains one takes up to {gb:.2} GB; {jobs} of them {:.2} GB", gb * jobs as f64));
    }
    Ok(())
}
