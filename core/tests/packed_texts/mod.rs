//! What the tests of packed records share: the text that must come back, and texts like Discord's.

#![allow(dead_code, reason = "each test uses its part")]

use shardkeep_core::Rng;
use shardkeep_core::cache::packed::{PlanId, Record, Shapes};

/// A JSON text without the white space between its parts.
pub(crate) fn minified(json: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let (mut is_inside, mut is_escaped) = (false, false);
    for &byte in json {
        if is_inside || !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
            out.push(byte);
        }
        if is_inside && is_escaped {
            is_escaped = false;
        } else if byte == b'"' {
            is_inside = !is_inside;
        } else {
            is_escaped = is_inside && byte == b'\\';
        }
    }
    out
}

/// Packs, as often as it takes to learn the shape, and gives the JSON of each record, which must all be the same.
pub(crate) fn through(shapes: &mut Shapes, json: &[u8]) -> Vec<u8> {
    let mut last = None;
    for _ in 0..4 {
        let mut record = Vec::new();
        shapes
            .pack(PlanId::EVERYTHING, json, &mut record)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(json)));
        let json = shapes.record(&record).to_json().expect("a record");
        assert!(last.is_none_or(|last| last == json));
        last = Some(json);
    }
    last.expect("it was packed")
}

/// Bytes of the record once its shapes are known.
pub(crate) fn packed_length(shapes: &mut Shapes, json: &[u8]) -> usize {
    through(shapes, json);
    let mut record = Vec::new();
    shapes
        .pack(PlanId::EVERYTHING, json, &mut record)
        .expect("JSON");
    record.len()
}

/// Packs everything.
pub(crate) fn pack(shapes: &mut Shapes, json: &str) -> Vec<u8> {
    let mut record = Vec::new();
    shapes
        .pack(PlanId::EVERYTHING, json.as_bytes(), &mut record)
        .unwrap_or_else(|error| panic!("{error}: {json}"));
    record
}

/// The JSON of a record.
pub(crate) fn json_of(record: Record<'_>) -> String {
    String::from_utf8(record.to_json().expect("a record")).expect("UTF-8")
}

fn word(rng: &mut Rng) -> String {
    const WORDS: [&str; 12] = [
        "ember", "haven", "grove", "cedar", "quartz", "violet", "ridge", "tundra", "zephyr",
        "nimbus", "xenon", "moss",
    ];
    let length = WORDS.len() as u64;
    WORDS[usize::try_from(rng.below(length)).expect("small")].to_owned()
}

fn hash(rng: &mut Rng) -> String {
    format!("{:016x}{:016x}", rng.next_u64(), rng.next_u64())
}

/// A user as Discord sends it, made up.
pub(crate) fn user(rng: &mut Rng, index: u64) -> String {
    let name = word(rng);
    let global_name = match rng.below(2) {
        0 => "null".to_owned(),
        _ => format!("\"{}\"", word(rng)),
    };
    let avatar = match rng.below(5) {
        0 => "null".to_owned(),
        1 => format!("\"a_{}\"", hash(rng)),
        _ => format!("\"{}\"", hash(rng)),
    };
    let bot = if rng.below(30) == 0 {
        r#","bot":true"#
    } else {
        ""
    };
    let flags = [0, 0, 0, 64, 128, 4_194_304][usize::try_from(rng.below(6)).expect("small")];
    format!(
        concat!(
            r#"{{"id":"{}","username":"{}{}","avatar":{},"discriminator":"0","public_flags":{},"#,
            r#""avatar_decoration_data":null,"global_name":{},"collectibles":null,"primary_guild":null{}}}"#
        ),
        629_145_600_000_000_000 + index * 4_101_093_982_209 + rng.below(4_096),
        name,
        index,
        avatar,
        flags,
        global_name,
        bot
    )
}

/// A member as Discord sends it, made up; with `user` in it, if there is one.
pub(crate) fn member(rng: &mut Rng, user: Option<&str>) -> String {
    let role = |rng: &mut Rng| {
        format!(
            "\"{}\"",
            671_088_640_000_000_000 + rng.below(25) * 33_214_693_376
        )
    };
    let count = 3 + rng.below(3);
    let roles: Vec<String> = (0..count).map(|_| role(rng)).collect();
    let nick = match rng.below(3) {
        0 => format!("\"{}\"", word(rng)),
        _ => "null".to_owned(),
    };
    let premium_since = match rng.below(15) {
        0 => "\"2024-05-06T07:08:09.101000+00:00\"",
        _ => "null",
    };
    let user = user.map_or(String::new(), |user| format!("\"user\":{user},"));
    format!(
        concat!(
            r#"{{{}"nick":{},"avatar":null,"banner":null,"roles":[{}],"#,
            r#""joined_at":"20{:02}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}+00:00","#,
            r#""premium_since":{},"deaf":false,"mute":false,"flags":{},"pending":false,"#,
            r#""communication_disabled_until":null,"unusual_dm_activity_until":null}}"#
        ),
        user,
        nick,
        roles.join(","),
        16 + rng.below(10),
        1 + rng.below(12),
        1 + rng.below(28),
        rng.below(24),
        rng.below(60),
        rng.below(60),
        rng.below(1_000_000),
        premium_since,
        rng.below(2) * 2,
    )
}
