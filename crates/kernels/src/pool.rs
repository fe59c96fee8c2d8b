//! Average pooling of channels-last frames, window = stride, remainder dropped.

use crate::pad::Frame;
use rayon::prelude::*;

/// The frame after pooling by `size`.
pub fn pooled(frame: Frame, size: usize) -> Frame {
    Frame { height: frame.height / size, width: frame.width / size, ..frame }
}

/// `out [F, H / size, W / size, C]`: means of `size x size` windows.
pub fn forward(frame: Frame, size: usize, x: &[f32], out: &mut [f32]) {
    let small = pooled(frame, size);
    let scale = 1.0 / (size * size) as f32;
    out.par_chunks_mut(small.len()).zip(x.par_chunks(frame.len())).for_each(|(out, x)| {
        for (pixel, out) in out.chunks_exact_mut(frame.channels).enumerate() {
            let (y, x0) = (pixel / small.width * size, pixel % small.width * size);
            out.fill(0.0);
            for (dy, dx) in (0..size * size).map(|i| (i / size, i % size)) {
                let from = &x[((y + dy) * frame.width + x0 + dx) * frame.channels..][..frame.channels];
                out.iter_mut().zip(from).for_each(|(o, v)| *o += v);
            }
            out.iter_mut().for_each(|o| *o *= scale);
        }
    });
}

/// Gradient of [`forward`] with respect to its input.
pub fn gradient(frame: Frame, size: usize, dout: &[f32], dx: &mut [f32]) {
    let small = pooled(frame, size);
    let scale = 1.0 / (size * size) as f32;
    dx.par_chunks_mut(frame.len()).zip(dout.par_chunks(small.len())).for_each(|(dx, dout)| {
        dx.fill(0.0);
        for (pixel, d) in dout.chunks_exact(frame.channels).enumerate() {
            let (y, x0) = (pixel / small.width * size, pixel % small.width * size);
            for (dy, dx_) in (0..size * size).map(|i| (i / size, i % size)) {
                let to = &mut dx[((y + dy) * frame.width + x0 + dx_) * frame.channels..][..frame.channels];
                to.iter_mut().zip(d).for_each(|(t, d)| *t = d * scale);
            }
        }
    });
}
