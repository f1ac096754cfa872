//! Limits that other processes share: tokens, shares, and what the ledger's answers mean.

use serde_json::json;

use super::super::model::{Rec, Vector};
use super::{BOT, Scene, VIA, bucket, scene};

const POST: &str = "POST /channels/1/messages";

pub(crate) fn vectors() -> Vec<Vector> {
    vec![
        tokens(),
        denied(),
        unshared(),
        failed(),
        away(),
        taken(),
        rejoined(),
        stays(),
        left(),
        known(),
        nonsense(),
        misnamed(),
    ]
}

/// A scenario of a member whose one identity is shared.
fn member(name: &str, rule: &str) -> Scene {
    stranger(name, rule)
        .granted(1_000_000, &[0, 26])
        .gives(&["pool_in_touch"])
        .later_ms(10)
}

/// The same, before the ledger has answered for the first time.
fn stranger(name: &str, rule: &str) -> Scene {
    scene(name, rule)
        .config(json!({"pool": "one"}))
        .pooled(&9_u64.to_le_bytes())
        .gives(&["exchange"])
}

impl Scene {
    fn pooled(self, name: &[u8]) -> Self {
        self.feed(Rec {
            code: BOT,
            data: name.to_vec(),
            ..Rec::new("pooled")
        })
    }

    fn exchanged(self, answer: &str) -> Self {
        self.feed(Rec {
            data: answer.as_bytes().to_vec(),
            ..Rec::new("exchanged")
        })
    }

    /// The ledger takes the member as one of its own, and gives so many of each item.
    fn granted(self, now_us: u64, got: &[u32]) -> Self {
        let items: Vec<_> = got
            .iter()
            .map(|got| json!([got, -1, 2, 5, 5_000_000, ""]))
            .collect();
        self.exchanged(&told("open", now_us, &json!(items), &json!([])))
    }
}

fn told(state: &str, now_us: u64, items: &serde_json::Value, notes: &serde_json::Value) -> String {
    json!({
        "now": now_us, "inc": "a", "state": state, "closed": 0, "revision": 0, "peers": ["two"], "notes": notes,
        "items": items,
    })
    .to_string()
}

fn tokens() -> Vector {
    member(
        "request_goes_on_a_token_of_every_limit",
        "pool: the route, the global limit and what may turn out invalid are asked for together",
    )
    .ask(1, POST)
    .gives(&["exchange"])
    .later_ms(2)
    .granted(1_002_000, &[1, 1, 0])
    .gives(&["send id=1"])
    .end()
}

fn denied() -> Vector {
    member(
        "request_waits_while_the_ledger_has_nothing",
        "pool: what got nothing asks again soon",
    )
    .ask(1, POST)
    .gives(&["exchange"])
    .later_ms(2)
    .granted(1_002_000, &[0, 1, 0])
    .gives(&[])
    .only_at(16, &["exchange"])
    .end()
}

fn unshared() -> Vector {
    scene(
        "identity_that_is_not_shared_needs_no_token",
        "pool: only identities that are named are shared",
    )
    .config(json!({"pool": "one"}))
    .ask(1, POST)
    .gives(&["exchange"])
    .granted(1_000_000, &[26])
    .gives(&["pool_in_touch", "send id=1"])
    .end()
}

fn failed() -> Vector {
    stranger(
        "ledger_out_of_reach_is_asked_again",
        "pool: 50 ms after the first failure, and twice as long after each further one",
    )
    .exchanged("")
    .gives(&[])
    .only_at(50, &["exchange"])
    .exchanged("")
    .gives(&[])
    .only_at(150, &["exchange"])
    .end()
}

fn away() -> Vector {
    member(
        "member_lives_on_its_share_when_the_ledger_is_away",
        "pool: silent for 1.5 s, tokens of 1 s and 1 s under way have passed; then the limit's own window",
    )
    .ask(1, POST)
    .gives(&["exchange"])
    .granted(1_000_000, &[1, 1, 0])
    .gives(&["send id=1"])
    .ok(1, VIA)
    .gives(&["deliver id=1"])
    .only_at(12, &["exchange"])
    .exchanged("")
    .gives(&[])
    .ask(2, POST)
    .gives(&[])
    .at_ms(3_510)
    .tick()
    .gives(&["pool_away", "exchange"])
    .exchanged("")
    .gives(&[])
    .at_ms(4_510)
    .tick()
    .gives(&["send id=2", "exchange"])
    .end()
}

fn taken() -> Vector {
    stranger(
        "name_of_another_process_gets_nothing",
        "pool: a name belongs to one process at a time",
    )
    .exchanged(&told("taken", 1, &json!([]), &json!([])))
    .gives(&["pool_name_taken"])
    .only_at(1_000, &["exchange"])
    .end()
}

fn rejoined() -> Vector {
    member(
        "member_of_a_lost_ledger_gives_its_share_up_and_joins",
        "pool: nothing that the lost ledger granted is used any more",
    )
    .ask(1, POST)
    .gives(&["exchange"])
    .exchanged(&told("join", 1, &json!([]), &json!([])))
    .gives(&[])
    .only_at(12, &["exchange"])
    .granted(2_000_000, &[1, 1, 26])
    .gives(&["pool_in_touch", "send id=1"])
    .end()
}

fn stays() -> Vector {
    member(
        "member_of_a_lost_ledger_stays_on_its_share_while_others_are_missing",
        "pool: it asks again with every heartbeat",
    )
    .ask(1, POST)
    .gives(&["exchange"])
    .exchanged(&told("stay", 1, &json!([]), &json!([])))
    .gives(&[])
    .only_at(260, &["exchange"])
    .end()
}

fn left() -> Vector {
    member(
        "member_that_leaves_says_so_and_no_more",
        "pool: what it holds is given back",
    )
    .ask(1, POST)
    .gives(&["exchange"])
    .granted(1_000_000, &[1, 1, 0])
    .gives(&["send id=1"])
    .ok(1, &bucket("a", 5, 4, "5"))
    .gives(&["deliver id=1"])
    .feed(Rec::new("leave_pool"))
    .gives(&["exchange"])
    .exchanged("")
    .at_ms(5_000)
    .tick()
    .gives(&[])
    .end()
}

fn known() -> Vector {
    let notes = json!([
        "r:9:ffffffffffffffff:2:0",
        "-",
        "s:no route",
        "1 2 3",
        "h:1",
        "2",
        "odd"
    ]);
    stranger(
        "notes_that_make_no_sense_are_passed_over",
        "pool: another version of the program may be in the pool",
    )
    .exchanged(&told(
        "open",
        1,
        &json!([[0, -1, 1, 50, 1, ""], [26, -1, 1, 1, 1, ""]]),
        &notes,
    ))
    .gives(&["pool_in_touch"])
    .end()
}

fn nonsense() -> Vector {
    stranger(
        "answer_that_is_none_counts_as_none",
        "pool: bytes from the store are never trusted",
    )
    .exchanged("{\"now\": 1}")
    .gives(&[])
    .only_at(50, &["exchange"])
    .end()
}

fn misnamed() -> Vector {
    scene(
        "name_of_an_identity_has_eight_bytes",
        "records: a number that JSON cannot hold is bytes",
    )
    .config(json!({"pool": "one"}))
    .pooled(b"short")
    .returns("bad_option")
    .end()
}
