//! Scenes as SVG: a document of its own, or an image within a page whose style sheet gives the colours.

use std::fmt::Write;

use crate::escape::escape;
use crate::scene::{Anchor, Ink, Item, Scene, Shape, Stroke};

/// Where an image will stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In a file: colours on white, lettering of its own.
    File,
    /// In a page: the style sheet's colours, which change between light and dark.
    Page,
}

/// Writes a scene. `label` is what is read out in place of the image.
pub(crate) fn svg(scene: &Scene, place: Place, label: &str) -> String {
    let (width, height) = (round(scene.width), round(scene.height));
    let mut out = format!("<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{}\"", escape(label));
    if place == Place::File {
        let _ = write!(out, " xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\"");
        let _ = write!(out, " font-family=\"DejaVu Sans, Verdana, sans-serif\"><rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>");
    } else {
        out.push('>');
    }
    scene.items.iter().for_each(|item| write_item(&mut out, item, place));
    out + "</svg>"
}

fn write_item(out: &mut String, item: &Item, place: Place) {
    let (mut element, name) = match &item.shape {
        Shape::Rect { at, size } => {
            let [x, y, w, h] = [at[0], at[1], size[0], size[1]].map(round);
            (format!("<rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\""), "rect")
        }
        Shape::Circle { at, radius } => (format!("<circle cx=\"{}\" cy=\"{}\" r=\"{}\"", round(at[0]), round(at[1]), round(*radius)), "circle"),
        Shape::Path { points, closed } => (format!("<path d=\"{}{}\"", path(points), if *closed { "Z" } else { "" }), "path"),
        Shape::Text { size, at, anchor, turn, .. } => (text(*size, *at, *anchor, *turn), "text"),
    };
    match item.fill {
        // Something that is not seen still says what it is when pointed at.
        Some((_, 0.0)) => element += " fill=\"#000\" fill-opacity=\"0\"",
        Some((ink, opacity)) => {
            let _ = write!(element, " fill=\"{}\"", colour(ink, place));
            if opacity < 1.0 {
                let _ = write!(element, " fill-opacity=\"{}\"", round(opacity));
            }
        }
        None => element += " fill=\"none\"",
    }
    // Neighbouring cells of a map: smoothed edges would show as a grid.
    if matches!(item.fill, Some((Ink::Sequential(_) | Ink::Diverging(_), _))) {
        element += " shape-rendering=\"crispEdges\"";
    }
    if let Some(Stroke { ink, width, dash }) = item.stroke {
        let _ = write!(element, " stroke=\"{}\" stroke-width=\"{}\" stroke-linejoin=\"round\"", colour(ink, place), round(width));
        if dash > 0.0 {
            let _ = write!(element, " stroke-dasharray=\"{}\"", round(dash));
        }
    }
    let tip = if item.tip.is_empty() { String::new() } else { format!("<title>{}</title>", escape(&item.tip)) };
    let inside = if let Shape::Text { text, .. } = &item.shape { escape(text) } else { tip };
    let _ = if inside.is_empty() { write!(out, "{element}/>") } else { write!(out, "{element}>{inside}</{name}>") };
}

fn text(size: f64, [x, y]: [f64; 2], anchor: Anchor, turn: f64) -> String {
    let (x, y) = (round(x), round(y));
    let anchor = match anchor {
        Anchor::Start => "",
        Anchor::Middle => " text-anchor=\"middle\"",
        Anchor::End => " text-anchor=\"end\"",
    };
    // SVG turns clockwise.
    let turned = if turn == 0.0 { String::new() } else { format!(" transform=\"rotate({} {x} {y})\"", round(-turn)) };
    format!("<text x=\"{x}\" y=\"{y}\" font-size=\"{}\"{anchor}{turned}", round(size))
}

fn path(points: &[[f64; 2]]) -> String {
    let mut out = String::new();
    for (i, [x, y]) in points.iter().enumerate() {
        let _ = write!(out, "{}{} {}", if i == 0 { "M" } else { "L" }, round(*x), round(*y));
    }
    out
}

fn colour(ink: Ink, place: Place) -> String {
    let role = match ink {
        Ink::Text => Some("ink".to_owned()),
        Ink::Muted => Some("muted".to_owned()),
        Ink::Grid => Some("grid".to_owned()),
        Ink::Ground => Some("ground".to_owned()),
        Ink::Series(n) => Some(format!("series-{}", n % crate::scene::SERIES.len())),
        Ink::Sequential(_) | Ink::Diverging(_) | Ink::On { .. } => None,
    };
    match role {
        Some(role) if place == Place::Page => format!("var(--{role})"),
        _ => {
            let [r, g, b] = ink.rgb();
            format!("#{r:02x}{g:02x}{b:02x}")
        }
    }
}

/// A hundredth of a pixel is finer than any screen shows.
fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0 + 0.0
}
