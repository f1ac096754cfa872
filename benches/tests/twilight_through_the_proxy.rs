//! twilight-http unmodified through the proxy: its own base URL setting, its own limiter off.

use http::{HeaderMap, HeaderName, HeaderValue};
use shardkeep::proxy::{Access, Key, Proxy, Settings};
use shardkeep_sim::rest::RestConfig;
use shardkeep_sim::server::{Server, ServerConfig};
use shardkeep_sim::{Control, DEFAULT_TOKEN, WorldConfig};
use twilight_http::Client;
use twilight_model::id::Id;

const KEY: &str = "correct-horse-battery-staple";

/// More at once than the channel's bucket has, so that who does not wait is answered with 429.
const MESSAGES: usize = 24;

#[tokio::test]
async fn twilight_sends_more_than_the_bucket_has_and_hears_of_no_limit() {
    let world = WorldConfig {
        guilds: 1,
        rest: RestConfig::bench(),
        ..WorldConfig::default()
    };
    let config = ServerConfig {
        world,
        ..ServerConfig::default()
    };
    let simulator = Server::start(config).await.expect("a simulator");
    let mut settings = Settings::new(Access::Key(Key::new(KEY).expect("a key")));
    settings.listen = "127.0.0.1:0".parse().expect("an address");
    settings.rest.base = simulator.api_base();
    let proxy = Proxy::start(settings).await.expect("a proxy");
    let key = HeaderName::from_static("x-shardkeep-key");
    let headers = HeaderMap::from_iter([(key, HeaderValue::from_static(KEY))]);
    let client = Client::builder()
        .token(DEFAULT_TOKEN.to_owned())
        .proxy(proxy.local_addr().to_string(), true)
        .ratelimiter(None)
        .default_headers(headers)
        .build();
    let guilds = simulator.control(Control::Guilds).await;
    let channel = guilds["guilds"][0]["channel"].as_str().expect("a channel");
    let channel = Id::new(channel.parse().expect("an id"));
    let sending = (0..MESSAGES).map(|_| async {
        let answer = client.create_message(channel).content("x").await;
        answer.expect("it is sent").status().get()
    });
    let statuses = futures_util::future::join_all(sending).await;
    assert_eq!(statuses, [200; MESSAGES]);
    let stats = proxy.client().stats();
    assert_eq!((stats.delivered, stats.limited), (24, 0), "{stats:?}");
}
