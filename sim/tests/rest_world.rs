//! What clients do over REST: objects, and events that follow.

mod rest_client;
mod script;

use rest_client::{Client, unlimited};
use serde_json::{Value, json};

#[test]
fn what_is_posted_the_gateway_tells() {
    let mut client = unlimited();
    let path = client.in_channel("/messages");
    client.events("");
    let body = json!({ "content": "hello", "nonce": "n1", "embeds": [{ "title": "t" }] });
    let (status, posted) = client.call("POST", &path, &body);
    assert_eq!(
        (status, &posted["content"], &posted["nonce"]),
        (200, &json!("hello"), &json!("n1"))
    );
    assert_eq!(posted["embeds"], body["embeds"]);
    assert_eq!(
        (&posted["channel_id"], &posted["author"]["bot"]),
        (&json!(client.channel()), &json!(true))
    );
    assert!(posted["timestamp"].is_string() && posted.get("guild_id").is_none());
    let told = client.events("MESSAGE_CREATE");
    assert_eq!(told.len(), 1);
    assert_eq!(
        (&told[0]["id"], &told[0]["content"], &told[0]["guild_id"]),
        (&posted["id"], &posted["content"], &client.guild["id"])
    );

    let one = format!("{path}/{}", posted["id"].as_str().unwrap());
    assert_eq!(
        client.call("GET", &one, &Value::Null),
        (200, posted.clone())
    );
    assert_eq!(client.call("GET", &path, &Value::Null).1, json!([posted]));
    let (_, edited) = client.call("PATCH", &one, &json!({ "content": "other" }));
    assert_eq!(edited["content"], "other");
    assert!(edited["edited_timestamp"].is_string());
    assert_eq!(client.events("MESSAGE_UPDATE")[0]["content"], "other");
    assert_eq!(
        client.call("DELETE", &one, &Value::Null),
        (204, Value::Null)
    );
    assert_eq!(client.events("MESSAGE_DELETE")[0]["id"], posted["id"]);
}

#[test]
fn a_nonce_that_is_enforced_is_posted_once() {
    let mut client = unlimited();
    let path = client.in_channel("/messages");
    let body = json!({ "content": "once", "nonce": "7", "enforce_nonce": true });
    let (_, first) = client.call("POST", &path, &body);
    let (_, again) = client.call("POST", &path, &body);
    assert_eq!(first, again);
    assert_eq!(client.events("MESSAGE_CREATE").len(), 1);
    let free = json!({ "content": "twice", "nonce": "7" });
    assert_ne!(client.call("POST", &path, &free).1["id"], first["id"]);
}

#[test]
fn uploads_are_read() {
    let mut client = unlimited();
    let path = client.in_channel("/messages");
    let body = "--b\r\nContent-Disposition: form-data; name=\"payload_json\"\r\n\r\n{\"content\":\"up\"}\r\n\
                --b\r\nContent-Disposition: form-data; name=\"files[0]\"; filename=\"a.bin\"\r\n\r\n12345\r\n--b--\r\n";
    let request = client.send("POST", &path, true, body.as_bytes());
    let (status, _, posted) = client.answer(request).unwrap().unwrap();
    assert_eq!((status, &posted["content"]), (200, &json!("up")));
    let file = &posted["attachments"][0];
    assert_eq!(
        (&file["filename"], &file["size"]),
        (&json!("a.bin"), &json!(5))
    );
}

#[test]
fn what_discord_refuses_is_refused() {
    let mut client = unlimited();
    let path = client.in_channel("/messages");
    for (body, code) in [
        (json!({}), 50_006),
        (json!({ "content": "x".repeat(2_001) }), 50_035),
    ] {
        let (status, answer) = client.call("POST", &path, &body);
        assert_eq!((status, &answer["code"]), (400, &json!(code)));
    }
    let request = client.send("POST", &path, true, b"{");
    assert_eq!(client.answer(request).unwrap().unwrap().2["code"], 50_109);
    let unknown = client.call(
        "POST",
        "/api/v10/channels/1/messages",
        &json!({ "content": "a" }),
    );
    assert_eq!((unknown.0, &unknown.1["code"]), (404, &json!(10_003)));
    let (status, _) = client.call("POST", "/api/v10/elsewhere", &json!({}));
    assert_eq!(status, 404);
    let bulk = format!("{path}/bulk-delete");
    assert_eq!(
        client.call("POST", &bulk, &json!({ "messages": ["1"] })).0,
        400
    );
}

#[test]
fn webhooks_live_and_die() {
    let mut client = unlimited();
    let (_, hook) = client.call(
        "POST",
        &client.in_channel("/webhooks"),
        &json!({ "name": "h" }),
    );
    let (id, token) = (
        hook["id"].as_str().unwrap(),
        hook["token"].as_str().unwrap(),
    );
    let path = format!("/api/v10/webhooks/{id}/{token}");
    let say = |client: &mut Client, path: &str| {
        let request = client.send("POST", path, false, br#"{"content":"by hook"}"#);
        let (status, _, body) = client.answer(request).unwrap().unwrap();
        (status, body)
    };
    assert_eq!(say(&mut client, &path).0, 204);
    let (status, posted) = say(&mut client, &format!("{path}?wait=true"));
    assert_eq!(
        (status, &posted["webhook_id"], &posted["author"]["username"]),
        (200, &hook["id"], &json!("h"))
    );
    assert_eq!(client.events("MESSAGE_CREATE").len(), 2);
    assert_eq!(
        say(&mut client, &format!("/api/v10/webhooks/{id}/wrong")).1["code"],
        50_027
    );
    assert_eq!(
        client
            .call("GET", &client.in_guild("/webhooks"), &Value::Null)
            .1,
        json!([hook])
    );
    assert_eq!(
        client
            .call("DELETE", &format!("/api/v10/webhooks/{id}"), &Value::Null)
            .0,
        204
    );
    assert_eq!(
        say(&mut client, &path),
        (404, json!({ "message": "Unknown Webhook", "code": 10_015 }))
    );
}

#[test]
fn interactions_are_answered_once_and_followed_up() {
    let mut client = unlimited();
    let callback = "/api/v10/interactions/5/aW50ZXJhY3Rpb246x/callback";
    let body = br#"{"type":4,"data":{"content":"a"}}"#;
    let request = client.send("POST", callback, false, body);
    assert_eq!(client.answer(request).unwrap().unwrap().0, 204);
    let request = client.send("POST", callback, false, body);
    assert_eq!(client.answer(request).unwrap().unwrap().2["code"], 40_060);
    let (_, me) = client.call("GET", "/api/v10/applications/@me", &Value::Null);
    let path = format!(
        "/api/v10/webhooks/{}/aW50ZXJhY3Rpb246x",
        me["id"].as_str().unwrap()
    );
    let request = client.send("POST", &path, false, br#"{"content":"follow-up"}"#);
    let (status, _, message) = client.answer(request).unwrap().unwrap();
    assert_eq!((status, &message["content"]), (200, &json!("follow-up")));
    let original = format!("{path}/messages/@original");
    let request = client.send("PATCH", &original, false, br#"{"content":"edited"}"#);
    assert_eq!(
        client.answer(request).unwrap().unwrap().2["content"],
        "edited"
    );
}

#[test]
fn direct_messages_and_commands() {
    let mut client = unlimited();
    let member = client.guild["member"].clone();
    let (_, direct) = client.call(
        "POST",
        "/api/v10/users/@me/channels",
        &json!({ "recipient_id": member }),
    );
    assert_eq!(
        (&direct["type"], &direct["recipients"][0]["id"]),
        (&json!(1), &member)
    );
    client.events("");
    let path = format!(
        "/api/v10/channels/{}/messages",
        direct["id"].as_str().unwrap()
    );
    assert_eq!(
        client.call("POST", &path, &json!({ "content": "psst" })).0,
        200
    );
    let told = client.events("MESSAGE_CREATE");
    assert_eq!((told.len(), told[0].get("guild_id")), (1, None));

    let (_, me) = client.call("GET", "/api/v10/applications/@me", &Value::Null);
    let commands = format!(
        "/api/v10/applications/{}/commands",
        me["id"].as_str().unwrap()
    );
    let (status, made) = client.call(
        "POST",
        &commands,
        &json!({ "name": "ping", "description": "d" }),
    );
    assert_eq!((status, &made["name"]), (201, &json!("ping")));
    assert_eq!(client.call("GET", &commands, &Value::Null).1, json!([made]));
    let (_, all) = client.call("PUT", &commands, &json!([{ "name": "a" }, { "name": "b" }]));
    assert_eq!(all.as_array().unwrap().len(), 2);
    let one = format!("{commands}/{}", all[0]["id"].as_str().unwrap());
    assert_eq!(
        client.call("PATCH", &one, &json!({ "name": "c" })).1["name"],
        "c"
    );
    assert_eq!(client.call("DELETE", &one, &Value::Null).0, 204);
    assert_eq!(client.call("GET", &one, &Value::Null).0, 404);
}

#[test]
fn every_other_route_is_answered_plausibly() {
    let mut client = unlimited();
    let member = client.guild["member"].as_str().unwrap().to_owned();
    let role = client
        .call("GET", &client.in_guild("/roles"), &Value::Null)
        .1[2]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let (status, edited) = client.call(
        "PATCH",
        &client.in_channel(""),
        &json!({ "name": "renamed" }),
    );
    assert_eq!((status, &edited["name"]), (200, &json!("renamed")));
    let nick = client
        .call(
            "PATCH",
            &client.in_guild(&format!("/members/{member}")),
            &json!({ "nick": "nn" }),
        )
        .1;
    assert_eq!(
        (&nick["nick"], &nick["user"]["id"]),
        (&json!("nn"), &json!(member))
    );
    for (method, path, status) in [
        (
            "PUT",
            client.in_guild(&format!("/members/{member}/roles/{role}")),
            204,
        ),
        ("PUT", client.in_guild(&format!("/bans/{member}")), 204),
        ("GET", client.in_guild("/bans"), 200),
        ("POST", client.in_guild("/roles"), 200),
        ("PATCH", client.in_guild(&format!("/roles/{role}")), 200),
        ("POST", client.in_guild("/channels"), 201),
        ("POST", client.in_channel("/typing"), 204),
        ("POST", client.in_channel("/threads"), 201),
        (
            "PUT",
            client.in_channel(&format!(
                "/messages/{}/reactions/%F0%9F%94%A5/@me",
                u64::MAX >> 10
            )),
            404,
        ),
        ("GET", client.in_guild("/members/1"), 404),
        ("GET", "/api/v10/voice/regions".to_owned(), 200),
        ("POST", "/api/v10/stage-instances".to_owned(), 200),
        ("DELETE", "/api/v10/users/@me/guilds/5".to_owned(), 204),
    ] {
        assert_eq!(
            client.call(method, &path, &json!({ "name": "x" })).0,
            status,
            "{method} {path}"
        );
    }
}
