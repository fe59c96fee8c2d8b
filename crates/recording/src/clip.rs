//! One video by itself on disk: a Zarr v3 group of an array `video` [T, H, W, C] and an attribute `striate-video` that says its rate and what it shows.

use crate::error::Error;
use crate::store::{Rows, Stored, VIDEO_CHUNK};
use ndarray::Array4;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zarrs::filesystem::FilesystemStore;
use zarrs::group::{Group, GroupBuilder};

/// Attribute that makes a group a video.
const ATTRIBUTE: &str = "striate-video";

/// A video under construction, a chunk of frames in memory.
pub struct ClipWriter {
    path: PathBuf,
    store: Arc<FilesystemStore>,
    video: Rows<u8>,
    rate: f64,
}

impl ClipWriter {
    /// Starts a video of frames [H, W, C] at `rate` Hz in an empty folder.
    ///
    /// # Errors
    /// The folder cannot be written to.
    pub fn create(path: impl AsRef<Path>, frame: [usize; 3], rate: f64) -> Result<Self, Error> {
        let path = path.as_ref().to_owned();
        let store = Arc::new(FilesystemStore::new(&path).map_err(Error::zarr(&path, "store"))?);
        let video = Rows::create(&store, &path, "video", VIDEO_CHUNK, &frame, &["frame", "height", "width", "channel"])?;
        Ok(Self { path, store, video, rate })
    }

    /// Appends whole frames.
    ///
    /// # Errors
    /// The folder cannot be written to.
    pub fn append(&mut self, pixels: &[u8]) -> Result<(), Error> {
        self.video.append(pixels.iter().copied(), &self.path)
    }

    /// Writes what is left, and `description` into the attribute beside the rate.
    ///
    /// # Errors
    /// The folder cannot be written to.
    pub fn finish(self, mut description: Map<String, Value>) -> Result<(), Error> {
        self.video.finish(&self.path)?;
        description.insert("rate".into(), self.rate.into());
        let attributes = Map::from_iter([(ATTRIBUTE.to_owned(), Value::Object(description))]);
        let group = GroupBuilder::new().attributes(attributes).build(self.store, "/").map_err(Error::zarr(&self.path, "group"))?;
        group.store_metadata().map_err(Error::zarr(&self.path, "group"))
    }
}

/// Reads a video [T, H, W, C] and its description, in which `rate` is frames per second.
///
/// # Errors
/// Not a video by itself, a damaged one, or one larger than memory.
pub fn read_clip(path: impl AsRef<Path>) -> Result<(Array4<u8>, Map<String, Value>), Error> {
    let path = path.as_ref();
    let store = Arc::new(FilesystemStore::new(path).map_err(Error::zarr(path, "store"))?);
    let group = Group::open(store.clone(), "/").map_err(Error::zarr(path, "group"))?;
    let Some(Value::Object(description)) = group.attributes().get(ATTRIBUTE).cloned() else {
        let expected = "that of a video by itself (a recording holds many: give the frames of one)";
        return Err(Error::damaged(path, format!("attribute {ATTRIBUTE}"), expected, "none"));
    };
    let video = Stored::open(&store, path, "video", 4, "uint8")?;
    let (missing, all) = video.chunks_not_stored(path);
    if missing > 0 {
        return Err(Error::damaged(path, "array video", format!("{all} chunks"), format!("{} of them", all - missing)));
    }
    let shape = [video.shape[0], video.shape[1], video.shape[2], video.shape[3]];
    let frames = Array4::from_shape_vec(shape, video.read(0..shape[0], path)?).map_err(Error::zarr(path, "video"))?;
    Ok((frames, description))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_video_comes_back_as_it_was() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("v.zarr");
        std::fs::create_dir(&path).expect("folder");
        let mut writer = ClipWriter::create(&path, [2, 3, 1], 24.0).expect("created");
        let pixels: Vec<u8> = (0..6 * 70).map(|v| (v % 251) as u8).collect();
        pixels.chunks(6).for_each(|frame| writer.append(frame).expect("appended"));
        writer.finish(Map::from_iter([("seed".to_owned(), 7.into())])).expect("finished");
        let (frames, description) = read_clip(&path).expect("read");
        assert_eq!(frames.dim(), (70, 2, 3, 1));
        assert_eq!(frames.into_raw_vec_and_offset().0, pixels);
        assert_eq!((description["seed"].as_u64(), description["rate"].as_f64()), (Some(7), Some(24.0)));
        std::fs::remove_dir_all(path.join("video").join("c").join("1")).expect("a chunk");
        assert!(read_clip(&path).expect_err("a chunk is lost").to_string().contains("2 of them"));
    }
}
