//! Run-time choice of instruction set, in one place.
//!
//! A kernel is a value that implements [`Kernel`]: its `run` is written once over the vector type [`Lanes`] and compiled
//! once per tier, inside a function that enables the tier's instructions. [`dispatch`] picks the best tier the processor
//! has. Bits differ between tiers (a fused multiply-add rounds once), never between thread counts.

use std::sync::OnceLock;

/// An instruction-set tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// Whatever the compiler's baseline for the target holds.
    Portable,
    /// x86-64 with AVX2 and FMA.
    Avx2,
    /// x86-64 with AVX-512 F.
    Avx512,
}

/// The tier in use: the best the processor has, or what `STRIATE_CPU=portable|avx2|avx512` names if the processor has it.
pub fn tier() -> Tier {
    static TIER: OnceLock<Tier> = OnceLock::new();
    *TIER.get_or_init(|| {
        let best = detect();
        match std::env::var("STRIATE_CPU").as_deref() {
            Ok("portable") => Tier::Portable,
            Ok("avx2") if best != Tier::Portable => Tier::Avx2,
            _ => best,
        }
    })
}

#[cfg(target_arch = "x86_64")]
fn detect() -> Tier {
    if !(is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")) {
        return Tier::Portable;
    }
    if is_x86_feature_detected!("avx512f") { Tier::Avx512 } else { Tier::Avx2 }
}

#[cfg(not(target_arch = "x86_64"))]
fn detect() -> Tier {
    Tier::Portable
}

/// A vector of `N` floats, with what a convolution needs.
pub(crate) trait Lanes: Copy {
    /// Floats in the vector.
    const N: usize;
    /// Whether multiply-add is one instruction.
    const FMA: bool;
    /// All lanes `x`.
    unsafe fn splat(x: f32) -> Self;
    /// Reads `N` floats, unaligned.
    unsafe fn load(p: *const f32) -> Self;
    /// Writes `N` floats, unaligned.
    unsafe fn store(self, p: *mut f32);
    /// `self + a * b`.
    unsafe fn madd(self, a: Self, b: Self) -> Self;
    /// `self + other`.
    unsafe fn add(self, other: Self) -> Self;
    /// `self - other`.
    unsafe fn sub(self, other: Self) -> Self;
    /// `self * other`.
    unsafe fn mul(self, other: Self) -> Self;
}

/// `a * b + c`, fused where the tier fuses.
#[inline(always)]
pub(crate) fn madd<V: Lanes>(a: f32, b: f32, c: f32) -> f32 {
    if V::FMA { a.mul_add(b, c) } else { a * b + c }
}

/// Work that is compiled once per tier. `run` must be `#[inline(always)]`, so that it takes on the tier's instructions.
pub(crate) trait Kernel {
    /// Does the work with vectors of type `V`.
    fn run<V: Lanes>(self);
}

/// Runs a kernel with the best tier.
pub(crate) fn dispatch<K: Kernel>(kernel: K) {
    match tier() {
        // SAFETY: `tier` returns only what the processor has.
        #[cfg(target_arch = "x86_64")]
        Tier::Avx512 => unsafe { x86::run_avx512(kernel) },
        #[cfg(target_arch = "x86_64")]
        Tier::Avx2 => unsafe { x86::run_avx2(kernel) },
        _ => kernel.run::<Portable>(),
    }
}

/// Floats in a vector of the tier.
pub(crate) fn vector_width() -> usize {
    match tier() {
        Tier::Portable => Portable::N,
        Tier::Avx2 => 8,
        Tier::Avx512 => 16,
    }
}

/// Width of a block of packed output channels: two vectors of the tier, or one where that holds all `cout` channels.
pub(crate) fn block_width(cout: usize) -> usize {
    let n = vector_width();
    if cout <= n { n } else { 2 * n }
}

/// Four floats in an array; the compiler vectorises them for its baseline.
#[derive(Clone, Copy)]
pub(crate) struct Portable([f32; 4]);

impl Lanes for Portable {
    const N: usize = 4;
    const FMA: bool = cfg!(target_arch = "aarch64");
    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        Self([x; 4])
    }
    #[inline(always)]
    unsafe fn load(p: *const f32) -> Self {
        // SAFETY: the caller vouches for four readable floats.
        Self(unsafe { p.cast::<[f32; 4]>().read_unaligned() })
    }
    #[inline(always)]
    unsafe fn store(self, p: *mut f32) {
        // SAFETY: the caller vouches for four writable floats.
        unsafe { p.cast::<[f32; 4]>().write_unaligned(self.0) }
    }
    #[inline(always)]
    unsafe fn madd(mut self, a: Self, b: Self) -> Self {
        for i in 0..4 {
            self.0[i] = madd::<Self>(a.0[i], b.0[i], self.0[i]);
        }
        self
    }
    #[inline(always)]
    unsafe fn add(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] + other.0[i]))
    }
    #[inline(always)]
    unsafe fn sub(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] - other.0[i]))
    }
    #[inline(always)]
    unsafe fn mul(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i] * other.0[i]))
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Kernel, Lanes};
    use std::arch::x86_64::{
        __m256, __m512, _mm256_add_ps, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_mul_ps, _mm256_set1_ps, _mm256_storeu_ps, _mm256_sub_ps,
        _mm512_add_ps, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_mul_ps, _mm512_set1_ps, _mm512_storeu_ps, _mm512_sub_ps,
    };

    #[target_feature(enable = "avx512f,avx2,fma")]
    pub(super) fn run_avx512<K: Kernel>(kernel: K) {
        kernel.run::<__m512>();
    }

    #[target_feature(enable = "avx2,fma")]
    pub(super) fn run_avx2<K: Kernel>(kernel: K) {
        kernel.run::<__m256>();
    }

    impl Lanes for __m512 {
        const N: usize = 16;
        const FMA: bool = true;
        #[inline(always)]
        unsafe fn splat(x: f32) -> Self {
            // SAFETY: only reached through `run_avx512`.
            unsafe { _mm512_set1_ps(x) }
        }
        #[inline(always)]
        unsafe fn load(p: *const f32) -> Self {
            // SAFETY: as above; the caller vouches for the memory.
            unsafe { _mm512_loadu_ps(p) }
        }
        #[inline(always)]
        unsafe fn store(self, p: *mut f32) {
            // SAFETY: as above; the caller vouches for the memory.
            unsafe { _mm512_storeu_ps(p, self) }
        }
        #[inline(always)]
        unsafe fn madd(self, a: Self, b: Self) -> Self {
            // SAFETY: only reached through `run_avx512`.
            unsafe { _mm512_fmadd_ps(a, b, self) }
        }
        #[inline(always)]
        unsafe fn add(self, other: Self) -> Self {
            // SAFETY: only reached through `run_avx512`.
            unsafe { _mm512_add_ps(self, other) }
        }
        #[inline(always)]
        unsafe fn sub(self, other: Self) -> Self {
            // SAFETY: only reached through `run_avx512`.
            unsafe { _mm512_sub_ps(self, other) }
        }
        #[inline(always)]
        unsafe fn mul(self, other: Self) -> Self {
            // SAFETY: only reached through `run_avx512`.
            unsafe { _mm512_mul_ps(self, other) }
        }
    }

    impl Lanes for __m256 {
        const N: usize = 8;
        const FMA: bool = true;
        #[inline(always)]
        unsafe fn splat(x: f32) -> Self {
            // SAFETY: only reached through `run_avx2`.
            unsafe { _mm256_set1_ps(x) }
        }
        #[inline(always)]
        unsafe fn load(p: *const f32) -> Self {
            // SAFETY: as above; the caller vouches for the memory.
            unsafe { _mm256_loadu_ps(p) }
        }
        #[inline(always)]
        unsafe fn store(self, p: *mut f32) {
            // SAFETY: as above; the caller vouches for the memory.
            unsafe { _mm256_storeu_ps(p, self) }
        }
        #[inline(always)]
        unsafe fn madd(self, a: Self, b: Self) -> Self {
            // SAFETY: only reached through `run_avx2`.
            unsafe { _mm256_fmadd_ps(a, b, self) }
        }
        #[inline(always)]
        unsafe fn add(self, other: Self) -> Self {
            // SAFETY: only reached through `run_avx2`.
            unsafe { _mm256_add_ps(self, other) }
        }
        #[inline(always)]
        unsafe fn sub(self, other: Self) -> Self {
            // SAFETY: only reached through `run_avx2`.
            unsafe { _mm256_sub_ps(self, other) }
        }
        #[inline(always)]
        unsafe fn mul(self, other: Self) -> Self {
            // SAFETY: only reached through `run_avx2`.
            unsafe { _mm256_mul_ps(self, other) }
        }
    }
}
