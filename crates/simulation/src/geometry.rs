//! Monitor geometry: what an eye that turns before a flat monitor sees of it.
//!
//! The retina is drawn as a plane that turns with the eye and coincides with the monitor when gaze is straight ahead (our
//! choice: receptive fields and preferred frequencies are then the same numbers on the retina and on the monitor). Lengths
//! are in monitor widths, x right, y down, from the middle.

/// Distance of the eye from the monitor in monitor widths: 15 cm from a monitor 55.2 cm wide (paper Methods, "Monitor
/// positioning").
pub const DISTANCE: f64 = 15.0 / 55.2;

/// Exponent of the monitor: luminance is pixel intensity to this power (paper Methods: 1.58 to 1.74).
const GAMMA: f32 = 1.7;
/// Mean luminance of natural-like scenes, subtracted so that filters see contrast.
const MEAN: f32 = 0.3;

/// A turn of the eye, applied to directions of the visual field.
#[derive(Clone, Copy, Debug)]
struct Turn {
    azimuth: (f64, f64),
    elevation: (f64, f64),
}

impl Turn {
    /// Gaze (right, down), radians.
    fn new([right, down]: [f64; 2]) -> Self {
        Self { azimuth: right.sin_cos(), elevation: down.sin_cos() }
    }

    /// Where on the monitor the line of sight of a place of the retina ends; None if it never does.
    fn project(&self, [x, y]: [f64; 2]) -> Option<[f64; 2]> {
        let ((sin_e, cos_e), (sin_a, cos_a)) = (self.elevation, self.azimuth);
        let (down, ahead) = (y * cos_e + DISTANCE * sin_e, DISTANCE * cos_e - y * sin_e);
        let (right, ahead) = (x * cos_a + ahead * sin_a, ahead * cos_a - x * sin_a);
        (ahead > 1e-3 * DISTANCE).then(|| [DISTANCE * right / ahead, DISTANCE * down / ahead])
    }
}

/// Where on the monitor a place of the retina looks with gaze (right, down; radians). None: past the monitor's plane.
pub fn project(place: [f64; 2], gaze: [f64; 2]) -> Option<[f64; 2]> {
    Turn::new(gaze).project(place)
}

/// Pixels of the retina: as fine as the monitor's, and an eighth of its width more on every side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retina {
    height: usize,
    width: usize,
    margin: usize,
}

impl Retina {
    /// The retina for frames of `height x width`.
    pub fn new(height: usize, width: usize) -> Self {
        Self { height, width, margin: width.div_ceil(8) }
    }

    /// H of frames.
    pub fn height(&self) -> usize {
        self.height
    }

    /// W of frames.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows of the retinal image.
    pub fn rows(&self) -> usize {
        self.height + 2 * self.margin
    }

    /// Columns of the retinal image.
    pub fn columns(&self) -> usize {
        self.width + 2 * self.margin
    }

    /// Column and row of a place, with fractions; a pixel's middle is a whole number.
    pub fn pixel(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        let w = self.width as f64;
        [x * w + (self.columns() as f64 - 1.0) / 2.0, y * w + (self.rows() as f64 - 1.0) / 2.0]
    }

    /// Retinal image [rows, columns] of a frame [H, W, C]: luminance less that of a mean scene, bilinear; beyond the monitor it
    /// is dark. Channels of colour count alike.
    pub fn look(&self, frame: &[u8], gaze: [f64; 2]) -> Vec<f32> {
        let (w, h) = (self.width as f64, self.height as f64);
        let luminance = self.luminance(frame);
        let turn = Turn::new(gaze);
        let mut image = Vec::with_capacity(self.rows() * self.columns());
        for row in 0..self.rows() {
            let y = (row as f64 - (self.rows() as f64 - 1.0) / 2.0) / w;
            for column in 0..self.columns() {
                let x = (column as f64 - (self.columns() as f64 - 1.0) / 2.0) / w;
                let seen = turn.project([x, y]).map_or(0.0, |[x, y]| self.sample(&luminance, x * w + (w - 1.0) / 2.0, y * w + (h - 1.0) / 2.0));
                image.push(seen - MEAN);
            }
        }
        image
    }

    fn luminance(&self, frame: &[u8]) -> Vec<f32> {
        let table: Vec<f32> = (0..=255u8).map(|v| (f32::from(v) / 255.0).powf(GAMMA)).collect();
        let channels = (frame.len() / (self.height * self.width).max(1)).max(1);
        frame.chunks_exact(channels).map(|pixel| pixel.iter().map(|v| table[usize::from(*v)]).sum::<f32>() / channels as f32).collect()
    }

    /// Bilinear sample at column `x` and row `y`, dark outside.
    fn sample(&self, luminance: &[f32], x: f64, y: f64) -> f32 {
        if !(x > -1.0 && y > -1.0 && x < self.width as f64 && y < self.height as f64) {
            return 0.0;
        }
        let (left, top) = (x.floor(), y.floor());
        let (fx, fy) = ((x - left) as f32, (y - top) as f32);
        let (left, top) = (left as isize, top as isize);
        let at = |column: isize, row: isize| {
            let inside = (0..self.width as isize).contains(&column) && (0..self.height as isize).contains(&row);
            if inside { luminance[row as usize * self.width + column as usize] } else { 0.0 }
        };
        let across = |row: isize| at(left, row) * (1.0 - fx) + at(left + 1, row) * fx;
        across(top) * (1.0 - fy) + across(top + 1) * fy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaze_straight_ahead_is_the_monitor() {
        for place in [[0.0, 0.0], [0.3, -0.2], [-0.45, 0.25]] {
            let seen = project(place, [0.0, 0.0]).unwrap();
            assert!((seen[0] - place[0]).abs() < 1e-12 && (seen[1] - place[1]).abs() < 1e-12);
        }
        let retina = Retina::new(4, 8);
        let frame: Vec<u8> = (0..32).map(|v| v * 8).collect();
        let image = retina.look(&frame, [0.0, 0.0]);
        for (i, v) in frame.iter().enumerate() {
            let here = image[(i / 8 + 1) * 10 + i % 8 + 1];
            assert!((here - ((f32::from(*v) / 255.0).powf(1.7) - 0.3)).abs() < 1e-6, "pixel {i}");
        }
        assert_eq!(image[0], -0.3, "dark beyond the monitor");
    }

    #[test]
    fn looking_right_and_down_moves_the_image_left_and_up() {
        // 15 cm from the monitor, 0.1 rad is 1.505 cm: 1.745 of 64 pixels
        let seen = project([0.0, 0.0], [0.1, 0.2]).unwrap();
        assert!((seen[0] - DISTANCE * 0.1f64.tan()).abs() < 1e-12 && (seen[1] - DISTANCE * 0.2f64.tan() / 0.1f64.cos()).abs() < 1e-12);
        let retina = Retina::new(36, 64);
        let mut frame = vec![0u8; 36 * 64];
        frame[18 * 64 + 40] = 255;
        let centroid = |gaze| {
            let image = retina.look(&frame, gaze);
            let mass: f32 = image.iter().map(|v| v + 0.3).sum();
            [0, 1].map(|k| image.iter().enumerate().map(|(i, v)| (v + 0.3) * [i % 80, i / 80][k] as f32).sum::<f32>() / mass)
        };
        let ([x0, y0], [x1, y1]) = (centroid([0.0, 0.0]), centroid([0.1, 0.06]));
        assert!((x0 - 48.0).abs() < 1e-3 && (y0 - 26.0).abs() < 1e-3, "{x0} {y0}");
        assert!((1.4..2.3).contains(&(x0 - x1)), "left by {}", x0 - x1);
        assert!((0.8..1.6).contains(&(y0 - y1)), "up by {}", y0 - y1);
    }

    #[test]
    fn lines_of_sight_past_the_plane_end_nowhere() {
        assert!(project([0.5, 0.0], [1.5, 0.0]).is_none());
        assert!(Retina::new(36, 64).look(&vec![255; 36 * 64], [3.1, 0.0]).iter().all(|v| *v == -0.3));
    }
}
