//! Photographs from a ZIP archive or a folder, in the order of their names or of the numbers in them.

use super::{Order, StillsOptions};
use crate::error::Error;
use crate::video::images::natural;
use image::{DynamicImage, ImageReader, Limits};
use ndarray::Array4;
use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;
use striate_recording::resize::{resize, to_grey};

/// Most pixels of a picture.
const PIXELS: u64 = 64 << 20;
/// Most bytes of a picture's file.
const BYTES: u64 = 64 << 20;

/// Names and pictures [1, H, W, C], in order, resampled to one size; colour or luminance.
pub(super) fn read(path: &Path, options: &StillsOptions) -> Result<Vec<(String, Array4<u8>)>, Error> {
    let &StillsOptions { size, color, order, .. } = options;
    let mut pictures = Vec::new();
    let mut add = |name: String, bytes: Vec<u8>| {
        let picture = decode(&bytes, color).map_err(|why| wrong(path, format!("picture {name}: {why}")))?;
        pictures.push((name, resize(picture.view(), size[0], size[1])));
        Ok(())
    };
    if path.is_dir() {
        each_in_folder(path, &mut add)?
    } else {
        each_in_archive(path, &mut add)?
    }
    if pictures.is_empty() {
        return Err(wrong(path, "holds no PNG or JPEG picture".into()));
    }
    sort(path, &mut pictures, order)?;
    Ok(pictures)
}

/// Brings pictures into order. Which one is meant must be said where names as text and as numbers differ: every response would be
/// another picture's.
fn sort(path: &Path, pictures: &mut [(String, Array4<u8>)], order: Option<Order>) -> Result<(), Error> {
    pictures.sort_by(|a, b| a.0.cmp(&b.0));
    let unlike = pictures.windows(2).find(|pair| natural(&pair[0].0, &pair[1].0).is_gt());
    match (order, unlike) {
        (None, Some([a, b])) => {
            let problem = format!(
                "the order of the pictures is not clear: {} comes before {} as text, after it as a number; say which order the responses are in, --order name or --order number",
                a.0, b.0
            );
            return Err(wrong(path, problem));
        }
        (Some(Order::Number), _) => pictures.sort_by(|a, b| natural(&a.0, &b.0)),
        _ => {}
    }
    Ok(())
}

fn each_in_folder(path: &Path, add: &mut impl FnMut(String, Vec<u8>) -> Result<(), Error>) -> Result<(), Error> {
    for entry in std::fs::read_dir(path).map_err(io(path))? {
        let file = entry.map_err(io(path))?.path();
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if is_picture(&name) && file.is_file() {
            let bytes = limited(File::open(&file).map_err(io(&file))?, &file, &name)?;
            add(name, bytes)?;
        }
    }
    Ok(())
}

fn each_in_archive(path: &Path, add: &mut impl FnMut(String, Vec<u8>) -> Result<(), Error>) -> Result<(), Error> {
    let broken = |e: zip::result::ZipError| wrong(path, format!("not a whole ZIP archive: {e}"));
    let mut archive = zip::ZipArchive::new(File::open(path).map_err(io(path))?).map_err(broken)?;
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(broken)?;
        let name = entry.name().map_err(broken)?.into_owned();
        if !entry.is_dir() && is_picture(&name) {
            let bytes = limited(entry, path, &name)?;
            add(name, bytes)?;
        }
    }
    Ok(())
}

/// All bytes of a picture's file, which are counted as they come: an archive's own word on its sizes is not relied upon.
fn limited(file: impl Read, path: &Path, name: &str) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    file.take(BYTES + 1).read_to_end(&mut bytes).map_err(|e| wrong(path, format!("picture {name} cannot be read: {e}")))?;
    if bytes.len() as u64 > BYTES {
        return Err(wrong(path, format!("picture {name}: its file is larger than {} MiB", BYTES >> 20)));
    }
    Ok(bytes)
}

/// PNG or JPEG by name, not hidden, and not what archivers add.
fn is_picture(name: &str) -> bool {
    let added = name.split(['/', '\\']).any(|part| part == "__MACOSX" || (part.starts_with('.') && part != "."));
    let extension = name.rsplit_once('.').map_or(String::new(), |(_, extension)| extension.to_lowercase());
    !added && matches!(extension.as_str(), "png" | "jpg" | "jpeg")
}

/// A picture [1, H, W, C]; transparency is ignored.
fn decode(bytes: &[u8], color: bool) -> Result<Array4<u8>, String> {
    let reader = || ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|e| e.to_string());
    let (w, h) = reader()?.into_dimensions().map_err(|e| e.to_string())?;
    if u64::from(w) * u64::from(h) > PIXELS {
        return Err(format!("it has {w} x {h} pixels, expected at most {} million", PIXELS >> 20));
    }
    let mut reader = reader()?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(16 * PIXELS); // 16 bits in each of 4 channels, decoded and once more
    reader.limits(limits);
    let picture: DynamicImage = reader.decode().map_err(|e| e.to_string())?;
    let (h, w) = (h as usize, w as usize);
    let picture = Array4::from_shape_vec((1, h, w, 3), picture.into_rgb8().into_raw()).map_err(|e| e.to_string())?;
    Ok(if color { picture } else { to_grey(picture.view()) })
}

fn wrong(path: &Path, problem: String) -> Error {
    Error::Array { path: path.to_owned(), problem }
}

fn io(path: &Path) -> impl Fn(std::io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Io { path: path.clone(), source }
}

#[cfg(test)]
mod tests {
    use super::is_picture;

    #[test]
    fn only_pictures_count() {
        for name in ["a.png", "./set/b.JPG", "set.v2/c.jpeg", "_d.png"] {
            assert!(is_picture(name), "{name}");
        }
        for name in ["a.gif", "png", "set/", "__MACOSX/._a.png", "set/.a.png", ".trash/a.png", "a.png.txt"] {
            assert!(!is_picture(name), "{name}");
        }
    }
}
