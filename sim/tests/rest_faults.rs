//! Everything beside buckets: shared limits, hashes, bans, ages, denials.

mod rest_table;

use core::time::Duration;

use rest_table::{TOKEN, Table, messages};
use serde_json::json;
use shardkeep_sim::Instant;
use shardkeep_sim::rest::{Denial, Network, Refusal, Request, RestConfig, Rule, Scope, Sublimit};

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
