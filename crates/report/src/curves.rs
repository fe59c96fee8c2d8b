//! Learning curves: the objective on training and validation data after each epoch.

use plotters::prelude::*;

use crate::error::Error;
use crate::figure::{Area, COLOURS, FAINT, INK, LETTER, draw, failed, headed, line, note_in_the_middle, px, text, tick};

/// Size of the figure in pixels.
const SIZE: (i32, i32) = (640, 400);

/// Pixels of the strip that names the curves.
const LEGEND: i32 = 24;

/// One curve: a name such as "validation" and its points (epoch, objective). NaN breaks the line.
#[derive(Debug, Clone, Copy)]
pub struct Curve<'a> {
    /// What the curve shows.
    pub name: &'a str,
    /// Points in order of epochs.
    pub points: &'a [(f64, f64)],
}

/// Draws learning curves with the objective named by `objective`, such as "Poisson loss (nats per unit and frame)"; returns an
/// SVG document.
///
/// # Errors
/// [`Error::Figure`] if the drawing library fails.
pub fn learning_curves(title: &str, objective: &str, curves: &[Curve]) -> Result<String, Error> {
    draw(SIZE, |canvas| {
        let finite: Vec<(f64, f64)> = curves.iter().flat_map(|c| c.points).copied().filter(is_finite).collect();
        let epochs = finite.iter().fold(0.0f64, |m, p| m.max(p.0));
        let below = headed(canvas, title, &lowest(curves))?;
        if finite.is_empty() {
            return note_in_the_middle(&below, "no finite objective yet");
        }
        let (legend, chart) = below.split_vertically(px(LEGEND));
        draw_legend(&legend, curves)?;
        draw_curves(&chart, objective, curves, epochs, ends(&finite))
    })
}

/// Whether a point can be drawn. A value beyond 1e150 counts as infinite: an axis to there would overflow.
fn is_finite(point: &(f64, f64)) -> bool {
    point.0.is_finite() && point.1.abs() < 1e150
}

/// The lowest objective of each curve and its epoch, in words.
fn lowest(curves: &[Curve]) -> String {
    let of = |curve: &Curve| {
        let least = curve.points.iter().filter(|p| is_finite(p)).min_by(|a, b| a.1.total_cmp(&b.1))?;
        Some(format!("lowest {} {} at epoch {}", curve.name, significant(least.1), least.0))
    };
    curves.iter().filter_map(of).collect::<Vec<_>>().join(", ")
}

/// Four significant digits.
fn significant(value: f64) -> String {
    if value == 0.0 {
        return "0".into();
    }
    let digits = 3 - value.abs().log10().floor() as i32;
    if (0..=7).contains(&digits) { format!("{value:.*}", digits as usize) } else { format!("{value:.3e}") }
}

/// Ends of the vertical axis: all values with a little air, never an empty range.
fn ends(points: &[(f64, f64)]) -> (f64, f64) {
    let (low, high) = points.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), p| (l.min(p.1), h.max(p.1)));
    let size = high.abs().max(low.abs());
    let air = if high > low { ((high - low) * 0.05).max(size * 1e-6) } else { size * 0.05 };
    if air > 0.0 { (low - air, high + air) } else { (-0.01, 0.01) }
}

/// A short line of each colour with the curve's name beside it.
fn draw_legend(area: &Area, curves: &[Curve]) -> Result<(), Error> {
    let mut x = 84;
    for (curve, colour) in curves.iter().zip(COLOURS.iter().cycle()) {
        area.draw(&PathElement::new(vec![(px(x), px(10)), (px(x + 22), px(10))], line(*colour, 5))).map_err(failed)?;
        area.draw(&Text::new(curve.name.to_owned(), (px(x + 28), px(4)), text(LETTER, INK))).map_err(failed)?;
        x += 28 + 30 + 7 * curve.name.chars().count() as i32;
    }
    Ok(())
}

fn draw_curves(area: &Area, objective: &str, curves: &[Curve], epochs: f64, (low, high): (f64, f64)) -> Result<(), Error> {
    // As many digits as the distance between ticks needs.
    let digits = (-((high - low) / 7.0).log10().floor()).clamp(0.0, 8.0) as usize;
    let last = epochs.max(1.0);
    let mut chart = ChartBuilder::on(area)
        .margin_left(px(12))
        .margin_right(px(20))
        .margin_top(px(4))
        .margin_bottom(px(10))
        .x_label_area_size(px(42))
        .y_label_area_size(px(72))
        .build_cartesian_2d(0.0..last, low..high)
        .map_err(failed)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(line(FAINT, 2))
        .axis_style(line(INK, 2))
        .set_all_tick_mark_size(px(4))
        .x_labels(if last < 8.0 { last as usize + 1 } else { 9 })
        .y_labels(7)
        .x_label_formatter(&|v| if v.fract() == 0.0 { format!("{v:.0}") } else { String::new() })
        .y_label_formatter(&|v| tick(*v, digits))
        .label_style(text(LETTER - 1, INK))
        .axis_desc_style(text(LETTER, INK))
        .x_desc("epoch")
        .y_desc(objective)
        .draw()
        .map_err(failed)?;
    for (curve, colour) in curves.iter().zip(COLOURS.iter().cycle()) {
        for stretch in curve.points.split(|p| !is_finite(p)).filter(|s| !s.is_empty()) {
            chart.draw_series(LineSeries::new(stretch.iter().copied(), line(*colour, 4))).map_err(failed)?;
            // A point alone makes no line, and few points are better seen.
            if stretch.len() <= 30 {
                chart.draw_series(stretch.iter().map(|&p| Circle::new(p, px(3), colour.filled()))).map_err(failed)?;
            }
        }
    }
    Ok(())
}
