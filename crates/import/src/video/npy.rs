//! Video as a NumPy array of uint8.

use super::{VideoArray, extend_with_channels, io, wrong};
use crate::error::Error;
use crate::npy::Header;
use ndarray::Array5;
use std::path::Path;

/// Reads [T, H, W], [T, H, W, C], [T, N, H, W] or [T, N, H, W, C].
pub(super) fn read(path: &Path, channels: usize) -> Result<VideoArray, Error> {
    let file = std::fs::read(path).map_err(io(path))?;
    let (header, data) = Header::parse(&file).map_err(|problem| wrong(path, &problem))?;
    if header.dtype != "|u1" {
        let problem = format!(
            "holds {}, expected uint8 (|u1), 0 black to 255 white; values x in 0..1 become it by (x * 255).round().astype('uint8')",
            header.dtype
        );
        return Err(wrong(path, &problem));
    }
    let (from, [t, n, h, w]) = axes(&header.shape).ok_or_else(|| {
        wrong(path, &format!("its shape is {:?}, expected [T, H, W], [T, H, W, C], [T, N, H, W] or [T, N, H, W, C] with C 1 or 3", header.shape))
    })?;
    if header.shape.contains(&0) {
        return Err(wrong(path, &format!("it is empty: its shape is {:?}", header.shape)));
    }
    let values = header.array(data.to_vec(), data.len()).map_err(|problem| wrong(path, &problem))?.into_raw_vec_and_offset().0;
    let mut pixels = Vec::with_capacity(values.len() / from * channels);
    let turned_grey = extend_with_channels(&mut pixels, &values, from, channels);
    let frames = Array5::from_shape_vec((t, n, h, w, channels), pixels).map_err(|e| wrong(path, &e.to_string()))?;
    Ok(VideoArray { frames, rate: None, turned_grey })
}

/// Channels and [T, N, H, W] of a shape. A last axis of 1 or 3 is channels; 2 or 4 is neither channels nor a width.
fn axes(shape: &[usize]) -> Option<(usize, [usize; 4])> {
    match *shape {
        [t, h, w] => Some((1, [t, 1, h, w])),
        [t, h, w, c @ (1 | 3)] => Some((c, [t, 1, h, w])),
        [_, _, _, 2 | 4] => None,
        [t, n, h, w] => Some((1, [t, n, h, w])),
        [t, n, h, w, c @ (1 | 3)] => Some((c, [t, n, h, w])),
        _ => None,
    }
}
