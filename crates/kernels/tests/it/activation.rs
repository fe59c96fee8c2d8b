//! Nonlinearities: forward to f32 rounding, slopes by finite differences, and what is not a number.

use crate::measure::{close, values, wide};
use std::f64::consts::PI;
use striate_kernels::activation::{Activation, forward, gradient};
use striate_kernels::reference;

const ALL: [Activation; 5] = [Activation::Gelu, Activation::Silu, Activation::Elu, Activation::Tanh, Activation::Identity];

/// What a network meets: dense around 0, where cancellation would show, and the tails.
fn inputs() -> Vec<f32> {
    let mut x: Vec<f32> = (-12_000..=12_000).map(|i| i as f32 * 1e-3).collect();
    x.extend(values(1, 4001).iter().map(|v| v * 4.0));
    x.extend(values(2, 1003).iter().map(|v| v * 1e-3));
    x.extend(values(3, 503).iter().map(|v| v.powi(9) * 60.0));
    x
}

fn respond(activation: Activation, x: &[f32]) -> Vec<f32> {
    let mut y = vec![0.0; x.len()];
    forward(activation, x, &mut y);
    y
}

#[test]
fn forward_is_the_definition() {
    for activation in ALL {
        let x = inputs();
        let y = respond(activation, &x);
        let expected: Vec<f64> = wide(&x).into_iter().map(|x| reference::activation(activation, x)).collect();
        close(&format!("{activation:?} forward"), &y, &expected, 3e-7);
        let mut worst = 0.0f64;
        for ((x, y), e) in x.iter().zip(&y).zip(&expected) {
            let off = (f64::from(*y) - e).abs();
            worst = worst.max(off / (e.abs() + 0.02));
            assert!(off < 4e-7 * e.abs() + 1e-8, "{activation:?}({x}) = {y}, expected {e}");
        }
        println!("error {activation:?} pointwise {worst:.2e}");
    }
}

#[test]
fn gradient_is_the_slope() {
    const STEP: f64 = 1e-5;
    for activation in ALL {
        let x = inputs();
        let d = values(4, x.len());
        let mut found = d.clone();
        gradient(activation, &x, &mut found);
        let f = |x: f64| reference::activation(activation, x);
        let slopes: Vec<f64> = wide(&x).into_iter().map(|x| (f(x + STEP) - f(x - STEP)) / (2.0 * STEP)).collect();
        let expected: Vec<f64> = slopes.iter().zip(&d).map(|(s, d)| s * f64::from(*d)).collect();
        close(&format!("{activation:?} gradient"), &found, &expected, 5e-7);
        // ELU's second derivative jumps at 0, where a central difference is off by a quarter of the step
        for ((x, found), e) in x.iter().zip(&found).zip(&expected).filter(|((x, _), _)| x.abs() > 2.0 * STEP as f32) {
            let off = (f64::from(*found) - e).abs();
            assert!(off < 1e-6 * e.abs() + 5e-7, "slope of {activation:?} at {x}: {found}, expected {e}");
        }
    }
}

#[test]
fn gain_keeps_unit_variance() {
    // 1 / (standard deviation of f(z)), z standard normal, by the midpoint rule; the reference's constants were sampled
    for activation in ALL {
        let plain = |z: f64| reference::activation(activation, z) / reference::gain(activation);
        let n = 40_000;
        let moment = |power: i32| -> f64 {
            let points = (0..n).map(|i| -10.0 + 20.0 * (f64::from(i) + 0.5) / f64::from(n));
            points.map(|z| plain(z).powi(power) * (-z * z / 2.0).exp() / (2.0 * PI).sqrt() * 20.0 / f64::from(n)).sum()
        };
        let deviation = (moment(2) - moment(1).powi(2)).sqrt();
        assert!((f64::from(activation.gain()) - 1.0 / deviation).abs() < 2e-3, "{activation:?}: {}", 1.0 / deviation);
        assert!((f64::from(activation.gain()) - reference::gain(activation)).abs() < 1e-7, "{activation:?}");
    }
}

#[test]
fn extremes_stay_finite_and_nan_stays_nan() {
    let x = [-1e20, -1e4, -200.0, -88.1, -13.5, -0.0, 0.0, 1e-40, 88.1, 200.0, 1e4, 1e20];
    for activation in ALL {
        let y = respond(activation, &x);
        let mut d = vec![1.0; x.len()];
        gradient(activation, &x, &mut d);
        for ((x, y), d) in x.iter().zip(&y).zip(&d) {
            let expected = reference::activation(activation, f64::from(*x));
            assert!((f64::from(*y) - expected).abs() <= 4e-7 * expected.abs() + 1e-8, "{activation:?}({x}) = {y}, expected {expected}");
            assert!(d.is_finite() && d.abs() < 2.1, "slope of {activation:?} at {x}: {d}");
        }
        assert!(respond(activation, &[f32::NAN; 20]).iter().all(|y| y.is_nan()), "{activation:?}");
        let mut d = vec![1.0; 20];
        gradient(activation, &[f32::NAN; 20], &mut d);
        assert!(activation == Activation::Identity || d.iter().all(|d| d.is_nan()), "{activation:?}");
    }
}
