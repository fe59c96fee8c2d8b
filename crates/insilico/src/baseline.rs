//! Baseline: a linear-nonlinear model fitted on the same recording and scored by the same code as a twin.

use crate::error::Error;
use crate::evaluate::{Domain, EvaluateOptions, evaluate_with};
use ndarray::{Array2, Axis, concatenate, s};
use striate_analysis::linear::{FeatureConfig, LinearConfig, LinearNonlinear, stimulus_features, with_traces};
use striate_recording::{Recording, Tier};

/// Settings of the baseline.
#[derive(Clone, Debug, Default)]
pub struct BaselineOptions {
    /// What the model sees of the video.
    pub features: FeatureConfig,
    /// How it is fitted.
    pub linear: LinearConfig,
    /// Which frames are scored.
    pub evaluate: EvaluateOptions,
}

/// Most samples a fit uses; further training trials are left out evenly.
const SAMPLES: usize = 40_000;

/// Fits a linear-nonlinear model on the training trials, its penalty chosen on the validation trials, and evaluates it on
/// every test domain. It sees coarse luminance and contrast over the last frames, eye position and behaviour.
pub fn linear_nonlinear(recording: &Recording, options: &BaselineOptions, progress: &mut dyn FnMut(usize, usize)) -> Result<Vec<Domain>, Error> {
    let (x, y) = gather(recording, Tier::Train, options)?;
    let (x_validation, y_validation) = gather(recording, Tier::Validation, options)?;
    let model = LinearNonlinear::fit(x.view(), y.view(), x_validation.view(), y_validation.view(), &options.linear)?;
    drop((x, y));
    evaluate_with(recording, &options.evaluate, progress, &mut |trial| {
        let (x, y) = of_trial(recording, trial, &options.features)?;
        Ok((model.predict(x.view())?, y))
    })
}

/// Features [T, d] and responses [T, U] of a trial.
fn of_trial(recording: &Recording, trial: usize, features: &FeatureConfig) -> Result<(Array2<f32>, Array2<f32>), Error> {
    let window = recording.window(trial, 0, recording.trials()[trial].frames)?;
    let x = stimulus_features(window.video.view(), features)?;
    let x = with_traces(x.view(), window.eye.view())?;
    Ok((with_traces(x.view(), window.behavior.view())?, window.responses))
}

/// All scored samples of a tier, one below the other.
fn gather(recording: &Recording, tier: Tier, options: &BaselineOptions) -> Result<(Array2<f32>, Array2<f32>), Error> {
    let trials = recording.trials_of(tier);
    let samples: usize = trials.iter().map(|t| recording.trials()[*t].frames).sum();
    let every = samples.div_ceil(SAMPLES).max(1);
    let (mut xs, mut ys) = (Vec::new(), Vec::new());
    for trial in trials.into_iter().step_by(every) {
        let (x, y) = of_trial(recording, trial, &options.features)?;
        let first = options.evaluate.burnin.min(x.nrows());
        // frames on which no unit was measured say nothing
        let kept: Vec<usize> = (first..x.nrows()).filter(|t| y.row(*t).iter().any(|v| !v.is_nan())).collect();
        xs.push(x.select(Axis(0), &kept));
        ys.push(y.select(Axis(0), &kept));
    }
    let stack = |parts: &[Array2<f32>]| {
        let views: Vec<_> = parts.iter().map(|p| p.slice(s![.., ..])).collect();
        concatenate(Axis(0), &views).map_err(|_| Error::NoTest(format!(", none of tier {tier:?} either")))
    };
    Ok((stack(&xs)?, stack(&ys)?))
}
