//! Video as an animated GIF.

use super::{Frames, VideoArray, io, wrong};
use crate::error::Error;
use image::codecs::gif::GifDecoder;
use image::{AnimationDecoder, DynamicImage, ImageDecoder, Limits};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

/// Reads the frames of a GIF as a browser composites them.
pub(super) fn read(path: &Path, channels: usize) -> Result<VideoArray, Error> {
    let unreadable = |e: image::ImageError| wrong(path, &format!("not a readable GIF: {e}"));
    let mut decoder = GifDecoder::new(BufReader::new(File::open(path).map_err(io(path))?)).map_err(unreadable)?;
    decoder.set_limits(Limits::default()).map_err(unreadable)?;
    let (mut frames, mut delays) = (Frames::new(channels), Vec::new());
    for frame in decoder.into_frames() {
        let frame = frame.map_err(|e| wrong(path, &format!("frame {} is damaged: {e}", delays.len())))?;
        let (numerator, denominator) = frame.delay().numer_denom_ms();
        delays.push(f64::from(numerator) / f64::from(denominator));
        let colour = DynamicImage::ImageRgba8(frame.into_buffer()).into_rgb8();
        frames.push(path, [colour.height() as usize, colour.width() as usize], 3, &colour)?;
    }
    frames.finish(path, rate(&delays))
}

/// Frames per second of delays in milliseconds. Writers alternate 30 and 40 ms to mean 30 Hz, so the mean counts; delays
/// further apart are no frame rate.
fn rate(delays: &[f64]) -> Option<f64> {
    let (least, most) = delays.iter().fold((f64::INFINITY, 0.0f64), |(l, m), d| (l.min(*d), m.max(*d)));
    (least > 0.0 && most > 0.0 && most - least <= 10.0).then(|| 1000.0 * delays.len() as f64 / delays.iter().sum::<f64>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_make_a_rate_where_they_agree() {
        assert_eq!(rate(&[40.0, 40.0]), Some(25.0));
        assert!((rate(&[30.0, 30.0, 40.0]).unwrap() - 30.0).abs() < 1e-9);
        assert_eq!(rate(&[30.0, 500.0]), None);
        assert_eq!(rate(&[0.0, 0.0]), None);
        assert_eq!(rate(&[]), None);
    }
}
