//! A matrix or a map as colours, with a bar that says what they mean.

use super::frame::{Frame, tip};
use super::{LETTER, WIDTH, some};
use crate::chart::{Axis, Chart, Colours, Places};
use crate::font;
use crate::scene::{Anchor, Ink, Scene};
use crate::ticks::{Plan, drawable, significant};

/// Least and greatest height of the plot in pixels, and room for the bar of colours.
const HEIGHT: [f64; 2] = [140.0, 420.0];
const BAR: f64 = 92.0;
/// More cells than these are averaged in blocks: a page stays small, and the eye sees no more.
const MANY: usize = 4000;
/// Values are written into matrices of this many columns or fewer.
const WRITTEN: usize = 8;

/// Cells as they are drawn, and what each stands for.
struct Cells {
    values: Vec<f64>,
    rows: usize,
    columns: usize,
    /// Cells of the data along an edge of one drawn.
    block: usize,
}

pub(super) fn draw(chart: &Chart, values: &[f64], [rows, columns]: [&Places; 2], colours: &Colours, headed: bool) -> Scene {
    let cells = Cells::new(values, rows.count(), columns.count());
    let shape = cells.rows as f64 / cells.columns.max(1) as f64;
    let height = ((WIDTH - 80.0 - BAR) * shape).clamp(HEIGHT[0], HEIGHT[1]);
    let plans = [columns.plan(&chart.x, false), rows.plan(&chart.y, true)];
    let mut frame = Frame::new(chart, headed, &[], plans, height, BAR);
    let shown = || values.iter().copied().filter(|v| drawable(*v));
    let (low, high) = shown().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    let [low, high] = colours.ends.filter(|[a, b]| drawable(*a) && drawable(*b) && a < b).unwrap_or([low, high]);
    // Signs show only if zero has the middle colour.
    let [low, high] = if colours.diverging { [-low.abs().max(high.abs()), low.abs().max(high.abs())] } else { [low, high] };
    if cells.rows * cells.columns == 0 || low > high {
        frame.say("no finite values");
        return frame.scene;
    }
    let ink = |v: f64| {
        let place = if high > low { ((v - low) / (high - low)).clamp(0.0, 1.0) } else { 0.5 };
        if colours.diverging { Ink::Diverging(place) } else { Ink::Sequential(place) }
    };
    for row in 0..cells.rows {
        for column in 0..cells.columns {
            cell(&mut frame, chart, [rows, columns], &cells, [row, column], colours, &ink);
        }
    }
    bar(&mut frame, colours, [low, high], &ink);
    frame.scene
}

fn cell(frame: &mut Frame, chart: &Chart, places: [&Places; 2], cells: &Cells, at: [usize; 2], colours: &Colours, ink: &dyn Fn(f64) -> Ink) {
    let value = cells.values[at[0] * cells.columns + at[1]];
    if !drawable(value) {
        return;
    }
    let [left, top, width, height] = frame.plot;
    let size = [width / cells.columns as f64, height / cells.rows as f64];
    let corner = [left + size[0] * at[1] as f64, top + size[1] * at[0] as f64];
    let axes = [(&chart.y, places[0], at[0]), (&chart.x, places[1], at[1])];
    let where_: Vec<String> = axes.iter().map(|(axis, place, i)| format!("{}: {}", axis.label, place.name(i * cells.block))).collect();
    let what = if colours.label.is_empty() { "value" } else { &colours.label };
    // A hair wider than the cell, so that no ground shows between neighbours.
    let drawn = [size[0] + 0.3, size[1] + 0.3];
    frame.scene.rect(corner, drawn, ink(value), 1.0).tip = format!("{}\n{}", where_.join("\n"), tip("", &[(what, value)]));
    let written = significant((value * 1000.0).round() / 1000.0);
    if cells.columns <= WRITTEN && font::width(&written, LETTER) < size[0] - 4.0 && size[1] > LETTER + 2.0 {
        let middle = [corner[0] + size[0] / 2.0, corner[1] + size[1] / 2.0 + 4.0];
        frame.scene.text(written, middle, LETTER, ink(value).letters(), Anchor::Middle);
    }
}

/// The bar of colours beside the plot.
fn bar(frame: &mut Frame, colours: &Colours, [low, high]: [f64; 2], ink: &dyn Fn(f64) -> Ink) {
    const STEPS: usize = 32;
    let [left, top, width, height] = frame.plot;
    let (x, step) = (left + width + 14.0, height / STEPS as f64);
    for i in 0..STEPS {
        let value = low + (high - low) * (STEPS - 1 - i) as f64 / (STEPS - 1) as f64;
        frame.scene.rect([x, top + step * i as f64], [12.0, step + 0.3], ink(value), 1.0);
    }
    let middle = low + (high - low) / 2.0;
    for (value, y) in [(high, top + 10.0), (middle, top + height / 2.0 + 4.0), (low, top + height)] {
        let label = font::fitted(&significant(if value == middle && colours.diverging { 0.0 } else { value }), LETTER, WIDTH - x - 18.0);
        frame.scene.text(label, [x + 17.0, y], LETTER, Ink::Text, Anchor::Start);
    }
    let label = font::fitted(&colours.label, LETTER, WIDTH * 0.6);
    frame.scene.text(label, [WIDTH - 8.0, top - 6.0], LETTER, Ink::Muted, Anchor::End);
}

/// What is said of the values.
pub(super) fn counted(chart: &Chart, values: &[f64]) -> Vec<String> {
    let missing = some(values.iter().filter(|v| !drawable(**v)).count(), "without a value");
    let block = match &chart.data {
        crate::chart::Data::Heatmap { rows, columns, .. } => block(rows.count(), columns.count()),
        _ => 1,
    };
    let averaged = if block > 1 { vec![format!("means over {block} by {block} cells")] } else { Vec::new() };
    [missing, averaged].concat()
}

/// Cells along an edge that are averaged into one.
fn block(rows: usize, columns: usize) -> usize {
    ((rows.saturating_mul(columns)) as f64 / MANY as f64).sqrt().ceil().max(1.0) as usize
}

impl Cells {
    /// Values that are not there count as missing.
    fn new(values: &[f64], rows: usize, columns: usize) -> Self {
        let block = block(rows, columns);
        let (small_rows, small_columns) = (rows.div_ceil(block), columns.div_ceil(block));
        let mean = |row: usize, column: usize| {
            let rows = row * block..((row + 1) * block).min(rows);
            let inside = rows.flat_map(|r| (column * block..((column + 1) * block).min(columns)).map(move |c| r * columns + c));
            let (sum, count) = inside.filter_map(|i| values.get(i)).filter(|v| drawable(**v)).fold((0.0, 0.0), |(s, n), v| (s + v, n + 1.0));
            sum / count
        };
        let averaged = (0..small_rows * small_columns).map(|i| mean(i / small_columns, i % small_columns)).collect();
        Self { values: averaged, rows: small_rows, columns: small_columns, block }
    }
}

impl Places {
    /// Number of rows or columns.
    fn count(&self) -> usize {
        match self {
            Places::Names(names) => names.len(),
            Places::Range { count, .. } => *count,
        }
    }

    /// What the i-th stands for: its name, or the value at its middle.
    fn name(&self, i: usize) -> String {
        match self {
            Places::Names(names) => names.get(i).cloned().unwrap_or_default(),
            Places::Range { count, ends: [first, last] } => significant(first + (last - first) * (i as f64 + 0.5) / *count as f64),
        }
    }

    /// The axis; rows run down the page.
    fn plan(&self, axis: &Axis, down: bool) -> Plan {
        match self {
            Places::Names(names) => Plan::named(axis.words(), names, down),
            Places::Range { ends: [first, last], .. } => {
                let ends = [first.min(*last), first.max(*last)];
                let plan = Plan::new(&Axis { ends: Some(ends), ..axis.clone() }, ends.into_iter(), 5);
                // A plan runs upwards: rows whose first value is the lower one have it on top.
                let backwards = (first < last) == down;
                if backwards { Plan { low: plan.high, high: plan.low, ..plan } } else { plan }
            }
        }
    }
}
