//! Simulate: one animal watches natural-like video while it is imaged; the result is a recording like any other.

use crate::animal::Cortex;
use crate::behavior::behavior;
use crate::calcium::{Imaging, measure};
use crate::config::{Clip, Domain, SimulateConfig, mix};
use crate::error::Error;
use crate::eye::gaze;
use crate::truth::unit_table;
use ndarray::{Array2, ArrayView4, Axis, concatenate};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde_json::json;
use std::path::Path;
use striate_recording::standardize::{Scale, mean_scale, standardize, z_score};
use striate_recording::{Meta, Missing, NewTrial, Recording, RecordingWriter, Tier};
use striate_stimulus::dot::Dots;
use striate_stimulus::grating::{Gratings, gratings};
use striate_stimulus::monitor::{Monitor, Unit};
use striate_stimulus::natural::{Natural, natural};
use striate_stimulus::noise::{Noise, noise};
use striate_stimulus::pink_noise::PinkNoise;
use striate_stimulus::values::Values;
use striate_stimulus::{Event, Film, Video};

/// One showing of a clip, before standardisation.
struct Showing {
    /// Gaze (right, down), radians: [T, 2].
    eye: Array2<f32>,
    /// Pupil radius and running speed: [T, 2].
    behavior: Array2<f32>,
    /// Deconvolved activity: [T, U].
    responses: Array2<f32>,
}

/// A clip and its showings.
struct Shown {
    clip: Clip,
    video: Video,
    events: Vec<Event>,
    showings: Vec<Showing>,
}

/// Scales of eye, behaviour and responses.
type Scales = [Vec<Scale>; 3];

/// Makes a recording of a simulated animal; `progress` is told clips done and in all.
///
/// # Errors
/// A setting is out of range, or the recording cannot be written.
pub fn simulate(config: &SimulateConfig, out: &Path, progress: &mut dyn FnMut(usize, usize)) -> Result<Recording, Error> {
    let cortex = Cortex::new(config)?;
    let clips = config.clips();
    let (training, others) = clips.split_at(config.train_clips());
    let mut done = 0;
    let mut show_next = |clip: &Clip| {
        let shown = show(config, &cortex, *clip, done as u64);
        done += 1;
        progress(done, clips.len());
        shown
    };
    // statistics come from all training clips, so writing starts after the last of them
    let shown = training.iter().map(&mut show_next).collect::<Result<Vec<_>, _>>()?;
    let scales = statistics(&shown);
    let mut writer = RecordingWriter::create(out, meta(config, &scales), [config.height, config.width, 1], unit_table(&cortex))?;
    for (index, shown) in shown.into_iter().map(Ok).chain(others.iter().map(show_next)).enumerate() {
        write(&mut writer, &scales, index, shown?)?;
    }
    Ok(writer.finish()?)
}

/// A clip and what it shows when, where that is for tuning.
fn video(config: &SimulateConfig, domain: Domain, clip: u64) -> Result<(Video, Vec<Event>), Error> {
    let (height, width, rate, frames) = (config.height, config.width, config.rate, config.frames());
    let seed = config.seed_of("video", clip);
    let monitor = Monitor { unit: Unit::Centre, ..Monitor::default() };
    let with_events = |film: Film| {
        let events = film.events().to_vec();
        (film.video(), events)
    };
    let video = match domain {
        Domain::PinkNoise => return Ok(with_events(PinkNoise { height, width, rate, frames, ..PinkNoise::default() }.film(seed)?)),
        Domain::Dots => return Ok(with_events(Dots { height, width, rate, frames, monitor, ..Dots::default() }.film(seed)?)),
        Domain::Natural => natural(&Natural { height, width, rate, frames, ..Natural::default() }, seed),
        Domain::Noise => noise(&Noise { height, width, rate, frames, ..Noise::default() }, seed),
        Domain::Gratings => gratings(&Gratings { height, width, rate, frames, ..random_gratings() }, seed)?,
    };
    Ok((video, Vec::new()))
}

/// A grating of random direction, frequencies and phase each second, measured in frame widths: the animal has no monitor.
fn random_gratings() -> Gratings {
    Gratings {
        monitor: Monitor { unit: Unit::Width, ..Monitor::default() },
        seconds: 1.0,
        blank: 0.0,
        direction: Values::Between { from: 0.0, to: 360.0 },
        spatial: Values::Between { from: 3.0, to: 12.0 },
        temporal: Values::Between { from: 1.0, to: 8.0 },
        phase: Values::Between { from: 0.0, to: 1.0 },
        contrast: Values::One(0.9),
        ..Gratings::default()
    }
}

fn show(config: &SimulateConfig, cortex: &Cortex, clip: Clip, index: u64) -> Result<Shown, Error> {
    let (video, events) = video(config, clip.domain, index)?;
    let showing = |repeat: usize| {
        let stream = (index << 32) + repeat as u64;
        let mut rng = ChaCha8Rng::seed_from_u64(config.seed_of("animal's doing", stream));
        let (frames, rate) = (config.frames(), config.rate);
        let (gaze, behavior) = (gaze(frames, rate, &mut rng), behavior(frames, rate, &mut rng));
        let rates = cortex.rates(&video, &gaze, &behavior)?;
        let series = |x: &[[f64; 2]]| Array2::from_shape_fn((x.len(), 2), |(t, k)| x[t][k] as f32);
        let responses = image(config, &rates, config.seed_of("imaging", stream));
        Ok(Showing { eye: series(&gaze), behavior: series(&behavior), responses })
    };
    let showings = (0..clip.showings).into_par_iter().map(showing).collect::<Result<Vec<_>, Error>>()?;
    Ok(Shown { clip, video, events, showings })
}

/// Images every neuron: deconvolved activity [T, U] from rates [T, U] in spikes per second.
fn image(config: &SimulateConfig, rates: &Array2<f64>, seed: u64) -> Array2<f32> {
    let imaging = Imaging { rate: config.imaging_rate, noise: config.imaging_noise, ..Imaging::default() };
    let of_unit = |u: usize| {
        let mut rng = ChaCha8Rng::seed_from_u64(mix(seed ^ u as u64));
        measure(&rates.column(u).to_vec(), config.rate, &imaging, &mut rng)
    };
    let units: Vec<Vec<f32>> = (0..rates.ncols()).into_par_iter().map(of_unit).collect();
    Array2::from_shape_fn(rates.dim(), |(t, u)| units[u][t])
}

/// Statistics of the training clips.
fn statistics(shown: &[Shown]) -> Scales {
    let all = |of: fn(&Showing) -> &Array2<f32>| {
        let views: Vec<_> = shown.iter().flat_map(|s| s.showings.iter().map(|s| of(s).view())).collect();
        // every clip has the same columns
        concatenate(Axis(0), &views).unwrap_or_default()
    };
    [z_score(all(|s| &s.eye).view()), z_score(all(|s| &s.behavior).view()), mean_scale(all(|s| &s.responses).view())]
}

fn meta(config: &SimulateConfig, scales: &Scales) -> Meta {
    Meta {
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
    }
}

fn write(writer: &mut RecordingWriter, scales: &Scales, index: usize, shown: Shown) -> Result<(), Error> {
    let Shown { clip: Clip { tier, domain, .. }, video, events, showings } = shown;
    let frames = ArrayView4::from_shape(video.shape(), video.pixels()).map_err(|e| Error::Input {
        what: "the video",
        expected: format!("pixels of shape {:?}", video.shape()),
        got: e.to_string(),
    })?;
    let word = match tier {
        Tier::Train => "train",
        Tier::Validation => "validation",
        Tier::Test => "test",
    };
    let video = writer.add_video(&format!("{word}-{}-{index}", domain.name()), frames)?;
    writer.set_events(video, events);
    for (repeat, Showing { mut eye, mut behavior, mut responses }) in showings.into_iter().enumerate() {
        for (series, scales) in [&mut eye, &mut behavior, &mut responses].into_iter().zip(scales) {
            standardize(series.view_mut(), scales);
        }
        writer.add_trial(NewTrial {
            name: &format!("{word}-{}-{index}-{repeat}", domain.name()),
            video,
            video_start: 0,
            tier,
            domain: domain.name(),
            times: None,
            responses: responses.view(),
            eye: eye.view(),
            behavior: behavior.view(),
        })?;
    }
    Ok(())
}
