//! Simulate: one animal watches natural-like video while it is imaged; the result is a recording like any other.

use crate::animal::{Cortex, Moment};
use crate::behavior::behavior;
use crate::calcium::{Imaging, measure};
use crate::eye::gaze;
use crate::filters::{Kind, Maps};
use ndarray::{Array2, ArrayView4, Axis, concatenate};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::Path;
use striate_recording::standardize::{Scale, mean_scale, standardize, z_score};
use striate_recording::{Meta, Missing, NewTrial, Recording, RecordingWriter, Tier, UnitTable};
use striate_stimulus::Video;
use striate_stimulus::natural::{Natural, natural};
use striate_stimulus::noise::{Noise, noise};

/// Settings of a simulated recording.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SimulateConfig {
    /// Name of the animal.
    pub animal: String,
    /// Seed of the animal and of what it is shown.
    pub seed: u64,
    /// Neurons.
    pub units: usize,
    /// H, pixels.
    pub height: usize,
    /// W, pixels.
    pub width: usize,
    /// Frames per second, Hz.
    pub rate: f64,
    /// Length of a clip, s.
    pub clip_seconds: f64,
    /// Minutes of training video.
    pub train_minutes: f64,
    /// Validation clips.
    pub validation_clips: usize,
    /// Test clips of natural-like video.
    pub test_clips: usize,
    /// Test clips of smoothed noise, a domain never trained on.
    pub noise_clips: usize,
    /// Times each test clip is shown.
    pub repeats: usize,
    /// Mean spike rate, Hz.
    pub spike_rate: f64,
    /// Imaging frames per second, Hz.
    pub imaging_rate: f64,
    /// Noise of an imaging frame, in units of one spike's signal.
    pub imaging_noise: f64,
}

impl Default for SimulateConfig {
    fn default() -> Self {
        Self {
            animal: "simulated-1".into(),
            seed: 0,
            units: 80,
            height: 36,
            width: 64,
            rate: 30.0,
            clip_seconds: 10.0,
            train_minutes: 8.0,
            validation_clips: 6,
            test_clips: 6,
            noise_clips: 3,
            repeats: 10,
            spike_rate: 8.0,
            imaging_rate: 12.0,
            imaging_noise: 0.3,
        }
    }
}

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting that makes no recording.
    #[error("simulation: {field} is {got}, expected {expected}")]
    Config {
        /// Setting.
        field: &'static str,
        /// What it must be.
        expected: &'static str,
        /// What it is.
        got: String,
    },
    /// The recording could not be written.
    #[error(transparent)]
    Recording(#[from] striate_recording::Error),
}

impl SimulateConfig {
    fn check(&self) -> Result<(), Error> {
        let positive = [
            ("rate", self.rate),
            ("clip_seconds", self.clip_seconds),
            ("train_minutes", self.train_minutes),
            ("spike_rate", self.spike_rate),
            ("imaging_rate", self.imaging_rate),
        ];
        for (field, v) in positive {
            if !(v.is_finite() && v > 0.0) {
                return Err(Error::Config { field, expected: "a number above 0", got: v.to_string() });
            }
        }
        for (field, v, least) in [("units", self.units, 1), ("height", self.height, 8), ("width", self.width, 8), ("repeats", self.repeats, 1)] {
            if v < least {
                return Err(Error::Config { field, expected: "at least 1 (height and width 8)", got: v.to_string() });
            }
        }
        if !(self.imaging_noise.is_finite() && self.imaging_noise >= 0.0) {
            return Err(Error::Config { field: "imaging_noise", expected: "0 or more", got: self.imaging_noise.to_string() });
        }
        Ok(())
    }

    fn frames(&self) -> usize {
        (self.clip_seconds * self.rate).round().max(1.0) as usize
    }

    fn train_clips(&self) -> usize {
        (self.train_minutes * 60.0 / self.clip_seconds).ceil().max(1.0) as usize
    }

    /// Clips in order: training, validation, test, test on noise; each with its tier, domain and number of showings.
    fn clips(&self) -> Vec<(Tier, &'static str, usize)> {
        let part = |n, clip| std::iter::repeat_n(clip, n);
        part(self.train_clips(), (Tier::Train, "natural", 1))
            .chain(part(self.validation_clips, (Tier::Validation, "natural", 1)))
            .chain(part(self.test_clips, (Tier::Test, "natural", self.repeats)))
            .chain(part(self.noise_clips, (Tier::Test, "noise", self.repeats)))
            .collect()
    }

    fn video(&self, domain: &str, clip: usize) -> Video {
        let (height, width, rate, frames) = (self.height, self.width, self.rate, self.frames());
        // what is shown does not depend on who watches; clips of two animals differ by the seed
        let seed = mix(self.seed ^ 0x51DE0, clip as u64);
        match domain {
            "noise" => noise(&Noise { height, width, rate, frames, ..Noise::default() }, seed),
            _ => natural(&Natural { height, width, rate, frames, ..Natural::default() }, seed),
        }
    }
}

/// A seed of its own for each piece of randomness.
fn mix(seed: u64, stream: u64) -> u64 {
    let mut z = seed.wrapping_add(stream.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// One showing of a clip: raw eye position, behaviour and rates.
struct Showing {
    eye: Array2<f32>,
    behavior: Array2<f32>,
    rates: Vec<Vec<f64>>,
}

/// Makes a recording of a simulated animal; `progress` is told clips done and in all.
pub fn simulate(config: &SimulateConfig, out: &Path, progress: &mut dyn FnMut(usize, usize)) -> Result<Recording, Error> {
    config.check()?;
    let cortex = Cortex::new(config.units, config.height, config.width, config.rate, mix(config.seed, 0));
    let clips = config.clips();
    // spikes per unit of drive: found on the first training clips, so that the mean rate is the one asked for
    let scale = spike_scale(config, &cortex);
    let mut shown = Vec::new();
    let mut writer = None;
    for (index, (tier, domain, repeats)) in clips.iter().enumerate() {
        let video = config.video(domain, index);
        let maps = cortex.bank.maps(&video);
        let measured: Vec<(Showing, Array2<f32>)> = (0..*repeats)
            .into_par_iter()
            .map(|repeat| {
                let showing = show(config, &cortex, &maps, index, repeat);
                let responses = image(config, &showing.rates, &scale, mix(config.seed ^ 0xCA1C, (index * 1000 + repeat) as u64));
                (showing, responses)
            })
            .collect();
        shown.push((video, measured));
        // statistics come from all training clips, so writing starts after the last of them
        if *tier != Tier::Train || index + 1 == config.train_clips() {
            let (writer, scales) = match &mut writer {
                Some(ready) => ready,
                None => writer.insert(begin(config, &cortex, out, &shown)?),
            };
            let first = index + 1 - shown.len();
            for (offset, (video, measured)) in shown.drain(..).enumerate() {
                write(writer, scales, first + offset, &clips[first + offset], &video, measured)?;
            }
        }
        progress(index + 1, clips.len());
    }
    match writer {
        Some((writer, _)) => Ok(writer.finish()?),
        None => Err(Error::Config { field: "train_minutes", expected: "at least one clip", got: config.train_minutes.to_string() }),
    }
}

fn show(config: &SimulateConfig, cortex: &Cortex, maps: &Maps, clip: usize, repeat: usize) -> Showing {
    let mut rng = ChaCha8Rng::seed_from_u64(mix(config.seed ^ 0xE7E, (clip * 1000 + repeat) as u64));
    let (gaze, behavior) = (gaze(config.frames(), config.rate, &mut rng), behavior(config.frames(), config.rate, &mut rng));
    let moments: Vec<Moment> = gaze.iter().zip(&behavior).map(|(gaze, b)| Moment { gaze: *gaze, behavior: felt(*b) }).collect();
    let series = |x: &[[f64; 2]]| Array2::from_shape_fn((x.len(), 2), |(t, k)| x[t][k] as f32);
    Showing { rates: cortex.rates(maps, &moments), eye: series(&gaze), behavior: series(&behavior) }
}

/// Behaviour as the cortex feels it: about mean 0 and standard deviation 1.
fn felt([pupil, speed]: [f64; 2]) -> [f64; 2] {
    [(pupil - 1.35) / 0.5, (speed - 0.32) / 0.45]
}

/// Spikes per second and unit of drive, per neuron.
fn spike_scale(config: &SimulateConfig, cortex: &Cortex) -> Vec<f64> {
    const CLIPS: usize = 4;
    let mut sums = vec![0.0; cortex.neurons.len()];
    let mut frames = 0;
    for clip in 0..CLIPS.min(config.train_clips()) {
        let maps = cortex.bank.maps(&config.video("natural", clip));
        for row in show(config, cortex, &maps, clip, 0).rates {
            sums.iter_mut().zip(&row).for_each(|(s, r)| *s += r);
            frames += 1;
        }
    }
    sums.iter().map(|s| config.spike_rate * frames as f64 / s).collect()
}

/// Images every neuron, [T, U].
fn image(config: &SimulateConfig, rates: &[Vec<f64>], scale: &[f64], seed: u64) -> Array2<f32> {
    let imaging = Imaging { rate: config.imaging_rate, decay: 0.5, noise: config.imaging_noise };
    let mut out = Array2::zeros((rates.len(), scale.len()));
    for (u, scale) in scale.iter().enumerate() {
        let mut rng = ChaCha8Rng::seed_from_u64(mix(seed, u as u64));
        let own: Vec<f64> = rates.iter().map(|row| row[u] * scale).collect();
        out.column_mut(u).iter_mut().zip(measure(&own, config.rate, &imaging, &mut rng)).for_each(|(o, v)| *o = v);
    }
    out
}

/// Scales of eye, behaviour and responses.
type Scales = [Vec<Scale>; 3];

/// Takes statistics over the training clips and starts the recording.
fn begin(
    config: &SimulateConfig,
    cortex: &Cortex,
    out: &Path,
    shown: &[(Video, Vec<(Showing, Array2<f32>)>)],
) -> Result<(RecordingWriter, Scales), Error> {
    let all = |of: fn(&(Showing, Array2<f32>)) -> &Array2<f32>| {
        let views: Vec<_> = shown.iter().flat_map(|(_, measured)| measured.iter().map(|m| of(m).view())).collect();
        concatenate(Axis(0), &views).unwrap_or_default()
    };
    let (eye, behavior, responses) = (all(|m| &m.0.eye), all(|m| &m.0.behavior), all(|m| &m.1));
    let scales = [z_score(eye.view()), z_score(behavior.view()), mean_scale(responses.view())];
    let meta = Meta {
        animal: config.animal.clone(),
        session: None,
        scan: None,
        rate: config.rate,
        eye: vec!["gaze right".into(), "gaze down".into()],
        behavior: vec!["pupil radius".into(), "treadmill".into()],
        source: format!("simulated visual cortex, seed {}; not a measurement of any animal", config.seed),
        simulated: true,
        standardization: json!({"eye": scales[0], "behavior": scales[1], "response": scales[2], "simulation": config}),
        missing: Missing::default(),
    };
    let writer = RecordingWriter::create(out, meta, [config.height, config.width, 1], truth(cortex, config.height as f64 / config.width as f64))?;
    Ok((writer, scales))
}

/// The unit table: what is true of every neuron.
fn truth(cortex: &Cortex, aspect: f64) -> UnitTable {
    let column = |of: &dyn Fn(&crate::population::Neuron) -> Value| cortex.neurons.iter().map(of).collect::<Vec<Value>>();
    let preferred = |n: &crate::population::Neuron| cortex.bank.channels()[n.mix[0].0];
    let columns = vec![
        ("id".to_owned(), (0..cortex.neurons.len()).map(Value::from).collect()),
        ("area".into(), column(&|n| n.area.into())),
        ("kind".into(), column(&|n| n.kind.name().into())),
        // as readout positions: -1 to 1 over the monitor
        ("x".into(), column(&|n| (2.0 * n.place[0]).into())),
        ("y".into(), column(&|n| (2.0 * n.place[1] / aspect).into())),
        ("preferred_direction".into(), column(&|n| if n.kind == Kind::Direction { preferred(n).direction.into() } else { Value::Null })),
        (
            "preferred_orientation".into(),
            column(&|n| if n.kind == Kind::CentreSurround { Value::Null } else { (preferred(n).direction % 180.0).into() }),
        ),
        ("spatial_frequency".into(), column(&|n| if n.kind == Kind::CentreSurround { Value::Null } else { preferred(n).spatial.into() })),
        ("gain_running".into(), column(&|n| n.gain[0].into())),
        ("gain_pupil".into(), column(&|n| n.gain[1].into())),
        ("soma_x".into(), column(&|n| n.soma[0].into())),
        ("soma_y".into(), column(&|n| n.soma[1].into())),
        ("depth".into(), column(&|n| n.soma[2].into())),
    ];
    UnitTable { columns }
}

fn write(
    writer: &mut RecordingWriter,
    scales: &Scales,
    clip: usize,
    (tier, domain, _): &(Tier, &str, usize),
    video: &Video,
    measured: Vec<(Showing, Array2<f32>)>,
) -> Result<(), Error> {
    let frames = ArrayView4::from_shape(video.shape(), video.pixels()).map_err(|e| Error::Config {
        field: "video",
        expected: "pixels of its shape",
        got: e.to_string(),
    })?;
    let index = writer.add_video(&format!("{domain}{clip}"), frames)?;
    for (repeat, (mut showing, mut responses)) in measured.into_iter().enumerate() {
        standardize(showing.eye.view_mut(), &scales[0]);
        standardize(showing.behavior.view_mut(), &scales[1]);
        standardize(responses.view_mut(), &scales[2]);
        writer.add_trial(NewTrial {
            name: &format!("clip{clip}-{repeat}"),
            video: index,
            video_start: 0,
            tier: *tier,
            domain,
            times: None,
            responses: responses.view(),
            eye: showing.eye.view(),
            behavior: showing.behavior.view(),
        })?;
    }
    Ok(())
}
