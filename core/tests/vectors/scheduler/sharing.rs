//! One answer for several requests: identical reads, writes of which the last counts. And lost interest.

use super::super::model::Vector;
use super::{BOT, VIA, bucket, scene};

const GET: &str = "GET /channels/1";
const PATCH: &str = "PATCH /channels/1";
const SAME: &str = "sharing: same";
const LAST: &str = "sharing: last_wins";

pub(crate) fn vectors() -> Vec<Vector> {
    let mut vectors = reads();
    vectors.extend(read_and_write());
    vectors.extend(heirs());
    vectors.extend(sharers());
    vectors.extend(writes());
    vectors.extend(cancelled());
    vectors
}

fn reads() -> Vec<Vector> {
    let flying = scene(
        "identical_reads_share_an_answer_in_flight",
        "queue: the same GET of the same identity is answered once",
    )
    .ask_with(1, GET, SAME)
    .gives(&["send id=1"])
    .ask_with(2, GET, SAME)
    .gives(&[])
    .ask_with(3, GET, SAME)
    .gives(&[])
    .ok(1, VIA)
    .gives(&["deliver id=1", "share id=2 value=1", "share id=3 value=1"])
    .counts(&[("sent", 1), ("delivered", 3), ("shared", 2), ("queued", 0)])
    .end();
    let waiting = scene(
        "identical_reads_share_a_place_in_the_queue",
        "queue: a GET that waits answers those that come after it",
    )
    .taught(1, GET, &bucket("a", 1, 0, "2"))
    .ask_with(2, GET, SAME)
    .ask_with(3, GET, SAME)
    .gives(&[])
    .only_at(2_005, &["send id=2"])
    .ok(2, VIA)
    .gives(&["deliver id=2", "share id=3 value=2"])
    .end();
    let apart = |name, rule, first: (&str, &str), second: (u32, &str, &str)| {
        scene(name, rule)
            .taught(9, GET, VIA)
            .taught(8, PATCH, VIA)
            .ask_with(1, first.0, first.1)
            .ask_as(second.0, 2, second.1, second.2)
            .gives(&["send id=2"])
            .end()
    };
    let query = "GET /channels/1?with_counts=true";
    let mut vectors = vec![flying, waiting];
    vectors.extend([
        apart(
            "reads_with_another_query_are_not_identical",
            "queue: the query is part of what is read",
            (GET, SAME),
            (BOT, query, SAME),
        ),
        apart(
            "reads_are_not_shared_unasked",
            "queue: who does not ask for it shares no answer",
            (GET, SAME),
            (BOT, GET, ""),
        ),
        apart(
            "reads_of_another_identity_are_not_shared",
            "4.3 row 8: another identity may see something else",
            (GET, SAME),
            (BOT + 1, GET, SAME),
        ),
        apart(
            "writes_are_never_shared_as_reads_are",
            "queue: only GET is harmless to leave out",
            (PATCH, SAME),
            (BOT, PATCH, SAME),
        ),
    ]);
    vectors.push(raised());
    vectors.push(not_replayed());
    vectors.push(shared_failure());
    vectors
}

fn raised() -> Vector {
    scene(
        "urgent_reader_raises_the_read_it_shares",
        "queue: a waiting GET takes the place of the most urgent that shares its answer",
    )
    .config(serde_json::json!({"max_in_flight": 1, "reserved_in_flight": 0}))
    .taught(9, GET, VIA)
    .ask(1, GET)
    .ask_with(2, GET, "priority: background\nsharing: same")
    .ask(3, GET)
    .ask_with(4, GET, "priority: user_facing\nsharing: same")
    .ok(1, VIA)
    .gives(&["deliver id=1", "send id=2"])
    .ok(2, VIA)
    .gives(&["deliver id=2", "share id=4 value=2", "send id=3"])
    .end()
}

fn not_replayed() -> Vector {
    scene(
        "answered_read_serves_nobody_later",
        "queue: an answer is shared by those who asked before it came",
    )
    .taught(9, GET, VIA)
    .ask_with(1, GET, SAME)
    .ok(1, VIA)
    .ask_with(2, GET, SAME)
    .gives(&["send id=2"])
    .end()
}

fn shared_failure() -> Vector {
    scene(
        "shared_read_is_sent_again_for_all",
        "4.9: an error that is tried again is nobody's outcome",
    )
    .ask_with(1, GET, SAME)
    .ask_with(2, GET, SAME)
    .answer(1, 502, VIA, "")
    .gives(&["retry code=2 id=1"])
    .at_ms(500)
    .tick()
    .gives(&["send code=1 id=1"])
    .ok(1, VIA)
    .gives(&["deliver id=1", "share id=2 value=1"])
    .end()
}

fn read_and_write() -> Vec<Vector> {
    let write = scene(
        "reader_after_a_write_sees_the_write",
        "queue: an answer from before something changed does not serve who asks after it",
    )
    .taught(9, GET, VIA)
    .taught(8, PATCH, VIA)
    .ask_with(1, GET, SAME)
    .ask(2, PATCH)
    .ok(2, VIA)
    .ask_with(3, GET, SAME)
    .gives(&["send id=3"])
    .ok(1, VIA)
    .gives(&["deliver id=1"])
    .ask_with(4, GET, SAME)
    .gives(&[])
    .ok(3, VIA)
    .gives(&["deliver id=3", "share id=4 value=3"])
    .end();
    let elsewhere = scene(
        "write_elsewhere_does_not_matter",
        "queue: a change of another resource leaves an answer in flight as good as it was",
    )
    .taught(9, GET, VIA)
    .taught(8, PATCH, VIA)
    .ask_with(1, GET, SAME)
    .ask(2, "PATCH /channels/2")
    .ok(2, VIA)
    .ask_with(3, GET, SAME)
    .gives(&[])
    .end();
    vec![write, elsewhere]
}

fn heirs() -> Vec<Vector> {
    let cancelled = scene(
        "sharer_takes_the_place_of_a_cancelled_read",
        "queue: who shares an answer does not depend on who asked first",
    )
    .taught(1, GET, &bucket("a", 1, 0, "2"))
    .ask_with(2, GET, SAME)
    .ask_with(3, GET, SAME)
    .ask_with(4, GET, SAME)
    .cancel(2)
    .gives(&["refuse code=4 id=2"])
    .only_at(2_005, &["send id=3"])
    .ok(3, VIA)
    .gives(&["deliver id=3", "share id=4 value=3"])
    .end();
    let late = scene(
        "sharer_takes_the_place_of_a_read_whose_deadline_passed",
        "queue: a deadline is its own request's",
    )
    .ask(1, GET)
    .feed(super::Rec {
        code: BOT,
        id: 2,
        value: 1_000_000,
        text: String::from(GET),
        data: SAME.as_bytes().to_vec(),
        ..super::Rec::new("submit")
    })
    .feed(super::Rec {
        code: BOT,
        id: 3,
        value: 900_000,
        text: String::from(GET),
        data: SAME.as_bytes().to_vec(),
        ..super::Rec::new("submit")
    })
    .ask_with(4, GET, SAME)
    .gives(&[])
    .only_at(900, &["refuse code=3 id=3"])
    .only_at(1_000, &["refuse code=3 id=2"])
    .ok(1, VIA)
    .gives(&["deliver id=1", "send id=4"])
    .end();
    vec![cancelled, late]
}

fn sharers() -> Vec<Vector> {
    let in_flight = scene(
        "sharer_gets_the_answer_of_a_cancelled_read_in_flight",
        "queue: a request in flight is answered whoever still waits for it",
    )
    .ask_with(1, GET, SAME)
    .ask_with(2, GET, SAME)
    .cancel(1)
    .gives(&["refuse code=4 id=1"])
    .ok(1, VIA)
    .gives(&["share id=2 value=1"])
    .counts(&[("delivered", 1)])
    .end();
    let instead = scene(
        "sharer_is_sent_instead_of_a_cancelled_read",
        "queue: a read that failed and that nobody waits for any more is not sent again; who shares it is",
    )
    .ask_with(1, GET, SAME)
    .ask_with(2, GET, SAME)
    .cancel(1)
    .gives(&["refuse code=4 id=1"])
    .answer(1, 502, VIA, "")
    .gives(&["send id=2"])
    .ok(2, VIA)
    .gives(&["deliver id=2"])
    .end();
    let sharer = scene(
        "sharer_can_be_cancelled",
        "queue: a request that shares another's answer can be cancelled like any",
    )
    .ask_with(1, GET, SAME)
    .ask_with(2, GET, SAME)
    .cancel(2)
    .gives(&["refuse code=4 id=2"])
    .ok(1, VIA)
    .gives(&["deliver id=1"])
    .end();
    vec![in_flight, instead, sharer]
}

fn writes() -> Vec<Vector> {
    let replaced = scene(
        "last_write_wins",
        "queue: a waiting PATCH is replaced by a later one of the same path, whose answer answers both",
    )
    .taught(1, PATCH, &bucket("a", 1, 0, "2"))
    .ask_with(2, PATCH, LAST)
    .ask_with(3, PATCH, LAST)
    .ask_with(4, PATCH, LAST)
    .gives(&[])
    .only_at(2_005, &["send id=4"])
    .ok(4, VIA)
    .gives(&["deliver id=4", "share id=2 value=4", "share id=3 value=4"])
    .counts(&[("replaced", 2), ("sent", 2)])
    .end();
    let sent = scene(
        "write_in_flight_is_not_replaced",
        "queue: what has left cannot be taken back; the next write follows it",
    )
    .taught(1, PATCH, &bucket("a", 5, 4, "2"))
    .ask_with(2, PATCH, LAST)
    .ask_with(3, PATCH, LAST)
    .gives(&["send id=3"])
    .ok(2, VIA)
    .gives(&["deliver id=2"])
    .end();
    let unasked = scene(
        "writes_are_not_replaced_unasked",
        "queue: last write wins is opt-in",
    )
    .taught(1, PATCH, &bucket("a", 2, 0, "2"))
    .ask(2, PATCH)
    .ask(3, PATCH)
    .only_at(2_005, &["send id=2", "send id=3"])
    .end();
    let post = scene(
        "posts_are_never_replaced",
        "queue: every POST creates something",
    )
    .taught(1, "POST /channels/1/messages", &bucket("a", 2, 0, "2"))
    .ask_with(2, "POST /channels/1/messages", LAST)
    .ask_with(3, "POST /channels/1/messages", LAST)
    .only_at(2_005, &["send id=2", "send id=3"])
    .end();
    let paths = scene(
        "writes_of_other_paths_are_not_replaced",
        "queue: only a write of the same path makes one void",
    )
    .taught(1, "PATCH /channels/1/messages/5", &bucket("a", 2, 0, "2"))
    .ask_with(2, "PATCH /channels/1/messages/5", LAST)
    .ask_with(3, "PATCH /channels/1/messages/6", LAST)
    .only_at(2_005, &["send id=2", "send id=3"])
    .end();
    vec![replaced, sent, unasked, post, paths]
}

fn cancelled() -> Vec<Vector> {
    let waiting = scene(
        "cancelled_while_it_waits",
        "4.11: a cancelled request returns its place",
    )
    .ask(1, GET)
    .ask(2, GET)
    .ask(3, GET)
    .cancel(2)
    .gives(&["refuse code=4 id=2"])
    .ok(1, VIA)
    .gives(&["deliver id=1", "send id=3"])
    .counts(&[("queued", 0)])
    .end();
    let flying = scene(
        "cancelled_while_in_flight",
        "4.11: Discord counts it all the same: its place is free when its answer comes",
    )
    .ask(1, GET)
    .ask(2, GET)
    .cancel(1)
    .gives(&["refuse code=4 id=1"])
    .ok(1, VIA)
    .gives(&["send id=2"])
    .counts(&[("in_flight", 1)])
    .end();
    let delayed = scene(
        "cancelled_while_it_waits_to_be_sent_again",
        "queue: a cancelled request is not sent again",
    )
    .ask(1, GET)
    .not_sent(1)
    .gives(&["retry code=3 id=1"])
    .cancel(1)
    .gives(&["refuse code=4 id=1"])
    .at_ms(600)
    .tick()
    .gives(&[])
    .counts(&[("queued", 0), ("sent", 1)])
    .end();
    let failing = scene(
        "cancelled_in_flight_is_not_sent_again",
        "queue: nobody waits for another try",
    )
    .ask(1, GET)
    .cancel(1)
    .answer(1, 502, VIA, "")
    .gives(&[])
    .at_ms(600)
    .tick()
    .gives(&[])
    .counts(&[("sent", 1), ("in_flight", 0), ("queued", 0)])
    .end();
    vec![waiting, flying, delayed, failing]
}
