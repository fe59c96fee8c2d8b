//! The authors' numbers on every target this crate is built for: responses and every gradient (`tests/golden/README.md` says
//! how near). `striate verify` holds more of the same cases: taps, losses, optimizer steps.

use safetensors::SafeTensors;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use striate_model::objective::Targets;
use striate_model::{Clip, Draws, Network, Periphery, Pixels, Precision, Streams, open};

/// A recorded case.
pub struct Golden {
    json: Value,
    tensors: Vec<u8>,
    /// The network it was recorded from.
    pub network: Network,
    video: Vec<u8>,
    eye: Vec<f32>,
    behavior: Vec<f32>,
}

impl Golden {
    pub fn open(name: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden").join(name);
        let json: Value = serde_json::from_slice(&std::fs::read(folder.join("case.json")).expect("case.json")).expect("JSON");
        let config = serde_json::from_value(json["config"].clone()).expect("a network");
        let network = open::load(&folder, None, Some(config)).expect("weights").network;
        let tensors = std::fs::read(folder.join("tensors.safetensors")).expect("tensors");
        let all = SafeTensors::deserialize(&tensors).expect("safetensors");
        let video = all.tensor("input.video").expect("a video").data().to_vec();
        let (eye, behavior) = (floats(&all, "input.eye"), floats(&all, "input.behavior"));
        Self { json, network, video, eye, behavior, tensors }
    }

    fn number(&self, name: &str) -> usize {
        self.json[name].as_u64().expect("a number") as usize
    }

    pub fn frames(&self) -> usize {
        self.number("frames")
    }

    pub fn batch(&self) -> usize {
        self.number("batch")
    }

    /// Some of its frames.
    pub fn clip(&self, frames: std::ops::Range<usize>) -> Clip<'_> {
        let all = self.frames();
        let (video, [eye, behavior]) = (piece(&self.video, all, &frames), [&self.eye, &self.behavior].map(|x| piece(x, all, &frames)));
        let size = ["stimulus_height", "stimulus_width"].map(|name| self.number(name));
        Clip { video: Pixels::U8(video), size, eye, behavior, periphery: Periphery::Dark }
    }

    /// Asserts that a tensor is as near to the recorded one as it must be; its norm counts for no less than `least`.
    fn hold(&self, name: &str, got: &[f32], want: &[f32], least: f64) {
        assert_eq!(got.len(), want.len(), "{name}");
        let off = norm(&mut got.iter().zip(want).map(|(g, w)| f64::from(*g) - f64::from(*w)));
        let error = if off == 0.0 { 0.0 } else { off / norm(&mut want.iter().map(|w| f64::from(*w))).max(least) };
        let base = match name {
            name if name.starts_with("grad.perspective.") => 1e-2,
            name if name.starts_with("grad.") => 1e-4,
            _ => 1e-5,
        };
        let tolerance = f64::max(base, 10.0 * self.json["reference_f32_error"][name].as_f64().unwrap_or(0.0));
        println!("{name}: relative error {error:.1e}");
        assert!(error <= tolerance, "{name}: relative error {error:.1e} > {tolerance:.1e}");
    }
}

fn norm(x: &mut dyn Iterator<Item = f64>) -> f64 {
    x.map(|v| v * v).sum::<f64>().sqrt()
}

fn piece<'a, T>(x: &'a [T], all: usize, frames: &std::ops::Range<usize>) -> &'a [T] {
    &x[frames.start * x.len() / all..frames.end * x.len() / all]
}

fn floats(all: &SafeTensors, name: &str) -> Vec<f32> {
    all.tensor(name).expect("a tensor").data().as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
}

fn check_responses(name: &str) {
    let case = Golden::open(name);
    let all = SafeTensors::deserialize(&case.tensors).expect("safetensors");
    let mut run = case.network.begin(case.batch(), Streams::All, Draws::none()).expect("begin");
    let responses = run.step(&case.clip(0..case.frames())).expect("step");
    case.hold("response.all_streams", &responses, &floats(&all, "response.all_streams"), 0.0);
}

/// Products of pairs change responses by what their rounding makes, and nothing but the core's products.
fn check_pairs(name: &str) {
    if !Precision::Bf16.runs_here() {
        println!("skipped: no bf16 products here");
        return;
    }
    let case = Golden::open(name);
    let all = SafeTensors::deserialize(&case.tensors).expect("safetensors");
    let begin = || case.network.begin(case.batch(), Streams::All, Draws::none()).expect("begin");
    let lowered = || begin().in_precision(Precision::Bf16).expect("pairs");
    let clip = case.clip(0..case.frames());
    let (responses, taps) = lowered().step_with_taps(&clip).expect("step");
    let expected = floats(&all, "response.all_streams");
    let error = norm(&mut responses.iter().zip(&expected).map(|(a, b)| f64::from(a - b))) / norm(&mut expected.iter().map(|v| f64::from(*v)));
    println!("{name}: relative error of responses in bf16 {error:.1e}");
    assert!((1e-6..2e-2).contains(&error), "{name}: {error:.1e}");
    let mut run = lowered();
    let one_by_one: Vec<f32> = (0..case.frames()).flat_map(|t| run.step(&case.clip(t..t + 1)).expect("step")).collect();
    assert_eq!(one_by_one, responses, "{name}: frame by frame");
    let (exact, before) = lowered().in_precision(Precision::F32).expect("back again").step_with_taps(&clip).expect("step");
    assert_eq!(exact, begin().step(&clip).expect("step"));
    assert!(taps.perspective == before.perspective && taps.modulation == before.modulation && taps.feedforward != before.feedforward);
}

fn check_gradients(name: &str) {
    let case = Golden::open(name);
    let all = SafeTensors::deserialize(&case.tensors).expect("safetensors");
    let vectors = |name| floats(&all, name).as_chunks::<3>().0.iter().map(|v| v.map(f64::from)).collect();
    let draws = Draws {
        monitor_center: vectors("draw.monitor_center"),
        monitor_angle: vectors("draw.monitor_angle"),
        readout_position: floats(&all, "draw.readout_position").as_chunks::<2>().0.to_vec(),
        masks: BTreeMap::new(),
    };
    let responses = floats(&all, "input.units");
    let targets = Targets { responses: &responses, burnin: case.number("burnin_frames") };
    let (clip, stream) = (case.clip(0..case.frames()), case.number("train_stream"));
    let (scored, gradients, _) = case.network.objective(&clip, &targets, case.batch(), stream, draws, false).expect("a score");
    case.hold("train.loss_per_frame", &scored.losses, &floats(&all, "train.loss_per_frame"), 0.0);
    let least = 1e-6 * case.json["gradient_norm"].as_f64().expect("a norm");
    let mut held = 0;
    for (param, gradient) in case.network.params().iter().zip(gradients.iter()) {
        let name = format!("grad.{}", param.name);
        assert_eq!(gradient.is_some(), all.tensor(&name).is_ok(), "{name}: a gradient on one side only");
        if let Some(gradient) = gradient {
            case.hold(&name, gradient, &floats(&all, &name), least);
            held += 1;
        }
    }
    assert!(held > 50, "only {held} gradients");
}

#[test]
fn conv_lstm() {
    check_responses("conv-small");
    check_pairs("conv-small");
    check_gradients("conv-small");
}

#[test]
fn cvt_lstm() {
    check_responses("cvt-small");
    check_pairs("cvt-small");
    check_gradients("cvt-small");
}

#[test]
fn published_layout() {
    check_responses("published-layout");
    check_pairs("published-layout");
}
