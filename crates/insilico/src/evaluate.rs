//! Evaluate: how well a network predicts held-out trials, cc_abs, cc_max and cc_norm per unit and test domain (paper Methods, "Evaluation").

use crate::error::Error;
use crate::fit::check_fit;
use crate::respond::{RespondOptions, fit_video, respond};
use ndarray::{Array2, Array5, ArrayView2, Axis, s};
use serde::Serialize;
use striate_analysis::cc::{Accuracy, UnitCorrelation};
use striate_analysis::repeats::Repeats;
use striate_analysis::statistics::median_valid;
use striate_analysis::table::{Column, Table};
use striate_model::{Network, Precision};
use striate_recording::Recording;

/// How an evaluation is done.
#[derive(Clone, Copy, Debug)]
pub struct EvaluateOptions {
    /// First frames of each trial that are not scored (release: 10).
    pub burnin: usize,
    /// Show frames as they are, whatever size the network was trained on.
    pub native: bool,
    /// Of the core's products.
    pub precision: Precision,
}

impl Default for EvaluateOptions {
    fn default() -> Self {
        Self { burnin: 10, native: false, precision: Precision::F32 }
    }
}

/// Accuracy on one test domain.
#[derive(Clone, Debug)]
pub struct Domain {
    /// Correlations of every unit.
    pub accuracy: Accuracy,
    /// Trials scored.
    pub trials: usize,
    /// Most repeats of a video.
    pub repeats: usize,
}

/// Median over units with a finite value.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Median {
    /// Median.
    pub median: f64,
    /// Units it is over.
    pub units: usize,
}

/// Summary of one domain.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Name of the domain.
    pub domain: String,
    /// Units in all.
    pub units: usize,
    /// Trials scored.
    pub trials: usize,
    /// Most repeats of a video.
    pub repeats: usize,
    /// Of cc_abs.
    pub cc_abs: Median,
    /// Of cc_max.
    pub cc_max: Median,
    /// Of cc_norm: the predictive accuracy.
    pub cc_norm: Median,
    /// Of the correlation over single trials.
    pub single_trial: Median,
}

/// Predicts whole trials, each with its own video, eye position and behaviour.
pub struct Predictor<'a> {
    network: &'a Network,
    recording: &'a Recording,
    options: RespondOptions,
    native: bool,
    /// The last video shown, fitted to the network, and (video, first frame) it is: repeats follow one another.
    shown: Option<((usize, usize), Array5<u8>)>,
}

impl<'a> Predictor<'a> {
    /// Predicts trials of a recording; `native` shows frames as they are.
    pub fn new(network: &'a Network, recording: &'a Recording, native: bool) -> Self {
        Self { network, recording, options: RespondOptions::default(), native, shown: None }
    }

    /// The same with the core's products in another precision.
    pub fn in_precision(self, precision: Precision) -> Self {
        Self { options: RespondOptions { precision, ..self.options }, ..self }
    }

    /// Predicted and measured responses [T, U] of a trial.
    pub fn trial(&mut self, trial: usize) -> Result<(Array2<f32>, Array2<f32>), Error> {
        let of = &self.recording.trials()[trial];
        let (piece, frames) = ((of.video, of.video_start), of.frames);
        let window = self.recording.window(trial, 0, frames)?;
        let known = self.shown.take().filter(|(shown, video)| *shown == piece && video.dim().0 >= frames);
        let video = match known {
            Some((_, video)) => video,
            None => fit_video(self.network, window.video.insert_axis(Axis(1)), self.native)?.0,
        };
        let (eye, behavior) = (window.eye.insert_axis(Axis(1)), window.behavior.insert_axis(Axis(1)));
        let shown = video.slice(s![..frames, .., .., .., ..]);
        let predicted = respond(self.network, shown, Some(eye.view()), Some(behavior.view()), self.options)?;
        self.shown = Some((piece, video));
        Ok((predicted.index_axis_move(Axis(1), 0), window.responses))
    }
}

/// Evaluates on every test domain; `progress` is told trials done and in all.
pub fn evaluate(
    network: &Network,
    recording: &Recording,
    options: &EvaluateOptions,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Vec<Domain>, Error> {
    check_fit(network, recording)?;
    let mut predictor = Predictor::new(network, recording, options.native).in_precision(options.precision);
    evaluate_with(recording, options, progress, &mut |trial| predictor.trial(trial))
}

/// What a prediction of a trial is: [T, U], with the response.
pub type Predict<'a> = dyn FnMut(usize) -> Result<(Array2<f32>, Array2<f32>), Error> + 'a;

/// The same for any predictor, so that baselines are scored by the same code.
pub fn evaluate_with(
    recording: &Recording,
    options: &EvaluateOptions,
    progress: &mut dyn FnMut(usize, usize),
    predict: &mut Predict,
) -> Result<Vec<Domain>, Error> {
    let domains = recording.test_domains();
    if domains.is_empty() {
        return Err(Error::NoTest(String::new()));
    }
    let total = domains.iter().flat_map(|d| recording.repeats(d)).map(|trials| trials.len()).sum();
    let mut done = 0;
    let mut out = Vec::new();
    for name in domains {
        let (mut predicted, mut measured) = (Vec::new(), Vec::new());
        for video in recording.repeats(&name) {
            let (mut p, mut m) = (Vec::new(), Vec::new());
            for trial in video {
                let (prediction, response) = predict(trial)?;
                p.push(prediction);
                m.push(response);
                done += 1;
                progress(done, total);
            }
            predicted.push(p);
            measured.push(m);
        }
        let (prediction, response) = (views(&predicted), views(&measured));
        let response = Repeats::new(response, options.burnin)?;
        let accuracy = Accuracy::new(name, &Repeats::new(prediction, options.burnin)?, &response)?;
        out.push(Domain { accuracy, trials: measured.iter().map(Vec::len).sum(), repeats: response.repeats() });
    }
    Ok(out)
}

fn views(videos: &[Vec<Array2<f32>>]) -> Vec<Vec<ArrayView2<'_, f32>>> {
    videos.iter().map(|trials| trials.iter().map(|t| t.view()).collect()).collect()
}

/// Medians of one domain.
pub fn summarise(domain: &Domain) -> Summary {
    let units = &domain.accuracy.units;
    let median = |of: fn(&UnitCorrelation) -> f64| {
        let (median, units) = median_valid(&units.iter().map(of).collect::<Vec<_>>());
        Median { median, units }
    };
    Summary {
        domain: domain.accuracy.domain.clone(),
        units: units.len(),
        trials: domain.trials,
        repeats: domain.repeats,
        cc_abs: median(|u| u.cc_abs),
        cc_max: median(|u| u.cc_max),
        cc_norm: median(|u| u.cc_norm),
        single_trial: median(|u| u.single_trial),
    }
}

/// One row per unit and domain: unit id, domain, cc_abs, cc_max, cc_norm, single_trial.
pub fn table(recording: &Recording, domains: &[Domain]) -> Result<Table, Error> {
    let ids = recording.units().ids();
    let rows: Vec<_> = domains.iter().flat_map(|d| ids.iter().zip(&d.accuracy.units).map(move |(id, unit)| (id, &d.accuracy.domain, unit))).collect();
    let floats = |of: fn(&UnitCorrelation) -> f64| Column::Float(rows.iter().map(|(_, _, unit)| of(unit)).collect());
    let table = Table::new()
        .with("unit", Column::Text(rows.iter().map(|(id, _, _)| (*id).clone()).collect()))?
        .with("domain", Column::Text(rows.iter().map(|(_, domain, _)| (*domain).clone()).collect()))?
        .with("cc_abs", floats(|u| u.cc_abs))?
        .with("cc_max", floats(|u| u.cc_max))?
        .with("cc_norm", floats(|u| u.cc_norm))?
        .with("single_trial", floats(|u| u.single_trial))?;
    Ok(table)
}
