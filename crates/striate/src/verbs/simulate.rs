//! `striate simulate`: recordings of a simulated visual cortex.

use crate::output::{bar, say};
use anyhow::{Result, bail};
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;
use striate::simulation::{SimulateConfig, simulate};

/// Make a recording of a simulated visual cortex whose truth is known.
///
/// Simple, complex, direction-selective and centre-surround filters with divisive normalisation, shared by all animals; neurons of several areas mix
/// them at their own place; gaze moves the image, behaviour scales responses, calcium imaging adds noise. It is a simulation, and says so wherever
/// it shows.
#[derive(Args)]
#[command(after_help = "Example:\n  striate simulate --units 100 --minutes 8 --seed 1 -o simulated.zarr")]
pub struct Simulate {
    /// Recording to create.
    #[arg(short, long)]
    output: PathBuf,
    /// Name of the animal.
    #[arg(long, default_value = "simulated-1")]
    animal: String,
    /// Neurons.
    #[arg(long, default_value_t = SimulateConfig::default().units)]
    units: usize,
    /// Minutes of training video.
    #[arg(long, default_value_t = SimulateConfig::default().train_minutes)]
    minutes: f64,
    /// Seed of the animal and of what it is shown.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

impl Simulate {
    /// Runs the verb.
    pub fn run(self) -> Result<ExitCode> {
        if self.output.exists() {
            bail!("{}: exists already; choose another name", self.output.display());
        }
        let config =
            SimulateConfig { animal: self.animal, units: self.units, train_minutes: self.minutes, seed: self.seed, ..SimulateConfig::default() };
        let progress = bar(0, "simulating");
        let recording = simulate(&config, &self.output, &mut |done, total| {
            progress.set_length(total as u64);
            progress.set_position(done as u64);
        })?;
        progress.finish_and_clear();
        say(format!("{}: {} units, {} trials of a simulated visual cortex", self.output.display(), recording.unit_count(), recording.trials().len()));
        Ok(ExitCode::SUCCESS)
    }
}
