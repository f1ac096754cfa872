//! Who goes first: priorities, ageing, fairness, deadlines, places in flight, a full queue.

use serde_json::json;

use super::super::model::Vector;
use super::{BOT, VIA, bucket, scene};

const CALLBACK: &str = "POST /interactions/5/aW50ZXJhY3Rpb246one/callback";

pub(crate) fn vectors() -> Vec<Vector> {
    let mut vectors = vec![
        priorities(),
        first_come(),
        aged(),
        not_aged(),
        guilds(),
        named_guild(),
        identities(),
        longest_first(),
        again_keeps_turn(),
    ];
    vectors.extend(deadlines());
    vectors.extend(more_deadlines());
    vectors.extend(places());
    vectors.extend(full());
    vectors
}

/// One place in flight, taken by request 1; a free route, so that nothing else holds anybody.
fn one_place(name: &str, rule: &str) -> super::Scene {
    scene(name, rule)
        .config(json!({"max_in_flight": 1, "reserved_in_flight": 0}))
        .taught(100, "GET /channels/1", VIA)
        .ask(1, "GET /channels/1")
        .gives(&["send id=1"])
}

/// Each answer lets the next one go.
fn goes_on(mut scene: super::Scene, order: &[u64]) -> super::Scene {
    for pair in order.windows(2) {
        let (deliver, send) = (
            format!("deliver id={}", pair[0]),
            format!("send id={}", pair[1]),
        );
        scene = scene.ok(pair[0], VIA).gives(&[&deliver, &send]);
    }
    scene
}

fn priorities() -> Vector {
    let scene = one_place(
        "priorities_go_first",
        "queue: interaction, user-facing, normal, background, whatever the order they came in",
    )
    .ask_with(2, "GET /channels/1", "priority: background")
    .ask_with(3, "GET /channels/1", "priority: normal")
    .ask_with(4, "GET /channels/1", "priority: user_facing")
    .ask_with(5, "GET /channels/1", "priority: interaction")
    .gives(&[]);
    goes_on(scene, &[1, 5, 4, 3, 2]).end()
}

fn first_come() -> Vector {
    let scene = one_place(
        "first_come_first_served_within_a_priority",
        "4.11: first in, first out for each limiter",
    )
    .ask(2, "GET /channels/1")
    .ask(3, "GET /channels/1")
    .ask(4, "GET /channels/1");
    goes_on(scene, &[1, 2, 3, 4]).end()
}

fn aged() -> Vector {
    let mut scene = one_place(
        "eighth_turn_goes_to_the_oldest",
        "queue: who has waited longer than age_after gets one turn in eight, whatever its priority",
    )
    .ask_with(50, "GET /channels/2", "priority: background")
    .at_ms(6_000);
    for id in 2..=12 {
        scene = scene.ask_with(id, "GET /channels/1", "priority: user_facing");
    }
    goes_on(scene, &[1, 2, 3, 4, 5, 6, 50, 7, 8, 9, 10]).end()
}

fn not_aged() -> Vector {
    let mut scene = one_place(
        "nobody_ages_before_his_time",
        "queue: before age_after has passed, priorities alone decide",
    )
    .ask_with(50, "GET /channels/2", "priority: background")
    .at_ms(4_000);
    for id in 2..=9 {
        scene = scene.ask_with(id, "GET /channels/1", "priority: user_facing");
    }
    goes_on(scene, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 50]).end()
}

fn guilds() -> Vector {
    let scene = one_place(
        "guilds_take_turns",
        "queue: a guild that floods the queue waits behind itself, not before others",
    )
    .taught_free()
    .ask(2, "GET /guilds/7/roles")
    .ask(3, "GET /guilds/7/roles")
    .ask(4, "GET /guilds/7/roles")
    .ask(5, "GET /guilds/8/roles")
    .ask(6, "GET /guilds/8/roles");
    goes_on(scene, &[1, 2, 5, 3, 6, 4]).end()
}

fn named_guild() -> Vector {
    let scene = one_place(
        "guild_may_be_named_by_the_caller",
        "queue: where the path does not say whose request it is, the caller can",
    )
    .ask_with(2, "GET /channels/1", "guild: 7")
    .ask_with(3, "GET /channels/2", "guild: 7")
    .ask_with(4, "GET /channels/3", "guild: 8");
    goes_on(scene, &[1, 2, 4, 3]).end()
}

fn identities() -> Vector {
    let scene = one_place(
        "identities_take_turns",
        "queue: places in flight are shared evenly between identities",
    )
    .ask(2, "GET /channels/1")
    .ask(3, "GET /channels/1")
    .ask(4, "GET /channels/1")
    .ask_as(BOT + 1, 5, "GET /users/@me", "")
    .ask_as(BOT + 1, 6, "GET /users/1", "");
    goes_on(scene, &[1, 2, 5, 3, 6, 4]).end()
}

fn longest_first() -> Vector {
    let mut scene = scene(
        "bucket_that_needs_longest_goes_first",
        "queue: where the global limit binds, all ends when the slowest bucket ends: it is never kept waiting",
    )
    .config(json!({"global_limit": 4, "max_in_flight": 20}))
    .taught(1, "POST /channels/1/messages", &bucket("a", 2, 1, "10"))
    .taught(2, "GET /guilds/7", VIA)
    .at_ms(30_000);
    for id in 10..20 {
        scene = scene.ask(id, "GET /guilds/7");
    }
    for id in 20..24 {
        scene = scene.ask(id, "POST /channels/1/messages");
    }
    scene
        .at_ms(30_050)
        .ok(10, VIA)
        .at_ms(31_049)
        .tick()
        .at_ms(32_000)
        .tick()
        .tells("send id=20")
        .tells("send id=21")
        .end()
}

fn again_keeps_turn() -> Vector {
    let scene = one_place(
        "who_is_sent_again_keeps_his_turn",
        "queue: a request that was refused goes before those that came after it",
    )
    .ask(2, "GET /channels/1")
    .ask(3, "GET /channels/1")
    .too_many(1, "X-RateLimit-Scope: user\n", "1")
    .tells("retry code=1 id=1")
    .only_at(1_005, &["send code=1 id=1"]);
    goes_on(scene, &[1, 2, 3]).end()
}

fn deadlines() -> Vec<Vector> {
    let post = "POST /channels/1/messages";
    let too_soon = scene(
        "deadline_that_cannot_be_met_is_refused_at_once",
        "queue: with the time at which the request could have gone",
    )
    .taught(1, post, &bucket("a", 1, 0, "5"))
    .ask_by(4_000, 2, post)
    .gives(&["refuse code=2 id=2 value=5005000"])
    .ask_by(5_005, 3, post)
    .gives(&[])
    .only_at(5_005, &["send id=3"])
    .end();
    let behind = scene(
        "prediction_counts_those_that_go_first",
        "queue: a fixed window serves so many at once; the next of them comes a window later",
    )
    .taught(1, post, &bucket("a", 2, 1, "5"))
    .taught(2, post, &bucket("a", 2, 0, "5"))
    .ask(3, post)
    .ask(4, post)
    .ask_by(9_000, 5, post)
    .gives(&["refuse code=2 id=5 value=10010000"])
    .ask_by(11_000, 6, post)
    .gives(&[])
    .end();
    let passed = scene(
        "deadline_that_passes_is_refused",
        "queue: who still waits when his deadline passes is refused then",
    )
    .ask(1, post)
    .ask_by(1_000, 2, post)
    .gives(&[])
    .waits_for("deadline", 1_000, 1_000)
    .only_at(1_000, &["refuse code=3 id=2"])
    .ok(1, VIA)
    .gives(&["deliver id=1"])
    .end();
    vec![too_soon, behind, passed]
}

fn more_deadlines() -> Vec<Vector> {
    let post = "POST /channels/1/messages";
    let sent = scene(
        "deadline_is_for_sending",
        "queue: a request in flight when its deadline passes is waited for",
    )
    .ask_by(1_000, 1, post)
    .gives(&["send id=1"])
    .at_ms(1_500)
    .tick()
    .gives(&[])
    .ok(1, VIA)
    .gives(&["deliver id=1"])
    .end();
    let again = scene(
        "deadline_sooner_than_the_next_try_is_refused",
        "queue: a failed request is not sent again after its deadline",
    )
    .ask_by(100, 1, "GET /channels/1")
    .not_sent(1)
    .tells("refuse code=2 id=1")
    .counts(&[("queued", 0), ("in_flight", 0)])
    .end();
    let left = scene(
        "prediction_forgets_what_has_left_the_log",
        "4.5: after a rest the global limit is there as a whole, even if nobody called in between",
    )
    .config(json!({"global_limit": 2}))
    .taught(1, "GET /channels/1", VIA)
    .taught(2, "GET /channels/1", VIA)
    .at_ms(10_000)
    .ask_by(10_100, 3, "GET /channels/1")
    .gives(&["send id=3"])
    .end();
    let global = scene(
        "prediction_counts_the_global_limit",
        "4.5: with 2 a second, the fifth goes after two seconds at the soonest",
    )
    .config(json!({"global_limit": 2}))
    .ask(1, "GET /channels/1")
    .ask(2, "GET /channels/2")
    .ask(3, "GET /channels/3")
    .ask(4, "GET /channels/4")
    .gives(&[])
    .ask_by(1_000, 5, "GET /channels/5")
    .tells("refuse code=2 id=5")
    .end();
    vec![sent, again, left, global]
}

fn places() -> Vec<Vector> {
    let mut full = scene(
        "places_in_flight_are_bounded",
        "queue: as many in flight as the driver can send; two of ten are kept for interactions",
    );
    for id in 1..=8 {
        let send = format!("send id={id}");
        full = full.ask(id, &format!("GET /channels/{id}")).gives(&[&send]);
    }
    let full = full.ask(9, "GET /channels/9").gives(&[]);
    let mut full = full.ask(10, CALLBACK).gives(&["send id=10"]);
    full = full
        .ask(11, "POST /webhooks/3/aW50ZXJhY3Rpb246one")
        .gives(&["send id=11"])
        .ask(12, CALLBACK)
        .gives(&[]);
    let full = full
        .ok(1, VIA)
        .gives(&["deliver id=1", "send id=12"])
        .counts(&[("in_flight", 10), ("queued", 1)])
        .end();
    let waits = scene(
        "interactions_do_not_wait_behind_background_work",
        "4.10: an interaction has three seconds: it goes at once past a full queue",
    )
    .config(json!({"max_in_flight": 3, "reserved_in_flight": 1}))
    .ask_with(1, "GET /channels/1", "priority: background")
    .ask_with(2, "GET /channels/2", "priority: background")
    .ask_with(3, "GET /channels/3", "priority: background")
    .gives(&[])
    .ask_with(4, CALLBACK, "priority: interaction")
    .gives(&["send id=4"])
    .end();
    vec![full, waits]
}

fn full() -> Vec<Vector> {
    let small = |name: &str, rule: &str| {
        scene(name, rule)
            .config(json!({"queue_size": 2}))
            .taught(1, "GET /channels/1", &bucket("a", 1, 0, "5"))
            .ask(2, "GET /channels/1")
            .ask(3, "GET /channels/1")
            .gives(&[])
    };
    let refused = small(
        "full_queue_refuses",
        "queue: one more than queue_size is refused, with the time at which asking again makes sense",
    )
    .ask(4, "GET /channels/1")
    .gives(&["refuse code=1 id=4 value=5005000"])
    .counts(&[("queued", 2), ("refused", 1)])
    .end();
    let interaction = small(
        "full_queue_takes_interactions",
        "4.10: a queue full of other work does not cost an interaction its three seconds",
    )
    .ask_with(4, CALLBACK, "priority: interaction")
    .gives(&["send id=4"])
    .end();
    let room = small(
        "cancelled_request_makes_room",
        "queue: what is cancelled is not in the queue",
    )
    .cancel(3)
    .gives(&["refuse code=4 id=3"])
    .ask(4, "GET /channels/1")
    .gives(&[])
    .end();
    vec![refused, interaction, room]
}

impl super::Scene {
    /// Guild roles are a free route from here on.
    fn taught_free(self) -> Self {
        self.ok(1, VIA)
            .gives(&["deliver id=1"])
            .taught(101, "GET /guilds/9/roles", VIA)
            .ask(1, "GET /channels/1")
            .gives(&["send id=1"])
    }
}
