//! Padding of channels-last frames in space, and its gradient.

use rayon::prelude::*;

/// What lies outside a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Border {
    /// Zeros.
    Zero,
    /// The nearest pixel.
    Replicate,
}

/// Height, width and channels of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// H.
    pub height: usize,
    /// W.
    pub width: usize,
    /// C.
    pub channels: usize,
}

impl Frame {
    /// Floats in a frame.
    pub fn len(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// Whether the frame holds nothing.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The frame with `p` more pixels on each side.
    pub fn padded(&self, p: usize) -> Self {
        Self { height: self.height + 2 * p, width: self.width + 2 * p, ..*self }
    }
}

/// Copies frames [F, H, W, C] into the middle of [F, H + 2p, W + 2p, C].
pub fn pad(frame: Frame, p: usize, border: Border, x: &[f32], out: &mut [f32]) {
    let padded = frame.padded(p);
    assert_eq!(x.len() / frame.len(), out.len() / padded.len());
    out.par_chunks_mut(padded.len()).zip(x.par_chunks(frame.len())).for_each(|(out, x)| {
        let row = frame.width * frame.channels;
        for (y, out) in out.chunks_exact_mut(padded.width * frame.channels).enumerate() {
            let inside = y.saturating_sub(p).min(frame.height - 1);
            if border == Border::Zero && inside + p != y {
                out.fill(0.0);
                continue;
            }
            let (left, rest) = out.split_at_mut(p * frame.channels);
            let (middle, right) = rest.split_at_mut(row);
            middle.copy_from_slice(&x[inside * row..][..row]);
            match border {
                Border::Zero => {
                    left.fill(0.0);
                    right.fill(0.0);
                }
                Border::Replicate => {
                    left.chunks_exact_mut(frame.channels).for_each(|l| l.copy_from_slice(&middle[..frame.channels]));
                    right.chunks_exact_mut(frame.channels).for_each(|r| r.copy_from_slice(&middle[row - frame.channels..]));
                }
            }
        }
    });
}

/// Gradient of [`pad`]: padded gradients [F, H + 2p, W + 2p, C] to [F, H, W, C].
pub fn pad_gradient(frame: Frame, p: usize, border: Border, dout: &[f32], dx: &mut [f32]) {
    let padded = frame.padded(p);
    assert_eq!(dx.len() / frame.len(), dout.len() / padded.len());
    dx.par_chunks_mut(frame.len()).zip(dout.par_chunks(padded.len())).for_each(|(dx, dout)| {
        dx.fill(0.0);
        for y in 0..padded.height {
            for x in 0..padded.width {
                let (iy, ix) = (y.saturating_sub(p).min(frame.height - 1), x.saturating_sub(p).min(frame.width - 1));
                if border == Border::Zero && (iy + p != y || ix + p != x) {
                    continue;
                }
                let from = &dout[(y * padded.width + x) * frame.channels..][..frame.channels];
                dx[(iy * frame.width + ix) * frame.channels..][..frame.channels].iter_mut().zip(from).for_each(|(d, g)| *d += g);
            }
        }
    });
}
