//! What bots hear of Discord ends what a proxy's cache keeps.

use std::sync::Arc;
use std::time::Duration;

use shardkeep::bus::{EventBus, LocalBus};
use shardkeep::proxy::publish_changes;
use shardkeep_sim::Control;
use shardkeep_sim::rest::RestConfig;

mod proxy_support;
mod support;

use proxy_support::{Got, get, in_front_of, open, simulator};
use support::{bot, config};

fn is_hit(got: &Got) -> bool {
    assert_eq!(got.status, 200, "{got:?}");
    got.header("x-shardkeep-cache") == "hit"
}

#[tokio::test]
async fn a_message_that_the_gateway_tells_of_is_in_the_next_answer() {
    let simulator = simulator(RestConfig::unlimited()).await;
    let bus: Arc<dyn EventBus> = Arc::new(LocalBus::new(64));
    let mut settings = in_front_of(&simulator);
    settings.cache_ttl = Duration::from_secs(600);
    settings.bus = Some(Arc::clone(&bus));
    let proxy = open(settings).await;
    let bot = bot(config(&simulator).set("shards", 1));
    publish_changes(&bot, bus);
    let running = tokio::spawn({
        let bot = bot.clone();
        async move { bot.run().await }
    });
    bot.ready().await.expect("a session");
    let channel = proxy_support::channel(&simulator).await;
    let messages = format!("/api/v10/channels/{channel}/messages");
    let other = "/api/v10/users/@me";
    assert!(!is_hit(&get(&proxy, &messages).await));
    assert!(!is_hit(&get(&proxy, other).await));
    assert!(is_hit(&get(&proxy, &messages).await));
    simulator
        .control(Control::Say {
            content: "news".to_owned(),
            guild: None,
            channel: Some(channel.parse().expect("an id")),
        })
        .await;
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while is_hit(&get(&proxy, &messages).await) {
        assert!(
            tokio::time::Instant::now() < deadline,
            "the change is never heard of"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(
        is_hit(&get(&proxy, other).await),
        "nobody said that it changed"
    );
    bot.shutdown(false).await;
    let ended = running.await.expect("no panic");
    ended.expect("it was only stopped");
}
