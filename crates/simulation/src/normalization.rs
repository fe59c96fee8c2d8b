//! Divisive normalisation: the energy of all Gabors about each place, by which every channel is divided (Heeger 1992).

use crate::filters::{Bank, Shape};
use crate::geometry::Retina;
use rayon::prelude::*;

/// Semi-saturation, in units of the mean energy over reference scenes: energy well above it leaves contrast behind.
pub(crate) const SATURATION: f32 = 0.3;
/// Standard deviation of the pool, monitor widths.
const POOL: f64 = 0.1;
/// Points of the grid that energy is sampled on, per monitor width.
const GRID: usize = 12;

/// Pixels from the middle of the retina to the grid's columns and rows, over the monitor.
fn grid(retina: &Retina) -> [Vec<isize>; 2] {
    [retina.width(), retina.height()].map(|side| {
        let points = (GRID * side).div_ceil(retina.width()).max(1);
        (0..points).map(|i| (((i as f64 + 0.5) / points as f64 - 0.5) * side as f64).round() as isize).collect()
    })
}

/// Energy at each frame and grid point: the mean over Gabors of their energies, each over its own mean.
pub(crate) fn energy_maps(bank: &Bank, images: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let [across, down] = grid(&bank.retina);
    let points = across.len() * down.len();
    let gabors: Vec<usize> = (0..bank.shapes.len()).filter(|s| matches!(bank.shapes[*s], Shape::Gabor { .. })).collect();
    let patches: Vec<_> = gabors.iter().flat_map(|g| bank.patches(*g, [0.0; 2])).map(|(patch, _)| patch).collect();
    // per frame: real and imaginary part of every Gabor at every point
    let linear = |image: &Vec<f32>| patches.iter().flat_map(|p| p.apply_grid(image, bank.retina.columns(), &across, &down)).collect();
    let spatial: Vec<Vec<[f32; 2]>> = images.par_iter().map(linear).collect();
    let at = |t: usize| {
        let mut energy = vec![0.0f32; points];
        for kernel in &bank.temporal {
            let mut sums = vec![[0.0f32; 2]; points * gabors.len()];
            for (lag, weight) in kernel.iter().enumerate() {
                let past = &spatial[t.saturating_sub(lag)];
                sums.iter_mut().zip(past).for_each(|(s, v)| *s = [s[0] + weight * v[0], s[1] + weight * v[1]]);
            }
            for (gabor, sums) in gabors.iter().zip(sums.chunks_exact(points)) {
                let share = 1.0 / (bank.energy[*gabor] * gabors.len() as f32);
                energy.iter_mut().zip(sums).for_each(|(e, [re, im])| *e += share * (re * re + im * im));
            }
        }
        energy
    };
    (0..images.len()).into_par_iter().map(at).collect()
}

/// Weights of the grid's points in the pool about a place; they sum to 1.
pub(crate) fn weights(retina: &Retina, [x, y]: [f64; 2]) -> Vec<f32> {
    let [across, down] = grid(retina);
    let w = retina.width() as f64;
    let gaussian = |d: f64| (-d * d / (2.0 * POOL * POOL)).exp();
    let raw: Vec<f64> = down.iter().flat_map(|dy| across.iter().map(move |dx| gaussian(*dx as f64 / w - x) * gaussian(*dy as f64 / w - y))).collect();
    let sum = raw.iter().sum::<f64>().max(f64::MIN_POSITIVE);
    raw.iter().map(|v| (v / sum) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pool_is_about_its_place() {
        let retina = Retina::new(36, 64);
        let [across, down] = grid(&retina);
        assert_eq!([across.len(), down.len()], [12, 7]);
        let weights = weights(&retina, [0.2, -0.1]);
        let sum = |of: &dyn Fn(usize) -> isize| weights.iter().enumerate().map(|(i, w)| f64::from(*w) * of(i) as f64 / 64.0).sum::<f64>();
        assert!((weights.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        assert!((sum(&|i| across[i % 12]) - 0.2).abs() < 0.03 && (sum(&|i| down[i / 12]) + 0.1).abs() < 0.06);
    }
}
