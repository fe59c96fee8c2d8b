//! How responses depend on what the monitor shows: the gradient that receptive fields are read from.

use crate::draws::Draws;
use crate::error::Error;
use crate::network::{Clip, Network, Streams};
use crate::params::Gradients;
use crate::unit;
use crate::workspace::Workspace;

impl Network {
    /// Responses [T, N, U] to a clip, all streams averaged, and the gradient of `sum(weights * responses)` with respect to the video's
    /// intensities, [T, N, height, width, C]. Weights are [T, N, U]. Nothing is drawn: monitor and positions are at their means (our
    /// choice; the paper has no gradient receptive fields).
    ///
    /// # Errors
    /// A clip that does not fit the network, or weights of another length than the responses.
    pub fn sensitivity(&self, clip: &Clip, weights: &[f32], batch: usize) -> Result<(Vec<f32>, Vec<f32>), Error> {
        let mut fixed = self.clone(); // shares the values
        fixed.params.iter_mut().for_each(|param| param.frozen = true);
        fixed.sensitivity_of_fixed(clip, weights, batch)
    }

    /// The same of a network whose parameters are frozen, so that no gradients of theirs are made.
    fn sensitivity_of_fixed(&self, clip: &Clip, weights: &[f32], batch: usize) -> Result<(Vec<f32>, Vec<f32>), Error> {
        let mut run = self.begin(batch, Streams::All, Draws::none())?;
        let space = &mut Workspace::passing();
        let (eye, behavior) = clip.checked(&self.config, batch, space)?;
        let expected = clip.frames(&self.config) * self.config.units;
        if weights.len() != expected {
            let (expected, got) = (format!("{expected} values [T, N, U]"), format!("{} values", weights.len()));
            return Err(Error::Shape { what: "weights of responses", expected, got });
        }
        let (retina, seen) = self.perspective.forward(&run.perspective, clip.video, clip.size, &eye, clip.periphery, &run.draws, space, true);
        let mut r = vec![0.0; expected];
        let (mut own, mut passes) = (Vec::new(), Vec::with_capacity(run.streams.len()));
        for (ready, state) in run.streams.iter().zip(&mut run.state.0) {
            let (m, _) = self.modulation.forward(ready.modulation.as_ref(), &behavior, batch, &run.draws, &mut state.modulation, space, false);
            let (maps, trace) = self.core.forward(&ready.core, &retina, &m, batch, &run.draws, &mut state.core, space, true);
            self.readout.forward(&ready.readout, &run.positions, &maps, &mut own);
            r.iter_mut().zip(&own).for_each(|(r, o)| *r += o);
            passes.push((maps, trace));
        }
        let share = 1.0 / run.streams.len() as f32;
        let dr: Vec<f32> = r.iter().zip(weights).map(|(r, w)| w * share * unit::rate_gradient(self.config.unit, r * share)).collect();
        let (params, mut none) = (&self.params, Gradients::none(&self.params));
        let mut dretina = vec![0.0; retina.len()];
        for (stream, (ready, (maps, trace))) in run.streams.iter().zip(passes).enumerate() {
            let dmaps = self.readout.backward(&ready.readout, &run.positions, params, stream, &maps, &run.draws, &dr, &mut none);
            let (own, _) = self.core.backward(&ready.core, params, stream, trace, batch, &run.draws, &dmaps, &mut none);
            dretina.iter_mut().zip(own).for_each(|(d, o)| *d += o);
        }
        let dvideo = self.perspective.backward(&run.perspective, params, &seen, &run.draws, dretina, clip.video, true, &mut none);
        let rates = r.into_iter().map(|r| unit::rate(self.config.unit, r * share)).collect();
        Ok((rates, dvideo.unwrap_or_default()))
    }
}
