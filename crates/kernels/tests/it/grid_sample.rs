//! Bilinear sampling, inside the image, on its edge and outside.

use crate::measure::{cases, close, dot, gradient, values, wide};
use proptest::prelude::*;
use proptest::sample::select;
use striate_kernels::grid_sample::{backward, forward};
use striate_kernels::pad::{Border, Frame};
use striate_kernels::reference;

fn frames() -> impl Strategy<Value = (Frame, Border)> {
    (1..=9usize, 1..=11usize, select(vec![1usize, 3, 16, 17]), select(vec![Border::Zero, Border::Replicate]))
        .prop_map(|(height, width, channels, border)| (Frame { height, width, channels }, border))
}

/// Positions from two pixels left of the image to two pixels right of it, none within 0.1 pixel of a kink.
fn points(frame: Frame, n: usize) -> Vec<[f32; 2]> {
    let between = |v: f32, length: usize| {
        let position = (v * 0.5 + 0.5) * (length as f32 + 3.0);
        position.floor() - 2.0 + 0.1 + 0.8 * position.fract()
    };
    values(1, n).iter().zip(values(2, n)).map(|(x, y)| [between(*x, frame.width), between(y, frame.height)]).collect()
}

fn definition(frame: Frame, border: Border, image: &[f64], points: &[f64]) -> Vec<f64> {
    points.chunks_exact(2).flat_map(|p| reference::bilinear(frame, border, image, [p[0], p[1]])).collect()
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn forward_is_the_definition((frame, border) in frames()) {
        let image = values(3, frame.len());
        let mut points = points(frame, 60);
        // on pixels, on the edges, far away
        let (right, bottom) = (frame.width as f32 - 1.0, frame.height as f32 - 1.0);
        points.extend([[0.0, 0.0], [right, bottom], [right, 0.25], [-1.0, 0.0], [right + 1.0, bottom], [0.0, bottom + 1.0], [1e9, -1e9], [-1e30, 1e30]]);
        let mut out = vec![f32::NAN; points.len() * frame.channels];
        forward(frame, border, &image, &points, &mut out);
        close("bilinear forward", &out, &definition(frame, border, &wide(&image), &wide(points.as_flattened())), 1e-6);
    }

    #[test]
    fn gradients_are_the_slopes((frame, border) in frames()) {
        let (image, points) = (values(3, frame.len()), points(frame, 23));
        let dout = values(4, points.len() * frame.channels);
        let mut dpoints = vec![[f32::NAN; 2]; points.len()];
        let before = values(5, frame.len());
        let mut dimage = before.clone();
        backward(frame, border, &image, &points, &dout, &mut dpoints, Some(&mut dimage));
        let (wi, wp, wd) = (wide(&image), wide(points.as_flattened()), wide(&dout));
        gradient("bilinear positions", dpoints.as_flattened(), &wp, |p| dot(&definition(frame, border, &wi, p), &wd));
        // the image's gradient is added to what is there
        let added = wide(&before);
        gradient("bilinear image", &dimage, &wi, |i| dot(&definition(frame, border, i, &wp), &wd) + dot(&added, i));
        let mut alone = vec![[f32::NAN; 2]; points.len()];
        backward(frame, border, &image, &points, &dout, &mut alone, None);
        prop_assert_eq!(alone, dpoints);
    }
}

#[test]
fn a_position_held_at_the_edge_has_no_gradient() {
    let frame = Frame { height: 3, width: 4, channels: 2 };
    let image = values(1, frame.len());
    let points = [[-0.5, 1.25], [3.5, 1.25], [1.25, -2.0], [1.25, 2.5]];
    let mut d = [[f32::NAN; 2]; 4];
    backward(frame, Border::Replicate, &image, &points, &[1.0; 8], &mut d, None);
    assert!(d[0][0] == 0.0 && d[1][0] == 0.0 && d[2][1] == 0.0 && d[3][1] == 0.0);
    assert!(d[0][1] != 0.0 && d[1][1] != 0.0 && d[2][0] != 0.0 && d[3][0] != 0.0);
}
