//! `striate train`: an individual model, a cohort's foundation core, or a transfer of one.

use crate::output::{bar, complain, note, say};
use crate::run_folder::{KEEP, RunFolder, Source, weights_with_core};
use anyhow::{Context, Result, bail};
use clap::Args;
use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use striate::model::Modules;
use striate::model::open::{self, Opened};
use striate::recording::{Recording, same_rate};
use striate::training::foundation::foundation;
use striate::training::individual::individual;
use striate::training::transfer::transfer;
use striate::training::{Epoch, Outcome, Preset, Recipe, Step, Training};

/// Train a twin of one recording, a core shared by a cohort, or a twin around such a core.
///
/// Alone, a recording trains all four modules end to end. With --cohort, the recordings train one core together, each with its own perspective,
/// modulation and readout. With --from, a recording takes over a trained core, frozen, and fits all else. Stops cleanly on Ctrl-C; --resume goes
/// on to the same bits as a run that was never stopped.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  striate train mouse.zarr --preset small -o runs/mouse\n  striate train mouse.zarr --preset tiny lr=0.05 scheduler.cycle_size=10 -o runs/quick\n  striate train --cohort a.zarr b.zarr c.zarr --preset small -o runs/core\n  striate train new.zarr --from runs/core --preset small -o runs/new\n  striate train --resume runs/mouse"
)]
pub struct Train {
    /// Recording to train on.
    #[arg(required_unless_present_any = ["resume", "cohort"])]
    recording: Option<PathBuf>,
    /// Settings that differ from the preset, for example optimizer.lr=0.05.
    #[arg(value_name = "KEY=VALUE")]
    settings: Vec<String>,
    /// Recordings that train a core together.
    #[arg(long, value_name = "RECORDING", num_args = 1.., conflicts_with_all = ["from", "resume"])]
    cohort: Vec<PathBuf>,
    /// Run or model whose modules are taken over and frozen; the preset's network is then that one.
    #[arg(long, value_name = "RUN|MODEL", conflicts_with = "resume")]
    from: Option<PathBuf>,
    /// Modules that a cohort shares, or that are taken over: core, core.feedforward, core.recurrent, modulation, modulation.lstm, perspective,
    /// joined by +. `core` where nothing is said.
    #[arg(long, value_name = "MODULES", conflicts_with = "resume")]
    share: Option<Modules>,
    /// Take over a core that the recording's own animal helped to train.
    #[arg(long, requires = "from")]
    same_animal: bool,
    /// paper, published, small, tiny, or a TOML or YAML file (fnn's config.yaml is understood).
    #[arg(long, default_value = "small")]
    preset: String,
    /// Run folder to create.
    #[arg(short, long, required_unless_present = "resume")]
    output: Option<PathBuf>,
    /// Go on with an interrupted run.
    #[arg(long, value_name = "RUN", conflicts_with_all = ["recording", "output", "preset", "settings"])]
    resume: Option<PathBuf>,
    /// Where the recording of the run to resume is now, if it was moved; its content must be the same. Once for each of a cohort.
    #[arg(long = "recording", value_name = "PATH", requires = "resume")]
    moved: Vec<PathBuf>,
    /// Checkpoints to keep.
    #[arg(long, value_name = "K", default_value_t = KEEP, value_parser = at_least_one)]
    keep: usize,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|k| *k > 0).ok_or_else(|| "expected a whole number above 0".into())
}

impl Train {
    /// Runs the verb.
    pub fn run(mut self) -> Result<ExitCode> {
        if let Some(path) = &self.resume {
            let (folder, recordings, training) = RunFolder::reopen(path, &self.moved, self.keep)?;
            say(format!("resuming after {} of {} epochs", training.finished(), training.epochs()));
            return train(path, folder, &recordings, training);
        }
        self.sort_arguments();
        let paths: Vec<&PathBuf> = self.recording.iter().chain(&self.cohort).collect();
        let (Some(first), Some(out)) = (paths.first(), &self.output) else { bail!("name a recording and an output folder (-o)") };
        if self.recording.is_some() && !self.cohort.is_empty() {
            bail!("{} and --cohort: name a recording or a cohort, not both", first.display());
        }
        if first.to_string_lossy().contains('=') && !first.exists() {
            bail!("name the recording before {}", first.display());
        }
        if self.share.is_some() && self.from.is_none() && self.cohort.is_empty() {
            bail!("--share says what a cohort shares or what is taken over: it needs --cohort or --from");
        }
        // settings first: recordings take longer to read
        let preset = if self.from.is_none() { Some(self.preset()?) } else { None };
        let recordings = paths.into_iter().map(Recording::open).collect::<Result<Vec<_>, _>>()?;
        crate::output::free(out)?;
        let (training, from) = self.begin(&recordings, preset)?;
        let folder = RunFolder::create(out, &recordings, &training, from, self.keep)?;
        describe(&recordings, &training);
        train(out, folder, &recordings, training)
    }

    /// `--cohort A B lr=0.1` and `lr=0.1 --cohort A B`: what has an equals sign and is no file is a setting.
    fn sort_arguments(&mut self) {
        if self.cohort.is_empty() {
            return;
        }
        let is_setting = |path: &PathBuf| path.to_string_lossy().contains('=') && !path.exists();
        let (settings, cohort) = std::mem::take(&mut self.cohort).into_iter().chain(self.recording.take()).partition(is_setting);
        self.cohort = cohort;
        self.settings.extend(settings.iter().map(|path: &PathBuf| path.to_string_lossy().into_owned()));
    }

    /// The preset with its settings.
    fn preset(&self) -> Result<Preset> {
        let (preset, elsewhere) = Preset::load_with_paths(&self.preset, &self.settings)?;
        if let Some(elsewhere) = elsewhere {
            note(format!("{}: not settings of a run, ignored: {}", self.preset, elsewhere.keys.join(", ")));
        }
        Ok(preset)
    }

    /// The run: a transfer where there is no preset of its own network, else a cohort or an individual model.
    fn begin(&self, recordings: &[Recording], preset: Option<Preset>) -> Result<(Training, Option<Source>)> {
        let share = self.share.clone().unwrap_or_default();
        let preset = match (&self.from, preset) {
            (Some(from), _) => return self.take_over(&recordings[0], from, &share),
            (None, Some(preset)) => preset,
            (None, None) => self.preset()?,
        };
        if self.cohort.is_empty() {
            return Ok((individual(&recordings[0], &preset)?, None));
        }
        if let Some(twice) = recordings.iter().enumerate().find(|(n, r)| recordings[..*n].iter().any(|other| other.path() == r.path())) {
            bail!("{}: twice in the cohort", twice.1.path().display());
        }
        Ok((foundation(recordings, &preset, &share)?, None))
    }

    /// A transfer, and where its frozen modules come from.
    fn take_over(&self, recording: &Recording, from: &Path, share: &Modules) -> Result<(Training, Option<Source>)> {
        let weights = weights_with_core(from)?;
        let Opened { network, trained_on, .. } = open::load(&weights, None, None)?;
        let mut animals = Vec::new();
        if let Some(origin) = trained_on {
            if !same_rate(origin.rate, recording.meta().rate) {
                let (there, here) = (origin.rate, recording.meta().rate);
                bail!("{}: trained at {there} Hz, {} has {here} Hz; resample the recording", from.display(), recording.path().display());
            }
            animals = if origin.core_animals.is_empty() { vec![origin.animal] } else { origin.core_animals };
            let own = &recording.meta().animal;
            if animals.contains(own) && !self.same_animal {
                bail!("{}: animal {own} helped to train {}; --same-animal if that is meant", recording.path().display(), from.display());
            }
        }
        let preset = Preset::load_around(network.config(), &self.preset, &self.settings)?;
        let training = transfer(recording, &preset, &network, share)
            .with_context(|| format!("{} and {} do not fit", from.display(), recording.path().display()))?;
        let sha256 = crate::provenance::sha256(&weights)?;
        Ok((training, Some(Source { path: std::path::absolute(&weights)?, sha256, modules: share.clone(), animals })))
    }
}

fn describe(recordings: &[Recording], training: &Training) {
    let (config, loader) = (training.network().config(), &training.preset().loader);
    let frozen = |network: &striate::model::Network| network.params().iter().filter(|p| p.frozen).map(|p| p.value.len()).sum::<usize>();
    let parameters = match training.recipe() {
        Recipe::Individual => format!("{} parameters", training.network().params().scalars()),
        Recipe::Transfer { frozen: modules } => {
            let (all, frozen) = (training.network().params().scalars(), frozen(training.network()));
            format!("{} parameters to fit around {frozen} frozen ones ({modules})", all - frozen)
        }
        Recipe::Foundation { share } => {
            let of = |network: &striate::model::Network, shared: bool| -> usize {
                network.params().iter().filter(|p| share.contain(&p.name) == shared).map(|p| p.value.len()).sum()
            };
            let private: usize = training.networks().map(|network| of(network, false)).sum();
            format!("{} parameters shared ({share}), {private} of single recordings", of(training.network(), true))
        }
    };
    say(format!(
        "{} units, {} trials{}; {parameters}, {} stream(s); {} epochs of {} steps, {} clips of {} frames each",
        recordings.iter().map(Recording::unit_count).sum::<usize>(),
        recordings.iter().map(|r| r.trials().len()).sum::<usize>(),
        if recordings.len() > 1 { format!(" in {} recordings", recordings.len()) } else { String::new() },
        config.streams,
        training.epochs(),
        loader.training_size,
        loader.batch_size * recordings.len(),
        loader.sample_size,
    ));
}

/// Trains until done or interrupted, saving after every epoch.
pub fn train(path: &Path, mut folder: RunFolder, recordings: &[Recording], mut training: Training) -> Result<ExitCode> {
    static STOP: AtomicBool = AtomicBool::new(false);
    // a second handler in one process is refused; the first serves just as well
    let _ = ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::SeqCst) {
            std::process::exit(130); // asked twice
        }
        complain("\nstopping after this step; once more to stop at once");
    });
    let mut shown = Shown::new(&training);
    loop {
        let outcome = training.epoch(recordings, &mut |step| {
            shown.step(step);
            if STOP.load(Ordering::SeqCst) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let outcome = match outcome {
            Err(e) if shown.steps > 0 || training.finished() > 0 => {
                shown.finish();
                let checkpoint = path.join("checkpoint");
                return Err(e).with_context(|| format!("training stopped; the last good checkpoint is in {}", checkpoint.display()));
            }
            outcome => outcome?,
        };
        match outcome {
            Outcome::Epoch(epoch) => {
                folder.finish_epoch(&training, &epoch)?;
                shown.epoch(&epoch, training.epochs());
            }
            Outcome::Interrupted => {
                folder.checkpoint(&training)?;
                shown.finish();
                say(format!("stopped in epoch {}; go on with: striate train --resume {}", training.finished() + 1, path.display()));
                return Ok(ExitCode::from(130));
            }
            Outcome::Done => break,
        }
        if STOP.load(Ordering::SeqCst) && !training.done() {
            shown.finish();
            say(format!("stopped after epoch {}; go on with: striate train --resume {}", training.finished(), path.display()));
            return Ok(ExitCode::from(130));
        }
    }
    shown.finish();
    let early = if training.finished() < training.epochs() { ", stopped early as scheduler.patience says" } else { "" };
    say(format!("trained {} epochs{early}; weights are in {}", training.finished(), folder.weights().display()));
    say(format!("reading clips held training up for {:.1} s in all", shown.waited.as_secs_f64()));
    Ok(ExitCode::SUCCESS)
}

/// Progress on a terminal, plain lines elsewhere.
struct Shown {
    bar: Option<ProgressBar>,
    began: Instant,
    /// Steps taken since then, and steps that were left.
    steps: usize,
    left: usize,
    clips: usize,
    mean: f64,
    /// Waited for clips, all steps.
    waited: Duration,
}

impl Shown {
    fn new(training: &Training) -> Self {
        let steps = training.epochs() * training.preset().loader.training_size;
        let done = training.finished() * training.preset().loader.training_size + training.progress().step;
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = "{spinner} epoch {prefix} {bar:30} {pos}/{len} steps  {msg}  {eta_precise} left";
            let style = ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar());
            let bar = bar(steps, "").with_style(style).with_position(done as u64).with_prefix((training.finished() + 1).to_string());
            bar.reset_eta(); // steps of before a resume say nothing of how fast this machine is
            bar
        });
        Self {
            bar,
            began: Instant::now(),
            steps: 0,
            left: steps.saturating_sub(done),
            clips: training.preset().loader.batch_size * training.networks().count(),
            mean: f64::NAN,
            waited: Duration::ZERO,
        }
    }

    fn rate(&self) -> f64 {
        (self.steps * self.clips) as f64 / self.began.elapsed().as_secs_f64()
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Trained { objective, waited, .. } => {
                self.steps += 1;
                self.waited += *waited;
                self.mean = if self.mean.is_nan() { *objective } else { 0.95 * self.mean + 0.05 * objective };
                if let Some(bar) = &self.bar {
                    bar.set_message(format!("loss {:.4}  {:.1} clips/s", self.mean, self.rate()));
                    bar.inc(1);
                }
            }
            Step::Validated { batch, batches } => {
                if let Some(bar) = &self.bar {
                    bar.set_message(format!("validating {batch}/{batches}"));
                }
            }
        }
    }

    fn epoch(&mut self, epoch: &Epoch, epochs: usize) {
        let validation =
            epoch.validation_objective.map_or_else(String::new, |v| format!("  validation {v:.4}{}", if epoch.best { " *" } else { "" }));
        let line = format!(
            "epoch {:>3}/{epochs}  training {:.4}{validation}  lr {:.4}  {:.1} clips/s",
            epoch.epoch,
            epoch.training_objective,
            epoch.lr,
            self.rate()
        );
        match &self.bar {
            Some(bar) => {
                bar.println(line);
                bar.set_prefix((epoch.epoch + 1).to_string());
            }
            None => {
                let step = self.began.elapsed().as_secs_f64() / self.steps.max(1) as f64;
                let left = Duration::from_secs_f64(step * self.left.saturating_sub(self.steps) as f64);
                say(format!("{line}  {step:.2} s a step  {} left", HumanDuration(left)));
            }
        }
    }

    fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
