//! A value for each name: bars or dots with error bars, lying down so that names can be read.

use super::frame::{Frame, tip};
use crate::chart::{BarStyle, Chart, Group};
use crate::scene::{Ink, Scene};
use crate::ticks::{Plan, drawable};

/// Height of a bar, and of the room between names, in pixels.
const LANE: f64 = 14.0;
const BETWEEN: f64 = 10.0;

pub(super) fn draw(chart: &Chart, names: &[String], groups: &[Group], style: BarStyle, headed: bool) -> Scene {
    let legend: Vec<&str> = groups.iter().map(|g| g.name.as_str()).collect();
    let zero = (style == BarStyle::Bars).then_some(0.0);
    let values = groups.iter().flat_map(|g| g.values.iter().chain(&g.low).chain(&g.high).copied()).chain(zero);
    let plans = [Plan::new(&chart.x, values, 5), Plan::named(chart.y.words(), names, true)];
    // Dots of one name that are joined share a lane.
    let lanes = if style == BarStyle::Paired { 1 } else { groups.len().max(1) };
    let row = LANE * lanes as f64 + BETWEEN;
    let mut frame = Frame::new(chart, headed, &legend, plans, row * names.len().max(2) as f64, 0.0);
    if style == BarStyle::Paired {
        (0..names.len()).for_each(|n| join(&mut frame, groups, n));
    }
    let mut drawn = 0;
    for (g, group) in groups.iter().enumerate() {
        for (n, name) in names.iter().enumerate() {
            let lane = (g % lanes) as f64 - (lanes as f64 - 1.0) / 2.0;
            drawn += usize::from(one(&mut frame, chart, group, (n, name), lane * LANE, Ink::Series(g), style));
        }
    }
    if drawn == 0 {
        frame.say("no finite values");
    }
    frame.scene
}

/// Draws the value of a group at a name, its lane `shift` pixels below the name's middle. False if there is none.
fn one(frame: &mut Frame, chart: &Chart, group: &Group, (n, name): (usize, &str), shift: f64, ink: Ink, style: BarStyle) -> bool {
    let Some(value) = group.values.get(n).copied().filter(|v| drawable(*v)) else { return false };
    let (Some(x), Some(y)) = (frame.held_x(value), frame.y(n as f64)) else { return false };
    let y = y + shift;
    let what = chart.x.words();
    let mut told = vec![(what.as_str(), value)];
    let error = group.low.get(n).zip(group.high.get(n));
    if let Some((&low, &high)) = error {
        told.extend([("from", low), ("to", high)]);
    }
    let said = tip(&if group.name.is_empty() { name.to_owned() } else { format!("{name}, {}", group.name) }, &told);
    if style == BarStyle::Bars {
        let from = frame.held_x(0.0).unwrap_or(frame.plot[0]);
        let (at, size) = ([x.min(from), y - LANE / 2.0 + 1.0], [(x - from).abs().max(0.5), LANE - 2.0]);
        frame.scene.rect(at, size, ink, 1.0).tip = said.clone();
    }
    if let Some((&low, &high)) = error
        && let (Some(low), Some(high)) = (frame.held_x(low), frame.held_x(high))
    {
        let ink = if style == BarStyle::Bars { Ink::Text } else { ink };
        frame.scene.line(vec![[low, y], [high, y]], ink, 1.5);
    }
    if style != BarStyle::Bars {
        frame.scene.dot([x, y], 4.5, ink, 1.0);
        frame.scene.target([x, y], 9.0, said);
    }
    true
}

/// The line between the dots of one name.
fn join(frame: &mut Frame, groups: &[Group], n: usize) {
    let at: Vec<f64> = groups.iter().filter_map(|g| frame.held_x(*g.values.get(n)?)).collect();
    if let Some(y) = frame.y(n as f64) {
        let ends = [at.iter().copied().fold(f64::INFINITY, f64::min), at.iter().copied().fold(f64::NEG_INFINITY, f64::max)];
        if ends[0] < ends[1] {
            frame.scene.line(ends.map(|x| [x, y]).to_vec(), Ink::Muted, 1.5);
        }
    }
}
