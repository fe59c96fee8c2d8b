//! Fit: whether a network and a recording belong together.

use crate::error::Error;
use striate_model::Network;
use striate_model::open::TrainedOn;
use striate_recording::{Recording, same_rate};

/// Refuses a network that was not made for units, stimulus and inputs like the recording's.
pub fn check_fit(network: &Network, recording: &Recording) -> Result<(), Error> {
    let (c, [_, _, channels]) = (network.config(), recording.frame_shape());
    let pairs = [
        ("units", c.units, recording.unit_count(), "; a network belongs to the neurons it was trained on"),
        ("stimulus channels", c.channels, channels, "; import the recording in grey or colour as the model needs"),
        ("eye inputs", c.eye_features, recording.meta().eye.len(), ""),
        ("behaviour inputs", c.behavior_features, recording.meta().behavior.len(), ""),
    ];
    match pairs.into_iter().find(|(_, model, recording, _)| model != recording) {
        Some((what, model, recording, hint)) => Err(Error::Mismatch { what, model: model.to_string(), recording: recording.to_string(), hint }),
        None => Ok(()),
    }
}

/// What a recording says of itself for the networks that are trained on it.
pub fn trained_on(recording: &Recording) -> TrainedOn {
    let meta = recording.meta();
    TrainedOn {
        animal: meta.animal.clone(),
        session: meta.session.clone(),
        scan: meta.scan.clone(),
        rate: meta.rate,
        units: recording.units().column("id").unwrap_or_default().to_vec(),
        core_animals: Vec::new(),
    }
}

/// Refuses a recording at another frame rate than a network was trained at and, unless `other` is allowed, one of another animal,
/// session, scan or units.
pub fn check_origin(trained_on: &TrainedOn, recording: &Recording, other: bool) -> Result<(), Error> {
    const HINT: &str = "; a network belongs to the neurons it was trained on, in their order";
    let here = self::trained_on(recording);
    let name = |name: &Option<String>| name.clone().unwrap_or_else(|| "none".into());
    let wrong = |what, model: String, recording: String, hint| Err(Error::Mismatch { what, model, recording, hint });
    if !same_rate(here.rate, trained_on.rate) {
        let hint = "; resample the recording to the rate the network was trained at";
        return wrong("frame rate", format!("{} Hz", trained_on.rate), format!("{} Hz", here.rate), hint);
    }
    let names = [
        ("animal", trained_on.animal.clone(), here.animal),
        ("session", name(&trained_on.session), name(&here.session)),
        ("scan", name(&trained_on.scan), name(&here.scan)),
    ];
    if other {
        return Ok(());
    }
    if let Some((what, model, recording)) = names.into_iter().find(|(_, model, recording)| model != recording) {
        return wrong(what, model, recording, HINT);
    }
    match trained_on.units.iter().zip(&here.units).position(|(model, recording)| model != recording) {
        Some(at) => wrong("unit ids", format!("{} in place {at}", trained_on.units[at]), format!("{} there", here.units[at]), HINT),
        None => Ok(()),
    }
}
