//! `striate verify`: reference numbers.

use crate::output::{say, say_json, table};
use anyhow::Result;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;
use striate::insilico::verify::verify;

/// Hold the network and the analyses against recorded reference numbers, tensor by tensor.
///
/// A case folder holds case.json, tensors.safetensors and weights, or analysis.safetensors. Exits with 1 if any error exceeds its tolerance.
#[derive(Args)]
#[command(after_help = "Example:\n  striate verify tests/golden/conv-small tests/golden/cvt-small")]
pub struct Verify {
    /// Case folders.
    #[arg(required = true)]
    cases: Vec<PathBuf>,
    /// Multiplies every tolerance.
    #[arg(long, default_value_t = 1.0)]
    scale: f64,
    /// Rows to print for each case, worst first; 0 for all.
    #[arg(long, default_value_t = 12)]
    rows: usize,
    /// Print everything as JSON.
    #[arg(long)]
    json: bool,
}

impl Verify {
    /// Runs the verb.
    pub fn run(self) -> Result<ExitCode> {
        let reports = self.cases.iter().map(|case| verify(case, self.scale)).collect::<Result<Vec<_>, _>>()?;
        let holds = reports.iter().all(|r| r.holds());
        if self.json {
            say_json(&reports)?;
            return Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
        for report in &reports {
            let failed = report.checks.iter().filter(|c| !c.holds()).count();
            let verdict = if report.checks.is_empty() {
                "nothing checked".into()
            } else {
                format!("{} of {} tensors hold", report.checks.len() - failed, report.checks.len())
            };
            say(format!("{}: {verdict}", report.case));
            let shown = if self.rows == 0 { report.checks.len() } else { self.rows.max(failed) };
            let rows = report.checks.iter().take(shown);
            let rows = rows.map(|c| {
                let verdict = if c.holds() { "ok" } else { "EXCEEDS" };
                vec![c.name.clone(), format!("{:.1e}", c.error), format!("{:.1e}", c.tolerance), verdict.into()]
            });
            say(table(&["tensor", "relative error", "tolerance", ""], rows.collect(), 1));
            if report.checks.len() > shown {
                say(format!("  and {} better ones (--rows 0 shows all)", report.checks.len() - shown));
            }
            if !report.unchecked.is_empty() {
                say(format!("  not checked: {}", report.unchecked.join(", ")));
            }
            say("");
        }
        Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
