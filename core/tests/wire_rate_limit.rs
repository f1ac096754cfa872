//! Headers and bodies that tell of limits, read as written, and refused where they cannot be meant.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use allocation_counter::measure;
use serde_json::Value;
use shardkeep_core::wire::{RateLimit, Scope, TooMany, error_code};

const MAX: Duration = Duration::from_secs(30 * 86_400);

fn headers<'a>(list: &[(&'a str, &'a str)]) -> RateLimit<'a> {
    RateLimit::from_headers(list.iter().map(|(name, value)| (*name, value.as_bytes())))
}

fn micros(micros: u64) -> Option<Duration> {
    Some(Duration::from_micros(micros))
}

/// A header's value as a duration, checked to count as malformed exactly where there is none.
fn seconds(value: &str) -> Option<Duration> {
    let limits = headers(&[("X-RateLimit-Reset-After", value)]);
    assert_eq!(
        limits.malformed,
        u32::from(limits.reset_after.is_none()),
        "{value}"
    );
    let retry = headers(&[("Retry-After", value)]);
    assert_eq!(retry.retry_after, limits.reset_after, "{value}");
    limits.reset_after
}

#[test]
fn every_header_is_read_in_any_case() {
    let list = [
        ("content-type", "application/json"),
        ("X-RATELIMIT-LIMIT", "10"),
        ("x-ratelimit-remaining", " 9\t"),
        ("X-RateLimit-Reset", "1470173023.123"),
        ("X-RateLimit-Reset-After", "64.57"),
        ("X-RateLimit-Bucket", "abcd1234"),
        ("X-RateLimit-Scope", "Shared"),
        ("X-RateLimit-Global", "True"),
        ("Retry-After", "65"),
        ("via", "1.1 google"),
    ];
    let expected = RateLimit {
        limit: Some(10),
        remaining: Some(9),
        reset_after: Some(Duration::from_millis(64_570)),
        bucket: Some("abcd1234"),
        scope: Some(Scope::Shared),
        global: true,
        retry_after: Some(Duration::from_secs(65)),
        via: true,
        malformed: 0,
    };
    assert_eq!(headers(&list), expected);
    let mut reversed = list;
    reversed.reverse();
    assert_eq!(headers(&reversed), expected);
    assert_eq!(headers(&[]), RateLimit::default());
    assert_eq!(headers(&list[..1]), RateLimit::default());
}

#[test]
fn seconds_are_decimal_and_rounded_up() {
    for (value, expected) in [
        ("0", 0),
        ("1", 1_000_000),
        ("0.479", 479_000),
        ("0.1", 100_000),
        ("0.3", 300_000),
        ("1.005", 1_005_000),
        ("64.57", 64_570_000),
        (".5", 500_000),
        ("5.", 5_000_000),
        ("007", 7_000_000),
        (" 2 ", 2_000_000),
        ("1e3", 1_000_000_000),
        ("1E+0", 1_000_000),
        ("2.5e-1", 250_000),
        ("1e-05", 10),
        ("0.0000001", 1),
        ("1e-400", 1),
        ("1.0000001", 1_000_001),
        ("1.0000000000000000000000000000000", 1_000_000),
        ("-0", 0),
        ("-0.0e7", 0),
        ("0e999999999999999999999", 0),
    ] {
        assert_eq!(seconds(value), micros(expected), "{value}");
    }
    for value in [
        "2592000",
        "2592000.000001",
        "1e7",
        "1e400",
        "99999999999999999999999999",
        "1e99999999999999999999",
    ] {
        assert_eq!(seconds(value), Some(MAX), "{value}");
    }
    assert_eq!(seconds("2591999.9999995"), Some(MAX));
}

#[test]
fn what_is_no_duration_is_left_out() {
    for value in [
        "",
        " ",
        ".",
        "-",
        "+1",
        "-1",
        "-0.001",
        "NaN",
        "nan",
        "inf",
        "Infinity",
        "1,5",
        "1_000",
        "0x10",
        "1 s",
        "1e",
        "e3",
        ".e3",
        "1e+",
        "1e1.5",
        "1.2.3",
        "--1",
        "Wed, 21 Oct 2026 07:28:00 GMT",
        "١",
        "1\0",
        "true",
    ] {
        assert_eq!(seconds(value), None, "{value:?}");
    }
}

#[test]
fn counts_are_whole_and_fit() {
    let count = |value| {
        let limits = headers(&[
            ("X-RateLimit-Limit", value),
            ("X-RateLimit-Remaining", value),
        ]);
        assert_eq!(limits.limit, limits.remaining, "{value}");
        assert_eq!(
            limits.malformed,
            if limits.limit.is_some() { 0 } else { 2 },
            "{value}"
        );
        limits.limit
    };
    assert_eq!(count("0"), Some(0));
    assert_eq!(count("50000"), Some(50_000));
    assert_eq!(count("4294967295"), Some(u32::MAX));
    for value in ["", "-1", "+1", "4294967296", "5.0", "5e0", "five", "5 5"] {
        assert_eq!(count(value), None, "{value:?}");
    }
}

#[test]
fn names_and_words_are_checked() {
    let name = "a".repeat(128);
    assert_eq!(
        headers(&[("X-RateLimit-Bucket", &name)]).bucket,
        Some(name.as_str())
    );
    let long = "a".repeat(129);
    for value in ["", "a b", "é", long.as_str()] {
        let limits = headers(&[("X-RateLimit-Bucket", value)]);
        assert_eq!((limits.bucket, limits.malformed), (None, 1), "{value:?}");
    }
    let raw = RateLimit::from_headers([("X-RateLimit-Bucket", &b"\xff"[..])]);
    assert_eq!((raw.bucket, raw.malformed), (None, 1));
    for &scope in Scope::ALL {
        let limits = headers(&[("X-RateLimit-Scope", scope.as_str())]);
        assert_eq!((limits.scope, limits.malformed), (Some(scope), 0));
    }
    assert!(Scope::ALL.iter().map(|scope| scope.number()).eq(1..=3));
    let odd = headers(&[("X-RateLimit-Scope", "server"), ("X-RateLimit-Global", "1")]);
    assert_eq!((odd.scope, odd.global, odd.malformed), (None, false, 2));
    let no = headers(&[("X-RateLimit-Global", "false")]);
    assert_eq!((no.global, no.malformed), (false, 0));
}

#[test]
fn the_first_of_repeated_headers_counts() {
    let same = headers(&[("X-RateLimit-Limit", "5"), ("x-ratelimit-limit", " 5 ")]);
    assert_eq!((same.limit, same.malformed), (Some(5), 0));
    let other = headers(&[("X-RateLimit-Limit", "5"), ("X-RateLimit-Limit", "6")]);
    assert_eq!((other.limit, other.malformed), (Some(5), 1));
    let late = headers(&[("X-RateLimit-Limit", "x"), ("X-RateLimit-Limit", "6")]);
    assert_eq!((late.limit, late.malformed), (Some(6), 1));
    let global = headers(&[
        ("X-RateLimit-Global", "true"),
        ("X-RateLimit-Global", "false"),
    ]);
    assert_eq!((global.global, global.malformed), (true, 1));
}

#[test]
fn bodies_of_429s_are_read() {
    let full =
        br#" {"message": "Slow down.", "retry_after": 64.57, "global": true, "code": 20028} "#;
    let expected = TooMany {
        retry_after: Some(Duration::from_millis(64_570)),
        global: true,
        code: Some(20_028),
    };
    assert_eq!(TooMany::parse(full), Some(expected));
    assert_eq!(error_code(full), Some(20_028));
    assert_eq!(TooMany::parse(b"{}"), Some(TooMany::default()));
    for body in [
        r#"{"retry_after": "1", "global": "true", "code": "5"}"#,
        r#"{"retry_after": -1, "global": 1, "code": -5}"#,
        r#"{"retry_after": null, "global": null, "code": 4294967296}"#,
        r#"{"retry_after": [1], "global": [true], "code": 5.5}"#,
        r#"{"inner": {"retry_after": 1, "global": true, "code": 5}}"#,
    ] {
        assert_eq!(
            TooMany::parse(body.as_bytes()),
            Some(TooMany::default()),
            "{body}"
        );
        assert_eq!(error_code(body.as_bytes()), None, "{body}");
    }
    let escaped = br#"{"retry\u005fafter": 2, "retry_after": 3}"#;
    assert_eq!(
        TooMany::parse(escaped).unwrap().retry_after,
        micros(2_000_000)
    );
}

#[test]
fn what_is_no_whole_object_is_no_body_of_discord() {
    for body in [
        "",
        " ",
        "error code: 1015",
        "<!DOCTYPE html><html></html>",
        "[]",
        "null",
        "1",
        "\"{}\"",
        "{",
        r#"{"retry_after": 1"#,
        r#"{"retry_after": 1,"#,
        r#"{"retry_after": 1,}"#,
        r#"{"retry_after": 1}}"#,
        r#"{"retry_after": 1} x"#,
        r#"{retry_after: 1}"#,
        r#"{"retry_after": NaN}"#,
        "\u{feff}{}",
    ] {
        assert_eq!(TooMany::parse(body.as_bytes()), None, "{body}");
    }
    assert_eq!(TooMany::parse(b"\xff\xfe"), None);
    assert_eq!(error_code(b"[{\"code\": 1}]"), None);
}

/// Headers by name.
type Headers = Vec<(String, String)>;

/// The headers and the body of a sample, if it is an exchange.
fn exchange(text: &str) -> Option<(Headers, Vec<u8>)> {
    let sample: Value = serde_json::from_str(text).ok()?;
    let list = sample.get("headers")?.as_object()?;
    let pairs = list
        .iter()
        .map(|(name, value)| (name.clone(), String::from(value.as_str().unwrap())))
        .collect();
    let body = match sample.get("body")? {
        Value::String(text) => text.clone().into_bytes(),
        other => other.to_string().into_bytes(),
    };
    Some((pairs, body))
}

#[test]
fn recorded_responses_are_read() {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../shared/protocol/payloads/"
    );
    for (name, global, scope, retry_after_ms) in [
        (
            "http.429_global.json",
            true,
            Some(Scope::Global),
            Some(64_570),
        ),
        (
            "http.429_shared.json",
            false,
            Some(Scope::Shared),
            Some(1_336_570),
        ),
        ("http.429_user.json", false, Some(Scope::User), Some(64_570)),
        (
            "http.429_sublimit_channel_rename.json",
            false,
            Some(Scope::User),
            Some(582_019),
        ),
        ("http.429_cloudflare_1015.json", false, None, None),
    ] {
        let Ok(text) = std::fs::read_to_string(format!("{folder}{name}")) else {
            println!("skipped: {folder} is not there");
            return;
        };
        let (pairs, body) = exchange(&text).unwrap();
        let list = pairs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()));
        let limits = RateLimit::from_headers(list);
        let too_many = TooMany::parse(&body);
        assert_eq!(
            (limits.scope, limits.global, limits.malformed),
            (scope, global, 0),
            "{name}"
        );
        let wait = too_many.and_then(|body| body.retry_after);
        assert_eq!(wait, retry_after_ms.map(Duration::from_millis), "{name}");
        assert_eq!(too_many.is_some_and(|body| body.global), global, "{name}");
        assert_eq!(too_many.is_none(), name.contains("cloudflare"), "{name}");
        assert!(limits.retry_after.is_some(), "{name}");
    }
}

#[test]
fn reading_allocates_nothing() {
    let list = [
        ("X-RateLimit-Limit", &b"5"[..]),
        ("X-RateLimit-Reset-After", b"0.479"),
        ("X-RateLimit-Bucket", b"abcd1234"),
        ("Retry-After", b"x"),
    ];
    let body = br#"{"retry_after": 1.5, "glo\u0062al": true, "code": 7}"#;
    let mut read = 0;
    let allocations = measure(|| {
        read += RateLimit::from_headers(list).malformed;
        read += u32::from(TooMany::parse(body).is_some_and(|limit| limit.global));
        read += u32::from(error_code(body) == Some(7));
    });
    assert_eq!((allocations.count_total, read), (0, 3), "{allocations:?}");
}
