//! The global limit: told by a 429, kept to by a sliding log, lowered and raised.

use serde_json::json;

use super::super::model::Vector;
use super::{BOT, VIA, scene, slow_down};

const CALLBACK: &str = "POST /interactions/5/aW50ZXJhY3Rpb246one/callback";
const FOLLOW_UP: &str = "POST /webhooks/3/aW50ZXJhY3Rpb246one";

pub(crate) fn vectors() -> Vec<Vector> {
    let mut vectors = globals();
    vectors.extend(global_limit());
    vectors
}

fn globals() -> Vec<Vector> {
    let cases = [
        (
            "global_429_by_its_body",
            "4.7 row 2: global in the body: the identity waits for retry_after",
            "",
            true,
        ),
        (
            "global_429_by_its_header",
            "4.7 row 2: X-RateLimit-Global says the same",
            "X-RateLimit-Global: true\n",
            false,
        ),
        (
            "global_429_by_its_scope",
            "4.7 row 2: X-RateLimit-Scope: global says the same",
            "X-RateLimit-Scope: global\n",
            false,
        ),
    ];
    let vector = |(name, rule, headers, is_global): (&str, &str, &str, bool)| {
        scene(name, rule)
            .ask(1, "GET /channels/1")
            .answer(
                1,
                429,
                &format!("{VIA}{headers}Retry-After: 2\n"),
                &slow_down("1.5", is_global),
            )
            .gives(&[
                "rate_limited code=2 id=1 value=1500000 text~GET",
                "global_limited code=1 value=1505000",
                "global_learned code=1 value=45",
                "retry code=1 id=1",
            ])
            .ask(2, "GET /channels/2")
            .gives(&[])
            .ask_as(BOT + 1, 3, "GET /channels/2", "")
            .gives(&["send id=3"])
            .ask(4, CALLBACK)
            .gives(&["send id=4"])
            .ask(5, FOLLOW_UP)
            .gives(&["send id=5"])
            .only_at(1_505, &["send id=1", "send id=2"])
            .counts(&[("limited_global", 1), ("invalid", 1)])
            .end()
    };
    cases.into_iter().map(vector).collect()
}

fn global_limit() -> Vec<Vector> {
    let three = |name: &str, rule: &str| {
        scene(name, rule)
            .config(json!({"global_limit": 3}))
            .ask(1, "GET /channels/1")
            .ask(2, "GET /channels/2")
            .ask(3, "GET /channels/3")
            .gives(&["send id=3"])
            .ask(4, "GET /channels/4")
            .gives(&[])
    };
    let log = three(
        "global_limit_is_a_sliding_log",
        "4.5: a request counts until a second after its answer: it may have arrived as late as that",
    )
    .at_ms(40)
    .ok(1, VIA)
    .gives(&["deliver id=1"])
    .ask(5, "GET /channels/5")
    .gives(&[])
    .only_at(1_040, &["send id=4"])
    .end();
    let slow = three(
        "unanswered_request_counts_until_it_must_have_arrived",
        "4.5: without an answer a request counts for the time that it can take to arrive, and a second",
    )
    .only_at(2_000, &["send id=4"])
    .end();
    let back = three(
        "request_that_never_left_does_not_count_globally",
        "4.5: a request that was not sent gives its place back",
    )
    .not_sent(2)
    .gives(&["retry code=3 id=2", "send id=4"])
    .end();
    let raised = three(
        "global_limit_is_raised_by_the_user",
        "4.5: larger bots have it raised by support: it is a setting",
    )
    .global_limit(BOT, 4)
    .gives(&["send id=4"])
    .end();
    let exempt = three(
        "interactions_are_exempt_from_the_global_limit",
        "4.5: callbacks and follow-ups are not bound",
    )
    .ask(5, CALLBACK)
    .gives(&["send id=5"])
    .ask(6, FOLLOW_UP)
    .gives(&["send id=6"])
    .ask(7, "POST /webhooks/9/token")
    .gives(&[])
    .end();
    vec![log, slow, back, raised, exempt, climbs(), named(), up()]
}

fn limited_globally(name: &str, rule: &str, headers: &str) -> super::Scene {
    scene(name, rule)
        .ask(1, "GET /channels/1")
        .answer(1, 429, &format!("{VIA}{headers}"), &slow_down("1", true))
        .tells("global_limited code=1")
}

fn climbs() -> Vector {
    limited_globally(
        "global_limit_is_lowered_and_climbs_back",
        "4.5: a limit that Discord disagreed with is lowered by a tenth and raised step by step",
        "",
    )
    .tells("global_learned code=1 value=45")
    .at_ms(60_000)
    .tick()
    .tells("global_learned code=1 value=48")
    .at_ms(120_000)
    .tick()
    .tells("global_learned code=1 value=50")
    .end()
}

fn named() -> Vector {
    limited_globally(
        "global_limit_that_discord_names_is_taken",
        "4.5: headers of a global 429 without a bucket speak of the global limit",
        "X-RateLimit-Global: true\nX-RateLimit-Limit: 30\n",
    )
    .tells("global_learned code=1 value=30")
    .end()
}

fn up() -> Vector {
    limited_globally(
        "global_limit_is_learned_upwards",
        "4.5: Discord's word counts more than the configuration's",
        "X-RateLimit-Global: true\nX-RateLimit-Limit: 1200\n",
    )
    .tells("global_learned code=1 value=1200")
    .end()
}
