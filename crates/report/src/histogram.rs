//! Histograms of predictive accuracy over units, one panel per test domain, as in the paper's figures of CC_norm.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};
use striate_analysis::{Histogram, histogram, median_valid};

use crate::error::Error;
use crate::figure::{Area, COLOURS, FAINT, INK, LETTER, draw, failed, headed, line, note_in_the_middle, px, text, text_at, tick};

/// Width of a bin of CC_norm; divides the tenths at which the axis may end.
const BIN: f64 = 0.05;

/// The axis holds at least 0 to 1 and is widened in tenths to hold the values, but not beyond this: a noise ceiling near zero
/// makes single units arbitrarily large. What lies outside is counted in the panel's note.
const WIDEST: (f64, f64) = (-0.5, 1.5);

/// Size of a panel in pixels, and how many stand in a row.
const PANEL: (i32, i32) = (370, 300);
const IN_ROW: usize = 3;

/// CC_norm of the units on one test domain.
#[derive(Debug, Clone, Copy)]
pub struct Panel<'a> {
    /// Name of the domain, such as "natural movies".
    pub domain: &'a str,
    /// CC_norm of each unit `[U]`; NaN and infinite values are counted as not valid.
    pub values: &'a [f64],
}

/// Draws the histograms, all on the same axis, with the median over valid units marked; returns an SVG document.
///
/// # Errors
/// [`Error::Figure`] if the drawing library fails.
pub fn cc_norm_histogram(panels: &[Panel]) -> Result<String, Error> {
    // Four stand two by two.
    let columns = if panels.len() == 4 { 2 } else { panels.len().clamp(1, IN_ROW) };
    let rows = panels.len().div_ceil(columns).max(1);
    let range = axis_range(panels);
    draw((PANEL.0 * columns as i32, PANEL.1 * rows as i32), |canvas| {
        if panels.is_empty() {
            return note_in_the_middle(canvas, "no test domain");
        }
        let areas = canvas.split_evenly((rows, columns));
        areas.iter().zip(panels).enumerate().try_for_each(|(i, (area, panel))| draw_panel(area, panel, range, COLOURS[i % COLOURS.len()]))
    })
}

/// Ends of the axis that all panels share.
fn axis_range(panels: &[Panel]) -> (f64, f64) {
    let shown = panels.iter().flat_map(|p| p.values).copied().filter(|v| (WIDEST.0..=WIDEST.1).contains(v));
    let (low, high) = shown.fold((0.0f64, 1.0f64), |(low, high), v| (low.min(v), high.max(v)));
    ((low * 10.0).floor() / 10.0, (high * 10.0).ceil() / 10.0)
}

fn draw_panel(area: &Area, panel: &Panel, (low, high): (f64, f64), colour: RGBColor) -> Result<(), Error> {
    let bins = ((high - low) / BIN).round() as usize;
    let counts = histogram(panel.values, low, high, bins).ok_or_else(|| failed("no range to draw"))?;
    let (median, valid) = median_valid(panel.values);
    let head = headed(area, panel.domain, &note(valid, panel.values.len(), &counts))?;
    if valid == 0 {
        return note_in_the_middle(&head, "no valid units");
    }
    let tallest = counts.counts.iter().copied().max().unwrap_or(0).max(1);
    // Headroom for the median's label, so that it stands on no bar.
    let top = tallest as f64 * 1.2;
    let mut chart = ChartBuilder::on(&head)
        .margin_left(px(12))
        .margin_right(px(18))
        .margin_top(px(4))
        .margin_bottom(px(10))
        .x_label_area_size(px(42))
        .y_label_area_size(px(52))
        .build_cartesian_2d(low..high, 0.0..top)
        .map_err(failed)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(line(FAINT, 2))
        .axis_style(line(INK, 2))
        .set_all_tick_mark_size(px(4))
        .x_labels(8)
        .y_labels(if tallest < 5 { tallest + 1 } else { 6 })
        .x_label_formatter(&|v| tick(*v, 1))
        .y_label_formatter(&|v| if v.fract() == 0.0 { format!("{v:.0}") } else { String::new() })
        .label_style(text(LETTER - 1, INK))
        .axis_desc_style(text(LETTER, INK))
        .x_desc("CC_norm (correlation / noise ceiling)")
        .y_desc(format!("units per {BIN} bin"))
        .draw()
        .map_err(failed)?;
    let bars = counts.edges.windows(2).zip(&counts.counts).filter(|(_, count)| **count > 0);
    chart.draw_series(bars.map(|(edge, &count)| bar(edge, count, colour))).map_err(failed)?;
    draw_median(&mut chart, median, (low, high), top)
}

type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<plotters::coord::types::RangedCoordf64, plotters::coord::types::RangedCoordf64>>;

fn bar(edge: &[f64], count: usize, colour: RGBColor) -> Rectangle<(f64, f64)> {
    let mut bar = Rectangle::new([(edge[0], 0.0), (edge[1], count as f64)], colour.filled());
    bar.set_margin(0, 0, 0, px(1) as u32);
    bar
}

/// A dashed line at the median, labelled on the side that has more room.
fn draw_median(chart: &mut Chart, median: f64, (low, high): (f64, f64), top: f64) -> Result<(), Error> {
    let at = median.clamp(low, high);
    let ends = [(at, 0.0), (at, top * 0.985)];
    chart.draw_series(DashedLineSeries::new(ends, px(5), px(3), line(INK, 3))).map_err(failed)?;
    let right = at < (low + high) / 2.0;
    let (anchor, shift) = if right { (HPos::Left, px(6)) } else { (HPos::Right, px(-6)) };
    let style = text_at(LETTER, INK, anchor, VPos::Top);
    let label = EmptyElement::at((at, top * 0.985)) + Text::new(format!("median {median:.2}"), (shift, 0), style);
    chart.draw_series([label]).map_err(failed)?;
    Ok(())
}

/// What the panel leaves out, in words.
fn note(valid: usize, units: usize, counts: &Histogram) -> String {
    let noun = if units == 1 { "unit" } else { "units" };
    let mut note = if valid == units { format!("{units} {noun}") } else { format!("{valid} of {units} {noun} valid") };
    if counts.below > 0 {
        note += &format!(", {} below the axis", counts.below);
    }
    if counts.above > 0 {
        note += &format!(", {} above the axis", counts.above);
    }
    note
}
