//! `striate tune`: what every unit prefers, measured or predicted, and how the two differ.

mod folder;
mod pages;

use crate::output::{bar, free, note, number, say, table};
use crate::run_folder::{weights_for, weights_of};
use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use folder::{Kept, save};
use std::path::PathBuf;
use std::process::ExitCode;
use striate::analysis::statistics::median_valid;
use striate::insilico::fit::{check_fit, check_origin};
use striate::insilico::gradient_field::gradient_fields;
use striate::insilico::tune::{Tuning, in_silico, in_vivo, to_film};
use striate::model::Network;
use striate::model::open::{self, Opened};
use striate::recording::{Recording, same_rate};
use striate::stimulus::Film;

/// Tuning of every unit: direction and orientation, receptive fields, size, contrast, frequencies.
///
/// A recording says what was measured to videos that carry events; with --model, what a twin predicts to the same videos, in the same analysis. A model
/// alone is shown a stimulus made on the spot, or asked for gradients. Fits that fail are in the tables, with the reason.
#[derive(Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  striate tune mouse.zarr --domain pink-noise -o vivo\n  striate tune mouse.zarr --domain pink-noise --model runs/mouse -o silico\n  striate tune compare vivo silico -o comparison\n  striate tune runs/mouse --stimulus gratings 'direction=[0, 45, 90, 135, 180, 225, 270, 315]' --seconds 120 -o gratings\n  striate tune runs/mouse --stimulus natural --seconds 8 --gradient -o gradient"
)]
pub struct Tune {
    #[command(subcommand)]
    compare: Option<What>,
    /// Recording, or with --stimulus a run folder or model file.
    #[arg(required = true)]
    source: Option<PathBuf>,
    /// Settings of the stimulus that differ from the defaults, for example spatial=0.08.
    #[arg(value_name = "KEY=VALUE")]
    settings: Vec<String>,
    /// Test domain whose videos carry events.
    #[arg(long, conflicts_with = "stimulus")]
    domain: Option<String>,
    /// Predict the responses with this twin of the recording, run folder or model file, instead of taking the measured ones.
    #[arg(long, value_name = "RUN|MODEL", requires = "domain")]
    model: Option<PathBuf>,
    /// The recording is another one than the twin was trained on, but of the same neurons in the same order: another session, for example.
    #[arg(long, requires = "model")]
    other_recording: bool,
    /// Show the model this stimulus (`striate stimulus` lists them), in the size and at the rate it was trained with.
    #[arg(long, value_name = "NAME", required_unless_present = "domain")]
    stimulus: Option<String>,
    /// Length of the stimulus, seconds.
    #[arg(long, value_name = "S", requires = "stimulus")]
    seconds: Option<f64>,
    /// Frames per second of a model that does not say what it was trained at.
    #[arg(long, value_name = "HZ", requires = "stimulus")]
    rate: Option<f64>,
    /// Seed of the stimulus.
    #[arg(long, default_value_t = 0, requires = "stimulus")]
    seed: u64,
    /// Receptive fields from gradients: how much every pixel of the stimulus moves each unit's response, without dots.
    #[arg(long, requires = "stimulus")]
    gradient: bool,
    /// Only these units, by id.
    #[arg(long, value_name = "ID,ID,...", value_delimiter = ',', requires = "gradient")]
    units: Vec<String>,
    /// By how much windows open later than their event where responses were measured, ms.
    #[arg(long, value_name = "MS", default_value_t = 0.0, allow_negative_numbers = true)]
    delay: f64,
    /// Folder to create.
    #[arg(short, long, required = true)]
    output: Option<PathBuf>,
}

/// What else can be done with tuning.
#[derive(Subcommand)]
enum What {
    /// How the tuning of the same units differs between two folders that `striate tune` made: differences of preferred direction and orientation, of
    /// indices, and of receptive fields, by thresholds of the second one's index (paper Figure 4, Extended Data Fig. 6).
    #[command(after_help = "Example:\n  striate tune compare vivo silico -o comparison")]
    Compare {
        /// Folder of a tuning, for example measured.
        first: PathBuf,
        /// Another of the same units, for example predicted; its index is compared with the thresholds.
        second: PathBuf,
        /// Folder to create.
        #[arg(short, long)]
        output: PathBuf,
    },
}

impl Tune {
    /// Runs the verb.
    pub fn run(self) -> Result<ExitCode> {
        if let Some(What::Compare { first, second, output }) = &self.compare {
            free(output)?;
            let (a, b) = (Kept::open(first)?, Kept::open(second)?);
            pages::compare(&a, &b, output)?;
            return Ok(ExitCode::SUCCESS);
        }
        let (Some(source), Some(output)) = (&self.source, &self.output) else { bail!("name a recording or a model, and a folder (-o)") };
        free(output)?;
        let kept = match (&self.domain, &self.stimulus) {
            (Some(domain), None) => self.of_recording(source, domain)?,
            (None, Some(stimulus)) => self.of_stimulus(source, stimulus)?,
            _ => bail!("name a domain of the recording (--domain) or a stimulus (--stimulus)"),
        };
        save(output, &kept)?;
        summarise(&kept.tuning);
        let from = if kept.filters.is_some() { kept.what.clone() } else { format!("{} events", kept.events.len()) };
        say(format!("{from}, {} units; tables and page are in {}", kept.ids.len(), output.display()));
        Ok(ExitCode::SUCCESS)
    }

    fn of_recording(&self, source: &std::path::Path, domain: &str) -> Result<Kept> {
        let recording = Recording::open(source)?;
        let domains = recording.test_domains();
        if !domains.contains(&domain.to_owned()) {
            bail!("{}: no test domain {domain}; there are {}", source.display(), domains.join(", "));
        }
        if !self.settings.is_empty() {
            bail!("{}: a setting of a stimulus; the recording's videos are as they are", self.settings[0]);
        }
        let of_domain = || recording.trials().iter().filter(|trial| trial.domain == domain);
        let without = of_domain().filter(|trial| recording.videos()[trial.video].events.is_empty()).count();
        if without > 0 && without < of_domain().count() {
            note(format_args!("{without} of {} trials of {domain} show video without events; they are left out", of_domain().count()));
        }
        let ids = recording.units().ids();
        let (seen, what) = match &self.model {
            None => (in_vivo(&recording, domain, self.delay / 1000.0)?, format!("measured, {domain} of {}", source.display())),
            Some(model) => {
                let Opened { network, trained_on, .. } = open::load(&weights_for(model, &recording)?, None, None)?;
                check_fit(&network, &recording)?;
                if let Some(trained_on) = trained_on {
                    check_origin(&trained_on, &recording, self.other_recording)
                        .with_context(|| format!("{} and {}", model.display(), source.display()))?;
                }
                if self.delay != 0.0 {
                    note("--delay is of measured responses; predictions are aligned to the frame that drives them");
                }
                (in_silico(&network, &recording, domain)?, format!("predicted by {}, {domain} of {}", model.display(), source.display()))
            }
        };
        Ok(Kept::of_events(what, ids, seen)?)
    }

    fn of_stimulus(&self, source: &std::path::Path, name: &str) -> Result<Kept> {
        let opened = open::load(&weights_of(source)?, None, None)?;
        let rate = match (self.rate, &opened.trained_on) {
            (Some(rate), Some(trained_on)) if !same_rate(rate, trained_on.rate) => {
                bail!("--rate {rate}: {} was trained at {} Hz, and its responses mean nothing at another rate", source.display(), trained_on.rate)
            }
            (Some(rate), _) => rate,
            (None, Some(trained_on)) => trained_on.rate,
            (None, None) => bail!("{}: does not say at how many frames per second it was trained; name that with --rate", source.display()),
        };
        let Some(size) = opened.network.config().video else {
            bail!("{}: does not say what size of video it was trained on; give it with `striate model import --size`", source.display())
        };
        let ids: Vec<String> = match &opened.trained_on {
            Some(trained_on) => trained_on.units.iter().map(crate::output::id).collect(),
            None => (0..opened.network.config().units).map(|u| u.to_string()).collect(),
        };
        let stimulus = super::stimulus::made(name, &self.settings, size, rate, self.seconds)?;
        let film = stimulus.film(Vec::new(), self.seed)?;
        if self.gradient {
            return self.of_gradients(source, name, &opened.network, film, &ids);
        }
        let progress = bar(film.shape()[0], "showing");
        let seen = to_film(&opened.network, film, &mut |done, _| progress.set_position(done as u64))?;
        progress.finish_and_clear();
        let what = format!("predicted by {}, {name}, seed {}", source.display(), self.seed);
        Ok(Kept::of_events(what, ids, seen)?)
    }

    fn of_gradients(&self, source: &std::path::Path, name: &str, network: &Network, film: Film, ids: &[String]) -> Result<Kept> {
        let place = |id: &String| ids.iter().position(|other| other == id).with_context(|| format!("--units: the model has no unit {id}"));
        let units = if self.units.is_empty() { (0..ids.len()).collect() } else { self.units.iter().map(place).collect::<Result<Vec<_>>>()? };
        let progress = bar(film.shape()[0], "gradients of clips");
        let fields = gradient_fields(network, film, &units, &mut |done, all| {
            progress.set_length(all as u64);
            progress.set_position(done as u64);
        })?;
        progress.finish_and_clear();
        let what = format!("gradients of {} over {} clips of {name}, seed {}", source.display(), fields.clips, self.seed);
        Ok(Kept::of_gradients(what, units.iter().map(|u| ids[*u].clone()).collect(), fields))
    }
}

/// Prints medians.
fn summarise(tuning: &Tuning) {
    let mut rows = Vec::new();
    let mut row = |what: &str, values: Vec<f64>, units: usize| {
        let (median, valid) = median_valid(&values);
        rows.push(vec![what.to_owned(), number(median), valid.to_string(), units.to_string()]);
    };
    if let Some((_, tuned)) = &tuning.direction {
        row("OSI", tuned.iter().map(|t| t.osi()).collect(), tuned.len());
        row("DSI", tuned.iter().map(|t| t.dsi()).collect(), tuned.len());
    }
    if let Some((_, tuned)) = &tuning.spatial {
        row("SSI", tuned.iter().map(|t| t.ssi()).collect(), tuned.len());
    }
    if !rows.is_empty() {
        say(table(&["", "median", "valid", "units"], rows, 1));
    }
    for (name, curves, _) in &tuning.others {
        say(format!("{name}: curves over {} levels", curves.levels.len()));
    }
}
