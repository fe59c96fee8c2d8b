//! Respond: a network's responses to any video, a few frames at a time so that length costs no memory.

use crate::error::Error;
use ndarray::{Array3, Array4, Array5, ArrayView3, ArrayView5, Axis, s};
use striate_model::{Clip, Draws, Network, Periphery, Pixels, Precision, Streams};
use striate_recording::resize::{resize, to_grey};

/// Frames run at once: enough to keep all cores busy, little enough to need little memory.
const FRAMES: usize = 16;

/// How a video is shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct RespondOptions {
    /// What lies beside the monitor.
    pub periphery: Periphery,
    /// All streams, or one.
    pub streams: Streams,
    /// Of the core's products.
    pub precision: Precision,
}

/// Responses [T, N, U] to a video u8 [T, N, H, W, C] with eye position [T, N, P] and behaviour [T, N, M] (zeros, the mean state,
/// where left out). Eye and behaviour may have N = 1 while the video has more, and the other way round.
pub fn respond(
    network: &Network,
    video: ArrayView5<u8>,
    eye: Option<ArrayView3<f32>>,
    behavior: Option<ArrayView3<f32>>,
    options: RespondOptions,
) -> Result<Array3<f32>, Error> {
    let (frames, shown, height, width, _) = video.dim();
    let config = network.config();
    let sizes = [Some(shown), eye.map(|e| e.dim().1), behavior.map(|b| b.dim().1)];
    let batch = sizes.iter().flatten().copied().max().unwrap_or(1);
    for (what, series, wide) in [("eye position", &eye, config.eye_features), ("behaviour", &behavior, config.behavior_features)] {
        if let Some(x) = series
            && (x.dim().0 != frames || x.dim().2 != wide || ![1, batch].contains(&x.dim().1))
        {
            let (t, n, p) = x.dim();
            return Err(Error::Length {
                what,
                expected: format!("{frames} frames, 1 or {batch} batch elements, {wide} values"),
                got: format!("{t}, {n}, {p}"),
            });
        }
    }
    if ![1, batch].contains(&shown) {
        return Err(Error::Length { what: "video", expected: format!("1 or {batch} batch elements"), got: shown.to_string() });
    }
    let mut run = network.begin(batch, options.streams, Draws::none())?.in_precision(options.precision)?;
    let (mut out, mut responses) = (Array3::zeros((frames, batch, config.units)), Vec::new());
    for start in (0..frames).step_by(FRAMES) {
        let piece = start..(start + FRAMES).min(frames);
        let pixels: Vec<u8> = each_batch(&piece, batch, shown, |t, n, to: &mut Vec<u8>| to.extend(video.slice(s![t, n, .., .., ..])));
        let series = |x: &Option<ArrayView3<f32>>| {
            x.as_ref().map_or_else(Vec::new, |x| each_batch(&piece, batch, x.dim().1, |t, n, to: &mut Vec<f32>| to.extend(x.slice(s![t, n, ..]))))
        };
        let (eye, behavior) = (series(&eye), series(&behavior));
        let clip = Clip { video: Pixels::U8(&pixels), size: [height, width], eye: &eye, behavior: &behavior, periphery: options.periphery };
        run.step_into(&clip, &mut responses)?;
        out.slice_mut(s![piece, .., ..]).iter_mut().zip(&responses).for_each(|(o, r)| *o = *r);
    }
    Ok(out)
}

fn each_batch<T>(frames: &std::ops::Range<usize>, batch: usize, there: usize, mut push: impl FnMut(usize, usize, &mut Vec<T>)) -> Vec<T> {
    let mut out = Vec::new();
    for t in frames.clone() {
        (0..batch).for_each(|n| push(t, n % there, &mut out));
    }
    out
}

/// A video in the form a network was trained on: grey where it has one channel, resampled where its size differs (as the
/// reference's preparation does). Returns the video and what was done, for telling the user.
pub fn fit_video(network: &Network, video: Array5<u8>, native: bool) -> Result<(Array5<u8>, Vec<String>), Error> {
    let (_, _, height, width, channels) = video.dim();
    let config = network.config();
    let mut done = Vec::new();
    let mut video = video;
    if channels != config.channels {
        if channels != 3 || config.channels != 1 {
            return Err(Error::Length { what: "video", expected: format!("{} colour channels", config.channels), got: channels.to_string() });
        }
        video = per_batch(video, |v| to_grey(v.view()));
        done.push(GREY.to_owned());
    }
    if let Some(([h, w], note)) = resampled(network, [height, width], native) {
        video = per_batch(video, |v| resize(v.view(), h, w));
        done.push(note);
    }
    Ok((video, done))
}

/// What is said of colour that is turned grey.
pub const GREY: &str = "colour video turned grey, L = (299 R + 587 G + 114 B) / 1000";

/// The size a video of `size` = [height, width] is resampled to for a network, and what is said of it; none where it is shown as it is.
pub fn resampled(network: &Network, size: [usize; 2], native: bool) -> Option<([usize; 2], String)> {
    let [h, w] = network.config().video.filter(|trained| !native && *trained != size)?;
    let [height, width] = size;
    let note = format!("video resampled from {height}x{width} to {h}x{w}, the size the network was trained on (--native shows it as it is)");
    Some(([h, w], note))
}

fn per_batch(video: Array5<u8>, change: impl Fn(Array4<u8>) -> Array4<u8>) -> Array5<u8> {
    let changed: Vec<Array4<u8>> = video.axis_iter(Axis(1)).map(|v| change(v.to_owned())).collect();
    let (t, h, w, c) = changed[0].dim();
    let mut out = Array5::zeros((t, changed.len(), h, w, c));
    changed.iter().enumerate().for_each(|(n, v)| out.index_axis_mut(Axis(1), n).assign(v));
    out
}
