//! What a bucket has left: windows that end, answers out of order.

use super::super::model::Vector;
use super::{VIA, bucket, scene};

const POST: &str = "POST /channels/1/messages";

pub(crate) fn vectors() -> Vec<Vector> {
    let mut vectors = vec![
        spent(),
        side_by_side(),
        from_receipt(),
        wall_time(),
        full_again(),
        unused_window(),
        limit_changes(),
        no_limit(),
        unanswered(),
        not_sent(),
        error_counts(),
        margin(),
        malformed(),
    ];
    vectors.extend(out_of_order());
    vectors.extend(windows_that_follow());
    vectors
}

fn spent() -> Vector {
    scene(
        "nothing_goes_before_the_reset",
        "4.4: at remaining 0 nothing is sent until Reset-After and the margin of 5 ms have passed",
    )
    .ask(1, POST)
    .ask(2, POST)
    .ask(3, POST)
    .at_ms(100)
    .ok(1, &bucket("a", 2, 0, "5"))
    .gives(&["deliver id=1"])
    .only_at(5_105, &["send id=2", "send id=3"])
    .end()
}

fn side_by_side() -> Vector {
    scene(
        "as_many_in_flight_as_are_left",
        "4.4: what is left may be in flight at once, no more",
    )
    .taught(1, POST, &bucket("a", 4, 3, "5"))
    .ask(2, POST)
    .gives(&["send id=2"])
    .ask(3, POST)
    .gives(&["send id=3"])
    .ask(4, POST)
    .gives(&["send id=4"])
    .ask(5, POST)
    .gives(&[])
    .counts(&[("in_flight", 3), ("queued", 1)])
    .end()
}

fn from_receipt() -> Vector {
    scene(
        "reset_counts_from_the_late_end",
        "4.4: Discord counted the request at some moment until its answer came; the latest counts",
    )
    .ask(1, POST)
    .ask(2, POST)
    .at_ms(900)
    .ok(1, &bucket("a", 1, 0, "5"))
    .gives(&["deliver id=1"])
    .only_at(5_905, &["send id=2"])
    .end()
}

fn wall_time() -> Vector {
    let headers = bucket("a", 1, 0, "5") + "X-RateLimit-Reset: 4102444800.000\n";
    scene(
        "wall_time_is_not_read",
        "4.2: Reset-After is preferred; X-RateLimit-Reset is a moment of another clock",
    )
    .taught(1, POST, &headers)
    .ask(2, POST)
    .gives(&[])
    .only_at(5_005, &["send id=2"])
    .end()
}

fn full_again() -> Vector {
    scene(
        "window_gives_everything_back_at_its_end",
        "4.4: after the reset the whole limit may go, less what is in flight",
    )
    .taught(1, POST, &bucket("a", 3, 1, "2"))
    .ask(2, POST)
    .gives(&["send id=2"])
    .ask(3, POST)
    .ask(4, POST)
    .ask(5, POST)
    .gives(&[])
    .only_at(2_005, &["send id=3", "send id=4"])
    .end()
}

fn unused_window() -> Vector {
    scene(
        "remaining_equal_to_limit_says_nothing",
        "4.4: an answer with everything left carries no information",
    )
    .taught(1, POST, &bucket("a", 2, 0, "5"))
    .ask(2, POST)
    .gives(&[])
    .taught(3, "GET /channels/1", &bucket("b", 3, 3, "0"))
    .ask(4, "GET /channels/1")
    .gives(&["send id=4"])
    .ask(5, "GET /channels/1")
    .gives(&[])
    .end()
}

fn limit_changes() -> Vector {
    scene(
        "limit_changes",
        "4.4: the limit that the last answer told counts",
    )
    .taught(1, POST, &bucket("a", 2, 1, "2"))
    .at_ms(3_000)
    .taught(2, POST, &bucket("a", 4, 3, "2"))
    .at_ms(6_000)
    .ask(3, POST)
    .ask(4, POST)
    .ask(5, POST)
    .gives(&["send id=5"])
    .ask(6, POST)
    .gives(&["send id=6"])
    .ask(7, POST)
    .gives(&[])
    .end()
}

fn no_limit() -> Vector {
    scene(
        "limit_of_zero_is_not_believed",
        "4.4: header accuracy has broken before: a limit of 0 would wait for ever",
    )
    .taught(1, POST, &bucket("a", 0, 0, "5"))
    .ask(2, POST)
    .gives(&["send id=2"])
    .ask(3, POST)
    .gives(&[])
    .end()
}

fn unanswered() -> Vector {
    scene(
        "unanswered_request_counts_as_spent",
        "4.4: Discord may have counted a request whose connection failed",
    )
    .taught(1, POST, &bucket("a", 3, 2, "5"))
    .ask(2, POST)
    .unanswered(2)
    .gives(&["deliver id=2"])
    .ask(3, POST)
    .gives(&["send id=3"])
    .ask(4, POST)
    .gives(&[])
    .end()
}

fn not_sent() -> Vector {
    scene(
        "request_that_never_left_gives_its_place_back",
        "4.11: the reservation of a request that was not sent is released",
    )
    .taught(1, POST, &bucket("a", 3, 1, "5"))
    .ask(2, POST)
    .ask(3, POST)
    .gives(&[])
    .not_sent(2)
    .gives(&["retry code=3 id=2", "send id=3"])
    .end()
}

fn error_counts() -> Vector {
    scene(
        "headers_of_an_error_count",
        "4.9: a 5xx may carry headers of its bucket; they apply",
    )
    .taught(1, POST, &bucket("a", 5, 4, "5"))
    .ask(2, POST)
    .answer(2, 500, &bucket("a", 5, 0, "5"), "")
    .gives(&["deliver id=2"])
    .ask(3, POST)
    .gives(&[])
    .end()
}

fn margin() -> Vector {
    scene(
        "margin_is_added_to_every_reset",
        "4.4: a margin, here 50 ms, for clocks that drift and figures that are rounded",
    )
    .config(serde_json::json!({"reset_margin_ms": 50}))
    .taught(1, POST, &bucket("a", 1, 0, "1"))
    .ask(2, POST)
    .only_at(1_050, &["send id=2"])
    .end()
}

fn malformed() -> Vector {
    let headers = format!(
        "{VIA}X-RateLimit-Bucket: a\nX-RateLimit-Limit: five\nX-RateLimit-Remaining: -1\n\
         X-RateLimit-Reset-After: soon\n"
    );
    scene(
        "answer_without_numbers_counts_as_spent",
        "4.4: a request is spent until its answer says otherwise; what cannot be meant says nothing",
    )
    .taught(1, POST, &bucket("a", 4, 3, "5"))
    .taught(2, POST, &headers)
    .taught(3, POST, VIA)
    .ask(4, POST)
    .gives(&["send id=4"])
    .ask(5, POST)
    .gives(&[])
    .end()
}

fn out_of_order() -> Vec<Vector> {
    let zero_first = scene(
        "remaining_zero_need_not_come_last",
        "4.4: answers arrive in any order; the least that was left counts",
    )
    .taught(1, POST, &bucket("a", 4, 3, "5"))
    .at_ms(10)
    .ask(2, POST)
    .ask(3, POST)
    .ask(4, POST)
    .ask(5, POST)
    .gives(&[])
    .at_ms(60)
    .ok(4, &bucket("a", 4, 0, "4.95"))
    .gives(&["deliver id=4"])
    .at_ms(61)
    .ok(3, &bucket("a", 4, 1, "4.949"))
    .gives(&["deliver id=3"])
    .at_ms(62)
    .ok(2, &bucket("a", 4, 2, "4.948"))
    .gives(&["deliver id=2"])
    .at_ms(5_000)
    .tick()
    .gives(&[])
    .at_ms(5_015)
    .tick()
    .gives(&["send id=5"])
    .end();
    let stale = scene(
        "answer_of_an_old_window_changes_nothing",
        "4.4: an answer whose reset is older than the one known is stale",
    )
    .taught(1, POST, &bucket("a", 3, 2, "2"))
    .ask(2, POST)
    .gives(&["send id=2"])
    .at_ms(2_100)
    .ask(3, POST)
    .gives(&["send id=3"])
    .at_ms(2_150)
    .ok(3, &bucket("a", 3, 2, "2"))
    .gives(&["deliver id=3"])
    .at_ms(2_160)
    .ok(2, &bucket("a", 3, 0, "0.001"))
    .gives(&["deliver id=2"])
    .ask(4, POST)
    .gives(&["send id=4"])
    .ask(5, POST)
    .gives(&["send id=5"])
    .ask(6, POST)
    .gives(&[])
    .end();
    vec![zero_first, stale]
}

fn windows_that_follow() -> Vec<Vector> {
    let newer = scene(
        "answer_of_a_new_window_replaces_the_old",
        "4.4: a reset that is surely later is another window",
    )
    .taught(1, POST, &bucket("a", 2, 0, "2"))
    .at_ms(2_005)
    .taught(2, POST, &bucket("a", 2, 1, "2"))
    .ask(3, POST)
    .gives(&["send id=3"])
    .ask(4, POST)
    .gives(&[])
    .only_at(4_010, &["send id=4"])
    .end();
    let crossing = scene(
        "in_flight_over_a_reset_counts_in_the_next_window",
        "4.4: a request whose answer is due may be counted on either side of the reset",
    )
    .taught(1, POST, &bucket("a", 2, 1, "1"))
    .at_ms(900)
    .ask(2, POST)
    .gives(&["send id=2"])
    .ask(3, POST)
    .ask(4, POST)
    .gives(&[])
    .only_at(1_005, &["send id=3"])
    .at_ms(1_020)
    .ok(2, &bucket("a", 2, 1, "0.99"))
    .gives(&["deliver id=2"])
    .end();
    vec![newer, crossing]
}
