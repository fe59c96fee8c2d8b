//! A figure as shapes: rectangles, paths, circles and lines of text, in pixels, y down. SVG, PDF and PNG are written from it.

use crate::font;

/// A canvas with shapes, drawn in order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scene {
    pub width: f64,
    pub height: f64,
    pub items: Vec<Item>,
}

/// A shape, how it is painted, and what is said when it is pointed at.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub shape: Shape,
    pub fill: Option<(Ink, f64)>,
    pub stroke: Option<Stroke>,
    pub tip: String,
}

/// What is painted.
#[derive(Debug, Clone)]
pub(crate) enum Shape {
    Rect {
        at: [f64; 2],
        size: [f64; 2],
    },
    Path {
        points: Vec<[f64; 2]>,
        closed: bool,
    },
    Circle {
        at: [f64; 2],
        radius: f64,
    },
    /// Text whose `anchor` stands at `at` on the baseline; `turn` in degrees counter-clockwise.
    Text {
        text: String,
        size: f64,
        at: [f64; 2],
        anchor: Anchor,
        turn: f64,
    },
}

/// Which part of a line of text stands at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

impl Anchor {
    /// Share of the width before the place.
    pub fn share(self) -> f64 {
        match self {
            Anchor::Start => 0.0,
            Anchor::Middle => 0.5,
            Anchor::End => 1.0,
        }
    }
}

/// A line: colour, width and the length of its dashes and gaps, zero for none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stroke {
    pub ink: Ink,
    pub width: f64,
    pub dash: f64,
}

/// A colour by its role. A page says what it is in light and dark; in files it is what [`Ink::rgb`] says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Ink {
    /// Lettering.
    Text,
    /// Second-rank lettering and axes.
    Muted,
    /// Grid lines.
    Grid,
    /// What everything stands on.
    Ground,
    /// The n-th of a chart's series.
    Series(usize),
    /// From least to most, 0 to 1.
    Sequential(f64),
    /// From negative by neutral to positive, 0 to 1.
    Diverging(f64),
    /// Lettering that can be read on a sequential or diverging colour: dark or light.
    On {
        /// Whether it is dark.
        dark: bool,
    },
}

/// Colours that stay apart for colour-blind readers (Okabe and Ito 2008), in the order they are given out.
pub(crate) const SERIES: [[u8; 3]; 6] = [
    [0, 114, 178],   // blue
    [213, 94, 0],    // vermilion
    [0, 158, 115],   // bluish green
    [204, 121, 167], // reddish purple
    [230, 159, 0],   // orange
    [86, 180, 233],  // sky blue
];

/// Whether the n-th of a chart's curves has the colour of one before it, and has to be dashed.
pub(crate) fn second_round(n: usize) -> bool {
    n / SERIES.len() % 2 == 1
}

/// Five colours of viridis, whose lightness grows evenly also for colour-blind readers (Smith and van der Walt 2015).
const SEQUENTIAL: [[u8; 3]; 5] = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];
/// Blue to vermilion of [`SERIES`], by near white.
const DIVERGING: [[u8; 3]; 3] = [[0, 114, 178], [245, 245, 245], [213, 94, 0]];

impl Ink {
    /// The colour on white.
    pub fn rgb(self) -> [u8; 3] {
        match self {
            Ink::Text => [38; 3],
            Ink::Muted => [95; 3],
            Ink::Grid => [228; 3],
            Ink::Ground => [255; 3],
            Ink::Series(n) => SERIES[n % SERIES.len()],
            Ink::Sequential(at) => between(&SEQUENTIAL, at),
            Ink::Diverging(at) => between(&DIVERGING, at),
            Ink::On { dark } => {
                if dark {
                    [20; 3]
                } else {
                    [255; 3]
                }
            }
        }
    }

    /// Lettering that can be read on this colour: its luma (ITU-R BT.601) decides.
    pub fn letters(self) -> Ink {
        let [r, g, b] = self.rgb().map(f64::from);
        Ink::On { dark: 0.299 * r + 0.587 * g + 0.114 * b > 140.0 }
    }
}

/// The colour at a place from 0 to 1 along a row of colours.
fn between(colours: &[[u8; 3]], at: f64) -> [u8; 3] {
    let place = at.clamp(0.0, 1.0) * (colours.len() - 1) as f64;
    let first = (place as usize).min(colours.len() - 2);
    let share = place - first as f64;
    [0, 1, 2].map(|i| (f64::from(colours[first][i]) * (1.0 - share) + f64::from(colours[first + 1][i]) * share).round() as u8)
}

impl Scene {
    /// An empty canvas.
    pub fn new(width: f64, height: f64) -> Self {
        Self { width, height, items: Vec::new() }
    }

    fn add(&mut self, shape: Shape, fill: Option<(Ink, f64)>, stroke: Option<Stroke>) -> &mut Item {
        let at = self.items.len();
        self.items.push(Item { shape, fill, stroke, tip: String::new() });
        &mut self.items[at]
    }

    /// A line through points.
    pub fn line(&mut self, points: Vec<[f64; 2]>, ink: Ink, width: f64) -> &mut Item {
        self.add(Shape::Path { points, closed: false }, None, Some(Stroke { ink, width, dash: 0.0 }))
    }

    /// A dashed line through points.
    pub fn dashed(&mut self, points: Vec<[f64; 2]>, ink: Ink, width: f64) -> &mut Item {
        self.add(Shape::Path { points, closed: false }, None, Some(Stroke { ink, width, dash: 4.0 }))
    }

    /// A closed line through points.
    pub fn ring(&mut self, points: Vec<[f64; 2]>, ink: Ink, width: f64) -> &mut Item {
        self.add(Shape::Path { points, closed: true }, None, Some(Stroke { ink, width, dash: 0.0 }))
    }

    /// A filled area, see-through by `opacity` from 0 to 1.
    pub fn area(&mut self, points: Vec<[f64; 2]>, ink: Ink, opacity: f64) -> &mut Item {
        self.add(Shape::Path { points, closed: true }, Some((ink, opacity)), None)
    }

    /// A filled rectangle.
    pub fn rect(&mut self, at: [f64; 2], size: [f64; 2], ink: Ink, opacity: f64) -> &mut Item {
        self.add(Shape::Rect { at, size }, Some((ink, opacity)), None)
    }

    /// A filled circle.
    pub fn dot(&mut self, at: [f64; 2], radius: f64, ink: Ink, opacity: f64) -> &mut Item {
        self.add(Shape::Circle { at, radius }, Some((ink, opacity)), None)
    }

    /// A circle that is not seen and says something when pointed at.
    pub fn target(&mut self, at: [f64; 2], radius: f64, tip: String) {
        self.dot(at, radius, Ink::Ground, 0.0).tip = tip;
    }

    /// A line of text.
    pub fn text(&mut self, text: impl Into<String>, at: [f64; 2], size: f64, ink: Ink, anchor: Anchor) {
        self.turned(text, at, size, ink, anchor, 0.0);
    }

    /// A line of text turned by degrees counter-clockwise.
    pub fn turned(&mut self, text: impl Into<String>, at: [f64; 2], size: f64, ink: Ink, anchor: Anchor, turn: f64) {
        self.add(Shape::Text { text: text.into(), size, at, anchor, turn }, Some((ink, 1.0)), None);
    }

    /// Puts another canvas on this one, its corner at `corner`.
    pub fn place(&mut self, other: Scene, corner: [f64; 2]) {
        let moved = |p: &mut [f64; 2]| *p = [p[0] + corner[0], p[1] + corner[1]];
        self.items.extend(other.items.into_iter().map(|mut item| {
            match &mut item.shape {
                Shape::Rect { at, .. } | Shape::Circle { at, .. } | Shape::Text { at, .. } => moved(at),
                Shape::Path { points, .. } => points.iter_mut().for_each(moved),
            }
            item
        }));
    }
}

/// Where a line of text begins, given what part of it stands at `at`.
pub(crate) fn start_of(text: &str, size: f64, at: [f64; 2], anchor: Anchor, turn: f64) -> [f64; 2] {
    let back = font::width(text, size) * anchor.share();
    let (sin, cos) = turn.to_radians().sin_cos();
    [at[0] - back * cos, at[1] + back * sin]
}
