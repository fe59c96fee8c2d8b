//! The truth of a simulated recording: what is so of every unit, and what every unit would have answered without noise.

use crate::animal::Cortex;
use crate::error::Error;
use crate::filters::Kind;
use crate::population::Neuron;
use ndarray::Array2;
use serde_json::Value;
use striate_recording::standardize::Scale;
use striate_recording::{Recording, UnitTable};
use striate_stimulus::Video;

/// The unit table. Angles are degrees, 0 right, 90 up; preferred orientation is that of the stripes, at right angles to the
/// preferred direction (paper Methods); `x`, `y` are -1 to 1 over the monitor, right and down; frequency is cycles per monitor
/// width; somata are um.
pub(crate) fn unit_table(cortex: &Cortex) -> UnitTable {
    let retina = cortex.bank.retina();
    let aspect = retina.height() as f64 / retina.width() as f64;
    let column = |of: &dyn Fn(&Neuron) -> Value| cortex.neurons.iter().map(of).collect::<Vec<Value>>();
    let preferred = |n: &Neuron| cortex.bank.channels()[n.mix[0].0];
    let oriented = |n: &Neuron, value: f64| if n.kind == Kind::CentreSurround { Value::Null } else { value.into() };
    let columns = vec![
        ("id".to_owned(), (0..cortex.neurons.len()).map(Value::from).collect()),
        ("area".into(), column(&|n| n.area.into())),
        ("kind".into(), column(&|n| n.kind.name().into())),
        ("x".into(), column(&|n| (2.0 * n.place[0]).into())),
        ("y".into(), column(&|n| (2.0 * n.place[1] / aspect).into())),
        ("preferred_orientation".into(), column(&|n| oriented(n, (preferred(n).direction + 90.0) % 180.0))),
        ("preferred_direction".into(), column(&|n| if n.kind == Kind::Direction { preferred(n).direction.into() } else { Value::Null })),
        ("spatial_frequency".into(), column(&|n| oriented(n, preferred(n).spatial))),
        ("gain_pupil".into(), column(&|n| n.gain[0].into())),
        ("gain_running".into(), column(&|n| n.gain[1].into())),
        ("spike_rate".into(), column(&|n| n.firing.into())),
        ("soma_x".into(), column(&|n| n.soma[0].into())),
        ("soma_y".into(), column(&|n| n.soma[1].into())),
        ("depth".into(), column(&|n| n.soma[2].into())),
    ];
    UnitTable { columns }
}

/// Noiseless rates [T, U], spikes per second, of a trial of a simulated recording: what its units would answer on average to
/// this video with this gaze and behaviour.
///
/// `cortex` is `Cortex::new(&SimulateConfig::of(&recording)?)`.
///
/// # Errors
/// The recording is not simulated, cannot be read, or is not of this cortex.
pub fn true_rates(cortex: &Cortex, recording: &Recording, trial: usize) -> Result<Array2<f64>, Error> {
    let Some(entry) = recording.trials().get(trial) else {
        let expected = format!("below {}", recording.trials().len());
        return Err(Error::Input { what: "the trial", expected, got: trial.to_string() });
    };
    if recording.unit_count() != cortex.neurons.len() {
        let expected = format!("{}, the neurons of this cortex", cortex.neurons.len());
        return Err(Error::Input { what: "the recording's number of units", expected, got: recording.unit_count().to_string() });
    }
    let window = recording.window(trial, 0, entry.frames)?;
    let (t, h, w, c) = window.video.dim();
    let video = Video::new(window.video.iter().copied().collect(), [t, h, w, c], recording.meta().rate)?;
    let gaze = raw(&window.eye, scales(recording, "eye")?);
    let behavior = raw(&window.behavior, scales(recording, "behavior")?);
    cortex.rates(&video, &gaze, &behavior)
}

/// What the series of a kind were shifted and divided by.
fn scales(recording: &Recording, series: &str) -> Result<[Scale; 2], Error> {
    let of = recording.meta().standardization.get(series).cloned().unwrap_or_default();
    serde_json::from_value(of).map_err(|e| Error::NotSimulated {
        recording: recording.path().display().to_string(),
        why: format!("the standardization of {series} is not that of two columns: {e}"),
    })
}

fn raw(standardized: &Array2<f32>, scales: [Scale; 2]) -> Vec<[f64; 2]> {
    standardized.rows().into_iter().map(|row| [0, 1].map(|k| f64::from(row[k]) * scales[k].scale + scales[k].shift)).collect()
}
