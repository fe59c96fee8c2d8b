//! Grouped convolution over channels-last frames, causal in time: forward, input gradient, weight gradient.
//!
//! Frames are padded in space and time beforehand (`pad`), so no kernel has an edge case. Every output row is a sum of
//! small products, one per tap (frame, row, column of the kernel); see [`crate::matmul`] for the register tile.
//! Work is cut by frame and row, never by thread: bits do not depend on the number of threads.

use crate::matmul::{Start, row_block};
use crate::simd::{Kernel, Lanes, block_width, dispatch};
use rayon::prelude::*;

/// Shape of a convolution. Weights are `[groups * cout, cin, kt, k, k]`, as the reference stores them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvShape {
    /// Channel groups.
    pub groups: usize,
    /// Input channels per group.
    pub cin: usize,
    /// Output channels per group.
    pub cout: usize,
    /// Temporal kernel, frames; index 0 is the oldest.
    pub kt: usize,
    /// Spatial kernel.
    pub k: usize,
    /// Spatial stride.
    pub stride: usize,
}

/// How far the frames go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Output frames: T * N, time-major.
    pub frames: usize,
    /// N: distance in frames between neighbours in time.
    pub batch: usize,
    /// Padded height.
    pub height: usize,
    /// Padded width.
    pub width: usize,
}

impl ConvShape {
    /// Input channels of all groups.
    pub fn channels_in(&self) -> usize {
        self.groups * self.cin
    }

    /// Output channels of all groups.
    pub fn channels_out(&self) -> usize {
        self.groups * self.cout
    }

    /// Inputs that one output sums over.
    pub fn fan_in(&self) -> usize {
        self.cin * self.kt * self.k * self.k
    }

    /// Number of weights.
    pub fn weights(&self) -> usize {
        self.channels_out() * self.fan_in()
    }

    fn taps(&self) -> usize {
        self.kt * self.k * self.k
    }

    /// Output height and width for padded frames.
    pub fn output(&self, e: &Extent) -> (usize, usize) {
        ((e.height - self.k) / self.stride + 1, (e.width - self.k) / self.stride + 1)
    }

    /// Frames the padded input holds: the output's and `kt - 1` earlier ones per batch element.
    pub fn input_frames(&self, e: &Extent) -> usize {
        e.frames + (self.kt - 1) * e.batch
    }

    /// Distance of each tap from the first one, in floats of the padded input.
    fn tap_offsets(&self, e: &Extent) -> Vec<usize> {
        let row = e.width * self.channels_in();
        let frame = e.height * row;
        let mut taps = Vec::with_capacity(self.taps());
        for t in 0..self.kt {
            for y in 0..self.k {
                for x in 0..self.k {
                    taps.push(t * e.batch * frame + y * row + x * self.channels_in());
                }
            }
        }
        taps
    }

    /// A 1x1 convolution has no neighbours: all pixels of all frames form one long row.
    fn flattened(&self, e: &Extent) -> Extent {
        const ROW: usize = 384; // most pixels per piece of work
        let pixels = e.frames * e.height * e.width;
        if self.taps() > 1 || self.stride > 1 || pixels == 0 {
            return *e;
        }
        let row = (1..=ROW.min(pixels)).rev().find(|row| pixels.is_multiple_of(*row)).unwrap_or(1);
        Extent { frames: pixels / row, batch: 1, height: 1, width: row }
    }

    /// Length of one packed group-block `[tap][cin][width]` and the number of blocks per group.
    fn blocks(&self) -> (usize, usize, usize) {
        let width = block_width(self.cout);
        (width, self.cout.div_ceil(width), self.taps() * self.cin * width)
    }

    /// The shape whose forward pass is this one's input gradient (stride 1).
    fn transposed(&self) -> Self {
        Self { cin: self.cout, cout: self.cin, ..*self }
    }
}

/// Packs weights for [`forward`]: `[group][block][tap][cin][width]`.
pub fn pack(s: &ConvShape, weights: &[f32]) -> Vec<f32> {
    pack_by(s, |g, co, ci, tap| weights[((g * s.cout + co) * s.cin + ci) * s.taps() + tap])
}

/// Packs weights for [`input_gradient`]: taps reversed, input and output channels exchanged.
pub fn pack_transposed(s: &ConvShape, weights: &[f32]) -> Vec<f32> {
    let last = s.taps() - 1;
    pack_by(&s.transposed(), |g, co, ci, tap| weights[((g * s.cout + ci) * s.cin + co) * s.taps() + last - tap])
}

fn pack_by(s: &ConvShape, weight: impl Fn(usize, usize, usize, usize) -> f32) -> Vec<f32> {
    let (width, blocks, length) = s.blocks();
    let mut packed = vec![0.0; s.groups * blocks * length];
    for g in 0..s.groups {
        for co in 0..s.cout {
            let block = (g * blocks + co / width) * length + co % width;
            for tap in 0..s.taps() {
                for ci in 0..s.cin {
                    packed[block + (tap * s.cin + ci) * width] = weight(g, co, ci, tap);
                }
            }
        }
    }
    packed
}

/// `out [frames, ho, wo, groups * cout] (+)= conv(x) + bias`, `x` padded, `packed` from [`pack`].
pub fn forward(s: &ConvShape, e: &Extent, x: &[f32], packed: &[f32], bias: Option<&[f32]>, out: &mut [f32], accumulate: bool) {
    let e = &s.flattened(e);
    let (ho, wo) = s.output(e);
    assert_eq!(x.len(), s.input_frames(e) * e.height * e.width * s.channels_in(), "padded input size");
    assert_eq!(out.len(), e.frames * ho * wo * s.channels_out(), "output size");
    let (_, blocks, length) = s.blocks();
    assert_eq!(packed.len(), s.groups * blocks * length, "packed weight size");
    assert!(bias.is_none_or(|b| b.len() == s.channels_out()) && !(accumulate && bias.is_some()), "bias");
    let rows = rows_per_piece(ho);
    let taps = s.tap_offsets(e);
    out.par_chunks_mut(rows * wo * s.channels_out()).enumerate().for_each(|(piece, out)| {
        let (frame, row) = (piece / (ho / rows), piece % (ho / rows) * rows);
        let x = &x[(frame * e.height + row * s.stride) * e.width * s.channels_in()..];
        dispatch(Rows { s, e, taps: &taps, x, packed, bias, out, rows, wo, accumulate });
    });
}

/// Rows one piece of work computes: a divisor of the output height, so that pieces are alike.
fn rows_per_piece(ho: usize) -> usize {
    (1..=8.min(ho)).rev().find(|r| ho.is_multiple_of(*r)).unwrap_or(1)
}

struct Rows<'a> {
    s: &'a ConvShape,
    e: &'a Extent,
    taps: &'a [usize],
    x: &'a [f32],
    packed: &'a [f32],
    bias: Option<&'a [f32]>,
    out: &'a mut [f32],
    rows: usize,
    wo: usize,
    accumulate: bool,
}

impl Kernel for Rows<'_> {
    #[inline(always)]
    fn run<V: Lanes>(self) {
        let Self { s, e, .. } = self;
        let (width, blocks, length) = s.blocks();
        let (channels_in, channels_out) = (s.channels_in(), s.channels_out());
        for g in 0..s.groups {
            for block in 0..blocks {
                let co = g * s.cout + block * width;
                let columns = width.min(s.cout - block * width);
                let start = match self.bias {
                    Some(bias) => Start::Bias(&bias[co..co + columns]),
                    None if self.accumulate => Start::Output,
                    None => Start::Zero,
                };
                for row in 0..self.rows {
                    // SAFETY: `forward` checked every length against the shape; taps stay inside the padded input.
                    unsafe {
                        row_block::<V>(
                            self.x.as_ptr().add(row * s.stride * e.width * channels_in + g * s.cin),
                            s.stride * channels_in,
                            self.taps,
                            s.cin,
                            self.packed.as_ptr().add((g * blocks + block) * length),
                            width,
                            self.out.as_mut_ptr().add(row * self.wo * channels_out + co),
                            channels_out,
                            self.wo,
                            columns,
                            start,
                        );
                    }
                }
            }
        }
    }
}

/// Gradient of the unpadded input for stride 1 and zero padding `(k - 1) / 2`; `dy_padded` is the output gradient padded
/// by the same in space and by `kt - 1` zero frames after the end; `packed` from [`pack_transposed`].
pub fn input_gradient(s: &ConvShape, e: &Extent, dy_padded: &[f32], packed: &[f32], dx: &mut [f32], accumulate: bool) {
    assert_eq!(s.stride, 1, "use input_gradient_strided");
    forward(&s.transposed(), e, dy_padded, packed, None, dx, accumulate);
}

/// Gradient of the padded input for any stride (`kt` 1): scatters. `weights` as the reference stores them.
pub fn input_gradient_strided(s: &ConvShape, e: &Extent, dy: &[f32], weights: &[f32], dx_padded: &mut [f32]) {
    assert_eq!(s.kt, 1, "temporal kernels have stride 1");
    let (ho, wo) = s.output(e);
    let taps = s.tap_offsets(e);
    let (channels_in, channels_out) = (s.channels_in(), s.channels_out());
    // [tap][channel in][cout], so that the innermost sum runs over neighbours
    let mut by_tap = vec![0.0; s.weights()];
    for (i, w) in weights.iter().enumerate() {
        let (tap, ci, o) = (i % s.taps(), i / s.taps() % s.cin, i / s.taps() / s.cin);
        by_tap[(tap * channels_in + o / s.cout * s.cin + ci) * s.cout + o % s.cout] = *w;
    }
    dx_padded.par_chunks_mut(e.height * e.width * channels_in).zip(dy.par_chunks(ho * wo * channels_out)).for_each(|(dx, dy)| {
        dx.fill(0.0);
        for (pixel, dy) in dy.chunks_exact(channels_out).enumerate() {
            let origin = (pixel / wo * e.width + pixel % wo) * s.stride * channels_in;
            for (tap, &offset) in taps.iter().enumerate() {
                let weights = &by_tap[tap * channels_in * s.cout..];
                for channel in 0..channels_in {
                    let dy = &dy[channel / s.cin * s.cout..][..s.cout];
                    dx[origin + offset + channel] += dot(&weights[channel * s.cout..][..s.cout], dy);
                }
            }
        }
    });
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; 8];
    let (a8, b8) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 = a8.remainder().iter().zip(b8.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in a8.zip(b8) {
        for i in 0..8 {
            sums[i] += a[i] * b[i];
        }
    }
    sums.iter().sum::<f32>() + rest
}

/// Gradient of the weights, in the reference's layout, from the padded input and the output gradient.
pub fn weight_gradient(s: &ConvShape, e: &Extent, x: &[f32], dy: &[f32]) -> Vec<f32> {
    const PIECES: usize = 16; // partial sums, whatever the number of threads
    let e = &s.flattened(e);
    let (ho, wo) = s.output(e);
    let (width, blocks, length) = s.blocks();
    assert_eq!(x.len(), s.input_frames(e) * e.height * e.width * s.channels_in(), "padded input size");
    assert_eq!(dy.len(), e.frames * ho * wo * s.channels_out(), "output gradient size");
    let taps = s.tap_offsets(e);
    let per_piece = e.frames.div_ceil(PIECES);
    let partial: Vec<Vec<f32>> = (0..e.frames.div_ceil(per_piece))
        .into_par_iter()
        .map(|piece| {
            let mut sums = vec![0.0; s.groups * blocks * length];
            let frames = piece * per_piece..((piece + 1) * per_piece).min(e.frames);
            dispatch(WeightSums { s, e, taps: &taps, x, dy, ho, wo, frames, sums: &mut sums });
            sums
        })
        .collect();
    let mut gradient = vec![0.0; s.weights()];
    for g in 0..s.groups {
        for co in 0..s.cout {
            let block = (g * blocks + co / width) * length + co % width;
            for ci in 0..s.cin {
                for tap in 0..s.taps() {
                    let from = block + (tap * s.cin + ci) * width;
                    gradient[((g * s.cout + co) * s.cin + ci) * s.taps() + tap] = partial.iter().map(|p| p[from]).sum();
                }
            }
        }
    }
    gradient
}

/// Sum of the output gradient over frames and pixels, per channel.
pub fn bias_gradient(dy: &[f32], channels: usize) -> Vec<f32> {
    const PIXELS: usize = 4096; // one partial sum each
    let partial: Vec<Vec<f32>> = dy
        .par_chunks(PIXELS * channels)
        .map(|dy| {
            let mut sums = vec![0.0f32; channels];
            for pixel in dy.chunks_exact(channels) {
                sums.iter_mut().zip(pixel).for_each(|(s, d)| *s += d);
            }
            sums
        })
        .collect();
    let mut gradient = vec![0.0; channels];
    for sums in partial {
        gradient.iter_mut().zip(sums).for_each(|(g, s)| *g += s);
    }
    gradient
}

/// Weight-gradient sums over a range of frames, laid out as packed weights.
struct WeightSums<'a> {
    s: &'a ConvShape,
    e: &'a Extent,
    taps: &'a [usize],
    x: &'a [f32],
    dy: &'a [f32],
    ho: usize,
    wo: usize,
    frames: std::ops::Range<usize>,
    sums: &'a mut [f32],
}

impl Kernel for WeightSums<'_> {
    #[inline(always)]
    fn run<V: Lanes>(self) {
        let Self { s, e, ho, wo, .. } = self;
        let (width, blocks, length) = s.blocks();
        let (channels_in, channels_out) = (s.channels_in(), s.channels_out());
        let mut line = vec![0.0f32; wo * width]; // one row of dy for one block, zero beyond its columns
        for frame in self.frames {
            for row in 0..ho {
                for g in 0..s.groups {
                    for block in 0..blocks {
                        let columns = width.min(s.cout - block * width);
                        let dy = &self.dy[(frame * ho + row) * wo * channels_out + g * s.cout + block * width..];
                        for x in 0..wo {
                            line[x * width..][..columns].copy_from_slice(&dy[x * channels_out..][..columns]);
                        }
                        let x = (frame * e.height + row * s.stride) * e.width * channels_in + g * s.cin;
                        let sums = &mut self.sums[(g * blocks + block) * length..][..length];
                        for (tap, &offset) in self.taps.iter().enumerate() {
                            // SAFETY: `weight_gradient` checked the lengths; taps stay inside the padded input.
                            unsafe {
                                let x = self.x.as_ptr().add(x + offset);
                                let sums = sums.as_mut_ptr().add(tap * s.cin * width);
                                outer::<V>(x, s.stride * channels_in, &line, width, s.cin, sums, wo);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// `sums[c][j] += sum over pixels of x[pixel][c] * line[pixel][j]`.
#[inline(always)]
unsafe fn outer<V: Lanes>(x: *const f32, pixel: usize, line: &[f32], width: usize, cin: usize, sums: *mut f32, pixels: usize) {
    // SAFETY: forwarded from the caller.
    unsafe {
        let mut c = 0;
        while c + 8 <= cin {
            outer_block::<V, 8>(x.add(c), pixel, line.as_ptr(), width, sums.add(c * width), pixels);
            c += 8;
        }
        while c + 4 <= cin {
            outer_block::<V, 4>(x.add(c), pixel, line.as_ptr(), width, sums.add(c * width), pixels);
            c += 4;
        }
        while c < cin {
            outer_block::<V, 1>(x.add(c), pixel, line.as_ptr(), width, sums.add(c * width), pixels);
            c += 1;
        }
    }
}

#[inline(always)]
unsafe fn outer_block<V: Lanes, const R: usize>(x: *const f32, pixel: usize, line: *const f32, width: usize, sums: *mut f32, pixels: usize) {
    // SAFETY: forwarded from the caller; a block is one or two vectors wide.
    unsafe {
        if width == V::N {
            outer_tile::<V, R, 1>(x, pixel, line, sums, pixels);
        } else if V::N == 16 || R < 8 {
            outer_tile::<V, R, 2>(x, pixel, line, sums, pixels);
        } else {
            // eight rows by two vectors would not fit sixteen registers
            outer_tile::<V, 4, 2>(x, pixel, line, sums, pixels);
            outer_tile::<V, 4, 2>(x.add(4), pixel, line, sums.add(4 * width), pixels);
        }
    }
}

#[inline(always)]
unsafe fn outer_tile<V: Lanes, const R: usize, const B: usize>(x: *const f32, pixel: usize, line: *const f32, sums: *mut f32, pixels: usize) {
    // SAFETY: forwarded from the caller.
    unsafe {
        let mut tile = [[V::splat(0.0); B]; R];
        for r in 0..R {
            for b in 0..B {
                tile[r][b] = V::load(sums.add((r * B + b) * V::N));
            }
        }
        for p in 0..pixels {
            let x = x.add(p * pixel);
            let mut dy = [V::splat(0.0); B];
            for b in 0..B {
                dy[b] = V::load(line.add((p * B + b) * V::N));
            }
            for r in 0..R {
                let a = V::splat(*x.add(r));
                for b in 0..B {
                    tile[r][b] = tile[r][b].madd(a, dy[b]);
                }
            }
        }
        for r in 0..R {
            for b in 0..B {
                tile[r][b].store(sums.add((r * B + b) * V::N));
            }
        }
    }
}
