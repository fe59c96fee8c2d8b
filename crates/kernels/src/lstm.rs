//! Pointwise part of the recurrent cells: LSTM and the two-gate GRU of the reference ("Rvt").
//!
//! Gates of a pixel lie group by group, `[group][gate][channel]`; states lie `[group][channel]`. Gates are activated in
//! place and kept for the backward pass. `mask` is the dropout of the hidden state, one row of factors per batch element.

use crate::activation::{sigmoid, tanh};
use crate::simd::{Kernel, Lanes, dispatch};
use rayon::prelude::*;

/// Groups, channels per group, and pixels per batch element.
#[derive(Clone, Copy, Debug)]
pub struct Cell {
    /// Channel groups.
    pub groups: usize,
    /// Channels per group.
    pub channels: usize,
    /// Pixels of one batch element.
    pub pixels: usize,
}

impl Cell {
    fn states(&self) -> usize {
        self.groups * self.channels
    }
}

/// LSTM: gates i, f, g, o; `c <- f c + i g`, `h <- mask o tanh(c)`.
pub fn lstm(cell: Cell, gates: &mut [f32], c: &mut [f32], h: &mut [f32], mask: Option<&[f32]>) {
    let n = cell.states();
    (gates.par_chunks_mut(cell.pixels * 4 * n), c.par_chunks_mut(cell.pixels * n), h.par_chunks_mut(cell.pixels * n))
        .into_par_iter()
        .enumerate()
        .for_each(|(batch, (gates, c, h))| {
            let mask = mask.map(|m| &m[batch * n..][..n]);
            dispatch(Lstm { cell, gates, c, h, mask });
        });
}

struct Lstm<'a> {
    cell: Cell,
    gates: &'a mut [f32],
    c: &'a mut [f32],
    h: &'a mut [f32],
    mask: Option<&'a [f32]>,
}

impl Kernel for Lstm<'_> {
    #[inline(always)]
    fn run<V: Lanes>(self) {
        let ch = self.cell.channels;
        let states = self.c.chunks_exact_mut(ch).zip(self.h.chunks_exact_mut(ch));
        for (block, (gates, (c, h))) in self.gates.chunks_exact_mut(4 * ch).zip(states).enumerate() {
            // one array at a time: so the compiler sees that vectors do not overlap
            gates[..2 * ch].iter_mut().for_each(|v| *v = sigmoid::<V>(*v));
            gates[2 * ch..3 * ch].iter_mut().for_each(|v| *v = tanh::<V>(*v));
            gates[3 * ch..].iter_mut().for_each(|v| *v = sigmoid::<V>(*v));
            for (k, c) in c.iter_mut().enumerate() {
                *c = gates[ch + k] * *c + gates[k] * gates[2 * ch + k];
            }
            for ((h, c), o) in h.iter_mut().zip(c.iter()).zip(&gates[3 * ch..]) {
                *h = o * tanh::<V>(*c);
            }
            if let Some(mask) = self.mask {
                let mask = &mask[block % self.cell.groups * ch..][..ch];
                h.iter_mut().zip(mask).for_each(|(h, m)| *h *= m);
            }
        }
    }
}

/// Backward of [`lstm`]: `gates` (activated) become their pre-activation gradients, `dc` (of the new state, from later) becomes that of the old state.
pub fn lstm_backward(cell: Cell, gates: &mut [f32], c_before: &[f32], c: &[f32], dh: &[f32], dc: &mut [f32], mask: Option<&[f32]>) {
    let n = cell.states();
    (
        gates.par_chunks_mut(cell.pixels * 4 * n),
        c_before.par_chunks(cell.pixels * n),
        c.par_chunks(cell.pixels * n),
        dh.par_chunks(cell.pixels * n),
        dc.par_chunks_mut(cell.pixels * n),
    )
        .into_par_iter()
        .enumerate()
        .for_each(|(batch, (gates, c_before, c, dh, dc))| {
            let mask = mask.map(|m| &m[batch * n..][..n]);
            dispatch(LstmBackward { cell, gates, c_before, c, dh, dc, mask });
        });
}

struct LstmBackward<'a> {
    cell: Cell,
    gates: &'a mut [f32],
    c_before: &'a [f32],
    c: &'a [f32],
    dh: &'a [f32],
    dc: &'a mut [f32],
    mask: Option<&'a [f32]>,
}

impl Kernel for LstmBackward<'_> {
    #[inline(always)]
    fn run<V: Lanes>(self) {
        let ch = self.cell.channels;
        for (block, gates) in self.gates.chunks_exact_mut(4 * ch).enumerate() {
            let at = block * ch;
            let (c_before, c, dh) = (&self.c_before[at..at + ch], &self.c[at..at + ch], &self.dh[at..at + ch]);
            let dc = &mut self.dc[at..at + ch];
            let (i, rest) = gates.split_at_mut(ch);
            let (f, rest) = rest.split_at_mut(ch);
            let (g, o) = rest.split_at_mut(ch);
            let mask = self.mask.map(|m| &m[block % self.cell.groups * ch..][..ch]);
            for k in 0..ch {
                let dh = dh[k] * mask.map_or(1.0, |m| m[k]);
                let t = tanh::<V>(c[k]);
                let d = dc[k] + dh * o[k] * (1.0 - t * t);
                o[k] = dh * t * o[k] * (1.0 - o[k]);
                dc[k] = d * f[k];
                f[k] = d * c_before[k] * f[k] * (1.0 - f[k]);
                let di = d * g[k] * i[k] * (1.0 - i[k]);
                g[k] = d * i[k] * (1.0 - g[k] * g[k]);
                i[k] = di;
            }
        }
    }
}

/// GRU: gates u, n; `h <- u h + (1 - u) mask n`.
pub fn gru(cell: Cell, gates: &mut [f32], h: &mut [f32], mask: Option<&[f32]>) {
    let (n, ch) = (cell.states(), cell.channels);
    struct Gates<'a>(&'a mut [f32], usize);
    impl Kernel for Gates<'_> {
        #[inline(always)]
        fn run<V: Lanes>(self) {
            for gates in self.0.chunks_exact_mut(2 * self.1) {
                let (u, n) = gates.split_at_mut(self.1);
                u.iter_mut().for_each(|u| *u = sigmoid::<V>(*u));
                n.iter_mut().for_each(|n| *n = tanh::<V>(*n));
            }
        }
    }
    gates.par_chunks_mut(cell.pixels * 2 * n).zip(h.par_chunks_mut(cell.pixels * n)).enumerate().for_each(|(batch, (gates, h))| {
        dispatch(Gates(gates, ch));
        for (block, (gates, h)) in gates.chunks_exact(2 * ch).zip(h.chunks_exact_mut(ch)).enumerate() {
            for k in 0..ch {
                let m = mask.map_or(1.0, |m| m[batch * n + block % cell.groups * ch + k]);
                h[k] = gates[k] * h[k] + (1.0 - gates[k]) * m * gates[ch + k];
            }
        }
    });
}

/// Backward of [`gru`]: `gates` become their pre-activation gradients, `dh` becomes the direct part of the old state's gradient.
pub fn gru_backward(cell: Cell, gates: &mut [f32], h_before: &[f32], dh: &mut [f32], mask: Option<&[f32]>) {
    let (n, ch) = (cell.states(), cell.channels);
    gates.par_chunks_mut(cell.pixels * 2 * n).zip(dh.par_chunks_mut(cell.pixels * n)).enumerate().for_each(|(batch, (gates, dh))| {
        let h_before = &h_before[batch * cell.pixels * n..];
        for (block, (gates, dh)) in gates.chunks_exact_mut(2 * ch).zip(dh.chunks_exact_mut(ch)).enumerate() {
            for k in 0..ch {
                let m = mask.map_or(1.0, |m| m[batch * n + block % cell.groups * ch + k]);
                let (u, new, d) = (gates[k], gates[ch + k], dh[k]);
                gates[k] = d * (h_before[block * ch + k] - m * new) * u * (1.0 - u);
                gates[ch + k] = d * (1.0 - u) * m * (1.0 - new * new);
                dh[k] = d * u;
            }
        }
    });
}
