//! Readout: each unit gathers the core's features at its own position and weighs them with its own feature vector.
//!
//! `r = weights . bilinear(map, position) + bias`, positions moved onto the map first. The dot product is taken at each of
//! the four neighbours, so features are never transposed.

use crate::pad::Frame;
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
        let gathers = &gathers[f % batch * units..];
        for (u, out) in out.iter_mut().enumerate() {
            let w = &weights[u * c..][..c];
            *out = biases[u] + (0..4).map(|i| gathers[u].weight[i] * dot(w, &map[gathers[u].place[i]..][..c])).sum::<f32>();
        }
    });
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
        for u in 0..units {
            let gather = &gathers[f % batch * units + u];
            for i in 0..4 {
                let d = dr[u] * gather.weight[i];
                dmap[gather.place[i]..][..c].iter_mut().zip(&weights[u * c..]).for_each(|(m, w)| *m += d * w);
            }
        }
    });
    let per_unit: Vec<(Vec<f32>, f32, Vec<[f32; 2]>)> = (0..units)
        .into_par_iter()
        .map(|u| {
            let (mut dw, mut db, mut dp) = (vec![0.0; c], 0.0, vec![[0.0; 2]; batch]);
            for (f, map) in maps.chunks_exact(frame.len()).enumerate() {
                let (gather, d) = (&gathers[f % batch * units + u], dr[f * units + u]);
                db += d;
                for i in 0..4 {
                    let features = &map[gather.place[i]..][..c];
                    let along = d * dot(&weights[u * c..][..c], features);
                    dp[f % batch][0] += gather.slope_x[i] * along;
                    dp[f % batch][1] += gather.slope_y[i] * along;
                    let d = d * gather.weight[i];
                    dw.iter_mut().zip(features).for_each(|(w, v)| *w += d * v);
                }
            }
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
