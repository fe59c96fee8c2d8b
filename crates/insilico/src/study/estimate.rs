//! Estimate: how long a study takes on this machine, from a step and a frame that are tried.

use super::design::{Cell, Design, Trained};
use crate::bench;
use crate::error::Error;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};
use striate_model::Network;
use striate_recording::Recording;
use striate_training::individual::{individual, sized};
use striate_training::{Preset, Step};

/// Costs of one recording's model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// Seconds of a gradient step.
    pub step: f64,
    /// Seconds of a frame shown with all streams.
    pub frame: f64,
}

/// Tries two steps, of which the second counts, and some frames.
pub fn cost(recording: &Recording, preset: &Preset) -> Result<Cost, Error> {
    let mut two = preset.clone();
    (two.loader.training_size, two.loader.validation_size) = (2, 0);
    (two.scheduler.cycle_size, two.scheduler.cycles, two.scheduler.warmup_epochs, two.scheduler.patience) = (1, 1, 0, 0);
    let mut training = individual(recording, &two)?;
    let mut at = Vec::new();
    training.epoch(std::slice::from_ref(recording), &mut |step| {
        if matches!(step, Step::Trained { .. }) {
            at.push(Instant::now());
        }
        ControlFlow::Continue(())
    })?;
    let step = at.windows(2).map(|w| (w[1] - w[0]).as_secs_f64()).next().unwrap_or(f64::NAN);
    let [height, width, _] = recording.frame_shape();
    let network = Network::new(sized(&preset.model, recording), 0)?;
    let frame = bench::respond(&network, [height, width], 1, Duration::from_millis(200))?.spread()[1];
    Ok(Cost { step, frame })
}

/// Seconds of a cell, given the cost of each subject's model: cohort first, then test.
pub fn seconds(design: &Design, cell: &Cell, cohort: &[Cost], test: &[Cost]) -> f64 {
    let p = &design.preset;
    let steps = (p.scheduler.cycles * p.scheduler.cycle_size) as f64 * (p.loader.training_size as f64 + p.loader.validation_size as f64 / 3.0);
    match &cell.trained {
        Trained::Core => steps * cohort.iter().map(|c| c.step).sum::<f64>(),
        Trained::Individual { subject } | Trained::Transfer { subject, .. } => {
            steps * test[*subject].step + design.test[*subject].test_frames as f64 * test[*subject].frame
        }
    }
}
