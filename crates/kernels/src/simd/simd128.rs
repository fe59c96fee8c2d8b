//! WebAssembly with fixed-width vectors.

use super::{Kernel, Lanes};
use std::arch::wasm32::{f32x4_add, f32x4_mul, f32x4_splat, f32x4_sub, v128, v128_load, v128_store};

/// Nothing to enable: a module either has vectors throughout or is not loaded at all.
pub(super) fn run<K: Kernel>(kernel: K) {
    kernel.run::<v128>();
}

impl Lanes for v128 {
    const N: usize = 4;
    const REGISTERS: usize = 16;
    const FMA: bool = false;
    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        f32x4_splat(x)
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> Self {
        // SAFETY: the caller vouches for four readable floats.
        unsafe { v128_load(p.cast()) }
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f32) {
        // SAFETY: the caller vouches for four writable floats.
        unsafe { v128_store(p.cast(), self) }
    }
    #[inline(always)]
    unsafe fn madd(self, a: Self, b: Self) -> Self {
        f32x4_add(self, f32x4_mul(a, b))
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        f32x4_add(self, other)
    }
    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        f32x4_sub(self, other)
    }
    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        f32x4_mul(self, other)
    }
}
