//! Winograd convolution: 3x3 in space, any kernel in time, stride 1; see [`super::tile`] for the transforms.
//!
//! A piece of work is a strip of tiles through a few frames of one group: its inputs are transformed once, `[point][frame][tile]
//! [channel]`, and at each of the 36 points stands one product `[frames * tiles, kt * cin] x [kt * cin, cout]`, the temporal
//! taps being neighbours in the frame axis. The weight gradient is the same backwards: products of transformed inputs and
//! transformed output gradients, summed at each point before they are brought back to 3x3.

use super::direct::outer;
use super::tile::{self, IN, OUT, POINTS, SIDE};
use super::{ConvShape, Extent};
use crate::matmul::{Start, row_block};
use crate::simd::{Kernel, Lanes, block_width, dispatch, vector_width};
use rayon::prelude::*;
use std::cell::RefCell;

/// Tiles of a strip, at most: about as many rows as products need to be fast.
const TILES: usize = 24;
/// Frames times tiles of a piece, at most: what fits the second-level cache at 32 channels.
const ROWS: usize = 96;
/// Widest block of packed columns on any tier.
const WIDEST: usize = 32;

/// How frames are cut into tiles and pieces; depends on shapes alone.
#[derive(Clone, Copy)]
struct Cut {
    s: ConvShape,
    e: Extent,
    /// Output height and width.
    size: [usize; 2],
    /// Tiles down and across.
    tiles: [usize; 2],
    /// Rows of tiles in a strip.
    strip: usize,
    /// Output frames of a chunk.
    chunk: usize,
    /// Sequences that never meet in time: N, or all frames where the kernel has no temporal extent.
    sequences: usize,
}

/// One piece: a strip of tiles through a chunk of one sequence's frames.
struct Piece {
    /// First row of tiles, and rows of them.
    rows: [usize; 2],
    /// First output frame, and frames, `Cut::step` apart.
    frames: [usize; 2],
}

impl Cut {
    fn new(s: &ConvShape, e: &Extent) -> Self {
        let (height, width) = s.output(e);
        let tiles = [height.div_ceil(OUT), width.div_ceil(OUT)];
        let strip = (TILES / tiles[1].max(1)).clamp(1, tiles[0].max(1));
        let chunk = (ROWS / (strip * tiles[1]).max(1)).max(1);
        // without a temporal kernel all frames are alike: one long sequence of them
        let sequences = if s.kt == 1 { 1 } else { e.batch };
        Self { s: *s, e: *e, size: [height, width], tiles, strip, chunk, sequences }
    }

    /// Distance between neighbours in a sequence, in frames.
    fn step(&self) -> usize {
        self.sequences
    }

    /// Frames of each sequence.
    fn length(&self) -> usize {
        self.e.frames / self.sequences
    }

    /// Number of pieces of one group.
    fn pieces(&self) -> usize {
        self.tiles[0].div_ceil(self.strip) * self.sequences * self.length().div_ceil(self.chunk)
    }

    fn piece(&self, index: usize) -> Piece {
        let strips = self.tiles[0].div_ceil(self.strip);
        let (strip, rest) = (index % strips, index / strips);
        let (sequence, chunk) = (rest % self.sequences, rest / self.sequences);
        let (row, frame) = (strip * self.strip, chunk * self.chunk);
        Piece { rows: [row, self.strip.min(self.tiles[0] - row)], frames: [frame * self.step() + sequence, self.chunk.min(self.length() - frame)] }
    }

    /// Input channels as stored after the transform: whole vectors, so that no store reaches into the next tile.
    fn stored(&self) -> usize {
        self.s.cin.next_multiple_of(vector_width())
    }

    /// Lengths of a piece's transformed inputs, and of its products or transformed output gradients.
    fn scratch(&self, piece: &Piece) -> [usize; 2] {
        let (tiles, frames) = (piece.rows[1] * self.tiles[1], piece.frames[1]);
        [POINTS * (frames + self.s.kt - 1) * tiles * self.stored(), POINTS * frames * tiles * block_width(self.s.cout)]
    }

    /// Packed weights of one group and block of columns: `[point][kt][cin][width]`.
    fn block_length(&self, width: usize) -> usize {
        POINTS * self.s.kt * self.s.cin * width
    }
}

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

thread_local! {
    /// Transformed inputs, and products or transformed gradients, of the piece under way: too large to ask for each time.
    static SCRATCH: RefCell<[Vec<f32>; 2]> = const { RefCell::new([Vec::new(), Vec::new()]) };
}

/// The two scratch buffers, at least so long; what they hold is not defined.
fn scratch<R>(lengths: [usize; 2], work: impl FnOnce(&mut [f32], &mut [f32]) -> R) -> R {
    SCRATCH.with_borrow_mut(|[a, b]| {
        for (buffer, length) in [&mut *a, &mut *b].into_iter().zip(lengths) {
            if buffer.len() < length {
                buffer.resize(length, 0.0);
            }
        }
        work(&mut a[..lengths[0]], &mut b[..lengths[1]])
    })
}

/// Output that pieces write to in disjoint places.
#[derive(Clone, Copy)]
struct Shared(*mut f32);
// SAFETY: every piece writes the pixels and channels of its own tiles, frames and group, and reads no others.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

/// As [`super::forward`], whose lengths are checked; `packed` from [`pack`].
pub(super) fn forward(s: &ConvShape, e: &Extent, x: &[f32], packed: &[f32], bias: Option<&[f32]>, out: &mut [f32], accumulate: bool) {
    let cut = Cut::new(s, e);
    let width = block_width(s.cout);
    assert_eq!(packed.len(), s.groups * s.cout.div_ceil(width) * cut.block_length(width), "packed weight size");
    if out.is_empty() {
        return;
    }
    let out = Shared(out.as_mut_ptr());
    (0..cut.pieces() * s.groups).into_par_iter().for_each(|i| {
        let (piece, group) = (cut.piece(i / s.groups), i % s.groups);
        scratch(cut.scratch(&piece), |points, products| {
            dispatch(Forward { cut: &cut, piece: &piece, group, x, packed, bias, out, accumulate, points, products });
        });
    });
}

struct Forward<'a> {
    cut: &'a Cut,
    piece: &'a Piece,
    group: usize,
    x: &'a [f32],
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
        let taps: Vec<usize> = (0..s.kt).map(|t| t * tiles * stored).collect();
        transform_input::<V>(cut, piece, group, self.x, points);
        let (blocks, length) = (s.cout.div_ceil(width), cut.block_length(width));
        for block in 0..blocks {
            let weights = &self.packed[(group * blocks + block) * length..][..length];
            for p in 0..POINTS {
                // SAFETY: `points` holds `frames + kt - 1` frames of tiles at each point, `products` one row of columns for each output.
                unsafe {
                    row_block::<V>(
                        points.as_ptr().add(p * per_point),
                        stored,
                        &taps,
                        s.cin,
                        weights.as_ptr().add(p * s.kt * s.cin * width),
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
        let mut bias = [0.0; WIDEST];
        if let Some(all) = self.bias {
            bias[..columns].copy_from_slice(&all[first..first + columns]);
        }
        for (row, (frame, y, x)) in cut.places(piece).enumerate() {
            let (down, across) = (OUT.min(cut.size[0] - y), OUT.min(cut.size[1] - x));
            for column in (0..columns).step_by(V::N) {
                let lanes = V::N.min(columns - column);
                // SAFETY: `products` has `width` columns, a whole number of vectors; the tile's pixels are in the output and no other piece's.
                unsafe {
                    let mut halfway = [[V::splat(0.0); IN]; OUT];
                    for j in 0..IN {
                        let mut down = [V::splat(0.0); IN];
                        for i in 0..IN {
                            down[i] = V::load(products.as_ptr().add(((i * IN + j) * rows + row) * width + column));
                        }
                        let values = tile::output(down);
                        for i in 0..OUT {
                            halfway[i][j] = values[i];
                        }
                    }
                    let bias = V::load(bias.as_ptr().add(column));
                    for i in 0..down {
                        let values = tile::output(halfway[i]);
                        for j in 0..across {
                            let pixel = (frame * cut.size[0] + y + i) * cut.size[1] + x + j;
                            let to = self.out.0.add(pixel * s.channels_out() + first + column);
                            let value = values[j].add(bias);
                            let value = if self.accumulate { value.add(load_some(to, lanes)) } else { value };
                            store_some(value, to, lanes);
                        }
                    }
                }
            }
        }
    }
}

impl Cut {
    /// (Output frame, y, x) of the first pixel of every tile of a piece, frame by frame.
    #[inline(always)]
    fn places(&self, piece: &Piece) -> impl Iterator<Item = (usize, usize, usize)> {
        let ([row, rows], [frame, frames], across, step) = (piece.rows, piece.frames, self.tiles[1], self.step());
        (0..frames * rows * across).map(move |i| {
            let (f, tile) = (i / (rows * across), i % (rows * across));
            (frame + f * step, (row + tile / across) * OUT, tile % across * OUT)
        })
    }
}

/// Transforms the inputs of a piece, `[point][frame][tile][stored channel]`; pixels beyond the frame are zero.
#[inline(always)]
fn transform_input<V: Lanes>(cut: &Cut, piece: &Piece, group: usize, x: &[f32], points: &mut [f32]) {
    let (s, e, stored) = (&cut.s, &cut.e, cut.stored());
    let earlier = Piece { rows: piece.rows, frames: [piece.frames[0], piece.frames[1] + s.kt - 1] };
    let per_point = points.len() / POINTS;
    for (i, (frame, row, column)) in cut.places(&earlier).enumerate() {
        let (down, across) = (IN.min(e.height - row), IN.min(e.width - column));
        let corner = ((frame * e.height + row) * e.width + column) * s.channels_in() + group * s.cin;
        for channel in (0..s.cin).step_by(V::N) {
            let lanes = V::N.min(s.cin - channel);
            // SAFETY: the pixels read are inside the frame, the vectors written inside `points`.
            unsafe {
                let from = x.as_ptr().add(corner + channel);
                let pixels = load_tile::<V, IN>(from, [e.width * s.channels_in(), s.channels_in()], [down, across], lanes);
                transform_tile(pixels, points.as_mut_ptr().add(i * stored + channel), per_point);
            }
        }
    }
}

/// A tile of `SIZE x SIZE` pixels, a vector of channels each; zero beyond `inside` and beyond `lanes`.
///
/// # Safety
/// `from` must be readable at every pixel inside, for `lanes` floats.
#[inline(always)]
unsafe fn load_tile<V: Lanes, const SIZE: usize>(from: *const f32, strides: [usize; 2], inside: [usize; 2], lanes: usize) -> [[V; SIZE]; SIZE] {
    // SAFETY: forwarded from the caller.
    unsafe {
        let mut tile = [[V::splat(0.0); SIZE]; SIZE];
        if inside == [SIZE; 2] && lanes == V::N {
            for i in 0..SIZE {
                for j in 0..SIZE {
                    tile[i][j] = V::load(from.add(i * strides[0] + j * strides[1]));
                }
            }
            return tile;
        }
        for i in 0..inside[0] {
            for j in 0..inside[1] {
                tile[i][j] = load_some(from.add(i * strides[0] + j * strides[1]), lanes);
            }
        }
        tile
    }
}

/// One tile's `B^T x B`, a vector of channels at a time.
///
/// # Safety
/// `to` must be writable at every multiple of `per_point` up to the last point.
#[inline(always)]
unsafe fn transform_tile<V: Lanes>(pixels: [[V; IN]; IN], to: *mut f32, per_point: usize) {
    // SAFETY: forwarded from the caller.
    unsafe {
        let mut halfway = [[V::splat(0.0); IN]; IN]; // transposed
        for i in 0..IN {
            let values = tile::input(pixels[i]);
            for j in 0..IN {
                halfway[j][i] = values[j];
            }
        }
        for j in 0..IN {
            let values = tile::input(halfway[j]);
            for i in 0..IN {
                values[i].store(to.add((i * IN + j) * per_point));
            }
        }
    }
}

/// The first `lanes` floats at `p`, zeros after them.
///
/// # Safety
/// `p` must be readable for `lanes` floats.
#[inline(always)]
unsafe fn load_some<V: Lanes>(p: *const f32, lanes: usize) -> V {
    // SAFETY: forwarded from the caller; the copy holds a whole vector.
    unsafe {
        if lanes == V::N {
            return V::load(p);
        }
        let mut line = [0.0f32; WIDEST];
        std::ptr::copy_nonoverlapping(p, line.as_mut_ptr(), lanes);
        V::load(line.as_ptr())
    }
}

/// Writes the first `lanes` floats of a vector.
///
/// # Safety
/// `p` must be writable for `lanes` floats.
#[inline(always)]
unsafe fn store_some<V: Lanes>(v: V, p: *mut f32, lanes: usize) {
    // SAFETY: forwarded from the caller; the copy holds a whole vector.
    unsafe {
        if lanes == V::N {
            return v.store(p);
        }
        let mut line = [0.0f32; WIDEST];
        v.store(line.as_mut_ptr());
        std::ptr::copy_nonoverlapping(line.as_ptr(), p, lanes);
    }
}

/// As [`super::weight_gradient`], whose lengths are checked.
pub(super) fn weight_gradient(s: &ConvShape, e: &Extent, x: &[f32], dy: &[f32]) -> Vec<f32> {
    const PARTS: usize = 16; // partial sums of all groups together, whatever the number of threads
    let cut = Cut::new(s, e);
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
                scratch(cut.scratch(&piece), |points, slopes| {
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
        transform_input::<V>(cut, piece, group, self.x, points);
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
        let (down, across) = (OUT.min(cut.size[0] - y), OUT.min(cut.size[1] - x));
        let corner = ((frame * cut.size[0] + y) * cut.size[1] + x) * s.channels_out() + group * s.cout + block * width;
        for column in (0..width).step_by(V::N) {
            let lanes = V::N.min(columns.saturating_sub(column));
            // SAFETY: the pixels read are inside the frame, the vectors written inside `slopes`.
            unsafe {
                let pixels = if lanes > 0 {
                    let from = dy.as_ptr().add(corner + column);
                    load_tile::<V, OUT>(from, [cut.size[1] * s.channels_out(), s.channels_out()], [down, across], lanes)
                } else {
                    [[V::splat(0.0); OUT]; OUT]
                };
                let mut halfway = [[V::splat(0.0); OUT]; IN]; // transposed
                for i in 0..OUT {
                    let values = tile::output_gradient(pixels[i]);
                    for j in 0..IN {
                        halfway[j][i] = values[j];
                    }
                }
                for j in 0..IN {
                    let values = tile::output_gradient(halfway[j]);
                    for i in 0..IN {
                        values[i].store(slopes.as_mut_ptr().add((i * IN + j) * per_point + row * width + column));
                    }
                }
            }
        }
    }
}
