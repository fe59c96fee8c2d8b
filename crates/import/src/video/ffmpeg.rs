//! Films (MP4 and the like) decoded and encoded by the program `ffmpeg`.

use super::{Frames, VideoArray, io, wrong};
use crate::error::Error;
use std::io::{ErrorKind, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::thread::JoinHandle;

/// Containers that hold film. Without this list ffmpeg would also render text files and follow playlists.
const CONTAINERS: &str = "mov,matroska,avi,mpeg,mpegts,mpegvideo,asf,ogg,flv,m4v,h264,hevc,ivf,yuv4mpegpipe";

/// Reads the first film stream of a file, at its nominal frame rate.
pub(super) fn read(program: &str, path: &Path, channels: usize) -> Result<VideoArray, Error> {
    std::fs::File::open(path).map_err(io(path))?;
    let Film { height, width, rate } = probe(program, path)?;
    // Exact rounding, so that the same film gives the same pixels on every machine.
    let mut options = vec!["-f", "rawvideo", "-pix_fmt", "rgb24", "-sws_flags", "bicubic+accurate_rnd+full_chroma_int"];
    let nominal = rate.map(|(n, d)| format!("{n}/{d}"));
    if let Some(rate) = &nominal {
        options.extend(["-r", rate]); // constant: frames of a variable rate are repeated or left out
    }
    let mut decoder = Decoder::start(program, path, &options)?;
    let mut frames = Frames::new(channels);
    let mut frame = Vec::new();
    let size = height * width * 3;
    loop {
        frame.clear();
        let got = decoder.output.by_ref().take(size as u64).read_to_end(&mut frame).map_err(io(path))?;
        if got < size {
            break;
        }
        frames.push(path, [height, width], 3, &frame)?;
    }
    decoder.finish(path)?;
    if !frame.is_empty() {
        return Err(wrong(path, &format!("ffmpeg stopped within frame {}; the file is damaged", frames.count)));
    }
    frames.finish(path, rate.map(|(n, d)| n as f64 / d as f64))
}

/// What ffmpeg says of a film.
#[derive(Debug, PartialEq)]
struct Film {
    height: usize,
    width: usize,
    /// Frames per second as a fraction.
    rate: Option<(u64, u64)>,
}

/// Size and frame rate, from the header of the first frame in YUV4MPEG2.
fn probe(program: &str, path: &Path) -> Result<Film, Error> {
    let mut decoder = Decoder::start(program, path, &["-frames:v", "1", "-f", "yuv4mpegpipe", "-pix_fmt", "yuv444p"])?;
    let mut output = Vec::new();
    decoder.output.read_to_end(&mut output).map_err(io(path))?;
    decoder.finish(path)?;
    let line = output.split(|b| *b == b'\n').next().unwrap_or_default();
    parse_header(&String::from_utf8_lossy(line)).ok_or_else(|| wrong(path, "ffmpeg found no film in it"))
}

/// Parses `YUV4MPEG2 W256 H144 F30:1 ...`.
fn parse_header(line: &str) -> Option<Film> {
    let words = line.strip_prefix("YUV4MPEG2 ")?;
    let find = |tag: char| words.split(' ').find_map(|word| word.strip_prefix(tag));
    let (width, height) = (find('W')?.parse().ok()?, find('H')?.parse().ok()?);
    let rate = find('F').and_then(|f| f.split_once(':')).and_then(|(n, d)| Some((n.parse().ok()?, d.parse().ok()?)));
    (width > 0 && height > 0).then_some(Film { height, width, rate: rate.filter(|(n, d)| *n > 0 && *d > 0) })
}

/// An ffmpeg that writes to a pipe.
struct Decoder {
    child: Child,
    output: ChildStdout,
    complaints: JoinHandle<String>,
}

impl Decoder {
    fn start(program: &str, path: &Path, options: &[&str]) -> Result<Self, Error> {
        let mut input = std::ffi::OsString::from("file:"); // a path, whatever it looks like
        input.push(path);
        let mut command = Command::new(program);
        command.args(["-nostdin", "-hide_banner", "-loglevel", "error", "-xerror", "-protocol_whitelist", "file"]);
        command.args(["-format_whitelist", CONTAINERS, "-i"]).arg(input).args(["-map", "0:V:0"]).args(options).arg("pipe:1");
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(|e| match e.kind() {
            ErrorKind::NotFound => Error::NoFfmpeg { path: path.into() },
            _ => wrong(path, &format!("ffmpeg cannot be started: {e}")),
        })?;
        let (Some(output), Some(errors)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(wrong(path, "ffmpeg cannot be listened to"));
        };
        Ok(Self { child, output, complaints: listen(errors) })
    }

    /// Waits for the end. Any complaint is an error: a stimulus with concealed damage is not the stimulus.
    fn finish(mut self, path: &Path) -> Result<(), Error> {
        drop(self.output);
        let status = self.child.wait().map_err(io(path))?;
        let complaints = self.complaints.join().unwrap_or_default();
        if status.success() && complaints.trim().is_empty() {
            return Ok(());
        }
        let first = first_line(&complaints);
        Err(wrong(path, &format!("ffmpeg cannot decode it: {first}; encode it anew, or give its frames as a folder of PNG files")))
    }
}

/// Gathers what a program complains about while it runs.
fn listen(mut errors: ChildStderr) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut text = Vec::new();
        let _ = errors.read_to_end(&mut text); // what could be read of the message is the message
        String::from_utf8_lossy(&text).into_owned()
    })
}

fn first_line(complaints: &str) -> &str {
    complaints.lines().find(|l| !l.trim().is_empty()).unwrap_or("it stopped without a message").trim().trim_end_matches('.')
}

/// An ffmpeg that is fed grey frames.
pub(super) struct Encoder {
    child: Child,
    input: Option<ChildStdin>,
    complaints: Option<JoinHandle<String>>,
}

impl Encoder {
    /// Starts to encode frames [H, W] at `rate` Hz as H.264 into the file `partial`; errors name `path`.
    pub(super) fn start(program: &str, path: &Path, partial: &Path, [height, width]: [usize; 2], rate: f64) -> Result<Self, Error> {
        let mut output = std::ffi::OsString::from("file:"); // a path, whatever it looks like
        output.push(partial);
        // players want colour at half resolution, which odd sizes have not; CRF 10 is hardly to be told from the original
        let colour = if height % 2 == 0 && width % 2 == 0 { "yuv420p" } else { "yuv444p" };
        let (size, rate) = (format!("{width}x{height}"), rate.to_string());
        let mut command = Command::new(program);
        command.args(["-hide_banner", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "gray", "-video_size", &size, "-framerate", &rate]);
        command.args(["-i", "pipe:0", "-c:v", "libx264", "-crf", "10", "-pix_fmt", colour, "-f", "mp4", "-y"]).arg(output);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().map_err(|e| match e.kind() {
            ErrorKind::NotFound => Error::NoEncoder { path: path.into() },
            _ => wrong(path, &format!("ffmpeg cannot be started: {e}")),
        })?;
        let (input, complaints) = (child.stdin.take(), child.stderr.take().map(listen));
        Ok(Self { child, input, complaints })
    }

    /// Encodes a frame.
    pub(super) fn push(&mut self, path: &Path, frame: &[u8]) -> Result<(), Error> {
        match self.input.as_mut().map_or(Ok(()), |input| input.write_all(frame)) {
            Err(_) => Err(self.complain(path)), // it ended before the film did, and says why
            done => done.map_err(io(path)),
        }
    }

    /// Waits until the film is written.
    pub(super) fn finish(mut self, path: &Path) -> Result<(), Error> {
        drop(self.input.take());
        let status = self.child.wait().map_err(io(path))?;
        if status.success() { Ok(()) } else { Err(self.complain(path)) }
    }

    fn complain(&mut self, path: &Path) -> Error {
        drop(self.input.take());
        let complaints = self.complaints.take().and_then(|listener| listener.join().ok()).unwrap_or_default();
        wrong(path, &format!("ffmpeg cannot encode it: {}; write .zarr, .npy, .gif or a folder of PNG frames", first_line(&complaints)))
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        drop(self.input.take()); // the end of its input ends it
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_give_size_and_rate() {
        assert_eq!(parse_header("YUV4MPEG2 W256 H144 F30000:1001 Ip A1:1 C444"), Some(Film { height: 144, width: 256, rate: Some((30000, 1001)) }));
        assert_eq!(parse_header("YUV4MPEG2 W256 H144 F0:0 Ip"), Some(Film { height: 144, width: 256, rate: None }));
        for bad in ["", "YUV4MPEG2 ", "YUV4MPEG2 W256", "YUV4MPEG2 W-1 H2", "YUV4MPEG2 W0 H2 F1:1", "GIF89a W1 H1"] {
            assert_eq!(parse_header(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_missing_ffmpeg_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("film.mp4");
        std::fs::write(&path, b"film").unwrap();
        let error = read("an-ffmpeg-that-is-not-there", &path, 1).unwrap_err().to_string();
        assert!(error.contains("install ffmpeg") && error.contains("film.mp4"), "{error}");
    }
}
