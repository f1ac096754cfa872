//! What a handle is: something of ours behind a pointer, and the one barrier that every call with it passes.

use alloc::boxed::Box;
use alloc::string::String;
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicU32, Ordering};

use shardkeep_core::record::Status;

use crate::out::Failure;

const IDLE: u32 = 0;
const BUSY: u32 = 1;
const POISONED: u32 = 2;

/// A type that C knows by name only.
pub(crate) trait Opaque {
    /// What is really there. It may move between threads, for C's pointers do.
    type Held: Send + 'static;
    /// Tells handles of this type from others: a pointer to something else is noticed where it can be.
    const TAG: u32;
}

/// What lies behind a pointer to an [`Opaque`].
#[repr(C)]
pub(crate) struct Handle<T> {
    tag: AtomicU32,
    state: AtomicU32,
    inner: UnsafeCell<Inner<T>>,
}

/// What a call may use, alone.
pub(crate) struct Inner<T> {
    pub(crate) held: T,
    /// What a view of text may look at until the next call.
    pub(crate) text: String,
    /// Why the last call failed that did.
    error: String,
}

/// A handle for C.
pub(crate) fn give<O: Opaque>(held: O::Held) -> *mut O {
    let handle = Handle {
        tag: AtomicU32::new(O::TAG),
        state: AtomicU32::new(IDLE),
        inner: UnsafeCell::new(Inner {
            held,
            text: String::new(),
            error: String::new(),
        }),
    };
    Box::into_raw(Box::new(handle)).cast()
}

/// The handle behind a pointer, as far as that can be told.
///
/// # Safety
///
/// `handle` is NULL, or what [`give`] gave for some `O` and nobody freed yet.
unsafe fn find<'a, O: Opaque>(handle: *const O) -> Result<&'a Handle<O::Held>, Status> {
    if handle.is_null() {
        return Err(Status::NullPointer);
    }
    let handle: *const Handle<O::Held> = handle.cast();
    if !handle.is_aligned() {
        return Err(Status::WrongHandle);
    }
    // SAFETY: every handle begins with a tag, whatever its type.
    let tag = unsafe { &*handle.cast::<AtomicU32>() };
    if tag.load(Ordering::Relaxed) != O::TAG {
        return Err(Status::WrongHandle);
    }
    // SAFETY: the tag is that of this type, so `give` made it.
    Ok(unsafe { &*handle })
}

/// Frees the handle when the call is over, whatever happens in it.
struct Turn<'a> {
    state: &'a AtomicU32,
    next: u32,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.state.store(self.next, Ordering::Release);
    }
}

fn enter<T>(handle: &Handle<T>) -> Result<Turn<'_>, Status> {
    let turn = handle
        .state
        .compare_exchange(IDLE, BUSY, Ordering::Acquire, Ordering::Relaxed);
    match turn {
        Ok(_) => Ok(Turn {
            state: &handle.state,
            // Until the call has returned.
            next: POISONED,
        }),
        Err(POISONED) => Err(Status::Poisoned),
        Err(_) => Err(Status::Busy),
    }
}

/// The barrier: looks whose handle it is, keeps others out, catches what panics, and keeps the text of a failure.
///
/// # Safety
///
/// As [`find`]; and no view of what the handle holds may be looked at any more, except where the caller documents that
/// the call leaves views alone.
pub(crate) unsafe fn with<O: Opaque>(
    handle: *const O,
    call: impl FnOnce(&mut Inner<O::Held>) -> Result<(), Failure>,
) -> u32 {
    // SAFETY: the caller promises the pointer.
    let found = unsafe { find(handle) }.and_then(|handle| Ok((handle, enter(handle)?)));
    let (handle, mut turn) = match found {
        Ok(found) => found,
        Err(status) => return status.number(),
    };
    // SAFETY: `enter` lets one call in at a time.
    let inner = unsafe { &mut *handle.inner.get() };
    let Some(ended) = guarded(|| call(inner)) else {
        return Status::Panicked.number();
    };
    turn.next = IDLE;
    match ended {
        Ok(()) => Status::Ok.number(),
        // That there is nothing is no failure.
        Err(failure) if failure.status.number() < 100 => failure.status.number(),
        Err(failure) => {
            inner.error.clear();
            inner.error.push_str(match &failure.text {
                Some(text) => text,
                None => failure.status.explain(),
            });
            failure.status.number()
        }
    }
}

/// `None` if it panicked.
#[cfg(feature = "std")]
pub(crate) fn guarded<T>(call: impl FnOnce() -> T) -> Option<T> {
    // What a panic leaves half done is not looked at again: its handle is poisoned.
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)).ok()
}

/// Without std a panic does not come back.
#[cfg(not(feature = "std"))]
pub(crate) fn guarded<T>(call: impl FnOnce() -> T) -> Option<T> {
    Some(call())
}

/// The barrier of calls without a handle.
pub(crate) fn alone(call: impl FnOnce() -> Result<(), Status>) -> u32 {
    match guarded(call) {
        Some(Ok(())) => Status::Ok.number(),
        Some(Err(status)) => status.number(),
        None => Status::Panicked.number(),
    }
}

/// The text of the last failure. Says so even of a poisoned handle.
///
/// # Safety
///
/// As [`find`]; `out` is NULL or points to memory for a text.
pub(crate) unsafe fn last_error<O: Opaque>(
    handle: *const O,
    out: *mut crate::types::shardkeep_text,
) -> u32 {
    if out.is_null() {
        return Status::NullPointer.number();
    }
    // SAFETY: the caller promises the pointer.
    let found = unsafe { find(handle) }.map(|handle| (handle, enter(handle)));
    let text = match found {
        Err(status) => return status.number(),
        Ok((_, Err(Status::Poisoned))) => {
            crate::types::shardkeep_text::of(Status::Poisoned.explain())
        }
        Ok((_, Err(status))) => return status.number(),
        Ok((handle, Ok(mut turn))) => {
            turn.next = IDLE;
            // SAFETY: `enter` lets one call in at a time.
            let inner = unsafe { &*handle.inner.get() };
            crate::types::shardkeep_text::of(&inner.error)
        }
    };
    // SAFETY: not NULL, and the caller promises the place.
    unsafe { crate::out::put(out, text) };
    Status::Ok.number()
}

/// Frees a handle. NULL is nothing to free; a handle that is in use is not freed.
///
/// # Safety
///
/// As [`find`]; the pointer and every view of what it held are not used again if this returns success.
pub(crate) unsafe fn free<O: Opaque>(handle: *mut O) -> u32 {
    if handle.is_null() {
        return Status::Ok.number();
    }
    // SAFETY: the caller promises the pointer.
    let found = match unsafe { find(handle.cast_const()) } {
        Ok(found) => found,
        Err(status) => return status.number(),
    };
    match enter(found) {
        Ok(turn) => core::mem::forget(turn),
        Err(Status::Poisoned) => {}
        Err(status) => return status.number(),
    }
    found.tag.store(0, Ordering::Relaxed);
    // SAFETY: `give` made it with a box, nobody else is in it, and its tag lets nobody in any more.
    let owned = unsafe { Box::from_raw(handle.cast::<Handle<O::Held>>()) };
    if guarded(|| drop(owned)).is_none() {
        return Status::Panicked.number();
    }
    Status::Ok.number()
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;
    use crate::types::shardkeep_text;

    struct Number;

    impl Opaque for Number {
        type Held = u32;
        const TAG: u32 = 0x7e57_0001;
    }

    struct Other;

    impl Opaque for Other {
        type Held = u32;
        const TAG: u32 = 0x7e57_0002;
    }

    fn call(handle: *const Number, call: impl FnOnce(&mut u32) -> Result<(), Failure>) -> u32 {
        // SAFETY: tests pass NULL or live handles.
        unsafe { with(handle, |inner| call(&mut inner.held)) }
    }

    fn error(handle: *const Number) -> String {
        let mut text = shardkeep_text::of("");
        // SAFETY: a live handle, and a place for the view, which is copied at once.
        unsafe {
            assert_eq!(last_error(handle, &raw mut text), 0);
            let bytes = core::slice::from_raw_parts(text.ptr.cast::<u8>(), text.len);
            String::from_utf8(bytes.to_vec()).expect("UTF-8")
        }
    }

    fn give_back(handle: *mut Number) -> u32 {
        // SAFETY: a live handle, not used again if this succeeds.
        unsafe { free(handle) }
    }

    #[test]
    fn a_panic_poisons_and_only_freeing_is_left() {
        let handle = give::<Number>(1);
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        let status = call(handle, |_| panic!("a fault of ours"));
        std::panic::set_hook(hook);
        assert_eq!(status, Status::Panicked.number());
        assert_eq!(call(handle, |_| Ok(())), Status::Poisoned.number());
        assert_eq!(error(handle), Status::Poisoned.explain());
        assert_eq!(give_back(handle), 0);
    }

    #[test]
    fn a_call_within_a_call_is_busy_and_frees_nothing() {
        let handle = give::<Number>(1);
        let status = call(handle, |held| {
            *held = 2;
            assert_eq!(call(handle, |_| Ok(())), Status::Busy.number());
            assert_eq!(give_back(handle), Status::Busy.number());
            Ok(())
        });
        assert_eq!(status, 0);
        assert_eq!(
            call(handle, |held| {
                assert_eq!(*held, 2);
                Ok(())
            }),
            0
        );
        assert_eq!(give_back(handle), 0);
    }

    #[test]
    fn failures_leave_a_text_and_emptiness_leaves_it_alone() {
        let handle = give::<Number>(1);
        assert_eq!(error(handle), "");
        let told = Failure::told(Status::BadJson, "line 1");
        assert_eq!(call(handle, |_| Err(told)), Status::BadJson.number());
        assert_eq!(
            call(handle, |_| Err(Status::Empty.into())),
            Status::Empty.number()
        );
        assert_eq!(error(handle), "line 1");
        assert_eq!(
            call(handle, |_| Err(Status::BadKey.into())),
            Status::BadKey.number()
        );
        assert_eq!(error(handle), Status::BadKey.explain());
        assert_eq!(give_back(handle), 0);
    }

    #[test]
    fn what_is_no_handle_of_the_type_is_noticed() {
        let handle = give::<Number>(1);
        // SAFETY: a live handle of another type is what is to be noticed.
        let status = unsafe { with(handle.cast::<Other>(), |_| Ok(())) };
        assert_eq!(status, Status::WrongHandle.number());
        assert_eq!(
            call(core::ptr::null(), |_| Ok(())),
            Status::NullPointer.number()
        );
        assert_eq!(give_back(core::ptr::null_mut()), 0);
        assert_eq!(give_back(handle), 0);
    }
}
