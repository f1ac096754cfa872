//! The verbs, once for all four machines.

use alloc::boxed::Box;
use alloc::string::ToString;
use core::ffi::c_char;

use shardkeep_core::Instant;
use shardkeep_core::record::{Flat, Start, StartError, Status};
use shardkeep_core::wire::{Compression, Inflate};

use crate::handle::{Opaque, give, guarded, with};
use crate::out::{self, put, wanted};
use crate::read;
use crate::types::{shardkeep_config, shardkeep_record, shardkeep_text};

/// A machine, and where its last output is kept.
pub(crate) struct Driven<M: Flat> {
    pub(crate) machine: M,
    scratch: M::Scratch,
}

#[cfg(feature = "bot")]
fn inflate(compression: Compression) -> Option<Box<dyn Inflate>> {
    use shardkeep::inflate::{WINDOW_LOG_MAX, for_compression};
    Some(for_compression(compression, WINDOW_LOG_MAX))
}

#[cfg(not(feature = "bot"))]
fn inflate(compression: Compression) -> Option<Box<dyn Inflate>> {
    match compression {
        Compression::ZstdStream => None,
        _ => Some(Box::new(shardkeep_core::wire::Miniz::new())),
    }
}

/// # Safety
///
/// `config` as [`read::sized`], its views as [`read::text`]; `out` is NULL or points to memory for a pointer.
pub(crate) unsafe fn start<O, M>(config: *const shardkeep_config, out: *mut *mut O) -> u32
where
    O: Opaque<Held = Driven<M>>,
    M: Flat,
{
    // SAFETY: the caller promises the configuration.
    let told = wanted(out).and_then(|()| unsafe { read::sized(config) });
    let told = match told {
        Ok(told) => told,
        Err(status) => return status.number(),
    };
    let started = guarded(|| {
        // SAFETY: the caller promises the views.
        let start = unsafe {
            Start {
                settings: read::text(told.settings, told.settings_len)?,
                token: read::text(told.token, told.token_len)?,
                snapshot: read::text(told.snapshot, told.snapshot_len)?,
                now: Instant::from_micros(told.now_us),
                inflate,
            }
        };
        Ok(M::start(start))
    });
    let refused = |status: Status, text: &str| {
        // SAFETY: the caller promises the buffer.
        unsafe { out::explain(text, told.error, told.error_size) };
        status.number()
    };
    match started {
        None => refused(Status::Panicked, Status::Panicked.explain()),
        Some(Err(status)) => refused(status, status.explain()),
        Some(Ok(Err(error))) => refused(StartError::status(&error), &error.to_string()),
        Some(Ok(Ok(machine))) => {
            let driven = Driven {
                machine,
                scratch: M::Scratch::default(),
            };
            // SAFETY: not NULL, and the caller promises the place.
            unsafe { put(out, give::<O>(driven)) };
            Status::Ok.number()
        }
    }
}

/// # Safety
///
/// As [`with`]; `record` as [`read::record`].
pub(crate) unsafe fn handle_input<O, M>(
    handle: *mut O,
    now_us: u64,
    record: *const shardkeep_record,
) -> u32
where
    O: Opaque<Held = Driven<M>>,
    M: Flat,
{
    // SAFETY: the caller promises handle and record.
    unsafe {
        with(handle, |inner| {
            let record = read::record(record)?;
            let now = Instant::from_micros(now_us);
            Ok(inner.held.machine.feed(now, record)?)
        })
    }
}

/// # Safety
///
/// As [`with`].
pub(crate) unsafe fn handle_timeout<O, M>(handle: *mut O, now_us: u64) -> u32
where
    O: Opaque<Held = Driven<M>>,
    M: Flat,
{
    let now = Instant::from_micros(now_us);
    // SAFETY: the caller promises the handle.
    unsafe {
        with(handle, |inner| {
            inner.held.machine.handle_timeout(now);
            Ok(())
        })
    }
}

/// # Safety
///
/// As [`with`]; `out` is NULL or points to memory for a record.
pub(crate) unsafe fn poll_output<O, M>(handle: *mut O, out: *mut shardkeep_record) -> u32
where
    O: Opaque<Held = Driven<M>>,
    M: Flat,
{
    // SAFETY: the caller promises the handle and the place.
    unsafe {
        with(handle, |inner| {
            wanted(out)?;
            let Driven { machine, scratch } = &mut inner.held;
            let record = machine.next_output(scratch).ok_or(Status::Empty)?;
            put(out, shardkeep_record::of(&record));
            Ok(())
        })
    }
}

/// # Safety
///
/// As [`poll_output`]; views stay alive.
pub(crate) unsafe fn poll_timeout<O, M>(handle: *const O, out: *mut shardkeep_record) -> u32
where
    O: Opaque<Held = Driven<M>>,
    M: Flat,
{
    // SAFETY: the caller promises the handle and the place.
    unsafe {
        with(handle, |inner| {
            wanted(out)?;
            let record = inner.held.machine.next_timeout().ok_or(Status::Empty)?;
            put(out, shardkeep_record::of(&record));
            Ok(())
        })
    }
}

/// # Safety
///
/// As [`with`]; `name` as [`read::text`]; `out` is NULL or points to memory for a `u64`. Views stay alive.
pub(crate) unsafe fn count<O, M>(
    handle: *const O,
    name: *const c_char,
    name_len: usize,
    out: *mut u64,
) -> u32
where
    O: Opaque<Held = Driven<M>>,
    M: Flat,
{
    // SAFETY: the caller promises handle, name and place.
    unsafe {
        with(handle, |inner| {
            wanted(out)?;
            let name = read::text(name, name_len)?;
            let counted = inner.held.machine.counted(name);
            put(out, counted.ok_or(Status::UnknownCounter)?);
            Ok(())
        })
    }
}

/// Writes a text of the machine's and shows it.
///
/// # Safety
///
/// As [`with`]; `out` is NULL or points to memory for a text.
pub(crate) unsafe fn told<O, M>(
    handle: *mut O,
    out: *mut shardkeep_text,
    tell: impl FnOnce(&mut M) -> Result<alloc::string::String, out::Failure>,
) -> u32
where
    O: Opaque<Held = Driven<M>>,
    M: Flat,
{
    // SAFETY: the caller promises the handle and the place.
    unsafe {
        with(handle, |inner| {
            wanted(out)?;
            inner.text = tell(&mut inner.held.machine)?;
            put(out, shardkeep_text::of(&inner.text));
            Ok(())
        })
    }
}
