//! Messages for the envelope tests: valid ones in every style, and pieces of JSON in no order.

use std::fmt::Write as _;

use proptest::prelude::*;
use shardkeep_core::wire::EventKind;

/// A JSON value, and how it is written.
#[derive(Clone, Debug)]
enum Json {
    Word(&'static str),
    Number(f64),
    Text(String),
    Array(Vec<Self>),
    Object(Vec<(String, Self)>),
}

/// Writes with white space and escapes chosen by `dice`.
fn write(out: &mut String, json: &Json, dice: &mut impl FnMut() -> u32) {
    let white = |out: &mut String, dice: &mut dyn FnMut() -> u32| {
        out.push_str(["", "", "", " ", "\n", "\t\r\n  "][dice() as usize % 6]);
    };
    white(out, dice);
    match json {
        Json::Word(word) => out.push_str(word),
        Json::Number(number) => write!(out, "{number:?}").unwrap(),
        Json::Text(text) => write_text(out, text, dice),
        Json::Array(values) => {
            out.push('[');
            for (index, value) in values.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                write(out, value, dice);
            }
            out.push(']');
        }
        Json::Object(members) => {
            out.push('{');
            for (index, (key, value)) in members.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                white(out, dice);
                write_text(out, key, dice);
                white(out, dice);
                out.push(':');
                write(out, value, dice);
            }
            out.push('}');
        }
    }
    white(out, dice);
}

fn write_text(out: &mut String, text: &str, dice: &mut impl FnMut() -> u32) {
    out.push('"');
    for char in text.chars() {
        if dice().is_multiple_of(8) || char.is_control() {
            for unit in char.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}").unwrap();
            }
        } else if matches!(char, '"' | '\\') {
            out.extend(['\\', char]);
        } else {
            out.push(char);
        }
    }
    out.push('"');
}

pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-z]{0,12}",
        1 => "[\"\\\\{}\\[\\],: a]{0,80}",
        1 => "\\\\{0,70}",
        1 => any::<String>(),
    ]
}

fn value() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        prop_oneof![
            Just("null"),
            Just("true"),
            Just("false"),
            Just("0"),
            Just("-17"),
            Just("1E+9")
        ]
        .prop_map(Json::Word),
        any::<f64>()
            .prop_filter("JSON has finite numbers", |n| n.is_finite())
            .prop_map(Json::Number),
        text().prop_map(Json::Text),
    ];
    leaf.prop_recursive(6, 60, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Json::Array),
            prop::collection::vec((text(), inner), 0..8).prop_map(Json::Object),
        ]
    })
}

/// The text of a whole message: some of the four members and others, in any order, written in any style.
pub(crate) fn document() -> impl Strategy<Value = String> {
    let number = prop_oneof![0_u64..50, any::<u64>()].prop_map(|n| n.to_string());
    let sequence = prop_oneof![Just(String::from("null")), number.clone()];
    let name = prop_oneof![
        prop::sample::select(EventKind::ALL).prop_map(|kind| Json::Text(kind.name().to_owned())),
        text().prop_map(Json::Text),
        Just(Json::Word("null")),
    ];
    let others = prop::collection::vec((text(), value()), 0..4);
    let leak = |text: String| Json::Word(Box::leak(text.into_boxed_str()));
    (
        number,
        sequence,
        name,
        value(),
        others,
        any::<[bool; 4]>(),
        any::<u32>(),
    )
        .prop_flat_map(move |(op, s, t, d, mut members, present, seed)| {
            let known = [("op", leak(op)), ("s", leak(s)), ("t", t), ("d", d)];
            let chosen = known.into_iter().zip(present).enumerate();
            // `op` stays nine times in ten: without it there is little to compare.
            members.retain(|(key, _)| !["op", "s", "t", "d"].contains(&key.as_str()));
            members.extend(
                chosen
                    .filter(|(index, (_, keep))| *keep || *index == 0 && !seed.is_multiple_of(10))
                    .map(|(_, ((key, value), _))| (key.to_owned(), value)),
            );
            (Just(members).prop_shuffle(), Just(seed))
        })
        .prop_map(|(members, seed)| {
            let mut state = seed;
            let mut dice = move || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state >> 16
            };
            let mut out = String::new();
            write(&mut out, &Json::Object(members), &mut dice);
            out
        })
}

/// Pieces of JSON in no order, behind a beginning that leads the scanner into a value.
pub(crate) fn soup() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        "\"",
        "\\",
        ",",
        ":",
        "\"op\"",
        "\"s\"",
        "\"t\"",
        "\"d\"",
        "null",
        "true",
        "1",
        "0",
        "-",
        ".",
        "e",
        " ",
        "\n",
        "\\\\",
        "\\\"",
        "\\u006f",
        "abc",
        "\"op\":1,",
        "\"\\u0064\":",
        "{}",
        "[]",
        "\"\"",
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\",
        "\u{0}",
        "\u{e9}",
    ]);
    let start = prop::sample::select(vec![
        "",
        "{",
        "{\"op\":0,\"d\":",
        "{\"op\":0,\"d\":[",
        "{\"op\":0,\"d\":{\"",
        "{\"",
    ]);
    (start, prop::collection::vec(piece, 0..120))
        .prop_map(|(start, pieces)| format!("{start}{}", pieces.concat()).into_bytes())
}
