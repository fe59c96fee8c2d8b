//! The register tile under every product: `P` rows of the left operand times a block of packed columns of the right one.
//!
//! A convolution over channels-last images is a sum of such products, one per tap, so `conv` and `attention` share it.
//! The right operand is packed once per sequence into blocks of [`block_width`] columns, `[block][k][width]`, columns
//! beyond the last being zero; a tile keeps `P x width` sums in registers and reads each packed row once.

use crate::simd::{Kernel, Lanes, block_width, dispatch};
use rayon::prelude::*;

/// Packs `b` [k, n] (row stride `ldb`) into column blocks.
pub fn pack(b: &[f32], k: usize, n: usize, ldb: usize) -> Vec<f32> {
    let width = block_width(n);
    let mut packed = vec![0.0; n.div_ceil(width) * k * width];
    for block in 0..n.div_ceil(width) {
        let columns = width.min(n - block * width);
        for row in 0..k {
            let to = (block * k + row) * width;
            packed[to..to + columns].copy_from_slice(&b[row * ldb + block * width..][..columns]);
        }
    }
    packed
}

/// What a tile starts from.
#[derive(Clone, Copy)]
pub(crate) enum Start<'a> {
    /// Zero.
    Zero,
    /// What the output holds.
    Output,
    /// A value per column.
    Bias(&'a [f32]),
}

/// `out[i][j] = start + sum over taps and k of x[i * pixel + tap + k] * packed[tap * k_len + k][j]` for `rows` rows and one
/// block of columns. Where products are of pairs, `x` and `packed` are slots, and all distances count slots.
///
/// # Safety
/// `x` must be readable at every `i * pixel + tap + k`, `packed` at `[taps * k, width]`, and `out` writable at
/// `i * out_stride + j` for `j < columns`.
#[inline(always)]
pub(crate) unsafe fn row_block<V: Lanes>(
    x: *const f32,
    pixel: usize,
    taps: &[usize],
    k: usize,
    packed: *const f32,
    width: usize,
    out: *mut f32,
    out_stride: usize,
    rows: usize,
    columns: usize,
    start: Start,
) {
    // SAFETY: forwarded from the caller; tiles stay within `rows`.
    unsafe {
        let tile = |row: usize, rows: usize| Tile {
            x: x.add(row * pixel),
            pixel,
            taps,
            k,
            packed,
            out: out.add(row * out_stride),
            out_stride,
            rows,
            columns,
            start,
        };
        let mut row = 0;
        if width == V::N {
            while row + 12 <= rows {
                tile(row, 12).run::<V, 12, 1>();
                row += 12;
            }
            while row + 4 <= rows {
                tile(row, 4).run::<V, 4, 1>();
                row += 4;
            }
            while row < rows {
                tile(row, 1).run::<V, 1, 1>();
                row += 1;
            }
            return;
        }
        if V::REGISTERS == 32 {
            // 32 registers hold 12 x 2 sums; 16 hold 6 x 2
            while row + 12 <= rows {
                tile(row, 12).run::<V, 12, 2>();
                row += 12;
            }
        }
        while row + 6 <= rows {
            tile(row, 6).run::<V, 6, 2>();
            row += 6;
        }
        while row + 2 <= rows {
            tile(row, 2).run::<V, 2, 2>();
            row += 2;
        }
        if row < rows {
            tile(row, 1).run::<V, 1, 2>();
        }
    }
}

/// One register tile: `P` rows by `B` vectors of columns.
struct Tile<'a> {
    x: *const f32,
    pixel: usize,
    taps: &'a [usize],
    k: usize,
    packed: *const f32,
    out: *mut f32,
    out_stride: usize,
    rows: usize,
    columns: usize,
    start: Start<'a>,
}

impl Tile<'_> {
    #[inline(always)]
    unsafe fn run<V: Lanes, const P: usize, const B: usize>(self) {
        debug_assert_eq!(self.rows, P);
        // SAFETY: the caller of `row_block` vouches for the memory.
        unsafe {
            let whole = self.columns == B * V::N;
            let mut sums = [[V::splat(0.0); B]; P];
            match self.start {
                Start::Zero => {}
                Start::Output if whole => {
                    for p in 0..P {
                        for b in 0..B {
                            sums[p][b] = V::load(self.out.add(p * self.out_stride + b * V::N));
                        }
                    }
                }
                Start::Output => {
                    for p in 0..P {
                        let mut line = [0.0f32; 32]; // columns that do not fill the block
                        std::ptr::copy_nonoverlapping(self.out.add(p * self.out_stride), line.as_mut_ptr(), self.columns);
                        for b in 0..B {
                            sums[p][b] = V::load(line.as_ptr().add(b * V::N));
                        }
                    }
                }
                Start::Bias(bias) => {
                    let mut line = [0.0f32; 32];
                    line[..self.columns].copy_from_slice(&bias[..self.columns]);
                    for b in 0..B {
                        let bias = V::load(line.as_ptr().add(b * V::N));
                        for p in 0..P {
                            sums[p][b] = bias;
                        }
                    }
                }
            }
            let mut w = self.packed;
            for &tap in self.taps {
                let x = self.x.add(tap);
                for c in 0..self.k {
                    let mut row = [V::splat(0.0); B];
                    for b in 0..B {
                        row[b] = V::load(w.add(b * V::N));
                    }
                    w = w.add(B * V::N);
                    for p in 0..P {
                        let a = x.add(p * self.pixel + c);
                        for b in 0..B {
                            sums[p][b] = sums[p][b].add_product(a, row[b]);
                        }
                    }
                }
            }
            for p in 0..P {
                let out = self.out.add(p * self.out_stride);
                if whole {
                    for b in 0..B {
                        sums[p][b].store(out.add(b * V::N));
                    }
                } else {
                    let mut line = [0.0f32; 32];
                    for b in 0..B {
                        sums[p][b].store(line.as_mut_ptr().add(b * V::N));
                    }
                    std::ptr::copy_nonoverlapping(line.as_ptr(), out, self.columns);
                }
            }
        }
    }
}

/// `out[m, n] (+)= a[m, k] b[k, n]` with `a`'s rows `lda` apart, `out`'s `ldo` apart, and `b` packed by [`pack`]. One thread.
pub fn matmul(a: &[f32], lda: usize, packed: &[f32], out: &mut [f32], ldo: usize, m: usize, k: usize, n: usize, accumulate: bool) {
    if m == 0 || n == 0 {
        return;
    }
    let width = block_width(n);
    assert!(k == 0 || a.len() >= (m - 1) * lda + k, "left operand too short");
    assert!(packed.len() >= n.div_ceil(width) * k * width, "right operand too short");
    assert!(out.len() >= (m - 1) * ldo + n, "output too short");
    dispatch(Product { a, lda, packed, out: out.as_mut_ptr(), ldo, m, k, n, accumulate });
}

/// Rows of a left operand that [`Product::run_down`] can read.
const DOWN: usize = 64;

/// The product as a kernel, for kernels that take products among other things: they vouch for the lengths.
#[derive(Clone, Copy)]
pub(crate) struct Product<'a> {
    pub(crate) a: &'a [f32],
    pub(crate) lda: usize,
    pub(crate) packed: &'a [f32],
    pub(crate) out: *mut f32,
    pub(crate) ldo: usize,
    pub(crate) m: usize,
    pub(crate) k: usize,
    pub(crate) n: usize,
    pub(crate) accumulate: bool,
}

impl Kernel for Product<'_> {
    #[inline(always)]
    fn run<V: Lanes>(self) {
        self.blocks::<V>(self.lda, &[0], self.k);
    }
}

impl Product<'_> {
    /// The same with the transpose of `a`, [k, m] with rows `lda` apart and at most [`DOWN`] of them: a tile's rows are its
    /// columns, and each of its rows is a tap.
    #[inline(always)]
    pub(crate) fn run_down<V: Lanes>(self) {
        let rows: [usize; DOWN] = std::array::from_fn(|row| row * self.lda);
        self.blocks::<V>(1, &rows[..self.k], 1);
    }

    #[inline(always)]
    fn blocks<V: Lanes>(self, pixel: usize, taps: &[usize], k: usize) {
        let width = block_width(self.n);
        let start = if self.accumulate { Start::Output } else { Start::Zero };
        for block in 0..self.n.div_ceil(width) {
            let columns = width.min(self.n - block * width);
            // SAFETY: whoever made this checked the lengths.
            unsafe {
                row_block::<V>(
                    self.a.as_ptr(),
                    pixel,
                    taps,
                    k,
                    self.packed.as_ptr().add(block * self.k * width),
                    width,
                    self.out.add(block * width),
                    self.ldo,
                    self.m,
                    columns,
                    start,
                );
            }
        }
    }
}

/// `out[m, n] = a[m, k] b[k, n]` for a large `m`, over all threads; rows are independent, so bits do not depend on them.
pub fn matmul_parallel(a: &[f32], packed: &[f32], out: &mut [f32], k: usize, n: usize) {
    const ROWS: usize = 96;
    out.par_chunks_mut(ROWS * n).enumerate().for_each(|(chunk, out)| {
        let rows = out.len() / n;
        matmul(&a[chunk * ROWS * k..], k, packed, out, n, rows, k, n, false);
    });
}
