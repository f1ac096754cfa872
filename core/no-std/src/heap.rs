//! An allocator that hands out a fixed block from front to back and frees nothing.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::ptr;
use core::sync::atomic::{AtomicUsize, Ordering};

const SIZE: usize = 4 << 20;

/// The block, and how much of it is taken.
pub struct Heap {
    block: UnsafeCell<[u8; SIZE]>,
    taken: AtomicUsize,
}

impl Heap {
    pub const fn new() -> Self {
        Self {
            block: UnsafeCell::new([0; SIZE]),
            taken: AtomicUsize::new(0),
        }
    }
}

// SAFETY: each byte of the block belongs to at most one allocation, and `taken` is atomic.
unsafe impl Sync for Heap {}

// SAFETY: what `alloc` returns lies in the block, is aligned, and is never returned again.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let start = self.block.get() as usize;
        let place = |taken: usize| {
            let at = (start + taken).next_multiple_of(layout.align()) - start;
            Some((
                at,
                at.checked_add(layout.size()).filter(|&end| end <= SIZE)?,
            ))
        };
        let update = |taken| place(taken).map(|(_, end)| end);
        match self
            .taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, update)
        {
            Ok(before) => place(before).map_or(ptr::null_mut(), |(at, _)| {
                // SAFETY: `place` answers only with offsets inside the block.
                unsafe { self.block.get().cast::<u8>().add(at) }
            }),
            Err(_) => ptr::null_mut(),
        }
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}
