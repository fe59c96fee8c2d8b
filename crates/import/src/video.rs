//! Video of any usual format, as 8-bit frames: NumPy arrays, PNG and JPEG frames, GIF, and films through ffmpeg.

mod ffmpeg;
mod gif;
pub(crate) mod images;
mod npy;
mod write;

pub use write::{VideoWriter, write_png};

use crate::error::Error;
use crate::npy::NPZ;
use ndarray::Array5;
use std::path::{Path, PathBuf};
use striate_recording::clip::read_clip;
use striate_recording::resize::{grey, resize};

/// Video as read: pixel values 0 to 255.
#[derive(Clone, Debug, PartialEq)]
pub struct VideoArray {
    /// Frames [T, N, H, W, C]; N is 1 except in arrays that hold several videos.
    pub frames: Array5<u8>,
    /// Frames per second, where the file says; GIFs count in hundredths of a second, so theirs is approximate.
    pub rate: Option<f64>,
    /// Whether colour was turned grey: some pixel had red, green and blue that differ.
    pub turned_grey: bool,
}

/// Reads a video with `channels` 1 (grey) or 3 (colour); colour becomes grey by the ITU-R 601 luma of PIL's mode L, grey
/// becomes colour by repetition. Transparency is ignored.
///
/// `paths` is one path, or several PNG or JPEG frames:
/// - `.zarr` as [`VideoWriter`] writes it;
/// - `.npy`, uint8: [T, H, W], [T, H, W, C] where the last axis is 1 or 3, else [T, N, H, W]; or [T, N, H, W, C];
/// - a folder of PNG or JPEG frames, or a list of them, in natural order of their names (frame2 before frame10);
/// - `.gif`: frames composited as a browser shows them;
/// - anything else (MP4, MKV, AVI, MOV, ...): decoded by the program `ffmpeg`, which must be installed, at the file's
///   nominal frame rate.
///
/// # Errors
/// Nothing to read; a file that is missing, truncated or of another kind; frames of different sizes; ffmpeg missing.
pub fn read_video<P: AsRef<Path>>(paths: &[P], channels: usize) -> Result<VideoArray, Error> {
    let paths: Vec<PathBuf> = paths.iter().map(|p| p.as_ref().to_owned()).collect();
    if channels != 1 && channels != 3 {
        return Err(Error::Channels { got: channels });
    }
    match &paths[..] {
        [] => Err(wrong(Path::new("video"), "no file was named")),
        [path] if path.join("zarr.json").is_file() => clip(path, channels),
        [path] if path.is_dir() => images::read(images::in_folder(path)?, channels),
        [path] => match extension(path).as_str() {
            "npy" => npy::read(path, channels),
            "npz" => Err(wrong(path, NPZ)),
            "gif" => gif::read(path, channels),
            _ if images::is_frame(path) => images::read(paths, channels),
            _ => ffmpeg::read("ffmpeg", path, channels),
        },
        _ => images::read(paths, channels),
    }
}

fn clip(path: &Path, channels: usize) -> Result<VideoArray, Error> {
    let (frames, description) = read_clip(path)?;
    let (t, h, w, from) = frames.dim();
    if !matches!(from, 1 | 3) || t * h * w == 0 {
        return Err(wrong(path, &format!("its shape is {:?}, expected [T, H, W, C] with C 1 or 3", [t, h, w, from])));
    }
    let mut pixels = Vec::with_capacity(t * h * w * channels);
    let turned_grey = extend_with_channels(&mut pixels, &frames.into_raw_vec_and_offset().0, from, channels);
    let frames = Array5::from_shape_vec((t, 1, h, w, channels), pixels).map_err(|e| wrong(path, &e.to_string()))?;
    Ok(VideoArray { frames, rate: description.get("rate").and_then(serde_json::Value::as_f64), turned_grey })
}

/// Grey pictures of any size, each cut to the proportions of [H, W] about its middle and resampled to it, with their paths. `paths` are PNG or JPEG
/// files, or folders of them; pictures of a folder come in natural order of their names.
///
/// # Errors
/// Nothing to read; a file that is missing, damaged or not a picture.
pub fn read_pictures<P: AsRef<Path>>(paths: &[P], [height, width]: [usize; 2]) -> Result<Vec<(PathBuf, Vec<u8>)>, Error> {
    let mut files = Vec::new();
    for path in paths.iter().map(AsRef::as_ref) {
        if path.is_dir() {
            let mut folder = images::in_folder(path)?;
            folder.sort_by(|a, b| images::natural(&a.to_string_lossy(), &b.to_string_lossy()));
            files.extend(folder);
        } else {
            files.push(path.to_owned());
        }
    }
    let picture = |path: PathBuf| {
        let picture = images::read(vec![path.clone()], 1)?.frames.remove_axis(ndarray::Axis(1));
        let (_, h, w, _) = picture.dim();
        // as much of the longer side as the proportions allow, and at least a pixel
        let (rows, columns) = ((w * height / width).clamp(1, h), (h * width / height).clamp(1, w));
        let (top, left) = ((h - rows) / 2, (w - columns) / 2);
        let cut = picture.slice(ndarray::s![.., top..top + rows, left..left + columns, ..]);
        Ok((path, resize(cut, height, width).into_raw_vec_and_offset().0))
    };
    if height * width == 0 {
        return Err(wrong(Path::new("pictures"), "cannot be shown in frames without pixels"));
    }
    files.into_iter().map(picture).collect()
}

/// Frames gathered one by one, all of one size.
struct Frames {
    channels: usize,
    pixels: Vec<u8>,
    count: usize,
    turned_grey: bool,
    /// Height and width, and the first frame that has them.
    size: Option<([usize; 2], PathBuf)>,
}

impl Frames {
    fn new(channels: usize) -> Self {
        Self { channels, pixels: Vec::new(), count: 0, turned_grey: false, size: None }
    }

    /// Adds a frame [H, W, C] of `from` channels, 1 or 3.
    fn push(&mut self, path: &Path, size: [usize; 2], from: usize, frame: &[u8]) -> Result<(), Error> {
        let (expected, first) = self.size.get_or_insert_with(|| (size, path.into()));
        if *expected != size {
            return Err(Error::FrameSize { path: path.into(), got: size, expected: *expected, first: first.clone() });
        }
        self.turned_grey |= extend_with_channels(&mut self.pixels, frame, from, self.channels);
        self.count += 1;
        Ok(())
    }

    fn finish(self, path: &Path, rate: Option<f64>) -> Result<VideoArray, Error> {
        let Some(([height, width], _)) = self.size else {
            return Err(wrong(path, "there is no frame in it"));
        };
        let shape = (self.count, 1, height, width, self.channels);
        let frames = Array5::from_shape_vec(shape, self.pixels).map_err(|e| wrong(path, &e.to_string()))?;
        Ok(VideoArray { frames, rate, turned_grey: self.turned_grey })
    }
}

/// Appends pixels of `from` channels as pixels of `to` channels; each is 1 or 3. Returns whether colour was lost.
fn extend_with_channels(pixels: &mut Vec<u8>, of: &[u8], from: usize, to: usize) -> bool {
    match (from, to) {
        (3, 1) => pixels.extend(of.chunks_exact(3).map(|rgb| grey([rgb[0], rgb[1], rgb[2]]))),
        (1, 3) => pixels.extend(of.iter().flat_map(|v| [*v; 3])),
        _ => pixels.extend(of),
    }
    (from, to) == (3, 1) && of.chunks_exact(3).any(|rgb| rgb[0] != rgb[1] || rgb[1] != rgb[2])
}

fn extension(path: &Path) -> String {
    path.extension().unwrap_or_default().to_string_lossy().to_lowercase()
}

fn wrong(path: &Path, problem: &str) -> Error {
    Error::Video { path: path.into(), problem: problem.into() }
}

fn io(path: &Path) -> impl Fn(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Io { path: path.clone(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grey_is_that_of_pil() {
        // PIL.Image.new("RGB", (1, 1), c).convert("L")
        for (c, want) in [([255, 0, 0], 76), ([0, 255, 0], 150), ([0, 0, 255], 29), ([10, 20, 30], 18), ([255; 3], 255), ([1, 0, 3], 1)] {
            assert_eq!(grey(c), want, "{c:?}");
        }
        assert!((0..=255).all(|v| grey([v; 3]) == v), "grey stays as it is");
    }
}
