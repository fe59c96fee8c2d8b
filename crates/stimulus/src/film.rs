//! A film: a video that is drawn frame by frame, however long, and what it shows when.

use crate::event::Event;
use crate::video::Video;

/// Draws frame t into pixels [H, W]; asked for 0, 1, 2 and so on.
type Draw = Box<dyn FnMut(usize, &mut [u8]) + Send>;

/// An iterator of 8-bit grey frames [H, W] that holds one frame at a time, with the events of the whole.
pub struct Film {
    shape: [usize; 3],
    rate: f64,
    events: Vec<Event>,
    next: usize,
    draw: Draw,
}

impl std::fmt::Debug for Film {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { shape, rate, next, events, .. } = self;
        f.debug_struct("Film").field("shape", shape).field("rate", rate).field("next", next).field("events", &events.len()).finish_non_exhaustive()
    }
}

impl Film {
    /// A film [T, H, W] at `rate` Hz.
    pub(crate) fn new(shape: [usize; 3], rate: f64, events: Vec<Event>, draw: impl FnMut(usize, &mut [u8]) + Send + 'static) -> Self {
        Self { shape, rate, events, next: 0, draw: Box::new(draw) }
    }

    /// T, H, W of the whole.
    pub fn shape(&self) -> [usize; 3] {
        self.shape
    }

    /// Frames per second.
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// What is shown when, in order of onset.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// All frames not drawn yet, in memory.
    pub fn video(self) -> Video {
        let ([frames, height, width], rate) = (self.shape, self.rate);
        let frames = frames - self.next;
        let mut pixels = Vec::with_capacity(frames * height * width);
        self.for_each(|frame| pixels.extend(frame));
        Video::drawn(pixels, [frames, height, width], rate)
    }
}

impl Iterator for Film {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let [frames, height, width] = self.shape;
        if self.next == frames {
            return None;
        }
        let mut frame = vec![0; height * width];
        (self.draw)(self.next, &mut frame);
        self.next += 1;
        Some(frame)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.shape[0] - self.next;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Film {}
