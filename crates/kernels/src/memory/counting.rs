//! An allocator that counts what a thread asks for: tests hold loops that should need little to it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Blocks asked for, and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Blocks.
    pub blocks: u64,
    /// Bytes of all of them.
    pub bytes: u64,
}

thread_local! {
    /// Without a destructor and without an initial value to compute: counting asks for no memory itself.
    static ASKED: Cell<Asked> = const { Cell::new(Asked { blocks: 0, bytes: 0 }) };
}

/// What the calling thread asks for during `work`, in a program whose global allocator is [`Counting`]; else nothing.
pub fn asked_during<R>(work: impl FnOnce() -> R) -> (R, Asked) {
    let before = ASKED.get();
    let done = work();
    let after = ASKED.get();
    (done, Asked { blocks: after.blocks - before.blocks, bytes: after.bytes - before.bytes })
}

/// The system's allocator, counted by thread.
pub struct Counting;

// SAFETY: the system's allocator does all the work.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: forwarded from the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: forwarded from the caller.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        // SAFETY: forwarded from the caller.
        unsafe { System.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: forwarded from the caller.
        unsafe { System.dealloc(block, layout) }
    }
}

fn count(bytes: usize) {
    // a thread that is ending counts no more
    let _ = ASKED.try_with(|asked| {
        let Asked { blocks, bytes: before } = asked.get();
        asked.set(Asked { blocks: blocks + 1, bytes: before + bytes as u64 });
    });
}
