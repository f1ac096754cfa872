//! The two system calls that the program needs, for x86-64 Linux.

use core::arch::asm;

const WRITE: usize = 1;
const EXIT_GROUP: usize = 231;
const STDOUT: usize = 1;

/// Writes `text` to stdout. What the kernel does not take is dropped.
pub fn print(text: &str) {
    // SAFETY: write(2) reads `text.len()` bytes from `text` and writes no memory; the kernel clobbers rcx and r11.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") WRITE => _,
            in("rdi") STDOUT,
            in("rsi") text.as_ptr(),
            in("rdx") text.len(),
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack, readonly),
        );
    }
}

/// Ends the process.
pub fn exit(code: i32) -> ! {
    // SAFETY: exit_group(2) does not return.
    unsafe {
        asm!("syscall", in("rax") EXIT_GROUP, in("rdi") code, options(noreturn, nostack));
    }
}
