//! Video: what is shown, frame by frame.

use crate::error::Error;
use std::ops::Range;

/// 8-bit frames [T, H, W, C] at a rate.
#[derive(Clone, Debug, PartialEq)]
pub struct Video {
    pixels: Vec<u8>,
    shape: [usize; 4],
    rate: f64,
}

impl Video {
    /// Frames [T, H, W, C] at `rate` Hz, from pixels in that order.
    ///
    /// # Errors
    /// The number of pixels is not the shape's, a frame has none, or the rate is not a number above 0.
    pub fn new(pixels: Vec<u8>, shape: [usize; 4], rate: f64) -> Result<Self, Error> {
        let product = shape.iter().try_fold(1usize, |n, side| n.checked_mul(*side));
        if product != Some(pixels.len()) || shape[1..].contains(&0) {
            let expected = match product {
                Some(_) if shape[1..].contains(&0) => "H, W and C above 0 and as many".to_owned(),
                Some(n) => n.to_string(),
                None => "fewer".to_owned(),
            };
            return Err(Error::Pixels { shape, expected, got: pixels.len() });
        }
        if !(rate.is_finite() && rate > 0.0) {
            let expected = "a number of frames per second above 0";
            return Err(Error::Setting { of: "video", field: "rate", expected, got: rate.to_string() });
        }
        Ok(Self { pixels, shape, rate })
    }

    /// Grey frames a generator drew, whose size is right by construction.
    pub(crate) fn drawn(pixels: Vec<u8>, [frames, height, width]: [usize; 3], rate: f64) -> Self {
        debug_assert_eq!(pixels.len(), frames * height * width);
        Self { pixels, shape: [frames, height, width, 1], rate }
    }

    /// T, H, W, C.
    pub fn shape(&self) -> [usize; 4] {
        self.shape
    }

    /// Frames per second.
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// All pixels, row-major.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// Pixels [H, W, C] of a frame.
    ///
    /// # Panics
    /// As indexing does, where `t` is not below T.
    pub fn frame(&self, t: usize) -> &[u8] {
        let size: usize = self.shape[1..].iter().product();
        &self.pixels[t * size..(t + 1) * size]
    }

    /// Some of the frames, as a video of their own.
    ///
    /// # Errors
    /// The video does not have these frames.
    pub fn slice(&self, frames: Range<usize>) -> Result<Self, Error> {
        let [total, h, w, c] = self.shape;
        if frames.start > frames.end || frames.end > total {
            return Err(Error::Frames { start: frames.start, end: frames.end, frames: total });
        }
        let size = h * w * c;
        let pixels = self.pixels[frames.start * size..frames.end * size].to_vec();
        Ok(Self { pixels, shape: [frames.len(), h, w, c], rate: self.rate })
    }
}

/// Intensity about mid-grey, 0 at grey and +-1 at white and black, as a pixel.
pub(crate) fn pixel(value: f32) -> u8 {
    (127.5 + 127.5 * value).round().clamp(0.0, 255.0) as u8
}

/// The grey of most of the paper's stimuli, and of blanks.
pub const GREY: u8 = 128;

/// Intensity about grey 128, +-1 at 255 and 1: as much is added for white as is taken away for black, so that both have one mask.
pub(crate) fn about_grey(value: f64) -> u8 {
    (128.0 + 127.0 * value).round().clamp(1.0, 255.0) as u8
}
