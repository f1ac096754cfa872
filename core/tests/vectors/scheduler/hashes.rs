//! Hashes of buckets: shared between routes, changed by Discord, alternating.

use super::super::model::Vector;
use super::{BOT, bucket, scene};

const POST: &str = "POST /channels/1/messages";
const PUT: &str = "PUT /channels/1/messages/5/reactions/a:7/@me";
const DELETE: &str = "DELETE /channels/1/messages/5/reactions/a:7/@me";

pub(crate) fn vectors() -> Vec<Vector> {
    let mut vectors = shared();
    vectors.extend(changes());
    vectors
}

fn shared() -> Vec<Vector> {
    let shared = || {
        let (name, rule) = (
            "routes_with_one_hash_share_a_bucket",
            "4.3 row 7: routes with the same hash draw on one count",
        );
        scene(name, rule)
            .taught(1, PUT, &bucket("reactions", 3, 2, "1"))
            .taught(2, DELETE, &bucket("reactions", 3, 1, "1"))
            .ask(3, PUT)
            .gives(&["send id=3"])
            .ask(4, DELETE)
            .gives(&[])
            .only_at(1_005, &["send id=4"])
    };
    let other_channel = scene(
        "one_hash_counts_each_resource_apart",
        "4.3 row 3: the same hash on another resource is another bucket",
    )
    .taught(1, PUT, &bucket("reactions", 1, 0, "1"))
    .ask(2, "PUT /channels/2/messages/5/reactions/a:7/@me")
    .gives(&["send id=2"])
    .ask(3, PUT)
    .gives(&[]);
    let other_identity = scene(
        "one_hash_counts_each_identity_apart",
        "4.3 row 8: the same hash of another identity is another bucket",
    )
    .taught(1, POST, &bucket("a", 1, 0, "5"))
    .ask_as(BOT + 1, 2, POST, "")
    .ok(2, &bucket("a", 1, 0, "2"))
    .ask(3, POST)
    .ask_as(BOT + 1, 4, POST, "")
    .gives(&[])
    .only_at(2_005, &["send id=4"]);
    let joins_spent = scene(
        "route_joins_a_bucket_that_is_spent",
        "4.3 row 7: what waits moves with its route into the bucket that its answer names",
    )
    .taught(1, PUT, &bucket("reactions", 2, 1, "3"))
    .ask(2, DELETE)
    .ask(3, DELETE)
    .ask(4, DELETE)
    .ok(2, &bucket("reactions", 2, 0, "3"))
    .gives(&["deliver id=2"])
    .ask(5, PUT)
    .gives(&[])
    .only_at(3_005, &["send id=3", "send id=4"]);
    vec![
        shared().end(),
        other_channel.end(),
        other_identity.end(),
        joins_spent.end(),
    ]
}

fn changes() -> Vec<Vector> {
    let changed = scene(
        "hash_changes_and_nothing_is_lost",
        "4.3 row 6: a new hash is accepted; what was spent under the old one is believed to be spent",
    )
    .taught(1, POST, &bucket("old", 2, 1, "5"))
    .ask(2, POST)
    .gives(&["send id=2"])
    .ask(3, POST)
    .ask(4, POST)
    .gives(&[])
    .ok(2, &bucket("new", 2, 1, "2"))
    .gives(&["deliver id=2", "send id=3"])
    .ok(3, &bucket("new", 2, 0, "2"))
    .gives(&["deliver id=3"])
    .at_ms(2_004)
    .tick()
    .gives(&[])
    .only_at(5_005, &["send id=4"])
    .counts(&[("rehashed", 1), ("delivered", 3)])
    .end();
    let in_flight = scene(
        "in_flight_moves_with_its_route",
        "4.3 row 6: what is in flight when the hash changes counts in the new bucket",
    )
    .taught(1, POST, &bucket("old", 5, 4, "5"))
    .ask(2, POST)
    .ask(3, POST)
    .ask(4, POST)
    .gives(&["send id=4"])
    .ok(2, &bucket("new", 3, 2, "5"))
    .gives(&["deliver id=2"])
    .ask(5, POST)
    .gives(&[])
    .ok(3, &bucket("new", 3, 1, "5"))
    .ok(4, &bucket("new", 3, 0, "5"))
    .gives(&["deliver id=4"])
    .only_at(5_005, &["send id=5"])
    .end();
    let alternates = scene(
        "hashes_that_alternate_become_one",
        "4.3 row 6: a route that goes back to an earlier hash keeps to the worse of both",
    )
    .taught(1, POST, &bucket("a", 5, 4, "9"))
    .taught(2, POST, &bucket("b", 3, 2, "4"))
    .taught(3, POST, &bucket("a", 5, 3, "9"))
    .counts(&[("rehashed", 1), ("merged", 1)])
    .ask(4, POST)
    .gives(&["send id=4"])
    .ask(5, POST)
    .gives(&["send id=5"])
    .ask(6, POST)
    .gives(&[])
    .end();
    vec![changed, in_flight, alternates]
}
