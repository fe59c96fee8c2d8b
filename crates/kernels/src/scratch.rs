//! What pieces of parallel work share: memory of the thread that is used again, and output that each writes a part of.

use std::cell::RefCell;

/// Floats of a cache line: buffers begin at one.
const LINE: usize = 16;

thread_local! {
    /// Too large to ask for with every piece of work.
    static SCRATCH: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// Buffers of the thread, of the lengths given; what they hold is not defined. `work` may not ask for them again.
pub(crate) fn scratch<const N: usize, R>(lengths: [usize; N], work: impl FnOnce([&mut [f32]; N]) -> R) -> R {
    SCRATCH.with_borrow_mut(|all| {
        let whole = LINE + lengths.iter().map(|length| length.next_multiple_of(LINE)).sum::<usize>();
        if all.len() < whole {
            all.resize(whole, 0.0);
        }
        let first = all.as_ptr().align_offset(LINE * size_of::<f32>()).min(LINE);
        let mut rest = &mut all[first..];
        work(lengths.map(|length| {
            let (buffer, after) = std::mem::take(&mut rest).split_at_mut(length.next_multiple_of(LINE));
            rest = after;
            &mut buffer[..length]
        }))
    })
}

/// Output that pieces of work write to in disjoint places.
#[derive(Clone, Copy)]
pub(crate) struct Shared(pub(crate) *mut f32);

impl Shared {
    /// The place `floats` further on.
    ///
    /// # Safety
    /// It must be inside the output.
    pub(crate) unsafe fn add(self, floats: usize) -> Self {
        // SAFETY: forwarded from the caller.
        Self(unsafe { self.0.add(floats) })
    }
}

// SAFETY: whoever makes one sees to it that no two pieces touch the same place.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}
