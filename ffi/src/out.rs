//! What goes out to C. Nothing is written before everything else has succeeded.

use alloc::string::String;
use core::ffi::c_char;
use core::ptr;

use shardkeep_core::record::Status;

/// Refuses NULL before anything is done.
pub(crate) const fn wanted<T>(out: *mut T) -> Result<(), Status> {
    if out.is_null() {
        return Err(Status::NullPointer);
    }
    Ok(())
}

/// # Safety
///
/// `out` points to memory for a `T`; it need not be aligned or hold anything yet.
pub(crate) unsafe fn put<T>(out: *mut T, value: T) {
    // SAFETY: the caller promises the place.
    unsafe { out.write_unaligned(value) };
}

/// Copies text into the caller's buffer. `len` hears how long it is, also if it does not fit: the one output that is
/// written without success.
///
/// # Safety
///
/// `buffer` is NULL or points to `size` writable bytes; `len` points to memory for a `usize`.
pub(crate) unsafe fn copy(
    text: &str,
    buffer: *mut c_char,
    size: usize,
    len: *mut usize,
) -> Result<(), Status> {
    wanted(len)?;
    // SAFETY: not NULL, and the caller promises the place.
    unsafe { len.write_unaligned(text.len()) };
    if text.len() > size || buffer.is_null() {
        return Err(if buffer.is_null() && size > 0 {
            Status::NullPointer
        } else {
            Status::TooSmall
        });
    }
    // SAFETY: the buffer has room, and nothing of ours lies in it.
    unsafe { ptr::copy_nonoverlapping(text.as_ptr(), buffer.cast::<u8>(), text.len()) };
    Ok(())
}

/// Writes an error's text, cut to what fits at the end of a character, and a zero behind it.
///
/// # Safety
///
/// `buffer` is NULL or points to `size` writable bytes.
pub(crate) unsafe fn explain(text: &str, buffer: *mut c_char, size: usize) {
    if buffer.is_null() || size == 0 {
        return;
    }
    let mut end = text.len().min(size - 1);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    // SAFETY: `end` is below `size`, so there is room for the text and the zero.
    unsafe {
        ptr::copy_nonoverlapping(text.as_ptr(), buffer.cast::<u8>(), end);
        buffer.cast::<u8>().add(end).write(0);
    }
}

/// Why a call failed: a number, and where the number does not say it all, a text.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: Status,
    pub(crate) text: Option<String>,
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Self { status, text: None }
    }
}

impl Failure {
    pub(crate) fn told(status: Status, text: impl Into<String>) -> Self {
        Self {
            status,
            text: Some(text.into()),
        }
    }
}
