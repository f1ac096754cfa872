//! What must not be sent again: invalid requests, refused tokens, webhooks that are gone.

use serde_json::json;

use super::super::model::Vector;
use super::{BOT, Scene, VIA, scene, slow_down};

const GET: &str = "GET /channels/1";
const HOOK: &str = "POST /webhooks/9/token";
const FORBIDDEN: &str = r#"{"message": "Missing Permissions", "code": 50013}"#;
const UNKNOWN_WEBHOOK: &str = r#"{"message": "Unknown Webhook", "code": 10015}"#;

pub(crate) fn vectors() -> Vec<Vector> {
    let mut vectors = tokens();
    vectors.extend(webhooks());
    vectors.extend(quarantine());
    vectors.extend(budget());
    vectors.extend(no_danger());
    vectors
}

fn tokens() -> Vec<Vector> {
    let stops = scene(
        "refused_token_stops_its_identity",
        "4.8: after a 401 the token is not used again: what waits is refused, what comes is refused",
    )
    .ask(1, GET)
    .ask(2, GET)
    .ask(3, "GET /channels/2")
    .gives(&["send id=3"])
    .answer(1, 401, VIA, r#"{"message": "401: Unauthorized", "code": 0}"#)
    .gives(&["token_stopped code=1", "refuse code=5 id=2", "deliver id=1"])
    .ask(4, GET)
    .gives(&["refuse code=5 id=4"])
    .ask_as(BOT + 1, 5, GET, "")
    .gives(&["send id=5"])
    .ask(6, HOOK)
    .gives(&["send id=6"])
    .counts(&[("invalid", 1)])
    .end();
    let replaced = scene(
        "new_token_lets_its_identity_go_on",
        "4.8: a token that was replaced is used",
    )
    .ask(1, GET)
    .answer(1, 401, VIA, "")
    .tells("token_stopped code=1")
    .ask(2, GET)
    .gives(&["refuse code=5 id=2"])
    .token_replaced(BOT)
    .gives(&[])
    .ask(3, GET)
    .gives(&["send id=3"])
    .end();
    let twice = scene(
        "refused_token_is_told_once",
        "4.8: several answers of 401 to one token are one event",
    )
    .ask(1, GET)
    .ask(2, "GET /channels/2")
    .answer(1, 401, VIA, "")
    .gives(&["token_stopped code=1", "deliver id=1"])
    .answer(2, 401, VIA, "")
    .gives(&["deliver id=2"])
    .counts(&[("invalid", 2)])
    .end();
    let webhook = scene(
        "refused_webhook_token_stops_nobody",
        "4.8: a 401 on a route with a token in its path says nothing about the bot's token",
    )
    .ask(1, HOOK)
    .answer(1, 401, VIA, r#"{"code": 50027}"#)
    .gives(&["deliver id=1"])
    .ask(2, GET)
    .gives(&["send id=2"])
    .counts(&[("invalid", 1)])
    .end();
    let nobody = scene(
        "refused_anonymous_request_stops_nobody",
        "4.8: without a token there is none to stop",
    )
    .ask_as(0, 1, "GET /invites/abc", "")
    .answer(1, 401, VIA, "")
    .gives(&["deliver id=1"])
    .ask_as(0, 2, "GET /invites/abc", "")
    .gives(&["send id=2"])
    .end();
    vec![stops, replaced, twice, webhook, nobody]
}

fn webhooks() -> Vec<Vector> {
    let gone = scene(
        "unknown_webhook_is_not_called_again",
        "4.8: after 404 with code 10015, what waits is refused, what comes is refused",
    )
    .ask(1, HOOK)
    .ask(2, HOOK)
    .answer(1, 404, VIA, UNKNOWN_WEBHOOK)
    .gives(&["webhook_gone id=9", "refuse code=6 id=2", "deliver id=1"])
    .ask(3, HOOK)
    .gives(&["refuse code=6 id=3"])
    .ask(4, "POST /webhooks/8/token")
    .gives(&["send id=4"])
    .end();
    let message = scene(
        "unknown_message_of_a_webhook_is_not_the_webhook",
        "4.8: a 404 for something else leaves the webhook alone",
    )
    .ask(1, "PATCH /webhooks/9/token/messages/5")
    .answer(1, 404, VIA, r#"{"code": 10008}"#)
    .gives(&["deliver id=1"])
    .ask(2, HOOK)
    .gives(&["send id=2"])
    .end();
    let interaction = scene(
        "unknown_webhook_of_an_interaction_is_not_the_application",
        "4.8: a follow-up whose token ran out says nothing about other interactions",
    )
    .ask(1, "POST /webhooks/3/aW50ZXJhY3Rpb246one")
    .answer(1, 404, VIA, UNKNOWN_WEBHOOK)
    .gives(&["deliver id=1"])
    .ask(2, "POST /webhooks/3/aW50ZXJhY3Rpb246two")
    .gives(&["send id=2"])
    .end();
    vec![gone, message, interaction]
}

/// Answers of 403 to one route after another try, each with the number of its request.
fn forbidden(mut scene: Scene, route: &str, ids: core::ops::Range<u64>) -> Scene {
    for id in ids {
        let send = format!("send id={id}");
        scene = scene
            .ask(id, route)
            .gives(&[&send])
            .answer(id, 403, VIA, FORBIDDEN);
    }
    scene
}

fn quarantine() -> Vec<Vector> {
    let start = |name: &str, rule: &str| {
        let scene = scene(name, rule).config(json!({"quarantine_after": 3}));
        forbidden(scene, GET, 1..4).tells("quarantined_route code=1 id=1 value=30000000 data=3")
    };
    let only = start(
        "route_that_is_forbidden_again_and_again_pauses",
        "4.8: only who causes invalid requests is refused; others go on",
    )
    .ask(4, GET)
    .gives(&["refuse code=7 id=4 value=30000000"])
    .ask(5, "GET /channels/2")
    .gives(&["send id=5"])
    .ask(6, "PATCH /channels/1")
    .gives(&["send id=6"])
    .counts(&[("quarantines", 1), ("invalid", 3)])
    .end();
    let again = start(
        "quarantine_ends_with_one_try",
        "4.8: after the pause one request tries; if it fails too, the next pause is twice as long",
    )
    .at_ms(30_000)
    .ask(4, GET)
    .gives(&["send id=4"])
    .answer(4, 403, VIA, FORBIDDEN)
    .tells("quarantined_route code=1 id=1 value=90000000")
    .end();
    let ends = start(
        "quarantine_ends_with_a_success",
        "4.8: an answer that is not invalid clears its route",
    )
    .at_ms(30_000)
    .taught(4, GET, VIA);
    let ends = forbidden(ends, GET, 5..7).ask(7, GET).gives(&["send id=7"]);
    let waiting = scene(
        "what_waits_is_refused_in_quarantine",
        "4.8: requests of the offender that wait are refused when their turn comes",
    )
    .config(json!({"quarantine_after": 2}))
    .ask(1, GET)
    .ask(2, GET)
    .ask(3, GET)
    .ask(4, GET)
    .answer(1, 403, VIA, FORBIDDEN)
    .gives(&["deliver id=1", "send id=2"])
    .answer(2, 403, VIA, FORBIDDEN)
    .tells("quarantined_route code=1 id=1 value=30000000 data=2")
    .tells("refuse code=7 id=3 value=30000000")
    .tells("refuse code=7 id=4 value=30000000")
    .keeps_back("send")
    .end();
    let row = scene(
        "successes_in_between_are_no_row",
        "4.8: only failures without a success between them count as a row",
    )
    .config(json!({"quarantine_after": 3}));
    let row = forbidden(row, GET, 1..3).taught(3, GET, VIA);
    let row = forbidden(row, GET, 4..6).ask(6, GET).gives(&["send id=6"]);
    let mut vectors = vec![only, again, ends.end(), waiting, row.end()];
    vectors.extend(wide());
    vectors
}

/// Whole guilds and webhooks, when the budget is in danger.
fn wide() -> Vec<Vector> {
    let routes = ["roles", "emojis", "bans", "invites", "stickers", "channels"];
    let mut guild = scene(
        "guild_that_causes_most_invalid_requests_pauses",
        "4.8: if the budget is in danger, a guild that causes most of it pauses as a whole",
    )
    .config(json!({"quarantine_after": 4, "invalid_budget": 40}));
    for (id, route) in (1..).zip(&routes[..4]) {
        guild = forbidden(guild, &format!("GET /guilds/7/{route}"), id..id + 1);
    }
    let guild = guild
        .tells("quarantined_guild code=1 id=7 value=30000000 data=4")
        .ask(10, "GET /guilds/7/stickers")
        .gives(&["refuse code=7 id=10 value=30000000"])
        .ask(11, "GET /guilds/8/stickers")
        .gives(&["send id=11"])
        .end();
    let mut webhook = scene(
        "webhook_that_causes_most_invalid_requests_pauses",
        "4.8: if the budget is in danger, a webhook that causes most of it pauses as a whole",
    )
    .config(json!({"quarantine_after": 4, "invalid_budget": 40}));
    for id in 1..=4 {
        let route = format!("POST /webhooks/9/token{id}");
        webhook = forbidden(webhook, &route, id..id + 1);
    }
    let webhook = webhook
        .tells("quarantined_webhook id=9 value=30000000 data=4")
        .ask(10, "POST /webhooks/9/token5")
        .gives(&["refuse code=7 id=10 value=30000000"])
        .end();
    vec![guild, webhook]
}

/// One answer of 403 to each of these, spread over channels: nobody is to blame.
fn spend(mut scene: Scene, ids: core::ops::RangeInclusive<u64>) -> Scene {
    for id in ids {
        scene = forbidden(scene, &format!("GET /channels/{id}"), id..id + 1);
    }
    scene
}

fn budget() -> Vec<Vector> {
    let stops = scene(
        "spent_budget_stops_everything",
        "4.8: nothing is sent from 90 percent of the budget on, until ten minutes have passed",
    )
    .config(json!({"invalid_budget": 20}));
    let stops = spend(stops, 1..=17)
        .ask(18, "GET /channels/18")
        .ask(19, "GET /channels/19")
        .gives(&["send id=19"])
        .answer(18, 403, VIA, FORBIDDEN)
        .tells("invalid_budget_running_out code=18 id=20")
        .ask(20, "GET /channels/20")
        .gives(&["refuse code=8 id=20 value=601000000"])
        .ok(19, VIA)
        .gives(&["deliver id=19"])
        .at_ms(600_999)
        .tick()
        .ask(21, "GET /channels/21")
        .gives(&["refuse code=8 id=21 value=601000000"])
        .at_ms(601_000)
        .ask(22, "GET /channels/22")
        .tells("send id=22")
        .end();
    let warns = spend(
        scene(
            "thresholds_of_the_budget_are_told",
            "4.8: at each quarter of the budget, with the time in which it would be spent",
        )
        .config(json!({"invalid_budget": 20})),
        1..=4,
    )
    .gives(&["deliver id=4"]);
    let warns = spend(warns, 5..=5)
        .tells("invalid_budget_running_out code=5 id=20")
        .end();
    vec![stops, warns]
}

fn no_danger() -> Vec<Vector> {
    let slow = scene(
        "slow_waste_does_not_run_out",
        "4.8: one invalid request a minute is never a danger: the warning says so by having no time",
    )
    .config(json!({"invalid_budget": 100, "invalid_stop_percent": 100, "quarantine_after": 100}));
    let slow = slow_waste(slow)
        .tells("invalid_budget code=25 id=100")
        .end();
    let shared = scene(
        "shared_429_is_no_invalid_request",
        "4.8: 401, 403 and 429 count, but not a 429 of scope shared",
    )
    .config(json!({"invalid_budget": 20}))
    .ask(1, GET)
    .ask(2, "GET /channels/2")
    .answer(
        1,
        429,
        &format!("{VIA}X-RateLimit-Scope: shared\n"),
        &slow_down("1", false),
    )
    .answer(
        2,
        429,
        &format!("{VIA}X-RateLimit-Scope: user\n"),
        &slow_down("1", false),
    )
    .counts(&[("invalid", 1), ("limited", 2)])
    .end();
    vec![slow, shared]
}

/// Twenty-five in just under ten minutes: 24 s apart.
fn slow_waste(mut scene: Scene) -> Scene {
    for id in 1..=25 {
        scene = scene.at_ms(24_000 * id);
        scene = forbidden(scene, &format!("GET /channels/{id}"), id..id + 1);
    }
    scene
}
