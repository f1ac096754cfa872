//! Any calls in any order through the C interface, with pointers that are NULL, of another type or of no text: a status
//! each time, never a panic, and what is handed out can be read.

#![no_main]

use std::ffi::c_char;
use std::ptr;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use shardkeep_ffi::cache::*;
use shardkeep_ffi::cutover::*;
use shardkeep_ffi::envelope::*;
use shardkeep_ffi::fleet::*;
use shardkeep_ffi::packed::*;
use shardkeep_ffi::plain::*;
use shardkeep_ffi::scheduler::*;
use shardkeep_ffi::session::*;
use shardkeep_ffi::types::*;

/// The library met a fault of its own.
const PANICKED: u32 = 900;
const SLOTS: usize = 3;

#[derive(Arbitrary, Debug)]
enum Call {
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
enum Text {
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
fn look(bytes: *const u8, len: usize) -> u8 {
    assert!(!bytes.is_null());
    // SAFETY: the library says that the view is this long and still lives.
    unsafe { std::slice::from_raw_parts(bytes, len) }
        .iter()
        .fold(0, |all, byte| all ^ byte)
}

fn fine(status: u32) -> bool {
    assert_ne!(status, PANICKED);
    status == 0
}

macro_rules! machine {
    ($drive:ident, $handle:ty, $other:ty, $new:ident, $free:ident, $input:ident, $timeout:ident, $output:ident,
     $deadline:ident, $snapshot:ident, $stats:ident, $count:ident, $error:ident, $mixed:ident) => {
        unsafe fn $drive(call: &Call, slot: &mut *mut $handle, now: &mut u64) {
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
fn with_config(
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

fn pack(json: &[u8], key: &[u8], garbage: &[u8]) {
    let mut packer = ptr::null_mut();
    let mut bytes = shardkeep_bytes {
        ptr: ptr::null(),
        len: 0,
    };
    let mut view = shardkeep_text {
        ptr: ptr::null(),
        len: 0,
    };
    let (text, key_at) = (json.as_ptr().cast(), key.as_ptr().cast());
    // SAFETY: pointers are as long as they say, and the packed bytes are copied before the next call.
    unsafe {
        assert!(fine(shardkeep_packer_new(&raw mut packer)));
        if fine(shardkeep_packer_pack(
            packer,
            text,
            json.len(),
            &raw mut bytes,
        )) {
            let kept = std::slice::from_raw_parts(bytes.ptr, bytes.len).to_vec();
            fine(shardkeep_packer_get(
                packer,
                kept.as_ptr(),
                kept.len(),
                key_at,
                key.len(),
                &raw mut view,
            ));
            assert!(fine(shardkeep_packer_json(
                packer,
                kept.as_ptr(),
                kept.len(),
                &raw mut view
            )));
            look(view.ptr.cast(), view.len);
        }
        fine(shardkeep_packer_json(
            packer,
            garbage.as_ptr(),
            garbage.len(),
            &raw mut view,
        ));
        assert!(fine(shardkeep_packer_free(packer)));
    }
}

fn plain(text: &[u8], size: u8) {
    let mut buffer = [0_u8; 256];
    let (out, size) = (buffer.as_mut_ptr().cast::<c_char>(), usize::from(size));
    let (at, len) = (text.as_ptr().cast::<c_char>(), text.len());
    let (mut needed, mut bits) = (0, 0);
    // SAFETY: zero is what every member may be.
    let mut envelope: shardkeep_envelope = unsafe { std::mem::zeroed() };
    // SAFETY: pointers are as long as they say.
    unsafe {
        fine(shardkeep_route(at, len, out, size, &raw mut needed));
        fine(shardkeep_plan(at, len, out, size, &raw mut needed));
        fine(shardkeep_intents(at, len, &raw mut bits));
        fine(shardkeep_envelope_name(
            at.cast(),
            len,
            out,
            size,
            &raw mut needed,
        ));
        assert!(fine(shardkeep_envelope_scan(
            at.cast(),
            len,
            &raw mut envelope
        )));
        look(envelope.name.ptr, envelope.name.len);
        look(envelope.data.ptr, envelope.data.len);
    }
}

/// One handle of each kind in every slot.
struct Slot {
    session: *mut shardkeep_session,
    scheduler: *mut shardkeep_scheduler,
    cache: *mut shardkeep_cache,
    fleet: *mut shardkeep_fleet,
}

fn cutover(calls: &[&[u8]]) {
    let mut made = ptr::null_mut();
    let mut view = shardkeep_text {
        ptr: ptr::null(),
        len: 0,
    };
    // SAFETY: pointers are as long as they say; the handle is live until it is freed.
    unsafe {
        with_config(Some(b"{}"), None, 0, 0, |config| {
            assert!(fine(shardkeep_cutover_new(config, &raw mut made)));
        });
        for call in calls {
            if fine(shardkeep_cutover_call(
                made,
                1,
                call.as_ptr().cast(),
                call.len(),
                &raw mut view,
            )) {
                look(view.ptr.cast(), view.len);
            }
        }
        assert!(fine(shardkeep_cutover_free(made)));
    }
}

fuzz_target!(|calls: Vec<(u8, Call)>| {
    let empty = || Slot {
        session: ptr::null_mut(),
        scheduler: ptr::null_mut(),
        cache: ptr::null_mut(),
        fleet: ptr::null_mut(),
    };
    let mut slots: [Slot; SLOTS] = std::array::from_fn(|_| empty());
    let mut now = 0;
    for (which, call) in &calls {
        match call {
            Call::Pack { json, key, garbage } => pack(json, key, garbage),
            Call::Plain { text, size } => plain(text, *size),
            Call::Cutover { call } => cutover(&[call, call]),
            _ => {}
        }
        let slot = &mut slots[usize::from(which / 4) % SLOTS];
        // SAFETY: slots hold NULL or live handles.
        unsafe {
            match which % 4 {
                0 => session(call, &mut slot.session, &mut now),
                1 => scheduler(call, &mut slot.scheduler, &mut now),
                2 => cache(call, &mut slot.cache, &mut now),
                _ => fleet(call, &mut slot.fleet, &mut now),
            }
            if let Call::Get { key } = call {
                let mut view = shardkeep_text {
                    ptr: ptr::null(),
                    len: 0,
                };
                fine(shardkeep_cache_get(
                    slot.cache,
                    now,
                    key.as_ptr().cast(),
                    key.len(),
                    &raw mut view,
                ));
            }
        }
    }
    for slot in slots {
        // SAFETY: slots hold NULL or live handles, and are not used again.
        unsafe {
            assert!(fine(shardkeep_session_free(slot.session)));
            assert!(fine(shardkeep_scheduler_free(slot.scheduler)));
            assert!(fine(shardkeep_cache_free(slot.cache)));
            assert!(fine(shardkeep_fleet_free(slot.fleet)));
        }
    }
});
