//! Any headers and bodies: no panic, bounds kept, and durations exact where Discord is.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;
use shardkeep_core::wire::{RateLimit, TooMany, error_code};

const MAX: Duration = Duration::from_secs(30 * 86_400);

fn seconds(value: &str) -> Option<Duration> {
    RateLimit::from_headers([("X-RateLimit-Reset-After", value.as_bytes())]).reset_after
}

/// Names that are read, in any case, and some that are not.
const NAME: &str =
    "(?i)x-ratelimit-(limit|remaining|reset|reset-after|bucket|scope|global)|retry-after|via|date";

fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        "[ ]?-?[0-9]{0,12}[.]?[0-9]{0,12}(e[+-]?[0-9]{1,3})?[ ]?".prop_map(String::into_bytes),
        "user|global|shared|true|false|[a-f0-9]{32}".prop_map(String::into_bytes),
        any::<Vec<u8>>(),
    ]
}

proptest! {
    #[test]
    fn any_headers_are_read_within_bounds(list in prop::collection::vec((NAME, value()), 0..12)) {
        let read = list.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
        let limits = RateLimit::from_headers(read);
        prop_assert!(limits.malformed as usize <= list.len());
        prop_assert!(limits.reset_after.is_none_or(|after| after <= MAX));
        prop_assert!(limits.retry_after.is_none_or(|after| after <= MAX));
        prop_assert!(limits.bucket.is_none_or(|name| !name.is_empty() && name.len() <= 128));
    }

    /// In milliseconds, Discord's precision, what is written is what is read: no float comes between.
    #[test]
    fn milliseconds_are_exact(ms in 0..=MAX.as_millis()) {
        let written = format!("{}.{:03}", ms / 1_000, ms % 1_000);
        prop_assert_eq!(seconds(&written), Some(Duration::from_millis(u64::try_from(ms).unwrap())));
    }

    /// Against a float, which has 53 bits to go wrong with: never below it, and above it by a microsecond at most.
    #[test]
    fn seconds_are_what_a_float_says(whole in 0..2_000_000_u32, rest in "[0-9]{0,9}", power in -9..1_i32) {
        let written = format!("{whole}.{rest}e{power}");
        let exact = written.parse::<f64>().unwrap() * 1e6;
        let read = seconds(&written).unwrap().as_micros() as f64;
        prop_assert!(read >= exact - 0.01 && read <= exact + 1.01, "{} of {}", read, exact);
    }

    #[test]
    fn bodies_are_read_as_serde_json_reads_them(
        retry_after_ms in 0..10_000_000_u64, global in any::<bool>(), code in any::<u32>(), text in any::<String>(),
    ) {
        let retry_after = json!(Duration::from_millis(retry_after_ms).as_secs_f64());
        let body = json!({"message": text, "retry_after": retry_after, "global": global, "code": code, "more": [{}]});
        let read = TooMany::parse(body.to_string().as_bytes()).unwrap();
        prop_assert_eq!((read.global, read.code), (global, Some(code)));
        prop_assert_eq!(read.retry_after, Some(Duration::from_millis(retry_after_ms)));
    }

    #[test]
    fn any_bytes_are_a_body_or_none(bytes in any::<Vec<u8>>(), cut in 0..60_usize) {
        let _ = (TooMany::parse(&bytes), error_code(&bytes));
        let body = br#"{"message": "a", "retry_after": 1.5, "global": false}"#;
        prop_assert_eq!(TooMany::parse(&body[..cut.min(body.len())]).is_some(), cut >= body.len());
    }
}
