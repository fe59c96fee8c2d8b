//! Cohorts and transfer: shared parameters move by the mean of all gradients, frozen ones not at all.

use crate::toy::{finish, go_on, preset, recording_of};
use std::ops::ControlFlow;
use std::slice::from_ref;
use striate_model::objective::Targets;
use striate_model::{Clip, Draws, Gradients, Modules, Network, Periphery, Pixels};
use striate_recording::{Recording, Tier};
use striate_training::batch;
use striate_training::collective::threads;
use striate_training::foundation::{foundation, foundation_part};
use striate_training::individual::{individual, sized};
use striate_training::optimizer::SgdClip;
use striate_training::schedule::learning_rate;
use striate_training::transfer::transfer;
use striate_training::{Preset, Step, Training};

/// Recordings of animals with 3, 5, 4, ... units.
fn cohort(folder: &std::path::Path, animals: usize) -> Vec<Recording> {
    let units = [3, 5, 4, 6];
    let of = |n: usize| {
        recording_of(&folder.join(format!("{n}.zarr")), &format!("toy{n}"), units[n], 30.0, |_, r| r.mapv_inplace(|v| v * (1.0 + n as f32)))
    };
    (0..animals).map(of).collect()
}

/// The formula of a cohort's step, written out: networks apart, gradients averaged by name over those that have one.
fn by_hand(recordings: &[Recording], preset: &Preset, share: &Modules, epochs: usize) -> Vec<Network> {
    let network = |r: &Recording| Network::new(sized(&preset.model, r), preset.optimizer.seed).expect("network");
    let mut networks: Vec<Network> = recordings.iter().map(network).collect();
    let base = networks[0].clone();
    networks.iter_mut().for_each(|n| n.take(share, &base).expect("the same core"));
    let new = |n: &Network| SgdClip::new(preset.optimizer.clone(), n.params());
    let mut optimizers: Vec<SgdClip> = networks.iter().map(new).collect();
    for epoch in 0..epochs {
        let (cycle, within) = (epoch / preset.scheduler.cycle_size, epoch % preset.scheduler.cycle_size);
        if within == 0 {
            optimizers = networks.iter().map(new).collect();
        }
        let lr = learning_rate(&preset.scheduler, preset.optimizer.lr, cycle, within);
        for step in 0..preset.loader.training_size {
            let mut all: Vec<Gradients> = Vec::new();
            for (rank, (recording, network)) in recordings.iter().zip(&networks).enumerate() {
                let seed = preset.optimizer.seed + (rank + recordings.len() * epoch) as u64;
                let draws = batch::draws(recording, Tier::Train, preset, preset.loader.training_size, seed).expect("draws");
                let b = batch::read(recording, &draws[step], preset.loader.sample_size).expect("batch");
                let clip = Clip { video: Pixels::U8(&b.video), size: [12, 16], eye: &b.eye, behavior: &b.behavior, periphery: Periphery::Dark };
                let targets = Targets { responses: &b.responses, burnin: preset.objective.burnin_frames };
                let n = preset.loader.batch_size;
                let random = Draws::sample(network.config(), n, b.draw.seed);
                all.push(network.objective(&clip, &targets, n, b.draw.stream, random, false).expect("objective").1);
            }
            let mut averaged = all.clone();
            for (place, param) in networks[0].params().iter().enumerate().filter(|(_, p)| share.contain(&p.name)) {
                // the core is declared first: it has the same places in every network
                assert!(networks.iter().all(|n| n.params()[place].name == param.name));
                let have: Vec<&[f32]> = all.iter().filter_map(|g| g.get(place)).collect();
                let mean =
                    (!have.is_empty()).then(|| (0..param.value.len()).map(|i| have.iter().map(|g| g[i]).sum::<f32>() / have.len() as f32).collect());
                averaged.iter_mut().for_each(|g| g.set(place, mean.clone()));
            }
            for ((network, optimizer), gradients) in networks.iter_mut().zip(&mut optimizers).zip(&averaged) {
                optimizer.step(network.params_mut(), gradients, lr);
            }
        }
    }
    networks
}

#[test]
fn a_cohort_is_the_computation_by_hand_to_the_bit() {
    let folder = tempfile::tempdir().expect("folder");
    let (recordings, preset, share) = (cohort(folder.path(), 3), preset(), Modules::default());
    let mut training = foundation(&recordings, &preset, &share).expect("start");
    let epochs = finish(&mut training, &recordings);
    assert_eq!(epochs.len(), 6);
    for epoch in &epochs {
        let mean = epoch.members.iter().flatten().sum::<f64>() / 3.0;
        assert!((epoch.validation_objective.expect("validated") - mean).abs() < 1e-12 && epoch.members.len() == 3);
    }
    let expected = by_hand(&recordings, &preset, &share, 6);
    for (got, want) in training.networks().zip(&expected) {
        assert!(got.params() == want.params());
    }
    let networks: Vec<&Network> = training.networks().collect();
    for param in networks[0].params().iter() {
        let held_once = networks[1..].iter().all(|n| n.params().get(&param.name).is_some_and(|p| p.value.is(&param.value)));
        assert_eq!(held_once, share.contain(&param.name), "{}", param.name);
    }
}

#[test]
fn two_processes_train_a_cohort_to_the_same_bits_as_one() {
    let folder = tempfile::tempdir().expect("folder");
    let (recordings, preset) = (cohort(folder.path(), 3), preset());
    let share: Modules = "core+modulation.lstm".parse().expect("modules");
    let mut one = foundation(&recordings, &preset, &share).expect("start");
    let expected = finish(&mut one, &recordings);
    let parts = std::thread::scope(|scope| {
        let run = |(mut end, own): (_, std::ops::Range<usize>)| {
            let (recordings, preset, share) = (&recordings, &preset, &share);
            scope.spawn(move || {
                let mut part = foundation_part(recordings, own.clone(), preset, share).expect("start");
                let mut epochs = Vec::new();
                while let striate_training::Outcome::Epoch(e) = part.epoch_with(&recordings[own.clone()], &mut end, &mut go_on).expect("epoch") {
                    epochs.push(e);
                }
                (epochs, part)
            })
        };
        let handles: Vec<_> = threads(2).into_iter().zip([0..2, 2..3]).map(run).collect();
        handles.into_iter().map(|h| h.join().expect("a thread")).collect::<Vec<_>>()
    });
    for (epochs, _) in &parts {
        assert_eq!(epochs, &expected);
    }
    let networks = parts.iter().flat_map(|(_, part)| part.networks());
    assert!(one.networks().zip(networks).all(|(a, b)| a.params() == b.params()));
}

#[test]
fn a_resumed_cohort_is_the_uninterrupted_one_and_saves_the_core_once() {
    let folder = tempfile::tempdir().expect("folder");
    let (recordings, preset) = (cohort(folder.path(), 3), preset());
    let mut whole = foundation(&recordings, &preset, &Modules::default()).expect("start");
    let expected = finish(&mut whole, &recordings);
    let file = folder.path().join("checkpoint.safetensors");
    let mut stopped = foundation(&recordings, &preset, &Modules::default()).expect("start");
    let mut epochs = Vec::new();
    while !stopped.done() {
        let outcome = stopped.epoch(&recordings, &mut |step: &Step| match step {
            Step::Trained { step: 2, .. } => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        });
        if let striate_training::Outcome::Epoch(epoch) = outcome.expect("epoch") {
            epochs.push(epoch);
        }
        stopped.save(&file).expect("save");
        stopped = Training::load(&file).expect("load");
    }
    assert_eq!(epochs, expected);
    assert!(whole.networks().zip(stopped.networks()).all(|(a, b)| a.params() == b.params()));
    let scalars = |n: &Network, of: &dyn Fn(&str) -> bool| n.params().iter().filter(|p| of(&p.name)).map(|p| p.value.len()).sum::<usize>();
    let core = scalars(whole.network(), &|name| name.starts_with("core."));
    let private: usize = whole.networks().map(|n| scalars(n, &|name| !name.starts_with("core."))).sum();
    let bytes = std::fs::metadata(&file).expect("file").len() as usize;
    assert!(bytes < 8 * (core + private) + 100_000, "{bytes} bytes for parameters and momentum of {core} and {private}");
}

#[test]
fn a_transfer_moves_everything_but_the_frozen_part() {
    let folder = tempfile::tempdir().expect("folder");
    let (recordings, mut preset) = (cohort(folder.path(), 3), preset());
    preset.model.recurrent.dropout = 0.2;
    let mut core = foundation(&recordings[..2], &preset, &Modules::default()).expect("start");
    finish(&mut core, &recordings[..2]);
    let new = &recordings[2];
    for modules in ["core", "core+modulation.lstm"] {
        let modules: Modules = modules.parse().expect("modules");
        let mut training = transfer(new, &preset, core.network(), &modules).expect("start");
        let before = training.network().params().clone();
        let file = folder.path().join("transfer.safetensors");
        training.epoch(from_ref(new), &mut go_on).expect("epoch");
        training.save(&file).expect("save");
        let mut resumed = Training::load(&file).expect("load");
        let epochs = finish(&mut training, from_ref(new));
        assert_eq!(finish(&mut resumed, from_ref(new)), epochs);
        assert!(resumed.network().params() == training.network().params());
        assert!(epochs.last().expect("epochs").training_objective < 3.0);
        for (after, before) in training.network().params().iter().zip(before.iter()) {
            let moved = after.value != before.value;
            assert!(after.frozen == modules.contain(&after.name) && !(moved && after.frozen), "{}", after.name);
            if after.frozen {
                assert_eq!(Some(&after.value), core.network().params().get(&after.name).map(|p| &p.value), "{}", after.name);
            }
        }
        let readout = |p: &striate_model::Params| p.get("readout.feature.weights.0").expect("readout").value.clone();
        assert_ne!(readout(training.network().params()), readout(&before));
    }
}

#[test]
fn recordings_that_cannot_share_a_core_are_refused() {
    let folder = tempfile::tempdir().expect("folder");
    let at = |name: &str| folder.path().join(name);
    let first = recording_of(&at("a.zarr"), "a", 3, 30.0, |_, _| {});
    let slow = recording_of(&at("slow.zarr"), "b", 3, 15.0, |_, _| {});
    let error = foundation(&[first, slow], &preset(), &Modules::default()).expect_err("15 and 30 Hz").to_string();
    assert!(error.contains("slow.zarr") && error.contains("15 Hz") && error.contains("30 Hz"), "{error}");
    let first = Recording::open(at("a.zarr")).expect("open");
    let negative = recording_of(&at("negative.zarr"), "b", 3, 30.0, |_, r| r[[0, 0]] = -1.0);
    let error = foundation(&[first, negative], &preset(), &Modules::default()).expect_err("a negative response").to_string();
    assert!(error.contains("negative.zarr") && error.contains("Poisson"), "{error}");
    let first = Recording::open(at("a.zarr")).expect("open");
    let mut other = preset();
    let core = individual(&first, &other).expect("start");
    other.model.feedforward.out_channels = 8;
    let error = transfer(&first, &other, core.network(), &Modules::default()).expect_err("another core").to_string();
    assert!(error.contains("core.feedforward.out.weights.0") && error.contains("to share"), "{error}");
    let mut training = individual(&first, &preset()).expect("start");
    let error = training.epoch(&[], &mut go_on).expect_err("no recording").to_string();
    assert!(error.contains("1 recordings"), "{error}");
}

#[test]
fn smaller_fractions_of_training_data_lie_within_larger_ones() {
    let folder = tempfile::tempdir().expect("folder");
    let recording = &cohort(folder.path(), 1)[0];
    let with = |fraction: f64, seed: u64| {
        let mut preset = preset();
        (preset.loader.train_fraction, preset.optimizer.seed) = (fraction, seed);
        batch::trials(recording, Tier::Train, &preset)
    };
    assert_eq!(with(1.0, 0).len(), 5);
    assert_eq!([with(0.01, 0).len(), with(0.4, 0).len(), with(0.8, 0).len()], [1, 2, 4]);
    assert!(with(0.01, 0).iter().all(|t| with(0.4, 0).contains(t)) && with(0.4, 0).iter().all(|t| with(0.8, 0).contains(t)));
    assert!((0..20).any(|seed| with(0.4, seed) != with(0.4, 0)));
    let drawn = |fraction| {
        let mut preset = preset();
        preset.loader.train_fraction = fraction;
        batch::draws(recording, Tier::Train, &preset, 50, 1).expect("draws")
    };
    assert!(drawn(0.4).iter().flat_map(|d| &d.windows).all(|(trial, _)| with(0.4, 0).contains(trial)));
}

#[test]
fn a_run_out_of_patience_ends_early() {
    let folder = tempfile::tempdir().expect("folder");
    let recording = &cohort(folder.path(), 1)[0];
    let mut impatient = preset();
    (impatient.scheduler.patience, impatient.optimizer.lr) = (2, 0.0); // without a step nothing gets better
    let mut training = individual(recording, &impatient).expect("start");
    let epochs = finish(&mut training, from_ref(recording));
    assert!(epochs.len() < 6 && training.done(), "{} epochs", epochs.len());
    let last_best = epochs.iter().rposition(|e| e.best).expect("the first is");
    assert_eq!(epochs.len(), last_best + 1 + 2);
}
