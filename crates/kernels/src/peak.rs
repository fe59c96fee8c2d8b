//! The machine's own peak: how fast multiply-adds go when nothing but registers is touched. Benchmarks are read against it.

use crate::simd::{Kernel, Lanes, dispatch};
use rayon::prelude::*;

/// Sums kept in registers: enough to hide the latency of a multiply-add on every machine known (4 cycles, two a cycle).
const CHAINS: usize = 12;

/// f32 multiply-adds per second of all threads of the pool together, at the tier in use: the best of several short runs.
pub fn multiply_adds_per_second() -> f64 {
    const ROUNDS: usize = 400_000;
    let threads = rayon::current_num_threads();
    let once = || {
        let began = std::time::Instant::now();
        let done: usize = (0..threads)
            .into_par_iter()
            .map(|_| {
                let mut count = 0;
                dispatch(Chains { rounds: ROUNDS, count: &mut count });
                count
            })
            .sum();
        done as f64 / began.elapsed().as_secs_f64()
    };
    (0..8).map(|_| once()).fold(0.0, f64::max)
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
