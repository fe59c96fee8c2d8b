//! Values that a stimulus takes: one, each of a list, or any of a range.

use crate::error::{Error, within};
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// One value, a list, or a range. Written `0.04`, `[0.02, 0.04]` or `{ from = 0.02, to = 0.16 }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields, expecting = "expected a number, a list of numbers, or { from = number, to = number }")]
pub enum Values {
    /// The same always.
    One(f64),
    /// Each in turn.
    Each(Vec<f64>),
    /// Drawn anew each time, evenly.
    Between {
        /// Least.
        from: f64,
        /// Most.
        to: f64,
    },
}

/// Over what a range is even.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Even {
    /// Over the values themselves.
    Values,
    /// Over their logarithms: as much in each octave.
    Octaves,
}

/// Most values of a list.
const MOST: usize = 10_000;

impl Values {
    /// `count` directions that divide the circle evenly, from 0 on; degrees.
    pub fn directions(count: usize) -> Self {
        Self::Each((0..count).map(|k| k as f64 * 360.0 / count as f64).collect())
    }

    pub(crate) fn check(&self, of: &'static str, field: &'static str, range: [f64; 2], even: Even, expected: &'static str) -> Result<(), Error> {
        let refused = |expected, got: String| Err(Error::Setting { of, field, expected, got });
        match self {
            Self::One(value) => within(of, field, *value, range, expected),
            Self::Each(values) if values.is_empty() || values.len() > MOST => {
                refused("1 to 10000 values in the list", format!("{} of them", values.len()))
            }
            Self::Each(values) => values.iter().try_for_each(|value| within(of, field, *value, range, expected)),
            Self::Between { from, to } => {
                within(of, field, *from, range, expected)?;
                within(of, field, *to, range, expected)?;
                if from > to || (even == Even::Octaves && *from <= 0.0) {
                    return refused("a range from low to high, above 0 for frequencies", format!("{from} to {to}"));
                }
                Ok(())
            }
        }
    }

    /// How many conditions these values make; a range is one.
    pub(crate) fn count(&self) -> usize {
        if let Self::Each(values) = self { values.len() } else { 1 }
    }

    /// The value of a condition, or one of the range.
    pub(crate) fn at(&self, condition: usize, even: Even, rng: &mut ChaCha8Rng) -> f64 {
        let mut between = |low: f64, high: f64| low + (high - low) * rng.random::<f64>();
        match (self, even) {
            (Self::One(value), _) => *value,
            (Self::Each(values), _) => values[condition],
            (Self::Between { from, to }, Even::Values) => between(*from, *to),
            (Self::Between { from, to }, Even::Octaves) => libm::exp(between(libm::log(*from), libm::log(*to))),
        }
    }

    /// Any of the values.
    pub(crate) fn draw(&self, even: Even, rng: &mut ChaCha8Rng) -> f64 {
        let condition = if self.count() > 1 { rng.random_range(0..self.count()) } else { 0 };
        self.at(condition, even, rng)
    }
}

/// Conditions in random order: each once before any comes again.
pub(crate) struct Deck {
    conditions: Vec<usize>,
    left: usize,
}

impl Deck {
    pub(crate) fn new(count: usize) -> Self {
        Self { conditions: (0..count).collect(), left: 0 }
    }

    pub(crate) fn draw(&mut self, rng: &mut ChaCha8Rng) -> usize {
        if self.left == 0 {
            self.left = self.conditions.len();
            if self.left > 1 {
                self.conditions.shuffle(rng);
            }
        }
        self.left -= 1;
        self.conditions[self.left]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn a_deck_deals_every_condition_before_any_again() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut deck = Deck::new(7);
        let mut orders = Vec::new();
        for _ in 0..4 {
            let order: Vec<usize> = (0..7).map(|_| deck.draw(&mut rng)).collect();
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, [0, 1, 2, 3, 4, 5, 6]);
            orders.push(order);
        }
        assert!(orders[0] != orders[1] || orders[1] != orders[2], "always the same order");
    }

    #[test]
    fn ranges_are_even_over_octaves() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let range = Values::Between { from: 1.0, to: 4.0 };
        let below_two = (0..4000).filter(|_| range.draw(Even::Octaves, &mut rng) < 2.0).count();
        assert!((below_two as f64 / 4000.0 - 0.5).abs() < 0.03, "{below_two}");
    }
}
