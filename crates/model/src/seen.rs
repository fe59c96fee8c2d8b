//! One stream's way through the network, and what came out of it.

use crate::draws::Draws;
use crate::network::{Network, PreparedStream, StreamState};
use crate::readout::position::PreparedPosition;
use crate::workspace::Workspace;

/// What one stream put out; all but the readout only where it is asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct SeenByStream {
    pub(crate) modulation: Vec<f32>,
    pub(crate) feedforward: Vec<f32>,
    pub(crate) recurrent: Vec<f32>,
    pub(crate) readout: Vec<f32>,
}

impl SeenByStream {
    /// One stream's way through the network.
    pub(crate) fn see(
        &mut self,
        network: &Network,
        stream: &PreparedStream,
        retina: &[f32],
        behavior: &[f32],
        batch: usize,
        draws: &Draws,
        positions: &PreparedPosition,
        state: &mut StreamState,
        space: &mut Workspace,
        tapped: bool,
    ) {
        let (m, _) = network.modulation.forward(stream.modulation.as_ref(), behavior, batch, draws, &mut state.modulation, space, false);
        let (maps, trace) = network.core.forward(&stream.core, retina, &m, batch, draws, &mut state.core, space, false);
        network.readout.forward(&stream.readout, positions, &maps, &mut self.readout);
        if tapped {
            self.modulation.extend_from_slice(&m);
            self.feedforward.extend_from_slice(trace.feedforward_output());
            self.recurrent.extend_from_slice(&maps);
        }
        trace.give_back(space);
        space.give(m);
        space.give(maps);
    }
}
