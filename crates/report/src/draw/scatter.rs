//! Points, or their counts in cells where there are many.

use super::frame::{Frame, tip};
use super::{plans, points};
use crate::chart::{Chart, Series};
use crate::scene::{Ink, Scene};

/// Height of the plot in pixels.
const HEIGHT: f64 = 280.0;
/// More points than these are counted in cells: they would hide one another, and a page stays small.
const MANY: usize = 1500;
/// Cells across and up.
const CELLS: [usize; 2] = [48, 36];

pub(super) fn draw(chart: &Chart, series: &[Series], diagonal: bool, headed: bool) -> Scene {
    let names: Vec<&str> = series.iter().map(|s| s.name.as_str()).collect();
    let mut frame = Frame::new(chart, headed, &names, plans(chart, series), HEIGHT, 0.0);
    if diagonal {
        let from = [frame.x.low.max(frame.y.low), frame.x.high.min(frame.y.high)];
        let ends: Vec<[f64; 2]> = from.iter().filter_map(|&v| Some([frame.x(v)?, frame.y(v)?])).collect();
        if from[0] < from[1] && ends.len() == 2 {
            frame.scene.dashed(ends, Ink::Muted, 1.0);
        }
    }
    let total = count(series);
    let mut drawn = 0;
    for (i, one) in series.iter().enumerate() {
        drawn += if total > MANY { cells(&mut frame, chart, one, Ink::Series(i)) } else { dots(&mut frame, chart, one, Ink::Series(i)) };
    }
    if drawn == 0 {
        frame.say("no finite values");
    }
    frame.scene
}

/// What is said of points that are counted.
pub(super) fn counted(chart: &Chart, series: &[Series]) -> Vec<String> {
    let total = count(series);
    let [x, y] = [&chart.x.label, &chart.y.label];
    if total > MANY {
        vec![format!("{total} points, counted in cells of {x} and {y}; the fuller, the stronger the colour, by the logarithm")]
    } else {
        Vec::new()
    }
}

fn count(series: &[Series]) -> usize {
    series.iter().map(|s| s.x.len().min(s.y.len())).sum()
}

fn dots(frame: &mut Frame, chart: &Chart, one: &Series, ink: Ink) -> usize {
    let words = [chart.x.words(), chart.y.words()];
    let mut drawn = 0;
    for (i, (x, y)) in points(&one.x, &one.y).enumerate() {
        let (Some(px), Some(py)) = (frame.x(x), frame.y(y)) else { continue };
        if let (Some(&low), Some(&high)) = (one.low.get(i), one.high.get(i))
            && let (Some(low), Some(high)) = (frame.held_y(low), frame.held_y(high))
        {
            frame.scene.line(vec![[px, low], [px, high]], ink, 1.0);
        }
        frame.scene.dot([px, py], 3.0, ink, 0.6).tip = tip(&one.name, &[(&words[0], x), (&words[1], y)]);
        drawn += 1;
    }
    drawn
}

fn cells(frame: &mut Frame, chart: &Chart, one: &Series, ink: Ink) -> usize {
    let [left, top, width, height] = frame.plot;
    let size = [width / CELLS[0] as f64, height / CELLS[1] as f64];
    let mut counts = vec![0usize; CELLS[0] * CELLS[1]];
    for (x, y) in points(&one.x, &one.y) {
        let (Some(px), Some(py)) = (frame.x.place(x), frame.y.place(y)) else { continue };
        let [column, row] = [(px, CELLS[0]), (1.0 - py, CELLS[1])].map(|(p, cells)| ((p * cells as f64) as usize).min(cells - 1));
        counts[row * CELLS[0] + column] += 1;
    }
    let most = counts.iter().copied().max().unwrap_or(0);
    let words = [chart.x.words(), chart.y.words()];
    for (i, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let [column, row] = [i % CELLS[0], i / CELLS[0]].map(|v| v as f64);
        let depth = 0.15 + 0.85 * (1.0 + count as f64).ln() / (1.0 + most as f64).ln();
        let centre = [value(&frame.x, (column + 0.5) / CELLS[0] as f64), value(&frame.y, 1.0 - (row + 0.5) / CELLS[1] as f64)];
        let said =
            tip(&one.name, &[("points", count as f64), (&format!("{} near", words[0]), centre[0]), (&format!("{} near", words[1]), centre[1])]);
        frame.scene.rect([left + column * size[0], top + row * size[1]], [size[0] - 0.5, size[1] - 0.5], ink, depth.min(1.0)).tip = said;
    }
    counts.iter().sum()
}

/// The value at a place from 0 to 1 along an axis.
fn value(plan: &crate::ticks::Plan, place: f64) -> f64 {
    if plan.log { plan.low * (plan.high / plan.low).powf(place) } else { plan.low + place * (plan.high - plan.low) }
}
