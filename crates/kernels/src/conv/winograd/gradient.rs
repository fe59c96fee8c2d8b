//! The weight gradient: products of transformed inputs and transformed output gradients, summed at each point.

use super::super::direct::outer;
use super::super::tile::{self, IN, OUT, POINTS, SIDE};
use super::super::{ConvShape, Extent, Input};
use super::cut::{Cut, Piece, Pixels, transform_input};
use crate::precision::Precision;
use crate::scratch::scratch;
use crate::simd::{Kernel, Lanes, block_width, dispatch};
use rayon::prelude::*;

/// As [`crate::conv::weight_gradient`], whose lengths are checked.
pub(in crate::conv) fn weight_gradient(s: &ConvShape, e: &Extent, x: &[f32], dy: &[f32]) -> Vec<f32> {
    const PARTS: usize = 16; // partial sums of all groups together, whatever the number of threads
    let cut = Cut::new(s, e, Precision::F32);
    let width = block_width(s.cout);
    let (blocks, length) = (s.cout.div_ceil(width), cut.block_length(width));
    let pieces = if dy.is_empty() { 0 } else { cut.pieces() };
    let parts = (PARTS / s.groups).clamp(1, pieces.max(1));
    let partial: Vec<Vec<f32>> = (0..s.groups * parts)
        .into_par_iter()
        .map(|i| {
            let (group, part) = (i / parts, i % parts);
            let mut sums = vec![0.0; blocks * length];
            let share = part * pieces / parts..(part + 1) * pieces / parts;
            for piece in share.map(|i| cut.piece(i)) {
                scratch(cut.scratch(&piece), |[points, slopes]| {
                    dispatch(WeightSums { cut: &cut, piece: &piece, group, x, dy, sums: &mut sums, points, slopes });
                });
            }
            sums
        })
        .collect();
    let mut gradient = vec![0.0; s.weights()];
    gradient.par_chunks_mut(s.cout * s.fan_in()).zip(partial.par_chunks(parts)).for_each(|(gradient, partial)| {
        for block in 0..blocks {
            for column in (0..width.min(s.cout - block * width)).step_by(SIDE) {
                dispatch(Gathered { s, partial, block, column, gradient });
            }
        }
    });
    gradient
}

/// Gradients of some neighbouring columns of a block, from the sums at the points.
struct Gathered<'a> {
    s: &'a ConvShape,
    partial: &'a [Vec<f32>],
    block: usize,
    column: usize,
    gradient: &'a mut [f32],
}

impl Kernel for Gathered<'_> {
    #[inline(always)]
    fn run<V: Lanes>(self) {
        let Self { s, block, column, gradient, .. } = self;
        let (width, rows) = (block_width(s.cout), s.kt * s.cin);
        let first = block * width + column;
        let lanes = SIDE.min(width - column).min(s.cout - first);
        for row in 0..rows {
            let mut points = [[0.0; SIDE]; POINTS];
            for sums in self.partial {
                for (p, values) in points.iter_mut().enumerate() {
                    let sums = &sums[((block * POINTS + p) * rows + row) * width + column..][..lanes];
                    values.iter_mut().zip(sums).for_each(|(v, s)| *v += s);
                }
            }
            let (kt, ci) = (row / s.cin, row % s.cin);
            for (tap, values) in tile::weights_gradient(&points).iter().enumerate() {
                for (k, value) in values[..lanes].iter().enumerate() {
                    gradient[(first + k) * s.fan_in() + (ci * s.kt + kt) * 9 + tap] = *value;
                }
            }
        }
    }
}

/// Adds a piece's sums at each point, laid out as packed weights of one group.
struct WeightSums<'a> {
    cut: &'a Cut,
    piece: &'a Piece,
    group: usize,
    x: &'a [f32],
    dy: &'a [f32],
    sums: &'a mut [f32],
    points: &'a mut [f32],
    slopes: &'a mut [f32],
}

impl Kernel for WeightSums<'_> {
    #[inline(always)]
    fn run<V: Lanes>(self) {
        let Self { cut, piece, group, sums, points, slopes, .. } = self;
        let s = &cut.s;
        let (tiles, stored, width) = (piece.rows[1] * cut.tiles[1], cut.stored(), block_width(s.cout));
        let (rows, per_point) = (piece.frames[1] * tiles, points.len() / POINTS);
        transform_input::<V>(cut, piece, group, Input::Frames(self.x), points);
        for (block, sums) in sums.chunks_exact_mut(cut.block_length(width)).enumerate() {
            transform_output_gradient::<V>(cut, piece, group, block, self.dy, slopes);
            for p in 0..POINTS {
                for kt in 0..s.kt {
                    // SAFETY: `points` holds `kt - 1` frames more than `slopes`; `sums` is laid out as packed weights.
                    unsafe {
                        let points = points.as_ptr().add(p * per_point + kt * tiles * stored);
                        let sums = sums.as_mut_ptr().add((p * s.kt + kt) * s.cin * width);
                        outer::<V>(points, stored, slopes.as_ptr().add(p * rows * width), width, s.cin, sums, rows);
                    }
                }
            }
        }
    }
}

/// Transforms the output gradients of a piece and one block of columns, `[point][frame][tile][width]`; zero beyond the frame and the columns.
#[inline(always)]
fn transform_output_gradient<V: Lanes>(cut: &Cut, piece: &Piece, group: usize, block: usize, dy: &[f32], slopes: &mut [f32]) {
    let (s, width) = (&cut.s, block_width(cut.s.cout));
    let columns = width.min(s.cout - block * width);
    let per_point = slopes.len() / POINTS;
    for (row, (frame, y, x)) in cut.places(piece).enumerate() {
        let inside = [OUT.min(cut.size[0] - y), OUT.min(cut.size[1] - x)];
        let corner = ((frame * cut.size[0] + y) * cut.size[1] + x) * s.channels_out() + group * s.cout + block * width;
        for column in (0..width).step_by(V::N) {
            let lanes = V::N.min(columns.saturating_sub(column));
            // SAFETY: the pixels read are inside the frame, the vectors written inside `slopes`.
            unsafe {
                let from = dy.as_ptr().wrapping_add(corner + column); // beyond the columns nothing is read
                let pixels = Pixels { from, strides: [cut.size[1] * s.channels_out(), s.channels_out()], inside, lanes };
                let to = slopes.as_mut_ptr().add(row * width + column);
                if pixels.whole::<V, OUT>() {
                    transform_slopes::<V, true>(&pixels, to, per_point);
                } else {
                    transform_slopes::<V, false>(&pixels, to, per_point);
                }
            }
        }
    }
}

/// One tile's `A y A^T`.
///
/// # Safety
/// As for [`Pixels::row`]; `to` must be writable at every multiple of `per_point` up to the last point.
#[inline(always)]
unsafe fn transform_slopes<V: Lanes, const WHOLE: bool>(pixels: &Pixels, to: *mut f32, per_point: usize) {
    // SAFETY: forwarded from the caller.
    unsafe {
        let mut halfway = [[V::splat(0.0); OUT]; IN]; // transposed
        for i in 0..OUT {
            let values = tile::output_gradient(pixels.row::<V, OUT, WHOLE>(i));
            for j in 0..IN {
                halfway[j][i] = values[j];
            }
        }
        for j in 0..IN {
            let values = tile::output_gradient(halfway[j]);
            for i in 0..IN {
                values[i].store(to.add((i * IN + j) * per_point));
            }
        }
    }
}
