//! The `striate` command: one file per verb, no numerical code.

mod figures;
mod output;
mod provenance;
mod run_folder;
mod study;
mod verbs;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// A training step takes and returns gigabytes.
#[global_allocator]
static MEMORY: striate_kernels::memory::Keeping = striate_kernels::memory::Keeping::new();

/// Digital twins of visual cortex: train on a recording, evaluate, show them any video.
#[derive(Parser)]
#[command(name = "striate", version, arg_required_else_help = true, infer_subcommands = false)]
struct Cli {
    /// Worker threads, 1 to 1024; results do not depend on it.
    #[arg(long, global = true, value_name = "K", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Demo(verbs::demo::Demo),
    Simulate(verbs::simulate::Simulate),
    Stimulus(verbs::stimulus::MakeStimulus),
    Import(verbs::import::Import),
    Inspect(verbs::inspect::Inspect),
    Train(verbs::train::Train),
    Evaluate(verbs::evaluate::Evaluate),
    Study(verbs::study::Study),
    Tune(verbs::tune::Tune),
    Report(verbs::report::Report),
    Respond(verbs::respond::Respond),
    Anatomy(verbs::anatomy::Anatomy),
    Model(verbs::model::Model),
    Verify(verbs::verify::Verify),
    Bench(verbs::bench::Bench),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Err(e) = striate_kernels::simd::asked() {
        output::complain(format_args!("error: {e}"));
        return ExitCode::FAILURE;
    }
    // 0: as many as there are cores. This thread is one of them: handing each small piece of work to another and waiting costs more
    let pool = rayon::ThreadPoolBuilder::new().num_threads(cli.threads.unwrap_or(0).into()).use_current_thread();
    if let Err(e) = pool.build_global() {
        output::complain(format_args!("error: --threads: {e}"));
        return ExitCode::FAILURE;
    }
    let done = match cli.verb {
        Verb::Demo(v) => v.run(),
        Verb::Simulate(v) => v.run(),
        Verb::Stimulus(v) => v.run(),
        Verb::Import(v) => v.run(),
        Verb::Inspect(v) => v.run(),
        Verb::Train(v) => v.run(),
        Verb::Evaluate(v) => v.run(),
        Verb::Study(v) => v.run(),
        Verb::Tune(v) => v.run(),
        Verb::Report(v) => v.run(),
        Verb::Respond(v) => v.run(),
        Verb::Anatomy(v) => v.run(),
        Verb::Model(v) => v.run(),
        Verb::Verify(v) => v.run(),
        Verb::Bench(v) => v.run(),
    };
    match done {
        Ok(code) => output::exit_code(code),
        Err(error) => {
            output::complain(format_args!("error: {}", told(&error)));
            ExitCode::FAILURE
        }
    }
}

/// An error and its causes, each said once: libraries' messages often end in their cause's.
fn told(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |told, cause| match told {
        told if told.is_empty() => cause,
        told if told.contains(&cause) => told,
        told => format!("{told}: {cause}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_told_once() {
        let cause = std::io::Error::other("no such thing");
        let error = anyhow::Error::new(cause).context("f: cannot be read: no such thing").context("importing f");
        assert_eq!(told(&error), "importing f: f: cannot be read: no such thing");
    }
}
