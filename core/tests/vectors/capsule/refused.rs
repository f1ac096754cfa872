//! Lines that do not open.

use serde_json::{Value, json};

use super::{CapsuleVector, sealed, vector};

const BODY: &str = concat!(
    r#"{"version":1,"shard_index":3,"shard_total":16,"session_id":"5c1fb0a1e0b8d0c4","received":1200,"#,
    r#""acknowledged":1180,"encoding":"json","compression":"none","guilds":9,"epoch":7,"fencing":41,"saved_at_ms":5"#
);

fn refuses(name: &str, rule: &str, line: &[u8], why: &Value) -> CapsuleVector {
    let vector = vector(name, rule, line);
    assert_eq!(vector.refused.as_ref(), Some(why), "{name}");
    vector
}

/// A line whose sum is right, with another text in it.
fn with(from: &str, to: &str) -> String {
    assert!(BODY.contains(from), "{from}");
    sealed(&BODY.replacen(from, to, 1))
}

pub(super) fn vectors() -> Vec<CapsuleVector> {
    let mut vectors = damaged();
    vectors.extend(too_large());
    vectors.extend(versions());
    vectors.extend(fields());
    vectors
}

/// Lines that were cut, changed, or never were one.
fn damaged() -> Vec<CapsuleVector> {
    let malformed = json!({"reason": "malformed"});
    let damaged = json!({"reason": "damaged"});
    let whole = sealed(BODY);
    let half = &whole[..whole.len() / 2];
    let unsealed = format!("{BODY}}}");
    let loud = format!(
        "{}{}",
        &whole[..whole.len() - 18],
        whole[whole.len() - 18..].to_uppercase()
    );
    assert_ne!(loud, whole, "the sum has letters");
    let other = whole.replacen("1180", "1181", 1);
    let spaced = whole.replacen("\"check\":", "\"check\": ", 1);
    let (body, check) = whole.split_at(BODY.len());
    let check = &check[1..check.len() - 1];
    let inside = format!("{{{check},{}}}", &body[1..]);
    vec![
        refuses("empty", "nothing at all", b"", &malformed),
        refuses("no_json", "not JSON", b"5c1fb0a1e0b8d0c4 1200", &malformed),
        refuses("list", "JSON, and no object", b"[1]", &malformed),
        refuses("cut_short", "half a line", half.as_bytes(), &malformed),
        refuses(
            "two_lines",
            "two in one",
            format!("{whole}\n{whole}").as_bytes(),
            &malformed,
        ),
        refuses(
            "no_text",
            "bytes that are no UTF-8",
            b"{\"version\":1,\"session_id\":\"\xff\"}",
            &damaged,
        ),
        refuses(
            "unsealed",
            "no sum at its end",
            unsealed.as_bytes(),
            &damaged,
        ),
        refuses(
            "changed",
            "one digit is another",
            other.as_bytes(),
            &damaged,
        ),
        refuses(
            "loud_sum",
            "the sum is in small letters",
            loud.as_bytes(),
            &damaged,
        ),
        refuses(
            "spaced_sum",
            "nothing stands before the sum but its name",
            spaced.as_bytes(),
            &damaged,
        ),
        refuses(
            "sum_first",
            "the sum is the last field",
            inside.as_bytes(),
            &damaged,
        ),
    ]
}

/// Lines that are longer than any.
fn too_large() -> Vec<CapsuleVector> {
    let whole = sealed(BODY);
    let long = with("5c1fb0a1e0b8d0c4", &"x".repeat(900));
    vec![
        refuses(
            "too_large",
            "more than 1,024 bytes: not even looked at",
            long.as_bytes(),
            &json!({"reason": "too_large", "bytes": long.len()}),
        ),
        refuses(
            "white_space_counts",
            "white space counts, too",
            format!("{whole}{}", " ".repeat(1_025 - whole.len())).as_bytes(),
            &json!({"reason": "too_large", "bytes": 1_025}),
        ),
    ]
}

/// Lines of another layout.
fn versions() -> Vec<CapsuleVector> {
    let found = |found: u32| json!({"reason": "version", "found": found});
    let malformed = json!({"reason": "malformed"});
    let next = br#"{"version":2,"shards":"something else","seal":"of another kind"}"#;
    vec![
        refuses(
            "next_version",
            "a later layout, whatever is in it",
            next,
            &found(2),
        ),
        refuses(
            "version_0",
            "there was none before the first",
            with(":1,", ":0,").as_bytes(),
            &found(0),
        ),
        refuses(
            "version_as_text",
            "a version is a number",
            with(":1,", ":\"1\",").as_bytes(),
            &malformed,
        ),
        refuses(
            "no_version",
            "every layout has its version",
            with("\"version\":1,", "").as_bytes(),
            &malformed,
        ),
    ]
}

/// Lines whose sum is right, and whose fields cannot be.
fn fields() -> Vec<CapsuleVector> {
    let malformed = json!({"reason": "malformed"});
    let no_shard =
        |index: u32, total: u32| json!({"reason": "no_shard", "index": index, "total": total});
    let wrong = |name, rule, from, to| refuses(name, rule, with(from, to).as_bytes(), &malformed);
    let total = "\"shard_total\":16";
    vec![
        refuses(
            "index_is_total",
            "shards count from 0",
            with(total, "\"shard_total\":3").as_bytes(),
            &no_shard(3, 3),
        ),
        refuses(
            "no_total",
            "the total is left out, and so 0",
            with(&format!("{total},"), "").as_bytes(),
            &no_shard(3, 0),
        ),
        refuses(
            "ahead_of_itself",
            "no more can be finished than was received",
            with("1180", "1201").as_bytes(),
            &json!({"reason": "ahead_of_itself", "acknowledged": "1201", "received": "1200"}),
        ),
        wrong("negative", "sequences are not negative", "1180", "-1"),
        wrong("fraction", "sequences are whole", "1180", "1180.0"),
        wrong(
            "too_great",
            "a sequence has 64 bits",
            "1180",
            "18446744073709551616",
        ),
        wrong("number_as_text", "numbers are numbers", "1180", "\"1180\""),
        wrong(
            "name_is_null",
            "a session has a name",
            "\"5c1fb0a1e0b8d0c4\"",
            "null",
        ),
        wrong(
            "other_encoding",
            "an encoding that nobody here speaks",
            "\"json\"",
            "\"etf\"",
        ),
        wrong(
            "twice",
            "a field that comes twice says two things",
            "\"epoch\":7",
            "\"epoch\":7,\"epoch\":8",
        ),
    ]
}
