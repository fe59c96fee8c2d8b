//! Weight normalisation: each output's weights are centred, scaled to unit norm over the fan-in, then multiplied by a gain.

use crate::activation::sum_by;

/// Added to the scaled variance (reference implementation).
const EPSILON: f64 = 1e-5;

/// `w = (raw - mean) (variance fan_in + 1e-5)^(-1/2) gain` per row of `length` weights; gain 1 where there is none.
pub fn forward(raw: &[f32], length: usize, fan_in: usize, gains: Option<&[f32]>) -> Vec<f32> {
    let mut out = vec![0.0; raw.len()];
    for (row, (raw, out)) in raw.chunks_exact(length).zip(out.chunks_exact_mut(length)).enumerate() {
        let (mean, scale) = statistics(raw, fan_in);
        let gain = gains.map_or(1.0, |g| f64::from(g[row]));
        out.iter_mut().zip(raw).for_each(|(o, r)| *o = ((f64::from(*r) - mean) * scale * gain) as f32);
    }
    out
}

/// Gradients of raw weights and gains from that of the normalised weights.
pub fn backward(raw: &[f32], length: usize, fan_in: usize, gains: Option<&[f32]>, dw: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let mut draw = vec![0.0; raw.len()];
    let mut dgain = vec![0.0; raw.len() / length];
    let rows = raw.chunks_exact(length).zip(dw.chunks_exact(length)).zip(draw.chunks_exact_mut(length));
    for (row, ((raw, dw), draw)) in rows.enumerate() {
        let (mean, scale) = statistics(raw, fan_in);
        let gain = gains.map_or(1.0, |g| f64::from(g[row]));
        let along: f64 = raw.iter().zip(dw).map(|(r, d)| (f64::from(*r) - mean) * f64::from(*d)).sum();
        dgain[row] = (along * scale) as f32;
        // d scale / d raw = -scale^3 fan_in / length (raw - mean); the mean's own gradient centres the result
        let pull = gain * along * scale.powi(3) * fan_in as f64 / length as f64;
        let centre = gain * scale * dw.iter().map(|d| f64::from(*d)).sum::<f64>() / length as f64;
        for ((out, r), d) in draw.iter_mut().zip(raw).zip(dw) {
            *out = (gain * scale * f64::from(*d) - centre - pull * (f64::from(*r) - mean)) as f32;
        }
    }
    (draw, dgain)
}

fn statistics(raw: &[f32], fan_in: usize) -> (f64, f64) {
    let n = raw.len() as f64;
    let mean = sum_by(raw, |r| r) / n;
    let variance = sum_by(raw, |r| (r - mean) * (r - mean)) / n;
    (mean, (variance * fan_in as f64 + EPSILON).powf(-0.5))
}
