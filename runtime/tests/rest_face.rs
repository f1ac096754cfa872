//! REST as programs use it: bodies, forms, errors, urgency, and what the named calls send.

use std::time::Duration;

use serde_json::{Value, json};
use shardkeep::config::Config;
use shardkeep::core::rest::Refusal;
use shardkeep::core::rest::route::Method;
use shardkeep::core::{Snowflake, Token};
use shardkeep::rest::{Request, Rest, RestError};

mod rest_support;

use rest_support::{Say, Seen, Server, limited, say};

const CHANNEL: Snowflake = Snowflake(81_384_788_765_712_384);
const OTHER: Snowflake = Snowflake(41_771_983_423_143_937);

async fn start(script: impl IntoIterator<Item = Say>) -> (Server, Rest) {
    let server = Server::start(script).await;
    let token = Token::new("secret.token.text").expect("a client of the test server");
    let rest = Rest::start(&token, server.settings()).expect("a client of the test server");
    (server, rest)
}

async fn seen(make: impl FnOnce(&Rest) -> Request) -> Seen {
    let (server, rest) = start([]).await;
    make(&rest)
        .send()
        .await
        .expect("a client of the test server");
    server.seen().remove(0)
}

#[tokio::test]
async fn json_goes_out_and_comes_back() {
    let (server, rest) = start([say(200, r#"{"id":"7","content":"hello"}"#)]).await;
    let request = rest.create_message(CHANNEL, &json!({ "content": "hello" }));
    let response = request
        .query("a b", "c&d")
        .query("n", 5)
        .send()
        .await
        .unwrap();
    assert_eq!(
        (
            response.status(),
            response.json::<Value>().unwrap()["id"].as_str()
        ),
        (200, Some("7"))
    );
    let error = response.json::<Vec<u8>>().unwrap_err();
    assert!(
        matches!(error, RestError::Answer { .. }) && error.to_string().contains("POST "),
        "{error}"
    );
    let seen = &server.seen()[0];
    assert_eq!(
        seen.path,
        format!("/api/v10/channels/{CHANNEL}/messages?a%20b=c%26d&n=5")
    );
    assert_eq!(
        (seen.header("content-type"), &seen.body[..]),
        ("application/json", &br#"{"content":"hello"}"#[..])
    );
}

#[tokio::test]
async fn what_discord_refuses_is_a_typed_error() {
    let body = r#"{"code":50035,"message":"Invalid Form Body","errors":{"content":{"_errors":
        [{"code":"BASE_TYPE_REQUIRED","message":"This field is required"}]}}}"#;
    let (_server, rest) = start([
        say(400, body),
        say(403, r#"{"code":50013,"message":"Missing Permissions"}"#),
    ])
    .await;
    let error = rest
        .create_message(CHANNEL, &json!({}))
        .send()
        .await
        .unwrap_err();
    let api = error.api().unwrap();
    assert_eq!(
        (api.status, api.code, api.fields[0].path.as_str()),
        (400, 50_035, "content")
    );
    let error = rest.delete_channel(CHANNEL).send().await.unwrap_err();
    assert_eq!(error.status(), Some(403));
    let said = format!(
        "DELETE /api/v10/channels/{CHANNEL} was refused with HTTP 403, code 50013: Missing Permissions; \
                        give the bot the permission it lacks"
    );
    assert_eq!(error.to_string(), said);
}

/// The parts of a form: their heads and what they hold.
fn parts(seen: &Seen) -> Vec<(String, String)> {
    let (kind, boundary) = seen
        .header("content-type")
        .split_once("; boundary=")
        .expect("a form");
    assert_eq!(kind, "multipart/form-data");
    let text = String::from_utf8(seen.body.to_vec()).expect("a form");
    let text = text
        .strip_suffix(&format!("\r\n--{boundary}--\r\n"))
        .expect("a form");
    let delimiter = format!("--{boundary}\r\n");
    let parts = text.split(&*delimiter).skip(1);
    parts
        .map(|part| {
            let (head, content) = part
                .trim_end_matches("\r\n")
                .split_once("\r\n\r\n")
                .expect("a form");
            (head.to_owned(), content.to_owned())
        })
        .collect()
}

#[tokio::test]
async fn files_go_out_as_a_form_and_are_listed_in_a_new_message() {
    let seen = seen(|rest| {
        rest.create_message(CHANNEL, &json!({ "content": "two" }))
            .file("a \"b\".txt", "first")
            .file_reader("c.txt", &b"second"[..], Some(6))
            .description("the second")
    })
    .await;
    let parts = parts(&seen);
    assert_eq!(seen.header("content-length"), seen.body.len().to_string());
    let heads: Vec<_> = parts.iter().map(|(head, _)| head.as_str()).collect();
    let file = "\r\nContent-Type: application/octet-stream";
    assert_eq!(
        heads,
        [
            "Content-Disposition: form-data; name=\"payload_json\"\r\nContent-Type: application/json".to_owned(),
            format!("Content-Disposition: form-data; name=\"files[0]\"; filename=\"a %22b%22.txt\"{file}"),
            format!("Content-Disposition: form-data; name=\"files[1]\"; filename=\"c.txt\"{file}"),
        ]
    );
    assert_eq!(
        (parts[1].1.as_str(), parts[2].1.as_str()),
        ("first", "second")
    );
    let payload: Value = serde_json::from_str(&parts[0].1).unwrap();
    let listed = json!([
        { "id": 0, "filename": "a \"b\".txt" },
        { "id": 1, "filename": "c.txt", "description": "the second" },
    ]);
    assert_eq!(payload, json!({ "content": "two", "attachments": listed }));
}

#[tokio::test]
async fn an_edited_message_keeps_its_attachments_and_a_callback_lists_them_inside() {
    let edited = seen(|rest| {
        rest.edit_message(CHANNEL, OTHER, &json!({ "content": "x" }))
            .file("a", "1")
    })
    .await;
    assert_eq!(parts(&edited)[0].1, r#"{"content":"x"}"#);
    let answer = json!({ "type": 4, "data": {} });
    let callback = seen(|rest| {
        rest.interaction_callback(OTHER, "token", &answer)
            .file("a", "1")
    })
    .await;
    let payload: Value = serde_json::from_str(&parts(&callback)[0].1).unwrap();
    assert_eq!(payload["data"]["attachments"][0]["id"], 0);
    let sticker = seen(|rest| {
        let request = rest.request(Method::Post, format!("/guilds/{OTHER}/stickers"));
        request
            .form_field("name", "x")
            .form_file("file", "x.png", "1")
    })
    .await;
    assert_eq!(parts(&sticker).len(), 2);
}

#[tokio::test]
async fn an_upload_can_be_watched() {
    let (_server, rest) = start([]).await;
    let mut request = rest
        .create_message(CHANNEL, &json!({}))
        .file("a.bin", vec![7; 300_000]);
    let mut progress = request.progress();
    let watching = tokio::spawn(async move {
        let mut steps = 0;
        while progress.changed().await.is_ok() {
            steps += 1;
        }
        (steps, *progress.borrow())
    });
    request.send().await.unwrap();
    let (steps, last) = watching.await.unwrap();
    assert!(
        steps >= 1 && last.sent > 300_000 && Some(last.sent) == last.total,
        "{steps} {last:?}"
    );
}

#[tokio::test]
async fn an_audit_log_reason_is_encoded_and_has_its_limits() {
    let seen = seen(|rest| rest.kick(OTHER, CHANNEL).reason("Ünfug\r\n100 %")).await;
    assert_eq!(seen.header("x-audit-log-reason"), "%C3%9Cnfug%0D%0A100 %25");
    let (server, rest) = start([]).await;
    for reason in [String::new(), "x".repeat(513)] {
        let error = rest
            .kick(OTHER, CHANNEL)
            .reason(&reason)
            .send()
            .await
            .unwrap_err();
        assert!(matches!(error, RestError::BadRequest { .. }), "{error}");
    }
    for wrong in [
        rest.request(Method::Get, "users"),
        rest.request(Method::Get, "/users/\n"),
        rest.get_current_user().header("x", "a\nb"),
        rest.get_current_user().description("of what?"),
        rest.get_current_user().body("x", "text/plain").json(&1),
        rest.get_current_user()
            .json(&[1])
            .file("a", "b")
            .description("x"),
    ] {
        let error = wrong.send().await.unwrap_err();
        assert!(matches!(error, RestError::BadRequest { .. }), "{error}");
    }
    assert_eq!(server.seen().len(), 0);
}

#[tokio::test]
async fn what_cannot_be_sent_in_time_is_refused_and_says_when_it_could() {
    let (_server, rest) = start([limited(60.0)]).await;
    let followup = rest.create_followup(OTHER, "secret", &json!({ "content": "late" }));
    let error = followup
        .deadline(Duration::from_secs(3))
        .send()
        .await
        .unwrap_err();
    let RestError::Refused {
        why: Refusal::DeadlineTooSoon,
        wait: Some(wait),
        ..
    } = &error
    else {
        panic!("{error:?}");
    };
    assert!(*wait > Duration::from_secs(50), "{wait:?}");
    assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
}

#[test]
fn it_can_be_used_without_a_runtime() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (server, rest) = runtime.block_on(start([say(200, r#"{"id":"5"}"#)]));
    let response = rest.get_current_user().send_blocking().unwrap();
    assert_eq!(response.json::<Value>().unwrap()["id"], "5");
    let pending = rest.get_current_user().submit().unwrap();
    assert_eq!(pending.wait().unwrap().status, 200);
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_proxy_gets_the_requests_with_headers_of_its_own() {
    let server = Server::start([]).await;
    let proxy = |headers: Value| {
        let config = Config::builder().token("secret.token.text").values(
            json!({ "rest_proxy": { "url": server.base.as_str(), "headers": headers } })
                .as_object()
                .unwrap()
                .clone(),
        );
        let config = config.build().unwrap();
        Rest::start(&config.token, config.rest()).unwrap()
    };
    proxy(json!({ "X-Key": "k" }))
        .get_current_user()
        .send()
        .await
        .unwrap();
    proxy(json!({ "Authorization": "proxy-token" }))
        .get_current_user()
        .send()
        .await
        .unwrap();
    let seen = server.seen();
    assert_eq!(
        (seen[0].header("x-key"), seen[0].header("authorization")),
        ("k", "Bot secret.token.text")
    );
    assert_eq!(seen[1].header("authorization"), "proxy-token");
}

#[tokio::test]
async fn events_tell_what_happens_to_the_limits() {
    let (_server, rest) = start([limited(0.02)]).await;
    let mut events = rest.events();
    rest.get_current_user().send().await.unwrap();
    let event = events.next().await.unwrap();
    assert!(format!("{event:?}").starts_with("RateLimited"), "{event:?}");
    assert!(rest.shutdown(Duration::from_secs(5)).await);
    drop(rest);
}
