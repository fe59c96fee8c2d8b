//! Frames drawn at a generator's own size, brought to the size asked for.

/// Linear resampling of [h, w] to [H, W]: bilinear where it enlarges, a triangle as wide as the reduction where it shrinks. Sizes that stay are
/// not touched.
pub(crate) struct Resample {
    down: Axis,
    across: Axis,
    rows: Vec<f64>,
}

/// For each output sample the first input sample and the weights from there on.
struct Axis {
    from: usize,
    places: Vec<(usize, Vec<f64>)>,
}

impl Axis {
    fn new(from: usize, to: usize) -> Self {
        let scale = from as f64 / to as f64;
        let reach = scale.max(1.0);
        let place = |i: usize| {
            let middle = (i as f64 + 0.5) * scale - 0.5;
            let first = (middle - reach).ceil().max(0.0) as usize;
            let last = (((middle + reach).floor() as usize) + 1).min(from);
            let weights: Vec<f64> = (first..last).map(|j| 1.0 - (j as f64 - middle).abs() / reach).collect();
            let sum: f64 = weights.iter().sum();
            (first, weights.iter().map(|w| w / sum).collect())
        };
        Self { from, places: (0..to).map(place).collect() }
    }
}

impl Resample {
    pub(crate) fn new(from: [usize; 2], to: [usize; 2]) -> Self {
        Self { down: Axis::new(from[0], to[0]), across: Axis::new(from[1], to[1]), rows: Vec::new() }
    }

    /// Resamples 8-bit pixels.
    pub(crate) fn apply(&mut self, pixels: &[u8], out: &mut [u8]) {
        let (width, wide) = (self.across.from, self.across.places.len());
        self.rows.clear();
        for line in pixels.chunks_exact(width) {
            let sample = |(first, weights): &(usize, Vec<f64>)| weights.iter().zip(&line[*first..]).map(|(w, v)| w * f64::from(*v)).sum::<f64>();
            self.rows.extend(self.across.places.iter().map(sample));
        }
        for (row, (first, weights)) in self.down.places.iter().enumerate() {
            for x in 0..wide {
                let value: f64 = weights.iter().enumerate().map(|(k, w)| w * self.rows[(first + k) * wide + x]).sum();
                out[row * wide + x] = value.round().clamp(0.0, 255.0) as u8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resampled(pixels: &[u8], from: [usize; 2], to: [usize; 2]) -> Vec<u8> {
        let mut out = vec![0; to[0] * to[1]];
        Resample::new(from, to).apply(pixels, &mut out);
        out
    }

    #[test]
    fn what_fits_stays_and_ramps_stay_ramps() {
        let pixels: Vec<u8> = (0..35).map(|v| (v * 37 % 256) as u8).collect();
        assert_eq!(resampled(&pixels, [5, 7], [5, 7]), pixels);
        assert_eq!(resampled(&[0, 40], [1, 2], [1, 4]), [0, 10, 30, 40]);
        assert_eq!(resampled(&[0, 100], [2, 1], [1, 1]), [50]);
        assert!(resampled(&[77; 63], [9, 7], [4, 13]).iter().all(|v| *v == 77));
        assert!(resampled(&[255; 63], [7, 9], [1, 1]).iter().all(|v| *v == 255));
    }
}
