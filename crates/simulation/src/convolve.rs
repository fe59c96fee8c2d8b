//! Separable complex filters on small images: at one place, or at every place of a coarse grid.

/// A complex kernel along one axis; its first weight lies on pixel `start`, which may be outside the image.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    start: isize,
    re: Vec<f32>,
    im: Vec<f32>,
}

impl Line {
    /// Gaussian of unit sum and standard deviation `sigma` about pixel `centre`, times a wave of `k` radians per pixel.
    pub(crate) fn new(centre: f64, sigma: f64, k: f64) -> Self {
        let radius = (2.3 * sigma).ceil().max(1.0);
        let start = (centre - radius).ceil() as isize;
        let offsets: Vec<f64> = (start..=(centre + radius).floor() as isize).map(|pixel| pixel as f64 - centre).collect();
        let envelope = |d: f64| (-d * d / (2.0 * sigma * sigma)).exp();
        let sum: f64 = offsets.iter().map(|d| envelope(*d)).sum();
        let part = |f: fn(f64) -> f64| offsets.iter().map(|d| (envelope(*d) / sum * f(k * d)) as f32).collect();
        Self { start, re: part(f64::cos), im: part(f64::sin) }
    }

    /// The same kernel `pixels` further on.
    pub(crate) fn moved(&self, pixels: isize) -> Self {
        Self { start: self.start + pixels, ..self.clone() }
    }

    /// Pixels of `0..length` it covers, and its weights for them.
    fn covered(&self, length: usize) -> (usize, &[f32], &[f32]) {
        let first = self.start.clamp(0, length as isize);
        let last = (self.start + self.re.len() as isize).clamp(first, length as isize);
        let weights = (first - self.start).max(0) as usize..(last - self.start).max(0) as usize;
        let weights = weights.start.min(self.re.len())..weights.end.min(self.re.len());
        (first as usize, &self.re[weights.clone()], &self.im[weights])
    }
}

/// Real and imaginary part of `down` along the columns of an image, for columns `from..to`.
fn along_columns(image: &[f32], columns: usize, down: &Line, from: usize, to: usize) -> [Vec<f32>; 2] {
    let (first, re, im) = down.covered(image.len() / columns);
    let mut out = [vec![0.0f32; to - from], vec![0.0f32; to - from]];
    for (k, (re, im)) in re.iter().zip(im).enumerate() {
        let row = &image[(first + k) * columns..][from..to];
        let [p, q] = &mut out;
        p.iter_mut().zip(row).for_each(|(p, v)| *p += re * v);
        q.iter_mut().zip(row).for_each(|(q, v)| *q += im * v);
    }
    out
}

/// `re + i im` of a row of complex values that starts at column 0, under the weights of `across`.
fn along_row([p, q]: [&[f32]; 2], re: &[f32], im: &[f32]) -> [f32; 2] {
    let mut sum = [0.0; 2];
    for (((p, q), re), im) in p.iter().zip(q).zip(re).zip(im) {
        sum[0] += re * p - im * q;
        sum[1] += re * q + im * p;
    }
    sum
}

/// A filter at one place.
#[derive(Clone, Debug)]
pub(crate) struct Patch {
    pub(crate) across: Line,
    pub(crate) down: Line,
}

impl Patch {
    /// Real and imaginary part of the filter on an image of `columns` columns; nothing lies outside it.
    pub(crate) fn apply(&self, image: &[f32], columns: usize) -> [f32; 2] {
        let (from, re, im) = self.across.covered(columns);
        let [p, q] = along_columns(image, columns, &self.down, from, from + re.len());
        along_row([&p, &q], re, im)
    }

    /// The same filter moved to every (dx, dy) of a grid, rows of the grid first.
    pub(crate) fn apply_grid(&self, image: &[f32], columns: usize, across: &[isize], down: &[isize]) -> Vec<[f32; 2]> {
        let lines: Vec<Line> = across.iter().map(|dx| self.across.moved(*dx)).collect();
        let mut out = Vec::with_capacity(across.len() * down.len());
        for dy in down {
            let [p, q] = along_columns(image, columns, &self.down.moved(*dy), 0, columns);
            out.extend(lines.iter().map(|line| {
                let (from, re, im) = line.covered(columns);
                along_row([&p[from..from + re.len()], &q[from..from + re.len()]], re, im)
            }));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sum over the whole image of the kernel's product, as written in the definition.
    fn direct(image: &[f32], columns: usize, [cx, cy]: [f64; 2], sigma: f64, [kx, ky]: [f64; 2]) -> [f64; 2] {
        let (mut sum, mut total) = ([0.0; 2], 0.0);
        let radius = 2.3 * sigma;
        for (i, v) in image.iter().enumerate() {
            let (dx, dy) = ((i % columns) as f64 - cx, (i / columns) as f64 - cy);
            if dx.abs() > radius.ceil() || dy.abs() > radius.ceil() {
                continue;
            }
            let g = (-(dx * dx + dy * dy) / (2.0 * sigma * sigma)).exp();
            total += g;
            let phase = kx * dx + ky * dy;
            sum[0] += g * phase.cos() * f64::from(*v);
            sum[1] += g * phase.sin() * f64::from(*v);
        }
        sum.map(|s| s / total)
    }

    #[test]
    fn is_the_sum_of_its_definition() {
        let image: Vec<f32> = (0..20 * 30).map(|i| ((i * 7919) % 101) as f32 / 101.0).collect();
        let (centre, sigma, k) = ([14.3, 9.6], 2.1, [0.8, -0.5]);
        let patch = Patch { across: Line::new(centre[0], sigma, k[0]), down: Line::new(centre[1], sigma, k[1]) };
        let (got, expected) = (patch.apply(&image, 30), direct(&image, 30, centre, sigma, k));
        assert!((0..2).all(|p| (f64::from(got[p]) - expected[p]).abs() < 1e-5), "{got:?} {expected:?}");
        let grid = patch.apply_grid(&image, 30, &[0, 3], &[-1, 0]);
        assert_eq!(grid[2], got, "row 1, column 0 of the grid is where the patch is");
        let moved = direct(&image, 30, [17.3, 8.6], sigma, k);
        assert!((0..2).all(|p| (f64::from(grid[1][p]) - moved[p]).abs() < 1e-5));
    }

    #[test]
    fn outside_the_image_there_is_nothing() {
        let far = Patch { across: Line::new(-50.0, 2.0, 0.1), down: Line::new(70.0, 2.0, 0.1) };
        assert_eq!(far.apply(&[1.0; 12], 4), [0.0; 2]);
        let edge = Patch { across: Line::new(0.0, 1.0, 0.0), down: Line::new(1.0, 1.0, 0.0) };
        let [inside, _] = edge.apply(&[1.0; 12], 4);
        assert!((0.5..0.8).contains(&inside), "{inside}: two thirds of it lie on the image");
    }
}
