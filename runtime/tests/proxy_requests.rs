//! The proxy as clients see it: who is let in, what reaches Discord, what comes back, what is refused.

use http_body_util::Full;
use hyper::Request;
use serde_json::json;
use shardkeep::core::Token;
use shardkeep::proxy::{Access, ProxyError, Settings};

mod proxy_support;
mod rest_support;

use proxy_support::{KEY, ask, get, open, send, settings};
use rest_support::{Say, Server, say};

async fn start(script: impl IntoIterator<Item = Say>) -> (Server, shardkeep::proxy::Proxy) {
    let server = Server::start(script).await;
    let proxy = open(settings(&server.base)).await;
    (server, proxy)
}

fn bare(path: &str) -> hyper::http::request::Builder {
    Request::builder().uri(path).header("host", "proxy")
}

#[tokio::test]
async fn nobody_gets_in_without_the_key() {
    let (server, proxy) = start([]).await;
    let path = "/api/v10/users/@me";
    for request in [
        bare(path),
        bare(path).header("x-shardkeep-key", "wrong-horse-battery-staple"),
        bare(path).header("authorization", format!("Bearer {KEY}")),
        bare("/_shardkeep/key/wrong/api/v10/users/@me"),
        bare("/status"),
        bare("/_shardkeep/metrics"),
    ] {
        let got = send(&proxy, request.body(Full::default()).unwrap()).await;
        assert_eq!((got.status, &*got.reason()), (401, "unauthorized"));
        assert!(
            got.json()["message"]
                .as_str()
                .unwrap()
                .contains("X-Shardkeep-Key")
        );
    }
    let with_key = format!("/_shardkeep/key/{KEY}{path}");
    for request in [
        bare(path).header("x-shardkeep-key", KEY),
        bare(path).header("proxy-authorization", format!("Bearer {KEY}")),
        bare(&with_key),
        bare("/status").header("authorization", format!("Bearer {KEY}")),
    ] {
        let got = send(&proxy, request.body(Full::default()).unwrap()).await;
        assert_eq!(got.status, 200, "{got:?}");
    }
    let health = send(&proxy, bare("/health").body(Full::default()).unwrap()).await;
    assert_eq!(health.status, 200);
    assert_eq!(server.seen().len(), 3);
    assert!(server.seen().iter().all(|seen| seen.path == path));
    assert!(
        !format!("{:?}", server.seen()).contains(KEY),
        "the key stays here"
    );
}

#[tokio::test]
async fn an_open_proxy_is_for_this_machine_alone() {
    let mut remote = Settings::new(Access::Open);
    remote.listen = "0.0.0.0:0".parse().unwrap();
    let refused = shardkeep::proxy::Proxy::start(remote).await.unwrap_err();
    assert!(matches!(refused, ProxyError::OpenRemote(_)), "{refused}");
    let server = Server::start([]).await;
    let mut local = settings(&server.base);
    local.access = Access::Open;
    let proxy = open(local).await;
    let me = |host: &str| {
        Request::builder()
            .uri("/api/v10/users/@me")
            .header("host", host)
    };
    let local = me("localhost:8080").body(Full::default()).unwrap();
    assert_eq!(send(&proxy, local).await.status, 200);
    let page = me("localhost:8080").header("origin", "https://evil.example");
    for page in [page, me("evil.example:8080")] {
        let got = send(&proxy, page.body(Full::default()).unwrap()).await;
        assert_eq!((got.status, &*got.reason()), (403, "from_browser"));
    }
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_request_reaches_discord_as_it_was_sent() {
    let (server, proxy) = start([say(201, r#"{"id":"7"}"#)]).await;
    let got = ask(
        &proxy,
        "POST",
        "/api/v9/channels/1/messages?wait=true&x=%20",
        &[
            ("authorization", "Bot a.b.c"),
            ("content-type", "application/json"),
            ("x-audit-log-reason", "spam%20bot"),
            ("user-agent", "DiscordBot (https://example.org, 1) mine"),
            ("x-shardkeep-priority", "user"),
            ("x-forwarded-for", "10.0.0.1"),
            ("cookie", "a=b"),
        ],
        r#"{"content":"hello"}"#,
    )
    .await;
    assert_eq!((got.status, &got.body[..]), (201, &br#"{"id":"7"}"#[..]));
    assert_eq!(got.header("x-shardkeep-request"), "1");
    let seen = &server.seen()[0];
    assert_eq!(seen.method, "POST");
    assert_eq!(seen.path, "/api/v9/channels/1/messages?wait=true&x=%20");
    assert_eq!(&seen.body[..], br#"{"content":"hello"}"#);
    assert_eq!(seen.header("authorization"), "Bot a.b.c");
    assert_eq!(seen.header("x-audit-log-reason"), "spam%20bot");
    assert_eq!(
        seen.header("user-agent"),
        "DiscordBot (https://example.org, 1) mine"
    );
    assert_eq!(seen.header("content-length"), "19");
    for gone in [
        "x-shardkeep-key",
        "x-shardkeep-priority",
        "x-forwarded-for",
        "cookie",
    ] {
        assert!(!seen.headers.contains_key(gone), "{gone}");
    }
}

#[tokio::test]
async fn versions_and_agents_are_completed() {
    let (server, proxy) = start([]).await;
    for path in ["/api/users/@me", "/v10/users/@me", "/api/v10/users/@me"] {
        let got = ask(&proxy, "GET", path, &[("user-agent", "curl/8")], "").await;
        assert_eq!(got.status, 200);
    }
    for seen in server.seen() {
        assert_eq!(seen.path, "/api/v10/users/@me");
        assert!(
            seen.header("user-agent")
                .starts_with("DiscordBot (https://")
        );
        assert!(!seen.headers.contains_key("authorization"));
    }
}

#[tokio::test]
async fn what_cannot_be_understood_is_refused_with_what_can() {
    let (server, proxy) = start([]).await;
    let me = "/api/v10/users/@me";
    for (method, path, headers, status, said) in [
        (
            "GET",
            me,
            &[("x-shardkeep-priority", "asap")][..],
            400,
            "interaction, user, normal",
        ),
        (
            "GET",
            me,
            &[("x-shardkeep-deadline-ms", "-5")],
            400,
            "1 to 86400000",
        ),
        ("GET", me, &[("x-shardkeep-guild", "mine")], 400, "digits"),
        ("GET", "/api/v10", &[], 400, "path"),
        ("GET", "/api/v10/channels/../users", &[], 400, ""),
        ("HEAD", me, &[], 405, ""),
        ("OPTIONS", me, &[], 405, "GET, POST, PUT, PATCH and DELETE"),
        ("GET", "/users/@me", &[], 404, "/api or /v10"),
        ("POST", "/status", &[], 405, "GET"),
        ("GET", "/cache", &[], 405, "DELETE"),
        ("GET", "/explain", &[], 400, "X-Shardkeep-Request"),
        ("GET", "/explain?id=999", &[], 404, "never submitted"),
        ("DELETE", "/cache?prefix=guilds", &[], 400, "/guilds/"),
    ] {
        let got = ask(&proxy, method, path, headers, "").await;
        assert_eq!(got.status, status, "{method} {path} {headers:?}");
        if method != "HEAD" {
            let message = got.json()["message"].to_string();
            assert!(message.contains(said), "{method} {path}: {message}");
        }
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn discords_errors_come_back_and_its_limits_do_not() {
    let error = r#"{"message":"Missing Access","code":50001}"#;
    let with_limits = Say::Answer {
        status: 403,
        headers: vec![
            ("x-ratelimit-remaining", "0".to_owned()),
            ("x-ratelimit-reset-after", "9".to_owned()),
            ("set-cookie", "a=b".to_owned()),
        ],
        body: error.to_owned(),
    };
    let (_server, proxy) = start([with_limits]).await;
    let got = get(&proxy, "/api/v10/channels/1").await;
    assert_eq!((got.status, &got.body[..]), (403, error.as_bytes()));
    assert_eq!(got.header("via"), "1.1 test");
    for gone in [
        "x-ratelimit-remaining",
        "x-ratelimit-reset-after",
        "set-cookie",
    ] {
        assert!(!got.headers.contains_key(gone), "{gone}");
    }
}

#[tokio::test]
async fn tokens_are_kept_apart_and_a_wrong_one_stops_only_itself() {
    let unauthorized = || say(401, r#"{"message":"401: Unauthorized","code":0}"#);
    let server = Server::start([unauthorized(), say(200, "{}"), unauthorized()]).await;
    let mut with_token = settings(&server.base);
    with_token.token = Some(Token::new("own.token.x").unwrap());
    let proxy = open(with_token).await;
    let me = async |token: &str| {
        ask(
            &proxy,
            "GET",
            "/api/v10/users/@me",
            &[("authorization", token)],
            "",
        )
        .await
    };
    assert_eq!(me("Bot wrong").await.status, 401);
    let again = me("Bot wrong").await;
    assert_eq!((again.status, &*again.reason()), (401, "token_rejected"));
    assert_eq!(me("Bot right").await.status, 200);
    // A grant that does not reach one route may reach another.
    assert_eq!(me("Bearer narrow").await.status, 401);
    assert_eq!(me("Bearer narrow").await.status, 200);
    assert_eq!(get(&proxy, "/api/v10/users/@me").await.status, 200);
    let seen = server.seen();
    let tokens: Vec<_> = seen
        .iter()
        .map(|seen| seen.header("authorization"))
        .collect();
    let narrow = "Bearer narrow";
    assert_eq!(
        tokens,
        ["Bot wrong", "Bot right", narrow, narrow, "Bot own.token.x"]
    );
    let status = get(&proxy, "/status").await;
    assert_eq!(
        status.json()["tokens"],
        json!({"known": 4, "in_use": 0, "replaced": 0})
    );
    for shown in [&status, &get(&proxy, "/metrics").await] {
        let text = String::from_utf8_lossy(&shown.body);
        assert!(
            !text.contains("own.token") && !text.contains("narrow"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_webhook_needs_no_token_and_is_not_called_again_once_gone() {
    let gone = || say(404, r#"{"message":"Unknown Webhook","code":10015}"#);
    let (server, proxy) = start([gone(), gone(), gone(), gone()]).await;
    let path = "/api/v10/webhooks/81384788765712384/secret-of-the-webhook";
    let headers = [("authorization", "Bot a.b.c")];
    let mut last = ask(&proxy, "POST", path, &headers, "{}").await;
    for _ in 0..4 {
        assert_eq!(last.status, 404);
        last = ask(&proxy, "POST", path, &headers, "{}").await;
    }
    assert_eq!((last.status, &*last.reason()), (404, "webhook_gone"));
    assert_eq!(last.json()["code"], 10_015);
    assert!(!String::from_utf8_lossy(&last.body).contains("secret-of"));
    assert!(
        server
            .seen()
            .iter()
            .all(|seen| !seen.headers.contains_key("authorization"))
    );
}

#[tokio::test]
async fn an_unreachable_discord_is_a_bad_gateway() {
    let mut nowhere = settings("http://127.0.0.1:9/api/v10");
    nowhere.rest.scheduler.retries = 0;
    let proxy = open(nowhere).await;
    let got = get(&proxy, "/api/v10/users/@me").await;
    assert_eq!((got.status, &*got.reason()), (502, "unreachable"));
    let metrics = get(&proxy, "/_shardkeep/metrics").await;
    let text = String::from_utf8(metrics.body.to_vec()).unwrap();
    assert!(
        text.contains("shardkeep_proxy_refused_total{reason=\"unreachable\"} 1"),
        "{text}"
    );
    assert!(text.ends_with("# EOF\n"));
}
