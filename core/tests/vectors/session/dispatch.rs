//! Dispatches: what is handed on, filtered, passed by or unreadable.

use serde_json::json;

use super::super::model::Vector;
use super::{HELLO, READY, event, play};

pub(crate) fn vectors() -> Vec<Vector> {
    let mut vectors = passing();
    vectors.extend(tolerance());
    vectors.extend(unreadable());
    vectors.extend(misuse());
    vectors
}

fn passing() -> Vec<Vector> {
    vec![
        play("dispatch_is_handed_on_raw", "1.2 the bytes of d as they came, with sequence and name")
            .ready()
            .text(r#"{"d": {"id":"1", "content":"{\"op\":9}", "x":[1,{"y":null}]} ,"op":0,"t":"MESSAGE_CREATE","s":2}"#)
            .gives(&[r#"dispatch value=2 text=MESSAGE_CREATE data~"content":"{\"op\":9}""#])
            .end(),
        play("two_documents_in_one_message", "2.1 several documents in one message are all handled")
            .ready()
            .text(&format!("{}\n{}", event(2, "MESSAGE_CREATE"), event(3, "MESSAGE_DELETE")))
            .gives(&["dispatch value=2 text=MESSAGE_CREATE", "dispatch value=3 text=MESSAGE_DELETE"])
            .end(),
        play("hello_and_op_9_in_one_message", "2.1 what comes after we hung up is not read")
            .awaiting_hello()
            .text(&format!(r#"{HELLO}{{"op":7}}{READY}"#))
            .gives(&["want_identify", "disconnected", "close", "cancel_identify"])
            .end(),
        play("disabled_event_is_filtered", "an event disabled by name costs a scan and is counted; its sequence counts")
            .config(json!({"disabled_events": ["TYPING_START"]}))
            .ready()
            .text(&event(2, "TYPING_START"))
            .gives(&[])
            .text(&event(3, "MESSAGE_CREATE"))
            .gives(&["dispatch value=3"])
            .counts(&[("filtered", 1), ("delivered", 2), ("dispatches", 3), ("missed", 0), ("sequence", 3)])
            .end(),
        play("only_some_events", "only the events that are subscribed to are handed on; READY still establishes")
            .config(json!({"events": ["MESSAGE_CREATE"]}))
            .identifying()
            .text(READY)
            .gives(&["ready"])
            .text(&event(2, "GUILD_CREATE"))
            .gives(&[])
            .text(&event(3, "MESSAGE_CREATE"))
            .gives(&["dispatch value=3"])
            .counts(&[("filtered", 2), ("delivered", 1)])
            .end(),
        play("filtered_replay_is_counted", "a replayed event that is filtered is still replayed")
            .config(json!({"disabled_events": ["TYPING_START"]}))
            .resuming()
            .text(&event(8, "TYPING_START"))
            .gives(&[])
            .text(&super::resumed(9))
            .tells("resumed value=1")
            .counts(&[("filtered", 1), ("replayed", 1)])
            .end(),
        play("escaped_name", "1.2 a name with escapes is the same name")
            .ready()
            .text(r#"{"op":0,"s":2,"t":"MESSAGE\u005fCREATE","d":{}}"#)
            .gives(&["dispatch text=MESSAGE_CREATE"])
            .end(),
    ]
}

fn tolerance() -> Vec<Vector> {
    vec![
        play("unknown_event", "1.2 an event that this version does not know is handed on with its name")
            .ready()
            .text(&event(2, "SOMETHING_NEW"))
            .gives(&["dispatch code=0 value=2 text=SOMETHING_NEW"])
            .end(),
        play("unknown_opcode", "1.3 an opcode that this version does not know is passed by and counted")
            .ready()
            .text(r#"{"op":99,"d":{"x":1}}"#)
            .gives(&["ignored value=99"])
            .is("ready")
            .counts(&[("ignored", 1)])
            .end(),
        play("unknown_keys", "1.2 keys beside op, s, t and d are passed by")
            .ready()
            .text(r#"{"x":{"op":7},"op":0,"s":2,"y":[],"t":"MESSAGE_CREATE","d":{},"z":"}"}"#)
            .gives(&["dispatch value=2 data={}"])
            .end(),
        play("dispatch_before_identify", "1.4 a dispatch before identify is out of place and passed by")
            .awaiting_identify()
            .text(&event(1, "MESSAGE_CREATE"))
            .gives(&["ignored value=0"])
            .is("awaiting_identify")
            .end(),
        play("dispatch_before_hello", "1.4 the same before Hello")
            .awaiting_hello()
            .text(&event(1, "MESSAGE_CREATE"))
            .gives(&["ignored value=0"])
            .is("hello")
            .end(),
        play(
            "rate_limited_for_an_unknown_opcode",
            "1.15 RATE_LIMITED for an opcode or meta that is not known is reported",
        )
            .ready()
            .text(r#"{"op":0,"s":2,"t":"RATE_LIMITED","d":{"opcode":77,"retry_after":1.5,"meta":{"x":1}}}"#)
            .gives(&["rate_limited code=77 value=1500000", "dispatch text=RATE_LIMITED"])
            .end(),
    ]
}

fn unreadable() -> Vec<Vector> {
    let cases: [(&str, &str, &[u8]); 6] = [
        ("not_json", "a message that is no JSON object", b"hello"),
        ("empty_message", "a message of white space", b" \n"),
        (
            "truncated",
            "a text message that ends early",
            br#"{"op":0,"s":2,"t":"MESSAGE_CREATE","d":{"id":"#,
        ),
        ("no_opcode", "a message without op", br#"{"d":{}}"#),
        (
            "dispatch_without_sequence",
            "a dispatch without s",
            br#"{"op":0,"t":"MESSAGE_CREATE","d":{}}"#,
        ),
        (
            "opcode_is_text",
            "an op that is no number",
            br#"{"op":"0"}"#,
        ),
    ];
    let unreadable = |(name, what, bytes): (&str, &str, &[u8])| {
        play(
            name,
            &format!("1.2 {what} cannot be read: hang up with 4000 and resume"),
        )
        .ready()
        .bytes(bytes)
        .gives(&["disconnected_resumable", "close code=4000"])
        .counts(&[("bad_messages", 1)])
        .end()
    };
    let mut vectors: Vec<_> = cases.into_iter().map(unreadable).collect();
    vectors.push(
        play(
            "bytes_that_are_no_text",
            "1.2 bytes that are no UTF-8 inside d are handed on: whoever decodes it will tell",
        )
        .ready()
        .bytes(b"{\"op\":0,\"s\":2,\"t\":\"MESSAGE_CREATE\",\"d\":{\"x\":\"\xff\"}}")
        .gives(&["dispatch value=2"])
        .end(),
    );
    vectors
}

fn misuse() -> Vec<Vector> {
    vec![
        play(
            "message_without_a_socket",
            "a message though there is no socket is the caller's mistake and changes nothing",
        )
        .text(HELLO)
        .returns("not_connected")
        .gives(&[])
        .is("disconnected")
        .end(),
        play(
            "connected_without_being_asked",
            "a socket that was not asked for is the caller's mistake",
        )
        .opened()
        .returns("not_connecting")
        .is("disconnected")
        .end(),
        play("disconnected_twice", "a socket is lost once")
            .ready()
            .lost(0)
            .lost(0)
            .returns("not_connected")
            .is("disconnected")
            .end(),
        play("unknown_input", "an input that no table has is refused")
            .feed(super::super::model::Rec::new("no_such_input"))
            .returns("unknown_kind")
            .end(),
    ]
}
