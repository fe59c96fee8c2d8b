//! Video as PNG or JPEG frames.

use super::{Frames, VideoArray, extension, io, wrong};
use crate::error::Error;
use image::{DynamicImage, ImageReader};
use std::cmp::Ordering;
use std::path::{Path, PathBuf};

/// Whether a file is a frame, by its ending.
pub(super) fn is_frame(path: &Path) -> bool {
    ["png", "jpg", "jpeg"].contains(&extension(path).as_str())
}

/// The frames in a folder. Hidden files and the thumbnails that file managers leave are passed over; any other file would
/// mean that the folder is not what it is taken for.
pub(super) fn in_folder(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut frames = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(io(folder))? {
        let path = entry.map_err(io(folder))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        if !name.starts_with('.') && name != "thumbs.db" && name != "desktop.ini" {
            frames.push(path);
        }
    }
    if frames.is_empty() {
        return Err(wrong(folder, "the folder is empty; expected PNG or JPEG frames"));
    }
    Ok(frames)
}

/// Reads frames in natural order of their names.
pub(super) fn read(mut paths: Vec<PathBuf>, channels: usize) -> Result<VideoArray, Error> {
    paths.sort_by(|a, b| natural(&a.to_string_lossy(), &b.to_string_lossy()));
    if let Some(other) = paths.iter().find(|p| !is_frame(p)) {
        return Err(wrong(other, "not a PNG or JPEG frame; a video of several files is made of such frames only"));
    }
    let mut frames = Frames::new(channels);
    for path in &paths {
        let reader = ImageReader::open(path).and_then(ImageReader::with_guessed_format).map_err(io(path))?;
        let image = reader.decode().map_err(|e| wrong(path, &format!("not a readable PNG or JPEG: {e}")))?;
        push(&mut frames, path, image)?;
    }
    frames.finish(&paths[0], None)
}

fn push(frames: &mut Frames, path: &Path, image: DynamicImage) -> Result<(), Error> {
    let size = [image.height() as usize, image.width() as usize];
    match image {
        DynamicImage::ImageLuma8(grey) => frames.push(path, size, 1, &grey),
        DynamicImage::ImageLumaA8(_) => frames.push(path, size, 1, &image.into_luma8()),
        DynamicImage::ImageRgb8(colour) => frames.push(path, size, 3, &colour),
        DynamicImage::ImageRgba8(_) => frames.push(path, size, 3, &image.into_rgb8()),
        other => Err(wrong(path, &format!("pixels are {:?}, expected 8 bits per channel; save the frame as 8-bit PNG", other.color()))),
    }
}

/// Order of names in which numbers count as numbers: frame2 before frame10.
pub(crate) fn natural(a: &str, b: &str) -> Ordering {
    let (mut x, mut y) = (a, b);
    while !x.is_empty() && !y.is_empty() {
        let ((nx, rest_x), (ny, rest_y)) = (run(x), run(y));
        let order = match (digits(nx), digits(ny)) {
            (Some(p), Some(q)) => p.len().cmp(&q.len()).then_with(|| p.cmp(q)),
            _ => nx.cmp(ny),
        };
        if order.is_ne() {
            return order;
        }
        (x, y) = (rest_x, rest_y);
    }
    x.len().cmp(&y.len()).then_with(|| a.cmp(b))
}

/// The leading digits of a name, or its leading part without digits, and the rest.
fn run(name: &str) -> (&str, &str) {
    let number = name.starts_with(|c: char| c.is_ascii_digit());
    name.split_at(name.find(|c: char| c.is_ascii_digit() != number).unwrap_or(name.len()))
}

/// A number without its leading zeros.
fn digits(run: &str) -> Option<&str> {
    run.starts_with(|c: char| c.is_ascii_digit()).then(|| run.trim_start_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_count_as_numbers() {
        let sorted = ["a", "a1", "a01", "a2b3", "a2b20", "a10", "a10c", "b", "b99999999999999999999999", "b100000000000000000000000"];
        for (i, a) in sorted.iter().enumerate() {
            for (j, b) in sorted.iter().enumerate() {
                let want = if ["a1", "a01"].contains(a) && ["a1", "a01"].contains(b) { a.cmp(b) } else { i.cmp(&j) };
                assert_eq!(natural(a, b), want, "{a} {b}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn natural_order_is_an_order(mut names in proptest::collection::vec("[a0-2é.]{0,6}", 0..8)) {
            names.sort_by(|a, b| natural(a, b)); // panics unless total
            for pair in names.windows(2) {
                proptest::prop_assert!(natural(&pair[0], &pair[1]).is_le());
                proptest::prop_assert_eq!(natural(&pair[0], &pair[1]).is_eq(), pair[0] == pair[1]);
            }
        }
    }
}
