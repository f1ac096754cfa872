//! Any calls at any times into a scheduler: every request ends exactly once, none is in flight twice, nothing is kept,
//! and the same again.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../core/tests/rest_scheduler_chaos/mod.rs"]
mod rest_scheduler_chaos;

fuzz_target!(|bytes: &[u8]| {
    let run = || rest_scheduler_chaos::run(bytes);
    assert_eq!(run(), run(), "the same calls gave other outputs");
});
