//! 429: whose limit it was and who waits for it.

use serde_json::json;

use super::super::model::Vector;
use super::{bucket, scene, slow_down};

const POST: &str = "POST /channels/1/messages";
const EDIT: &str = "PATCH /channels/1";
const CALLBACK: &str = "POST /interactions/5/aW50ZXJhY3Rpb246one/callback";

pub(crate) fn vectors() -> Vec<Vector> {
    let mut vectors = bans();
    vectors.extend(buckets());
    vectors.extend(too_late());
    vectors.extend(hidden());
    vectors.extend(repeats());
    vectors
}

fn bans() -> Vec<Vector> {
    let cases = [
        (
            "ban_is_a_429_without_via",
            "4.7 row 1: no Via and no JSON: Cloudflare refuses the address; all stops for Retry-After",
            "Retry-After: 600\n",
            "error code: 1015",
            600_000,
        ),
        (
            "ban_is_a_429_whose_body_is_not_json",
            "4.7 row 1: Via alone does not make it Discord's answer",
            "Via: 1.1 google\nRetry-After: 60\n",
            "<html>Access denied</html>",
            60_000,
        ),
        (
            "ban_is_a_429_without_retry_after_in_its_body",
            "4.7 row 1: Discord's own 429 says how long in its body",
            "Via: 1.1 google\nRetry-After: 60\n",
            r#"{"message": "no"}"#,
            60_000,
        ),
        (
            "ban_may_have_a_json_body",
            "4.7 row 1: no Via and no header of Discord's: JSON alone does not make it Discord's answer",
            "Retry-After: 120\n",
            r#"{"message": "no", "retry_after": 30.0}"#,
            30_000,
        ),
        (
            "ban_of_unknown_length_lasts_as_assumed",
            "4.7 row 1: where Cloudflare does not say how long, an hour is assumed",
            "",
            "error code: 1015",
            3_600_000,
        ),
    ];
    let stops = cases.map(
        |(name, rule, headers, body, ms): (&str, &str, &str, &str, u64)| {
            scene(name, rule)
                .ask(1, "GET /channels/1")
                .answer(1, 429, headers, body)
                .gives(&[&format!("banned value={}", ms * 1_000), "retry code=1 id=1"])
                .ask(2, "GET /channels/2")
                .gives(&[])
                .ask(3, CALLBACK)
                .gives(&[])
                .only_at(ms, &["ban_ended", "send id=3", "send id=1", "send id=2"])
                .counts(&[("bans", 1), ("limited", 1)])
                .end()
        },
    );
    let mut vectors = Vec::from(stops);
    vectors.extend([not_a_ban(), ban_extends(), ban_and_deadlines()]);
    vectors
}

fn not_a_ban() -> Vector {
    scene(
        "proxy_that_drops_via_is_no_ban",
        "4.7 row 1: who stands between may drop Via; Discord's other headers tell that it was Discord",
    )
    .ask(1, POST)
    .answer(1, 429, "X-RateLimit-Scope: user\n", &slow_down("2.5", false))
    .gives(&["rate_limited code=1 id=1 value=2500000 text~POST", "retry code=1 id=1"])
    .ask(2, "GET /channels/2")
    .gives(&["send id=2"])
    .counts(&[("bans", 0)])
    .end()
}

fn ban_extends() -> Vector {
    scene(
        "later_ban_extends_and_never_shortens",
        "4.7 row 1: of two bans the one that lasts longer counts",
    )
    .ask(1, "GET /channels/1")
    .ask(2, "GET /channels/2")
    .ask(3, "GET /channels/3")
    .answer(1, 429, "Retry-After: 60\n", "")
    .tells("banned value=60000000")
    .answer(2, 429, "Retry-After: 30\n", "")
    .gives(&["retry code=1 id=2"])
    .answer(3, 429, "Retry-After: 90\n", "")
    .tells("banned value=90000000")
    .only_at(
        90_000,
        &["ban_ended", "send id=1", "send id=2", "send id=3"],
    )
    .counts(&[("bans", 2)])
    .end()
}

fn ban_and_deadlines() -> Vector {
    scene(
        "ban_refuses_whose_deadline_is_sooner",
        "4.7 row 1: who cannot be sent in time is told at once, with the time",
    )
    .ask(1, "GET /channels/1")
    .ask_by(20_000, 2, "GET /channels/1")
    .ask_by(80_000, 3, "GET /channels/1")
    .answer(1, 429, "Retry-After: 60\n", "")
    .tells("refuse code=2 id=2 value=60000000")
    .keeps_back("send")
    .ask_by(50_000, 4, "GET /channels/2")
    .gives(&["refuse code=2 id=4 value=60000000"])
    .counts(&[("refused", 2), ("queued", 2)])
    .end()
}

fn buckets() -> Vec<Vector> {
    let spent = scene(
        "user_429_with_nothing_left_holds_the_bucket",
        "4.7 row 4: the bucket was spent by others: all its routes wait for retry_after",
    )
    .taught(1, "PUT /channels/1/pins/5", &bucket("pins", 5, 4, "4"))
    .taught(2, "DELETE /channels/1/pins/5", &bucket("pins", 5, 3, "4"))
    .ask(3, "PUT /channels/1/pins/6")
    .too_many(
        3,
        "X-RateLimit-Scope: user\nX-RateLimit-Remaining: 0\n",
        "2.25",
    )
    .gives(&[
        "rate_limited code=1 id=3 value=2250000 text~PUT",
        "retry code=1 id=3",
    ])
    .ask(4, "DELETE /channels/1/pins/6")
    .gives(&[])
    .ask(5, "GET /channels/1")
    .gives(&["send id=5"])
    .only_at(2_255, &["send id=3", "send id=4"])
    .counts(&[("limited_user", 1), ("invalid", 1)])
    .end();
    let without_scope = scene(
        "429_without_scope_is_the_bots_own",
        "4.7 row 6: a 429 that names no scope is taken for user",
    )
    .ask(1, POST)
    .too_many(1, "", "3")
    .gives(&[
        "rate_limited code=1 id=1 value=3000000 text~POST",
        "retry code=1 id=1",
    ])
    .ask(2, POST)
    .gives(&[])
    .only_at(3_005, &["send id=1"])
    .end();
    let body_first = scene(
        "retry_after_of_the_body_counts_before_the_header",
        "4.7: the body's retry_after is exact, the header is rounded up to seconds",
    )
    .ask(1, POST)
    .too_many(1, "Retry-After: 1\nX-RateLimit-Scope: user\n", "0.35")
    .tells("rate_limited code=1 id=1 value=350000")
    .only_at(355, &["send id=1"])
    .end();
    vec![spent, without_scope, body_first]
}

fn too_late() -> Vec<Vector> {
    let deadline = scene(
        "429_refuses_whose_deadline_is_sooner",
        "4.7: who cannot be sent in time is told at once, with the time",
    )
    .taught(1, POST, &bucket("a", 3, 2, "9"))
    .ask(2, POST)
    .ask_by(2_000, 3, POST)
    .ask_by(9_500, 4, POST)
    .too_many(
        2,
        "X-RateLimit-Scope: user\nX-RateLimit-Remaining: 0\n",
        "6",
    )
    .tells("retry code=1 id=2")
    .keeps_back("send")
    .end();
    let waits = scene(
        "429_refuses_those_that_wait_and_would_be_late",
        "4.7: requests behind a 429 whose deadlines pass before it ends are refused at once",
    )
    .ask(1, POST)
    .ask_by(2_000, 2, POST)
    .ask_by(9_000, 3, POST)
    .too_many(
        1,
        "X-RateLimit-Scope: user\nX-RateLimit-Remaining: 0\n",
        "6",
    )
    .tells("refuse code=2 id=2 value=6005000")
    .only_at(6_005, &["send id=1"])
    .end();
    vec![deadline, waits]
}

fn hidden() -> Vec<Vector> {
    let shared = scene(
        "shared_429_holds_the_route_alone_and_is_nobodys_fault",
        "4.7 row 3: a limit of all users: the resource waits for the body's retry_after; not an invalid request",
    )
    .taught(1, POST, &bucket("a", 5, 4, "1"))
    .ask(2, POST)
    .too_many(
        2,
        "X-RateLimit-Scope: shared\nX-RateLimit-Remaining: 4\nX-RateLimit-Reset-After: 0.5\n",
        "8.5",
    )
    .gives(&[
        "rate_limited_hidden code=3 id=2 value=8500000",
        "retry code=1 id=2",
    ])
    .ask(3, POST)
    .gives(&[])
    .ask(4, "POST /channels/2/messages")
    .gives(&["send id=4"])
    .ask(5, "POST /channels/2/messages")
    .gives(&["send id=5"])
    .at_ms(8_504)
    .tick()
    .keeps_back("send")
    .at_ms(8_505)
    .tick()
    .tells("send id=2")
    .counts(&[("limited_shared", 1), ("invalid", 0)])
    .end();
    let user = scene(
        "user_429_with_some_left_is_a_hidden_limit",
        "4.7 row 5: remaining above 0: only this route waits, others of its bucket go on",
    )
    .taught(1, EDIT, &bucket("c", 5, 4, "15"))
    .taught(2, "GET /channels/1", &bucket("c", 5, 3, "15"))
    .ask(3, EDIT)
    .too_many(
        3,
        "X-RateLimit-Scope: user\nX-RateLimit-Remaining: 2\nX-RateLimit-Reset-After: 15\n",
        "30",
    )
    .tells("rate_limited_hidden code=1 id=3 value=30000000")
    .ask(4, "GET /channels/1")
    .gives(&["send id=4"])
    .ask(5, EDIT)
    .gives(&[])
    .counts(&[("limited_user", 1), ("invalid", 1)])
    .end();
    let longer = scene(
        "retry_after_far_beyond_the_reset_is_a_hidden_limit",
        "4.6: a wait that far exceeds Reset-After is not the bucket's",
    )
    .ask(1, EDIT)
    .too_many(
        1,
        "X-RateLimit-Scope: user\nX-RateLimit-Remaining: 0\nX-RateLimit-Reset-After: 2\n",
        "500",
    )
    .tells("rate_limited_hidden code=1 id=1 value=500000000")
    .end();
    vec![shared, user, longer, learned(), learned_for_all()]
}

/// Channel 1 is edited twice, then a hidden limit refuses.
fn twice_then_refused(name: &str, rule: &str) -> super::Scene {
    scene(name, rule)
        .taught(1, EDIT, &bucket("c", 5, 4, "15"))
        .at_ms(20_000)
        .taught(2, EDIT, &bucket("c", 5, 4, "15"))
        .at_ms(30_000)
        .ask(3, EDIT)
        .too_many(
            3,
            "X-RateLimit-Scope: user\nX-RateLimit-Remaining: 3\nX-RateLimit-Reset-After: 5\n",
            "570",
        )
        .tells("rate_limited_hidden code=1 id=3 value=570000000")
        .tells("sublimit_learned code=2 value=600000000")
}

fn learned() -> Vector {
    twice_then_refused(
        "hidden_limit_is_learned_from_one_refusal",
        "4.6: two names of a channel in ten minutes: told from the first refusal, kept to from then on",
    )
    .only_at(600_005, &["send id=3"])
    .ok(3, &bucket("c", 5, 4, "15"))
    .ask(4, EDIT)
    .gives(&[])
    .only_at(620_005, &["send id=4"])
    .counts(&[("sublimits", 1), ("limited", 1)])
    .end()
}

fn learned_for_all() -> Vector {
    twice_then_refused(
        "hidden_limit_is_kept_to_on_every_resource",
        "4.6: what one channel taught spares every other the refusal",
    )
    .taught(4, "PATCH /channels/2", &bucket("c", 5, 4, "15"))
    .taught(5, "PATCH /channels/2", &bucket("c", 5, 3, "15"))
    .ask(6, "PATCH /channels/2")
    .gives(&[])
    .only_at(600_005, &["send code=1 id=3"])
    .only_at(630_005, &["send id=6"])
    .end()
}

fn repeats() -> Vec<Vector> {
    let mut apart = scene(
        "429_does_not_spend_the_tries_for_errors",
        "4.7: a 429 was not executed; sending again does not count as a failure",
    )
    .config(json!({"retries": 1, "limited_retries": 2}))
    .ask(1, POST);
    for _ in 0..2 {
        apart = apart
            .too_many(1, "X-RateLimit-Scope: user\n", "0.5")
            .tells("retry code=1 id=1")
            .later_ms(505)
            .tick()
            .tells("send id=1");
    }
    let apart = apart
        .not_sent(1)
        .gives(&["retry code=3 id=1"])
        .later_ms(500)
        .tick()
        .gives(&["send code=3 id=1"])
        .too_many(1, "X-RateLimit-Scope: user\n", "0.5")
        .tells("deliver id=1")
        .counts(&[("retried", 3)])
        .end();
    let callback = scene(
        "429_on_a_callback_is_delivered",
        "4.9: a callback has three seconds: its caller hears of every answer",
    )
    .ask(1, CALLBACK)
    .too_many(1, "X-RateLimit-Scope: user\n", "1")
    .tells("deliver id=1")
    .keeps_back("retry")
    .end();
    vec![apart, callback]
}
