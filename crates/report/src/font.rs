//! Lettering: DejaVu Sans (Bitstream Vera licence), whose outlines go into PNG and PDF files and whose widths place text.

use std::sync::LazyLock;

use ttf_parser::{Face, GlyphId, OutlineBuilder};

/// The font; none only if its file were damaged, and then figures have no lettering.
static FACE: LazyLock<Option<Face<'static>>> = LazyLock::new(|| Face::parse(dejavu::sans::regular(), 0).ok());

/// Width of a line of text of `size` pixels, in pixels.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    let Some(face) = FACE.as_ref() else { return 0.0 };
    text.chars().map(|c| advance(face, glyph(face, c))).sum::<f64>() * size / f64::from(face.units_per_em())
}

/// Cuts a line of text to a width in pixels.
pub(crate) fn fitted(text: &str, size: f64, room: f64) -> String {
    if width(text, size) <= room {
        return text.to_owned();
    }
    let mut kept: String = text.to_owned();
    while kept.pop().is_some() && width(&kept, size) + width("…", size) > room {}
    kept.trim_end().to_owned() + "…"
}

/// Breaks a text into lines of at most this width in pixels, at spaces.
pub(crate) fn wrapped(text: &str, size: f64, room: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if width(&format!("{line} {word}"), size) <= room => *line += &format!(" {word}"),
            _ => lines.push(fitted(word, size, room)),
        }
    }
    lines
}

/// A piece of an outline, in pixels.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Piece {
    Move([f64; 2]),
    Line([f64; 2]),
    /// Cubic curve: two control points and the end.
    Curve([f64; 2], [f64; 2], [f64; 2]),
    Close,
}

/// Outlines of a line of text of `size` pixels that begins at `at` on the baseline and is turned by `turn` degrees
/// counter-clockwise; y goes down.
pub(crate) fn outlines(text: &str, size: f64, at: [f64; 2], turn: f64) -> Vec<Piece> {
    let Some(face) = FACE.as_ref() else { return Vec::new() };
    let scale = size / f64::from(face.units_per_em());
    let (sin, cos) = turn.to_radians().sin_cos();
    let mut pen = Pen { pieces: Vec::new(), last: [0.0; 2], x: 0.0, place: [scale * cos, scale * sin, at[0], at[1]] };
    for c in text.chars() {
        let id = glyph(face, c);
        face.outline_glyph(id, &mut pen);
        pen.x += advance(face, id);
    }
    pen.pieces
}

fn glyph(face: &Face, c: char) -> GlyphId {
    face.glyph_index(c).unwrap_or_default()
}

fn advance(face: &Face, id: GlyphId) -> f64 {
    f64::from(face.glyph_hor_advance(id).unwrap_or(0))
}

/// Collects outlines, moved to the place of their glyph.
struct Pen {
    pieces: Vec<Piece>,
    /// Where the pen is, in units of the font.
    last: [f64; 2],
    /// Where the glyph begins, in units of the font.
    x: f64,
    /// Cosine and sine times scale, and the origin.
    place: [f64; 4],
}

impl Pen {
    fn put(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        let [cos, sin, left, top] = self.place;
        let x = x + self.x;
        [left + x * cos - y * sin, top - x * sin - y * cos]
    }
}

impl OutlineBuilder for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.last = [x.into(), y.into()];
        self.pieces.push(Piece::Move(self.put(self.last)));
    }
    fn line_to(&mut self, x: f32, y: f32) {
        self.last = [x.into(), y.into()];
        self.pieces.push(Piece::Line(self.put(self.last)));
    }
    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        // A quadratic curve is the cubic one whose control points lie two thirds of the way to its own.
        let (control, end) = ([f64::from(x1), f64::from(y1)], [f64::from(x), f64::from(y)]);
        let towards = |from: [f64; 2]| [0, 1].map(|i| from[i] + (control[i] - from[i]) * 2.0 / 3.0);
        self.pieces.push(Piece::Curve(self.put(towards(self.last)), self.put(towards(end)), self.put(end)));
        self.last = end;
    }
    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let [a, b, end] = [[x1, y1], [x2, y2], [x, y]].map(|p| p.map(f64::from));
        self.pieces.push(Piece::Curve(self.put(a), self.put(b), self.put(end)));
        self.last = end;
    }
    fn close(&mut self) {
        self.pieces.push(Piece::Close);
    }
}
