//! The proxy's cache of answers: whom it serves, for how long, and what ends it.

use std::time::Duration;

use serde_json::json;
use shardkeep::proxy::Proxy;

mod proxy_support;
mod rest_support;

use proxy_support::{Got, ask, get, open, settings};
use rest_support::{Say, Server, say};

const GUILD: &str = "/api/v10/guilds/41771983423143937";

async fn start(script: impl IntoIterator<Item = Say>) -> (Server, Proxy) {
    let server = Server::start(script).await;
    let mut cached = settings(&server.base);
    cached.cache_ttl = Duration::from_secs(600);
    let proxy = open(cached).await;
    (server, proxy)
}

fn is_hit(got: &Got) -> bool {
    assert_eq!(got.status, 200, "{got:?}");
    got.header("x-shardkeep-cache") == "hit"
}

#[tokio::test]
async fn an_answer_serves_the_same_question_of_the_same_token() {
    let (server, proxy) = start([say(200, r#"{"name":"first"}"#)]).await;
    assert!(!is_hit(&get(&proxy, GUILD).await));
    let again = get(&proxy, GUILD).await;
    assert!(is_hit(&again));
    assert_eq!(again.json(), json!({"name": "first"}));
    let other = ask(&proxy, "GET", GUILD, &[("authorization", "Bot a.b.c")], "").await;
    assert!(!is_hit(&other));
    for path in [
        format!("{GUILD}?with_counts=true"),
        GUILD.replace("v10", "v9"),
    ] {
        assert!(!is_hit(&get(&proxy, &path).await), "{path}");
    }
    let fresh = ask(&proxy, "GET", GUILD, &[("cache-control", "no-cache")], "").await;
    assert!(!is_hit(&fresh));
    let localised = ask(&proxy, "GET", GUILD, &[("x-discord-locale", "de")], "").await;
    assert!(!is_hit(&localised));
    assert_eq!(server.seen().len(), 6);
}

#[tokio::test]
async fn what_is_no_plain_success_or_must_be_fresh_is_not_kept() {
    let missing = || say(404, r#"{"message":"Unknown Guild","code":10004}"#);
    let (_server, proxy) = start([missing(), missing()]).await;
    for _ in 0..2 {
        assert_eq!(get(&proxy, GUILD).await.status, 404);
    }
    for _ in 0..2 {
        assert!(!is_hit(&get(&proxy, "/api/v10/gateway/bot").await));
    }
    let webhook = "/api/v10/webhooks/81384788765712384/secret";
    for _ in 0..2 {
        assert!(!is_hit(&get(&proxy, webhook).await));
    }
    assert_eq!(get(&proxy, "/status").await.json()["cache"]["entries"], 0);
}

#[tokio::test]
async fn a_write_below_the_same_resource_ends_it() {
    let (_server, proxy) = start([]).await;
    let roles = format!("{GUILD}/roles");
    let channel = "/api/v10/channels/81384788765712384";
    for path in [GUILD, &roles, channel] {
        assert!(!is_hit(&get(&proxy, path).await));
        assert!(is_hit(&get(&proxy, path).await));
    }
    assert_eq!(
        ask(&proxy, "PATCH", &format!("{roles}/1"), &[], "{}")
            .await
            .status,
        200
    );
    assert!(is_hit(&get(&proxy, channel).await));
    for path in [GUILD, &roles] {
        assert!(!is_hit(&get(&proxy, path).await), "{path}");
    }
    // A channel's path does not say which guild it is in: the header may.
    let guild = [("x-shardkeep-guild", "41771983423143937")];
    assert_eq!(
        ask(&proxy, "PATCH", channel, &guild, "{}").await.status,
        200
    );
    for path in [GUILD, channel] {
        assert!(!is_hit(&get(&proxy, path).await), "{path}");
    }
}

#[tokio::test]
async fn an_answer_that_a_write_overtook_is_not_kept() {
    let (_server, proxy) = start([Say::Late(Duration::from_millis(100))]).await;
    let (read, written) = tokio::join!(get(&proxy, GUILD), async {
        tokio::time::sleep(Duration::from_millis(30)).await;
        ask(&proxy, "PATCH", GUILD, &[], "{}").await
    });
    assert_eq!((read.status, written.status), (200, 200));
    assert!(!is_hit(&get(&proxy, GUILD).await));
}

#[tokio::test]
async fn a_prefix_is_emptied_on_request() {
    let (_server, proxy) = start([]).await;
    let paths = [
        GUILD.to_owned(),
        format!("{GUILD}/roles"),
        format!("{GUILD}0"),
    ];
    for path in &paths {
        assert!(!is_hit(&get(&proxy, path).await));
    }
    let cache = "/_shardkeep/cache?prefix=/guilds/41771983423143937";
    assert_eq!(
        ask(&proxy, "DELETE", cache, &[], "").await.json(),
        json!({"removed": 2})
    );
    let hits: Vec<_> = [
        is_hit(&get(&proxy, &paths[0]).await),
        is_hit(&get(&proxy, &paths[1]).await),
        is_hit(&get(&proxy, &paths[2]).await),
    ]
    .into();
    assert_eq!(hits, [false, false, true]);
    assert_eq!(
        ask(&proxy, "DELETE", "/cache", &[], "").await.json(),
        json!({"removed": 3})
    );
    let counts = get(&proxy, "/status").await.json()["cache"].clone();
    assert_eq!(
        (&counts["bytes"], &counts["invalidated"]),
        (&json!(0), &json!(5))
    );
}

#[tokio::test]
async fn without_a_time_to_live_nothing_is_kept() {
    let server = Server::start([]).await;
    let proxy = open(settings(&server.base)).await;
    for _ in 0..2 {
        assert!(!is_hit(&get(&proxy, GUILD).await));
    }
    assert_eq!(server.seen().len(), 2);
}
