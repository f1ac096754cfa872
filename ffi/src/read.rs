//! What comes in from C: pointers with lengths, as slices that live as long as the call.

use core::ffi::c_char;
use core::slice;

use shardkeep_core::record::{Record, Status};

use crate::types::{shardkeep_config, shardkeep_record};

/// NULL with the length 0 is nothing.
///
/// # Safety
///
/// `ptr` is NULL or points to `len` bytes that nobody changes during `'a`.
pub(crate) unsafe fn bytes<'a>(ptr: *const u8, len: usize) -> Result<&'a [u8], Status> {
    if len == 0 {
        return Ok(&[]);
    }
    if ptr.is_null() || isize::try_from(len).is_err() {
        return Err(Status::NullPointer);
    }
    // SAFETY: not NULL, no longer than memory can be, and the caller promises the rest.
    Ok(unsafe { slice::from_raw_parts(ptr, len) })
}

/// # Safety
///
/// As [`bytes`].
pub(crate) unsafe fn text<'a>(ptr: *const c_char, len: usize) -> Result<&'a str, Status> {
    // SAFETY: the caller promises what `bytes` asks for.
    let bytes = unsafe { bytes(ptr.cast(), len) }?;
    core::str::from_utf8(bytes).map_err(|_| Status::BadUtf8)
}

/// # Safety
///
/// `record` is NULL or points to a record whose views are as [`bytes`] wants them.
pub(crate) unsafe fn record<'a>(record: *const shardkeep_record) -> Result<Record<'a>, Status> {
    if record.is_null() {
        return Err(Status::NullPointer);
    }
    // SAFETY: not NULL, and the caller promises a record.
    let told = unsafe { record.read_unaligned() };
    Ok(Record {
        kind: told.kind,
        code: told.code,
        id: told.id,
        value: told.value,
        // SAFETY: the caller promises the record's views.
        text: unsafe { text(told.text, told.text_len) }?,
        // SAFETY: as above.
        data: unsafe { bytes(told.data, told.data_len) }?,
    })
}

/// A struct that begins with its size.
pub(crate) trait Versioned: Copy {}

impl Versioned for shardkeep_config {}
#[cfg(feature = "bot")]
impl Versioned for crate::bot::shardkeep_request {}

/// A copy of a struct that begins with its size. What a program with a later header added must be left at 0, for this
/// library would not heed it.
///
/// # Safety
///
/// `told` is NULL or points to as many bytes as its first member, a `usize`, says.
pub(crate) unsafe fn sized<T: Versioned>(told: *const T) -> Result<T, Status> {
    if told.is_null() {
        return Err(Status::NullPointer);
    }
    let known = size_of::<T>();
    // SAFETY: not NULL, and the size is the first member of every version of the struct.
    let size = unsafe { told.cast::<usize>().read_unaligned() };
    if size < known || size > known + 4_096 {
        return Err(Status::BadSize);
    }
    // SAFETY: the caller promises `size` bytes.
    let beyond = unsafe { bytes(told.cast::<u8>().add(known), size - known) }?;
    if beyond.iter().any(|&byte| byte != 0) {
        return Err(Status::BadSize);
    }
    // SAFETY: `size` bytes hold a whole struct.
    Ok(unsafe { told.read_unaligned() })
}
