//! Axes: which range is shown, where its ticks are and what stands beside them.

use crate::chart::{Axis, Scale};

/// Beyond this a value counts as infinite: an axis to there would overflow.
const HUGE: f64 = 1e150;
/// A range below this is no range: its steps would underflow.
const TINY: f64 = 1e-140;

/// An axis laid out: its range, its ticks, its words.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plan {
    /// Value at the axis's beginning; above `high` if the axis runs backwards.
    pub low: f64,
    /// Value at its end.
    pub high: f64,
    /// Whether equal ratios are equally far apart.
    pub log: bool,
    /// Places of ticks, and their labels.
    pub ticks: Vec<(f64, String)>,
    /// Quantity and unit.
    pub words: String,
}

/// Whether a value can be drawn.
pub(crate) fn drawable(value: f64) -> bool {
    value.abs() < HUGE
}

impl Plan {
    /// Lays an axis out for these values, with about `about` steps.
    pub fn new(axis: &Axis, values: impl Iterator<Item = f64>, about: usize) -> Self {
        let log = axis.scale == Scale::Log;
        let shown = |v: &f64| drawable(*v) && (!log || *v > TINY);
        let given = axis.ends.filter(|[a, b]| shown(a) && shown(b) && b - a > TINY);
        let (low, high) = match given {
            Some([low, high]) => (low, high),
            None => values.filter(shown).fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v))),
        };
        let plan = match axis.scale {
            Scale::Log => logarithmic(low, high, given.is_some()),
            Scale::Linear => linear(low, high, about, given.is_some(), 0.0),
            Scale::Whole => linear(low, high, about, given.is_some(), 1.0),
        };
        Self { words: axis.words(), ..plan }
    }

    /// An axis with one place for each name, from 0; `backwards` runs down a page.
    pub fn named(words: String, names: &[String], backwards: bool) -> Self {
        let ticks = names.iter().enumerate().map(|(i, name)| (i as f64, name.clone())).collect();
        let (low, high) = (-0.5, names.len().max(1) as f64 - 0.5);
        let (low, high) = if backwards { (high, low) } else { (low, high) };
        Self { low, high, log: false, ticks, words }
    }

    /// Where a value is: 0 at the axis's beginning, 1 at its end. `None` for what lies outside or cannot be drawn.
    pub fn place(&self, value: f64) -> Option<f64> {
        let place = if self.log { (value / self.low).ln() / (self.high / self.low).ln() } else { (value - self.low) / (self.high - self.low) };
        (drawable(value) && (-1e-9..=1.0 + 1e-9).contains(&place)).then_some(place.clamp(0.0, 1.0))
    }

    /// The same for edges of what lies partly outside: the nearer end. `None` for what cannot be drawn.
    pub fn held(&self, value: f64) -> Option<f64> {
        let (least, most) = (self.low.min(self.high), self.low.max(self.high));
        if value.is_nan() { None } else { self.place(value.clamp(least, most)) }
    }
}

/// Ticks at 1, 2 or 5 times a power of ten. The range grows to whole steps unless it was given (`fixed`); no step is below `least`.
fn linear(low: f64, high: f64, about: usize, fixed: bool, least: f64) -> Plan {
    let (low, high) = widened(low, high);
    let step = nice((high - low) / about.max(1) as f64).max(least);
    let (first, last) =
        if fixed { ((low / step - 1e-9).ceil(), (high / step + 1e-9).floor()) } else { ((low / step + 1e-9).floor(), (high / step - 1e-9).ceil()) };
    let last = if fixed { last } else { last.max(first + 1.0) };
    // A range as wide as half of what can be drawn has few steps; one far from zero loses steps to rounding, never more than these.
    let values: Vec<f64> = (0..=((last - first).clamp(0.0, 100.0) as usize)).map(|i| (first + i as f64) * step).collect();
    let largest = values.iter().fold(0.0f64, |m, v| m.max(v.abs()));
    let ticks = values.iter().map(|&v| (v, tick(v, step, largest))).collect();
    let (low, high) = if fixed { (low, high) } else { (first * step, last * step) };
    Plan { low, high, log: false, ticks, words: String::new() }
}

/// Ticks at powers of ten, and at 2 and 5 times those where there are few.
fn logarithmic(low: f64, high: f64, fixed: bool) -> Plan {
    let (low, high) = if low.is_finite() && high.is_finite() { (low, high) } else { (1.0, 10.0) };
    let (first, mut last) = (low.log10().floor(), high.log10().ceil());
    if last <= first {
        last = first + 1.0;
    }
    let decades = (last - first) as usize;
    let every = decades.div_ceil(6).max(1);
    let within: &[f64] = if decades <= 2 { &[1.0, 2.0, 5.0] } else { &[1.0] };
    let powers = (0..=decades).step_by(every).map(|d| 10f64.powi((first + d as f64) as i32));
    let (low, high) = if fixed { (low, high) } else { (10f64.powi(first as i32), 10f64.powi(last as i32)) };
    let values = powers.flat_map(|p| within.iter().map(move |w| p * w)).filter(|v| (low * 0.999..=high * 1.001).contains(v));
    let ticks = values.map(|v| (v, significant(v))).collect();
    Plan { low, high, log: true, ticks, words: String::new() }
}

/// A range that is one: not empty, not narrower than its values are exact.
fn widened(low: f64, high: f64) -> (f64, f64) {
    if !(low.is_finite() && high.is_finite()) {
        return (0.0, 1.0);
    }
    let size = low.abs().max(high.abs());
    if size < TINY {
        return (-0.01, 0.01);
    }
    let air = if high > low { 0.0f64.max(size * 1e-6 - (high - low)) } else { size * 0.05 };
    (low - air, high + air)
}

/// The least of 1, 2 and 5 times a power of ten that is not below `step`.
fn nice(step: f64) -> f64 {
    let power = 10f64.powf(step.log10().floor());
    [1.0, 2.0, 5.0].into_iter().map(|m| m * power).find(|s| *s >= step * (1.0 - 1e-9)).unwrap_or(10.0 * power)
}

/// A number at a tick: as many digits as the step needs, in powers of ten where it would be long.
fn tick(value: f64, step: f64, largest: f64) -> String {
    let digits = -(step.log10() + 1e-9).floor();
    if value == 0.0 {
        return "0".into();
    }
    if largest >= 1e5 || digits > 5.0 {
        let digits = (value.abs().log10() + digits + 1e-9).floor().clamp(0.0, 7.0) as usize;
        return format!("{value:.digits$e}");
    }
    format!("{value:.*}", digits.max(0.0) as usize)
}

/// Four significant digits; a dash for NaN.
pub(crate) fn significant(value: f64) -> String {
    if value.is_nan() {
        return "–".into();
    }
    if value == 0.0 || !value.is_finite() {
        return format!("{value:.0}");
    }
    let digits = 3 - value.abs().log10().floor() as i32;
    if value.fract() == 0.0 && value.abs() < 1e7 {
        return format!("{value:.0}");
    }
    if (0..=7).contains(&digits) {
        let written = format!("{value:.*}", digits as usize);
        // Zeros that say nothing are left out: 0.5, not 0.5000.
        return if written.contains('.') { written.trim_end_matches('0').trim_end_matches('.').to_owned() } else { written };
    }
    if value.abs() < 1e7 && digits < 0 { format!("{value:.0}") } else { format!("{value:.3e}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plan(scale: Scale, values: &[f64]) -> Plan {
        Plan::new(&Axis::new("", "").scaled(scale), values.iter().copied(), 6)
    }

    #[test]
    fn ticks_of_known_ranges() {
        let labels = |p: Plan| p.ticks.into_iter().map(|t| t.1).collect::<Vec<_>>().join(" ");
        assert_eq!(labels(plan(Scale::Linear, &[0.03, 0.98])), "0 0.2 0.4 0.6 0.8 1.0");
        assert_eq!(labels(plan(Scale::Whole, &[1.0, 3.0])), "1 2 3");
        assert_eq!(labels(plan(Scale::Log, &[3.0, 4000.0])), "1 10 100 1000 10000");
        assert_eq!(labels(plan(Scale::Linear, &[f64::NAN])), "0 0.2 0.4 0.6 0.8 1.0");
        assert_eq!(labels(plan(Scale::Linear, &[0.0, 3e7])), "0 5e6 1.0e7 1.5e7 2.0e7 2.5e7 3.0e7");
    }

    #[test]
    fn numbers_are_short() {
        let written = [0.5, 12.3456, 1e-9, 0.0, f64::NAN, 123456.0, 1.0 / 3.0].map(significant);
        assert_eq!(written, ["0.5", "12.35", "1.000e-9", "0", "–", "123456", "0.3333"]);
    }

    proptest! {
        /// Nice ticks cover the data, are few, and lie at 1, 2 or 5 times a power of ten.
        #[test]
        fn ticks_cover_the_data(a in -1e6..1e6f64, span in 1e-3..1e6f64, about in 2usize..10) {
            let p = Plan::new(&Axis::default(), [a, a + span].into_iter(), about);
            prop_assert!(p.low <= a + span * 1e-6 && p.high >= a + span * (1.0 - 1e-6), "{p:?}");
            prop_assert!(p.ticks.len() >= 2 && p.ticks.len() <= about + 3, "{p:?}");
            let step = p.ticks[1].0 - p.ticks[0].0;
            let leading = step / 10f64.powf((step * (1.0 + 1e-6)).log10().floor());
            prop_assert!([1.0, 2.0, 5.0].iter().any(|m| (leading - m).abs() < 1e-3), "{step}");
            let labels: std::collections::BTreeSet<_> = p.ticks.iter().map(|t| &t.1).collect();
            prop_assert_eq!(labels.len(), p.ticks.len(), "labels differ");
        }

        /// Whatever comes, an axis is finite and places what it can draw.
        #[test]
        fn any_values_give_an_axis(values in proptest::collection::vec(proptest::num::f64::ANY, 0..6), log in any::<bool>()) {
            let p = plan(if log { Scale::Log } else { Scale::Linear }, &values);
            prop_assert!(p.low.is_finite() && p.high.is_finite() && p.low < p.high, "{p:?}");
            prop_assert!(p.ticks.len() < 110 && p.ticks.iter().all(|t| t.0.is_finite()), "{p:?}");
            for v in values.into_iter().filter(|v| drawable(*v) && (!log || *v > TINY)) {
                prop_assert!(p.place(v).is_some_and(f64::is_finite), "{v} on {p:?}");
            }
        }
    }
}
