//! The machine's own peak: how fast multiply-adds go when nothing but registers is touched. Benchmarks are read against it.

use crate::simd::{Kernel, Lanes, dispatch};
use rayon::prelude::*;

/// Sums kept in registers: enough to hide the latency of a multiply-add on every machine known (4 cycles, two a cycle).
const CHAINS: usize = 12;

/// Links of each chain in one run: long enough, tens of milliseconds, for threads to have found a core each.
const ROUNDS: usize = 4_000_000;

/// f32 multiply-adds per second of all threads of the pool together, at the tier in use: the best of several short runs.
pub fn multiply_adds_per_second() -> f64 {
    best(|| {
        let mut count = 0;
        dispatch(Chains { rounds: ROUNDS, count: &mut count });
        count
    })
}

/// The same of products of bf16 added up in f32, where the processor has them in its vectors (AVX-512 BF16).
pub fn bf16_multiply_adds_per_second() -> Option<f64> {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bf16") {
        // SAFETY: the processor has what the function needs.
        return Some(best(|| unsafe { bf16_chains(ROUNDS) }));
    }
    None
}

/// Multiply-adds per second where each thread of the pool does as many as `run` says.
fn best(run: impl Fn() -> usize + Sync) -> f64 {
    let threads = rayon::current_num_threads();
    let once = || {
        let began = std::time::Instant::now();
        let done: usize = (0..threads).into_par_iter().map(|_| run()).sum();
        done as f64 / began.elapsed().as_secs_f64()
    };
    (0..8).map(|_| once()).fold(0.0, f64::max)
}

/// Pairs of bf16 products, 16 sums in a register: 32 multiply-adds an instruction.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bf16")]
fn bf16_chains(rounds: usize) -> usize {
    use std::arch::x86_64::{_mm512_cvtne2ps_pbh, _mm512_dpbf16_ps, _mm512_reduce_add_ps, _mm512_set1_ps};
    let value = _mm512_set1_ps(std::hint::black_box(1e-3));
    let pairs = _mm512_cvtne2ps_pbh(value, value);
    let mut sums = [_mm512_set1_ps(1.0); CHAINS];
    for _ in 0..rounds {
        for sum in &mut sums {
            *sum = _mm512_dpbf16_ps(*sum, pairs, pairs);
        }
    }
    sums.iter().for_each(|sum| {
        std::hint::black_box(_mm512_reduce_add_ps(*sum));
    });
    rounds * CHAINS * 32
}

struct Chains<'a> {
    rounds: usize,
    count: &'a mut usize,
}

impl Kernel for Chains<'_> {
    #[inline(always)]
    fn run<V: Lanes>(self) {
        // SAFETY: registers only; the one store is to an array of the vector's size.
        unsafe {
            let (a, b) = (V::splat(std::hint::black_box(0.999)), V::splat(std::hint::black_box(0.001)));
            let mut sums = [V::splat(1.0); CHAINS];
            for _ in 0..self.rounds {
                for sum in &mut sums {
                    *sum = a.madd(*sum, b);
                }
            }
            let mut line = [0.0f32; 16];
            for sum in sums {
                sum.store(line.as_mut_ptr());
                std::hint::black_box(&line);
            }
        }
        *self.count = self.rounds * CHAINS * V::N;
    }
}
