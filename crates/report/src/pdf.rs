//! Scenes as PDF: one page, lettering as outlines, so that it looks the same everywhere.

use std::collections::BTreeSet;
use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use pdf_writer::types::LineJoinStyle;
use pdf_writer::{Content, Filter, Name, Pdf, Rect, Ref};

use crate::font::{self, Piece};
use crate::scene::{Ink, Item, Scene, Shape, start_of};

/// Points (1/72 inch) for each pixel of the figure: 440 pixels are 11 cm, as in PNG.
const POINTS: f32 = 0.72;
/// Control points of the quarter circle that a cubic curve comes nearest to.
const QUARTER: f64 = 0.552_284_75;

/// Writes a scene.
pub(crate) fn pdf(scene: &Scene) -> Vec<u8> {
    let [catalog, pages, page, content] = [1, 2, 3, 4].map(Ref::new);
    let mut pdf = Pdf::new();
    pdf.catalog(catalog).pages(pages);
    pdf.pages(pages).kids([page]).count(1);
    let opacities: BTreeSet<u8> = scene.items.iter().filter_map(|item| item.fill).map(|(_, opacity)| percent(opacity)).collect();
    let mut sheet = pdf.page(page);
    sheet.parent(pages).contents(content);
    sheet.media_box(Rect::new(0.0, 0.0, scene.width as f32 * POINTS, scene.height as f32 * POINTS));
    let mut resources = sheet.resources();
    let mut states = resources.ext_g_states();
    for &opacity in &opacities {
        states
            .insert(Name(state(opacity).as_bytes()))
            .start::<pdf_writer::writers::ExtGraphicsState>()
            .non_stroking_alpha(f32::from(opacity) / 100.0);
    }
    drop(states);
    drop(resources);
    drop(sheet);
    let mut out = Content::new();
    // Pixels, y down.
    out.transform([POINTS, 0.0, 0.0, -POINTS, 0.0, scene.height as f32 * POINTS]);
    for item in &scene.items {
        draw(&mut out, item);
    }
    let plain = out.finish();
    let mut small = ZlibEncoder::new(Vec::new(), Compression::default());
    // Writing to memory does not fail; if it did, the page would be larger.
    match small.write_all(&plain).and_then(|()| small.finish()) {
        Ok(small) => {
            pdf.stream(content, &small).filter(Filter::FlateDecode);
        }
        Err(_) => {
            pdf.stream(content, &plain);
        }
    }
    pdf.finish()
}

fn percent(opacity: f64) -> u8 {
    (opacity.clamp(0.0, 1.0) * 100.0).round() as u8
}

/// Name of the state of an opacity.
fn state(percent: u8) -> String {
    format!("A{percent}")
}

fn draw(out: &mut Content, item: &Item) {
    let colour = |ink: Ink| ink.rgb().map(|c| f32::from(c) / 255.0);
    if let Some((ink, opacity)) = item.fill
        && opacity > 0.0
    {
        let [r, g, b] = colour(ink);
        out.set_parameters(Name(state(percent(opacity)).as_bytes())).set_fill_rgb(r, g, b);
        outline(out, &item.shape);
        out.fill_nonzero();
    }
    if let Some(stroke) = item.stroke {
        let [r, g, b] = colour(stroke.ink);
        let dashes = if stroke.dash > 0.0 { vec![stroke.dash as f32; 2] } else { Vec::new() };
        out.set_stroke_rgb(r, g, b).set_line_width(stroke.width as f32).set_line_join(LineJoinStyle::RoundJoin).set_dash_pattern(dashes, 0.0);
        outline(out, &item.shape);
        out.stroke();
    }
}

fn outline(out: &mut Content, shape: &Shape) {
    match shape {
        Shape::Rect { at: [x, y], size: [w, h] } => {
            out.rect(*x as f32, *y as f32, *w as f32, *h as f32);
        }
        Shape::Circle { at: [x, y], radius } => {
            let at = |dx: f64, dy: f64| [x + radius * dx, y + radius * dy];
            put(out, Piece::Move(at(1.0, 0.0)));
            for (c, s) in [(1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0)] {
                put(out, Piece::Curve(at(c - QUARTER * s, s + QUARTER * c), at(-s + QUARTER * c, c + QUARTER * s), at(-s, c)));
            }
            out.close_path();
        }
        Shape::Path { points, closed } => {
            points.iter().enumerate().for_each(|(i, p)| put(out, if i == 0 { Piece::Move(*p) } else { Piece::Line(*p) }));
            if *closed {
                out.close_path();
            }
        }
        Shape::Text { text, size, at, anchor, turn } => {
            let start = start_of(text, *size, *at, *anchor, *turn);
            font::outlines(text, *size, start, *turn).into_iter().for_each(|piece| put(out, piece));
        }
    }
}

fn put(out: &mut Content, piece: Piece) {
    let f = |p: [f64; 2]| p.map(|v| v as f32);
    match piece {
        Piece::Move(p) => out.move_to(f(p)[0], f(p)[1]),
        Piece::Line(p) => out.line_to(f(p)[0], f(p)[1]),
        Piece::Curve(a, b, end) => {
            let [a, b, end] = [a, b, end].map(f);
            out.cubic_to(a[0], a[1], b[0], b[1], end[0], end[1])
        }
        Piece::Close => out.close_path(),
    };
}
