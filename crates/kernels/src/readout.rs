//! Readout: each unit gathers the core's features at its own position and weighs them with its own feature vector.
//!
//! `r = weights . bilinear(map, position) + bias`, positions moved onto the map first. The dot product is taken at each of
//! the four neighbours, so features are never transposed.

use crate::pad::Frame;
use crate::simd::{Kernel, Lanes, dispatch};
use rayon::prelude::*;

/// One unit's position on the map: four neighbours, their weights, and the weights' slopes.
#[derive(Clone, Copy, Debug)]
pub struct Gather {
    place: [usize; 4],
    weight: [f32; 4],
    slope_x: [f32; 4],
    slope_y: [f32; 4],
}

impl Gather {
    /// From a position (x, y) in pixels, pixel centres at integers.
    pub fn new(frame: Frame, [x, y]: [f32; 2]) -> Self {
        let (right, bottom) = ((frame.width - 1) as f32, (frame.height - 1) as f32);
        let (free_x, free_y) = (f32::from(x > 0.0 && x < right), f32::from(y > 0.0 && y < bottom));
        let (x, y) = (x.clamp(0.0, right), y.clamp(0.0, bottom));
        let (left, top) = (x as usize, y as usize);
        let (fx, fy) = (x - left as f32, y - top as f32);
        let (next_x, next_y) = ((left + 1).min(frame.width - 1), (top + 1).min(frame.height - 1));
        let at = |y: usize, x: usize| (y * frame.width + x) * frame.channels;
        Self {
            place: [at(top, left), at(top, next_x), at(next_y, left), at(next_y, next_x)],
            weight: [(1.0 - fx) * (1.0 - fy), fx * (1.0 - fy), (1.0 - fx) * fy, fx * fy],
            slope_x: [-(1.0 - fy) * free_x, (1.0 - fy) * free_x, -fy * free_x, fy * free_x],
            slope_y: [-(1.0 - fx) * free_y, -fx * free_y, (1.0 - fx) * free_y, fx * free_y],
        }
    }
}

/// `out [F, U]` from maps [F, H, W, C], positions [N, U] (frame f uses row f % N), weights [U, C] and biases [U].
pub fn forward(frame: Frame, maps: &[f32], gathers: &[Gather], weights: &[f32], biases: &[f32], out: &mut [f32]) {
    let (units, c) = (biases.len(), frame.channels);
    let batch = gathers.len() / units;
    out.par_chunks_mut(units).zip(maps.par_chunks(frame.len())).enumerate().for_each(|(f, (out, map))| {
        dispatch(Read { map, gathers: &gathers[f % batch * units..][..units], weights, biases, channels: c, out });
    });
}

/// One frame of [`forward`].
struct Read<'a> {
    map: &'a [f32],
    gathers: &'a [Gather],
    weights: &'a [f32],
    biases: &'a [f32],
    channels: usize,
    out: &'a mut [f32],
}

impl Kernel for Read<'_> {
    #[inline(always)]
    fn run<V: Lanes>(self) {
        let c = self.channels;
        for (u, (out, gather)) in self.out.iter_mut().zip(self.gathers).enumerate() {
            let w = &self.weights[u * c..][..c];
            *out = self.biases[u];
            for i in 0..4 {
                *out += gather.weight[i] * dot(w, &self.map[gather.place[i]..][..c]);
            }
        }
    }
}

/// Gradients of the readout.
#[derive(Clone, Debug)]
pub struct ReadoutGradient {
    /// Of the maps, [F, H, W, C].
    pub maps: Vec<f32>,
    /// Of the weights, [U, C].
    pub weights: Vec<f32>,
    /// Of the biases, [U].
    pub biases: Vec<f32>,
    /// Of the positions in pixels, [N, U].
    pub positions: Vec<[f32; 2]>,
}

/// Backward of [`forward`] from `dr [F, U]`.
pub fn backward(frame: Frame, maps: &[f32], gathers: &[Gather], weights: &[f32], dr: &[f32]) -> ReadoutGradient {
    let c = frame.channels;
    let units = weights.len() / c;
    let batch = gathers.len() / units;
    let mut dmaps = vec![0.0; maps.len()];
    dmaps.par_chunks_mut(frame.len()).zip(dr.par_chunks(units)).enumerate().for_each(|(f, (dmap, dr))| {
        dispatch(Scatter { gathers: &gathers[f % batch * units..][..units], weights, channels: c, dr, dmap });
    });
    let per_unit: Vec<(Vec<f32>, f32, Vec<[f32; 2]>)> = (0..units)
        .into_par_iter()
        .map(|u| {
            let (mut dw, mut db, mut dp) = (vec![0.0; c], 0.0, vec![[0.0; 2]; batch]);
            let of = OfUnit { frame, maps, gathers, weights: &weights[u * c..][..c], unit: u, units, dr };
            dispatch(Sum { of, dw: &mut dw, db: &mut db, dp: &mut dp });
            (dw, db, dp)
        })
        .collect();
    let mut out = ReadoutGradient {
        maps: dmaps,
        weights: Vec::with_capacity(units * c),
        biases: Vec::with_capacity(units),
        positions: vec![[0.0; 2]; batch * units],
    };
    for (u, (dw, db, dp)) in per_unit.into_iter().enumerate() {
        out.weights.extend(dw);
        out.biases.push(db);
        dp.into_iter().enumerate().for_each(|(n, d)| out.positions[n * units + u] = d);
    }
    out
}

/// One frame's gradient of the map.
struct Scatter<'a> {
    gathers: &'a [Gather],
    weights: &'a [f32],
    channels: usize,
    dr: &'a [f32],
    dmap: &'a mut [f32],
}

impl Kernel for Scatter<'_> {
    #[inline(always)]
    fn run<V: Lanes>(self) {
        let c = self.channels;
        for (u, (gather, dr)) in self.gathers.iter().zip(self.dr).enumerate() {
            for i in 0..4 {
                let d = dr * gather.weight[i];
                self.dmap[gather.place[i]..][..c].iter_mut().zip(&self.weights[u * c..][..c]).for_each(|(m, w)| *m += d * w);
            }
        }
    }
}

/// One unit in all frames.
struct OfUnit<'a> {
    frame: Frame,
    maps: &'a [f32],
    gathers: &'a [Gather],
    weights: &'a [f32],
    unit: usize,
    units: usize,
    dr: &'a [f32],
}

/// Its gradients.
struct Sum<'a> {
    of: OfUnit<'a>,
    dw: &'a mut [f32],
    db: &'a mut f32,
    dp: &'a mut [[f32; 2]],
}

impl Kernel for Sum<'_> {
    #[inline(always)]
    fn run<V: Lanes>(self) {
        let OfUnit { frame, maps, gathers, weights, unit, units, dr } = self.of;
        let (c, batch) = (frame.channels, self.dp.len());
        for (f, map) in maps.chunks_exact(frame.len()).enumerate() {
            let (gather, d) = (&gathers[f % batch * units + unit], dr[f * units + unit]);
            *self.db += d;
            for i in 0..4 {
                let features = &map[gather.place[i]..][..c];
                let along = d * dot(weights, features);
                self.dp[f % batch][0] += gather.slope_x[i] * along;
                self.dp[f % batch][1] += gather.slope_y[i] * along;
                let d = d * gather.weight[i];
                self.dw.iter_mut().zip(features).for_each(|(w, v)| *w += d * v);
            }
        }
    }
}

/// Inlined into each kernel, so that it has the tier's instructions.
#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; 16];
    let (a16, b16) = (a.chunks_exact(16), b.chunks_exact(16));
    let rest: f32 = a16.remainder().iter().zip(b16.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in a16.zip(b16) {
        for i in 0..16 {
            sums[i] += a[i] * b[i];
        }
    }
    sums.iter().sum::<f32>() + rest
}
