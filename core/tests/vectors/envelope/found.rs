//! Envelopes in every shape that JSON allows.

use super::super::model::EnvelopeVector;
use super::says;

pub(crate) fn vectors() -> Vec<EnvelopeVector> {
    let mut vectors = orders();
    vectors.extend(keys());
    vectors.extend(values());
    vectors.extend(names());
    vectors.extend(contents());
    vectors.extend(documents());
    vectors
}

fn orders() -> Vec<EnvelopeVector> {
    let members = [r#""op":0"#, r#""s":5"#, r#""t":"READY""#, r#""d":{"x":1}"#];
    let orders: [(&str, [usize; 4]); 6] = [
        ("order_t_s_op_d", [2, 1, 0, 3]),
        ("order_op_s_t_d", [0, 1, 2, 3]),
        ("order_d_t_s_op", [3, 2, 1, 0]),
        ("order_s_d_op_t", [1, 3, 0, 2]),
        ("order_op_d_t_s", [0, 3, 2, 1]),
        ("order_d_op_s_t", [3, 0, 1, 2]),
    ];
    orders
        .into_iter()
        .map(|(name, order)| {
            let text = format!("{{{}}}", order.map(|index| members[index]).join(","));
            let rule = "1.2 the order of keys is not guaranteed";
            says(
                name,
                rule,
                text.as_bytes(),
                &[(0, Some(5), "READY", r#"{"x":1}"#)],
            )
        })
        .collect()
}

fn keys() -> Vec<EnvelopeVector> {
    vec![
        says(
            "unknown_keys",
            "unknown keys are passed by, whatever they hold",
            br#"{"a":1,"op":11,"b":{"op":7},"c":["}"],"e":null,"f":true,"g":-1.5e-3,"h":"\""}"#,
            &[(11, None, "", "")],
        ),
        says(
            "only_op",
            "op 11 may be nothing but its op",
            br#"{"op":11}"#,
            &[(11, None, "", "")],
        ),
        says(
            "escaped_keys",
            "a key with escapes is the same key",
            br#"{"\u006fp":0,"\u0073":3,"\u0074":"RESUMED","\u0064":{}}"#,
            &[(0, Some(3), "RESUMED", "{}")],
        ),
        says(
            "key_that_only_begins_alike",
            "a longer key is another key",
            br#"{"opx":7,"ss":1,"tt":"A","dd":1,"op":1}"#,
            &[(1, None, "", "")],
        ),
        says(
            "key_in_other_case",
            "keys are told apart by case",
            br#"{"OP":7,"op":1,"D":2,"d":3}"#,
            &[(1, None, "", "3")],
        ),
        says(
            "empty_key",
            "an empty key is a key",
            br#"{"":1,"op":1}"#,
            &[(1, None, "", "")],
        ),
        says(
            "key_twice",
            "a key that comes twice counts as it stands the last time",
            br#"{"op":1,"s":1,"t":"A","d":1,"op":0,"s":2,"t":"READY","d":[2]}"#,
            &[(0, Some(2), "READY", "[2]")],
        ),
        says(
            "null_takes_back",
            "also if it stands as null the last time",
            br#"{"op":0,"s":2,"t":"READY","d":1,"s":null,"t":null,"d":null}"#,
            &[(0, None, "", "null")],
        ),
        says(
            "keys_inside_d",
            "what d holds is not looked at",
            br#"{"d":{"op":9,"s":8,"t":"X","d":7},"op":0}"#,
            &[(0, None, "", r#"{"op":9,"s":8,"t":"X","d":7}"#)],
        ),
    ]
}

fn values() -> Vec<EnvelopeVector> {
    vec![
        says(
            "null_s_and_t",
            "s and t are null with every op but 0",
            br#"{"t":null,"s":null,"op":10,"d":{"heartbeat_interval":41250}}"#,
            &[(10, None, "", r#"{"heartbeat_interval":41250}"#)],
        ),
        says(
            "null_d",
            "d may be null",
            br#"{"op":7,"d":null}"#,
            &[(7, None, "", "null")],
        ),
        says(
            "boolean_d",
            "op 9 has a boolean",
            br#"{"op":9,"d":true}"#,
            &[(9, None, "", "true")],
        ),
        says(
            "number_d",
            "d may be any value",
            br#"{"op":1,"d":-0.5E+10}"#,
            &[(1, None, "", "-0.5E+10")],
        ),
        says(
            "text_d",
            "d may be a string",
            br#"{"op":1,"d":"a\"}\\"}"#,
            &[(1, None, "", r#""a\"}\\""#)],
        ),
        says(
            "list_d",
            "d may be a list",
            br#"{"op":1,"d":[[],{},"]"]}"#,
            &[(1, None, "", r#"[[],{},"]"]"#)],
        ),
        says(
            "zero_s",
            "0 is a sequence",
            br#"{"op":0,"s":0,"t":"READY","d":{}}"#,
            &[(0, Some(0), "READY", "{}")],
        ),
        says(
            "largest_s",
            "s has 64 bits",
            br#"{"op":0,"s":18446744073709551615,"t":"READY","d":{}}"#,
            &[(0, Some(u64::MAX), "READY", "{}")],
        ),
    ]
}

fn names() -> Vec<EnvelopeVector> {
    vec![
        says(
            "unknown_op",
            "any op is valid: Discord may add some",
            br#"{"op":4294967296,"d":1}"#,
            &[(4_294_967_296, None, "", "1")],
        ),
        says(
            "unknown_event",
            "an unknown name is handed on as it is",
            br#"{"op":0,"s":1,"t":"BRAND_NEW","d":1}"#,
            &[(0, Some(1), "BRAND_NEW", "1")],
        ),
        says(
            "escaped_event",
            "a name with escapes is the same name",
            br#"{"op":0,"s":1,"t":"\u0052EADY","d":1}"#,
            &[(0, Some(1), "READY", "1")],
        ),
        says(
            "empty_event",
            "an empty name is no name",
            br#"{"op":0,"s":1,"t":"","d":1}"#,
            &[(0, Some(1), "", "1")],
        ),
        says(
            "event_in_other_case",
            "names are told apart by case",
            br#"{"op":0,"s":1,"t":"ready","d":1}"#,
            &[(0, Some(1), "ready", "1")],
        ),
        says(
            "event_beyond_ascii",
            "a name may be any text, surrogates included",
            r#"{"op":0,"s":1,"t":"\ud83d\ude00é","d":1}"#.as_bytes(),
            &[(0, Some(1), "😀é", "1")],
        ),
    ]
}

fn contents() -> Vec<EnvelopeVector> {
    let deep = format!(
        r#"{{"op":0,"s":1,"t":"READY","d":{}{}}}"#,
        "[{\"a\":".repeat(60),
        "0".to_owned() + &"}]".repeat(60)
    );
    let deep_d = format!("{}0{}", "[{\"a\":".repeat(60), "}]".repeat(60));
    let long = format!(r#"{{"d":{{"x":"{}\\\"}}"}},"op":0}}"#, "y".repeat(150));
    let long_d = format!(r#"{{"x":"{}\\\"}}"}}"#, "y".repeat(150));
    vec![
        says(
            "brackets_in_strings",
            "brackets in strings count for nothing",
            br#"{"d":{"x":"}]}{[","y":"\"}"},"op":0}"#,
            &[(0, None, "", r#"{"x":"}]}{[","y":"\"}"}"#)],
        ),
        says(
            "backslashes_before_a_quote",
            "an even number of backslashes does not escape the quote",
            br#"{"d":{"a":"\\","b":"\\\"","c":"\\\\"},"op":0}"#,
            &[(0, None, "", r#"{"a":"\\","b":"\\\"","c":"\\\\"}"#)],
        ),
        says(
            "deep_nesting",
            "120 levels: no recursion, no limit",
            deep.as_bytes(),
            &[(0, Some(1), "READY", &deep_d)],
        ),
        says(
            "long_string",
            "strings longer than one block of the scanner, an escape across its edge",
            long.as_bytes(),
            &[(0, None, "", &long_d)],
        ),
        says(
            "white_space_everywhere",
            "white space as JSON permits it",
            b" \r\n\t{ \"op\" :\t0 , \"s\"\n: 1 ,\r\"t\": \"READY\" , \"d\" : { \"x\" : 1 } } \n",
            &[(0, Some(1), "READY", r#"{ "x" : 1 }"#)],
        ),
        says(
            "empty_containers",
            "empty objects and lists",
            br#"{"d":{"a":{},"b":[]},"op":0}"#,
            &[(0, None, "", r#"{"a":{},"b":[]}"#)],
        ),
        says(
            "snowflakes_stay_text",
            "ids are not turned into numbers",
            br#"{"d":{"id":"175928847299117063"},"op":0}"#,
            &[(0, None, "", r#"{"id":"175928847299117063"}"#)],
        ),
        says(
            "no_text_inside_d",
            "bytes that are no UTF-8 inside d are found; whoever decodes them will tell",
            b"{\"op\":0,\"d\":\"\xff\xfe\"}",
            &[(0, None, "", "\"\u{fffd}\u{fffd}\"")],
        ),
    ]
}

fn documents() -> Vec<EnvelopeVector> {
    vec![
        says(
            "two_documents",
            "what follows a document is left alone: it may be another",
            br#"{"op":11}{"op":1,"d":2}"#,
            &[(11, None, "", ""), (1, None, "", "2")],
        ),
        says(
            "documents_apart",
            "white space between documents belongs to the one before",
            b"{\"op\":11}\n\n{\"op\":7}\n",
            &[(11, None, "", ""), (7, None, "", "")],
        ),
    ]
}
