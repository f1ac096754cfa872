//! REST against the simulated Discord and its strict limits: nothing is at fault, nothing is lost.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use shardkeep::config::Config;
use shardkeep::core::rest::route::Method;
use shardkeep::core::{Snowflake, Token};
use shardkeep::rest::{Client, Request, Rest};
use shardkeep_sim::rest::{Latency, RestConfig};
use shardkeep_sim::server::{Server, ServerConfig};
use shardkeep_sim::{Control, DEFAULT_TOKEN, WorldConfig};

async fn serve(rest: RestConfig) -> (Server, Rest) {
    let world = WorldConfig {
        guilds: 4,
        members_per_guild: 10,
        rest,
        ..WorldConfig::default()
    };
    let config = ServerConfig {
        world,
        ..ServerConfig::default()
    };
    let server = Server::start(config).await.expect("a free port");
    let config = Config::builder()
        .token(DEFAULT_TOKEN)
        .api_base(&server.api_base())
        .set("rest_config.workers", 32)
        .set("rest_config.global_limit", 200)
        .build()
        .expect("a configuration");
    let rest = Rest::start(&config.token, config.rest()).expect("a client");
    (server, rest)
}

async fn list(request: Request) -> Vec<Snowflake> {
    let found: Vec<Value> = request
        .send()
        .await
        .expect("an answer")
        .json()
        .expect("a list");
    let id = |item: &Value| item["id"].as_str()?.parse().ok();
    found.iter().filter_map(id).collect()
}

/// Text channels of all guilds.
async fn channels(rest: &Rest) -> Vec<Snowflake> {
    let mut channels = Vec::new();
    for guild in list(rest.request(Method::Get, "/users/@me/guilds")).await {
        let path = format!("/guilds/{guild}/channels");
        let all: Vec<Value> = rest
            .request(Method::Get, path)
            .send()
            .await
            .expect("an answer")
            .json()
            .expect("a list");
        let text = all.iter().filter(|channel| channel["type"] == 0);
        channels
            .extend(text.filter_map(|channel| channel["id"].as_str()?.parse::<Snowflake>().ok()));
    }
    channels
}

#[tokio::test]
async fn a_burst_meets_no_limit_that_was_announced() {
    let latency = Latency {
        there_ms: [1, 5],
        back_ms: [1, 5],
    };
    let (server, rest) = serve(RestConfig {
        latency,
        ..RestConfig::bench()
    })
    .await;
    let channels = channels(&rest).await;
    let message = json!({ "content": "x" });
    let posts = (0..100).map(|n| rest.create_message(channels[n % 5], &message));
    let hot = (0..20).map(|_| rest.create_message(channels[0], &message));
    let reads = (0..100).map(|n| rest.get_channel(channels[n % channels.len()]).no_coalesce());
    let requests: Vec<Request> = posts.chain(hot).chain(reads).collect();
    for answer in join_all(requests.into_iter().map(Request::send)).await {
        assert_eq!(answer.unwrap().status(), 200);
    }
    let report = server.control(Control::Rest { last: Some(0) }).await;
    assert_eq!(report["faults"], 0, "{}", report["counters"]);
    assert!(
        report["counters"]["accepted"].as_u64() > Some(220),
        "{report}"
    );
}

#[tokio::test]
async fn failures_and_lost_answers_are_made_good_where_that_is_safe() {
    let faults = ["drop_before", "drop_after"].map(|kind| {
        let fault = json!({ "fault": { "kind": kind }, "per_million": 100_000 });
        serde_json::from_value(fault).unwrap()
    });
    let faults = faults.to_vec();
    let (server, rest) = serve(RestConfig {
        faults,
        ..RestConfig::unlimited()
    })
    .await;
    let mut settings = shardkeep::rest::Settings::new(server.api_base());
    settings.scheduler.backoff_base = Duration::from_millis(5);
    settings.scheduler.retries = 20;
    settings.scheduler.global_limit = 1_000;
    drop(rest);
    let client = Client::start(settings).unwrap();
    let auth = client.add_token(&Token::new(DEFAULT_TOKEN).unwrap());
    let rest = Rest::new(client, auth);
    let reads = (0..100).map(|_| rest.get_current_user().no_coalesce().send());
    for answer in join_all(reads).await {
        assert_eq!(answer.unwrap().status(), 200);
    }
    let report = server.control(Control::Rest { last: Some(0) }).await;
    let lost = |name: &str| report["counters"][name].as_u64().unwrap();
    assert!(
        lost("dropped_before") + lost("dropped_after") > 0,
        "{report}"
    );
}

#[tokio::test]
async fn a_file_arrives_with_its_message() {
    let (_server, rest) = serve(RestConfig::unlimited()).await;
    let channel = channels(&rest).await[0];
    let request = rest
        .create_message(channel, &json!({ "content": "see" }))
        .file("a.txt", "hello");
    let message: Value = request.send().await.unwrap().json().unwrap();
    assert_eq!(message["attachments"][0]["filename"], "a.txt", "{message}");
}
