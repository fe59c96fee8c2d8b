//! Barcode: what a network knows of each unit apart from any stimulus, and of the animal's state apart from any video.

use crate::draws::Draws;
use crate::error::Error;
use crate::network::{Network, finite};
use crate::readout::position::to_pixels;
use crate::workspace::Workspace;
use striate_kernels::grid_sample;
use striate_kernels::pad::{Border, Frame};

impl Network {
    /// Functional barcodes [U, S * C]: the feature weights of every unit as they are applied, one stream after the other (paper
    /// Methods, "Functional barcodes"; 512 numbers in the published networks).
    pub fn barcodes(&self) -> Vec<f32> {
        let (units, streams, channels) = (self.config.units, self.config.streams, self.readout.feature.channels);
        let mut barcodes = vec![0.0; units * streams * channels];
        for stream in 0..streams {
            let weights = self.readout.feature.effective(&self.params, stream);
            for (barcode, own) in barcodes.chunks_exact_mut(streams * channels).zip(weights.chunks_exact(channels)) {
                barcode[stream * channels..][..channels].copy_from_slice(own);
            }
        }
        barcodes
    }

    /// Where on the monitor each unit looks [U], x to the right and y down, -1 to 1 from the centre of the monitor's first pixel to
    /// that of its last, with the eye at its mean position; NaN where it looks beside the monitor (paper Figure 5c). `size` is
    /// [height, width] of the video.
    pub fn monitor_positions(&self, size: [usize; 2]) -> Vec<[f64; 2]> {
        let prepared = self.perspective.prepare(&self.params, 1, &Draws::none());
        let seen = self.perspective.seen_pixels(&prepared, size);
        let map = Frame { channels: 2, ..self.perspective.retina() };
        let mu = self.params.value("readout.position.mu");
        let points: Vec<[f32; 2]> = mu.as_chunks().0.iter().map(|position| to_pixels(*position, map)).collect();
        let mut pixels = vec![0.0; 2 * points.len()];
        grid_sample::forward(map, Border::Replicate, &seen, &points, &mut pixels);
        let share = |pixel: f32, size: usize| 2.0 * f64::from(pixel) / (size as f64 - 1.0) - 1.0;
        pixels.as_chunks().0.iter().map(|[x, y]| [share(*x, size[1]), share(*y, size[0])]).collect()
    }

    /// Output of the modulation network [T, S * F], one stream after the other, to standardised behaviour [T, M] from the start of a
    /// sequence: the state of the animal as the core is told of it (paper Extended Data Fig. 2).
    pub fn modulation_states(&self, behavior: &[f32]) -> Result<Vec<f32>, Error> {
        let width = self.config.behavior_features;
        if width == 0 || !behavior.len().is_multiple_of(width) {
            let expected = format!("{width} values for each frame");
            return Err(Error::Shape { what: "behaviour", expected, got: format!("{} values", behavior.len()) });
        }
        finite("behaviour", behavior)?;
        let of_stream = |stream: usize| {
            let prepared = self.modulation.prepare(&self.params, stream);
            self.modulation.forward(prepared.as_ref(), behavior, 1, &Draws::none(), &mut self.modulation.begin(1), &mut Workspace::passing(), false).0
        };
        let streams: Vec<Vec<f32>> = (0..self.config.streams).map(of_stream).collect();
        let frames = behavior.len() / width;
        let features = streams.first().map_or(0, |states| states.len() / frames.max(1));
        Ok((0..frames).flat_map(|t| streams.iter().flat_map(move |states| states[t * features..][..features].iter().copied())).collect())
    }
}
