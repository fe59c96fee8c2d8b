//! Charts become shapes: one file for each kind, all within the same frame.

mod bars;
mod frame;
mod heatmap;
mod histogram;
mod lines;
mod polar;
mod scatter;

use crate::chart::{Chart, Data, Scale};
use crate::scene::Scene;
use crate::ticks::{Plan, drawable};

/// Pixels of a chart's width: a phone's screen.
pub(crate) const WIDTH: f64 = 440.0;
/// Pixels of titles, of axes and of notes.
pub(crate) const TITLE: f64 = 15.0;
pub(crate) const LETTER: f64 = 12.0;

/// Draws a chart. `headed` puts title and caption on it; a page has them beside it.
pub(crate) fn draw(chart: &Chart, headed: bool) -> Scene {
    match &chart.data {
        Data::Lines { series } => lines::draw(chart, series, headed),
        Data::Scatter { series, diagonal } => scatter::draw(chart, series, *diagonal, headed),
        Data::Histogram { samples, bins } => histogram::draw(chart, samples, *bins, headed),
        Data::Bars { names, groups, style } => bars::draw(chart, names, groups, *style, headed),
        Data::Heatmap { values, rows, columns, colours } => heatmap::draw(chart, values, [rows, columns], colours, headed),
        Data::Polar { series } => polar::draw(chart, series, headed),
    }
}

/// What is said under the title: the chart's note, and what the drawing leaves out or puts together.
pub(crate) fn caption(chart: &Chart) -> String {
    let said = match &chart.data {
        Data::Lines { series } => left_out(series.iter().flat_map(|s| points(&s.x, &s.y)), chart),
        Data::Polar { series } => left_out(series.iter().flat_map(|s| points(&s.x, &s.y)), chart),
        Data::Scatter { series, .. } => [scatter::counted(chart, series), left_out(series.iter().flat_map(|s| points(&s.x, &s.y)), chart)].concat(),
        Data::Histogram { samples, .. } => histogram::counted(chart, samples),
        Data::Bars { names, groups, .. } => {
            let missing = groups.iter().map(|g| names.len() - g.values.iter().take(names.len()).filter(|v| drawable(**v)).count()).sum();
            some(missing, "without a value")
        }
        Data::Heatmap { values, .. } => heatmap::counted(chart, values),
    };
    let note = chart.note.trim();
    let said = said.join("; ");
    match (note.is_empty(), said.is_empty()) {
        (_, true) => note.to_owned(),
        (true, false) => said + ".",
        (false, false) => format!("{}. {said}.", note.trim_end_matches('.')),
    }
}

/// Pairs of x and y.
fn points<'a>(x: &'a [f64], y: &'a [f64]) -> impl Iterator<Item = (f64, f64)> + 'a {
    x.iter().copied().zip(y.iter().copied())
}

/// How many points are not drawn, in words.
fn left_out(points: impl Iterator<Item = (f64, f64)>, chart: &Chart) -> Vec<String> {
    let log = [chart.x.scale == Scale::Log, chart.y.scale == Scale::Log];
    let within = |value: f64, ends: Option<[f64; 2]>| ends.is_none_or(|[low, high]| (low..=high).contains(&value));
    let (mut missing, mut outside) = (0, 0);
    for (x, y) in points {
        let shown = |v: f64, log: bool| drawable(v) && (!log || v > 0.0);
        if !(shown(x, log[0]) && shown(y, log[1])) {
            missing += 1;
        } else if !(within(x, chart.x.ends) && within(y, chart.y.ends)) {
            outside += 1;
        }
    }
    [some(missing, "without a value"), some(outside, "outside the axes")].concat()
}

/// A count in words, nothing for zero.
fn some(count: usize, what: &str) -> Vec<String> {
    if count == 0 { Vec::new() } else { vec![format!("{count} {what}")] }
}

/// Axes for points of x and y, with the bands around them.
fn plans(chart: &Chart, series: &[crate::chart::Series]) -> [Plan; 2] {
    let x = series.iter().flat_map(|s| s.x.iter().copied());
    let y = series.iter().flat_map(|s| s.y.iter().chain(&s.low).chain(&s.high).copied());
    [Plan::new(&chart.x, x, 6), Plan::new(&chart.y, y, 5)]
}
