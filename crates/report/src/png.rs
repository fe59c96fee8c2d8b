//! Scenes as PNG.

use tiny_skia::{Color, FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, Rect, Stroke, StrokeDash, Transform};

use crate::font::{self, Piece};
use crate::scene::{Ink, Item, Scene, Shape, start_of};

/// Dots of the file for each pixel of the figure: 440 pixels are 1320 dots, 300 to the inch in 11 cm.
const DOTS: f32 = 3.0;

/// Draws a scene on white. `None` if it is empty or too large to be held.
pub(crate) fn png(scene: &Scene) -> Option<Vec<u8>> {
    let size = [scene.width, scene.height].map(|v| (v as f32 * DOTS).ceil() as u32);
    let mut map = Pixmap::new(size[0], size[1])?;
    map.fill(Color::WHITE);
    for item in &scene.items {
        draw(&mut map, item);
    }
    map.encode_png().ok()
}

fn draw(map: &mut Pixmap, item: &Item) {
    let Some(path) = outline(&item.shape) else { return };
    let dots = Transform::from_scale(DOTS, DOTS);
    if let Some((ink, opacity)) = item.fill
        && opacity > 0.0
    {
        map.fill_path(&path, &paint(ink, opacity), FillRule::Winding, dots, None);
    }
    if let Some(stroke) = item.stroke {
        let dash = if stroke.dash > 0.0 { StrokeDash::new(vec![stroke.dash as f32; 2], 0.0) } else { None };
        let drawn = Stroke { width: stroke.width as f32, line_join: LineJoin::Round, line_cap: LineCap::Butt, dash, ..Stroke::default() };
        map.stroke_path(&path, &paint(stroke.ink, 1.0), &drawn, dots, None);
    }
}

fn paint(ink: Ink, opacity: f64) -> Paint<'static> {
    let [r, g, b] = ink.rgb();
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color_rgba8(r, g, b, (opacity * 255.0).round() as u8);
    paint
}

fn outline(shape: &Shape) -> Option<Path> {
    let mut path = PathBuilder::new();
    match shape {
        Shape::Rect { at: [x, y], size: [w, h] } => path.push_rect(Rect::from_xywh(*x as f32, *y as f32, *w as f32, *h as f32)?),
        Shape::Circle { at: [x, y], radius } => path.push_circle(*x as f32, *y as f32, *radius as f32),
        Shape::Path { points, closed } => {
            for (i, [x, y]) in points.iter().enumerate() {
                if i == 0 { path.move_to(*x as f32, *y as f32) } else { path.line_to(*x as f32, *y as f32) }
            }
            if *closed {
                path.close();
            }
        }
        Shape::Text { text, size, at, anchor, turn } => {
            let put = |p: [f64; 2]| p.map(|v| v as f32);
            for piece in font::outlines(text, *size, start_of(text, *size, *at, *anchor, *turn), *turn) {
                match piece {
                    Piece::Move(p) => path.move_to(put(p)[0], put(p)[1]),
                    Piece::Line(p) => path.line_to(put(p)[0], put(p)[1]),
                    Piece::Curve(a, b, end) => {
                        let [a, b, end] = [a, b, end].map(put);
                        path.cubic_to(a[0], a[1], b[0], b[1], end[0], end[1]);
                    }
                    Piece::Close => path.close(),
                }
            }
        }
    }
    path.finish()
}
