//! The structs that cross the border.

use core::ffi::c_char;
use core::ptr;

use shardkeep_core::record::{Record, Status};

/// The version of the binary interface. Structs, numbers and signatures of one version never change; it is also the
/// number in the shared library's name.
pub const SHARDKEEP_ABI: u32 = 1;

/// What a call returned: `SHARDKEEP_OK` or another number of the block above. Below 100 there is nothing to return;
/// from 100 on the caller broke a rule; from 200 on a value cannot be used; from 300 on the world outside refused; from
/// 900 on the fault is the library's. Numbers are never reused; take one that you do not know for a failure.
pub type shardkeep_status = u32;

/// A view of UTF-8 text, not terminated by a zero. Whoever hands it out says how long it lives.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct shardkeep_text {
    /// Its first byte; never NULL in what the library hands out.
    pub ptr: *const c_char,
    /// How many bytes it has.
    pub len: usize,
}

/// A view of bytes. Whoever hands it out says how long it lives.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct shardkeep_bytes {
    /// The first byte; never NULL in what the library hands out.
    pub ptr: *const u8,
    /// How many there are.
    pub len: usize,
}

/// One input, output or deadline, whatever its kind. docs/reference/records.md says what each column means for each
/// kind; a column that a kind does not use is 0 or empty. Kinds that you do not know can be passed over.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct shardkeep_record {
    /// Which kind of input, output or reason.
    pub kind: u32,
    /// A small number, such as a close code.
    pub code: u32,
    /// An opaque number of 64 bits, such as a snowflake.
    pub id: u64,
    /// A quantity below 2^53. Times are in microseconds.
    pub value: u64,
    /// UTF-8: a name, a URL, a sentence. May be NULL if `text_len` is 0.
    pub text: *const c_char,
    /// Bytes of `text`.
    pub text_len: usize,
    /// Bytes, such as a payload. May be NULL if `data_len` is 0.
    pub data: *const u8,
    /// How many there are.
    pub data_len: usize,
}

/// What a machine starts with. Fill it with `shardkeep_config_init`, then set what you need.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct shardkeep_config {
    /// `sizeof(struct shardkeep_config)` of the header that the program was compiled with.
    pub size: usize,
    /// The settings that differ from the defaults: a JSON object, as in vectors/README.md. NULL for the defaults.
    pub settings: *const c_char,
    /// Bytes of `settings`.
    pub settings_len: usize,
    /// The bot's token; only a session reads it. It is copied, and shown in no text.
    pub token: *const c_char,
    /// Bytes of `token`.
    pub token_len: usize,
    /// What to go on from: the text of the predecessor's snapshot. NULL to begin afresh.
    pub snapshot: *const c_char,
    /// Bytes of `snapshot`.
    pub snapshot_len: usize,
    /// The time of the start, in microseconds of a clock that never goes back.
    pub now_us: u64,
    /// Where to write why the machine could not be made, cut to `error_size` and ended by a zero. May be NULL.
    pub error: *mut c_char,
    /// Bytes at `error`.
    pub error_size: usize,
}

impl shardkeep_text {
    pub(crate) const fn of(text: &str) -> Self {
        Self {
            ptr: text.as_ptr().cast(),
            len: text.len(),
        }
    }
}

impl shardkeep_bytes {
    pub(crate) const fn of(bytes: &[u8]) -> Self {
        Self {
            ptr: bytes.as_ptr(),
            len: bytes.len(),
        }
    }
}

impl shardkeep_record {
    pub(crate) const fn of(record: &Record<'_>) -> Self {
        Self {
            kind: record.kind,
            code: record.code,
            id: record.id,
            value: record.value,
            text: record.text.as_ptr().cast(),
            text_len: record.text.len(),
            data: record.data.as_ptr(),
            data_len: record.data.len(),
        }
    }
}

/// Fills a configuration with what means "not given".
///
/// `size` is `sizeof *config`. Any thread, any time. Returns `SHARDKEEP_OK`; `SHARDKEEP_NULL_POINTER`, or
/// `SHARDKEEP_BAD_SIZE` if the struct is smaller than the first one of this interface.
///
/// # Safety
///
/// `config` is NULL or points to `size` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shardkeep_config_init(
    config: *mut shardkeep_config,
    size: usize,
) -> shardkeep_status {
    if config.is_null() {
        return Status::NullPointer.number();
    }
    if size < size_of::<shardkeep_config>() {
        return Status::BadSize.number();
    }
    let empty = shardkeep_config {
        size,
        settings: ptr::null(),
        settings_len: 0,
        token: ptr::null(),
        token_len: 0,
        snapshot: ptr::null(),
        snapshot_len: 0,
        now_us: 0,
        error: ptr::null_mut(),
        error_size: 0,
    };
    // SAFETY: the caller promises `size` writable bytes, and they are enough for the struct. What a later header added
    // behind it is cleared.
    unsafe {
        config.cast::<u8>().write_bytes(0, size);
        config.write_unaligned(empty);
    }
    Status::Ok.number()
}
