//! The network against the reference network: responses, objective, and every gradient by finite differences in f64.

use super::{Draws as ReferenceDraws, ReferenceNetwork, Sequence, Video};
use crate::small::network;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use striate_model::config::{FeatureKind, FeedforwardKind, ModulationKind, NetworkConfig, Nonlinear, PerspectiveKind, RecurrentKind, UnitKind};
use striate_model::objective::Targets;
use striate_model::{Clip, Draws, Network, Periphery, Pixels, Streams};

const FRAMES: usize = 4;
const SHAPE: [usize; 3] = [2, 12, 20]; // N, height, width
const STREAM: usize = 1;
const BURNIN: usize = 1;

/// One network, and one sequence with missing responses to show it.
struct Trial {
    frames: usize,
    network: Network,
    pixels: Vec<f32>,
    eye: Vec<f32>,
    behavior: Vec<f32>,
    responses: Vec<f32>,
    draws: Draws,
    periphery: Periphery,
}

impl Trial {
    fn new(periphery: Periphery, change: impl FnOnce(&mut NetworkConfig)) -> Self {
        Self::of_frames(FRAMES, periphery, change)
    }

    fn of_frames(t: usize, periphery: Periphery, change: impl FnOnce(&mut NetworkConfig)) -> Self {
        let network = network(change);
        let config = network.config();
        let [n, height, width] = SHAPE;
        let mut rng = ChaCha8Rng::seed_from_u64(21);
        let mut series = |count: usize, least: f32, most: f32| -> Vec<f32> { (0..count).map(|_| rng.random_range(least..most)).collect() };
        let pixels = series(t * n * height * width * config.channels, 0.05, 1.0);
        let (eye, behavior) = (series(t * n * config.eye_features, -1.0, 1.0), series(t * n * config.behavior_features, -1.0, 1.0));
        let mut responses = series(t * n * config.units, 0.0, 3.0);
        responses.iter_mut().skip(3).step_by(7).for_each(|y| *y = f32::NAN);
        let draws = Draws::sample(config, n, 5);
        Self { frames: t, pixels, eye, behavior, responses, draws, periphery, network }
    }

    fn clip(&self) -> Clip<'_> {
        let [_, height, width] = SHAPE;
        Clip { video: Pixels::F32(&self.pixels), size: [height, width], eye: &self.eye, behavior: &self.behavior, periphery: self.periphery }
    }

    /// The same sequence for the reference network: of one stream with the draws, or of all without.
    fn sequence(&self, stream: Option<usize>) -> Sequence {
        let ([n, height, width], t) = (SHAPE, self.frames);
        let mut draws = ReferenceDraws::default();
        if stream.is_some() {
            draws.monitor_center = self.draws.monitor_center.concat();
            draws.monitor_angle = self.draws.monitor_angle.concat();
            draws.readout_position = wide(&self.draws.readout_position.concat());
            draws.masks = self.draws.masks.iter().map(|(place, mask)| (place.clone(), wide(mask))).collect();
        }
        Sequence {
            video: Video { intensities: wide(&self.pixels), shape: [t, n, height, width, self.network.config().channels] },
            eye: wide(&self.eye),
            behavior: wide(&self.behavior),
            draws,
            stream,
            extend: self.periphery == Periphery::Extend,
        }
    }

    fn check(&self, what: &str) {
        let reference = ReferenceNetwork::of(&self.network);
        let mut run = self.network.begin(SHAPE[0], Streams::All, Draws::none()).expect("begin");
        let rates = wide(&run.step(&self.clip()).expect("step"));
        let expected = reference.respond(&self.sequence(None));
        let error = norm(&difference(&rates, &expected)) / norm(&expected);
        println!("{what}: responses {error:.1e}");
        assert!(error < 1e-5, "{what}: relative error of the responses {error:.1e}");
        self.check_sensitivity(what, &reference);
        self.check_gradients(what, reference);
    }

    /// The video's gradient of a weighted sum of all streams' responses.
    fn check_sensitivity(&self, what: &str, reference: &ReferenceNetwork) {
        let weights: Vec<f32> = (0..self.responses.len()).map(|i| (i as f32 * 0.7).sin()).collect();
        let (rates, gradient) = self.network.sensitivity(&self.clip(), &weights, SHAPE[0]).expect("sensitivity");
        let mut run = self.network.begin(SHAPE[0], Streams::All, Draws::none()).expect("begin");
        let error = norm(&difference(&wide(&rates), &wide(&run.step(&self.clip()).expect("step"))));
        assert!(error < 1e-5 * norm(&wide(&rates)), "{what}: other responses than those of a run");
        let mut sequence = self.sequence(None);
        let start = sequence.video.intensities.clone();
        check_slopes(&format!("{what}: sensitivity"), &wide(&gradient), 1e-9, 1e-5, 1e-4, |step| {
            sequence.video.intensities = sum(&start, step);
            reference.respond(&sequence).iter().zip(&weights).map(|(r, w)| r * f64::from(*w)).sum()
        });
    }

    fn check_gradients(&self, what: &str, mut reference: ReferenceNetwork) {
        let targets = Targets { responses: &self.responses, burnin: BURNIN };
        let (scored, gradients, video) =
            self.network.objective(&self.clip(), &targets, SHAPE[0], STREAM, self.draws.clone(), true).expect("objective");
        let wide_targets = wide(&self.responses);
        let mut sequence = self.sequence(Some(STREAM));
        let expected = reference.objective(&sequence, &wide_targets, BURNIN);
        assert!((scored.objective - expected).abs() < 1e-5 * expected.abs(), "{what}: objective {}, expected {expected}", scored.objective);

        let total = gradients.iter().flatten().map(|g| norm(&wide(g)).powi(2)).sum::<f64>().sqrt();
        for (param, gradient) in self.network.params().iter().zip(gradients.iter()) {
            let Some(gradient) = gradient.map(wide) else {
                assert!(param.name.ends_with(".0"), "{what}: {} has no gradient", param.name);
                continue;
            };
            let start = reference.params[&param.name].1.clone();
            // sampling has a kink at every pixel, so the eye and the monitor move by less
            let (step, limit) = if param.name.starts_with("perspective.") { (1e-6, 1e-2) } else { (1e-5, 1e-4) };
            check_slopes(&format!("{what}: {}", param.name), &gradient, 1e-6 * total, step, limit, |step| {
                reference.params.get_mut(&param.name).expect("a parameter").1 = sum(&start, step);
                reference.objective(&sequence, &wide_targets, BURNIN)
            });
            reference.params.get_mut(&param.name).expect("a parameter").1 = start;
        }
        let start = sequence.video.intensities.clone();
        check_slopes(&format!("{what}: video"), &wide(&video.expect("asked for")), 1e-6 * total, 1e-5, 1e-4, |step| {
            sequence.video.intensities = sum(&start, step);
            reference.objective(&sequence, &wide_targets, BURNIN)
        });
    }
}

/// Compares a gradient with central differences along itself and along two directions that move every element alike.
fn check_slopes(what: &str, gradient: &[f64], least: f64, step: f64, limit: f64, mut loss: impl FnMut(&[f64]) -> f64) {
    let size = norm(gradient);
    let mut rng = ChaCha8Rng::seed_from_u64(77);
    let mut directions: Vec<Vec<f64>> = (0..2).map(|_| gradient.iter().map(|_| if rng.random::<bool>() { 1.0 } else { -1.0 }).collect()).collect();
    if size > 0.0 {
        directions.push(gradient.iter().map(|g| g / size).collect());
    }
    for direction in directions {
        let along: f64 = gradient.iter().zip(&direction).map(|(g, d)| g * d).sum();
        let mut moved = |by: f64| loss(&direction.iter().map(|d| by * d).collect::<Vec<_>>());
        let slope = (moved(step) - moved(-step)) / (2.0 * step);
        let error = (slope - along).abs() / size.max(least);
        println!("error {what} {error:.1e}");
        assert!(error < limit, "{what}: slope {slope:.6e}, gradient along it {along:.6e}, off by {error:.1e} of {size:.1e}");
    }
}

fn wide(x: &[f32]) -> Vec<f64> {
    x.iter().map(|v| f64::from(*v)).collect()
}

fn norm(x: &[f64]) -> f64 {
    x.iter().map(|v| v * v).sum::<f64>().sqrt()
}

fn sum(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a + b).collect()
}

fn difference(a: &[f64], b: &[f64]) -> Vec<f64> {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

#[test]
fn release_with_conv_lstm() {
    Trial::new(Periphery::Dark, |_| {}).check("release, ConvLstm");
}

/// Longer than the pieces that forward and backward go through at a time.
#[test]
fn a_long_clip() {
    for kind in [RecurrentKind::ConvLstm, RecurrentKind::CvtLstm] {
        let trial = Trial::of_frames(13, Periphery::Dark, |c| {
            c.recurrent.kind = kind;
            c.feedforward.dropout = 0.2;
        });
        trial.check("long clip");
    }
}

#[test]
fn release_with_cvt_lstm_and_deeper_networks_before_it() {
    let trial = Trial::new(Periphery::Extend, |c| {
        c.recurrent.kind = RecurrentKind::CvtLstm;
        (c.modulation.mlp_layers, c.modulation.dropout) = (3, 0.2);
        (c.feedforward.nonlinear, c.perspective.mlp_nonlinear, c.modulation.mlp_nonlinear) = (Nonlinear::Silu, Nonlinear::Tanh, Nonlinear::Elu);
        c.behavior_features = 3;
    });
    trial.check("release, CvtLstm");
}

#[test]
fn authors_configuration_with_dropout() {
    let trial = Trial::new(Periphery::Dark, |c| {
        c.feedforward.kind = FeedforwardKind::Dense;
        (c.perspective.kind, c.modulation.kind) = (PerspectiveKind::MonitorRetina, ModulationKind::FlatLstm);
        (c.readout.feature, c.readout.feature_groups) = (FeatureKind::Norm, 2);
        c.recurrent.kind = RecurrentKind::CvtLstm;
        (c.feedforward.dropout, c.recurrent.dropout, c.perspective.dropout, c.modulation.dropout) = (0.3, 0.3, 0.3, 0.3);
    });
    assert!(trial.draws.masks.len() > 5 && trial.draws.masks.values().any(|m| m.contains(&0.0)));
    trial.check("authors, CvtLstm");
}

#[test]
fn gru_with_colour_and_squared_error() {
    let trial = Trial::new(Periphery::Extend, |c| {
        (c.recurrent.kind, c.modulation.kind, c.unit) = (RecurrentKind::CvtGru, ModulationKind::SigmoidLstm, UnitKind::EluMse);
        (c.recurrent.dropout, c.modulation.dropout) = (0.25, 0.25);
        (c.channels, c.recurrent.common_channels) = (3, Some(12));
    });
    trial.check("CvtGru");
}

#[test]
fn one_group_and_no_temporal_kernels() {
    for kind in [RecurrentKind::ConvLstm, RecurrentKind::CvtGru] {
        let trial = Trial::new(Periphery::Dark, |c| {
            (c.recurrent.kind, c.recurrent.groups) = (kind, 1);
            c.feedforward.block_temporals = vec![1, 1];
            c.perspective.kind = PerspectiveKind::MonitorRetina;
        });
        trial.check("one group");
    }
}

#[test]
fn lesions_of_perspective_and_modulation() {
    let trial = Trial::new(Periphery::Dark, |c| {
        (c.perspective.kind, c.modulation.kind) = (PerspectiveKind::None, ModulationKind::None);
    });
    let names: Vec<&str> = trial.network.params().iter().map(|p| p.name.as_str()).collect();
    assert!(!names.iter().any(|name| name.starts_with("modulation.") || name.starts_with("perspective.m")), "{names:?}");
    trial.check("lesions");
}
