//! `striate train`: an individual model.

use crate::output::{bar, complain, note, say};
use crate::run_folder::{RunFolder, weights_of};
use anyhow::{Context, Result, bail};
use clap::Args;
use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use striate::recording::Recording;
use striate::training::individual::individual;
use striate::training::{Epoch, Outcome, Preset, Step, Training};

/// Train a twin of one recording: all four modules, end to end.
///
/// Stops cleanly on Ctrl-C; `--resume` goes on to the same bits as a run that was never stopped.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  striate train mouse.zarr --preset small -o runs/mouse\n  striate train mouse.zarr --preset tiny lr=0.05 scheduler.cycle_size=10 -o runs/quick\n  striate train --resume runs/mouse"
)]
pub struct Train {
    /// Recording to train on.
    #[arg(required_unless_present = "resume")]
    recording: Option<PathBuf>,
    /// Settings that differ from the preset, for example optimizer.lr=0.05.
    #[arg(value_name = "KEY=VALUE")]
    settings: Vec<String>,
    /// paper, published, small, tiny, or a TOML or YAML file (fnn's config.yaml is understood).
    #[arg(long, default_value = "small")]
    preset: String,
    /// Run folder to create.
    #[arg(short, long, required_unless_present = "resume")]
    output: Option<PathBuf>,
    /// Go on with an interrupted run.
    #[arg(long, value_name = "RUN", conflicts_with_all = ["recording", "output", "preset", "settings"])]
    resume: Option<PathBuf>,
    /// Where the recording of the run to resume is now, if it was moved; its content must be the same.
    #[arg(long = "recording", value_name = "PATH", requires = "resume")]
    moved: Option<PathBuf>,
}

impl Train {
    /// Runs the verb.
    pub fn run(self) -> Result<ExitCode> {
        if let Some(path) = self.resume {
            let (folder, recording, training) = RunFolder::reopen(&path, self.moved.as_deref())?;
            say(format!("resuming after {} of {} epochs", training.finished(), training.epochs()));
            return train(&path, folder, &recording, training);
        }
        let (Some(path), Some(out)) = (&self.recording, &self.output) else { bail!("name a recording and an output folder (-o)") };
        if path.to_string_lossy().contains('=') && !path.exists() {
            bail!("name the recording before {}", path.display());
        }
        let (preset, elsewhere) = Preset::load_with_paths(&self.preset, &self.settings)?;
        if let Some(elsewhere) = elsewhere {
            note(format!("{}: not settings of a run, ignored: {}", self.preset, elsewhere.keys.join(", ")));
        }
        let recording = Recording::open(path)?;
        crate::output::free(out)?;
        let training = individual(&recording, &preset)?;
        let folder = RunFolder::create(out, &recording, &training)?;
        describe(&recording, &training);
        train(out, folder, &recording, training)
    }
}

fn describe(recording: &Recording, training: &Training) {
    let config = training.network().config();
    say(format!(
        "{} units, {} trials; {} parameters, {} stream(s); {} epochs of {} steps, {} clips of {} frames each",
        config.units,
        recording.trials().len(),
        training.network().params().scalars(),
        config.streams,
        training.epochs(),
        training.preset().loader.training_size,
        training.preset().loader.batch_size,
        training.preset().loader.sample_size,
    ));
}

/// Trains until done or interrupted, saving after every epoch.
pub fn train(path: &Path, mut folder: RunFolder, recording: &Recording, mut training: Training) -> Result<ExitCode> {
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
        let outcome = training.epoch(recording, &mut |step| {
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
        if STOP.load(Ordering::SeqCst) && training.finished() < training.epochs() {
            shown.finish();
            say(format!("stopped after epoch {}; go on with: striate train --resume {}", training.finished(), path.display()));
            return Ok(ExitCode::from(130));
        }
    }
    shown.finish();
    say(format!("trained {} epochs; weights are in {}", training.finished(), weights_of(path)?.display()));
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
        Self { bar, began: Instant::now(), steps: 0, left: steps.saturating_sub(done), clips: training.preset().loader.batch_size, mean: f64::NAN }
    }

    fn rate(&self) -> f64 {
        (self.steps * self.clips) as f64 / self.began.elapsed().as_secs_f64()
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Trained { objective, .. } => {
                self.steps += 1;
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
