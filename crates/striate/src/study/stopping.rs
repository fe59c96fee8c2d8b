//! How a study stops: asked once, its processes finish the step under way; asked again, they end at once.
//!
//! Each process is in a group of its own, so that Ctrl-C and a scheduler's signal to this process alone mean the same, and reach it once.

use crate::output::complain;
use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Whether the study was asked to stop, and the processes under way.
#[derive(Default)]
struct State {
    asked: bool,
    processes: Vec<u32>,
}

static STATE: Mutex<State> = Mutex::new(State { asked: false, processes: Vec::new() });

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on, an interrupt stops the study.
pub fn listen() {
    // fails only where another handler is set, and there is none
    let _ = ctrlc::set_handler(|| {
        let mut state = state();
        if state.asked {
            state.processes.iter().for_each(|id| signal(*id, true));
            std::process::exit(130); // the runs' last checkpoints are whole
        }
        state.asked = true;
        state.processes.iter().for_each(|id| signal(*id, false));
        complain("\nstopping after the steps under way; once more to stop at once");
    });
}

/// Whether the study was asked to stop.
pub fn asked() -> bool {
    state().asked
}

/// Starts a process that stops with the study.
pub fn spawn(command: &mut Command) -> std::io::Result<Child> {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    let mut state = state(); // held while it starts, so that no interrupt falls between
    let child = command.spawn()?;
    state.processes.push(child.id());
    if state.asked {
        signal(child.id(), false);
    }
    Ok(child)
}

/// A process has ended; its number may become another's.
pub fn ended(child: &Child) {
    state().processes.retain(|id| *id != child.id());
}

#[cfg(unix)]
fn signal(process: u32, at_once: bool) {
    use nix::sys::signal::{Signal, kill};
    let Ok(process) = i32::try_from(process) else { return };
    let signal = if at_once { Signal::SIGKILL } else { Signal::SIGINT };
    let _ = kill(nix::unistd::Pid::from_raw(process), signal); // it may just have ended
}

/// Elsewhere Ctrl-C reaches all processes of a console by itself.
#[cfg(not(unix))]
fn signal(_: u32, _: bool) {}
