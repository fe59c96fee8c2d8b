//! Estimate: how long a study takes on this machine, from a step and a frame that are tried.

use super::design::{Cell, Design, Trained};
use crate::bench;
use crate::error::Error;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};
use striate_model::{Network, NetworkConfig, Precision};
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
fn cost(recording: &Recording, preset: &Preset) -> Result<Cost, Error> {
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
    let frame = bench::respond(&network, [height, width], 1, Precision::F32, Duration::from_millis(200))?.spread()[1];
    Ok(Cost { step, frame })
}

/// Costs of the cells of a design: a network is tried once on each recording it meets.
#[derive(Debug)]
pub struct Estimate<'a> {
    design: &'a Design,
    cells: &'a [Cell],
    tried: Vec<(&'a Path, NetworkConfig, Cost)>,
}

impl<'a> Estimate<'a> {
    /// Of a design and its cells.
    pub fn new(design: &'a Design, cells: &'a [Cell]) -> Self {
        Self { design, cells, tried: Vec::new() }
    }

    /// Seconds that a cell takes. A transfer counts as much as training all of its network, which is more than it takes.
    ///
    /// # Errors
    /// A recording that cannot be read or trained on.
    pub fn seconds(&mut self, cell: &Cell) -> Result<f64, Error> {
        let (design, preset) = (self.design, self.design.preset.with(&self.settings(cell))?);
        let steps = (preset.scheduler.cycles * preset.scheduler.cycle_size) as f64
            * (preset.loader.training_size as f64 + preset.loader.validation_size as f64 / 3.0);
        match cell.subject() {
            None => design.cohort.iter().map(|subject| Ok(steps * self.cost(&subject.path, &preset)?.step)).sum(),
            Some(subject) => {
                let subject = &design.test[subject];
                let cost = self.cost(&subject.path, &preset)?;
                Ok(steps * cost.step + subject.test_frames as f64 * cost.frame)
            }
        }
    }

    /// A cell's settings; those of its core come first, as it has the core's network.
    fn settings(&self, cell: &Cell) -> Vec<String> {
        let core = match &cell.trained {
            Trained::Transfer { core, .. } => self.cells.iter().find(|c| c.name == *core),
            _ => None,
        };
        core.iter().flat_map(|core| &core.settings).chain(&cell.settings).cloned().collect()
    }

    fn cost(&mut self, path: &'a Path, preset: &Preset) -> Result<Cost, Error> {
        if let Some((.., cost)) = self.tried.iter().find(|(of, model, _)| *of == path && *model == preset.model) {
            return Ok(*cost);
        }
        let cost = cost(&Recording::open(path)?, preset)?;
        self.tried.push((path, preset.model.clone(), cost));
        Ok(cost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::{Kind, Subject};

    /// A network that is larger costs more, a transfer has its core's, and each recording is tried with each network once.
    #[test]
    fn a_transfer_costs_what_its_core_does() {
        let subject = |name: &str| Subject {
            name: name.into(),
            animal: name.into(),
            path: name.into(),
            sha256: name.into(),
            units: 1,
            minutes: 1.0,
            test_frames: 10,
        };
        let design = Design {
            kind: Kind::Recurrent,
            fractions: vec![0.5],
            seeds: vec![0],
            share: striate_model::Modules::default(),
            cohort: vec![subject("a")],
            test: vec![subject("b")],
            preset: Preset::named("tiny").expect("a preset of ours"),
        };
        let cells = design.cells();
        let mut estimate = Estimate::new(&design, &cells);
        for (kind, step) in [("conv_lstm", 1.0), ("cvt_lstm", 2.0)] {
            let model = design.preset.with(&[format!("model.recurrent.type={kind}")]).expect("a kind there is").model;
            for path in ["a", "b"] {
                estimate.tried.push((Path::new(path), model.clone(), Cost { step, frame: 100.0 }));
            }
        }
        let seconds: Vec<f64> = cells.iter().map(|cell| estimate.seconds(cell).expect("tried before")).collect();
        let s = &design.preset.scheduler;
        let steps =
            (s.cycles * s.cycle_size) as f64 * (design.preset.loader.training_size as f64 + design.preset.loader.validation_size as f64 / 3.0);
        // cores of Conv-LSTM and CvT-LSTM, then what is built around them
        assert_eq!(seconds, [steps, 2.0 * steps, steps + 1000.0, 2.0 * steps + 1000.0]);
    }
}
