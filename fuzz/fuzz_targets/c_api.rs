//! Any calls in any order through the C interface, with pointers that are NULL, of another type or of no text: a status
//! each time, never a panic, and what is handed out can be read.

#![no_main]

#[path = "c_api/machines.rs"]
mod machines;

use std::ffi::c_char;
use std::ptr;

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

use machines::{Call, cache, fine, fleet, look, scheduler, session, with_config};

const SLOTS: usize = 3;

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
