//! What the machines need where there is no std: memory and an end, both brought by the program in C.

use core::alloc::{GlobalAlloc, Layout};
use core::ffi::c_void;
use core::panic::PanicInfo;

unsafe extern "C" {
    /// Memory of so many bytes at such a boundary, or NULL.
    fn shardkeep_host_allocate(size: usize, align: usize) -> *mut c_void;
    /// Takes it back.
    fn shardkeep_host_release(memory: *mut c_void, size: usize, align: usize);
    /// A fault of the library's own: must not return.
    fn shardkeep_host_panic() -> !;
}

struct Host;

#[global_allocator]
static HOST: Host = Host;

// SAFETY: the program promises memory of the size and at the boundary that it was asked for, or NULL.
unsafe impl GlobalAlloc for Host {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the program's function takes any size and boundary.
        unsafe { shardkeep_host_allocate(layout.size(), layout.align()).cast() }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the memory came from the function above, with this layout.
        unsafe { shardkeep_host_release(memory.cast(), layout.size(), layout.align()) }
    }
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    // SAFETY: the program promises that it does not return.
    unsafe { shardkeep_host_panic() }
}

/// Named by the precompiled `alloc`, which was built to unwind; nothing calls it.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

/// Named by the precompiled `alloc`, which was built to unwind; nothing calls it.
#[unsafe(no_mangle)]
extern "C" fn _Unwind_Resume() -> ! {
    // SAFETY: as above.
    unsafe { shardkeep_host_panic() }
}
