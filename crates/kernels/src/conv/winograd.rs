//! Winograd convolution: 3x3 in space, any kernel in time, stride 1; see [`super::tile`] for the transforms.
//!
//! A piece of work is a strip of tiles through a few frames of one group: its inputs are transformed once, `[point][frame][tile]
//! [channel]`, and at each of the 36 points stands one product `[frames * tiles, kt * cin] x [kt * cin, cout]`, the temporal
//! taps being neighbours in the frame axis. The weight gradient is the same backwards: products of transformed inputs and
//! transformed output gradients, summed at each point before they are brought back to 3x3.

mod cut;
mod gradient;

use super::tile::{self, IN, OUT, POINTS, SIDE};
use super::{ConvShape, Extent, Input, Packed, Taps};
use crate::matmul::{Start, row_block};
use crate::scratch::{Shared, scratch};
use crate::simd::{Kernel, Lanes, WIDEST_BLOCK, block_width, dispatch, dispatch_in, load_some, store_some};
use cut::{Cut, Piece, prefetch_input, transform_input};
use rayon::prelude::*;

pub(super) use gradient::weight_gradient;

/// Packs weights: `[group][block][point][kt][cin][width]`.
pub(super) fn pack(s: &ConvShape, weight: impl Fn(usize, usize, usize, usize) -> f32 + Sync) -> Vec<f32> {
    let width = block_width(s.cout);
    let blocks = s.cout.div_ceil(width);
    let row = s.kt * s.cin * width;
    let mut packed = vec![0.0; s.groups * blocks * POINTS * row];
    packed.par_chunks_mut(POINTS * row).enumerate().for_each(|(place, packed)| {
        let (g, block) = (place / blocks, place % blocks);
        let columns = width.min(s.cout - block * width);
        for (kt, ci) in (0..s.kt * s.cin).map(|i| (i / s.cin, i % s.cin)) {
            for column in (0..columns).step_by(SIDE) {
                let lanes = SIDE.min(columns - column);
                let mut kernels = [[0.0; SIDE]; 9];
                for (tap, kernels) in kernels.iter_mut().enumerate() {
                    for (k, value) in kernels[..lanes].iter_mut().enumerate() {
                        *value = weight(g, block * width + column + k, ci, kt * 9 + tap);
                    }
                }
                let packed = &mut packed[(kt * s.cin + ci) * width + column..];
                dispatch(Transformed { kernels: &kernels, packed, row, lanes });
            }
        }
    });
    packed
}

/// Kernels of some neighbouring columns, written to their places at all points.
struct Transformed<'a> {
    kernels: &'a [[f32; SIDE]; 9],
    packed: &'a mut [f32],
    row: usize,
    lanes: usize,
}

impl Kernel for Transformed<'_> {
    #[inline(always)]
    fn run<V: Lanes>(self) {
        for (p, values) in tile::weights(self.kernels).iter().enumerate() {
            self.packed[p * self.row..][..self.lanes].copy_from_slice(&values[..self.lanes]);
        }
    }
}

/// As [`super::forward`], whose lengths are checked.
pub(super) fn forward(s: &ConvShape, e: &Extent, x: Input, packed: &Packed, bias: Option<&[f32]>, out: &mut [f32], accumulate: bool) {
    let (packed, precision) = (packed.weights.as_slice(), packed.precision);
    let cut = Cut::new(s, e, precision);
    let width = block_width(s.cout);
    assert_eq!(packed.len(), s.groups * s.cout.div_ceil(width) * cut.block_length(width), "packed weight size");
    if out.is_empty() {
        return;
    }
    // every piece writes the pixels and channels of its own tiles, frames and group, and reads no others
    let out = Shared(out.as_mut_ptr());
    (0..cut.pieces() * s.groups).into_par_iter().for_each(|i| {
        let (piece, group) = (cut.piece(i / s.groups), i % s.groups);
        let next = (i + 1 < cut.pieces() * s.groups).then(|| (cut.piece((i + 1) / s.groups), (i + 1) % s.groups));
        scratch(cut.scratch(&piece), |[points, products]| {
            dispatch_in(precision, Forward { cut: &cut, piece: &piece, group, next, x, packed, bias, out, accumulate, points, products });
        });
    });
}

struct Forward<'a> {
    cut: &'a Cut,
    piece: &'a Piece,
    group: usize,
    /// The piece and group after this one, most likely this thread's too.
    next: Option<(Piece, usize)>,
    x: Input<'a>,
    packed: &'a [f32],
    bias: Option<&'a [f32]>,
    out: Shared,
    accumulate: bool,
    points: &'a mut [f32],
    products: &'a mut [f32],
}

impl Kernel for Forward<'_> {
    #[inline(always)]
    fn run<V: Lanes>(self) {
        let Self { cut, piece, group, points, products, .. } = self;
        let s = &cut.s;
        let (tiles, stored, width) = (piece.rows[1] * cut.tiles[1], cut.stored(), block_width(s.cout));
        let (rows, per_point) = (piece.frames[1] * tiles, points.len() / POINTS);
        let taps = Taps::new(s.kt, |t| t * tiles * stored);
        transform_input::<V>(cut, piece, group, self.x, points);
        let (blocks, length) = (s.cout.div_ceil(width), cut.block_length(width));
        for block in 0..blocks {
            let weights = &self.packed[(group * blocks + block) * length..][..length];
            for p in 0..POINTS {
                if let (Some((next, group)), true) = (&self.next, block == 0) {
                    prefetch_input::<V>(cut, next, *group, self.x, p);
                }
                // SAFETY: `points` holds `frames + kt - 1` frames of tiles at each point, `products` one row of columns for each output.
                unsafe {
                    row_block::<V>(
                        points.as_ptr().add(p * per_point),
                        stored,
                        &taps,
                        cut.slots(),
                        weights.as_ptr().add(p * s.kt * cut.slots() * width),
                        width,
                        products.as_mut_ptr().add(p * rows * width),
                        width,
                        rows,
                        width,
                        Start::Zero,
                    );
                }
            }
            let to = Target { bias: self.bias, out: self.out, accumulate: self.accumulate };
            to.transform_output::<V>(cut, piece, group, block, products);
        }
    }
}

/// Where output goes, and what is added to it.
struct Target<'a> {
    bias: Option<&'a [f32]>,
    out: Shared,
    accumulate: bool,
}

impl Target<'_> {
    /// Products at 36 points to output pixels of one block of columns.
    #[inline(always)]
    fn transform_output<V: Lanes>(&self, cut: &Cut, piece: &Piece, group: usize, block: usize, products: &[f32]) {
        let (s, width) = (&cut.s, block_width(cut.s.cout));
        let (first, rows) = (group * s.cout + block * width, products.len() / POINTS / width);
        let columns = width.min(s.cout - block * width);
        let mut bias = [0.0; WIDEST_BLOCK];
        if let Some(all) = self.bias {
            bias[..columns].copy_from_slice(&all[first..first + columns]);
        }
        let per_point = rows * width;
        for (row, (frame, y, x)) in cut.places(piece).enumerate() {
            let inside = [OUT.min(cut.size[0] - y), OUT.min(cut.size[1] - x)];
            let corner = ((frame * cut.size[0] + y) * cut.size[1] + x) * s.channels_out() + first;
            for column in (0..columns).step_by(V::N) {
                let lanes = V::N.min(columns - column);
                // SAFETY: `products` has `width` columns, a whole number of vectors; the tile's pixels are in the output and no other piece's.
                unsafe {
                    let from = products.as_ptr().add(row * width + column);
                    let bias = V::load(bias.as_ptr().add(column));
                    let to = OutputTile {
                        to: self.out.0.add(corner + column),
                        strides: [cut.size[1] * s.channels_out(), s.channels_out()],
                        inside,
                        lanes,
                    };
                    if to.whole::<V>() {
                        to.transform::<V, true>(from, per_point, bias, self.accumulate);
                    } else {
                        to.transform::<V, false>(from, per_point, bias, self.accumulate);
                    }
                }
            }
        }
    }
}

/// A tile of output pixels, a vector of channels each; nothing is written beyond `inside` and beyond `lanes`.
struct OutputTile {
    to: *mut f32,
    strides: [usize; 2],
    inside: [usize; 2],
    lanes: usize,
}

impl OutputTile {
    #[inline(always)]
    fn whole<V: Lanes>(&self) -> bool {
        self.inside == [OUT; 2] && self.lanes == V::N
    }

    /// `A^T m A` of a tile's products, and the bias, in place of the output or added to it.
    ///
    /// # Safety
    /// `from` must be readable at every multiple of `per_point` up to the last point, the tile's pixels writable.
    #[inline(always)]
    unsafe fn transform<V: Lanes, const WHOLE: bool>(&self, from: *const f32, per_point: usize, bias: V, accumulate: bool) {
        // SAFETY: forwarded from the caller.
        unsafe {
            let mut halfway = [[V::splat(0.0); IN]; OUT];
            for j in 0..IN {
                let mut down = [V::splat(0.0); IN];
                for i in 0..IN {
                    down[i] = V::load(from.add((i * IN + j) * per_point));
                }
                let values = tile::output(down);
                for i in 0..OUT {
                    halfway[i][j] = values[i];
                }
            }
            for i in 0..if WHOLE { OUT } else { self.inside[0] } {
                let values = tile::output(halfway[i]);
                for j in 0..if WHOLE { OUT } else { self.inside[1] } {
                    let (to, lanes) = (self.to.add(i * self.strides[0] + j * self.strides[1]), if WHOLE { V::N } else { self.lanes });
                    let value = values[j].add(bias);
                    let value = if accumulate { value.add(load_some(to, lanes)) } else { value };
                    store_some(value, to, lanes);
                }
            }
        }
    }
}
