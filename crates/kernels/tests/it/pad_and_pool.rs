//! Padding and average pooling of frames.

use crate::measure::{cases, close, dot, gradient, values, wide};
use proptest::prelude::*;
use proptest::sample::select;
use striate_kernels::pad::{Border, Frame, pad, pad_gradient};
use striate_kernels::{pool, reference};

fn frames(least: usize) -> impl Strategy<Value = Frame> {
    (least..=9usize, least..=11usize, select(vec![1usize, 3, 5, 16])).prop_map(|(height, width, channels)| Frame { height, width, channels })
}

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn padding_is_the_definition_and_its_gradient_the_slope(
        (frame, count, p) in (frames(1), 1..=3usize, 0..=3usize),
        border in select(vec![Border::Zero, Border::Replicate]),
    ) {
        let x = values(1, count * frame.len());
        let mut out = vec![f32::NAN; count * frame.padded(p).len()];
        pad(frame, p, border, &x, &mut out);
        prop_assert_eq!(wide(&out), reference::pad(frame, p, border, &wide(&x)));
        let dout = values(2, out.len());
        let mut dx = vec![f32::NAN; x.len()];
        pad_gradient(frame, p, border, &dout, &mut dx);
        gradient("pad", &dx, &wide(&x), |x| dot(&reference::pad(frame, p, border, x), &wide(&dout)));
    }

    #[test]
    fn pooling_is_the_definition_and_its_gradient_the_slope(
        (frame, count, size) in (frames(3), 1..=3usize, 1..=3usize),
        (groups, parts) in (1..=2usize, 1..=3usize),
    ) {
        let frame = Frame { channels: frame.channels * groups, ..frame };
        let x = values(1, parts * count * frame.len());
        let split: Vec<&[f32]> = x.chunks_exact(count * frame.len()).collect();
        let all = Frame { channels: parts * frame.channels, ..frame };
        // the definition: concatenate group by group, then average
        let definition = |x: &[f64]| {
            let (width, per_part) = (frame.channels / groups, count * frame.len());
            let joined: Vec<f64> = (0..count * all.len())
                .map(|i| {
                    let (pixel, c) = (i / all.channels, i % all.channels);
                    let (group, part, k) = (c / (parts * width), c / width % parts, c % width);
                    x[part * per_part + pixel * frame.channels + group * width + k]
                })
                .collect();
            reference::average_pool(all, size, &joined)
        };
        let mut out = vec![f32::NAN; count * pool::pooled(all, size).len()];
        pool::forward(frame, groups, size, &split, &mut out);
        close("pool forward", &out, &definition(&wide(&x)), 1e-6);
        let dout = values(2, out.len());
        let dx = pool::gradient(frame, groups, size, parts, &dout).concat();
        gradient("pool", &dx, &wide(&x), |x| dot(&definition(x), &wide(&dout)));
    }
}
