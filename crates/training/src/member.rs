//! Member: one recording's network and optimizer in a run. An individual model has one member, a cohort one for each recording.

use crate::batch::Batch;
use crate::config::Preset;
use crate::error::Error;
use crate::optimizer::SgdClip;
use striate_model::objective::{Scored, Targets};
use striate_model::{Clip, Draws, Gradients, Modules, Network, Periphery, Pixels, Streams};
use striate_recording::Recording;

/// One recording's network, its optimizer, and its place in the cohort.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    /// Place among all members, also those in other processes.
    pub(crate) rank: usize,
    pub(crate) network: Network,
    pub(crate) optimizer: SgdClip,
}

/// Where a run is, for error messages.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    /// Epoch under way, from 1.
    pub(crate) epoch: usize,
    /// Step within the epoch, from 0.
    pub(crate) step: usize,
}

impl Member {
    pub(crate) fn new(rank: usize, network: Network, preset: &Preset) -> Self {
        let optimizer = SgdClip::new(preset.optimizer.clone(), network.params());
        Self { rank, network, optimizer }
    }

    /// Objective of a step's clips and its gradients; what is frozen drops nothing.
    pub(crate) fn gradients(
        &self,
        recording: &Recording,
        batch: &Batch,
        preset: &Preset,
        frozen: Option<&Modules>,
        place: Place,
    ) -> Result<(f64, Gradients), Error> {
        let n = batch.draw.windows.len();
        let mut draws = Draws::sample(self.network.config(), n, batch.draw.seed);
        if let Some(frozen) = frozen {
            draws = draws.sparing(frozen);
        }
        let (scored, gradients, _) = self.network.objective(&clip(recording, batch), &targets(batch, preset), n, batch.draw.stream, draws, false)?;
        if scored.measured == 0 {
            return Err(Error::NothingMeasured { epoch: place.epoch, trials: trial_names(recording, batch) });
        }
        if !scored.objective.is_finite() {
            return Err(self.non_finite(recording, batch, &scored, place.epoch, format!("step {}", place.step)));
        }
        let bad = |g: Option<&[f32]>| g.is_some_and(|g| g.iter().any(|v| !v.is_finite()));
        if let Some((param, _)) = self.network.params().iter().zip(gradients.iter()).find(|(_, g)| bad(*g)) {
            let (parameter, trials) = (param.name.clone(), trial_names(recording, batch));
            return Err(Error::NonFiniteGradient { parameter, epoch: place.epoch, step: place.step, trials });
        }
        Ok((scored.objective, gradients))
    }

    /// Objective of validation clips, all streams, nothing random; none where nothing was measured.
    pub(crate) fn score(&self, recording: &Recording, batch: &Batch, preset: &Preset, epoch: usize) -> Result<Option<f64>, Error> {
        let n = batch.draw.windows.len();
        let scored = self.network.score(&clip(recording, batch), &targets(batch, preset), n, Streams::All, Draws::none())?;
        if scored.measured == 0 {
            return Ok(None);
        }
        if !scored.objective.is_finite() {
            return Err(self.non_finite(recording, batch, &scored, epoch, "validation".into()));
        }
        Ok(Some(scored.objective))
    }

    /// Names the first entry of the objective that is not finite.
    fn non_finite(&self, recording: &Recording, batch: &Batch, scored: &Scored, epoch: usize, during: String) -> Error {
        let (n, u) = (batch.draw.windows.len(), self.network.config().units);
        let bad = scored.losses.iter().zip(&batch.responses).position(|(l, y)| !y.is_nan() && !l.is_finite()).unwrap_or(0);
        let (trial, start) = batch.draw.windows[bad / u % n];
        Error::NonFinite {
            epoch,
            during,
            trial: recording.trials()[trial].name.clone(),
            frame: start + bad / u / n,
            unit: unit_id(recording, bad % u),
            loss: scored.losses[bad],
        }
    }
}

/// Identifier of a unit.
pub(crate) fn unit_id(recording: &Recording, unit: usize) -> String {
    recording.units().column("id").and_then(|ids| ids.get(unit)).map_or_else(|| unit.to_string(), ToString::to_string)
}

fn targets<'a>(batch: &'a Batch, preset: &Preset) -> Targets<'a> {
    Targets { responses: &batch.responses, burnin: preset.objective.burnin_frames }
}

fn clip<'a>(recording: &Recording, batch: &'a Batch) -> Clip<'a> {
    let [height, width, _] = recording.frame_shape();
    Clip { video: Pixels::U8(&batch.video), size: [height, width], eye: &batch.eye, behavior: &batch.behavior, periphery: Periphery::Dark }
}

fn trial_names(recording: &Recording, batch: &Batch) -> String {
    let names: Vec<&str> = batch.draw.windows.iter().map(|(trial, _)| recording.trials()[*trial].name.as_str()).collect();
    names.join(", ")
}
