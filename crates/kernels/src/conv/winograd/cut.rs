//! How frames are cut into strips of tiles, and how tiles come out of memory.

use super::super::tile::{self, IN, OUT, POINTS};
use super::super::{ConvShape, Extent, Input};
use crate::precision::Precision;
use crate::simd::{Lanes, block_width, load_some, vector_width};

/// Tiles of a strip, at most: about as many rows as products need to be fast.
const TILES: usize = 24;
/// Frames times tiles of a piece, at most: what fits the second-level cache at 32 channels.
const ROWS: usize = 96;

/// How frames are cut into tiles and pieces; depends on shapes alone.
#[derive(Clone, Copy)]
pub(super) struct Cut {
    pub(super) s: ConvShape,
    pub(super) e: Extent,
    /// Of the products.
    precision: Precision,
    /// Output height and width.
    pub(super) size: [usize; 2],
    /// Tiles down and across.
    pub(super) tiles: [usize; 2],
    /// Rows of tiles in a strip.
    strip: usize,
    /// Output frames of a chunk.
    chunk: usize,
    /// Sequences that never meet in time: N, or all frames where the kernel has no temporal extent.
    sequences: usize,
}

/// One piece: a strip of tiles through a chunk of one sequence's frames.
pub(super) struct Piece {
    /// First row of tiles, and rows of them.
    pub(super) rows: [usize; 2],
    /// First output frame, and frames, `Cut::step` apart.
    pub(super) frames: [usize; 2],
}

impl Cut {
    pub(super) fn new(s: &ConvShape, e: &Extent, precision: Precision) -> Self {
        let (height, width) = s.output(e);
        let tiles = [height.div_ceil(OUT), width.div_ceil(OUT)];
        let strip = (TILES / tiles[1].max(1)).clamp(1, tiles[0].max(1));
        let chunk = (ROWS / (strip * tiles[1]).max(1)).max(1);
        // without a temporal kernel all frames are alike: one long sequence of them
        let sequences = if s.kt == 1 { 1 } else { e.batch };
        Self { s: *s, e: *e, precision, size: [height, width], tiles, strip, chunk, sequences }
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
    pub(super) fn pieces(&self) -> usize {
        self.tiles[0].div_ceil(self.strip) * self.sequences * self.length().div_ceil(self.chunk)
    }

    pub(super) fn piece(&self, index: usize) -> Piece {
        let strips = self.tiles[0].div_ceil(self.strip);
        let (strip, rest) = (index % strips, index / strips);
        let (sequence, chunk) = (rest % self.sequences, rest / self.sequences);
        let (row, frame) = (strip * self.strip, chunk * self.chunk);
        Piece { rows: [row, self.strip.min(self.tiles[0] - row)], frames: [frame * self.step() + sequence, self.chunk.min(self.length() - frame)] }
    }

    /// Slots of a tile's input channels after the transform: whole vectors, so that no store reaches into the next tile.
    pub(super) fn stored(&self) -> usize {
        self.s.cin.next_multiple_of(vector_width()) / self.precision.per_slot()
    }

    /// Lengths of a piece's transformed inputs, and of its products or transformed output gradients.
    pub(super) fn scratch(&self, piece: &Piece) -> [usize; 2] {
        let (tiles, frames) = (piece.rows[1] * self.tiles[1], piece.frames[1]);
        [POINTS * (frames + self.s.kt - 1) * tiles * self.stored(), POINTS * frames * tiles * block_width(self.s.cout)]
    }

    /// Slots that a product sums over, of one temporal tap.
    pub(super) fn slots(&self) -> usize {
        self.s.cin.div_ceil(self.precision.per_slot())
    }

    /// Packed weights of one group and block of columns: `[point][kt][slot][width]`.
    pub(super) fn block_length(&self, width: usize) -> usize {
        POINTS * self.s.kt * self.slots() * width
    }
}

impl Cut {
    /// (Output frame, y, x) of the first pixel of every tile of a piece, frame by frame.
    #[inline(always)]
    pub(super) fn places(&self, piece: &Piece) -> impl Iterator<Item = (usize, usize, usize)> {
        let ([row, rows], [frame, frames], across, step) = (piece.rows, piece.frames, self.tiles[1], self.step());
        (0..frames * rows * across).map(move |i| {
            let (f, tile) = (i / (rows * across), i % (rows * across));
            (frame + f * step, (row + tile / across) * OUT, tile % across * OUT)
        })
    }
}

/// Transforms the inputs of a piece, `[point][frame][tile][stored slot]`; pixels beyond the frame are zero.
#[inline(always)]
pub(super) fn transform_input<V: Lanes>(cut: &Cut, piece: &Piece, group: usize, x: Input, points: &mut [f32]) {
    let (s, e, stored) = (&cut.s, &cut.e, cut.stored());
    let earlier = Piece { rows: piece.rows, frames: [piece.frames[0], piece.frames[1] + s.kt - 1] };
    let per_point = points.len() / POINTS;
    for (i, (frame, row, column)) in cut.places(&earlier).enumerate() {
        let (down, across) = (IN.min(e.height - row), IN.min(e.width - column));
        let x = x.frame(frame, e.height * e.width * s.channels_in());
        let corner = (row * e.width + column) * s.channels_in() + group * s.cin;
        for channel in (0..s.cin).step_by(V::N) {
            let lanes = V::N.min(s.cin - channel);
            // SAFETY: the pixels read are inside the frame, the vectors written inside `points`.
            unsafe {
                let (from, strides) = (x.as_ptr().add(corner + channel), [e.width * s.channels_in(), s.channels_in()]);
                let pixels = Pixels { from, strides, inside: [down, across], lanes };
                let to = points.as_mut_ptr().add(i * stored + channel / V::PER_SLOT);
                if pixels.whole::<V, IN>() {
                    transform_tile::<V, true>(&pixels, to, per_point);
                } else {
                    transform_tile::<V, false>(&pixels, to, per_point);
                }
            }
        }
    }
}

/// Asks for one part of [`POINTS`] of what a piece reads: while the products of the piece before it keep the processor busy and memory idle.
/// What a temporal kernel remembers has left the caches since the last frame, and tiles come out of memory row by row, in no order that
/// the processor would foresee.
#[inline(always)]
pub(super) fn prefetch_input<V: Lanes>(cut: &Cut, piece: &Piece, group: usize, x: Input, part: usize) {
    const LINE: usize = 16; // floats
    let (s, e, row) = (&cut.s, &cut.e, cut.e.width * cut.s.channels_in());
    let (first, rows) = (piece.rows[0] * OUT, (piece.rows[1] * OUT + IN - OUT).min(e.height - piece.rows[0] * OUT));
    let pixels = rows * e.width;
    for f in 0..piece.frames[1] + s.kt - 1 {
        let frame = x.frame(piece.frames[0] + f * cut.step(), e.height * row);
        for pixel in pixels * part / POINTS..pixels * (part + 1) / POINTS {
            for channel in (0..s.cin).step_by(LINE) {
                V::prefetch(&raw const frame[first * row + pixel * s.channels_in() + group * s.cin + channel]);
            }
        }
    }
}

/// A tile of pixels in memory, a vector of channels each; zero beyond `inside` and beyond `lanes`.
#[derive(Clone, Copy)]
pub(super) struct Pixels {
    /// Its first pixel.
    pub(super) from: *const f32,
    /// Distances of rows and of columns.
    pub(super) strides: [usize; 2],
    /// Rows and columns that there are.
    pub(super) inside: [usize; 2],
    /// Channels that there are.
    pub(super) lanes: usize,
}

impl Pixels {
    /// Whether all `SIZE x SIZE` vectors are there.
    #[inline(always)]
    pub(super) fn whole<V: Lanes, const SIZE: usize>(&self) -> bool {
        self.inside == [SIZE; 2] && self.lanes == V::N
    }

    /// Row `i`; of a tile that is whole, if it is said to be.
    ///
    /// # Safety
    /// Memory must be readable at every pixel inside, for `lanes` floats.
    #[inline(always)]
    pub(super) unsafe fn row<V: Lanes, const SIZE: usize, const WHOLE: bool>(&self, i: usize) -> [V; SIZE] {
        // SAFETY: forwarded from the caller.
        unsafe {
            let mut row = [V::splat(0.0); SIZE];
            for j in 0..SIZE {
                let from = self.from.wrapping_add(i * self.strides[0] + j * self.strides[1]);
                if WHOLE {
                    row[j] = V::load(from);
                } else if i < self.inside[0] && j < self.inside[1] {
                    row[j] = load_some(from, self.lanes);
                }
            }
            row
        }
    }
}

/// One tile's `B^T x B`, a vector of channels at a time. Rows are transformed as they come out of memory: a tile is more than the registers
/// hold, and need not be written down before it is changed.
///
/// # Safety
/// As for [`Pixels::row`]; `to` must be writable at every multiple of `per_point` up to the last point.
#[inline(always)]
unsafe fn transform_tile<V: Lanes, const WHOLE: bool>(pixels: &Pixels, to: *mut f32, per_point: usize) {
    // SAFETY: forwarded from the caller.
    unsafe {
        let mut halfway = [[V::splat(0.0); IN]; IN]; // transposed
        for i in 0..IN {
            let values = tile::input(pixels.row::<V, IN, WHOLE>(i));
            for j in 0..IN {
                halfway[j][i] = values[j];
            }
        }
        for j in 0..IN {
            let values = tile::input(halfway[j]);
            for i in 0..IN {
                values[i].store_slots(to.add((i * IN + j) * per_point));
            }
        }
    }
}
