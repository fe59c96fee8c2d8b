//! An allocator that keeps large blocks for the next time they are asked for.
//!
//! A training step takes and returns the same gigabytes again and again. System allocators give such blocks back to the kernel, which
//! then has to find and clear every page anew: a fifth of a step at the published size. This one keeps them, within bounds: blocks in
//! use and blocks kept never add up to more than was once in use at the same time. Small blocks are the system's.
//!
//! A program opts in: `#[global_allocator] static MEMORY: Keeping = Keeping::new();`

pub mod counting;

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr::null_mut;
use std::sync::{Mutex, MutexGuard};

/// Smallest block that is kept, bytes: smaller ones cost the kernel little.
const LARGE: usize = 1 << 18;
/// Room in front of a block for its own size, and its alignment.
const HEADER: usize = 64;
/// Blocks kept at most.
const SLOTS: usize = 512;

/// The allocator.
pub struct Keeping {
    kept: Mutex<Kept>,
}

/// Blocks nobody uses, by address of their header, and how many bytes there are.
struct Kept {
    blocks: [(usize, *mut u8); SLOTS],
    count: usize,
    bytes: usize,
    used: usize,
    most_used: usize,
}

// SAFETY: the pointers are owned: nobody else knows a kept block.
unsafe impl Send for Kept {}

impl Keeping {
    /// With nothing kept yet.
    pub const fn new() -> Self {
        let kept = Kept { blocks: [(0, null_mut()); SLOTS], count: 0, bytes: 0, used: 0, most_used: 0 };
        Self { kept: Mutex::new(kept) }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // nothing panics while the lock is held
        self.kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// A large block and whether it may hold anything but zeros.
    fn take(&self, size: usize) -> (*mut u8, bool) {
        let found = self.kept().take(size);
        if let Some(block) = found {
            return (block, true);
        }
        let Some(whole) = size.checked_add(HEADER).and_then(|size| Layout::from_size_align(size, HEADER).ok()) else { return (null_mut(), false) };
        // SAFETY: the size is not zero.
        let block = unsafe { System.alloc_zeroed(whole) };
        if block.is_null() {
            return (block, false);
        }
        self.kept().added(size);
        // SAFETY: the block begins with room for its header, aligned to it.
        unsafe {
            block.cast::<usize>().write(size);
            (block.add(HEADER), false)
        }
    }
}

impl Default for Keeping {
    fn default() -> Self {
        Self::new()
    }
}

impl Kept {
    /// The smallest kept block that holds `size` without wasting a quarter.
    fn take(&mut self, size: usize) -> Option<*mut u8> {
        let fits = |held: usize| (size..=size + size / 4).contains(&held);
        let best = (0..self.count).filter(|i| fits(self.blocks[*i].0)).min_by_key(|i| self.blocks[*i].0)?;
        let (held, block) = self.remove(best);
        self.added(held);
        // SAFETY: every block begins with its header.
        Some(unsafe { block.add(HEADER) })
    }

    /// Counts a block in use, and lets go of kept ones that would be too many beside it.
    fn added(&mut self, size: usize) {
        self.used += size;
        self.most_used = self.most_used.max(self.used);
        self.trim();
    }

    /// Keeps a block that is no longer in use.
    fn give_back(&mut self, held: usize, block: *mut u8) {
        self.used -= held;
        if self.count == SLOTS {
            let oldest = self.remove(0);
            release(oldest);
        }
        self.blocks[self.count] = (held, block);
        self.count += 1;
        self.bytes += held;
        self.trim();
    }

    /// Releases the blocks that were given back first until what is kept is within bounds.
    fn trim(&mut self) {
        while self.count > 0 && self.bytes + self.used > self.most_used {
            let oldest = self.remove(0);
            release(oldest);
        }
    }

    /// Takes a block out; the others stay in the order they were given back.
    fn remove(&mut self, at: usize) -> (usize, *mut u8) {
        let block = self.blocks[at];
        self.blocks.copy_within(at + 1..self.count, at);
        self.count -= 1;
        self.bytes -= block.0;
        block
    }
}

/// Gives a block back to the system.
fn release((held, block): (usize, *mut u8)) {
    // SAFETY: `take` asked the system for just this layout, and it was valid then.
    unsafe { System.dealloc(block, Layout::from_size_align_unchecked(held + HEADER, HEADER)) }
}

fn large(layout: &Layout) -> bool {
    layout.size() >= LARGE && layout.align() <= HEADER
}

// SAFETY: large blocks have the size and alignment asked for, and each is in use once; all others are the system's.
unsafe impl GlobalAlloc for Keeping {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if large(&layout) {
            return self.take(layout.size()).0;
        }
        // SAFETY: forwarded from the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if large(&layout) {
            let (block, used) = self.take(layout.size());
            if used {
                // SAFETY: the block holds as many bytes.
                unsafe { block.write_bytes(0, layout.size()) };
            }
            return block;
        }
        // SAFETY: forwarded from the caller.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller returns what `alloc` gave for this layout: a large block has its header before it.
        unsafe {
            if large(&layout) {
                let block = block.sub(HEADER);
                let held = block.cast::<usize>().read();
                self.kept().give_back(held, block);
            } else {
                System.dealloc(block, layout);
            }
        }
    }
}
