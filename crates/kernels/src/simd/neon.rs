//! 64-bit ARM: NEON, which belongs to the baseline.

use super::{Kernel, Lanes};
use std::arch::aarch64::{float32x4_t, vaddq_f32, vdupq_n_f32, vfmaq_f32, vld1q_f32, vmulq_f32, vst1q_f32, vsubq_f32};

/// Nothing to enable: the whole program has the instructions.
pub(super) fn run<K: Kernel>(kernel: K) {
    kernel.run::<float32x4_t>();
}

impl Lanes for float32x4_t {
    const N: usize = 4;
    const REGISTERS: usize = 32;
    const FMA: bool = true;
    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        // SAFETY: only compiled where every processor has it.
        unsafe { vdupq_n_f32(x) }
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> Self {
        // SAFETY: the caller vouches for four readable floats.
        unsafe { vld1q_f32(p) }
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f32) {
        // SAFETY: the caller vouches for four writable floats.
        unsafe { vst1q_f32(p, self) }
    }
    #[inline(always)]
    unsafe fn madd(self, a: Self, b: Self) -> Self {
        // SAFETY: only compiled where every processor has it.
        unsafe { vfmaq_f32(self, a, b) }
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        // SAFETY: only compiled where every processor has it.
        unsafe { vaddq_f32(self, other) }
    }
    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        // SAFETY: only compiled where every processor has it.
        unsafe { vsubq_f32(self, other) }
    }
    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        // SAFETY: only compiled where every processor has it.
        unsafe { vmulq_f32(self, other) }
    }
}
