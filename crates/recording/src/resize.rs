//! Grey conversion and resampling of 8-bit video, as the reference's preparation does them (Pillow's `L` and `BILINEAR`).

use ndarray::{Array4, ArrayView4};

/// Luminance of red, green and blue, `(299 R + 587 G + 114 B) / 1000` rounded, in Pillow's fixed point. [T, H, W, 3] to [T, H, W, 1].
pub fn to_grey(video: ArrayView4<u8>) -> Array4<u8> {
    let (t, h, w, c) = video.dim();
    if c != 3 {
        return video.to_owned();
    }
    Array4::from_shape_fn((t, h, w, 1), |(t, y, x, _)| grey([video[[t, y, x, 0]], video[[t, y, x, 1]], video[[t, y, x, 2]]]))
}

/// Luminance of one pixel.
pub fn grey([r, g, b]: [u8; 3]) -> u8 {
    // weights times 2^16, rounded; half is added before the shift
    ((u32::from(r) * 19595 + u32::from(g) * 38470 + u32::from(b) * 7471 + 0x8000) >> 16) as u8
}

/// Bilinear resampling [T, H, W, C] to [T, height, width, C], with a triangle filter as wide as the reduction where it shrinks.
pub fn resize(video: ArrayView4<u8>, height: usize, width: usize) -> Array4<u8> {
    let (t, h, w, c) = video.dim();
    let (across, down) = (Filter::new(w, width), Filter::new(h, height));
    let mut out = Array4::zeros((t, height, width, c));
    for frame in 0..t {
        // rows first, as Pillow does: each pass rounds to 8 bits
        let mut narrow = vec![0u8; h * width * c];
        for y in 0..h {
            for x in 0..width {
                for k in 0..c {
                    narrow[(y * width + x) * c + k] = across.apply(x, |i| video[[frame, y, i, k]]);
                }
            }
        }
        for y in 0..height {
            for x in 0..width {
                for k in 0..c {
                    out[[frame, y, x, k]] = down.apply(y, |i| narrow[(i * width + x) * c + k]);
                }
            }
        }
    }
    out
}

/// Fraction bits of Pillow's weights: 32 less 8 of the pixel and 2 of headroom.
const BITS: u32 = 22;

/// For each output place: first input and fixed-point weights; `None` where the size stays.
struct Filter(Option<Vec<(usize, Vec<i32>)>>);

impl Filter {
    fn new(from: usize, to: usize) -> Self {
        if from == to {
            return Self(None);
        }
        let scale = from as f64 / to as f64;
        let reach = scale.max(1.0); // half width of the triangle
        let weights = |i: usize| {
            let centre = (i as f64 + 0.5) * scale;
            let first = ((centre - reach + 0.5) as isize).max(0) as usize;
            let last = ((centre + reach + 0.5) as usize).min(from);
            let raw: Vec<f64> = (first..last).map(|j| (1.0 - ((j as f64 - centre + 0.5) / reach).abs()).max(0.0)).collect();
            let sum: f64 = raw.iter().sum();
            let fixed = raw.iter().map(|w| (w / sum * f64::from(1u32 << BITS) + 0.5).floor() as i32).collect();
            (first, fixed)
        };
        Self(Some((0..to).map(weights).collect()))
    }

    fn apply(&self, place: usize, pixel: impl Fn(usize) -> u8) -> u8 {
        let Some(places) = &self.0 else { return pixel(place) };
        let (first, weights) = &places[place];
        let sum: i32 = weights.iter().enumerate().map(|(k, w)| w * i32::from(pixel(first + k))).sum();
        ((sum + (1 << (BITS - 1))) >> BITS).clamp(0, 255) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pixels that differ from their neighbours, without a pattern a filter could hide in.
    fn picture(h: usize, w: usize) -> Array4<u8> {
        Array4::from_shape_fn((1, h, w, 1), |(_, y, x, _)| ((y * 37 + x * 101 + y * x * 13) % 256) as u8)
    }

    #[test]
    fn matches_pillow() {
        // Pillow 11: Image.fromarray(picture(6, 7)).resize((width, height), Image.BILINEAR)
        let small = resize(picture(6, 7).view(), 3, 4);
        assert_eq!(small.into_raw_vec_and_offset().0, PILLOW_3_BY_4);
        let large = resize(picture(3, 2).view(), 4, 5);
        assert_eq!(large.into_raw_vec_and_offset().0, PILLOW_4_BY_5);
        assert_eq!([grey([10, 200, 30]), grey([255, 255, 255]), grey([1, 0, 0]), grey([77, 13, 250])], PILLOW_GREY);
    }

    const PILLOW_3_BY_4: [u8; 12] = [77, 108, 155, 156, 136, 123, 131, 124, 129, 107, 153, 141];
    const PILLOW_4_BY_5: [u8; 20] = [0, 10, 51, 91, 101, 23, 34, 78, 122, 132, 51, 63, 111, 158, 170, 74, 87, 138, 188, 201];
    const PILLOW_GREY: [u8; 4] = [124, 255, 0, 59];

    #[test]
    fn a_constant_stays() {
        let video = Array4::from_elem((2, 9, 5, 3), 77u8);
        assert!(resize(video.view(), 4, 11).iter().all(|v| *v == 77));
    }
}
