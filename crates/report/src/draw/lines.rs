//! Curves with bands.

use super::frame::{Frame, tip};
use super::plans;
use crate::chart::{Chart, Series};
use crate::scene::{Ink, Scene, second_round};

/// Height of the plot in pixels.
const HEIGHT: f64 = 210.0;
/// A curve of this many points or fewer shows each as a dot.
const FEW: usize = 40;
/// No more points of a curve than these say their value: a page stays small.
const TOLD: usize = 250;

pub(super) fn draw(chart: &Chart, series: &[Series], headed: bool) -> Scene {
    let names: Vec<&str> = series.iter().map(|s| s.name.as_str()).collect();
    let mut frame = Frame::new(chart, headed, &names, plans(chart, series), HEIGHT, 0.0);
    for (i, one) in series.iter().enumerate() {
        band(&mut frame, one, Ink::Series(i));
    }
    let mut drawn = 0;
    for (i, one) in series.iter().enumerate() {
        drawn += curve(&mut frame, chart, one, i);
    }
    if drawn == 0 {
        frame.say("no finite values");
    }
    frame.scene
}

/// Draws the n-th curve in stretches of what can be drawn; returns how many points that is.
fn curve(frame: &mut Frame, chart: &Chart, one: &Series, n: usize) -> usize {
    let ink = Ink::Series(n);
    let pixels: Vec<Option<[f64; 2]>> = super::points(&one.x, &one.y).map(|(x, y)| Some([frame.x(x)?, frame.y(y)?])).collect();
    for stretch in pixels.split(Option::is_none) {
        let stretch: Vec<[f64; 2]> = stretch.iter().flatten().copied().collect();
        if stretch.len() > 1 && second_round(n) {
            frame.scene.dashed(stretch, ink, 2.0);
        } else if stretch.len() > 1 {
            frame.scene.line(stretch, ink, 2.0);
        } else if let Some(&alone) = stretch.first() {
            frame.scene.dot(alone, 3.0, ink, 1.0);
        }
    }
    let count = pixels.iter().flatten().count();
    let words = [chart.x.words(), chart.y.words()];
    let every = count.div_ceil(TOLD).max(1);
    for (i, at) in pixels.iter().enumerate().filter_map(|(i, p)| Some((i, (*p)?))).step_by(every) {
        if count <= FEW {
            frame.scene.dot(at, 3.0, ink, 1.0);
        }
        let mut values = vec![(words[0].as_str(), one.x[i]), (words[1].as_str(), one.y[i])];
        if let (Some(&low), Some(&high)) = (one.low.get(i), one.high.get(i)) {
            values.extend([("from", low), ("to", high)]);
        }
        frame.scene.target(at, 9.0, tip(&one.name, &values));
    }
    count
}

/// Draws the band around a curve.
fn band(frame: &mut Frame, one: &Series, ink: Ink) {
    let edges = one.x.iter().zip(one.low.iter().zip(&one.high));
    let edges: Vec<Option<[f64; 3]>> = edges.map(|(&x, (&low, &high))| Some([frame.x(x)?, frame.held_y(low)?, frame.held_y(high)?])).collect();
    for stretch in edges.split(Option::is_none) {
        let stretch: Vec<[f64; 3]> = stretch.iter().flatten().copied().collect();
        match stretch[..] {
            [] => {}
            [[x, low, high]] => {
                frame.scene.line(vec![[x, low], [x, high]], ink, 1.5);
            }
            _ => {
                let up = stretch.iter().map(|&[x, low, _]| [x, low]);
                let back = stretch.iter().rev().map(|&[x, _, high]| [x, high]);
                frame.scene.area(up.chain(back).collect(), ink, 0.2);
            }
        }
    }
}
