//! What clients ask over HTTP.

mod script;

use serde_json::{Value, json};
use shardkeep_sim::WorldConfig;
use shardkeep_sim::rest::RestConfig;

use script::{ALL_INTENTS, Script};

fn world() -> Script {
    Script::new(WorldConfig {
        guilds: 40,
        members_per_guild: 200,
        // What is read here is read all at once.
        rest: RestConfig::unlimited(),
        ..WorldConfig::default()
    })
}

#[test]
fn the_gateway_is_found() {
    let mut script = world();
    let anyone = script.http("GET", "/api/v10/gateway", None);
    assert_eq!(anyone, (200, json!({"url": "ws://gateway.sim.invalid"})));
    let (status, bot) = script.get("/api/v10/gateway/bot");
    assert_eq!(status, 200);
    let limit =
        json!({"total": 1000, "remaining": 1000, "reset_after": 86_400_000, "max_concurrency": 1});
    assert_eq!(
        bot,
        json!({"url": "ws://gateway.sim.invalid", "shards": 1, "session_start_limit": limit})
    );
    let large = WorldConfig {
        guilds: 2_001,
        members_per_guild: 2,
        ..WorldConfig::default()
    };
    assert_eq!(Script::new(large).get("/api/gateway/bot").1["shards"], 3);
}

#[test]
fn wrong_tokens_and_unknown_things_get_discords_errors() {
    let mut script = world();
    let unauthorized = (401, json!({"message": "401: Unauthorized", "code": 0}));
    assert_eq!(
        script.http("GET", "/api/v10/gateway/bot", None),
        unauthorized
    );
    assert_eq!(
        script.http("GET", "/api/v10/users/@me", Some("Bot no")),
        unauthorized
    );
    assert_eq!(
        script.http("GET", "/api/v10/users/@me", Some("Bearer no")),
        unauthorized
    );
    assert_eq!(script.violations(), ["wrong_token"; 3]);
    let guild = script.guild_ids().remove(0);
    for (path, code) in [
        ("/api/v10/guilds/1".to_owned(), 10_004),
        ("/api/v10/guilds/x/members".to_owned(), 10_004),
        ("/api/v10/channels/1".to_owned(), 10_003),
        ("/api/v10/users/1".to_owned(), 10_013),
        (format!("/api/v10/guilds/{guild}/members/1"), 10_007),
        (format!("/api/v10/guilds/{guild}/roles/1"), 10_011),
        ("/api/v10/nothing".to_owned(), 0),
        ("/elsewhere".to_owned(), 0),
    ] {
        let (status, body) = script.get(&path);
        assert_eq!((status, &body["code"]), (404, &json!(code)), "{path}");
    }
}

#[test]
fn who_the_bot_is() {
    let mut script = world();
    let (_, me) = script.get("/api/v10/users/@me");
    assert_eq!(
        (&me["username"], &me["bot"]),
        (&json!("sim-bot"), &json!(true))
    );
    for path in [
        "/api/v10/applications/@me",
        "/api/v10/oauth2/applications/@me",
    ] {
        assert_eq!(script.get(path).1["id"], me["id"]);
    }
    let ready = Script::start(&mut script, 1, [0, 1], 0);
    assert_eq!(ready.len(), 32);
    assert_eq!(script.dispatches[0].1.d["user"]["id"], me["id"]);
    let id = me["id"].as_str().unwrap();
    assert_eq!(
        script.get(&format!("/api/v10/users/{id}")).1["id"],
        me["id"]
    );
}

#[test]
fn rest_and_gateway_tell_the_same() {
    let mut script = world();
    script.start(1, [0, 1], ALL_INTENTS);
    let guilds: Vec<Value> = script
        .dispatches_on(1)
        .into_iter()
        .skip(1)
        .map(|create| create.d)
        .collect();
    let mut hidden = 0;
    for guild in &guilds {
        let id = guild["id"].as_str().unwrap();
        let (_, rest) = script.get(&format!("/api/v10/guilds/{id}?with_counts=true"));
        for key in ["id", "name", "owner_id", "roles", "emojis", "features"] {
            assert_eq!(rest[key], guild[key], "{key}");
        }
        assert_eq!(rest["approximate_member_count"], guild["member_count"]);
        let (_, channels) = script.get(&format!("/api/v10/guilds/{id}/channels"));
        let open = guild["channels"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|channel| channel["flags"] == 0);
        let open: Vec<&Value> = open.map(|channel| &channel["id"]).collect();
        assert_eq!(
            channels
                .as_array()
                .unwrap()
                .iter()
                .map(|channel| &channel["id"])
                .collect::<Vec<_>>(),
            open
        );
        for channel in guild["channels"]
            .as_array()
            .unwrap()
            .iter()
            .chain(guild["threads"].as_array().unwrap())
        {
            let path = format!("/api/v10/channels/{}", channel["id"].as_str().unwrap());
            let (status, rest) = script.get(&path);
            if channel["flags"] == 0 {
                assert_eq!(
                    (status, &rest["name"], &rest["guild_id"]),
                    (200, &channel["name"], &json!(id))
                );
            } else {
                hidden += 1;
                assert_eq!(status, 404);
            }
        }
        for member in guild["members"].as_array().unwrap().iter().take(5) {
            let user = member["user"]["id"].as_str().unwrap();
            assert_eq!(
                &script
                    .get(&format!("/api/v10/guilds/{id}/members/{user}"))
                    .1,
                member
            );
            assert_eq!(script.get(&format!("/api/v10/users/{user}")).1["id"], user);
        }
    }
    assert_eq!(guilds.len(), 40);
    assert!(hidden > 5);
}

#[test]
fn members_are_listed_page_by_page() {
    let mut script = world();
    let guild = script.control(json!({"do": "guilds"}))["guilds"][3].clone();
    let (id, count) = (
        guild["id"].as_str().unwrap(),
        guild["member_count"].as_u64().unwrap(),
    );
    let (mut seen, mut after) = (Vec::new(), 0);
    loop {
        let (_, page) = script.get(&format!(
            "/api/v10/guilds/{id}/members?limit=50&after={after}"
        ));
        let page: Vec<u64> = page
            .as_array()
            .unwrap()
            .iter()
            .map(|member| member["user"]["id"].as_str().unwrap().parse().unwrap())
            .collect();
        let Some(&last) = page.last() else { break };
        seen.extend_from_slice(&page);
        after = last;
    }
    assert_eq!(seen.len() as u64, count);
    assert!(seen.is_sorted());
}

#[test]
fn a_message_is_found_by_its_id() {
    let mut script = world();
    script.start(1, [0, 1], ALL_INTENTS);
    script.dispatches.clear();
    script.control(json!({"do": "burst", "events": 1}));
    let message = script.dispatches[0].1.d.clone();
    let (channel, id) = (
        message["channel_id"].as_str().unwrap(),
        message["id"].as_str().unwrap(),
    );
    let (status, rest) = script.get(&format!("/api/v10/channels/{channel}/messages/{id}"));
    assert_eq!(
        (status, &rest["id"], &rest["channel_id"]),
        (200, &message["id"], &message["channel_id"])
    );
    assert_eq!(
        script
            .get(&format!("/api/v10/channels/{channel}/messages/99"))
            .0,
        404
    );
}
