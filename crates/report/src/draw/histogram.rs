//! How often values occur, with their medians.

use striate_analysis::{histogram, median_valid};

use super::frame::{Frame, tip};
use super::some;
use crate::chart::{Axis, Chart, Sample, Scale};
use crate::scene::{Anchor, Ink, Scene};
use crate::ticks::{Plan, drawable, significant};

/// Height of the plot in pixels.
const HEIGHT: f64 = 200.0;
/// Room above the tallest bar, so that the median's label stands on none.
const HEADROOM: f64 = 1.18;
/// Fewest and most bins, if their number is not given: the square root of the number of values.
const BINS: [f64; 2] = [5.0, 40.0];

pub(super) fn draw(chart: &Chart, samples: &[Sample], bins: Option<usize>, headed: bool) -> Scene {
    let names: Vec<&str> = samples.iter().map(|s| s.name.as_str()).collect();
    let values = || samples.iter().flat_map(|s| s.values.iter().copied());
    let x = Plan::new(&Axis { scale: Scale::Linear, ..chart.x.clone() }, values(), 6);
    let most = samples.iter().map(|s| s.values.len()).max().unwrap_or(0) as f64;
    let bins = bins.unwrap_or(most.sqrt().clamp(BINS[0], BINS[1]) as usize).clamp(1, 500);
    let counts: Vec<_> = samples.iter().filter_map(|s| histogram(&s.values, x.low, x.high, bins)).collect();
    let tallest = counts.iter().flat_map(|h| &h.counts).copied().max().unwrap_or(0).max(1);
    let y = Axis { scale: Scale::Whole, ends: Some([0.0, tallest as f64 * HEADROOM]), ..chart.y.clone() };
    let mut frame = Frame::new(chart, headed, &names, [x, Plan::new(&y, std::iter::empty(), 5)], HEIGHT, 0.0);
    let opacity = if samples.len() > 1 { 0.5 } else { 1.0 };
    for (i, (sample, counted)) in samples.iter().zip(&counts).enumerate() {
        for (edges, &count) in counted.edges.windows(2).zip(&counted.counts).filter(|(_, count)| **count > 0) {
            let (Some(left), Some(right), Some(top)) = (frame.x(edges[0]), frame.x(edges[1]), frame.y(count as f64)) else { continue };
            let said = tip(&sample.name, &[("from", edges[0]), ("to", edges[1]), (&chart.y.words(), count as f64)]);
            let bottom = frame.plot[1] + frame.plot[3];
            frame.scene.rect([left, top], [(right - left - 1.0).max(0.5), bottom - top], Ink::Series(i), opacity).tip = said;
        }
    }
    if samples.iter().all(|s| median_valid(&s.values).1 == 0) {
        frame.say("no valid values");
    }
    for (i, sample) in samples.iter().enumerate() {
        median(&mut frame, sample, (samples.len() > 1).then_some(Ink::Series(i)));
    }
    frame.scene
}

/// A dashed line at a sample's median. One alone is labelled on the side that has more room; several have colours instead, and their
/// medians are in the caption.
fn median(frame: &mut Frame, sample: &Sample, colour: Option<Ink>) {
    let (median, _) = median_valid(&sample.values);
    let Some(at) = frame.held_x(median) else { return };
    let [left, top, width, height] = frame.plot;
    frame.scene.dashed(vec![[at, top], [at, top + height]], colour.unwrap_or(Ink::Text), 1.5);
    if colour.is_none() {
        let (shift, anchor) = if at < left + width / 2.0 { (5.0, Anchor::Start) } else { (-5.0, Anchor::End) };
        frame.scene.text(format!("median {}", significant(median)), [at + shift, top + 10.0], super::LETTER, Ink::Text, anchor);
    }
}

/// What is said of the values: how many are shown.
pub(super) fn counted(chart: &Chart, samples: &[Sample]) -> Vec<String> {
    let all: Vec<f64> = samples.iter().flat_map(|s| s.values.iter().copied()).collect();
    let valid: Vec<f64> = all.iter().copied().filter(|v| drawable(*v)).collect();
    let count = if valid.len() == all.len() { format!("{} in all", all.len()) } else { format!("{} of {} valid", valid.len(), all.len()) };
    let [low, high] = chart.x.ends.unwrap_or([f64::NEG_INFINITY, f64::INFINITY]);
    let below = some(valid.iter().filter(|v| **v < low).count(), "below the axis");
    let above = some(valid.iter().filter(|v| **v > high).count(), "above the axis");
    let medians = samples.iter().filter(|_| samples.len() > 1).map(|s| format!("median of {} {}", s.name, significant(median_valid(&s.values).0)));
    [vec![count], below, above, medians.collect()].concat()
}
