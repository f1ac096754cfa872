//! What is known after a restart: routes, limits, buckets that are not full, a ban.

use serde_json::json;

use super::super::model::Vector;
use super::{BOT, bucket, scene};

const POST: &str = "POST /channels/1/messages";
/// FNV-1a of `a`, and of the template of [`POST`]: how a snapshot names them.
const HASH: u64 = fnv1a(b"a");
const TEMPLATE: u64 = fnv1a(b"/channels/{channel_id}/messages");

const fn fnv1a(text: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325;
    let mut at = 0;
    while at < text.len() {
        hash = (hash ^ text[at] as u64).wrapping_mul(0x0100_0000_01b3);
        at += 1;
    }
    hash
}

pub(crate) fn vectors() -> Vec<Vector> {
    vec![
        taken(),
        restored(),
        elapsed(),
        banned(),
        in_flight(),
        sliding(),
        senseless(),
    ]
}

fn route() -> serde_json::Value {
    json!([{"auth": BOT, "method": 2, "template": TEMPLATE, "class": 0, "bucket": HASH}])
}

fn limit() -> serde_json::Value {
    json!([{"auth": BOT, "bucket": HASH, "limit": 3, "window_us": 5_000_000, "period_us": null}])
}

fn spent(remaining: u32, reset_after_us: u64) -> serde_json::Value {
    json!([{
        "auth": BOT, "bucket": HASH, "major": 2, "id": 1, "token": null,
        "remaining": remaining, "reset_after_us": reset_after_us,
    }])
}

fn snapshot(buckets: serde_json::Value) -> serde_json::Value {
    json!({"routes": route(), "limits": limit(), "buckets": buckets, "banned_ms": null})
}

fn taken() -> Vector {
    scene(
        "snapshot_holds_what_was_learned",
        "snapshot: the bucket of a route, its limit, and what is left of it with the time until it is full",
    )
    .taught(1, POST, &bucket("a", 3, 2, "5"))
    .leaves(snapshot(spent(2, 5_000_000)))
    .end()
}

fn restored() -> Vector {
    scene(
        "restart_spends_what_was_left",
        "snapshot: a route that was known is known; a bucket goes on where it was",
    )
    .restored(snapshot(spent(1, 2_000_000)))
    .ask(1, POST)
    .gives(&["send id=1"])
    .ask(2, POST)
    .gives(&[])
    .ask(3, "POST /channels/2/messages")
    .gives(&["send id=3"])
    .ask(4, "POST /channels/2/messages")
    .gives(&["send id=4"])
    .only_at(2_005, &["send id=2"])
    .end()
}

fn elapsed() -> Vector {
    scene(
        "time_between_two_processes_counts",
        "snapshot: moments are kept as what is left of them; the restart says how long ago that was",
    )
    .config(json!({"elapsed_ms": 1_500}))
    .restored(snapshot(spent(0, 2_000_000)))
    .ask(1, POST)
    .gives(&[])
    .only_at(505, &["send id=1"])
    .end()
}

fn banned() -> Vector {
    scene(
        "ban_outlives_the_process",
        "4.7 row 1: a restart does not lift a ban",
    )
    .config(json!({"elapsed_ms": 1_000}))
    .restored(json!({"routes": [], "limits": [], "buckets": [], "banned_ms": 61_000}))
    .ask(1, POST)
    .gives(&[])
    .only_at(60_000, &["ban_ended", "send id=1"])
    .end()
}

fn in_flight() -> Vector {
    scene(
        "snapshot_counts_what_is_in_flight",
        "4.11: what is in flight may be counted after the snapshot: the next process must not send in its place",
    )
    .taught(1, POST, &bucket("a", 3, 2, "5"))
    .ask(2, POST)
    .gives(&["send id=2"])
    .leaves(snapshot(spent(1, 5_000_000)))
    .end()
}

fn sliding() -> Vector {
    scene(
        "sliding_window_stays_known",
        "4.4: what was proven to slide slides after a restart",
    )
    .restored(json!({
        "routes": route(),
        "limits": [{
            "auth": BOT, "bucket": HASH, "limit": 3, "window_us": 3_000_000, "period_us": 1_000_000,
        }],
        "buckets": spent(0, 3_000_000),
        "banned_ms": null,
    }))
    .ask(1, POST)
    .ask(2, POST)
    .gives(&[])
    .only_at(1_005, &["send id=1"])
    .end()
}

fn senseless() -> Vector {
    scene(
        "senseless_snapshot_is_found_out_again",
        "snapshot: what makes no sense in it is left out",
    )
    .restored(json!({
        "routes": [{"auth": BOT, "method": 77, "template": TEMPLATE, "class": 0, "bucket": HASH}],
        "limits": [{"auth": BOT, "bucket": HASH, "limit": 0, "window_us": 0, "period_us": 0}],
        "buckets": [{
            "auth": BOT, "bucket": HASH, "major": 9, "id": 1, "token": null,
            "remaining": 9, "reset_after_us": 1,
        }],
        "banned_ms": null,
    }))
    .ask(1, POST)
    .gives(&["send id=1"])
    .ask(2, POST)
    .gives(&[])
    .end()
}
