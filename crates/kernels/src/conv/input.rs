//! What a convolution reads: frames, in one piece or in several, and where the taps of its kernel lie in them.

/// Padded input frames of a convolution, in order.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// In one piece.
    Frames(&'a [f32]),
    /// In pieces of one time step each: what a temporal kernel remembers need not be moved to stand before the next frame.
    Steps(&'a [Vec<f32>]),
}

impl<'a> Input<'a> {
    /// Frame `f` of `length` floats.
    #[inline(always)]
    pub(super) fn frame(self, f: usize, length: usize) -> &'a [f32] {
        match self {
            Self::Frames(x) => &x[f * length..][..length],
            Self::Steps(steps) => {
                let batch = steps[0].len() / length;
                &steps[f / batch][f % batch * length..][..length]
            }
        }
    }

    /// Whether it holds as many frames of `length` floats.
    pub(super) fn holds(self, frames: usize, length: usize) -> bool {
        match self {
            Self::Frames(x) => x.len() == frames * length,
            Self::Steps(steps) => {
                let each = steps.first().map_or(0, Vec::len);
                each.is_multiple_of(length) && steps.iter().all(|step| step.len() == each) && steps.len() * each == frames * length
            }
        }
    }
}

/// Distances of taps from the first one, in floats; on the stack, unless they are very many.
pub(super) struct Taps {
    few: [usize; 49],
    many: Vec<usize>,
    count: usize,
}

impl Taps {
    pub(super) fn new(count: usize, distance: impl Fn(usize) -> usize) -> Self {
        let mut taps = Self { few: [0; 49], many: Vec::new(), count };
        if count > taps.few.len() {
            taps.many.resize(count, 0);
        }
        taps.iter_mut().enumerate().for_each(|(tap, at)| *at = distance(tap));
        taps
    }

    fn iter_mut(&mut self) -> std::slice::IterMut<'_, usize> {
        if self.many.is_empty() { self.few[..self.count].iter_mut() } else { self.many.iter_mut() }
    }
}

impl std::ops::Deref for Taps {
    type Target = [usize];
    fn deref(&self) -> &[usize] {
        if self.many.is_empty() { &self.few[..self.count] } else { &self.many }
    }
}
