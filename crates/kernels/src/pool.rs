//! Group-wise concatenation and average pooling of channels-last frames in one pass, window = stride, remainder dropped.
//!
//! Concatenated channels are group-major: for each group, the group's channels of each part in turn.

use crate::pad::Frame;
use rayon::prelude::*;

/// The frame after pooling by `size`.
pub fn pooled(frame: Frame, size: usize) -> Frame {
    Frame { height: frame.height / size, width: frame.width / size, ..frame }
}

/// `out [F, H / size, W / size, parts * C]`: means of `size x size` windows of the parts [F, H, W, C], group by group.
pub fn forward<P: AsRef<[f32]> + Sync>(frame: Frame, groups: usize, size: usize, parts: &[P], out: &mut [f32]) {
    let small = pooled(frame, size);
    let (total, width) = (parts.len() * frame.channels, frame.channels / groups);
    let scale = 1.0 / (size * size) as f32;
    out.par_chunks_mut(small.height * small.width * total).enumerate().for_each(|(f, out)| {
        for (pixel, out) in out.chunks_exact_mut(total).enumerate() {
            let corner = (pixel / small.width * frame.width + pixel % small.width) * size;
            for (place, out) in out.chunks_exact_mut(width).enumerate() {
                let (group, part) = (place / parts.len(), &parts[place % parts.len()].as_ref()[f * frame.len()..]);
                let at = |dy: usize, dx: usize| &part[(corner + dy * frame.width + dx) * frame.channels + group * width..][..width];
                out.copy_from_slice(at(0, 0));
                if size == 1 {
                    continue;
                }
                for (dy, dx) in (1..size * size).map(|i| (i / size, i % size)) {
                    out.iter_mut().zip(at(dy, dx)).for_each(|(o, v)| *o += v);
                }
                out.iter_mut().for_each(|o| *o *= scale);
            }
        }
    });
}

/// Gradients of [`forward`] with respect to each part.
pub fn gradient(frame: Frame, groups: usize, size: usize, parts: usize, dout: &[f32]) -> Vec<Vec<f32>> {
    let small = pooled(frame, size);
    let (total, width) = (parts * frame.channels, frame.channels / groups);
    let scale = 1.0 / (size * size) as f32;
    let frames = dout.len() / (small.height * small.width * total);
    let of_part = |part: usize| {
        let mut d = vec![0.0; frames * frame.len()];
        d.par_chunks_mut(frame.len()).zip(dout.par_chunks(small.height * small.width * total)).for_each(|(d, dout)| {
            for (pixel, dout) in dout.chunks_exact(total).enumerate() {
                let corner = (pixel / small.width * frame.width + pixel % small.width) * size;
                for (dy, dx) in (0..size * size).map(|i| (i / size, i % size)) {
                    let to = &mut d[(corner + dy * frame.width + dx) * frame.channels..][..frame.channels];
                    for (group, to) in to.chunks_exact_mut(width).enumerate() {
                        let from = &dout[(group * parts + part) * width..][..width];
                        to.iter_mut().zip(from).for_each(|(t, d)| *t = d * scale);
                    }
                }
            }
        });
        d
    };
    (0..parts).map(of_part).collect()
}
