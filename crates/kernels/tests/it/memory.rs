//! The allocator that keeps large blocks, used by hand.

use std::alloc::{GlobalAlloc, Layout};
use striate_kernels::memory::Keeping;

const MB: usize = 1 << 20;

fn layout(size: usize) -> Layout {
    Layout::from_size_align(size, 4).expect("a layout")
}

#[test]
#[allow(unsafe_code)]
fn a_block_given_back_serves_again_and_is_cleared_where_zeros_are_asked_for() {
    let memory = Keeping::new();
    // SAFETY: every block is written within its size and given back once, with its layout.
    unsafe {
        let first = memory.alloc(layout(4 * MB));
        first.write_bytes(7, 4 * MB);
        memory.dealloc(first, layout(4 * MB));
        let again = memory.alloc_zeroed(layout(4 * MB - 100));
        assert_eq!(again, first, "a block that is a little larger serves");
        assert!((0..4 * MB - 100).all(|i| again.add(i).read() == 0));
        let other = memory.alloc(layout(MB));
        assert_ne!(other, first);
        memory.dealloc(again, layout(4 * MB - 100));
        memory.dealloc(other, layout(MB));
        let small = memory.alloc(layout(2 * MB));
        assert_ne!(small, first, "a block much too large does not serve");
        memory.dealloc(small, layout(2 * MB));
    }
}

#[test]
#[allow(unsafe_code)]
fn every_block_is_its_own() {
    let memory = Keeping::new();
    let sizes: Vec<usize> = (0..40).map(|i| (i % 7 + 1) * 300_000).collect();
    for round in 0..3u8 {
        // SAFETY: as above.
        unsafe {
            let blocks: Vec<*mut u8> = sizes.iter().map(|size| memory.alloc(layout(*size))).collect();
            for (i, (block, size)) in blocks.iter().zip(&sizes).enumerate() {
                assert_eq!(block.align_offset(64), 0);
                block.write_bytes(i as u8 + round, *size);
            }
            for (i, (block, size)) in blocks.iter().zip(&sizes).enumerate() {
                assert!((0..*size).step_by(4093).chain([size - 1]).all(|at| block.add(at).read() == i as u8 + round), "block {i}");
            }
            blocks.iter().zip(&sizes).for_each(|(block, size)| memory.dealloc(*block, layout(*size)));
        }
    }
}
