//! Whose fault a 429 is, and everything beside buckets: hidden limits, hashes, bans, ages, denials.

use core::time::Duration;

use serde_json::json;
use shardkeep_sim::Instant;
use shardkeep_sim::rest::{
    Denial, Limits, Major, Network, Refusal, Reply, Request, RestConfig, Rule, Scope, Sublimit,
    Verdict,
};

const TOKEN: Option<&str> = Some("Bot one");

fn ms(ms: u64) -> Instant {
    Instant::from_millis(ms)
}

/// A client that sends at chosen moments and hears answers at chosen moments.
struct Table {
    limits: Limits,
    id: u64,
    authorization: Option<&'static str>,
    body: &'static [u8],
    last: Option<Reply>,
}

impl Table {
    fn new(rules: Vec<Rule>) -> Self {
        Self::with(RestConfig {
            rules,
            ..RestConfig::unlimited()
        })
    }

    fn with(config: RestConfig) -> Self {
        config.check().unwrap();
        let limits = Limits::new(config, 1, Instant::ZERO, 1_795_305_600_000);
        Self {
            limits,
            id: 0,
            authorization: TOKEN,
            body: b"",
            last: None,
        }
    }

    /// Sent and arrived at these moments; `Ok` with the request's number, or why not.
    fn send(&mut self, sent: u64, arrives: u64, method: &str, path: &str) -> Result<u64, Refusal> {
        self.id += 1;
        let request = Request {
            authorization: self.authorization,
            body: self.body,
            ..Request::new(self.id, method, path, ms(sent))
        };
        match self.limits.arrive(ms(arrives), &request) {
            Verdict::Accepted(permit) => {
                let headers = self.limits.finish(permit, 200);
                self.last = Some(Reply {
                    status: 200,
                    headers,
                    body: Vec::new(),
                });
                Ok(self.id)
            }
            Verdict::Refused { reply, refusal, .. } => {
                self.last = Some(reply);
                Err(refusal)
            }
        }
    }

    fn post(&mut self, sent: u64, arrives: u64) -> Result<u64, Refusal> {
        self.send(sent, arrives, "POST", "/channels/5/messages")
    }

    fn hears(&mut self, at: u64, id: u64) {
        self.limits.received(ms(at), id);
    }

    fn header(&self, name: &str) -> &str {
        self.last.as_ref().unwrap().header(name).unwrap_or("none")
    }
}

fn messages(limit: u32, window_ms: u64) -> Rule {
    Rule::new(
        "POST",
        "/channels/{channel_id}/messages",
        "messages",
        limit,
        window_ms,
    )
}

#[test]
fn who_was_not_told_is_not_to_blame() {
    let mut table = Table::new(vec![messages(1, 1_000)]);
    assert_eq!(table.post(0, 10), Ok(1));
    assert_eq!(table.post(0, 11), Err(Refusal::Unannounced));
    // The answer is heard at 30: what was sent before is no fault, what was sent then is one.
    table.hears(30, 1);
    assert_eq!(table.post(29, 40), Err(Refusal::Unannounced));
    assert_eq!(table.post(30, 41), Err(Refusal::Announced));
    // A new major of a known route: the first requests fit, one too many is a fault.
    assert_eq!(table.send(50, 60, "POST", "/channels/6/messages"), Ok(5));
    assert_eq!(
        table.send(50, 60, "POST", "/channels/6/messages"),
        Err(Refusal::Announced)
    );
    let counters = table.limits.counters();
    assert_eq!(
        (counters.announced, counters.unannounced, counters.faults()),
        (2, 2, 2)
    );
}

#[test]
fn a_429_that_was_heard_is_kept_to() {
    let mut table = Table::new(vec![messages(1, 1_000)]);
    assert_eq!(table.post(0, 0), Ok(1));
    assert_eq!(table.post(0, 100), Err(Refusal::Unannounced));
    table.hears(110, 2);
    assert_eq!(table.post(110, 200), Err(Refusal::Announced));
    assert_eq!(table.post(1_010, 1_020), Ok(4));
}

#[test]
fn routes_that_share_a_hash_are_known_one_by_one() {
    let pins = Rule::new(
        "PUT",
        "/channels/{channel_id}/pins/{message_id}",
        "messages",
        2,
        1_000,
    );
    let mut table = Table::new(vec![messages(2, 1_000), pins]);
    let pin = |table: &mut Table, sent, at| table.send(sent, at, "PUT", "/channels/5/pins/7");
    assert_eq!(table.post(0, 10), Ok(1));
    table.hears(20, 1);
    // The pin is under way when the second post is sent: nobody can know that it counts there as well.
    assert_eq!(pin(&mut table, 30, 40), Ok(2));
    assert_eq!(table.post(35, 50), Err(Refusal::Unannounced));
    table.hears(60, 2);
    assert_eq!(table.post(60, 70), Err(Refusal::Announced));
    assert_eq!(pin(&mut table, 60, 71), Err(Refusal::Announced));
}

#[test]
fn a_lost_answer_is_no_ones_fault_until_another_speaks_for_it() {
    let mut table = Table::new(vec![messages(3, 1_000)]);
    assert_eq!(table.post(0, 10), Ok(1));
    table.hears(20, 1);
    assert_eq!(table.post(20, 30), Ok(2));
    table.limits.lost(2);
    assert_eq!(table.post(40, 50), Ok(3));
    // The client counts two; the limiter three.
    assert_eq!(table.post(45, 55), Err(Refusal::Unannounced));
    table.hears(60, 3);
    assert_eq!(table.post(60, 70), Err(Refusal::Announced));
}

#[test]
fn a_bucket_coarser_than_documented_is_discovered() {
    let mut table = Table::new(vec![messages(1, 1_000).major(Major::None)]);
    assert_eq!(table.post(0, 0), Ok(1));
    table.hears(10, 1);
    assert_eq!(
        table.send(20, 30, "POST", "/channels/6/messages"),
        Err(Refusal::Unannounced)
    );
}

#[test]
fn hidden_limits_show_themselves_by_429() {
    let rename = Sublimit {
        name: "rename".to_owned(),
        limit: 1,
        window_ms: 10_000,
        per: Major::Channel,
        fields: vec!["name".to_owned()],
        ..Sublimit::default()
    };
    let rule = Rule::new("PATCH", "/channels/{channel_id}", "edit", 5, 1_000).sublimit(rename);
    let mut table = Table::new(vec![rule]);
    table.body = br#"{"name":"a"}"#;
    let patch = |table: &mut Table, sent, at| table.send(sent, at, "PATCH", "/channels/5");
    assert_eq!(patch(&mut table, 0, 0), Ok(1));
    assert_eq!(patch(&mut table, 1, 1), Err(Refusal::Hidden));
    assert_eq!(table.header("X-RateLimit-Scope"), "user");
    assert_eq!(
        (
            table.header("X-RateLimit-Remaining"),
            table.header("Retry-After")
        ),
        ("4", "10")
    );
    table.hears(5, 2);
    assert_eq!(patch(&mut table, 6, 6), Err(Refusal::HiddenEarly));
    // Other fields and other channels are free.
    table.body = br#"{"nsfw":true}"#;
    assert_eq!(patch(&mut table, 7, 7), Ok(4));
    table.body = br#"{"name":"a"}"#;
    assert_eq!(table.send(8, 8, "PATCH", "/channels/6"), Ok(5));
    // What was heard at 5 said 9.999 s.
    assert_eq!(patch(&mut table, 10_004, 10_005), Ok(6));
    assert_eq!(
        patch(&mut table, 10_006, 10_006),
        Err(Refusal::HiddenRepeat)
    );
}

#[test]
fn shared_limits_are_not_invalid_requests() {
    let shared = |scope| Sublimit {
        name: "all".to_owned(),
        window_ms: 60_000,
        scope,
        ..Sublimit::default()
    };
    for (scope, invalid) in [(Scope::Shared, 0), (Scope::User, 1)] {
        let mut table = Table::new(vec![messages(5, 1_000).sublimit(shared(scope))]);
        assert_eq!(table.post(0, 0), Ok(1));
        // Another bot: a shared limit is over for it as well.
        table.authorization = Some("Bot two");
        assert_eq!(table.post(0, 1).is_err(), scope == Scope::Shared);
        table.authorization = TOKEN;
        if scope == Scope::User {
            assert_eq!(table.post(0, 2), Err(Refusal::Hidden));
        }
        assert_eq!(table.limits.counters().invalid, invalid);
    }
}

#[test]
fn hashes_change_and_alternate() {
    let mut table = Table::new(vec![messages(1, 60_000).changes_to(500, "later")]);
    assert_eq!(table.post(0, 0), Ok(1));
    assert_eq!(table.header("X-RateLimit-Bucket"), "messages");
    table.hears(10, 1);
    assert_eq!(table.post(500, 500), Ok(2), "new counters are empty");
    assert_eq!(table.header("X-RateLimit-Bucket"), "later");
    // Nobody was told of the new hash yet.
    assert_eq!(table.post(501, 501), Err(Refusal::Unannounced));

    let mut table = Table::new(vec![messages(3, 60_000).alternates_with("other")]);
    let hashes: Vec<String> = (0..3)
        .map(|at| {
            table.post(at, at).unwrap();
            table.header("X-RateLimit-Bucket").to_owned()
        })
        .collect();
    assert_eq!(hashes, ["messages", "other", "messages"]);
    assert!(table.post(5, 5).is_err(), "the counters are the same");
}

#[test]
fn one_hash_may_have_separate_counters() {
    let edit = Rule::new(
        "PATCH",
        "/channels/{channel_id}/messages/{message_id}",
        "messages",
        1,
        1_000,
    );
    let mut table = Table::new(vec![messages(1, 1_000), edit.counter("edit")]);
    assert_eq!(table.post(0, 0), Ok(1));
    assert_eq!(table.send(0, 0, "PATCH", "/channels/5/messages/6"), Ok(2));
}

#[test]
fn deletions_count_by_age() {
    let mut table = Table::with(RestConfig {
        rules: RestConfig::default().rules,
        ..RestConfig::unlimited()
    });
    let now_ms = 1_795_305_600_000_u64 - 1_420_070_400_000;
    let limit = |table: &mut Table, age_ms: u64| {
        let path = format!("/channels/5/messages/{}", (now_ms - age_ms) << 22);
        table.send(0, 0, "DELETE", &path).unwrap();
        table.header("X-RateLimit-Limit").to_owned()
    };
    assert_eq!(limit(&mut table, 1_000), "5");
    assert_eq!(limit(&mut table, 60_000), "3");
    assert_eq!(limit(&mut table, 20 * 86_400_000), "30");
}

#[test]
fn the_global_limit_is_per_authorisation_and_spares_interactions() {
    let mut config = RestConfig::unlimited();
    (config.global.limit, config.global.limit_per_address) = (1, 2);
    let mut table = Table::with(config.clone());
    assert!(table.send(0, 0, "GET", "/users/1").is_ok());
    assert_eq!(
        table.send(0, 0, "GET", "/users/2"),
        Err(Refusal::GlobalAnnounced)
    );
    assert_eq!(
        (
            table.header("X-RateLimit-Scope"),
            table.header("X-RateLimit-Global")
        ),
        ("global", "true")
    );
    for path in [
        "/interactions/1/t/callback",
        "/webhooks/1/aW50ZXJhY3Rpb246x",
        "/webhooks/1/aW50ZXJhY3Rpb246x/messages/@original",
    ] {
        assert!(table.send(0, 0, "POST", path).is_ok(), "{path}");
    }
    assert_eq!(
        table.send(0, 0, "POST", "/webhooks/1/plain"),
        Err(Refusal::GlobalAnnounced)
    );
    table.authorization = Some("Bot two");
    assert!(table.send(0, 0, "GET", "/users/1").is_ok());
    table.authorization = None;
    assert!(table.post(0, 0).is_ok() && table.post(0, 0).is_ok() && table.post(0, 0).is_err());

    config.global.known = false;
    let mut table = Table::with(config);
    assert!(table.post(0, 0).is_ok());
    assert_eq!(table.post(0, 1), Err(Refusal::GlobalUnannounced));
    table.hears(10, 2);
    assert_eq!(table.post(10, 11), Err(Refusal::GlobalAnnounced));
}

#[test]
fn too_many_invalid_requests_ban_the_address() {
    let mut config = RestConfig {
        rules: vec![messages(1, 600_000)],
        ..RestConfig::unlimited()
    };
    (config.guard.limit, config.guard.ban_ms) = (3, 5_000);
    let mut table = Table::with(config);
    assert!(table.post(0, 0).is_ok());
    for _ in 0..4 {
        assert_eq!(table.post(0, 1), Err(Refusal::Unannounced));
    }
    table.authorization = Some("Bot two");
    assert_eq!(table.post(2, 2), Err(Refusal::Banned));
    let page = table.last.as_ref().unwrap();
    assert_eq!(
        (page.status, page.header("via"), page.header("retry-after")),
        (429, None, Some("5"))
    );
    assert_eq!(page.body, b"error code: 1015");
    assert!(table.post(5_001, 5_001).is_ok());
    assert_eq!(table.limits.counters().bans, 1);
}

#[test]
fn denied_resources_and_wrong_tokens_count_as_invalid() {
    let denied = |placeholder: &str, ids: &[&str], remainder, status, code| Denial {
        path: "/webhooks/{webhook_id}/{webhook_token}".to_owned(),
        placeholder: placeholder.to_owned(),
        ids: ids.iter().map(ToString::to_string).collect(),
        remainder,
        status,
        code,
    };
    let config = RestConfig {
        denied: vec![
            denied("webhook_id", &["7"], None, 404, 10_015),
            denied("webhook_id", &[], Some([2, 1]), 403, 50_001),
        ],
        ..RestConfig::unlimited()
    };
    let mut network = Network::new(config, 1);
    let (gone, forbidden, fine) = (
        "/webhooks/7/t",
        format!("/webhooks/{}/t", 3_u64 << 22),
        "/webhooks/8/t",
    );
    for (id, path) in (0..).zip([gone, &forbidden, fine]) {
        network.send(
            Instant::ZERO,
            &Request::new(id, "POST", path, Instant::ZERO),
        );
    }
    network.handle_timeout(Instant::ZERO + Duration::from_secs(1));
    let mut statuses = Vec::new();
    while let Some(heard) = network.poll_output() {
        let reply = heard.reply.unwrap();
        let body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
        statuses.push((reply.status, body["code"].clone()));
    }
    assert_eq!(
        statuses,
        [
            (404, json!(10_015)),
            (403, json!(50_001)),
            (200, json!(null))
        ]
    );
    assert_eq!(network.limits().counters().invalid, 1);
}

#[test]
fn what_was_let_through_is_compared_with_the_best() {
    let mut table = Table::new(vec![messages(2, 1_000)]);
    for at in [100, 200, 1_300, 1_400, 2_500] {
        table.post(at, at).unwrap();
    }
    let so_far = table.limits.so_far();
    assert_eq!(
        (
            so_far.accepted,
            so_far.first_us,
            so_far.last_us,
            so_far.best_us
        ),
        (5, 100_000, 2_500_000, 2_100_000)
    );
}
