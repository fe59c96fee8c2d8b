//! Winograd's transforms for output tiles of 4x4 and kernels of 3x3, F(4x4, 3x3).
//!
//! A product of polynomials is found by evaluating both at enough points, multiplying there, and interpolating: four outputs of
//! a three-tap filter need six multiplications instead of twelve, in two dimensions 36 instead of 144 (Winograd 1980; Lavin and
//! Gray 2016). Along each axis `y = A^T [(G w) . (B^T x)]`.
//!
//! The points are 0, +-2/3, +-3/2 and infinity (our choice). Those of the literature, 0, +-1, +-2, make numbers of very different
//! size: with them a sum over 96 channels and 9 taps errs by 2.0e-6 of its size in f32, with these by 0.9e-6, and the direct sum by 0.5e-6.
//! Because 2/3 * 3/2 = 1, some factors are 1 too.

use crate::simd::Lanes;

/// Outputs of a tile along one axis.
pub(super) const OUT: usize = 4;
/// Inputs, and points, along one axis.
pub(super) const IN: usize = 6;
/// Points of a tile: products it takes.
pub(super) const POINTS: usize = IN * IN;

const A: f32 = 2.0 / 3.0;
const B: f32 = 3.0 / 2.0;
const A2: f32 = A * A;
const B2: f32 = B * B;
const A3: f32 = A * A * A;
const B3: f32 = B * B * B;

/// `B^T x`: six inputs to their values at six points.
#[inline(always)]
pub(super) unsafe fn input<V: Lanes>(x: [V; IN]) -> [V; IN] {
    // SAFETY: registers only.
    unsafe {
        let both = V::splat(-(A2 + B2));
        let (even_a, even_b) = (x[4].madd(V::splat(-B2), x[2]), x[4].madd(V::splat(-A2), x[2]));
        let (odd_a, odd_b) = (x[3].mul(V::splat(A)).madd(V::splat(-B), x[1]), x[3].mul(V::splat(B)).madd(V::splat(-A), x[1]));
        [x[0].add(x[4]).madd(both, x[2]), even_a.add(odd_a), even_a.sub(odd_a), even_b.add(odd_b), even_b.sub(odd_b), x[1].add(x[5]).madd(both, x[3])]
    }
}

/// `A^T m`: products at six points to four outputs.
#[inline(always)]
pub(super) unsafe fn output<V: Lanes>(m: [V; IN]) -> [V; OUT] {
    // SAFETY: registers only.
    unsafe {
        let (even_a, odd_a) = (m[1].add(m[2]), m[1].sub(m[2]));
        let (even_b, odd_b) = (m[3].add(m[4]), m[3].sub(m[4]));
        [
            m[0].add(even_a).add(even_b),
            odd_a.mul(V::splat(A)).madd(V::splat(B), odd_b),
            even_a.mul(V::splat(A2)).madd(V::splat(B2), even_b),
            m[5].madd(V::splat(A3), odd_a).madd(V::splat(B3), odd_b),
        ]
    }
}

/// `A y`, the transpose of [`output`]: gradients of four outputs to those of the products at six points.
#[inline(always)]
pub(super) unsafe fn output_gradient<V: Lanes>(y: [V; OUT]) -> [V; IN] {
    // SAFETY: registers only.
    unsafe {
        let (even_a, odd_a) = (y[0].madd(V::splat(A2), y[2]), y[1].mul(V::splat(A)).madd(V::splat(A3), y[3]));
        let (even_b, odd_b) = (y[0].madd(V::splat(B2), y[2]), y[1].mul(V::splat(B)).madd(V::splat(B3), y[3]));
        [y[0], even_a.add(odd_a), even_a.sub(odd_a), even_b.add(odd_b), even_b.sub(odd_b), y[3]]
    }
}

/// G: three weights to their values at six points, one row each.
const G: [[f64; 3]; IN] = {
    const fn at(p: f64, q: f64) -> [f64; 3] {
        let scale = 2.0 * p * p * (p * p - q * q);
        [1.0 / scale, p / scale, p * p / scale]
    }
    let (a, b) = (2.0 / 3.0, 3.0 / 2.0);
    [[1.0, 0.0, 0.0], at(a, b), at(-a, b), at(b, a), at(-b, a), [0.0, 0.0, 1.0]]
};

/// Kernels transformed side by side, so that the compiler has vectors to work with.
pub(super) const SIDE: usize = 16;

/// `G w G^T`: 3x3 kernels to their values at 36 points.
#[inline(always)]
pub(super) fn weights(w: &[[f32; SIDE]; 9]) -> [[f32; SIDE]; POINTS] {
    let mut rows = [[[0.0f64; SIDE]; 3]; IN];
    for i in 0..IN {
        for tap in 0..9 {
            for k in 0..SIDE {
                rows[i][tap % 3][k] += G[i][tap / 3] * f64::from(w[tap][k]);
            }
        }
    }
    let mut points = [[0.0f32; SIDE]; POINTS];
    for p in 0..POINTS {
        for k in 0..SIDE {
            points[p][k] = (0..3).map(|x| rows[p / IN][x][k] * G[p % IN][x]).sum::<f64>() as f32;
        }
    }
    points
}

/// `G^T u G`, the transpose of [`weights`].
#[inline(always)]
pub(super) fn weights_gradient(u: &[[f32; SIDE]; POINTS]) -> [[f32; SIDE]; 9] {
    let mut rows = [[[0.0f64; SIDE]; IN]; 3];
    for p in 0..POINTS {
        for y in 0..3 {
            for k in 0..SIDE {
                rows[y][p % IN][k] += G[p / IN][y] * f64::from(u[p][k]);
            }
        }
    }
    let mut taps = [[0.0f32; SIDE]; 9];
    for tap in 0..9 {
        for k in 0..SIDE {
            taps[tap][k] = (0..IN).map(|j| rows[tap / 3][j][k] * G[j][tap % 3]).sum::<f64>() as f32;
        }
    }
    taps
}
