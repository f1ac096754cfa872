//! The lower layer of REST against a server: answers, retries, failures, cancelling, stopping.

use std::time::Duration;

use shardkeep::clock;
use shardkeep::core::Token;
use shardkeep::core::rest::route::Method;
use shardkeep::core::rest::{Auth, Failure, Refusal};
use shardkeep::rest::{Body, Client, RawRequest, RestError, Settings};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

mod rest_support;

use rest_support::{Say, Server, limited, say};

const TOKEN: &str = "secret.token.text";

async fn client(script: impl IntoIterator<Item = Say>) -> (Server, Client, Auth) {
    let server = Server::start(script).await;
    let client = Client::start(server.settings()).expect("a client");
    let auth = client.add_token(&Token::new(TOKEN).expect("a token"));
    (server, client, auth)
}

fn get(auth: Auth, path: &str) -> RawRequest {
    RawRequest::new(auth, Method::Get, path)
}

fn post(auth: Auth, body: &'static str) -> RawRequest {
    let mut request = RawRequest::new(auth, Method::Post, "/channels/81384788765712384/messages");
    request.headers.insert(
        "content-type",
        "application/json".parse().expect("a header"),
    );
    request.body = Body::from(body);
    request
}

#[tokio::test]
async fn a_request_carries_token_client_and_body() {
    let (server, client, auth) = client([say(200, r#"{"id":"1"}"#)]).await;
    let answer = client
        .submit(post(auth, r#"{"content":"x"}"#))
        .unwrap()
        .await
        .unwrap();
    assert_eq!(
        (answer.status, &answer.body[..]),
        (200, &br#"{"id":"1"}"#[..])
    );
    let seen = &server.seen()[0];
    assert_eq!(
        (&*seen.method, &*seen.path),
        ("POST", "/api/v10/channels/81384788765712384/messages")
    );
    assert_eq!(seen.header("authorization"), "Bot secret.token.text");
    assert!(
        seen.header("user-agent")
            .starts_with("DiscordBot (https://"),
        "{seen:?}"
    );
    assert_eq!(
        (seen.header("content-length"), &seen.body[..]),
        ("15", &br#"{"content":"x"}"#[..])
    );
}

#[tokio::test]
async fn what_discord_refuses_for_a_while_is_sent_again() {
    let (server, client, auth) =
        client([limited(0.05), say(503, ""), Say::Hang, say(200, "[1]")]).await;
    let answer = client
        .submit(get(auth, "/users/@me"))
        .unwrap()
        .await
        .unwrap();
    assert_eq!(
        (answer.status, &answer.body[..], server.seen().len()),
        (200, &b"[1]"[..], 4)
    );
    assert_eq!(client.stats().limited, 1);
}

#[tokio::test]
async fn a_post_that_left_is_not_repeated_unless_its_nonce_is_enforced() {
    let (server, client, auth) = client([Say::Hang]).await;
    let error = client.submit(post(auth, "{}")).unwrap().await.unwrap_err();
    assert!(
        matches!(
            error,
            RestError::Transport {
                failure: Failure::Unanswered,
                ..
            }
        ),
        "{error:?}"
    );
    assert_eq!(server.seen().len(), 1);

    let (server, client, auth) = self::client([Say::Hang]).await;
    let request = post(auth, r#"{"nonce":"1","enforce_nonce":true}"#);
    assert_eq!(client.submit(request).unwrap().await.unwrap().status, 200);
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn what_cannot_be_reached_is_said_and_nothing_was_sent() {
    let mut settings = Server::start([]).await.settings();
    settings.base = "http://127.0.0.1:1/api".to_owned();
    settings.scheduler.retries = 1;
    let client = Client::start(settings).unwrap();
    let error = client
        .submit(get(Auth::NONE, "/gateway"))
        .unwrap()
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            RestError::Transport {
                failure: Failure::NotSent,
                ..
            }
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn silence_ends_in_a_timeout() {
    let server = Server::start([Say::Late(Duration::from_secs(60))]).await;
    let mut settings = server.settings();
    settings.timeout = Duration::from_millis(50);
    let client = Client::start(settings).unwrap();
    let error = client
        .submit(post(Auth::NONE, "{}"))
        .unwrap()
        .await
        .unwrap_err();
    assert!(matches!(error, RestError::Timeout { .. }), "{error:?}");
}

#[tokio::test]
async fn two_tokens_are_two_identities() {
    let (server, client, first) = client([]).await;
    let second = client.add_token(&Token::new("another.token.text").unwrap());
    assert_ne!(first, second);
    assert_eq!(client.add_token(&Token::new(TOKEN).unwrap()), first);
    for auth in [first, second, Auth::NONE] {
        client
            .submit(get(auth, "/users/@me"))
            .unwrap()
            .await
            .unwrap();
    }
    let sent: Vec<_> = server
        .seen()
        .iter()
        .map(|seen| seen.header("authorization").to_owned())
        .collect();
    assert_eq!(
        sent,
        ["Bot secret.token.text", "Bot another.token.text", ""]
    );
}

#[tokio::test]
async fn a_token_that_discord_refuses_stops_until_it_is_replaced() {
    let (server, client, auth) = client([say(401, "{}")]).await;
    assert_eq!(
        client
            .submit(get(auth, "/users/@me"))
            .unwrap()
            .await
            .unwrap()
            .status,
        401
    );
    let error = client
        .submit(get(auth, "/users/@me"))
        .unwrap()
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            RestError::Refused {
                why: Refusal::TokenRejected,
                ..
            }
        ),
        "{error:?}"
    );
    assert!(client.replace_token(auth, &Token::new("new.token.text").unwrap()));
    assert_eq!(
        client
            .submit(get(auth, "/users/@me"))
            .unwrap()
            .await
            .unwrap()
            .status,
        200
    );
    assert_eq!(
        server.seen()[1].header("authorization"),
        "Bot new.token.text"
    );
}

#[tokio::test]
async fn a_deadline_that_cannot_be_kept_is_refused_at_once_with_the_time_it_would_take() {
    let (_server, client, auth) = client([limited(30.0)]).await;
    let first = client.submit(get(auth, "/channels/1/messages")).unwrap();
    while client.stats().limited == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let mut request = get(auth, "/channels/1/messages");
    request.deadline = Some(clock::now() + Duration::from_secs(3));
    let error = client.submit(request).unwrap().await.unwrap_err();
    let RestError::Refused {
        why: Refusal::DeadlineTooSoon,
        wait: Some(wait),
        ..
    } = error
    else {
        panic!("{error:?}");
    };
    assert!(
        wait > Duration::from_secs(20) && wait < Duration::from_secs(40),
        "{wait:?}"
    );
    assert!(client.explain(first.id()).is_some());
}

#[tokio::test]
async fn a_dropped_request_leaves_the_queue() {
    let (server, client, auth) = client([limited(0.2)]).await;
    let first = client.submit(get(auth, "/channels/1/messages")).unwrap();
    while client.stats().limited == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    drop(
        client
            .submit(get(auth, "/channels/1/messages?limit=2"))
            .unwrap(),
    );
    assert_eq!(first.await.unwrap().status, 200);
    assert!(client.shutdown(Duration::from_secs(5)).await);
    assert_eq!(server.seen().len(), 2);
    assert_eq!(client.stats().refused_for(Refusal::Cancelled), 1);
}

#[tokio::test]
async fn a_shutdown_finishes_what_was_submitted_or_says_that_it_did_not() {
    let (_server, client, auth) = client([Say::Late(Duration::from_millis(50))]).await;
    let pending = client.submit(get(auth, "/users/@me")).unwrap();
    assert!(client.shutdown(Duration::from_secs(5)).await);
    assert_eq!(pending.await.unwrap().status, 200);
    assert_eq!(
        client.submit(get(auth, "/users/@me")).unwrap_err(),
        RestError::Stopped
    );

    let (_server, client, auth) = self::client([Say::Late(Duration::from_secs(60))]).await;
    let pending = client.submit(get(auth, "/users/@me")).unwrap();
    assert!(!client.shutdown(Duration::from_millis(10)).await);
    assert_eq!(pending.await.unwrap_err(), RestError::Stopped);
}

#[tokio::test]
async fn identical_reads_are_answered_once() {
    let (server, client, auth) = client([Say::Late(Duration::from_millis(50))]).await;
    let request = || {
        let mut request = get(auth, "/users/@me");
        request.sharing = shardkeep::core::rest::Sharing::Same;
        client.submit(request).unwrap()
    };
    let (first, second, third) = tokio::join!(request(), request(), request());
    assert_eq!(
        [first, second, third].map(|answer| answer.unwrap().status),
        [200; 3]
    );
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn who_shares_an_answer_gets_it_although_the_first_has_lost_interest() {
    let (server, client, auth) = client([Say::Late(Duration::from_millis(50))]).await;
    let request = || {
        let mut request = get(auth, "/users/@me");
        request.sharing = shardkeep::core::rest::Sharing::Same;
        client.submit(request).unwrap()
    };
    let first = request();
    while server.seen().is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let second = request();
    drop(first);
    assert_eq!(second.await.unwrap().status, 200);
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_stream_is_sent_again_as_long_as_it_is_kept() {
    let (server, client, auth) = client([say(502, "")]).await;
    let mut request = RawRequest::new(auth, Method::Put, "/guilds/1/x");
    request.body = Body::reader(&b"0123456789"[..], None);
    assert_eq!(client.submit(request).unwrap().await.unwrap().status, 200);
    assert_eq!(
        server
            .seen()
            .iter()
            .map(|seen| seen.body.len())
            .collect::<Vec<_>>(),
        [10, 10]
    );
    assert_eq!(server.seen()[0].header("transfer-encoding"), "chunked");

    let (server, client, auth) = self::client([say(502, "")]).await;
    let mut request = RawRequest::new(auth, Method::Put, "/guilds/1/x");
    let len = 11 << 20;
    request.body = Body::reader(
        tokio::io::AsyncReadExt::take(tokio::io::repeat(7), len),
        Some(len),
    );
    assert_eq!(client.submit(request).unwrap().await.unwrap().status, 502);
    assert_eq!(server.seen().len(), 1);
    assert_eq!(server.seen()[0].header("content-length"), len.to_string());
}

#[tokio::test]
async fn nothing_that_is_shown_holds_a_token() {
    let (_server, client, auth) = client([Say::Hang]).await;
    let request = RawRequest::new(
        auth,
        Method::Post,
        "/webhooks/81384788765712384/secret-webhook-token",
    );
    let pending = client.submit(request).unwrap();
    let shown = format!("{client:?} {pending:?}");
    let error = pending.await.unwrap_err();
    let shown = format!("{shown} {error} {error:?} {:?}", get(auth, "/users/@me"));
    assert!(!shown.contains("secret"), "{shown}");
    assert!(
        shown.contains("POST /api/v10/webhooks/81384788765712384/[token]"),
        "{shown}"
    );
}

/// Answers one request for each connection, then closes it without having said so.
async fn closes_after_an_answer() -> (String, tokio::task::JoinHandle<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let base = format!("http://{}/api", listener.local_addr().expect("it is bound"));
    let task = tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.expect("a connection");
            let mut request = vec![0; 4096];
            let n = socket.read(&mut request).await.expect("a request");
            assert!(n > 0, "a request arrives on every connection");
            let answer = b"HTTP/1.1 200 OK\r\nVia: 1.1 x\r\nContent-Length: 2\r\n\r\n{}";
            socket.write_all(answer).await.expect("an open connection");
        }
    });
    (base, task)
}

#[tokio::test]
async fn a_connection_that_was_closed_at_rest_loses_nothing() {
    let (base, server) = closes_after_an_answer().await;
    let client = Client::start(Settings::new(base)).unwrap();
    for _ in 0..5 {
        // A POST, because that would not be sent again had it left.
        let answer = client.submit(post(Auth::NONE, "{}")).unwrap().await;
        assert_eq!(answer.unwrap().status, 200);
        // Until the client's side has heard of the close.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    server.abort();
}
