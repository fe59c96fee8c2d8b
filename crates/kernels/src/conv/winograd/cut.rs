//! How frames are cut into strips of tiles, and how tiles come out of memory.

use super::super::tile::{self, IN, OUT, POINTS};
use super::super::{ConvShape, Extent, Input};
use crate::simd::{Lanes, block_width, vector_width};

/// Tiles of a strip, at most: about as many rows as products need to be fast.
const TILES: usize = 24;
/// Frames times tiles of a piece, at most: what fits the second-level cache at 32 channels.
const ROWS: usize = 96;
/// Widest block of packed columns on any tier.
pub(super) const WIDEST: usize = 32;

/// How frames are cut into tiles and pieces; depends on shapes alone.
#[derive(Clone, Copy)]
pub(super) struct Cut {
    pub(super) s: ConvShape,
    pub(super) e: Extent,
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
    pub(super) fn new(s: &ConvShape, e: &Extent) -> Self {
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

    /// Input channels as stored after the transform: whole vectors, so that no store reaches into the next tile.
    pub(super) fn stored(&self) -> usize {
        self.s.cin.next_multiple_of(vector_width())
    }

    /// Lengths of a piece's transformed inputs, and of its products or transformed output gradients.
    pub(super) fn scratch(&self, piece: &Piece) -> [usize; 2] {
        let (tiles, frames) = (piece.rows[1] * self.tiles[1], piece.frames[1]);
        [POINTS * (frames + self.s.kt - 1) * tiles * self.stored(), POINTS * frames * tiles * block_width(self.s.cout)]
    }

    /// Packed weights of one group and block of columns: `[point][kt][cin][width]`.
    pub(super) fn block_length(&self, width: usize) -> usize {
        POINTS * self.s.kt * self.s.cin * width
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

/// Transforms the inputs of a piece, `[point][frame][tile][stored channel]`; pixels beyond the frame are zero.
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
                let from = x.as_ptr().add(corner + channel);
                let pixels = load_tile::<V, IN>(from, [e.width * s.channels_in(), s.channels_in()], [down, across], lanes);
                transform_tile(pixels, points.as_mut_ptr().add(i * stored + channel), per_point);
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

/// A tile of `SIZE x SIZE` pixels, a vector of channels each; zero beyond `inside` and beyond `lanes`.
///
/// # Safety
/// `from` must be readable at every pixel inside, for `lanes` floats.
#[inline(always)]
pub(super) unsafe fn load_tile<V: Lanes, const SIZE: usize>(
    from: *const f32,
    strides: [usize; 2],
    inside: [usize; 2],
    lanes: usize,
) -> [[V; SIZE]; SIZE] {
    // SAFETY: forwarded from the caller.
    unsafe {
        if inside == [SIZE; 2] && lanes == V::N {
            // not the array below: zeros that are all overwritten would be written to memory all the same
            let mut tile = [[V::load(from); SIZE]; SIZE];
            for i in 0..SIZE {
                for j in 0..SIZE {
                    tile[i][j] = V::load(from.add(i * strides[0] + j * strides[1]));
                }
            }
            return tile;
        }
        let mut tile = [[V::splat(0.0); SIZE]; SIZE];
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
pub(super) unsafe fn load_some<V: Lanes>(p: *const f32, lanes: usize) -> V {
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
pub(super) unsafe fn store_some<V: Lanes>(v: V, p: *mut f32, lanes: usize) {
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
