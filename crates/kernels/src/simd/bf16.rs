//! AVX-512 with bf16 products: all arithmetic as in [`super::x86`] but that of products, whose operands are pairs of bf16 (see
//! [`crate::precision`]).

use super::{Kernel, Lanes};
use std::arch::asm;
use std::arch::x86_64::{__m256bh, __m256i, __m512, _mm256_storeu_si256, _mm512_cvtneps_pbh};
use std::mem::transmute;

#[target_feature(enable = "avx512f,avx512bf16,avx2,fma")]
pub(super) fn run<K: Kernel>(kernel: K) {
    kernel.run::<Bf16>();
}

/// `sum + a * b`, where `a` is the slot at `p`, sixteen times. Not by the intrinsic: from it the compiler makes splats for twelve products
/// ahead of them, and has no registers left for the sums.
#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
unsafe fn add_product(mut sum: __m512, p: *const f32, b: __m512) -> __m512 {
    // SAFETY: the caller vouches for the slot.
    unsafe {
        asm!(
            "vdpbf16ps {sum}, {b}, dword ptr [{p}]{{1to16}}",
            sum = inout(zmm_reg) sum, b = in(zmm_reg) b, p = in(reg) p,
            options(pure, readonly, nostack, preserves_flags),
        );
    }
    sum
}

/// Sixteen floats, and products of pairs.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct Bf16(__m512);

impl Lanes for Bf16 {
    const N: usize = 16;
    const REGISTERS: usize = 32;
    const FMA: bool = true;
    const PER_SLOT: usize = 2;
    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        // SAFETY: as for AVX-512, which `run` enables too; and so below.
        Self(unsafe { Lanes::splat(x) })
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> Self {
        // SAFETY: forwarded from the caller.
        Self(unsafe { Lanes::load(p) })
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f32) {
        // SAFETY: forwarded from the caller.
        unsafe { self.0.store(p) }
    }
    #[inline(always)]
    unsafe fn store_slots(self, p: *mut f32) {
        // SAFETY: only reached through `run`; the caller vouches for eight writable slots.
        unsafe { _mm256_storeu_si256(p.cast(), transmute::<__m256bh, __m256i>(_mm512_cvtneps_pbh(self.0))) }
    }
    #[inline(always)]
    unsafe fn add_product(self, p: *const f32, b: Self) -> Self {
        // SAFETY: only reached through `run`; the caller vouches for the slot.
        Self(unsafe { add_product(self.0, p, b.0) })
    }
    #[inline(always)]
    unsafe fn madd(self, a: Self, b: Self) -> Self {
        // SAFETY: only reached through `run`.
        Self(unsafe { self.0.madd(a.0, b.0) })
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        // SAFETY: only reached through `run`.
        Self(unsafe { self.0.add(other.0) })
    }
    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        // SAFETY: only reached through `run`.
        Self(unsafe { self.0.sub(other.0) })
    }
    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        // SAFETY: only reached through `run`.
        Self(unsafe { self.0.mul(other.0) })
    }
    #[inline(always)]
    fn prefetch(p: *const f32) {
        __m512::prefetch(p);
    }
}
