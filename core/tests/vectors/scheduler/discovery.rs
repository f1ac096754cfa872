//! Which bucket a route belongs to: found out by one request, shared between routes, changed by Discord.

use super::super::model::Vector;
use super::{BOT, VIA, bucket, scene};

const POST: &str = "POST /channels/1/messages";

pub(crate) fn vectors() -> Vec<Vector> {
    let mut vectors = vec![
        one_finds_out(),
        known_for_every_resource(),
        free_route(),
        free_route_gets_a_bucket(),
        error_teaches_nothing(),
        failure_goes_on(),
        cancelled_teaches(),
        number_less_bucket(),
        identities(),
        classes(),
    ];
    vectors.extend(keys());
    vectors
}

fn one_finds_out() -> Vector {
    scene(
        "one_request_finds_out_the_bucket",
        "4.3 row 2: while the bucket of a route is unknown, one request of a resource is in flight",
    )
    .ask(1, POST)
    .gives(&["send id=1"])
    .ask(2, POST)
    .gives(&[])
    .ask(3, POST)
    .gives(&[])
    .at_ms(50)
    .ok(1, &bucket("a", 5, 4, "5"))
    .gives(&["deliver id=1", "send id=2", "send id=3"])
    .counts(&[("discovered", 1)])
    .end()
}

/// Name, rule, two requests before anything is known, and whether the second waits for the first.
const KEYS: [(&str, &str, &str, &str, bool); 13] = [
    (
        "resources_find_out_side_by_side",
        "4.3 row 2: one in flight for each major parameter",
        "GET /channels/1",
        "GET /channels/2",
        false,
    ),
    (
        "methods_find_out_side_by_side",
        "4.3 row 1: the method is part of the route",
        "GET /channels/1",
        "PATCH /channels/1",
        false,
    ),
    (
        "templates_find_out_side_by_side",
        "4.3 row 1: the path's template is part of the route",
        "GET /channels/1/pins",
        "GET /channels/1/invites",
        false,
    ),
    (
        "minor_ids_share_a_route",
        "4.3 row 1: ids that are not major do not make another route",
        "GET /channels/1/messages/5",
        "GET /channels/1/messages/6",
        true,
    ),
    (
        "emoji_share_a_route",
        "4.3 row 1: emoji are placeholders too",
        "PUT /channels/1/messages/5/reactions/%F0%9F%94%A5/@me",
        "PUT /channels/1/messages/6/reactions/a:7/@me",
        true,
    ),
    (
        "query_is_no_part_of_the_route",
        "4.3 row 1: the query does not matter",
        "GET /channels/1/messages?limit=5",
        "GET /channels/1/messages?limit=6",
        true,
    ),
    (
        "version_prefix_is_no_part_of_the_route",
        "4.1: /api/v10 before the path does not matter",
        "GET /channels/1",
        "GET /api/v10/channels/1",
        true,
    ),
    (
        "webhooks_find_out_by_token",
        "4.3 row 4: webhook id and token together are major",
        "POST /webhooks/9/one",
        "POST /webhooks/9/two",
        false,
    ),
    (
        "guild_deeper_in_the_path_is_not_major",
        "4.3 row 4: only the first resource of a path counts",
        "GET /applications/3/guilds/1/commands",
        "GET /applications/3/guilds/2/commands",
        true,
    ),
    (
        "follow_ups_find_out_by_interaction",
        "4.3 row 5: a follow-up's resource is its interaction, not the application",
        "POST /webhooks/3/aW50ZXJhY3Rpb246one",
        "POST /webhooks/3/aW50ZXJhY3Rpb246two",
        false,
    ),
    (
        "follow_ups_of_one_interaction_share",
        "4.3 row 5: follow-ups of one interaction have one bucket",
        "POST /webhooks/3/aW50ZXJhY3Rpb246one",
        "POST /webhooks/3/aW50ZXJhY3Rpb246one",
        true,
    ),
    (
        "unlisted_path_has_a_route",
        "4.3 row 1: a path that Discord does not document is a route by the same rule",
        "GET /channels/1/new-thing/81384788765712384",
        "GET /channels/1/new-thing/81384788765712385",
        true,
    ),
    (
        "callbacks_have_no_bucket",
        "4.3 row 5: the callback of an interaction is never held",
        "POST /interactions/5/aW50ZXJhY3Rpb246one/callback",
        "POST /interactions/5/aW50ZXJhY3Rpb246one/callback",
        false,
    ),
];

fn keys() -> Vec<Vector> {
    let vector = |(name, rule, first, second, waits)| {
        let second_goes: &[&str] = if waits { &[] } else { &["send id=2"] };
        scene(name, rule)
            .ask(1, first)
            .gives(&["send id=1"])
            .ask(2, second)
            .gives(second_goes)
            .end()
    };
    KEYS.into_iter().map(vector).collect()
}

fn known_for_every_resource() -> Vector {
    scene(
        "what_one_resource_taught_serves_all",
        "4.3 row 3: the bucket belongs to the route; another resource has its own count of it",
    )
    .taught(1, POST, &bucket("a", 3, 0, "5"))
    .ask(2, "POST /channels/2/messages")
    .gives(&["send id=2"])
    .ask(3, "POST /channels/2/messages")
    .gives(&["send id=3"])
    .ask(4, "POST /channels/2/messages")
    .gives(&["send id=4"])
    .ask(5, "POST /channels/2/messages")
    .gives(&[])
    .ask(6, POST)
    .gives(&[])
    .end()
}

fn free_route() -> Vector {
    scene(
        "route_without_bucket_is_free",
        "4.2: a successful answer without a bucket: only the global limit holds the route",
    )
    .ask(1, "GET /gateway/bot")
    .ask(2, "GET /gateway/bot")
    .ask(3, "GET /gateway/bot")
    .gives(&[])
    .ok(1, VIA)
    .gives(&["deliver id=1", "send id=2", "send id=3"])
    .ask(4, "GET /gateway/bot")
    .gives(&["send id=4"])
    .end()
}

fn free_route_gets_a_bucket() -> Vector {
    scene(
        "free_route_gets_a_bucket",
        "4.3 row 6: an answer that names a bucket is believed, whatever was known before",
    )
    .taught(1, "GET /users/@me", VIA)
    .taught(2, "GET /users/@me", &bucket("a", 2, 0, "5"))
    .ask(3, "GET /users/@me")
    .gives(&[])
    .only_at(5_005, &["send id=3"])
    .counts(&[("discovered", 1)])
    .end()
}

fn error_teaches_nothing() -> Vector {
    scene(
        "error_without_bucket_teaches_nothing",
        "4.2: only a successful answer says that a route has no bucket",
    )
    .ask(1, "GET /channels/1")
    .ask(2, "GET /channels/1")
    .ask(3, "GET /channels/1")
    .answer(1, 404, VIA, r#"{"code": 10003}"#)
    .gives(&["deliver id=1", "send id=2"])
    .end()
}

fn failure_goes_on() -> Vector {
    scene(
        "discovery_goes_on_after_a_failure",
        "4.11: a failed request gives its place back, and the next one finds out",
    )
    .ask(1, "GET /channels/1")
    .ask(2, "GET /channels/1")
    .gives(&[])
    .not_sent(1)
    .gives(&["retry code=3 id=1", "send id=2"])
    .ok(2, &bucket("a", 5, 4, "5"))
    .gives(&["deliver id=2"])
    .end()
}

fn cancelled_teaches() -> Vector {
    scene(
        "cancelled_request_still_finds_out",
        "4.11: Discord counts a request in flight, wanted or not; its answer teaches",
    )
    .ask(1, POST)
    .ask(2, POST)
    .cancel(1)
    .gives(&["refuse code=4 id=1"])
    .ok(1, &bucket("a", 5, 4, "5"))
    .gives(&["send id=2"])
    .ask(3, POST)
    .gives(&["send id=3"])
    .counts(&[("delivered", 0), ("discovered", 1)])
    .end()
}

fn number_less_bucket() -> Vector {
    scene(
        "bucket_without_numbers_lets_one_go",
        "4.2: a bucket whose limit is not told goes on one request at a time",
    )
    .taught(1, POST, &format!("{VIA}X-RateLimit-Bucket: a\n"))
    .ask(2, POST)
    .gives(&["send id=2"])
    .ask(3, POST)
    .gives(&[])
    .ok(2, &bucket("a", 5, 3, "5"))
    .gives(&["deliver id=2", "send id=3"])
    .end()
}

fn identities() -> Vector {
    scene(
        "identities_find_out_by_themselves",
        "4.3 row 8: limits are per identity, and so is what is known of them",
    )
    .taught(1, POST, &bucket("a", 5, 0, "5"))
    .ask(2, POST)
    .gives(&[])
    .ask_as(BOT + 1, 3, POST, "")
    .gives(&["send id=3"])
    .ask_as(BOT + 1, 4, POST, "")
    .gives(&[])
    .ask_as(0, 5, POST, "")
    .gives(&["send id=5"])
    .end()
}

fn classes() -> Vector {
    scene(
        "classes_are_routes_of_their_own",
        "4.6: deletions of old and young messages have counters of their own",
    )
    .ask_with(1, "DELETE /channels/1/messages/5", "class: 1")
    .gives(&["send id=1"])
    .ask_with(2, "DELETE /channels/1/messages/6", "class: 2")
    .gives(&["send id=2"])
    .ok(1, &bucket("old", 30, 0, "4"))
    .ok(2, &bucket("young", 5, 4, "1"))
    .ask_with(3, "DELETE /channels/1/messages/7", "class: 1")
    .gives(&[])
    .ask_with(4, "DELETE /channels/1/messages/8", "class: 2")
    .gives(&["send id=4"])
    .end()
}
