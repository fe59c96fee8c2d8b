//! What all figures share: canvas, colours, lettering, and how they become files.

use std::io::Write;
use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::error::Error;
use crate::whole_file::write_whole;

/// Colours that stay apart for colour-blind readers (Okabe and Ito 2008), in the order they are given out.
pub(crate) const COLOURS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),   // blue
    RGBColor(213, 94, 0),    // vermilion
    RGBColor(0, 158, 115),   // bluish green
    RGBColor(204, 121, 167), // reddish purple
    RGBColor(230, 159, 0),   // orange
    RGBColor(86, 180, 233),  // sky blue
];

/// Lettering and axes.
pub(crate) const INK: RGBColor = RGBColor(38, 38, 38);
/// Second-rank lettering.
pub(crate) const GREY: RGBColor = RGBColor(95, 95, 95);
/// Grid lines.
pub(crate) const FAINT: RGBColor = RGBColor(228, 228, 228);

/// Pixels of what stands above a chart, and from the left edge to it.
const HEAD: i32 = 50;
const MARGIN: i32 = 16;

/// Steps of a pixel that coordinates are rounded to. The drawing library knows whole numbers only, which would show as stairs
/// in a flat curve; so figures are drawn this much larger and the document's size is given in pixels.
const FINE: i32 = 8;

/// Pixels in steps.
pub(crate) const fn px(pixels: i32) -> i32 {
    pixels * FINE
}

/// A line of this colour and width in half pixels.
pub(crate) fn line(colour: RGBColor, half_pixels: u32) -> ShapeStyle {
    colour.stroke_width(half_pixels * FINE as u32 / 2)
}

/// Pixels of titles.
pub(crate) const TITLE: i32 = 15;
/// Pixels of axis titles and notes.
pub(crate) const LETTER: i32 = 12;

/// The drawing area of one figure or panel.
pub(crate) type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

/// Text of `size` pixels. The SVG backend divides sizes by 1.24, so they are given multiplied.
pub(crate) fn text<'a>(size: i32, colour: RGBColor) -> TextStyle<'a> {
    ("sans-serif", f64::from(px(size)) * 1.24).into_font().color(&colour)
}

/// The same text placed by this point of its box.
pub(crate) fn text_at<'a>(size: i32, colour: RGBColor, horizontal: HPos, vertical: VPos) -> TextStyle<'a> {
    text(size, colour).pos(Pos::new(horizontal, vertical))
}

/// A number at a tick, without a sign before zero; in powers of ten where it would not fit beside the axis.
pub(crate) fn tick(value: f64, digits: usize) -> String {
    if value.abs() >= 1e5 || (digits > 5 && value != 0.0) {
        return format!("{value:.2e}");
    }
    let scale = 10f64.powi(digits as i32);
    format!("{:.digits$}", (value * scale).round() / scale + 0.0)
}

/// Cuts a line of text to what fits a width in steps, by a rough width of sans-serif letters.
pub(crate) fn fitted(line: &str, size: i32, width: i32) -> String {
    let room = (f64::from(width) / (f64::from(px(size)) * 0.56)) as usize;
    if line.chars().count() <= room { line.to_owned() } else { line.chars().take(room.saturating_sub(1)).chain(['…']).collect() }
}

/// Writes a title and a line under it at the top left; returns the area below them.
pub(crate) fn headed<'a>(area: &Area<'a>, title: &str, note: &str) -> Result<Area<'a>, Error> {
    let (head, rest) = area.split_vertically(px(HEAD));
    let width = area.dim_in_pixel().0 as i32 - 2 * px(MARGIN);
    head.draw(&Text::new(fitted(title, TITLE, width), (px(MARGIN), px(10)), text(TITLE, INK))).map_err(failed)?;
    head.draw(&Text::new(fitted(note, LETTER, width), (px(MARGIN), px(30)), text(LETTER, GREY))).map_err(failed)?;
    Ok(rest)
}

/// Says in the middle of an area why nothing is drawn there.
pub(crate) fn note_in_the_middle(area: &Area, note: &str) -> Result<(), Error> {
    let (width, height) = area.dim_in_pixel();
    let style = text_at(TITLE, GREY, HPos::Center, VPos::Center);
    area.draw(&Text::new(note.to_owned(), (width as i32 / 2, height as i32 / 2), style)).map_err(failed)
}

/// Draws on a white canvas of this size [width, height] in pixels and returns the SVG document.
pub(crate) fn draw((width, height): (i32, i32), draw: impl FnOnce(&Area) -> Result<(), Error>) -> Result<String, Error> {
    let steps = (px(width) as u32, px(height) as u32);
    let mut svg = String::new();
    {
        let canvas = SVGBackend::with_string(&mut svg, steps).into_drawing_area();
        canvas.fill(&WHITE).map_err(failed)?;
        draw(&canvas)?;
        canvas.present().map_err(failed)?;
    }
    let drawn = format!("<svg width=\"{}\" height=\"{}\"", steps.0, steps.1);
    Ok(svg.replacen(&drawn, &format!("<svg width=\"{width}\" height=\"{height}\""), 1))
}

/// An error of the drawing library as ours.
pub(crate) fn failed(e: impl std::fmt::Display) -> Error {
    Error::Figure { what: e.to_string() }
}

/// Writes a figure to a file.
///
/// # Errors
/// [`Error::Io`] if it cannot be written.
pub fn write_svg(path: &Path, svg: &str) -> Result<(), Error> {
    write_whole(path, |file| file.write_all(svg.as_bytes()).map_err(Error::io("write", path)))
}
