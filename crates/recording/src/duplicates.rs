//! Duplicates: held-out video that is also training video, in the same or another recording.
//!
//! A twin that was trained on what it is tested on predicts nothing new. Copies are found by content, and copies that were scaled, encoded or
//! brightened by a perceptual hash (difference hash: is each cell of a coarse picture darker than the one to its right?).

use crate::description::Tier;
use crate::error::Error;
use crate::recording::Recording;
use crate::resize::{resize, to_grey};
use ndarray::{Axis, s};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A video of a recording.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Piece {
    /// Recording, as it was opened.
    pub recording: String,
    /// Name of the video.
    pub video: String,
    /// What it is shown for.
    pub tier: Tier,
}

/// Two videos that are the same or look it, in different tiers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Duplicate {
    /// Shown in testing, or in validation.
    pub held_out: Piece,
    /// Shown in training, or in validation.
    pub other: Piece,
    /// Whether every pixel is the same; else they only look alike.
    pub exact: bool,
}

impl fmt::Display for Duplicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = if self.exact { "is" } else { "looks like" };
        let word = |piece: &Piece| match piece.tier {
            Tier::Train => "training",
            Tier::Validation => "validation",
            Tier::Test => "test",
        };
        let (a, b) = (&self.held_out, &self.other);
        write!(f, "{} video {} of {} {how} {} video {} of {}", word(a), a.video, a.recording, word(b), b.video, b.recording)
    }
}

/// Frames of a video that the perceptual hash looks at.
const LOOKS: usize = 5;
/// Most of the 64 bits in which frames that look alike differ, in the mean. Unlike pictures differ in about 32.
const ALIKE: u32 = 4;
/// Fewest bits, of either value, of a frame that shows enough to be told from others; a blank frame has none.
const SHOWS: u32 = 8;

struct Fingerprint {
    piece: Piece,
    frames: usize,
    content: [u8; 32],
    looks: Vec<u64>,
}

/// Held-out videos that turn up in an earlier tier (training, then validation, then test) of any of the recordings.
pub fn duplicates(recordings: &[&Recording]) -> Result<Vec<Duplicate>, Error> {
    let mut prints = Vec::new();
    for recording in recordings {
        for ((video, start, frames), tiers) in pieces(recording) {
            let (content, looks) = look(recording, video, start, frames)?;
            for tier in tiers {
                let piece = Piece { recording: recording.path().display().to_string(), video: recording.videos()[video].name.clone(), tier };
                prints.push(Fingerprint { piece, frames, content, looks: looks.clone() });
            }
        }
    }
    let pair = |a: &Fingerprint, b: &Fingerprint| {
        let exact = a.content == b.content;
        (a.piece.tier > b.piece.tier && (exact || alike(a, b))).then(|| Duplicate { held_out: a.piece.clone(), other: b.piece.clone(), exact })
    };
    Ok(prints.iter().flat_map(|a| prints.iter().filter_map(move |b| pair(a, b))).collect())
}

/// Tiers in which each piece of video, (video, first frame, frames), is shown.
fn pieces(recording: &Recording) -> BTreeMap<(usize, usize, usize), BTreeSet<Tier>> {
    let mut pieces: BTreeMap<_, BTreeSet<Tier>> = BTreeMap::new();
    for trial in recording.trials() {
        pieces.entry((trial.video, trial.video_start, trial.frames)).or_default().insert(trial.tier);
    }
    pieces
}

/// Content hash and perceptual hashes of a piece of video.
fn look(recording: &Recording, video: usize, first: usize, frames: usize) -> Result<([u8; 32], Vec<u64>), Error> {
    const CHUNK: usize = 256; // frames held at a time
    let wanted: Vec<usize> = (0..LOOKS).map(|k| (2 * k + 1) * frames / (2 * LOOKS)).collect();
    let (mut hash, mut looks) = (Sha256::new(), Vec::new());
    hash.update(format!("{frames} {:?}", recording.frame_shape()));
    for start in (0..frames).step_by(CHUNK) {
        let chunk = recording.video_frames(video, first + start, CHUNK.min(frames - start))?;
        hash.update(chunk.as_slice().unwrap_or_default());
        for at in wanted.iter().filter(|at| (start..start + chunk.len_of(Axis(0))).contains(at)) {
            let small = resize(to_grey(chunk.slice(s![at - start..=at - start, .., .., ..])).view(), 8, 9);
            let bits = (0..64).filter(|k| small[[0, k / 8, k % 8, 0]] < small[[0, k / 8, k % 8 + 1, 0]]);
            looks.push(bits.fold(0u64, |look, k| look | 1 << k));
        }
    }
    Ok((hash.finalize().into(), looks))
}

fn alike(a: &Fingerprint, b: &Fingerprint) -> bool {
    let shows = |look: &u64| (SHOWS..=64 - SHOWS).contains(&look.count_ones());
    if a.frames.abs_diff(b.frames) * 10 > a.frames || a.looks.len() != b.looks.len() || !a.looks.iter().chain(&b.looks).all(shows) {
        return false;
    }
    let off: u32 = a.looks.iter().zip(&b.looks).map(|(a, b)| (a ^ b).count_ones()).sum();
    off <= ALIKE * a.looks.len() as u32
}
