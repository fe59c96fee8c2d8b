//! Readout at each unit's position.

use crate::measure::{cases, close, dot, gradient, values, wide};
use proptest::prelude::*;
use proptest::sample::select;
use striate_kernels::pad::Frame;
use striate_kernels::readout::{Gather, backward, forward};
use striate_kernels::reference;

/// Positions in and around the map, none within 0.1 pixel of a kink.
fn positions(frame: Frame, n: usize) -> Vec<[f32; 2]> {
    let between = |v: f32, length: usize| {
        let position = (v * 0.5 + 0.5) * (length as f32 + 1.0);
        position.floor() - 1.0 + 0.1 + 0.8 * position.fract()
    };
    values(1, n).iter().zip(values(2, n)).map(|(x, y)| [between(*x, frame.width), between(y, frame.height)]).collect()
}

fn gathers(frame: Frame, positions: &[[f32; 2]]) -> Vec<Gather> {
    positions.iter().map(|p| Gather::new(frame, *p)).collect()
}

proptest! {
    #![proptest_config(cases(32))]

    #[test]
    fn readout_is_the_definition_and_its_gradients_the_slopes(
        (height, width, channels) in (1..=7usize, 1..=9usize, select(vec![1usize, 3, 15, 16, 17, 40])),
        (time, batch, units) in (1..=3usize, 1..=3usize, 1..=9usize),
    ) {
        let frame = Frame { height, width, channels };
        let maps = values(3, time * batch * frame.len());
        let (weights, biases, at) = (values(4, units * channels), values(5, units), positions(frame, batch * units));
        let (wm, ww, wb, wp) = (wide(&maps), wide(&weights), wide(&biases), wide(at.as_flattened()));
        let definition = |maps: &[f64], positions: &[f64], weights: &[f64], biases: &[f64]| {
            let positions: Vec<[f64; 2]> = positions.chunks_exact(2).map(|p| [p[0], p[1]]).collect();
            reference::readout(frame, maps, &positions, weights, biases)
        };
        let gathers = gathers(frame, &at);
        let mut out = vec![f32::NAN; time * batch * units];
        forward(frame, &maps, &gathers, &weights, &biases, &mut out);
        close("readout forward", &out, &definition(&wm, &wp, &ww, &wb), 2e-6);

        let dr = values(6, out.len());
        let wd = wide(&dr);
        let found = backward(frame, &maps, &gathers, &weights, &dr);
        gradient("readout maps", &found.maps, &wm, |m| dot(&definition(m, &wp, &ww, &wb), &wd));
        gradient("readout weights", &found.weights, &ww, |w| dot(&definition(&wm, &wp, w, &wb), &wd));
        gradient("readout biases", &found.biases, &wb, |b| dot(&definition(&wm, &wp, &ww, b), &wd));
        gradient("readout positions", found.positions.as_flattened(), &wp, |p| dot(&definition(&wm, p, &ww, &wb), &wd));
    }
}

#[test]
fn on_a_pixel_the_features_are_that_pixels() {
    let frame = Frame { height: 3, width: 4, channels: 2 };
    let maps = values(1, frame.len());
    for (x, y) in (0..4).flat_map(|x| (0..3).map(move |y| (x, y))) {
        let mut out = [0.0];
        forward(frame, &maps, &gathers(frame, &[[x as f32, y as f32]]), &[1.0, 10.0], &[0.5], &mut out);
        let pixel = &maps[(y * 4 + x) * 2..][..2];
        close("on a pixel", &out, &[f64::from(pixel[0]) + 10.0 * f64::from(pixel[1]) + 0.5], 1e-6);
    }
}

#[test]
fn a_nan_position_is_not_hidden() {
    let frame = Frame { height: 3, width: 4, channels: 2 };
    let mut out = [0.0, 0.0];
    let at = [[f32::NAN, 1.0], [1.0, 1.0]];
    forward(frame, &values(1, frame.len()), &gathers(frame, &at), &[1.0; 4], &[0.0; 2], &mut out);
    assert!(out[0].is_nan() && out[1].is_finite());
}
