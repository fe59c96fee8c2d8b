//! Run-time choice of instruction set, in one place.
//!
//! A kernel is a value that implements [`Kernel`]: its `run` is written once over the vector type [`Lanes`] and compiled
//! once per tier, inside a function that enables the tier's instructions. [`dispatch`] picks the best tier the processor
//! has. Bits differ between tiers (a fused multiply-add rounds once), never between thread counts.

#[cfg(target_arch = "x86_64")]
mod bf16;
#[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
mod neon;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128;
#[cfg(target_arch = "x86_64")]
mod x86;

use crate::precision::Precision;
use std::fmt;
use std::sync::OnceLock;

/// The environment variable that names a tier.
const ASKED: &str = "STRIATE_CPU";

/// An instruction-set tier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    /// Whatever the compiler's baseline for the target holds.
    Portable,
    /// x86-64 with AVX2 and FMA.
    Avx2,
    /// x86-64 with AVX-512 F.
    Avx512,
    /// 64-bit ARM: every such processor has it.
    Neon,
    /// WebAssembly's fixed-width vectors: chosen when the program is compiled.
    Simd128,
}

impl Tier {
    /// All tiers, on each kind of processor the lesser first.
    pub const ALL: [Self; 5] = [Self::Portable, Self::Avx2, Self::Avx512, Self::Neon, Self::Simd128];

    /// What `STRIATE_CPU` calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
            Self::Neon => "neon",
            Self::Simd128 => "simd128",
        }
    }

    /// Whether this program has it and this processor runs it.
    pub fn runs_here(self) -> bool {
        match self {
            Self::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => Self::Avx2.runs_here() && is_x86_feature_detected!("avx512f"),
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx2 | Self::Avx512 => false,
            Self::Neon => cfg!(all(target_arch = "aarch64", target_feature = "neon")),
            Self::Simd128 => cfg!(all(target_arch = "wasm32", target_feature = "simd128")),
        }
    }
}

/// `STRIATE_CPU` names what is not a tier, or none of this machine's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoSuchTier {
    /// What it names.
    pub got: String,
}

impl fmt::Display for NoSuchTier {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let here: Vec<&str> = Tier::ALL.into_iter().filter(|tier| tier.runs_here()).map(Tier::name).collect();
        let problem = if Tier::ALL.iter().any(|tier| tier.name() == self.got) { "this machine lacks it" } else { "no such instruction set" };
        write!(f, "{ASKED}={}: {problem}; leave it unset, or name one of: {}", self.got, here.join(", "))
    }
}

impl std::error::Error for NoSuchTier {}

/// The tier `STRIATE_CPU` names, or the best one where it is unset or empty.
pub fn asked() -> Result<Tier, NoSuchTier> {
    match std::env::var_os(ASKED) {
        Some(name) if !name.is_empty() => named(&name.to_string_lossy()),
        _ => Ok(best()),
    }
}

fn named(name: &str) -> Result<Tier, NoSuchTier> {
    let found = Tier::ALL.into_iter().find(|tier| tier.name() == name && tier.runs_here());
    found.ok_or_else(|| NoSuchTier { got: name.to_owned() })
}

fn best() -> Tier {
    Tier::ALL.into_iter().rev().find(|tier| tier.runs_here()).unwrap_or(Tier::Portable)
}

/// The tier in use: [`asked`], once per process; the best one where that cannot be had, so that no kernel meets instructions
/// the processor lacks.
pub fn tier() -> Tier {
    static TIER: OnceLock<Tier> = OnceLock::new();
    *TIER.get_or_init(|| asked().unwrap_or_else(|_| best()))
}

/// A vector of `N` floats, with what a convolution needs.
pub(crate) trait Lanes: Copy {
    /// Floats in the vector.
    const N: usize;
    /// Vector registers: what a tile of sums has to fit.
    const REGISTERS: usize;
    /// Whether multiply-add is one instruction.
    const FMA: bool;
    /// Numbers in a slot of a product's operands, see [`crate::precision`].
    const PER_SLOT: usize = 1;
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
    /// Writes `N` numbers, unaligned, as slots of a product's left operand.
    #[inline(always)]
    unsafe fn store_slots(self, p: *mut f32) {
        // SAFETY: forwarded from the caller.
        unsafe { self.store(p) }
    }
    /// `self + a * b`, where all lanes of `a` are the slot at `p`, and `b` is slots.
    #[inline(always)]
    unsafe fn add_product(self, p: *const f32, b: Self) -> Self {
        // SAFETY: forwarded from the caller.
        unsafe { self.madd(Self::splat(*p), b) }
    }
    /// Asks for the cache line at `p`, wherever that is, to be brought closer; where the tier cannot ask, nothing.
    #[inline(always)]
    fn prefetch(_: *const f32) {}
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
        #[cfg(all(target_arch = "aarch64", target_feature = "neon"))]
        Tier::Neon => neon::run(kernel),
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        Tier::Simd128 => simd128::run(kernel),
        _ => kernel.run::<Portable>(),
    }
}

/// Runs a kernel whose products are of some precision, one that runs here: another would take its slots for numbers.
pub(crate) fn dispatch_in<K: Kernel>(precision: Precision, kernel: K) {
    assert!(precision.runs_here(), "no products in {} here", precision.name());
    match precision {
        Precision::F32 => dispatch(kernel),
        // SAFETY: `runs_here` looked for the processor's features.
        #[cfg(target_arch = "x86_64")]
        Precision::Bf16 => unsafe { bf16::run(kernel) },
        #[cfg(not(target_arch = "x86_64"))]
        Precision::Bf16 => {}
    }
}

/// Floats in a vector of the tier.
pub(crate) fn vector_width() -> usize {
    match tier() {
        Tier::Portable | Tier::Neon | Tier::Simd128 => 4,
        Tier::Avx2 => 8,
        Tier::Avx512 => 16,
    }
}

/// Widest block of packed columns on any tier.
pub(crate) const WIDEST_BLOCK: usize = 32;

/// Width of a block of packed output channels: two vectors of the tier, or one where that holds all `cout` channels.
pub(crate) fn block_width(cout: usize) -> usize {
    let n = vector_width();
    if cout <= n { n } else { 2 * n }
}

/// Floats of the widest vector of any tier.
const WIDEST: usize = 16;

/// The first `lanes` floats at `p`, zeros after them.
///
/// # Safety
/// `p` must be readable for `lanes` floats.
#[inline(always)]
pub(crate) unsafe fn load_some<V: Lanes>(p: *const f32, lanes: usize) -> V {
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
pub(crate) unsafe fn store_some<V: Lanes>(v: V, p: *mut f32, lanes: usize) {
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

/// Four floats in an array; the compiler vectorises them for its baseline.
#[derive(Clone, Copy)]
pub(crate) struct Portable([f32; 4]);

impl Lanes for Portable {
    const N: usize = 4;
    const REGISTERS: usize = 16;
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
