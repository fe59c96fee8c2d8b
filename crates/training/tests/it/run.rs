//! Runs: resuming, threads, learning, and what stops them.

use crate::toy::{FRAMES, finish, go_on, preset, recording};
use std::ops::ControlFlow;
use std::slice::from_ref;
use striate_model::config::UnitKind;
use striate_training::individual::individual;
use striate_training::{Error, Outcome, Step, Training};

#[test]
fn a_resumed_run_is_the_uninterrupted_one_to_the_bit() {
    let folder = tempfile::tempdir().expect("folder");
    let recording = recording(&folder.path().join("r.zarr"), |_, _| {});
    let mut whole = individual(&recording, &preset()).expect("start");
    let expected = finish(&mut whole, from_ref(&recording));
    assert_eq!(expected.len(), 6);

    // stopped after every single step and once in each validation, saved, forgotten, loaded
    let file = folder.path().join("checkpoint.safetensors");
    let mut stopped = individual(&recording, &preset()).expect("start");
    let mut epochs = Vec::new();
    let (mut stops, mut validations) = (0, 0);
    loop {
        let finished = stopped.finished();
        let outcome = stopped.epoch(from_ref(&recording), &mut |step| match step {
            Step::Validated { .. } if validations > finished => ControlFlow::Continue(()),
            Step::Validated { .. } => {
                validations += 1;
                ControlFlow::Break(())
            }
            Step::Trained { .. } => ControlFlow::Break(()),
        });
        let outcome = outcome.expect("epoch");
        stopped.save(&file).expect("save");
        stopped = Training::load(&file).expect("load");
        match outcome {
            Outcome::Epoch(epoch) => epochs.push(epoch),
            Outcome::Interrupted => stops += 1,
            Outcome::Done => break,
        }
    }
    assert_eq!(epochs, expected);
    assert_eq!(stops, 6 * 4, "three of four steps end in a stop, the fourth in a stop of validation");
    assert!(whole.network().params() == stopped.network().params(), "parameters differ");
}

#[test]
fn one_thread_and_two_give_the_same_bits() {
    let folder = tempfile::tempdir().expect("folder");
    let recording = recording(&folder.path().join("r.zarr"), |_, _| {});
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("pool");
        pool.install(|| {
            let mut training = individual(&recording, &preset()).expect("start");
            let epochs = finish(&mut training, from_ref(&recording));
            (epochs, training.network().params().clone())
        })
    };
    assert!(with(1) == with(2));
}

#[test]
fn training_learns_and_another_seed_differs() {
    let folder = tempfile::tempdir().expect("folder");
    let recording = recording(&folder.path().join("r.zarr"), |_, _| {});
    let mut preset = preset();
    preset.scheduler.cycle_size = 12;
    preset.loader.training_size = 12;
    preset.scheduler.cycles = 1;
    let mut training = individual(&recording, &preset).expect("start");
    let epochs = finish(&mut training, from_ref(&recording));
    let (first, last) = (epochs[0].training_objective, epochs[11].training_objective);
    assert!(last < first - 0.1, "from {first} to {last}");
    assert!(epochs.iter().any(|e| e.best));
    preset.optimizer.seed = 1;
    preset.scheduler.cycle_size = 1;
    preset.scheduler.warmup_epochs = 0;
    let mut other = individual(&recording, &preset).expect("start");
    assert_ne!(finish(&mut other, from_ref(&recording))[0].training_objective, first);
}

#[test]
fn an_absurd_response_stops_training_and_is_named() {
    let folder = tempfile::tempdir().expect("folder");
    let recording = recording(&folder.path().join("r.zarr"), |_, r| r.column_mut(1).fill(f32::MAX));
    let mut training = individual(&recording, &preset()).expect("start");
    let error = loop {
        match training.epoch(from_ref(&recording), &mut go_on) {
            Ok(Outcome::Done) => panic!("trained to the end on responses of 1e38"),
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    match error {
        Error::NonFinite { unit, trial, .. } => assert!(unit == "1" && trial.starts_with("trial"), "{unit} {trial}"),
        Error::NonFiniteGradient { parameter, .. } => assert!(!parameter.is_empty()),
        other => panic!("{other}"),
    }
}

#[test]
fn a_validation_that_is_not_finite_is_named() {
    let folder = tempfile::tempdir().expect("folder");
    let recording = recording(&folder.path().join("r.zarr"), |trial, r| {
        if trial == 5 {
            r.column_mut(2).fill(f32::MAX);
        }
    });
    let mut preset = preset();
    preset.model.unit = UnitKind::EluMse;
    let error = individual(&recording, &preset).expect("start").epoch(from_ref(&recording), &mut go_on).expect_err("an infinite loss");
    match &error {
        Error::NonFinite { during, trial, unit, .. } => assert_eq!((during.as_str(), trial.as_str(), unit.as_str()), ("validation", "trial5", "2")),
        other => panic!("{other}"),
    }
}

#[test]
fn what_would_stop_a_run_stops_it_before_it_starts() {
    let folder = tempfile::tempdir().expect("folder");
    let at = |name: &str| folder.path().join(name);
    let negative = recording(&at("negative.zarr"), |trial, r| {
        if trial == 5 {
            r[[4, 1]] = -0.25;
        }
    });
    let mut preset = preset();
    let error = individual(&negative, &preset).expect_err("a negative response").to_string();
    assert!(error.contains("trial5, frame 4, unit 1") && error.contains("elu_mse"), "{error}");
    preset.loader.validation_size = 0;
    assert!(individual(&negative, &preset).is_ok(), "validation is not used");
    (preset.loader.validation_size, preset.model.unit) = (2, UnitKind::EluMse);
    assert!(individual(&negative, &preset).is_ok(), "a squared error takes any sign");
    preset.loader.batch_size = 1 << 20;
    preset.loader.sample_size = 1 << 20;
    let error = individual(&negative, &preset).expect_err("a step of 200 TB").to_string();
    assert!(error.contains("loader.batch_size"), "{error}");
}

#[test]
fn a_checkpoint_outside_its_run_is_refused() {
    let folder = tempfile::tempdir().expect("folder");
    let recording = recording(&folder.path().join("r.zarr"), |_, _| {});
    let file = folder.path().join("checkpoint.safetensors");
    individual(&recording, &preset()).expect("start").save(&file).expect("save");
    let whole = std::fs::read(&file).expect("read");
    // replaced by text of the same length, so that the header stays whole
    let changes = [
        (r#"\"cycle\":0"#, r#"\"cycle\":9"#),
        (r#"\"epoch\":0"#, r#"\"epoch\":3"#),
        (r#"\"step\":0"#, r#"\"step\":5"#),
        (r#"\"training_size\":4"#, r#"\"training_size\":0"#),
        (r#"\"groups\":4"#, r#"\"groups\":0"#),
    ];
    for (from, to) in changes {
        let Some(place) = whole.windows(from.len()).position(|w| w == from.as_bytes()) else { panic!("no {from} in the header") };
        let mut bytes = whole.clone();
        bytes[place..place + to.len()].copy_from_slice(to.as_bytes());
        std::fs::write(&file, &bytes).expect("write");
        let error = Training::load(&file).expect_err(to).to_string();
        assert!(error.contains("not a whole checkpoint"), "{to}: {error}");
    }
}

#[test]
fn trials_without_any_measured_response_are_an_error() {
    let folder = tempfile::tempdir().expect("folder");
    let recording = recording(&folder.path().join("r.zarr"), |_, r| r.fill(f32::NAN));
    let mut training = individual(&recording, &preset()).expect("start");
    let error = training.epoch(from_ref(&recording), &mut go_on).expect_err("nothing to learn from");
    assert!(matches!(error, Error::NothingMeasured { .. }), "{error}");
}

#[test]
fn clips_longer_than_a_trial_are_refused() {
    let folder = tempfile::tempdir().expect("folder");
    let recording = recording(&folder.path().join("r.zarr"), |_, _| {});
    let mut preset = preset();
    preset.loader.sample_size = FRAMES + 1;
    let error = individual(&recording, &preset).expect_err("too long");
    assert!(error.to_string().contains("trial0") && error.to_string().contains("15"), "{error}");
}

#[test]
fn a_truncated_checkpoint_is_refused() {
    let folder = tempfile::tempdir().expect("folder");
    let recording = recording(&folder.path().join("r.zarr"), |_, _| {});
    let file = folder.path().join("checkpoint.safetensors");
    individual(&recording, &preset()).expect("start").save(&file).expect("save");
    let bytes = std::fs::read(&file).expect("read");
    for keep in [0, 7, 8, 100, bytes.len() / 2, bytes.len() - 1] {
        std::fs::write(&file, &bytes[..keep]).expect("write");
        let error = Training::load(&file).expect_err("truncated").to_string();
        assert!(error.contains("checkpoint.safetensors"), "{error}");
    }
}
