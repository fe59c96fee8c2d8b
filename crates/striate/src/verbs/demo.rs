//! `striate demo`: simulate, train, evaluate, in a few minutes.

use crate::output::{bar, keep_output_for_json, new_folder, number, say, say_json, table};
use crate::provenance::Origin;
use crate::run_folder::{KEEP, RunFolder, weights_of};
use crate::verbs::{evaluate, train};
use anyhow::Result;
use clap::Args;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;
use striate::insilico::baseline::{BaselineOptions, linear_nonlinear};
use striate::insilico::evaluate::{EvaluateOptions, Summary, evaluate as evaluate_twin};
use striate::model::open;
use striate::simulation::cohort::name;
use striate::simulation::{SimulateConfig, simulate};
use striate::training::Preset;
use striate::training::individual::individual;

/// Simulate one animal, train its twin, evaluate it beside a linear-nonlinear model. A few minutes on two cores.
#[derive(Args)]
#[command(after_help = "Example:\n  striate demo -o demo")]
pub struct Demo {
    /// Folder to create.
    #[arg(short, long, default_value = "striate-demo")]
    output: PathBuf,
    /// Seed of the animal and of training.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Print the results as JSON; what is going on goes to standard error.
    #[arg(long)]
    json: bool,
}

impl Demo {
    /// Runs the verb.
    pub fn run(self) -> Result<ExitCode> {
        if self.json {
            keep_output_for_json();
        }
        let began = Instant::now();
        new_folder(&self.output)?;
        let [animal, run, twin_folder, linear_folder] = ["animal.zarr", "run", "twin", "linear"].map(|name| self.output.join(name));

        say("1/4  simulating an animal: a visual cortex whose truth is known, watching natural-like video");
        let config = SimulateConfig { animal: name(self.seed), seed: self.seed, ..SimulateConfig::default() };
        let progress = bar(0, "simulating");
        let recording = simulate(&config, &animal, &mut |done, total| {
            progress.set_length(total as u64);
            progress.set_position(done as u64);
        })?;
        progress.finish_and_clear();

        say("2/4  fitting a linear-nonlinear model, the baseline");
        let linear = linear_nonlinear(&recording, &BaselineOptions::default(), &mut |_, _| {})?;
        let burnin = EvaluateOptions::default().burnin;
        let origin = Origin::baseline("linear-nonlinear model, fitted to the recording's training trials", &recording, burnin)?;
        let linear = evaluate::save(&linear_folder, &recording, &linear, &origin)?;

        say("3/4  training a twin (striate train, preset tiny)");
        let preset = Preset::load("tiny", &[format!("optimizer.seed={}", self.seed)])?;
        let training = individual(&recording, &preset)?;
        let recording = [recording];
        let folder = RunFolder::create(&run, &recording, &training, None, KEEP)?;
        let code = train::train(&run, folder, &recording, training)?;
        if code != ExitCode::SUCCESS {
            return Ok(code);
        }

        say("4/4  evaluating both on video neither has seen, shown again and again");
        let [recording] = recording;
        let weights = weights_of(&run)?;
        let network = open::load(&weights, None, None)?.network;
        let twin = evaluate_twin(&network, &recording, &EvaluateOptions::default(), &mut |_, _| {})?;
        let twin = evaluate::save(&twin_folder, &recording, &twin, &Origin::model(&weights, &recording, burnin)?)?;
        let rows = twin
            .iter()
            .zip(&linear)
            .map(|(t, l)| vec![t.domain.clone(), t.cc_norm.units.to_string(), number(t.cc_norm.median), number(l.cc_norm.median)]);
        say("");
        say(table(&["domain", "units", "twin", "linear-nonlinear"], rows.collect(), 1));
        say("median cc_norm on held-out video of a simulated animal: 1 is all that noise lets anyone predict");
        say("");
        for (what, path) in [("recording", &animal), ("run", &run), ("twin", &twin_folder), ("baseline", &linear_folder)] {
            say(format!("{what:>10}  {}", path.display()));
        }
        let seconds = began.elapsed().as_secs_f64();
        say(format!("{:>10}  {seconds:.0} s", "time"));
        if self.json {
            let of = |folder: &PathBuf, domains: &[Summary]| json!({"folder": folder, "domains": domains});
            let (twin, linear) = (of(&twin_folder, &twin), of(&linear_folder, &linear));
            say_json(&json!({"recording": animal, "run": run, "twin": twin, "linear-nonlinear": linear, "seconds": seconds}))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
