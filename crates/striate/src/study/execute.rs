//! Execution of a study: cells as processes of this program, several at a time, each stopped and resumed like any run.

use super::folder::StudyFolder;
use super::{learning, stopping};
use crate::output::{complain, hold, note, say};
use anyhow::{Context, Result, bail};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use striate::insilico::study::{Cell, Trained};

/// How a study ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    /// Every cell is done.
    Done,
    /// Something is left: the study, or one of its processes, was asked to stop.
    Stopped,
}

/// A cell under way.
struct Running<'a> {
    cell: &'a Cell,
    child: Child,
    /// Whether training is over and the child evaluates.
    evaluating: bool,
    began: Instant,
}

/// Runs all cells that are not done, `jobs` at a time with `threads` threads each.
pub fn execute(study: &StudyFolder, cells: &[Cell], jobs: usize, threads: usize) -> Result<Ended> {
    stopping::listen();
    let lock = hold(&study.path.join("lock"), || {
        note("processes of the same study are under way, perhaps of one that was killed; waiting for them to end");
        Ok(())
    })?;
    let mut waiting: Vec<&Cell> = cells.iter().filter(|cell| !study.done(cell)).collect();
    let (all, began, to_do) = (cells.len(), Instant::now(), waiting.len());
    let mut done = 0; // since then
    let (mut running, mut failed): (Vec<Running>, BTreeMap<&str, String>) = (Vec::new(), BTreeMap::new());
    if waiting.len() < all {
        say(format!("{} of {all} models are done already", all - waiting.len()));
    }
    loop {
        while !stopping::asked() && running.len() < jobs {
            let Some(next) = waiting.iter().position(|cell| ready(study, cells, cell)) else { break };
            let cell = waiting.remove(next);
            running.push(Running { cell, child: train(study, cell, threads, &lock)?, evaluating: false, began: Instant::now() });
        }
        if running.is_empty() {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
        let mut still = Vec::new();
        for mut run in running {
            let status = run.child.try_wait().context("a process of the study")?;
            if status.is_some() {
                stopping::ended(&run.child);
            }
            match status {
                None => still.push(run),
                Some(status) if !status.success() => {
                    if !(stopping::asked() || status.code() == Some(130)) {
                        let log = study.log(&run.cell.name);
                        complain(format!("{}: failed; see {}", run.cell.name, log.display()));
                        failed.insert(&run.cell.name, log.display().to_string());
                    }
                }
                Some(_) if !run.evaluating && run.cell.subject().is_some() && !stopping::asked() => {
                    let child = evaluate(study, run.cell, threads, &lock)?;
                    still.push(Running { child, evaluating: true, ..run });
                }
                Some(_) => {
                    if run.cell.subject().is_none() {
                        study.note_done(&run.cell.name)?;
                    }
                    done += 1;
                    let left = to_do - done;
                    let more = began.elapsed().mul_f64(left as f64 / done as f64);
                    let seconds = run.began.elapsed().as_secs();
                    let (learned, more) = (learning::told(&study.run(&run.cell.name))?, indicatif::HumanDuration(more));
                    say(format!("{:>4}/{all}  {}  {seconds} s{learned}; about {more} left", all - left, run.cell.name));
                }
            }
        }
        running = still;
    }
    if !failed.is_empty() {
        let (count, first) = (failed.len(), failed.values().next().cloned().unwrap_or_default());
        let lost = waiting.len();
        bail!(
            "{count} models failed and {lost} wait for them; the first log is {first}; go on with: striate study --resume {}",
            study.path.display()
        );
    }
    Ok(if cells.iter().all(|cell| study.done(cell)) { Ended::Done } else { Ended::Stopped })
}

/// Whether what a cell builds on is there.
fn ready(study: &StudyFolder, cells: &[Cell], cell: &Cell) -> bool {
    let Trained::Transfer { core, .. } = &cell.trained else { return true };
    cells.iter().find(|c| c.name == *core).is_none_or(|core| study.done(core))
}

/// A process of this program that appends to the cell's log. Its standard input is the study's lock: should this process be killed, the study
/// stays locked until its children have ended.
fn process(study: &StudyFolder, cell: &Cell, threads: usize, lock: &File) -> Result<Command> {
    let log = study.log(&cell.name);
    if let Some(folder) = log.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("{}: cannot create the folder", folder.display()))?;
    }
    let file = OpenOptions::new().create(true).append(true).open(&log).with_context(|| format!("{}: cannot be written", log.display()))?;
    let mut command = Command::new(std::env::current_exe().context("this program's own path")?);
    command.stdin(Stdio::from(lock.try_clone()?)).stdout(file.try_clone()?).stderr(file);
    command.arg("--threads").arg(threads.to_string());
    Ok(command)
}

fn train(study: &StudyFolder, cell: &Cell, threads: usize, lock: &File) -> Result<Child> {
    let (run, design, mut command) = (study.run(&cell.name), &study.design, process(study, cell, threads, lock)?);
    command.arg("train");
    if run.exists() {
        command.arg("--resume").arg(&run);
        return stopping::spawn(&mut command).context("cannot start a process");
    }
    match &cell.trained {
        Trained::Core => {
            command.arg("--cohort").args(design.cohort.iter().map(|subject| &subject.path));
            command.arg("--share").arg(design.share.to_string());
        }
        Trained::Individual { subject } => {
            command.arg(&design.test[*subject].path);
        }
        Trained::Transfer { subject, core } => {
            // whether animals may be shared was settled when the study began
            command.arg(&design.test[*subject].path).arg("--from").arg(study.run(core)).arg("--same-animal");
            command.arg("--share").arg(design.share.to_string());
        }
    }
    command.arg("--preset").arg(study.preset()?).arg("-o").arg(&run);
    if let Some(parent) = run.parent() {
        std::fs::create_dir_all(parent).with_context(|| format!("{}: cannot create the folder", parent.display()))?;
    }
    command.args(&cell.settings);
    stopping::spawn(&mut command).context("cannot start a process")
}

fn evaluate(study: &StudyFolder, cell: &Cell, threads: usize, lock: &File) -> Result<Child> {
    let mut command = process(study, cell, threads, lock)?;
    let subject = cell.subject().context("a core is not evaluated")?;
    command.arg("evaluate").arg(study.run(&cell.name)).arg(&study.design.test[subject].path).arg("-o").arg(study.evaluation(&cell.name));
    stopping::spawn(&mut command).context("cannot start a process")
}

/// Names of cells that a study must not have twice; a design that gives two models one name is a bug.
pub fn names_differ(cells: &[Cell]) -> bool {
    cells.iter().map(|cell| &cell.name).collect::<BTreeSet<_>>().len() == cells.len()
}
