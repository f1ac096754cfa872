//! Drives core in a program without std: exit code 0 if every step gave what it should. Here and in ffi alone may
//! `unsafe` stand, because the parts that std would bring (entry point, allocator, system calls) have to be written.

#![no_std]
#![no_main]

extern crate alloc;

mod drive;
mod heap;
mod kernel;
mod memory;
mod stream;

use core::panic::PanicInfo;

#[global_allocator]
static HEAP: heap::Heap = heap::Heap::new();

/// What the kernel starts. The stack is aligned as the calling convention wants it, then Rust takes over.
#[unsafe(naked)]
#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    core::arch::naked_asm!("xor ebp, ebp", "and rsp, -16", "call {run}", "ud2", run = sym run)
}

extern "C" fn run() -> ! {
    match drive::drive() {
        Ok(()) => {
            kernel::print("core ran without std: session ready, event dispatched\n");
            kernel::exit(0)
        }
        Err(step) => {
            kernel::print("core without std failed at: ");
            kernel::print(step);
            kernel::print("\n");
            kernel::exit(1)
        }
    }
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    kernel::print("core panicked\n");
    kernel::exit(1)
}

/// Named by the precompiled `alloc`, which was built to unwind; nothing calls it.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

/// Named by the precompiled `alloc`, which was built to unwind; nothing calls it.
#[unsafe(no_mangle)]
extern "C" fn _Unwind_Resume() -> ! {
    kernel::exit(1)
}
