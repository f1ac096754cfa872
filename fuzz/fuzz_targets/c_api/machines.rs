//! The verbs of all four machines, called in any order with anything.

use std::ptr;

use arbitrary::Arbitrary;
use shardkeep_ffi::cache::*;
use shardkeep_ffi::fleet::*;
use shardkeep_ffi::scheduler::*;
use shardkeep_ffi::session::*;
use shardkeep_ffi::types::*;

/// The library met a fault of its own.
const PANICKED: u32 = 900;

#[derive(Arbitrary, Debug)]
pub(crate) enum Call {
    New {
        settings: Option<Vec<u8>>,
        snapshot: Option<Vec<u8>>,
        seed: u8,
    },
    Free,
    Input {
        later_ms: u16,
        kind: u8,
        code: u16,
        id: u8,
        value: u32,
        text: Text,
        data: Vec<u8>,
    },
    Timeout {
        later_ms: u16,
    },
    Output {
        times: u8,
    },
    Deadline,
    Snapshot,
    Count {
        name: Vec<u8>,
    },
    Error,
    /// The handle of one machine to a function of another.
    Mixed,
    Get {
        key: Vec<u8>,
    },
    Cutover {
        call: Vec<u8>,
    },
    Pack {
        json: Vec<u8>,
        key: Vec<u8>,
        garbage: Vec<u8>,
    },
    Plain {
        text: Vec<u8>,
        size: u8,
    },
}

/// Texts that get far, and any other.
#[derive(Arbitrary, Debug)]
pub(crate) enum Text {
    None,
    Route,
    Key,
    Event,
    Any(Vec<u8>),
}

impl Text {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::None => b"",
            Self::Route => b"GET /channels/1",
            Self::Key => b"role:1:5",
            Self::Event => b"GUILD_ROLE_CREATE 5000",
            Self::Any(bytes) => bytes,
        }
    }
}

/// Every byte of a view is read, so that a sanitizer sees one that is gone.
pub(crate) fn look(bytes: *const u8, len: usize) -> u8 {
    assert!(!bytes.is_null());
    // SAFETY: the library says that the view is this long and still lives.
    unsafe { std::slice::from_raw_parts(bytes, len) }
        .iter()
        .fold(0, |all, byte| all ^ byte)
}

pub(crate) fn fine(status: u32) -> bool {
    assert_ne!(status, PANICKED);
    status == 0
}

macro_rules! machine {
    ($drive:ident, $handle:ty, $other:ty, $new:ident, $free:ident, $input:ident, $timeout:ident, $output:ident,
     $deadline:ident, $snapshot:ident, $stats:ident, $count:ident, $error:ident, $mixed:ident) => {
        pub(crate) unsafe fn $drive(call: &Call, slot: &mut *mut $handle, now: &mut u64) {
            let mut record = empty_record();
            let mut view = shardkeep_text {
                ptr: ptr::null(),
                len: 0,
            };
            // SAFETY: slots hold NULL or live handles; pointers are as long as they say.
            unsafe {
                match call {
                    Call::New {
                        settings,
                        snapshot,
                        seed,
                        ..
                    } if slot.is_null() => {
                        with_config(
                            settings.as_deref(),
                            snapshot.as_deref(),
                            *seed,
                            *now,
                            |config| {
                                let mut made = ptr::null_mut();
                                if fine($new(config, &raw mut made)) {
                                    *slot = made;
                                }
                            },
                        );
                    }
                    Call::Free => {
                        assert!(fine($free(*slot)));
                        *slot = ptr::null_mut();
                    }
                    Call::Input {
                        later_ms,
                        kind,
                        code,
                        id,
                        value,
                        text,
                        data,
                        ..
                    } => {
                        *now += u64::from(*later_ms) * 1_000;
                        record.kind = (*kind).into();
                        record.code = (*code).into();
                        record.id = (*id).into();
                        record.value = (*value).into();
                        (record.text, record.text_len) =
                            (text.bytes().as_ptr().cast(), text.bytes().len());
                        (record.data, record.data_len) = (data.as_ptr(), data.len());
                        fine($input(*slot, *now, &raw const record));
                    }
                    Call::Timeout { later_ms, .. } => {
                        *now += u64::from(*later_ms) * 1_000;
                        fine($timeout(*slot, *now));
                    }
                    Call::Output { times, .. } => {
                        for _ in 0..*times {
                            if !fine($output(*slot, &raw mut record)) {
                                break;
                            }
                            look(record.text.cast(), record.text_len);
                            look(record.data, record.data_len);
                        }
                    }
                    Call::Deadline => {
                        fine($deadline(*slot, &raw mut record));
                    }
                    Call::Snapshot => {
                        if fine($snapshot(*slot, &raw mut view)) {
                            look(view.ptr.cast(), view.len);
                        }
                        if fine($stats(*slot, &raw mut view)) {
                            look(view.ptr.cast(), view.len);
                        }
                    }
                    Call::Count { name, .. } => {
                        let mut count = 0;
                        fine($count(
                            *slot,
                            name.as_ptr().cast(),
                            name.len(),
                            &raw mut count,
                        ));
                    }
                    Call::Error => {
                        if fine($error(*slot, &raw mut view)) {
                            look(view.ptr.cast(), view.len);
                        }
                    }
                    Call::Mixed => {
                        assert!(!fine($mixed(slot.cast::<$other>(), *now)));
                    }
                    _ => {}
                }
            }
        }
    };
}

machine!(
    session,
    shardkeep_session,
    shardkeep_fleet,
    shardkeep_session_new,
    shardkeep_session_free,
    shardkeep_session_handle_input,
    shardkeep_session_handle_timeout,
    shardkeep_session_poll_output,
    shardkeep_session_poll_timeout,
    shardkeep_session_snapshot,
    shardkeep_session_stats,
    shardkeep_session_count,
    shardkeep_session_error,
    shardkeep_fleet_handle_timeout
);
machine!(
    scheduler,
    shardkeep_scheduler,
    shardkeep_session,
    shardkeep_scheduler_new,
    shardkeep_scheduler_free,
    shardkeep_scheduler_handle_input,
    shardkeep_scheduler_handle_timeout,
    shardkeep_scheduler_poll_output,
    shardkeep_scheduler_poll_timeout,
    shardkeep_scheduler_snapshot,
    shardkeep_scheduler_stats,
    shardkeep_scheduler_count,
    shardkeep_scheduler_error,
    shardkeep_session_handle_timeout
);
machine!(
    cache,
    shardkeep_cache,
    shardkeep_scheduler,
    shardkeep_cache_new,
    shardkeep_cache_free,
    shardkeep_cache_handle_input,
    shardkeep_cache_handle_timeout,
    shardkeep_cache_poll_output,
    shardkeep_cache_poll_timeout,
    shardkeep_cache_snapshot,
    shardkeep_cache_stats,
    shardkeep_cache_count,
    shardkeep_cache_error,
    shardkeep_scheduler_handle_timeout
);
machine!(
    fleet,
    shardkeep_fleet,
    shardkeep_cache,
    shardkeep_fleet_new,
    shardkeep_fleet_free,
    shardkeep_fleet_handle_input,
    shardkeep_fleet_handle_timeout,
    shardkeep_fleet_poll_output,
    shardkeep_fleet_poll_timeout,
    shardkeep_fleet_snapshot,
    shardkeep_fleet_stats,
    shardkeep_fleet_count,
    shardkeep_fleet_error,
    shardkeep_cache_handle_timeout
);

fn empty_record() -> shardkeep_record {
    shardkeep_record {
        kind: 0,
        code: 0,
        id: 0,
        value: 0,
        text: ptr::null(),
        text_len: 0,
        data: ptr::null(),
        data_len: 0,
    }
}

/// Settings of the fuzzer's, or a seed's.
pub(crate) fn with_config(
    settings: Option<&[u8]>,
    snapshot: Option<&[u8]>,
    seed: u8,
    now: u64,
    call: impl FnOnce(*const shardkeep_config),
) {
    let usual = format!("{{\"seed\": {seed}}}");
    let settings = settings.unwrap_or(usual.as_bytes());
    let snapshot = snapshot.unwrap_or_default();
    let mut why = [0_u8; 64];
    // SAFETY: zero is what every member may be.
    let mut config: shardkeep_config = unsafe { std::mem::zeroed() };
    // SAFETY: the struct is this large.
    unsafe { shardkeep_config_init(&raw mut config, size_of::<shardkeep_config>()) };
    (config.settings, config.settings_len) = (settings.as_ptr().cast(), settings.len());
    (config.token, config.token_len) = (c"not.a.token".as_ptr(), 11);
    (config.snapshot, config.snapshot_len) = (snapshot.as_ptr().cast(), snapshot.len());
    (config.error, config.error_size) = (why.as_mut_ptr().cast(), why.len());
    config.now_us = now;
    call(&raw const config);
}
