//! Responses to events: the mean of what was measured, or predicted, while an event's window was open (a "box" impulse).

use ndarray::{Array1, Array2, ArrayView2, s};

use crate::error::Error;

/// Something that was shown for a while.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event {
    /// Beginning, in seconds from the start of the video. NaN, here or at the end, is an event that was lost.
    pub onset_s: f64,
    /// End, in seconds from the start of the video.
    pub offset_s: f64,
}

/// By how much a window opens later than its event, in seconds. The paper's value is not published; 0 is our default, since outputs of a
/// network are aligned to the frame that drives them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Delay<'a> {
    /// The same for all units.
    Same(f64),
    /// By unit `[U]`, for units whose samples are taken at their own time within a scan.
    PerUnit(&'a [f64]),
}

impl Default for Delay<'_> {
    fn default() -> Self {
        Delay::Same(0.0)
    }
}

/// Mean responses [E, U] in the windows [onset + delay, offset + delay], both ends included, of values [T, U] at `times_s` `[T]`, which rise and
/// are counted from the start of the video. NaN where a window holds no sample or the event was lost; a NaN sample is missing.
///
/// # Errors
/// [`Error::Shape`] if lengths differ, [`Error::Value`] for times that do not rise, an event that ends before it begins, an infinite delay or
/// value.
pub fn event_responses(times_s: &[f64], values: ArrayView2<f64>, events: &[Event], delay: Delay) -> Result<Array2<f64>, Error> {
    let units = values.ncols();
    check(times_s, values, events)?;
    let mut responses = Array2::from_elem((events.len(), units), f64::NAN);
    match delay {
        Delay::Same(delay) => {
            check_delays(&[delay])?;
            for (event, mut to) in events.iter().zip(responses.rows_mut()) {
                to.assign(&box_mean(times_s, values, *event, delay));
            }
        }
        Delay::PerUnit(delays) => {
            if delays.len() != units {
                return Err(Error::Shape { what: "delays by unit".into(), expected: units.to_string(), got: delays.len().to_string() });
            }
            check_delays(delays)?;
            for (event, mut to) in events.iter().zip(responses.rows_mut()) {
                for (unit, (to, delay)) in to.iter_mut().zip(delays).enumerate() {
                    *to = box_mean(times_s, values.slice(s![.., unit..unit + 1]), *event, *delay)[0];
                }
            }
        }
    }
    Ok(responses)
}

/// [`event_responses`] of a network's output [T, U], frame n standing for time n `period_s`; the first `burnin` frames, while its state
/// settles, count for nothing.
///
/// # Errors
/// As [`event_responses`], and [`Error::Config`] for a period that is not above 0.
pub fn frame_responses(frames: ArrayView2<f64>, period_s: f64, burnin: usize, events: &[Event], delay: Delay) -> Result<Array2<f64>, Error> {
    if !(period_s.is_finite() && period_s > 0.0) {
        return Err(Error::Config { field: "period", expected: "a finite number of seconds above 0", got: period_s.to_string() });
    }
    let burnin = burnin.min(frames.nrows());
    let times: Vec<f64> = (burnin..frames.nrows()).map(|n| n as f64 * period_s).collect();
    event_responses(&times, frames.slice(s![burnin.., ..]), events, delay)
}

/// Mean of each unit over the window, NaN left out.
fn box_mean(times_s: &[f64], values: ArrayView2<f64>, event: Event, delay: f64) -> Array1<f64> {
    let (open, close) = (event.onset_s + delay, event.offset_s + delay);
    // The window of a lost event is empty: a NaN compares with nothing, so at its end there is no sample, and at its onset none is left.
    let first = times_s.partition_point(|t| open.is_nan() || *t < open);
    let end = times_s.partition_point(|t| *t <= close).max(first);
    let (mut sum, mut count) = (Array1::zeros(values.ncols()), Array1::<f64>::zeros(values.ncols()));
    for sample in values.slice(s![first..end, ..]).rows() {
        for ((value, sum), count) in sample.iter().zip(&mut sum).zip(&mut count).filter(|((value, _), _)| !value.is_nan()) {
            *sum += value;
            *count += 1.0;
        }
    }
    sum / count
}

fn check(times_s: &[f64], values: ArrayView2<f64>, events: &[Event]) -> Result<(), Error> {
    if times_s.len() != values.nrows() {
        return Err(Error::Shape { what: "samples of the responses".into(), expected: times_s.len().to_string(), got: values.nrows().to_string() });
    }
    let rises = |i: &usize| times_s[*i].is_finite() && (*i == 0 || times_s[*i] > times_s[*i - 1]);
    if let Some(index) = (0..times_s.len()).find(|i| !rises(i)) {
        return Err(Error::Value { what: "sample times", expected: "finite and later than the one before", index, value: times_s[index] });
    }
    if let Some((index, event)) = events.iter().enumerate().find(|(_, e)| e.offset_s < e.onset_s) {
        return Err(Error::Value { what: "event ends", expected: "no earlier than the event's onset", index, value: event.offset_s });
    }
    match values.indexed_iter().find(|(_, v)| v.is_infinite()) {
        Some(((index, _), &value)) => Err(Error::Value { what: "responses", expected: "finite, or NaN where missing", index, value }),
        None => Ok(()),
    }
}

fn check_delays(delays: &[f64]) -> Result<(), Error> {
    match delays.iter().enumerate().find(|(_, d)| !d.is_finite()) {
        Some((index, &value)) => Err(Error::Value { what: "delays", expected: "a finite number of seconds", index, value }),
        None => Ok(()),
    }
}
