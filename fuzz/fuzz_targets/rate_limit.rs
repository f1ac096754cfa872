//! Any headers and any body: no panic, bounds kept, and agreement with serde_json on what is JSON.

#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use shardkeep_core::wire::{RateLimit, TooMany, error_code};

const NAMES: [&str; 9] = [
    "X-RateLimit-Limit",
    "x-ratelimit-remaining",
    "X-RateLimit-Reset",
    "X-RateLimit-Reset-After",
    "X-RateLimit-Bucket",
    "X-RateLimit-Global",
    "X-RateLimit-Scope",
    "Retry-After",
    "Via",
];

const LONGEST: Duration = Duration::from_secs(30 * 86_400);

fuzz_target!(|input: (Vec<(u8, &[u8])>, &[u8])| {
    let (headers, body) = input;
    let named = headers
        .iter()
        .map(|(number, value)| (NAMES[usize::from(*number) % NAMES.len()], *value));
    let limits = RateLimit::from_headers(named);
    assert!(limits.malformed as usize <= headers.len());
    for wait in [limits.reset_after, limits.retry_after]
        .into_iter()
        .flatten()
    {
        assert!(wait <= LONGEST);
    }
    for (_, value) in &headers {
        check_seconds(value);
    }
    check_body(body);
});

/// What a float can read too is the same within what a float can tell.
fn check_seconds(value: &[u8]) {
    let read = RateLimit::from_headers([("Retry-After", value)]).retry_after;
    let float = str::from_utf8(value)
        .ok()
        .and_then(|text| text.trim().parse::<f64>().ok());
    if let (Some(read), Some(float)) = (read, float) {
        let capped = float.min(LONGEST.as_secs_f64());
        let error = read.as_secs_f64() - capped;
        assert!((-1e-6..=2e-6).contains(&error), "{read:?} of {float}");
    }
    if let Some(read) = read {
        assert!(float.is_some(), "{read:?} of {value:?}");
    }
}

fn check_body(body: &[u8]) {
    let read = TooMany::parse(body);
    let code = error_code(body);
    // The walk delimits values and does not validate what is inside them: only what is JSON can be compared.
    let Ok(document) = serde_json::from_slice::<Value>(body) else {
        return;
    };
    assert_eq!(read.is_some(), document.is_object());
    let (Some(read), Some(object)) = (read, document.as_object()) else {
        return;
    };
    assert_eq!(read.code, code);
    // Of members that repeat, serde_json keeps the last one.
    let members = body.iter().filter(|&&byte| byte == b':').count();
    if members != object.len() {
        return;
    }
    let expected = object.get("code").and_then(Value::as_u64);
    assert_eq!(
        read.code.map(u64::from),
        expected.filter(|code| *code <= u64::from(u32::MAX))
    );
    assert_eq!(
        read.global,
        object.get("global") == Some(&Value::Bool(true))
    );
    let wait = object
        .get("retry_after")
        .and_then(Value::as_f64)
        .filter(|wait| *wait >= 0.0);
    assert_eq!(read.retry_after.is_some(), wait.is_some());
}
