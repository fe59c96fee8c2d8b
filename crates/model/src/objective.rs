//! The training objective of one clip and all its gradients (paper Methods, "Training").

use crate::draws::Draws;
use crate::error::Error;
use crate::network::{Clip, Network, Streams};
use crate::params::Gradients;
use crate::unit;
use crate::workspace::Workspace;

/// What a clip is scored by.
#[derive(Clone, Copy, Debug)]
pub struct Targets<'a> {
    /// Measured responses [T, N, U]; NaN where a unit was not measured.
    pub responses: &'a [f32],
    /// First frames that are shown but not scored.
    pub burnin: usize,
}

/// Objective of a clip, and what it was made of.
#[derive(Clone, Debug)]
pub struct Scored {
    /// Mean loss over all measured (frame, batch element, unit) after burn-in; NaN if nothing was measured.
    pub objective: f64,
    /// Number of measured entries the mean is over.
    pub measured: usize,
    /// Loss of every (frame, batch element, unit), [T, N, U]; NaN where unmeasured.
    pub losses: Vec<f32>,
}

impl Network {
    /// Scores a clip without gradients.
    pub fn score(&self, clip: &Clip, targets: &Targets, batch: usize, streams: Streams, draws: Draws) -> Result<Scored, Error> {
        let mut run = self.begin(batch, streams, draws)?;
        let (_, taps) = run.step_with_taps(clip)?;
        let count = taps.readout.len() as f32;
        let mut r = vec![0.0; taps.readout[0].len()];
        taps.readout.iter().for_each(|own| r.iter_mut().zip(own).for_each(|(r, o)| *r += o / count));
        self.scored(&r, targets, batch)
    }

    fn scored(&self, r: &[f32], targets: &Targets, batch: usize) -> Result<Scored, Error> {
        if targets.responses.len() != r.len() {
            let (expected, got) = (format!("{} values [T, N, U]", r.len()), format!("{} values", targets.responses.len()));
            return Err(Error::Shape { what: "responses", expected, got });
        }
        let losses: Vec<f32> =
            r.iter().zip(targets.responses).map(|(r, y)| if y.is_nan() { f32::NAN } else { unit::loss(self.config.unit, *r, *y) }).collect();
        let after = targets.burnin * batch * self.config.units;
        let (mut sum, mut measured) = (0.0, 0);
        for (loss, y) in losses.iter().zip(targets.responses).skip(after) {
            if !y.is_nan() {
                sum += f64::from(*loss);
                measured += 1;
            }
        }
        Ok(Scored { objective: sum / measured as f64, measured, losses })
    }

    /// Scores a clip with one stream and returns the gradient of every parameter that took part; of the video too where
    /// `video_gradient` is asked for, [T, N, height, width, C] per unit of intensity.
    pub fn objective(
        &self,
        clip: &Clip,
        targets: &Targets,
        batch: usize,
        stream: usize,
        draws: Draws,
        video_gradient: bool,
    ) -> Result<(Scored, Gradients, Option<Vec<f32>>), Error> {
        let mut run = self.begin(batch, Streams::One(stream), draws)?;
        let space = &mut Workspace::passing();
        let (eye, behavior) = clip.checked(&self.config, batch, space)?;
        let (retina, seen) = self.perspective.forward(&run.perspective, clip.video, clip.size, &eye, clip.periphery, &run.draws, space, true);
        let (ready, state) = (&run.streams[0], &mut run.state.0[0]);
        let (m, modulated) = self.modulation.forward(ready.modulation.as_ref(), &behavior, batch, &run.draws, &mut state.modulation, space, true);
        let (maps, trace) = self.core.forward(&ready.core, &retina, &m, batch, &run.draws, &mut state.core, space, true);
        let mut r = Vec::new();
        self.readout.forward(&ready.readout, &run.positions, &maps, &mut r);
        let scored = self.scored(&r, targets, batch)?;

        let dr = self.readout_gradient(&r, targets, batch, scored.measured);
        let (params, mut gradients) = (&self.params, Gradients::none(&self.params));
        let dmaps = self.readout.backward(&ready.readout, &run.positions, params, stream, &maps, &run.draws, &dr, &mut gradients);
        drop(maps);
        let (dretina, dm) = self.core.backward(&ready.core, params, stream, trace, batch, &run.draws, &dmaps, &mut gradients);
        self.modulation.backward(ready.modulation.as_ref(), params, stream, modulated, batch, &run.draws, &dm, &mut gradients);
        let dvideo = self.perspective.backward(&run.perspective, params, &seen, &run.draws, dretina, clip.video, video_gradient, &mut gradients);
        Ok((scored, gradients, dvideo))
    }

    /// Gradient of the mean loss: zero in burn-in and where nothing was measured.
    fn readout_gradient(&self, r: &[f32], targets: &Targets, batch: usize, measured: usize) -> Vec<f32> {
        let after = targets.burnin * batch * self.config.units;
        let share = 1.0 / measured.max(1) as f32;
        r.iter()
            .zip(targets.responses)
            .enumerate()
            .map(|(i, (r, y))| if i < after || y.is_nan() { 0.0 } else { share * unit::loss_gradient(self.config.unit, *r, *y) })
            .collect()
    }
}
