//! `striate inspect`: what is in a recording.

use crate::output::{say, say_json};
use anyhow::Result;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;
use striate::recording::{Recording, inspect::inspect};

/// What is in a recording, and what looks wrong with it.
#[derive(Args)]
#[command(after_help = "Example:\n  striate inspect mouse.zarr")]
pub struct Inspect {
    /// Recording.
    recording: PathBuf,
    /// Print as JSON.
    #[arg(long)]
    json: bool,
}

impl Inspect {
    /// Runs the verb.
    pub fn run(self) -> Result<ExitCode> {
        let found = inspect(&Recording::open(&self.recording)?)?;
        if self.json {
            say_json(&found)?
        } else {
            say(&found)
        }
        Ok(ExitCode::SUCCESS)
    }
}
