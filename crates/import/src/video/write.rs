//! Writing video frame by frame: what is written appears whole or not at all, and only a frame or a chunk of frames is in memory.

use super::{extension, ffmpeg, io, wrong};
use crate::error::Error;
use gif::{Encoder, Frame, Repeat};
use npyz::{NpyWriter, WriterBuilder};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use striate_recording::clip::ClipWriter;

/// Fastest GIF, Hz: its delays are whole hundredths of a second.
const FASTEST_GIF: f64 = 100.0;

/// A grey video under construction, under a temporary name beside its place.
pub struct VideoWriter {
    path: PathBuf,
    partial: PathBuf,
    shape: [usize; 3],
    rate: f64,
    written: usize,
    sink: Option<Sink>,
}

enum Sink {
    Zarr(Box<ClipWriter>),
    Npy(NpyWriter<u8, BufWriter<File>>),
    Gif(Encoder<BufWriter<File>>),
    Film(ffmpeg::Encoder),
    Frames,
}

impl VideoWriter {
    /// Starts a video of grey frames [T, H, W] at `rate` Hz: `.zarr`, `.npy`, `.gif`, `.mp4` (through the program `ffmpeg`, which must be installed;
    /// films lose a little of every frame), or, without an ending, a folder of PNG frames.
    ///
    /// # Errors
    /// Something is there already, the ending is another, the place cannot be written to, or there is no ffmpeg.
    pub fn create(path: impl AsRef<Path>, shape: [usize; 3], rate: f64) -> Result<Self, Error> {
        let path = path.as_ref().to_owned();
        if path.exists() {
            return Err(wrong(&path, "exists already; choose another name or remove it"));
        }
        if shape.contains(&0) {
            return Err(wrong(&path, "there is no frame, or no pixel, to write"));
        }
        let mut name = path.file_name().ok_or_else(|| wrong(&path, "does not name a file or folder"))?.to_owned();
        name.push(format!(".{}.partial", std::process::id()));
        let mut writer = Self { partial: path.with_file_name(name), path, shape, rate, written: 0, sink: None };
        writer.sink = Some(writer.open()?);
        Ok(writer)
    }

    fn open(&self) -> Result<Sink, Error> {
        let Self { path, partial, shape: [frames, height, width], rate, .. } = self;
        let folder = || std::fs::create_dir_all(partial).map_err(io(path));
        let file = || {
            path.parent().map_or(Ok(()), std::fs::create_dir_all).map_err(io(path))?;
            Ok::<_, Error>(BufWriter::new(File::create(partial).map_err(io(path))?))
        };
        Ok(match extension(path).as_str() {
            "zarr" => {
                folder()?;
                Sink::Zarr(Box::new(ClipWriter::create(partial, [*height, *width, 1], *rate)?))
            }
            "npy" => {
                let shape = [*frames, *height, *width].map(|n| n as u64);
                Sink::Npy(npyz::WriteOptions::new().default_dtype().shape(&shape).writer(file()?).begin_nd().map_err(io(path))?)
            }
            "gif" if *rate > FASTEST_GIF => return Err(wrong(path, "a GIF shows at most 100 frames per second; write .zarr, .npy or frames")),
            "gif" => {
                let side = |n: usize| u16::try_from(n).map_err(|_| wrong(path, "frames are too large for a GIF"));
                let greys: Vec<u8> = (0..=255).flat_map(|v| [v; 3]).collect();
                let mut encoder = Encoder::new(file()?, side(*width)?, side(*height)?, &greys).map_err(|e| wrong(path, &e.to_string()))?;
                encoder.set_repeat(Repeat::Infinite).map_err(|e| wrong(path, &e.to_string()))?;
                Sink::Gif(encoder)
            }
            "mp4" => {
                drop(file()?); // so that a place that cannot be written to is told as such
                Sink::Film(ffmpeg::Encoder::start("ffmpeg", path, partial, [*height, *width], *rate)?)
            }
            "" => {
                folder()?;
                Sink::Frames
            }
            _ => {
                return Err(wrong(
                    path,
                    "not a kind of video that is written; end it in .zarr, .npy, .gif or .mp4, or in nothing for a folder of PNG frames",
                ));
            }
        })
    }

    /// Writes the next frame [H, W].
    ///
    /// # Errors
    /// One frame too many, or of another size; the place cannot be written to.
    pub fn push(&mut self, frame: &[u8]) -> Result<(), Error> {
        let Self { path, partial, shape: [frames, height, width], rate, written, sink } = self;
        if frame.len() != *height * *width || written == frames {
            return Err(wrong(path, &format!("frame {written} has {} pixels, expected {frames} frames of {height} x {width}", frame.len())));
        }
        match sink {
            Some(Sink::Zarr(writer)) => writer.append(frame)?,
            Some(Sink::Npy(writer)) => writer.extend(frame.iter().copied()).map_err(io(path))?,
            Some(Sink::Gif(encoder)) => {
                // delays differ by a hundredth, so that no time is lost over many frames
                let due = |t: usize| (t as f64 * 100.0 / *rate).round();
                let delay = (due(*written + 1) - due(*written)) as u16;
                let frame = Frame { width: *width as u16, height: *height as u16, delay, buffer: Cow::Borrowed(frame), ..Frame::default() };
                encoder.write_frame(&frame).map_err(|e| wrong(path, &e.to_string()))?;
            }
            Some(Sink::Film(encoder)) => encoder.push(path, frame)?,
            Some(Sink::Frames) => write_png(&partial.join(format!("{written:06}.png")), frame, [*height, *width])?,
            None => {}
        }
        *written += 1;
        Ok(())
    }

    /// Gives the video its name. `description` goes into the attributes of a `.zarr`; the other kinds have no place for it.
    ///
    /// # Errors
    /// Frames are missing; the place cannot be written to.
    pub fn finish(mut self, description: Map<String, Value>) -> Result<(), Error> {
        let path = self.path.clone();
        if self.written < self.shape[0] {
            return Err(wrong(&path, &format!("{} of {} frames were written", self.written, self.shape[0])));
        }
        let whole = |mut file: BufWriter<File>| file.flush().map_err(io(&path));
        match self.sink.take() {
            Some(Sink::Zarr(writer)) => writer.finish(description)?,
            Some(Sink::Npy(writer)) => writer.finish().map_err(io(&path))?,
            Some(Sink::Gif(encoder)) => whole(encoder.into_inner().map_err(|e| wrong(&path, &e.to_string()))?)?,
            Some(Sink::Film(encoder)) => encoder.finish(&path)?,
            Some(Sink::Frames) | None => {}
        }
        std::fs::rename(&self.partial, &path).map_err(io(&path))
    }
}

impl Drop for VideoWriter {
    fn drop(&mut self) {
        self.sink = None;
        // unless it has its name, what was begun leaves nothing behind
        let _ = if self.partial.is_dir() { std::fs::remove_dir_all(&self.partial) } else { std::fs::remove_file(&self.partial) };
    }
}

/// Writes a grey PNG [H, W].
///
/// # Errors
/// The place cannot be written to.
pub fn write_png(path: &Path, pixels: &[u8], [height, width]: [usize; 2]) -> Result<(), Error> {
    let grey = image::ExtendedColorType::L8;
    let format = image::ImageFormat::Png;
    image::save_buffer_with_format(path, pixels, width as u32, height as u32, grey, format).map_err(|e| wrong(path, &e.to_string()))
}
