//! Runs: frame by frame equals a whole clip, states fork, threads do not matter, gradients reach the video.

use crate::small::{clip, network, video};
use striate_model::config::{ModulationKind, PerspectiveKind, RecurrentKind};
use striate_model::objective::Targets;
use striate_model::{Clip, Draws, Modules, Network, Periphery, Pixels, Streams};

const T: usize = 5;
const N: usize = 2;

fn respond(network: &Network, pieces: &[usize]) -> Vec<f32> {
    let (video, eye, behavior) = video(network, T, N);
    let mut run = network.begin(N, Streams::All, Draws::none()).expect("begin");
    let (mut out, mut at) = (Vec::new(), 0);
    for frames in pieces {
        let piece = |x: &[f32]| x[at * x.len() / T..(at + frames) * x.len() / T].to_vec();
        let pixels = &video[at * video.len() / T..(at + frames) * video.len() / T];
        out.extend(run.step(&clip(network, pixels, &piece(&eye), &piece(&behavior))).expect("step"));
        at += frames;
    }
    out
}

#[test]
fn frame_by_frame_and_whole_clip_give_the_same_bits() {
    for recurrent in [RecurrentKind::ConvLstm, RecurrentKind::CvtLstm, RecurrentKind::CvtGru] {
        for modulation in [ModulationKind::MlpLstm, ModulationKind::FlatLstm, ModulationKind::SigmoidLstm] {
            let network = network(|c| {
                c.recurrent.kind = recurrent;
                c.modulation.kind = modulation;
                c.perspective.kind = PerspectiveKind::MonitorRetina;
            });
            let whole = respond(&network, &[T]);
            assert_eq!(whole, respond(&network, &[1; T]), "{recurrent:?} {modulation:?}");
            assert_eq!(whole, respond(&network, &[2, 3]), "{recurrent:?} {modulation:?}");
            assert!(whole.iter().all(|r| r.is_finite()) && whole[0] != whole[whole.len() - 1]);
        }
    }
}

#[test]
fn a_kept_state_continues_where_it_was() {
    let network = network(|_| {});
    let (video, _, _) = video(&network, T, N);
    let frame = |t: usize| &video[t * video.len() / T..(t + 1) * video.len() / T];
    let mut run = network.begin(N, Streams::All, Draws::none()).expect("begin");
    run.step(&clip(&network, frame(0), &[], &[])).expect("step");
    let kept = run.state().clone();
    let first = run.step(&clip(&network, frame(1), &[], &[])).expect("step");
    run.step(&clip(&network, frame(2), &[], &[])).expect("step");
    run.set_state(kept).expect("state");
    assert_eq!(first, run.step(&clip(&network, frame(1), &[], &[])).expect("step"));
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let network = network(|c| c.recurrent.kind = RecurrentKind::CvtLstm);
    let (video, eye, behavior) = video(&network, T, N);
    let responses = vec![0.7; T * N * network.config().units];
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("pool");
        pool.install(|| {
            let targets = Targets { responses: &responses, burnin: 1 };
            let draws = Draws::sample(network.config(), N, 3);
            let (scored, gradients, video) =
                network.objective(&clip(&network, &video, &eye, &behavior), &targets, N, 1, draws, true).expect("objective");
            (scored.objective, gradients, video)
        })
    };
    assert!(with(1) == with(2), "one and two threads differ");
}

#[test]
fn video_gradient_matches_differences() {
    let network = network(|c| c.channels = 3);
    let (pixels, _, _) = video(&network, 3, 1);
    let video: Vec<f32> = pixels.iter().map(|v| 0.1 + f32::from(*v) / 320.0).collect();
    let responses = vec![0.4; 3 * network.config().units];
    let targets = Targets { responses: &responses, burnin: 0 };
    let size = [12, 20];
    let objective = |video: &[f32]| {
        let clip = Clip { video: Pixels::F32(video), size, eye: &[], behavior: &[], periphery: Periphery::Dark };
        network.objective(&clip, &targets, 1, 0, Draws::none(), true).expect("objective")
    };
    let (_, _, gradient) = objective(&video);
    let gradient = gradient.expect("asked for");
    // along one fixed direction, so that rounding does not drown the difference
    let direction: Vec<f32> = gradient.iter().enumerate().map(|(i, g)| g.signum() * if i % 3 == 0 { 1.0 } else { 0.5 }).collect();
    let along: f64 = gradient.iter().zip(&direction).map(|(g, d)| f64::from(g * d)).sum();
    let h = 2e-3;
    let moved = |h: f32| objective(&video.iter().zip(&direction).map(|(v, d)| v + h * d).collect::<Vec<_>>()).0.objective;
    let difference = (moved(h) - moved(-h)) / f64::from(2.0 * h);
    assert!((difference - along).abs() < 2e-2 * along.abs(), "differences {difference}, gradient {along}");
}

#[test]
fn unmeasured_responses_take_no_part() {
    let network = network(|_| {});
    let (video, _, _) = video(&network, T, 1);
    let units = network.config().units;
    let mut responses: Vec<f32> = (0..T * units).map(|i| (i % 5) as f32 / 3.0).collect();
    for t in 0..T {
        responses[t * units + 1] = f32::NAN;
    }
    let targets = Targets { responses: &responses, burnin: 2 };
    let (scored, gradients, _) = network.objective(&clip(&network, &video, &[], &[]), &targets, 1, 0, Draws::none(), false).expect("objective");
    assert_eq!(scored.measured, (T - 2) * (units - 1));
    let biases = network.params().place("readout.biases.0").expect("biases");
    let gradient = gradients.get(biases).expect("gradient");
    assert!(gradient[1] == 0.0 && gradient[0] != 0.0 && gradient.iter().all(|g| g.is_finite()));
}

#[test]
fn bad_inputs_are_refused_by_name() {
    let network = network(|_| {});
    let (video, _, _) = video(&network, 1, 1);
    let mut run = network.begin(1, Streams::All, Draws::none()).expect("begin");
    let nan = run.step(&clip(&network, &video, &[f32::NAN, 0.0], &[])).expect_err("NaN eye position");
    assert!(nan.to_string().contains("eye position"), "{nan}");
    let short = run.step(&clip(&network, &video[1..], &[], &[])).expect_err("a frame cut short");
    assert!(short.to_string().contains("video"), "{short}");
    let wide = run.step(&clip(&network, &video, &[], &[0.0; 7])).expect_err("seven behaviour values");
    assert!(wide.to_string().contains("behaviour"), "{wide}");
    assert!(network.begin(1, Streams::One(9), Draws::none()).is_err());
}

#[test]
fn inverse_projection_recovers_the_monitor() {
    let network = network(|c| {
        (c.perspective.height, c.perspective.width) = (48, 72);
        c.perspective.monitor.init_center_z = 1.0;
    });
    let (height, width) = (36, 64);
    // a smooth picture survives two bilinear samplings
    let picture: Vec<f32> = (0..height * width).map(|i| 0.5 + 0.3 * ((i % width) as f32 / 9.0).sin() * ((i / width) as f32 / 7.0).cos()).collect();
    let mut run = network.begin(1, Streams::All, Draws::none()).expect("begin");
    let shown = Clip { video: Pixels::F32(&picture), size: [height, width], eye: &[], behavior: &[], periphery: Periphery::Extend };
    let (_, taps) = run.step_with_taps(&shown).expect("step");
    let back = network.monitor_image(&taps.perspective, [height, width], &[0.0, 0.0]).expect("inverse");
    let centre = (10..26).flat_map(|y| (18..46).map(move |x| y * width + x));
    let worst = centre.map(|i| (back[i] - picture[i]).abs()).fold(0.0, f32::max);
    assert!(worst < 0.04, "worst difference {worst}");
}

/// A frozen core passes the same gradients on to all else and has none itself; what it drops is dropped no more.
#[test]
fn a_frozen_core_changes_no_other_gradient() {
    for kind in [RecurrentKind::ConvLstm, RecurrentKind::CvtLstm, RecurrentKind::CvtGru] {
        let free = network(|c| (c.recurrent.kind, c.recurrent.dropout, c.modulation.dropout) = (kind, 0.3, 0.3));
        let mut frozen = free.clone();
        frozen.freeze(&Modules::default());
        let (video, eye, behavior) = video(&free, T, N);
        let responses = vec![0.7; T * N * free.config().units];
        let draws = Draws::sample(free.config(), N, 3).sparing(&Modules::default());
        assert!(draws.masks.keys().all(|place| place.starts_with("modulation.")) && !draws.masks.is_empty());
        let gradients = |network: &Network| {
            let targets = Targets { responses: &responses, burnin: 1 };
            network.objective(&clip(network, &video, &eye, &behavior), &targets, N, 1, draws.clone(), true).expect("objective")
        };
        let (all, rest) = (gradients(&free), gradients(&frozen));
        assert_eq!((all.0.objective, all.2), (rest.0.objective, rest.2), "objective and the video's gradient");
        for (param, (all, rest)) in free.params().iter().zip(all.1.iter().zip(rest.1.iter())) {
            assert_eq!(rest, all.filter(|_| !param.name.starts_with("core.")), "{kind:?} {}", param.name);
        }
    }
}

#[test]
fn taken_modules_are_held_once_until_changed() {
    let from = network(|_| {});
    let mut to = network(|c| c.units = 9);
    to.params_mut().get_mut("core.feedforward.out.weights.0").expect("declared").value[0] += 1.0;
    let shared: Modules = "core+modulation.lstm".parse().expect("modules");
    to.take(&shared, &from).expect("the same core");
    for param in to.params().iter() {
        let theirs = from.params().get(&param.name).expect("the same names");
        assert_eq!(param.value.is(&theirs.value), shared.contain(&param.name), "{}", param.name);
    }
    to.params_mut().get_mut("core.feedforward.out.weights.0").expect("declared").value[0] += 1.0;
    assert_ne!(to.params().get("core.feedforward.out.weights.0"), from.params().get("core.feedforward.out.weights.0"));
    let mut other = network(|c| c.recurrent.hidden_channels = 16);
    let error = other.take(&shared, &from).expect_err("another core").to_string();
    assert!(error.contains("core.recurrent") && error.contains("to share"), "{error}");
    let mut flat = network(|c| c.modulation.kind = ModulationKind::FlatLstm);
    let error = flat.take(&shared, &from).expect_err("no such module").to_string();
    assert!(error.contains("modulation.lstm"), "{error}");
}
