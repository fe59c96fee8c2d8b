//! Video: what is shown, frame by frame.

/// 8-bit frames [T, H, W, C] at a rate.
#[derive(Clone, Debug, PartialEq)]
pub struct Video {
    pixels: Vec<u8>,
    shape: [usize; 4],
    rate: f64,
}

impl Video {
    /// Frames [T, H, W, C] at `rate` Hz. Panics if the number of pixels is not the shape's: a bug in a generator.
    pub fn new(pixels: Vec<u8>, shape: [usize; 4], rate: f64) -> Self {
        assert_eq!(pixels.len(), shape.iter().product::<usize>(), "pixels of a video");
        Self { pixels, shape, rate }
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
    pub fn frame(&self, t: usize) -> &[u8] {
        let size = self.pixels.len() / self.shape[0];
        &self.pixels[t * size..(t + 1) * size]
    }
}

/// Intensity about mid-grey, 0 at grey and +-1 at white and black, as a pixel.
pub(crate) fn pixel(value: f32) -> u8 {
    (127.5 + 127.5 * value).round().clamp(0.0, 255.0) as u8
}
