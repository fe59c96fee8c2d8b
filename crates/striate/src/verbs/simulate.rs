//! `striate simulate`: recordings of a simulated visual cortex.

use crate::output::{bar, new_folder, say};
use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use striate::simulation::cohort::{animals, name};
use striate::simulation::{Domain, SimulateConfig, simulate};

/// Make a recording of a simulated visual cortex whose truth is known, or of a cohort of such animals.
///
/// Simple, complex, direction-selective and centre-surround filters with divisive normalisation, shared by all animals; neurons of several areas mix
/// them at their own place; gaze moves the image, behaviour scales responses, calcium imaging adds noise. It is a simulation, and says so wherever
/// it shows.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  striate simulate --units 100 --minutes 8 --seed 1 -o simulated.zarr\n  striate simulate --animals 6 --domains natural,noise,gratings -o cohort"
)]
pub struct Simulate {
    /// Recording to create; with --animals, a folder of recordings.
    #[arg(short, long)]
    output: PathBuf,
    /// Name of the animal; by default simulated- and the seed.
    #[arg(long, conflicts_with = "animals")]
    animal: Option<String>,
    /// Make a cohort: animals that share filters but not neurons, seeds counting from --seed.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    animals: Option<u16>,
    /// Neurons.
    #[arg(long, default_value_t = SimulateConfig::default().units)]
    units: usize,
    /// Minutes of training video.
    #[arg(long, default_value_t = SimulateConfig::default().train_minutes)]
    minutes: f64,
    /// Kinds of test video.
    #[arg(long, value_delimiter = ',', default_values = ["natural", "noise"])]
    domains: Vec<Shown>,
    /// Times each test clip is shown.
    #[arg(long, default_value_t = SimulateConfig::default().repeats)]
    repeats: usize,
    /// Seed of the animal and of what it is shown.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// [`Domain`] on the command line.
#[derive(Clone, Copy, ValueEnum)]
enum Shown {
    Natural,
    Noise,
    Gratings,
    /// Directional pink noise, with its events: direction tuning.
    PinkNoise,
    /// Flashing dots, with their events: receptive fields.
    Dots,
}

impl From<Shown> for Domain {
    fn from(shown: Shown) -> Self {
        match shown {
            Shown::Natural => Self::Natural,
            Shown::Noise => Self::Noise,
            Shown::Gratings => Self::Gratings,
            Shown::PinkNoise => Self::PinkNoise,
            Shown::Dots => Self::Dots,
        }
    }
}

impl Simulate {
    /// Runs the verb.
    pub fn run(self) -> Result<ExitCode> {
        if self.output.exists() {
            bail!("{}: exists already; choose another name", self.output.display());
        }
        let config = SimulateConfig {
            animal: self.animal.clone().unwrap_or_else(|| name(self.seed)),
            units: self.units,
            train_minutes: self.minutes,
            test_domains: self.domains.into_iter().map(Domain::from).collect(),
            repeats: self.repeats,
            seed: self.seed,
            ..SimulateConfig::default()
        };
        match self.animals {
            None => make(&config, &self.output)?,
            Some(count) => {
                config.check()?;
                new_folder(&self.output)?;
                for config in animals(&config, count.into(), self.seed) {
                    make(&config, &self.output.join(format!("{}.zarr", config.animal)))?;
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn make(config: &SimulateConfig, path: &Path) -> Result<()> {
    let progress = bar(0, "simulating");
    let recording = simulate(config, path, &mut |done, total| {
        progress.set_length(total as u64);
        progress.set_position(done as u64);
    })?;
    progress.finish_and_clear();
    say(format!("{}: {} units, {} trials of a simulated visual cortex", path.display(), recording.unit_count(), recording.trials().len()));
    Ok(())
}
