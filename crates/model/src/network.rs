//! The whole network on one screen: perspective, modulation, core, readout, unit.
//!
//! A [`Network`] is parameters and their configuration, immutable while it runs. [`Network::begin`] gives a [`Run`], which owns
//! all that lasts one sequence: normalised weights, random draws, and the state of every stream. A run is shown any
//! number of frames at a time; frame by frame or a whole clip at once gives the same bits.

use crate::config::NetworkConfig;
use crate::core::{Core, CoreState, PreparedCore};
use crate::draws::Draws;
use crate::error::Error;
use crate::layers::lstm::LstmState;
use crate::modulation::{Modulation, PreparedModulation};
use crate::params::Params;
use crate::perspective::pixel::Pixels;
use crate::perspective::{Periphery, Perspective, PreparedPerspective};
use crate::readout::position::PreparedPosition;
use crate::readout::{PreparedReadout, Readout};
use crate::seen::SeenByStream;
use crate::unit;
use crate::workspace::{Workspace, Workspaces};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use striate_kernels::precision::Precision;

/// A network: configuration and parameters.
#[derive(Clone, Debug)]
pub struct Network {
    pub(crate) config: NetworkConfig,
    pub(crate) params: Params,
    pub(crate) perspective: Perspective,
    pub(crate) modulation: Modulation,
    pub(crate) core: Core,
    pub(crate) readout: Readout,
}

/// Frames to show, time-major: T frames of N batch elements.
#[derive(Clone, Copy, Debug)]
pub struct Clip<'a> {
    /// Video [T, N, height, width, C].
    pub video: Pixels<'a>,
    /// [height, width] of the video.
    pub size: [usize; 2],
    /// Eye position [T, N, P], standardised; empty for zeros, the mean.
    pub eye: &'a [f32],
    /// Behaviour [T, N, M], standardised; empty for zeros, the mean.
    pub behavior: &'a [f32],
    /// What lies beside the monitor.
    pub periphery: Periphery,
}

/// Which streams run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Streams {
    /// All, averaged before the response nonlinearity (evaluation).
    #[default]
    All,
    /// One (training).
    One(usize),
}

/// What one stream remembers between frames.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StreamState {
    pub(crate) modulation: LstmState,
    pub(crate) core: CoreState,
}

/// What a run remembers between frames; can be kept, cloned and given back.
#[derive(Clone, Debug, PartialEq)]
pub struct State(pub(crate) Vec<StreamState>);

/// One stream, ready to run.
#[derive(Clone, Debug)]
pub(crate) struct PreparedStream {
    pub(crate) modulation: Option<PreparedModulation>,
    pub(crate) core: PreparedCore,
    pub(crate) readout: PreparedReadout,
}

/// A sequence under way.
#[derive(Clone, Debug)]
pub struct Run<'a> {
    pub(crate) network: &'a Network,
    pub(crate) batch: usize,
    pub(crate) draws: Draws,
    pub(crate) perspective: PreparedPerspective,
    pub(crate) positions: PreparedPosition,
    pub(crate) streams: Vec<PreparedStream>,
    pub(crate) state: State,
    /// Of the core's products.
    precision: Precision,
    /// Buffers of what all streams share, and of the streams.
    space: Workspace,
    spaces: Workspaces,
    seen: Vec<SeenByStream>,
}

/// What each module put out, per frame: for looking inside and for reference checks.
#[derive(Clone, Debug, Default)]
pub struct Taps {
    /// Retinal images [T * N, H, W, C].
    pub perspective: Vec<f32>,
    /// Modulation features of each stream, [T * N, F].
    pub modulation: Vec<Vec<f32>>,
    /// Feedforward maps of each stream, [T * N, h, w, C].
    pub feedforward: Vec<Vec<f32>>,
    /// Core maps of each stream, [T * N, h, w, C].
    pub recurrent: Vec<Vec<f32>>,
    /// Readout of each stream, [T * N, U].
    pub readout: Vec<Vec<f32>>,
}

impl Network {
    /// A network with random initial parameters.
    pub fn new(config: NetworkConfig, seed: u64) -> Result<Self, Error> {
        config.check()?;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let perspective = Perspective::new(&config);
        let modulation = Modulation::new(&config);
        let core = Core::new(&config, perspective.retina());
        let readout = Readout::new(&config, core.output());
        let mut params = Params::default();
        for stream in 0..config.streams {
            core.declare(&mut params, stream, &mut rng);
        }
        perspective.declare(&mut params, &mut rng);
        for stream in 0..config.streams {
            modulation.declare(&mut params, stream, &mut rng);
        }
        readout.declare_shared(&mut params);
        for stream in 0..config.streams {
            readout.declare(&mut params, stream);
        }
        Ok(Self { config, params, perspective, modulation, core, readout })
    }

    /// What the network is made of.
    pub fn config(&self) -> &NetworkConfig {
        &self.config
    }

    /// Records the video size the network was trained on, [height, width].
    pub fn set_video_size(&mut self, size: Option<[usize; 2]>) {
        self.config.video = size;
    }

    /// All parameters.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// All parameters, for changing their values.
    pub fn params_mut(&mut self) -> &mut Params {
        &mut self.params
    }

    /// Height, width and channels of the core's output, where readout positions live.
    pub fn core_map(&self) -> [usize; 3] {
        let map = self.core.output();
        [map.height, map.width, map.channels]
    }

    /// Starts a sequence of N batch elements.
    pub fn begin(&self, batch: usize, streams: Streams, draws: Draws) -> Result<Run<'_>, Error> {
        let chosen = match streams {
            Streams::All => 0..self.config.streams,
            Streams::One(s) if s < self.config.streams => s..s + 1,
            Streams::One(s) => return Err(Error::Stream { got: s, streams: self.config.streams }),
        };
        let prepare = |index: usize| PreparedStream {
            modulation: self.modulation.prepare(&self.params, index),
            core: self.core.prepare(&self.params, index),
            readout: self.readout.prepare(&self.params, index),
        };
        let state = chosen.clone().map(|_| StreamState { modulation: self.modulation.begin(batch), core: self.core.begin(batch) });
        Ok(Run {
            network: self,
            batch,
            perspective: self.perspective.prepare(&self.params, batch, &draws),
            positions: self.readout.prepare_positions(&self.params, batch, &draws),
            state: State(state.collect()),
            precision: Precision::F32,
            streams: chosen.map(prepare).collect(),
            draws,
            space: Workspace::default(),
            spaces: Workspaces::default(),
            seen: Vec::new(),
        })
    }

    /// What the monitor would have to show ([height, width, C] intensities in 0..1) for a retinal image [H, W, C] at an eye
    /// position [P]: the inverse of perspective (paper Extended Data Fig. 1).
    pub fn monitor_image(&self, retina: &[f32], size: [usize; 2], eye: &[f32]) -> Result<Vec<f32>, Error> {
        let expected = self.perspective.retina().len();
        if retina.len() != expected {
            return Err(Error::Shape { what: "retinal image", expected: format!("{expected} values"), got: format!("{} values", retina.len()) });
        }
        if eye.len() != self.config.eye_features {
            return Err(Error::Shape {
                what: "eye position",
                expected: format!("{} values", self.config.eye_features),
                got: format!("{}", eye.len()),
            });
        }
        let prepared = self.perspective.prepare(&self.params, 1, &Draws::none());
        Ok(self.perspective.inverse(&prepared, retina, size, eye))
    }
}

impl Run<'_> {
    /// The same with the core's products, nine tenths of all, in another precision; refused where the processor has none such.
    pub fn in_precision(mut self, precision: Precision) -> Result<Self, Error> {
        if self.precision != precision {
            self.precision = precision.here()?;
            self.streams.iter_mut().for_each(|stream| stream.core.lower(precision));
        }
        Ok(self)
    }

    /// Responses [T, N, U] to the next frames.
    pub fn step(&mut self, clip: &Clip) -> Result<Vec<f32>, Error> {
        let mut responses = Vec::new();
        self.step_into(clip, &mut responses)?;
        Ok(responses)
    }

    /// As [`Run::step`], into a buffer of the caller's. Frame by frame, no memory is asked for once the first frames have been shown.
    pub fn step_into(&mut self, clip: &Clip, responses: &mut Vec<f32>) -> Result<(), Error> {
        self.look(clip, responses, None)
    }

    /// As [`Run::step`], and what every module put out.
    pub fn step_with_taps(&mut self, clip: &Clip) -> Result<(Vec<f32>, Taps), Error> {
        let (mut responses, mut taps) = (Vec::new(), Taps::default());
        self.look(clip, &mut responses, Some(&mut taps))?;
        Ok((responses, taps))
    }

    fn look(&mut self, clip: &Clip, responses: &mut Vec<f32>, mut taps: Option<&mut Taps>) -> Result<(), Error> {
        let network = self.network;
        let frames = clip.frames(&network.config);
        let keep = frames == self.batch; // a clip's buffers are large, and asked for once
        self.space.keep(keep);
        let (eye, behavior) = clip.checked(&network.config, self.batch, &mut self.space)?;
        let (retina, seen) =
            network.perspective.forward(&self.perspective, clip.video, clip.size, &eye, clip.periphery, &self.draws, &mut self.space, false);
        seen.give_back(&mut self.space);
        self.seen.resize_with(self.streams.len(), SeenByStream::default);
        let (batch, draws, positions, tapped) = (self.batch, &self.draws, &self.positions, taps.is_some());
        // each stream goes its way alone: no thread waits for another within a frame
        let streams = self.streams.par_iter().zip(&mut self.state.0).zip(&mut self.seen).with_max_len(1);
        streams.for_each(|((stream, state), seen)| {
            self.spaces.with(keep, |space| seen.see(network, stream, &retina, &behavior, batch, draws, positions, state, space, tapped));
        });
        responses.clear();
        responses.resize(frames * network.config.units, 0.0);
        for seen in &mut self.seen {
            responses.iter_mut().zip(&seen.readout).for_each(|(r, own)| *r += own);
            if let Some(taps) = &mut taps {
                taps.modulation.push(std::mem::take(&mut seen.modulation));
                taps.feedforward.push(std::mem::take(&mut seen.feedforward));
                taps.recurrent.push(std::mem::take(&mut seen.recurrent));
                taps.readout.push(std::mem::take(&mut seen.readout));
            }
        }
        let count = self.streams.len() as f32;
        responses.iter_mut().for_each(|r| *r = unit::rate(network.config.unit, *r / count));
        if let Some(taps) = taps {
            taps.perspective.extend_from_slice(&retina);
        }
        [eye, behavior, retina].into_iter().for_each(|buffer| self.space.give(buffer));
        self.space.settle();
        Ok(())
    }

    /// What the run remembers.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Continues from a state this network's run of the same batch and streams was in.
    pub fn set_state(&mut self, state: State) -> Result<(), Error> {
        if state.0.len() != self.state.0.len() {
            let (expected, got) = (format!("{} streams", self.state.0.len()), format!("{} streams", state.0.len()));
            return Err(Error::Shape { what: "state", expected, got });
        }
        self.state = state;
        Ok(())
    }
}

impl Clip<'_> {
    /// T * N.
    pub(crate) fn frames(&self, config: &NetworkConfig) -> usize {
        self.video.len() / (self.size[0] * self.size[1] * config.channels).max(1)
    }

    /// Checks every size, and fills in eye and behaviour where they are left out.
    pub(crate) fn checked(&self, config: &NetworkConfig, batch: usize, space: &mut Workspace) -> Result<(Vec<f32>, Vec<f32>), Error> {
        let frame = self.size[0] * self.size[1] * config.channels;
        let frames = self.frames(config);
        if frame == 0 || self.video.len() != frames * frame || !frames.is_multiple_of(batch.max(1)) {
            let expected = format!("whole frames of {}x{}x{} for {batch} batch elements", self.size[0], self.size[1], config.channels);
            return Err(Error::Shape { what: "video", expected, got: format!("{} values", self.video.len()) });
        }
        if let Pixels::F32(x) = self.video {
            finite("video", x)?;
        }
        let mut series = |what: &'static str, x: &[f32], width: usize| {
            if x.is_empty() {
                let mut zeros = space.take(frames * width);
                zeros.fill(0.0);
                return Ok(zeros);
            }
            if x.len() != frames * width {
                let expected = format!("{width} values for each of {frames} frames");
                return Err(Error::Shape { what, expected, got: format!("{} values", x.len()) });
            }
            finite(what, x)?;
            Ok(space.copy(x))
        };
        Ok((series("eye position", self.eye, config.eye_features)?, series("behaviour", self.behavior, config.behavior_features)?))
    }
}

pub(crate) fn finite(what: &'static str, x: &[f32]) -> Result<(), Error> {
    match x.iter().position(|v| !v.is_finite()) {
        Some(index) => Err(Error::NotFinite { what, index }),
        None => Ok(()),
    }
}
