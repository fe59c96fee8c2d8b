//! `striate model`: weights in and out.

use crate::output::{not_an_input, say, say_json, table};
use crate::run_folder::weights_of;
use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use striate::model::open::{self, Opened, TrainedOn};
use striate::model::weights::{pt, published};
use striate::model::{Network, NetworkConfig};

/// Import, show and export networks.
#[derive(Args)]
#[command(after_help = "Examples:\n  striate model import params.pt -o mouse.safetensors\n  striate model show mouse.safetensors")]
pub struct Model {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    Import(Import),
    Show(Show),
    Export(Export),
}

/// Read a PyTorch file, safetensors or the published folder, and write a model file.
///
/// The architecture is inferred from keys and shapes; what weights cannot tell (dropout, pooling, the unit's loss) takes the profile's default or
/// comes from --config. Nothing in a PyTorch file is ever executed.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  striate model import params.pt -o mouse.safetensors\n  striate model import published_folder --scan 4_7 -o mouse.safetensors"
)]
struct Import {
    /// Weights.
    path: PathBuf,
    /// Which scan of a published folder, session_scan.
    #[arg(long, value_name = "SESSION_SCAN")]
    scan: Option<String>,
    /// Hyper-parameters that go before what is inferred: a table in JSON, TOML or YAML, by itself or as `config` or `model` of a larger one.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Model file to write, .safetensors; one that is there is replaced.
    #[arg(short, long)]
    output: PathBuf,
}

/// Architecture, parameters and their roles.
#[derive(Args)]
#[command(after_help = "Example:\n  striate model show mouse.safetensors")]
struct Show {
    /// Model file or run folder.
    model: PathBuf,
    /// Print as JSON.
    #[arg(long)]
    json: bool,
}

/// Write a PyTorch file or a published folder.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  striate model export mouse.safetensors -o mouse.pt\n  striate model export mouse.safetensors --scan 4_7 -o folder"
)]
struct Export {
    /// Model file or run folder.
    model: PathBuf,
    /// Session and scan the published folder names the units by; by default what the model knows.
    #[arg(long, value_name = "SESSION_SCAN")]
    scan: Option<String>,
    /// A name ending in .pt or .pth (a file that is there is replaced), or a folder (a scan is added to one that is there).
    #[arg(short, long)]
    output: PathBuf,
}

impl Model {
    /// Runs the verb.
    pub fn run(self) -> Result<ExitCode> {
        match self.action {
            Action::Import(v) => v.run(),
            Action::Show(v) => v.run(),
            Action::Export(v) => v.run(),
        }?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Import {
    fn run(self) -> Result<()> {
        if !self.output.extension().is_some_and(|e| e.eq_ignore_ascii_case("safetensors")) {
            bail!("{}: name a file ending in .safetensors", self.output.display());
        }
        let from = weights_of(&self.path)?;
        not_an_input(&self.output, [&from].into_iter().chain(&self.config))?;
        let opened = match &self.config {
            Some(file) => open::load_completed(&from, self.scan.as_deref(), &read_config(file)?).with_context(|| file.display().to_string())?,
            None => open::load(&from, self.scan.as_deref(), None)?,
        };
        let Opened { network, units, trained_on, inferred } = opened;
        open::save(&self.output, &network, &units, trained_on.as_ref())?;
        let how = if inferred { "inferred from keys and shapes" } else { "as stored" };
        let completed = self.config.as_ref().map_or_else(String::new, |file| format!(", completed by {}", file.display()));
        say(format!("{}: {}, architecture {how}{completed}", self.output.display(), headline(&network)));
        Ok(())
    }
}

/// A table of hyper-parameters, by itself or as `config` or `model` of a larger one.
fn read_config(path: &Path) -> Result<Value> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{}: cannot be read", path.display()))?;
    let of = || format!("{}: not a table of hyper-parameters", path.display());
    let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    let mut table: Value = match extension.as_str() {
        "toml" => toml::from_str(&text).with_context(of)?,
        "yaml" | "yml" => serde_yaml_ng::from_str(&text).with_context(of)?,
        _ => serde_json::from_str(&text).with_context(of)?,
    };
    match ["config", "model"].into_iter().find(|name| table.get(name).is_some_and(Value::is_object)) {
        Some(name) => Ok(table[name].take()),
        None => Ok(table),
    }
}

fn headline(network: &Network) -> String {
    let c = network.config();
    let kind =
        |value: &dyn Fn() -> Result<Value, serde_json::Error>| value().map_or_else(|_| String::new(), |v| v.as_str().unwrap_or_default().to_owned());
    format!(
        "{} units, {} stream(s), {} + {}, {} parameters",
        c.units,
        c.streams,
        kind(&|| serde_json::to_value(c.feedforward.kind)),
        kind(&|| serde_json::to_value(c.recurrent.kind)),
        network.params().scalars()
    )
}

#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    shape: &'a [usize],
    decay: bool,
    scale: f32,
    norm_axes: &'a Option<Vec<usize>>,
    frozen: bool,
}

#[derive(Serialize)]
struct Shown<'a> {
    config: &'a NetworkConfig,
    recording: Option<&'a TrainedOn>,
    parameters: BTreeMap<&'a str, usize>,
    table: Vec<Row<'a>>,
}

impl Show {
    fn run(self) -> Result<()> {
        let Opened { network, trained_on, .. } = open::load(&weights_of(&self.model)?, None, None)?;
        let mut counts = BTreeMap::new();
        for param in network.params().iter() {
            *counts.entry(module(&param.name)).or_insert(0) += param.value.len();
        }
        let rows = network.params().iter().map(|p| Row {
            name: &p.name,
            shape: &p.shape,
            decay: p.decay,
            scale: p.scale,
            norm_axes: &p.norm_axes,
            frozen: p.frozen,
        });
        let shown = Shown { config: network.config(), recording: trained_on.as_ref(), parameters: counts, table: rows.collect() };
        if self.json {
            return say_json(&shown);
        }
        say(headline(&network));
        if let Some(recording) = shown.recording {
            say(origin(recording));
        }
        say("");
        say(toml::to_string(shown.config)?);
        let axes = |a: &Option<Vec<usize>>| a.as_ref().map_or_else(|| "all".into(), |a| format!("{a:?}"));
        let rows = shown.table.iter().map(|r| {
            let yes = |b: bool| if b { "yes" } else { "no" }.to_owned();
            vec![r.name.to_owned(), format!("{:?}", r.shape), yes(r.decay), r.scale.to_string(), axes(r.norm_axes), yes(r.frozen)]
        });
        say(table(&["parameter", "shape", "decay", "scale", "norm axes", "frozen"], rows.collect(), 6));
        say("");
        say(table(&["module", "parameters"], shown.parameters.iter().map(|(m, n)| vec![(*m).to_owned(), n.to_string()]).collect(), 1));
        Ok(())
    }
}

/// Which recording a network was trained on, on one line.
fn origin(recording: &TrainedOn) -> String {
    let part = |name: &str, value: &Option<String>| value.as_ref().map_or_else(String::new, |v| format!(", {name} {v}"));
    let ids = match &recording.units[..] {
        [] => "no units".into(),
        [one] => format!("unit {one}"),
        [first, .., last] => format!("units {first} to {last}"),
    };
    let (session, scan) = (part("session", &recording.session), part("scan", &recording.scan));
    format!("trained on animal {}{session}{scan}, {} Hz, {ids}", recording.animal, recording.rate)
}

/// `core.feedforward` and `core.recurrent` apart, other modules by their first word.
fn module(name: &str) -> &str {
    let words = if name.starts_with("core.") { 2 } else { 1 };
    name.match_indices('.').nth(words - 1).map_or(name, |(at, _)| &name[..at])
}

impl Export {
    fn run(self) -> Result<()> {
        let from = weights_of(&self.model)?;
        not_an_input(&self.output, [&from])?;
        let Opened { network, units, .. } = open::load(&from, None, None)?;
        let name = self.output.extension().map(|e| e.to_string_lossy().to_lowercase());
        match name.as_deref() {
            Some("pt" | "pth") => pt::write(&self.output, &network.weights())?,
            Some(other) => bail!("{}: name a .pt or .pth file or a folder, not .{other}", self.output.display()),
            None => {
                let (session, scan) = match (&self.scan, units.first()) {
                    (Some(text), _) => published::parse_scan(text)?,
                    (None, Some(unit)) => (unit.session, unit.scan_idx),
                    (None, None) => bail!("the model does not know its session and scan; name them, for example --scan 4_7"),
                };
                published::write(&self.output, session, scan, &network.weights(), &units)?;
            }
        }
        say(format!("{}: {}", self.output.display(), headline(&network)));
        Ok(())
    }
}
