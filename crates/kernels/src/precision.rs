//! What products are made of: numbers in f32, or in bf16, two at a time.
//!
//! A bf16 number is the upper half of an f32, rounded: the same range, 8 bits of significand instead of 24. Processors multiply them in
//! pairs: a slot of 32 bits holds two neighbours along the axis that is summed over, and one instruction adds both products to a sum in
//! f32. Only operands of products are rounded, right before; maps, states, biases, sums and nonlinearities stay f32.

use crate::simd::{Lanes, Tier, WIDEST_BLOCK, load_some, tier};
use std::fmt;

/// What products are made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// f32: responses are some millionths off.
    #[default]
    F32,
    /// bf16, sums in f32: responses are a few thousandths off, and sooner there.
    Bf16,
}

impl Precision {
    /// Both.
    pub const ALL: [Self; 2] = [Self::F32, Self::Bf16];

    /// What `--precision` calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
        }
    }

    /// Whether the instruction set in use has such products.
    pub fn runs_here(self) -> bool {
        match self {
            Self::F32 => true,
            #[cfg(target_arch = "x86_64")]
            Self::Bf16 => tier() == Tier::Avx512 && is_x86_feature_detected!("avx512bf16"),
            #[cfg(not(target_arch = "x86_64"))]
            Self::Bf16 => false,
        }
    }

    /// Itself, where [`Self::runs_here`].
    pub fn here(self) -> Result<Self, NotHere> {
        if self.runs_here() { Ok(self) } else { Err(NotHere { got: self, tier: tier() }) }
    }

    /// Numbers in a slot.
    pub(crate) fn per_slot(self) -> usize {
        match self {
            Self::F32 => 1,
            Self::Bf16 => 2,
        }
    }
}

/// The instruction set in use has no products of this kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotHere {
    /// What was asked for.
    pub got: Precision,
    /// The instruction set in use.
    pub tier: Tier,
}

impl fmt::Display for NotHere {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Self { got, tier } = self;
        write!(f, "products in {} need a processor with AVX-512 BF16 (the instruction set in use is {}); use f32", got.name(), tier.name())
    }
}

impl std::error::Error for NotHere {}

/// Bits of the nearest bf16, of two equally near the even one; not a number stays so.
#[inline(always)]
fn rounded(x: f32) -> u32 {
    let bits = x.to_bits();
    let nearest = bits.wrapping_add(0x7fff + (bits >> 16 & 1)) >> 16; // of a NaN it would overflow
    if x.is_nan() { bits >> 16 | 0x40 } else { nearest }
}

/// The nearest bf16 of a number.
pub fn nearest_bf16(x: f32) -> f32 {
    f32::from_bits(rounded(x) << 16)
}

/// Slots of a right operand `[blocks][k][width]`, as `[blocks][k / 2, rounded up][width]`: rows in pairs, the first in the lower half.
#[inline(always)]
pub(crate) fn pair_rows(packed: &[f32], k: usize, width: usize, slots: &mut [f32]) {
    for (packed, slots) in packed.chunks_exact(k * width).zip(slots.chunks_exact_mut(k.div_ceil(2) * width)) {
        for (rows, slots) in packed.chunks(2 * width).zip(slots.chunks_exact_mut(width)) {
            let (low, high) = rows.split_at(width);
            let mut line = [0.0; WIDEST_BLOCK]; // the row after the last
            line[..high.len()].copy_from_slice(high);
            for ((slot, low), high) in slots.iter_mut().zip(low).zip(&line) {
                *slot = f32::from_bits(rounded(*low) | rounded(*high) << 16);
            }
        }
    }
}

/// Slots of a left operand's row: as many whole vectors as hold the numbers.
#[inline(always)]
pub(crate) fn pair_row<V: Lanes>(row: &[f32], slots: &mut [f32]) {
    assert!(slots.len() >= row.len().next_multiple_of(V::N) / V::PER_SLOT);
    for at in (0..row.len()).step_by(V::N) {
        // SAFETY: numbers to the row's end, and room for whole vectors.
        unsafe {
            let values: V = load_some(row.as_ptr().add(at), V::N.min(row.len() - at));
            values.store_slots(slots.as_mut_ptr().add(at / V::PER_SLOT));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{nearest_bf16, pair_rows};

    #[test]
    fn numbers_go_to_the_nearest_and_ties_to_the_even() {
        let near = |bits: u32| nearest_bf16(f32::from_bits(bits)).to_bits();
        assert_eq!(near(0x3f80_7fff), 0x3f80_0000);
        assert_eq!(near(0x3f80_8000), 0x3f80_0000);
        assert_eq!(near(0x3f80_8001), 0x3f81_0000);
        assert_eq!(near(0x3f81_8000), 0x3f82_0000);
        assert_eq!(near(0xbf81_8000), 0xbf82_0000);
        assert_eq!(nearest_bf16(f32::MAX), f32::INFINITY);
        assert_eq!(nearest_bf16(f32::NEG_INFINITY), f32::NEG_INFINITY);
        for nan in [f32::NAN, f32::from_bits(0x7f80_0001), f32::from_bits(0xffff_ffff)] {
            assert!(nearest_bf16(nan).is_nan());
        }
    }

    #[test]
    fn rows_pair_up_and_the_last_odd_one_with_zero() {
        let packed: Vec<f32> = (1..=12).map(|v| v as f32).collect(); // two blocks of three rows, two wide
        let mut slots = vec![f32::NAN; 8];
        pair_rows(&packed, 3, 2, &mut slots);
        let halves = |slot: &f32| [slot.to_bits() << 16, slot.to_bits() & 0xffff_0000].map(f32::from_bits);
        let found: Vec<f32> = slots.iter().flat_map(halves).collect();
        assert_eq!(found, [1.0, 3.0, 2.0, 4.0, 5.0, 0.0, 6.0, 0.0, 7.0, 9.0, 8.0, 10.0, 11.0, 0.0, 12.0, 0.0]);
    }
}
