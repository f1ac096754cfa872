//! Where the named calls go, and whose token they carry.

use serde_json::{Value, json};
use shardkeep::core::{Snowflake, Token};
use shardkeep::rest::{Request, Rest};

mod rest_support;

use rest_support::Server;

/// A channel or a guild, a message or a user, and something else.
const A: Snowflake = Snowflake(81_384_788_765_712_384);
const B: Snowflake = Snowflake(41_771_983_423_143_937);
const C: Snowflake = Snowflake(175_928_847_299_117_063);

type Calls = Vec<(Request, &'static str)>;

/// Sends each and compares it with method and path; `A`, `B` and `C` stand for the ids.
async fn go_to(authorization: &str, make: impl FnOnce(&Rest) -> Calls) {
    let server = Server::start([]).await;
    let token = Token::new("secret.token.text").expect("a token");
    let rest = Rest::start(&token, server.settings()).expect("a client");
    for (n, (call, expected)) in make(&rest).into_iter().enumerate() {
        call.send().await.expect("the server accepts everything");
        let seen = &server.seen()[n];
        let path = seen
            .path
            .strip_prefix("/api/v10")
            .expect("the base's own path");
        let names = [(A, "A"), (B, "B"), (C, "C")];
        let path = names.iter().fold(path.to_owned(), |path, (id, name)| {
            path.replace(&id.to_string(), name)
        });
        assert_eq!(format!("{} {path}", seen.method), expected);
        assert_eq!(seen.header("authorization"), authorization, "{expected}");
    }
}

#[tokio::test]
async fn messages_and_channels() {
    let x = json!({});
    go_to("Bot secret.token.text", |rest| {
        vec![
            (rest.create_message(A, &x), "POST /channels/A/messages"),
            (
                rest.get_messages(A).query("limit", 5),
                "GET /channels/A/messages?limit=5",
            ),
            (rest.get_message(A, B), "GET /channels/A/messages/B"),
            (rest.edit_message(A, B, &x), "PATCH /channels/A/messages/B"),
            (rest.delete_message(A, B), "DELETE /channels/A/messages/B"),
            (
                rest.bulk_delete_messages(A, &[B, C]),
                "POST /channels/A/messages/bulk-delete",
            ),
            (
                rest.add_reaction(A, B, "👍"),
                "PUT /channels/A/messages/B/reactions/%F0%9F%91%8D/@me",
            ),
            (
                rest.remove_reaction(A, B, "x:1"),
                "DELETE /channels/A/messages/B/reactions/x:1/@me",
            ),
            (rest.get_channel(A), "GET /channels/A"),
            (rest.edit_channel(A, &x), "PATCH /channels/A"),
            (rest.delete_channel(A), "DELETE /channels/A"),
            (rest.edit_webhook(B, &x), "PATCH /webhooks/B"),
        ]
    })
    .await;
}

#[tokio::test]
async fn guilds_users_and_commands() {
    let x = json!({});
    go_to("Bot secret.token.text", |rest| {
        vec![
            (rest.get_guild(A), "GET /guilds/A"),
            (rest.get_member(A, B), "GET /guilds/A/members/B"),
            (rest.modify_member(A, B, &x), "PATCH /guilds/A/members/B"),
            (rest.add_role(A, B, C), "PUT /guilds/A/members/B/roles/C"),
            (
                rest.remove_role(A, B, C),
                "DELETE /guilds/A/members/B/roles/C",
            ),
            (rest.kick(A, B), "DELETE /guilds/A/members/B"),
            (rest.ban(A, B, 60), "PUT /guilds/A/bans/B"),
            (rest.unban(A, B), "DELETE /guilds/A/bans/B"),
            (rest.get_roles(A), "GET /guilds/A/roles"),
            (rest.create_role(A, &x), "POST /guilds/A/roles"),
            (rest.create_channel(A, &x), "POST /guilds/A/channels"),
            (rest.get_user(A), "GET /users/A"),
            (rest.get_current_user(), "GET /users/@me"),
            (rest.create_dm(A), "POST /users/@me/channels"),
            (rest.get_gateway_bot(), "GET /gateway/bot"),
            (rest.get_global_commands(A), "GET /applications/A/commands"),
            (
                rest.overwrite_global_commands(A, &x),
                "PUT /applications/A/commands",
            ),
            (
                rest.get_guild_commands(A, B),
                "GET /applications/A/guilds/B/commands",
            ),
            (
                rest.overwrite_guild_commands(A, B, &x),
                "PUT /applications/A/guilds/B/commands",
            ),
        ]
    })
    .await;
}

#[tokio::test]
async fn interactions_and_webhooks_do_without_the_bots_token() {
    let x = json!({});
    go_to("", |rest| {
        vec![
            (
                rest.interaction_callback(B, "t", &json!({ "type": 5 })),
                "POST /interactions/B/t/callback",
            ),
            (rest.create_followup(A, "t", &x), "POST /webhooks/A/t"),
            (
                rest.edit_followup(A, "t", B, &x),
                "PATCH /webhooks/A/t/messages/B",
            ),
            (
                rest.delete_followup(A, "t", B),
                "DELETE /webhooks/A/t/messages/B",
            ),
            (
                rest.get_original_response(A, "t"),
                "GET /webhooks/A/t/messages/@original",
            ),
            (
                rest.edit_original_response(A, "t", &x),
                "PATCH /webhooks/A/t/messages/@original",
            ),
            (
                rest.delete_original_response(A, "t"),
                "DELETE /webhooks/A/t/messages/@original",
            ),
            (
                rest.execute_webhook(B, "t/?", &x).query("wait", true),
                "POST /webhooks/B/t%2F%3F?wait=true",
            ),
            (
                rest.edit_webhook_message(B, "t", C, &x),
                "PATCH /webhooks/B/t/messages/C",
            ),
        ]
    })
    .await;
}

#[tokio::test]
async fn ids_in_bodies_are_texts() {
    let server = Server::start([]).await;
    let token = Token::new("secret.token.text").expect("a token");
    let rest = Rest::start(&token, server.settings()).expect("a client");
    rest.bulk_delete_messages(A, &[B, C])
        .send()
        .await
        .expect("it accepts everything");
    let body: Value = serde_json::from_slice(&server.seen()[0].body).expect("JSON");
    assert_eq!(body, json!({ "messages": [B.to_string(), C.to_string()] }));
}
