//! L-BFGS: the minimum of a smooth function from its gradients (Nocedal and Wright 2006, algorithm 7.4).

use std::collections::VecDeque;

/// Steps whose curvature is remembered.
const MEMORY: usize = 10;
/// Weak Wolfe conditions: share of the slope by which the value must fall, and that the new slope must have lost.
const SUFFICIENT: f64 = 1e-4;
const CURVATURE: f64 = 0.9;
/// Halvings and doublings of one step before the function is taken to be flat up to rounding.
const TRIALS: usize = 40;

/// Where the search ended.
pub(super) struct Minimum {
    pub(super) at: Vec<f64>,
    pub(super) steps: usize,
    /// Whether the length of the gradient fell to the tolerance.
    pub(super) converged: bool,
}

/// A point with its value and gradient.
struct Point {
    at: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
}

/// A remembered step, gradient change, and 1 over their product.
type Pair = (Vec<f64>, Vec<f64>, f64);

/// Minimises `objective`, which writes its gradient and returns its value, from `start` until the gradient is no longer
/// than `tolerance`, at most `limit` steps. `precondition` multiplies by an estimate of the inverse Hessian, symmetric and positive.
pub(super) fn minimise(
    start: Vec<f64>,
    tolerance: f64,
    limit: usize,
    precondition: impl Fn(&mut [f64]),
    mut objective: impl FnMut(&[f64], &mut [f64]) -> f64,
) -> Minimum {
    let mut evaluate = |at: Vec<f64>| {
        let mut gradient = vec![0.0; at.len()];
        let value = objective(&at, &mut gradient);
        Point { at, value, gradient }
    };
    let mut point = evaluate(start);
    let mut memory: VecDeque<Pair> = VecDeque::with_capacity(MEMORY);
    let mut steps = 0;
    loop {
        let converged = dot(&point.gradient, &point.gradient).sqrt() <= tolerance;
        if converged || steps == limit {
            return Minimum { at: point.at, steps, converged };
        }
        let direction = direction(&point.gradient, &memory, &precondition);
        let Some(next) = step(&point, &direction, &mut evaluate) else {
            return Minimum { at: point.at, steps, converged };
        };
        let moved: Vec<f64> = next.at.iter().zip(&point.at).map(|(a, b)| a - b).collect();
        let change: Vec<f64> = next.gradient.iter().zip(&point.gradient).map(|(a, b)| a - b).collect();
        let curvature = dot(&moved, &change);
        if curvature > 0.0 {
            memory.truncate(MEMORY - 1);
            memory.push_front((moved, change, 1.0 / curvature));
        }
        point = next;
        steps += 1;
    }
}

/// Minus the inverse Hessian times the gradient: the two-loop recursion, newest pair first.
fn direction(gradient: &[f64], memory: &VecDeque<Pair>, precondition: impl Fn(&mut [f64])) -> Vec<f64> {
    let mut d: Vec<f64> = gradient.iter().map(|g| -g).collect();
    let along: Vec<f64> = memory
        .iter()
        .map(|(moved, change, inverse)| {
            let along = inverse * dot(moved, &d);
            add(&mut d, -along, change);
            along
        })
        .collect();
    let scale = memory.front().map_or(1.0, |(_, change, inverse)| {
        let mut turned = change.clone();
        precondition(&mut turned);
        1.0 / (inverse * dot(change, &turned))
    });
    precondition(&mut d);
    d.iter_mut().for_each(|v| *v *= scale);
    for ((moved, change, inverse), along) in memory.iter().zip(along).rev() {
        let back = inverse * dot(change, &d);
        add(&mut d, along - back, moved);
    }
    d
}

/// A step along `direction` that meets the weak Wolfe conditions, by bisection (Lewis and Overton 2013); `None` if the function
/// does not fall along it.
fn step(from: &Point, direction: &[f64], evaluate: &mut impl FnMut(Vec<f64>) -> Point) -> Option<Point> {
    let slope = dot(&from.gradient, direction);
    if slope.is_nan() || slope >= 0.0 {
        return None;
    }
    let (mut low, mut high, mut length) = (0.0, f64::INFINITY, 1.0);
    let mut fallen = None;
    for _ in 0..TRIALS {
        let mut at = from.at.clone();
        add(&mut at, length, direction);
        let point = evaluate(at);
        // NaN, where the step overflowed, is no fall
        let falls = point.value <= from.value + SUFFICIENT * length * slope;
        if !falls {
            high = length;
        } else if dot(&point.gradient, direction) < CURVATURE * slope {
            low = length;
            fallen = Some(point);
        } else {
            return Some(point);
        }
        length = if high.is_finite() { (low + high) / 2.0 } else { 2.0 * low };
    }
    fallen
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(to: &mut [f64], times: f64, what: &[f64]) {
    to.iter_mut().zip(what).for_each(|(t, w)| *t += times * w);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rosenbrock(x: &[f64], gradient: &mut [f64]) -> f64 {
        let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
        gradient.copy_from_slice(&[-2.0 * a - 400.0 * x[0] * b, 200.0 * b]);
        a * a + 100.0 * b * b
    }

    #[test]
    fn finds_the_bottom_of_a_curved_valley() {
        let found = minimise(vec![-1.2, 1.0], 1e-9, 200, |_| (), rosenbrock);
        assert!(found.converged && found.steps < 60, "{} steps", found.steps);
        assert!(found.at.iter().all(|x| (x - 1.0).abs() < 1e-8), "{:?}", found.at);
    }

    #[test]
    fn the_inverse_hessian_of_a_quadratic_needs_one_step() {
        let stiff = |x: &[f64], gradient: &mut [f64]| {
            let weights = [1e-3, 1.0, 1e4];
            (0..3).for_each(|i| gradient[i] = weights[i] * (x[i] - 2.0));
            (0..3).map(|i| weights[i] * (x[i] - 2.0) * (x[i] - 2.0) / 2.0).sum()
        };
        let inverse = |v: &mut [f64]| v.iter_mut().zip([1e3, 1.0, 1e-4]).for_each(|(v, i)| *v *= i);
        let found = minimise(vec![0.0; 3], 1e-9, 100, inverse, stiff);
        assert!(found.converged && found.steps == 1, "{} steps", found.steps);
    }

    #[test]
    fn an_endless_slope_ends_without_convergence() {
        let line = |x: &[f64], gradient: &mut [f64]| {
            gradient[0] = 1.0;
            x[0]
        };
        assert!(!minimise(vec![0.0], 1e-9, 5, |_| (), line).converged);
        let nothing = |_: &[f64], gradient: &mut [f64]| {
            gradient[0] = f64::NAN;
            f64::NAN
        };
        assert!(!minimise(vec![0.0], 1e-9, 5, |_| (), nothing).converged);
    }
}
