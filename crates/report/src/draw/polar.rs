//! Curves around a point: responses by direction.

use super::frame::{headed, tip};
use super::{LETTER, WIDTH};
use crate::chart::{Axis, Chart, Series};
use crate::scene::{Anchor, Ink, Scene};
use crate::ticks::{Plan, drawable};

/// Radius of the plot in pixels, and the room of its labels.
const RADIUS: f64 = 130.0;
const LABELS: f64 = 30.0;

pub(super) fn draw(chart: &Chart, series: &[Series], with_head: bool) -> Scene {
    let names: Vec<&str> = series.iter().map(|s| s.name.as_str()).collect();
    let (mut scene, top) = headed(chart, with_head, &names);
    // A radius says how much: it begins at zero.
    let values = series.iter().flat_map(|s| s.y.iter().chain(&s.low).chain(&s.high).copied()).filter(|v| drawable(*v));
    let most = values.fold(0.0, f64::max);
    let plan = Plan::new(&Axis { ends: None, ..chart.y.clone() }, [0.0, if most > 0.0 { most } else { 1.0 }].into_iter(), 3);
    let polar = Polar { centre: [WIDTH / 2.0, top + LABELS + RADIUS], plan };
    polar.grid(&mut scene);
    for (i, one) in series.iter().enumerate() {
        let [outer, inner] = [&one.high, &one.low].map(|edge| polar.ring(&one.x, edge));
        if outer.len() > 2 && inner.len() == outer.len() {
            // Out along the upper edge and back along the lower: closed at the first point of each.
            let out = outer.iter().chain(outer.first()).copied();
            scene.area(out.chain(inner.first().copied()).chain(inner.iter().rev().copied()).collect(), Ink::Series(i), 0.2);
        }
    }
    let mut drawn = 0;
    for (i, one) in series.iter().enumerate() {
        let ring = polar.ring(&one.x, &one.y);
        drawn += ring.len();
        if ring.len() > 1 {
            scene.ring(ring, Ink::Series(i), 2.0);
        }
        for (&degrees, &value) in one.x.iter().zip(&one.y) {
            let Some(at) = polar.at(degrees, value) else { continue };
            scene.dot(at, 3.0, Ink::Series(i), 1.0);
            scene.target(at, 9.0, tip(&one.name, &[(&chart.x.words(), degrees), (&chart.y.words(), value)]));
        }
    }
    if drawn == 0 {
        scene.text("no finite values", polar.centre, LETTER, Ink::Muted, Anchor::Middle);
    }
    scene.height = polar.centre[1] + RADIUS + LABELS + LETTER + 8.0;
    scene.text(chart.y.words(), [WIDTH / 2.0, scene.height - 8.0], LETTER, Ink::Muted, Anchor::Middle);
    scene
}

struct Polar {
    centre: [f64; 2],
    plan: Plan,
}

impl Polar {
    /// Pixel of a value in a direction; values below zero stand at the centre.
    fn at(&self, degrees: f64, value: f64) -> Option<[f64; 2]> {
        if !drawable(degrees) || !drawable(value) {
            return None;
        }
        let radius = RADIUS * self.plan.held(value)?;
        Some(self.towards(degrees, radius))
    }

    fn towards(&self, degrees: f64, radius: f64) -> [f64; 2] {
        let (sin, cos) = (degrees % 360.0).to_radians().sin_cos();
        [self.centre[0] + radius * cos, self.centre[1] - radius * sin]
    }

    /// Pixels of a curve in order of direction.
    fn ring(&self, degrees: &[f64], values: &[f64]) -> Vec<[f64; 2]> {
        let mut points: Vec<(f64, [f64; 2])> =
            degrees.iter().zip(values).filter_map(|(&d, &v)| Some((d.rem_euclid(360.0), self.at(d, v)?))).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        points.into_iter().map(|p| p.1).collect()
    }

    /// Rings at the ticks, and directions every 45 degrees.
    fn grid(&self, scene: &mut Scene) {
        let circle = |radius: f64| (0..72).map(|i| self.towards(5.0 * f64::from(i), radius)).collect();
        for (value, label) in &self.plan.ticks {
            let Some(place) = self.plan.place(*value).filter(|p| *p > 0.0) else { continue };
            scene.ring(circle(RADIUS * place), Ink::Grid, 1.0);
            let at = self.towards(67.5, RADIUS * place);
            scene.text(label.clone(), [at[0], at[1] + 4.0], LETTER - 1.0, Ink::Muted, Anchor::Middle);
        }
        for degrees in (0..360).step_by(45).map(f64::from) {
            scene.line(vec![self.centre, self.towards(degrees, RADIUS)], Ink::Grid, 1.0);
            let [x, y] = self.towards(degrees, RADIUS + 18.0);
            scene.text(format!("{degrees}°"), [x, y + 4.0], LETTER, Ink::Text, Anchor::Middle);
        }
    }
}
