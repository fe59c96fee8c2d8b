//! `striate model`: weights in and out.

use crate::output::{say, say_json, table};
use crate::run_folder::weights_of;
use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use striate::model::open::{self, Opened};
use striate::model::weights::{pt, published};
use striate::model::{Network, NetworkConfig};

/// Import, show and export networks.
#[derive(Args)]
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
    /// Architecture: a JSON or TOML table of hyper-parameters, or a reference case's case.json.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Model file to write.
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
    /// A name ending in .pt or .pth, or a folder.
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
        let config = self.config.as_deref().map(read_config).transpose()?;
        let Opened { network, units, inferred } = open::load(&weights_of(&self.path), self.scan.as_deref(), config)?;
        open::save(&self.output, &network, &units)?;
        let how = if inferred { "inferred from keys and shapes" } else { "as given" };
        say(format!("{}: {}, architecture {how}", self.output.display(), headline(&network)));
        Ok(())
    }
}

/// A table of hyper-parameters, by itself or as `config` of a larger one.
fn read_config(path: &Path) -> Result<NetworkConfig> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{}: cannot be read", path.display()))?;
    let of = || format!("{}: not a network configuration", path.display());
    if path.extension().is_some_and(|e| e == "toml") {
        let table: toml::Table = toml::from_str(&text).with_context(of)?;
        let table = match table.get("model").or_else(|| table.get("config")) {
            Some(toml::Value::Table(inner)) => inner.clone(),
            _ => table,
        };
        return table.try_into().with_context(of);
    }
    let mut value: serde_json::Value = serde_json::from_str(&text).with_context(of)?;
    if let Some(inner) = value.get_mut("config") {
        value = inner.take();
    }
    serde_json::from_value(value).with_context(of)
}

fn headline(network: &Network) -> String {
    let c = network.config();
    let kind = |value: &dyn Fn() -> Result<serde_json::Value, serde_json::Error>| {
        value().map_or_else(|_| String::new(), |v| v.as_str().unwrap_or_default().to_owned())
    };
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
    parameters: BTreeMap<&'a str, usize>,
    table: Vec<Row<'a>>,
}

impl Show {
    fn run(self) -> Result<()> {
        let network = open::load(&weights_of(&self.model), None, None)?.network;
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
        let shown = Shown { config: network.config(), parameters: counts, table: rows.collect() };
        if self.json {
            return say_json(&shown);
        }
        say(headline(&network));
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

/// `core.feedforward` and `core.recurrent` apart, other modules by their first word.
fn module(name: &str) -> &str {
    let words = if name.starts_with("core.") { 2 } else { 1 };
    name.match_indices('.').nth(words - 1).map_or(name, |(at, _)| &name[..at])
}

impl Export {
    fn run(self) -> Result<()> {
        let Opened { network, units, .. } = open::load(&weights_of(&self.model), None, None)?;
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
