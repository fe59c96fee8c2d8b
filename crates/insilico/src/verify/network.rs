//! A network case: responses, taps, training losses, every gradient, optimizer steps.

use super::tensors::{Tensors, read};
use super::{Check, Report, need, relative_error};
use crate::error::Error;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
use striate_model::network::Taps;
use striate_model::objective::Targets;
use striate_model::open;
use striate_model::{Clip, Draws, Gradients, Network, NetworkConfig, Periphery, Pixels, Streams};
use striate_training::config::OptimizerConfig;
use striate_training::optimizer::SgdClip;

/// `case.json`.
#[derive(Deserialize)]
struct Case {
    config: NetworkConfig,
    batch: usize,
    #[serde(default)]
    burnin_frames: usize,
    #[serde(default)]
    train_stream: usize,
    train_objective: Option<f64>,
    gradient_norm: Option<f64>,
    sgd_clip: Option<OptimizerConfig>,
    #[serde(default)]
    sgd_clip_steps: usize,
    /// Error of the reference implementation itself in single precision, per tensor.
    #[serde(default)]
    reference_f32_error: BTreeMap<String, f64>,
}

/// Largest relative error of a tensor: single precision, more where bilinear sampling has kinks, and always ten times
/// what single precision costs the reference itself.
fn tolerance(name: &str, case: &Case) -> f64 {
    let perspective = name.contains(".perspective.");
    let base = if name.starts_with("grad.") {
        if perspective { 1e-2 } else { 1e-4 }
    } else if name.starts_with("sgd_after.") && perspective {
        1e-3
    } else {
        1e-5
    };
    f64::max(base, 10.0 * case.reference_f32_error.get(name).copied().unwrap_or(0.0))
}

/// Inputs of a case.
struct Inputs {
    video: Vec<u8>,
    size: [usize; 2],
    eye: Vec<f32>,
    behavior: Vec<f32>,
}

impl Inputs {
    fn read(tensors: &Tensors, path: &Path, case: &Case) -> Result<Self, Error> {
        let (shape, video) = need(tensors, "input.video", path)?;
        if shape.len() < 4 || shape[1] != case.batch {
            return Err(Error::Case {
                path: path.to_owned(),
                why: format!("input.video has shape {shape:?}, expected [T, {}, H, W(, C)]", case.batch),
            });
        }
        let single = |name| need(tensors, name, path).map(|(_, x)| to_f32(&x));
        let video = video.into_iter().map(|v| v as u8).collect();
        Ok(Self { video, size: [shape[2], shape[3]], eye: single("input.eye")?, behavior: single("input.behavior")? })
    }

    fn clip(&self, periphery: Periphery) -> Clip<'_> {
        Clip { video: Pixels::U8(&self.video), size: self.size, eye: &self.eye, behavior: &self.behavior, periphery }
    }
}

fn to_f32(x: &[f64]) -> Vec<f32> {
    x.iter().map(|v| *v as f32).collect()
}

fn to_f64(x: &[f32]) -> Vec<f64> {
    x.iter().map(|v| f64::from(*v)).collect()
}

/// Checks a case folder.
pub(super) fn verify(folder: &Path, report: &mut Report) -> Result<(), Error> {
    let (json, file) = (folder.join("case.json"), folder.join("tensors.safetensors"));
    let text = std::fs::read_to_string(&json).map_err(|e| Error::Case { path: json.clone(), why: e.to_string() })?;
    let case: Case = serde_json::from_str(&text).map_err(|e| Error::Case { path: json, why: e.to_string() })?;
    let network = open::load(folder, None, Some(case.config.clone()))?.network;
    let tensors = read(&file)?;
    let inputs = Inputs::read(&tensors, &file, &case)?;
    let mut checks = Checks { tensors: &tensors, case: &case, report };
    checks.responses(&network, &inputs)?;
    checks.training(&network, &inputs, &file)?;
    checks.optimizer(&network)?;
    report.unchecked.extend(tensors.unread());
    Ok(())
}

struct Checks<'a> {
    tensors: &'a Tensors,
    case: &'a Case,
    report: &'a mut Report,
}

impl Checks<'_> {
    /// Holds a tensor against its reference, if the case has one.
    fn hold(&mut self, name: &str, got: &[f64], least: f64) {
        if let Some((_, want)) = self.tensors.get(name) {
            let error = relative_error(got, want, least);
            self.report.checks.push(Check { name: name.to_owned(), error, tolerance: tolerance(name, self.case) });
        }
    }

    fn has(&self, name: &str) -> bool {
        self.tensors.has(name)
    }

    fn responses(&mut self, network: &Network, inputs: &Inputs) -> Result<(), Error> {
        let runs = [
            ("response.all_streams", Streams::All, Periphery::Dark),
            ("response.stream0", Streams::One(0), Periphery::Dark),
            ("response.periphery_extend", Streams::All, Periphery::Extend),
        ];
        for (name, streams, periphery) in runs {
            if !self.has(name) {
                continue;
            }
            let mut run = network.begin(self.case.batch, streams, Draws::none())?;
            let (responses, taps) = run.step_with_taps(&inputs.clip(periphery))?;
            self.hold(name, &to_f64(&responses), 0.0);
            if name == "response.all_streams" {
                self.taps(network, &taps, responses.len() / network.config().units);
            }
        }
        Ok(())
    }

    /// Taps in the reference's order: streams stacked along channels, channels before space.
    fn taps(&mut self, network: &Network, taps: &Taps, frames: usize) {
        let p = &network.config().perspective;
        self.hold("tap.perspective", &channels_first(std::slice::from_ref(&taps.perspective), frames, p.height * p.width), 0.0);
        self.hold("tap.modulation", &channels_first(&taps.modulation, frames, 1), 0.0);
        let [h, w, _] = network.core_map();
        self.hold("tap.core.feedforward", &channels_first(&taps.feedforward, frames, h * w), 0.0);
        self.hold("tap.core.recurrent", &channels_first(&taps.recurrent, frames, h * w), 0.0);
        self.hold("tap.readout", &channels_first(&taps.readout, frames, 1), 0.0);
    }

    fn training(&mut self, network: &Network, inputs: &Inputs, file: &Path) -> Result<(), Error> {
        if !self.has("train.loss_per_frame") {
            return Ok(());
        }
        let vectors = |name| need(self.tensors, name, file).map(|(_, x)| x.as_chunks::<3>().0.to_vec());
        let positions = need(self.tensors, "draw.readout_position", file)?.1;
        let draws = Draws {
            monitor_center: vectors("draw.monitor_center")?,
            monitor_angle: vectors("draw.monitor_angle")?,
            readout_position: positions.as_chunks::<2>().0.iter().map(|p| p.map(|v| v as f32)).collect(),
            masks: BTreeMap::new(),
        };
        let responses = to_f32(&need(self.tensors, "input.units", file)?.1);
        let targets = Targets { responses: &responses, burnin: self.case.burnin_frames };
        let (scored, gradients, _) =
            network.objective(&inputs.clip(Periphery::Dark), &targets, self.case.batch, self.case.train_stream, draws, false)?;
        self.hold("train.loss_per_frame", &to_f64(&scored.losses), 0.0);
        if let Some(want) = self.case.train_objective {
            let error = relative_error(&[scored.objective], &[want], 0.0);
            self.report.checks.push(Check { name: "train.objective".into(), error, tolerance: 1e-5 });
        }
        self.gradients(network, &gradients);
        Ok(())
    }

    /// Every gradient of the case, and none that the case lacks: a parameter of another stream takes no part.
    fn gradients(&mut self, network: &Network, gradients: &Gradients) {
        let least = 1e-6 * self.case.gradient_norm.unwrap_or(0.0);
        let tensors = self.tensors;
        let expected = tensors.under("grad.");
        for (param, gradient) in network.params().iter().zip(gradients.iter()) {
            let name = format!("grad.{}", param.name);
            match (gradient, expected.contains_key(param.name.as_str())) {
                (Some(gradient), true) => self.hold(&name, &to_f64(gradient), least),
                (None, false) => {}
                // a gradient on one side only: no number says how wrong that is
                (Some(_), false) | (None, true) => self.report.checks.push(Check { name, error: f64::NAN, tolerance: 0.0 }),
            }
        }
    }

    /// Steps of SgdClip from the recorded gradients, step s with the gradient times 1 + s / 2.
    fn optimizer(&mut self, network: &Network) -> Result<(), Error> {
        let Some(config) = &self.case.sgd_clip else { return Ok(()) };
        let mut params = network.params().clone();
        let mut optimizer = SgdClip::new(config.clone(), &params);
        let recorded = self.tensors.under("grad.");
        for step in 0..self.case.sgd_clip_steps {
            let mut gradients = Gradients::none(&params);
            for (place, param) in params.iter().enumerate() {
                let scaled = recorded.get(param.name.as_str()).map(|g| g.iter().map(|v| (v * (1.0 + 0.5 * step as f64)) as f32).collect());
                gradients.set(place, scaled);
            }
            optimizer.step(&mut params, &gradients, config.lr);
        }
        for param in params.iter() {
            self.hold(&format!("sgd_after.{}", param.name), &to_f64(&param.value), 0.0);
        }
        Ok(())
    }
}

/// Frames [F, pixels, C] of each stream to [F, S * C, pixels].
fn channels_first(streams: &[Vec<f32>], frames: usize, pixels: usize) -> Vec<f64> {
    let mut out = Vec::new();
    for frame in 0..frames {
        for x in streams {
            let x = &x[frame * x.len() / frames..(frame + 1) * x.len() / frames];
            let channels = x.len() / pixels;
            out.extend((0..channels * pixels).map(|i| f64::from(x[i % pixels * channels + i / pixels])));
        }
    }
    out
}
