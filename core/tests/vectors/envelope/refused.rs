//! Bytes that are no gateway message, or not yet.

use super::super::model::EnvelopeVector;
use super::refuses;

type Case = (&'static str, &'static str, &'static [u8]);

const EMPTY: &[Case] = &[
    ("nothing", "nothing at all", b""),
    ("white_space", "nothing but white space", b" \r\n\t"),
];

const INCOMPLETE: &[Case] = &[
    ("cut_after_the_brace", "the object has only begun", b"{"),
    ("cut_in_a_key", "a key has only begun", br#"{"o"#),
    ("cut_after_a_key", "the colon is missing", br#"{"op""#),
    ("cut_after_the_colon", "the value is missing", br#"{"op":"#),
    ("cut_in_a_number", "more digits may follow", br#"{"op":1"#),
    ("cut_after_a_comma", "a member is to follow", br#"{"op":1,"#),
    ("cut_in_null", "a word has only begun", br#"{"op":1,"s":nu"#),
    (
        "cut_in_a_name",
        "a string has only begun",
        br#"{"op":0,"t":"READ"#,
    ),
    (
        "cut_after_a_backslash",
        "an escape has only begun",
        br#"{"op":0,"t":"A\"#,
    ),
    (
        "cut_in_d",
        "an object inside has only begun",
        br#"{"op":0,"d":{"a":[1,{"b":"}"#,
    ),
    (
        "cut_before_the_brace",
        "only the last brace is missing",
        br#"{"op":0,"d":{}"#,
    ),
    (
        "cut_in_a_fraction",
        "digits are to follow",
        br#"{"op":0,"d":1."#,
    ),
    (
        "second_document_cut",
        "the first document is whole, the second is not",
        br#"{"op":11}{"op":"#,
    ),
];

const NOT_AN_OBJECT: &[Case] = &[
    ("a_list", "a list is no message", b"[]"),
    ("a_word", "text is no message", b"hello"),
    (
        "zlib",
        "compressed bytes where JSON was asked for",
        b"\x78\x9c\xaa\x56",
    ),
    (
        "byte_order_mark",
        "JSON begins without a byte order mark",
        b"\xef\xbb\xbf{\"op\":1}",
    ),
    (
        "garbage_behind",
        "what follows a document must be another",
        b"{\"op\":1}x",
    ),
];

const MISSING_OPCODE: &[Case] = &[
    ("empty_object", "an object without members", b"{}"),
    (
        "without_op",
        "everything but op",
        br#"{"s":1,"t":"READY","d":{}}"#,
    ),
];

const BAD_KEY: &[Case] = &[
    ("bare_key", "a key needs quotes", b"{op:1}"),
    ("number_as_key", "a number is no key", b"{1:1}"),
    ("no_colon", "a key needs a colon", br#"{"op" 1}"#),
    (
        "trailing_comma",
        "after a comma comes a key",
        br#"{"op":1,}"#,
    ),
    (
        "leading_comma",
        "the first member has no comma before it",
        br#"{,"op":1}"#,
    ),
];

const BAD_VALUE: &[Case] = &[
    (
        "no_comma",
        "members are separated by commas",
        br#"{"op":1 "d":2}"#,
    ),
    (
        "name_is_a_number",
        "t is a string or null",
        br#"{"op":0,"t":7}"#,
    ),
    (
        "misspelt_null",
        "a word that JSON does not have",
        br#"{"op":0,"s":nul!}"#,
    ),
    ("undefined", "another one", br#"{"op":0,"d":undefined}"#),
    ("lonely_minus", "a minus needs digits", br#"{"op":0,"d":-}"#),
    (
        "backslash_outside_a_string",
        "a backslash outside strings is no JSON",
        br#"{"op":0,"d":{\}}"#,
    ),
];

const BAD_NUMBER: &[Case] = &[
    ("op_is_text", "op is a number", br#"{"op":"0"}"#),
    ("op_is_negative", "op is not negative", br#"{"op":-1}"#),
    ("op_is_a_fraction", "op is whole", br#"{"op":1.0}"#),
    ("op_is_an_exponent", "op has no exponent", br#"{"op":1e1}"#),
    ("op_is_null", "op is never null", br#"{"op":null}"#),
    (
        "op_has_a_leading_zero",
        "JSON has no leading zeros",
        br#"{"op":01}"#,
    ),
    (
        "s_is_too_large",
        "s has 64 bits",
        br#"{"op":0,"s":18446744073709551616}"#,
    ),
    ("s_is_text", "s is a number or null", br#"{"op":0,"s":"1"}"#),
];

pub(crate) fn vectors() -> Vec<EnvelopeVector> {
    let kinds = [
        ("empty", EMPTY),
        ("incomplete", INCOMPLETE),
        ("not_an_object", NOT_AN_OBJECT),
        ("missing_opcode", MISSING_OPCODE),
        ("bad_key", BAD_KEY),
        ("bad_value", BAD_VALUE),
        ("bad_number", BAD_NUMBER),
    ];
    let of_kind = |(error, cases): (&'static str, &'static [Case])| {
        cases
            .iter()
            .map(move |&(name, rule, bytes)| refuses(name, rule, bytes, error))
    };
    kinds.into_iter().flat_map(of_kind).collect()
}
