//! What stands around the data: title, legend, axes with ticks, and the places of values between them.

use super::{LETTER, TITLE, WIDTH, caption};
use crate::chart::{Chart, Data};
use crate::font;
use crate::scene::{Anchor, Ink, Scene, second_round};
use crate::ticks::{Plan, significant};

/// Pixels between what belongs apart.
const GAP: f64 = 8.0;
/// Width of a colour in the legend.
const PATCH: f64 = 14.0;

/// A canvas with a plot on it.
pub(crate) struct Frame {
    pub scene: Scene,
    /// Left, top, width and height of the plot in pixels.
    pub plot: [f64; 4],
    pub x: Plan,
    pub y: Plan,
}

/// A canvas with title and legend, and how much of it they take.
pub(crate) fn headed(chart: &Chart, with_head: bool, names: &[&str]) -> (Scene, f64) {
    let mut scene = Scene::new(WIDTH, 0.0);
    let mut y = GAP;
    if with_head {
        for (text, size, ink) in [(chart.title.as_str(), TITLE, Ink::Text), (&caption(chart), LETTER, Ink::Muted)] {
            for line in font::wrapped(text, size, WIDTH - 2.0 * GAP) {
                y += size + 3.0;
                scene.text(line, [GAP, y], size, ink, Anchor::Start);
            }
            y += 3.0;
        }
        y += 4.0;
    }
    // One series needs no legend: the title says what it is.
    if names.len() > 1 {
        y = legend(&mut scene, names, matches!(chart.data, Data::Lines { .. }), y) + 4.0;
    }
    (scene, y)
}

/// Draws names beside their colours, or their curves' dashes, in as many rows as they need; returns where they end.
fn legend(scene: &mut Scene, names: &[&str], curves: bool, top: f64) -> f64 {
    let (mut x, mut y) = (GAP, top + LETTER);
    for (i, name) in names.iter().enumerate() {
        let name = font::fitted(name, LETTER, WIDTH - 2.0 * GAP - PATCH - 6.0);
        let room = PATCH + 6.0 + font::width(&name, LETTER);
        if x > GAP && x + room > WIDTH - GAP {
            (x, y) = (GAP, y + LETTER + 6.0);
        }
        if curves && second_round(i) {
            scene.dashed(vec![[x, y - 5.0], [x + PATCH, y - 5.0]], Ink::Series(i), 3.0);
        } else {
            scene.rect([x, y - 8.0], [PATCH, 6.0], Ink::Series(i), 1.0);
        }
        scene.text(name, [x + PATCH + 6.0, y], LETTER, Ink::Text, Anchor::Start);
        x += room + 16.0;
    }
    y + 4.0
}

impl Frame {
    /// Lays out a plot of this height in pixels, with `right` pixels kept free beside it, and draws its axes.
    pub fn new(chart: &Chart, with_head: bool, names: &[&str], [x, y]: [Plan; 2], height: f64, right: f64) -> Self {
        let (mut scene, mut top) = headed(chart, with_head, names);
        for line in font::wrapped(&y.words, LETTER, WIDTH - 2.0 * GAP) {
            top += LETTER + 2.0;
            scene.text(line, [GAP, top], LETTER, Ink::Muted, Anchor::Start);
        }
        top += GAP + 6.0;
        let widest = y.ticks.iter().map(|t| font::width(&t.1, LETTER)).fold(0.0, f64::max).min(WIDTH * 0.38);
        let left = GAP + widest + 8.0;
        let plot = [left, top, WIDTH - left - right.max(16.0), height];
        let mut frame = Self { scene, plot, x, y };
        frame.draw_y();
        let below = frame.draw_x();
        frame.scene.height = below + GAP;
        frame
    }

    /// Pixel of a value across.
    pub fn x(&self, value: f64) -> Option<f64> {
        self.x.place(value).map(|p| self.plot[0] + p * self.plot[2])
    }

    /// Pixel of a value up.
    pub fn y(&self, value: f64) -> Option<f64> {
        self.y.place(value).map(|p| self.plot[1] + (1.0 - p) * self.plot[3])
    }

    /// Pixel of a value up, held within the plot.
    pub fn held_y(&self, value: f64) -> Option<f64> {
        self.y.held(value).map(|p| self.plot[1] + (1.0 - p) * self.plot[3])
    }

    /// Pixel of a value across, held within the plot.
    pub fn held_x(&self, value: f64) -> Option<f64> {
        self.x.held(value).map(|p| self.plot[0] + p * self.plot[2])
    }

    /// Says in the middle of the plot why nothing is drawn there.
    pub fn say(&mut self, note: &str) {
        let [left, top, width, height] = self.plot;
        self.scene.text(note, [left + width / 2.0, top + height / 2.0], LETTER, Ink::Muted, Anchor::Middle);
    }

    /// A line across the plot at each tick of y, and its label; labels that would overlap are left out.
    fn draw_y(&mut self) {
        let [left, _, width, _] = self.plot;
        let mut free = f64::INFINITY;
        let mut ticks: Vec<(f64, String)> = self.y.ticks.iter().filter_map(|(v, label)| Some((self.y(*v)?, label.clone()))).collect();
        ticks.sort_by(|a, b| b.0.total_cmp(&a.0));
        for (y, label) in ticks {
            self.scene.line(vec![[left, y], [left + width, y]], Ink::Grid, 1.0);
            if y <= free {
                self.scene.text(font::fitted(&label, LETTER, left - 14.0), [left - 7.0, y + 4.0], LETTER, Ink::Text, Anchor::End);
                free = y - LETTER;
            }
        }
    }

    /// The axis under the plot with ticks and words; returns where they end.
    fn draw_x(&mut self) -> f64 {
        let [left, top, width, height] = self.plot;
        let bottom = top + height;
        self.scene.line(vec![[left, bottom], [left + width, bottom]], Ink::Muted, 1.0);
        let ticks: Vec<(f64, String)> = self.x.ticks.iter().filter_map(|(v, label)| Some((self.x(*v)?, label.clone()))).collect();
        let step = ticks.windows(2).map(|w| (w[1].0 - w[0].0).abs()).fold(f64::INFINITY, f64::min);
        let named = !ticks.iter().all(|t| t.1.parse::<f64>().is_ok());
        let turned = named && ticks.iter().any(|t| font::width(&t.1, LETTER) > step - 6.0);
        let mut deep = LETTER + 4.0;
        let mut free = f64::NEG_INFINITY;
        for (x, label) in ticks {
            self.scene.line(vec![[x, bottom], [x, bottom + 4.0]], Ink::Muted, 1.0);
            let label = font::fitted(&label, LETTER, 110.0);
            let half = font::width(&label, LETTER) / 2.0;
            if turned && x >= free {
                self.scene.turned(label, [x + 4.0, bottom + 14.0], LETTER, Ink::Text, Anchor::End, 45.0);
                (free, deep) = (x + LETTER, deep.max(2.0 * half * 0.71 + 16.0));
            } else if !turned && x - half >= free {
                // The last label may reach past the plot, but not past the canvas.
                let at = x.min(WIDTH - half - 2.0);
                self.scene.text(label, [at, bottom + LETTER + 6.0], LETTER, Ink::Text, Anchor::Middle);
                free = at + half + 6.0;
            }
        }
        let mut y = bottom + deep + 4.0;
        for line in font::wrapped(&self.x.words, LETTER, WIDTH - 2.0 * GAP) {
            y += LETTER + 2.0;
            let half = font::width(&line, LETTER) / 2.0;
            let at = (left + width / 2.0).clamp(half + GAP, (WIDTH - half - GAP).max(half + GAP));
            self.scene.text(line, [at, y], LETTER, Ink::Muted, Anchor::Middle);
        }
        y
    }
}

/// What is said of a point: its name, if it has one, and its values with their quantities.
pub(crate) fn tip(name: &str, values: &[(&str, f64)]) -> String {
    let mut lines: Vec<String> = if name.is_empty() { Vec::new() } else { vec![name.to_owned()] };
    lines.extend(values.iter().map(|(what, value)| format!("{what}: {}", significant(*value))));
    lines.join("\n")
}
