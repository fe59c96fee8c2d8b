//! How much arithmetic a network does: what benchmarks are counted in.

use crate::layers::conv::Conv;
use crate::network::Network;
use striate_kernels::conv::ConvShape;
use striate_kernels::pad::Frame;

/// Multiply-adds of one stream and one frame, by module. Pointwise functions, sampling and weight normalisation are not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    /// Convolutions of the feedforward part.
    pub feedforward: usize,
    /// Projections, convolutions and attention of the recurrent part.
    pub recurrent: usize,
    /// Four neighbours' features times each unit's weights.
    pub readout: usize,
}

impl Work {
    /// All modules.
    pub fn total(&self) -> usize {
        self.feedforward + self.recurrent + self.readout
    }
}

/// A convolution of the core.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Name of its parameters.
    pub name: String,
    /// Groups, channels, kernel.
    pub shape: ConvShape,
    /// Height and width it puts out.
    pub size: [usize; 2],
}

impl Layer {
    /// Of one frame.
    pub fn multiply_adds(&self) -> usize {
        self.size[0] * self.size[1] * self.shape.weights()
    }
}

impl Network {
    /// Convolutions of one stream's core, in the order data takes.
    pub fn layers(&self) -> Vec<Layer> {
        let (feedforward, recurrent, _) = self.core.layers();
        feedforward.into_iter().chain(recurrent).map(layer).collect()
    }

    /// Multiply-adds of one stream and one frame; a training step does three times as many (forward, and two products backward).
    pub fn work(&self) -> Work {
        let (feedforward, recurrent, other) = self.core.layers();
        let sum = |layers: Vec<(&Conv, Frame)>| layers.into_iter().map(|l| layer(l).multiply_adds()).sum::<usize>();
        Work { feedforward: sum(feedforward), recurrent: sum(recurrent) + other, readout: 4 * self.core.output().channels * self.config.units }
    }
}

fn layer((conv, frame): (&Conv, Frame)) -> Layer {
    Layer { name: conv.name.clone(), shape: conv.shape, size: [frame.height, frame.width] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{NetworkConfig, RecurrentKind};

    #[test]
    fn published_size_is_what_the_layers_add_up_to() {
        let mut config = NetworkConfig { units: 8000, ..NetworkConfig::default() };
        let work = Network::new(config.clone(), 0).expect("default").work();
        // inputs 36 x 32 and convolutions 2 x 27 x 32^2 + 32^2 at 64 x 96, then half the pixels' quarter with twice the groups, ...
        let at = |pixels: usize, groups: usize| pixels * (2 * 27 * 32 * 32 + 32 * 32) * groups;
        let pointwise = 32 * 48 * 96 * 64 + 16 * 24 * (192 * 128 + 384 * 128);
        assert_eq!(work.feedforward, 64 * 96 * 36 * 32 + at(64 * 96, 1) + at(32 * 48, 2) + at(16 * 24, 4) + pointwise);
        // inter-group 256^2, feedforward 128 x 256, four gates of 9 x 64 x 256, output 256 x 128; modulation once a frame 16 x 256
        assert_eq!(work.recurrent, 384 * (256 * 256 + 128 * 256 + 4 * 9 * 64 * 256 + 256 * 128) + 16 * 256);
        assert_eq!(work.readout, 4 * 128 * 8000);
        config.recurrent.kind = RecurrentKind::CvtLstm;
        let cvt = Network::new(config, 0).expect("default").work();
        // convolution 9 x 64 x 512, three projections 64 x 512, attention 2 x 8 x 384^2 x 64, gates 4 x 128 x 256
        let cell = 384 * (9 * 64 * 512 + 3 * 64 * 512 + 2 * 384 * 512 + 4 * 128 * 256);
        assert_eq!(cvt.recurrent, 384 * (256 * 256 + 128 * 256 + 256 * 128) + cell + 16 * 256);
    }
}
