//! What is sent again, when, and what is not.

use serde_json::json;

use super::super::model::Vector;
use super::{VIA, bucket, scene};

const GET: &str = "GET /channels/1";
const POST: &str = "POST /channels/1/messages";
const CALLBACK: &str = "POST /interactions/5/aW50ZXJhY3Rpb246one/callback";

pub(crate) fn vectors() -> Vec<Vector> {
    let mut vectors = statuses();
    vectors.extend(methods());
    vectors.extend([
        backoff(),
        exhausted(),
        retry_after(),
        unanswered_post(),
        unanswered_get(),
        post_not_sent(),
        not_sent_exhausted(),
        callback(),
        others_go_on(),
    ]);
    vectors
}

fn statuses() -> Vec<Vector> {
    let again = [500, 502, 503, 504, 520, 521, 522, 523, 524, 529].map(|status| {
        scene(
            &format!("status_{status}_is_tried_again"),
            "4.9 row 2: the server, or what stands before it, failed: a read is sent again after a pause",
        )
        .ask(1, GET)
        .answer(1, status, VIA, "<html>")
        .gives(&["retry code=2 id=1"])
        .waits_for("retry", 250, 500)
        .at_ms(500)
        .tick()
        .gives(&["send code=1 id=1"])
        .end()
    });
    let once = [400, 403, 404, 405, 501].map(|status| {
        scene(
            &format!("status_{status}_is_the_outcome"),
            "4.9 row 4: another try would be answered the same",
        )
        .ask(1, GET)
        .answer(1, status, VIA, r#"{"code": 0, "message": "no"}"#)
        .gives(&["deliver id=1"])
        .end()
    });
    again.into_iter().chain(once).collect()
}

fn methods() -> Vec<Vector> {
    let cases = [
        ("put_is_repeated", "PUT /channels/1/pins/5", "", true),
        ("patch_is_repeated", "PATCH /channels/1", "", true),
        ("delete_is_repeated", "DELETE /channels/1/pins/5", "", true),
        ("post_is_not_repeated", POST, "", false),
        (
            "post_with_enforced_nonce_is_repeated",
            POST,
            "repeatable: true",
            true,
        ),
    ];
    let vector = |(name, route, options, is_repeated): (&str, &str, &str, bool)| {
        let outcome = if is_repeated {
            "retry code=2 id=1"
        } else {
            "deliver id=1"
        };
        scene(
            name,
            "4.9: repeating a POST can execute it twice; nonce with enforce_nonce makes it safe",
        )
        .ask_with(1, route, options)
        .answer(1, 502, VIA, "")
        .gives(&[outcome])
        .end()
    };
    cases.into_iter().map(vector).collect()
}

fn backoff() -> Vector {
    scene(
        "pauses_double_up_to_a_cap",
        "4.9: exponential, with jitter of up to a half, capped",
    )
    .config(json!({"retries": 4, "backoff_cap_ms": 1_500}))
    .ask(1, GET)
    .answer(1, 500, VIA, "")
    .waits_for("retry", 250, 500)
    .at_ms(500)
    .tick()
    .answer(1, 500, VIA, "")
    .gives(&["retry code=2 id=1"])
    .at_ms(999)
    .tick()
    .gives(&[])
    .at_ms(1_500)
    .tick()
    .tells("send code=2 id=1")
    .answer(1, 500, VIA, "")
    .gives(&["retry code=2 id=1"])
    .at_ms(2_249)
    .tick()
    .gives(&[])
    .at_ms(3_000)
    .tick()
    .tells("send code=3 id=1")
    .end()
}

fn exhausted() -> Vector {
    let mut scene = scene(
        "last_failure_is_the_outcome",
        "4.9: after three tries more the caller hears of the error",
    )
    .ask(1, GET);
    for attempt in 1..=3 {
        let send = format!("send code={attempt} id=1");
        scene = scene
            .answer(1, 502, VIA, "")
            .gives(&["retry code=2 id=1"])
            .later_ms(20_000)
            .tick()
            .gives(&[&send]);
    }
    scene
        .answer(1, 502, VIA, "")
        .gives(&["deliver id=1"])
        .counts(&[("sent", 4), ("retried", 3), ("delivered", 1)])
        .end()
}

fn retry_after() -> Vector {
    scene(
        "server_error_may_say_how_long_to_wait",
        "4.9: Retry-After of a 503 counts where it is longer than the pause",
    )
    .ask(1, GET)
    .answer(1, 503, &format!("{VIA}Retry-After: 7\n"), "")
    .gives(&["retry code=2 id=1 value=7000000"])
    .only_at(7_000, &["send code=1 id=1"])
    .end()
}

fn unanswered_post() -> Vector {
    scene(
        "unanswered_post_is_not_repeated",
        "4.9 row 3: Discord may have executed it: the caller decides",
    )
    .ask(1, POST)
    .unanswered(1)
    .gives(&["deliver id=1"])
    .counts(&[("failed", 1), ("retried", 0)])
    .end()
}

fn unanswered_get() -> Vector {
    scene(
        "unanswered_read_is_repeated",
        "4.9 row 3: a connection that was reset, or ran out of time",
    )
    .ask(1, GET)
    .unanswered(1)
    .gives(&["retry code=4 id=1"])
    .waits_for("retry", 250, 500)
    .end()
}

fn post_not_sent() -> Vector {
    scene(
        "post_that_never_left_is_sent_again",
        "4.9 row 3: no byte of it left: Discord cannot have executed it",
    )
    .ask(1, POST)
    .not_sent(1)
    .gives(&["retry code=3 id=1"])
    .at_ms(500)
    .tick()
    .gives(&["send code=1 id=1"])
    .end()
}

fn not_sent_exhausted() -> Vector {
    scene(
        "connection_that_never_opens_is_the_outcome",
        "4.9: tries for connections are counted like those for errors",
    )
    .config(json!({"retries": 1}))
    .ask(1, POST)
    .not_sent(1)
    .gives(&["retry code=3 id=1"])
    .at_ms(500)
    .tick()
    .not_sent(1)
    .gives(&["deliver id=1"])
    .end()
}

fn callback() -> Vector {
    scene(
        "callback_is_sent_once",
        "4.9: a callback may have been executed: a second one would be refused",
    )
    .ask(1, CALLBACK)
    .answer(1, 500, VIA, "")
    .gives(&["deliver id=1"])
    .ask_with(2, CALLBACK, "repeatable: true")
    .unanswered(2)
    .gives(&["deliver id=2"])
    .end()
}

fn others_go_on() -> Vector {
    scene(
        "failed_request_does_not_hold_its_bucket",
        "4.9: while one waits to be sent again, others of its bucket go on",
    )
    .taught(1, GET, &bucket("a", 5, 4, "5"))
    .ask(2, GET)
    .answer(2, 502, &bucket("a", 5, 3, "5"), "")
    .gives(&["retry code=2 id=2"])
    .ask(3, GET)
    .gives(&["send id=3"])
    .end()
}
