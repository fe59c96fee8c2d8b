//! Direct convolution: every output row is a sum of small products, one per tap (frame, row, column of the kernel); see
//! [`crate::matmul`] for the register tile.

use super::{ConvShape, Extent, Input, Packed};
use crate::matmul::{Start, row_block};
use crate::precision::{Precision, pair_row};
use crate::scratch::scratch;
use crate::simd::{Kernel, Lanes, dispatch, dispatch_in, vector_width};
use rayon::prelude::*;

/// Packs weights: `[group][block][tap][cin][width]`.
pub(super) fn pack(s: &ConvShape, weight: impl Fn(usize, usize, usize, usize) -> f32) -> Vec<f32> {
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

/// As [`super::forward`], whose lengths are checked.
pub(super) fn forward(s: &ConvShape, e: &Extent, x: Input, packed: &Packed, bias: Option<&[f32]>, out: &mut [f32], accumulate: bool) {
    let (packed, precision) = (packed.weights.as_slice(), packed.precision);
    let e = &if let Input::Frames(_) = x { s.flattened(e) } else { *e };
    let (ho, wo) = s.output(e);
    let (width, blocks, _) = s.blocks();
    let operand = Operand::new(s, e, precision);
    assert_eq!(packed.len(), s.groups * blocks * s.taps() * operand.slots * width, "packed weight size");
    let rows = rows_per_piece(ho);
    let taps = s.frame_taps(e, operand.pixel);
    let paired = if precision == Precision::F32 { 0 } else { s.kt * operand.rows(rows) * operand.row };
    out.par_chunks_mut(rows * wo * s.channels_out()).enumerate().for_each(|(piece, out)| {
        let (frame, row) = (piece / (ho / rows), piece % (ho / rows) * rows);
        scratch([paired], |[paired]| {
            dispatch_in(precision, Rows { s, e, taps: &taps, operand: &operand, x, paired, frame, row, packed, bias, out, rows, wo, accumulate });
        });
    });
}

/// Rows one piece of work computes: a divisor of the output height, so that pieces are alike.
fn rows_per_piece(ho: usize) -> usize {
    (1..=8.min(ho)).rev().find(|r| ho.is_multiple_of(*r)).unwrap_or(1)
}

/// How input lies as the left operand of products, in slots: f32 as it is in memory, pairs of bf16 in whole vectors for each group.
struct Operand {
    s: ConvShape,
    /// Slots that one tap sums over.
    slots: usize,
    /// Distance between groups, pixels and rows.
    group: usize,
    pixel: usize,
    row: usize,
}

impl Operand {
    fn new(s: &ConvShape, e: &Extent, precision: Precision) -> Self {
        let per_slot = precision.per_slot();
        let group = if per_slot == 1 { s.cin } else { s.cin.next_multiple_of(vector_width()) / per_slot };
        let pixel = s.groups * group;
        Self { s: *s, slots: s.cin.div_ceil(per_slot), group, pixel, row: e.width * pixel }
    }

    /// Input rows that some output rows read.
    fn rows(&self, out: usize) -> usize {
        (out - 1) * self.s.stride + self.s.k
    }

    /// Pixels of the input as slots.
    #[inline(always)]
    fn lower<V: Lanes>(&self, pixels: &[f32], slots: &mut [f32]) {
        pixels.chunks_exact(self.s.cin).zip(slots.chunks_exact_mut(self.group)).for_each(|(channels, slots)| pair_row::<V>(channels, slots));
    }
}

struct Rows<'a> {
    s: &'a ConvShape,
    e: &'a Extent,
    taps: &'a [usize],
    operand: &'a Operand,
    x: Input<'a>,
    /// Room for the input in pairs, of every temporal tap, where products are of pairs.
    paired: &'a mut [f32],
    /// Output frame, and first of the output rows.
    frame: usize,
    row: usize,
    packed: &'a [f32],
    bias: Option<&'a [f32]>,
    out: &'a mut [f32],
    rows: usize,
    wo: usize,
    accumulate: bool,
}

impl Rows<'_> {
    /// The input rows of a temporal tap, from the first one on.
    #[inline(always)]
    fn input(&self, t: usize) -> &[f32] {
        let (e, row) = (self.e, self.e.width * self.s.channels_in());
        &self.x.frame(self.frame + t * e.batch, e.height * row)[self.row * self.s.stride * row..]
    }

    /// The same as the products' left operand.
    #[inline(always)]
    fn left<V: Lanes>(&self, t: usize) -> &[f32] {
        if V::PER_SLOT == 1 { self.input(t) } else { &self.paired[t * (self.paired.len() / self.s.kt)..] }
    }
}

impl Kernel for Rows<'_> {
    #[inline(always)]
    fn run<V: Lanes>(mut self) {
        let (s, o, channels_out) = (self.s, self.operand, self.s.channels_out());
        if V::PER_SLOT > 1 {
            let paired = std::mem::take(&mut self.paired);
            for (t, slots) in paired.chunks_exact_mut(o.rows(self.rows) * o.row).enumerate() {
                o.lower::<V>(self.input(t), slots);
            }
            self.paired = paired;
        }
        let (width, blocks, _) = s.blocks();
        let length = s.taps() * o.slots * width;
        for (g, block, t) in (0..s.groups * blocks * s.kt).map(|i| (i / s.kt / blocks, i / s.kt % blocks, i % s.kt)) {
            let left = self.left::<V>(t).as_ptr();
            let co = g * s.cout + block * width;
            let columns = width.min(s.cout - block * width);
            let start = match self.bias {
                _ if t > 0 || self.accumulate => Start::Output,
                Some(bias) => Start::Bias(&bias[co..co + columns]),
                None => Start::Zero,
            };
            for row in 0..self.rows {
                // SAFETY: `forward` checked every length against the shape; taps stay inside the padded frame.
                unsafe {
                    row_block::<V>(
                        left.add(row * s.stride * o.row + g * o.group),
                        s.stride * o.pixel,
                        self.taps,
                        o.slots,
                        self.packed.as_ptr().add((g * blocks + block) * length + t * self.taps.len() * o.slots * width),
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

/// As [`super::weight_gradient`], whose lengths are checked.
pub(super) fn weight_gradient(s: &ConvShape, e: &Extent, x: &[f32], dy: &[f32]) -> Vec<f32> {
    const PIECES: usize = 16; // partial sums, whatever the number of threads
    let e = &s.flattened(e);
    let (ho, wo) = s.output(e);
    let (width, blocks, length) = s.blocks();
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
                                outer::<V>(x, s.stride * channels_in, line.as_ptr(), width, s.cin, sums, wo);
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
pub(super) unsafe fn outer<V: Lanes>(x: *const f32, pixel: usize, line: *const f32, width: usize, cin: usize, sums: *mut f32, pixels: usize) {
    // SAFETY: forwarded from the caller.
    unsafe {
        let mut c = 0;
        while c + 8 <= cin {
            outer_block::<V, 8>(x.add(c), pixel, line, width, sums.add(c * width), pixels);
            c += 8;
        }
        while c + 4 <= cin {
            outer_block::<V, 4>(x.add(c), pixel, line, width, sums.add(c * width), pixels);
            c += 4;
        }
        while c < cin {
            outer_block::<V, 1>(x.add(c), pixel, line, width, sums.add(c * width), pixels);
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
        } else if V::REGISTERS == 32 || R < 8 {
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
