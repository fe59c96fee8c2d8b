//! Events: what a stimulus shows when, with the numbers that analysis asks for.

use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Something shown for a while.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// First frame, from 0.
    pub onset_frame: usize,
    /// One past the last frame.
    pub offset_frame: usize,
    /// Onset, s from the start of the video; frame t is shown from t / rate on.
    pub onset: f64,
    /// Offset, s from the start of the video.
    pub offset: f64,
    /// What is shown.
    #[serde(flatten)]
    pub shown: Shown,
}

/// What an event shows. Directions are of motion, in degrees, 0 right and 90 up; positions x, y are of the middle, in monitor widths from the
/// left and upper edge; phases in cycles; contrasts from 0 to 1; polarity 1 is white and -1 black; sizes and spatial frequencies are in the
/// specification's unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(missing_docs)] // the names say it, in the units above
pub enum Shown {
    /// The whole video, which has no moments of its own.
    Continuous,
    /// Coherent motion of directional pink noise.
    Motion { direction: f64 },
    /// A drifting Gabor. `spatial` in cycles per unit, `temporal` in Hz.
    Gabor { x: f64, y: f64, direction: f64, spatial: f64, temporal: f64, phase: f64, contrast: f64 },
    /// A flashing Gaussian dot; `condition` is unique to its place and polarity.
    Dot { condition: usize, row: usize, column: usize, x: f64, y: f64, polarity: i8 },
    /// Optic flow of a random dot kinematogram; `direction` of translations only.
    Flow { condition: usize, flow: Flow, direction: Option<f64>, coherence: f64 },
    /// A grating; `size` is the diameter, absent where it fills the monitor. `condition` numbers the combinations of all listed values.
    Grating { condition: usize, direction: f64, spatial: f64, temporal: f64, phase: f64, contrast: f64, size: Option<f64> },
    /// A picture, by its place in the list of pictures and its name.
    Picture { condition: usize, name: String },
    /// A spot of sparse noise.
    Spot { row: usize, column: usize, x: f64, y: f64, polarity: i8 },
    /// A part of a chirp.
    Chirp { part: ChirpPart },
    /// A uniform field; `level` from -1, black, to 1, white.
    Level { condition: usize, level: f64 },
    /// A moving bar.
    Bar { condition: usize, direction: f64, polarity: i8 },
}

/// Patterns of optic flow (paper, Methods: translation, radial motion, rotation).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flow {
    /// Translation to the right.
    Right,
    /// Translation up.
    Up,
    /// Translation to the left.
    Left,
    /// Translation down.
    Down,
    /// Radial, away from the middle of the monitor.
    Out,
    /// Radial, towards the middle of the monitor.
    In,
    /// Rotation about the middle of the monitor.
    Clockwise,
    /// Rotation about the middle of the monitor.
    Counterclockwise,
}

/// Parts of a chirp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChirpPart {
    /// White.
    On,
    /// Black.
    Off,
    /// Sinusoidal flicker of rising frequency.
    Frequency,
    /// Sinusoidal flicker of rising contrast.
    Contrast,
}

impl Event {
    /// What is shown in some frames of a video of `rate` Hz.
    pub(crate) fn new(frames: Range<usize>, rate: f64, shown: Shown) -> Self {
        let (onset, offset) = (frames.start as f64 / rate, frames.end as f64 / rate);
        Self { onset_frame: frames.start, offset_frame: frames.end, onset, offset, shown }
    }

    /// The event of a video without moments of its own.
    pub(crate) fn continuous(frames: usize, rate: f64) -> Vec<Self> {
        vec![Self::new(0..frames, rate, Shown::Continuous)]
    }
}

/// When things are shown one after the other, each for as many frames.
pub(crate) struct Timeline {
    rate: f64,
    frames: usize,
    next: usize,
}

impl Timeline {
    pub(crate) fn new(frames: usize, rate: f64) -> Self {
        Self { rate, frames, next: 0 }
    }

    /// Frames of what is shown next, after `blank` s and for `seconds`, at least one frame; none once the video is over.
    pub(crate) fn show(&mut self, blank: f64, seconds: f64) -> Option<Range<usize>> {
        // a float too large for usize becomes the largest usize
        let count = |seconds: f64| (seconds * self.rate).round() as usize;
        let onset = self.next.saturating_add(count(blank));
        self.next = onset.saturating_add(count(seconds).max(1));
        (onset < self.frames).then_some(onset..self.next.min(self.frames))
    }
}

/// Which of a list of events is shown, asked frame after frame. Events follow one another and do not overlap.
#[derive(Default)]
pub(crate) struct Cursor {
    next: usize,
}

impl Cursor {
    /// Index of the event of frame `t`.
    pub(crate) fn at<T>(&mut self, events: &[T], t: usize, frames: impl Fn(&T) -> Range<usize>) -> Option<usize> {
        while events.get(self.next).is_some_and(|e| frames(e).end <= t) {
            self.next += 1;
        }
        events.get(self.next).is_some_and(|e| frames(e).contains(&t)).then_some(self.next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_follow_one_another_until_the_video_is_over() {
        let mut timeline = Timeline::new(20, 30.0);
        assert_eq!(timeline.show(0.1, 0.2), Some(3..9));
        assert_eq!(timeline.show(0.0, 0.0), Some(9..10), "at least one frame");
        assert_eq!(timeline.show(0.2, 1.0), Some(16..20), "cut at the end");
        assert_eq!(timeline.show(0.0, f64::MAX), None);
    }

    #[test]
    fn the_cursor_finds_the_event_of_a_frame() {
        let (events, mut cursor) = ([1..3, 3..4, 6..7], Cursor::default());
        let found: Vec<_> = (0..9).map(|t| cursor.at(&events, t, Clone::clone)).collect();
        assert_eq!(found, [None, Some(0), Some(0), Some(1), None, None, Some(2), None, None]);
    }
}
