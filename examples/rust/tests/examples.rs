//! Every example runs against a simulator and ends by itself.

use std::path::PathBuf;
use std::process::{Command, Output};

use shardkeep_sim::server::{Server, ServerConfig};
use shardkeep_sim::{DEFAULT_TOKEN, WorldConfig};

/// Where cargo puts examples: beside the folder of the tests.
fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a running test has a path");
    let debug = test.ancestors().nth(2).expect("target/debug/deps/test");
    debug.join("examples").join(name)
}

/// Runs an example until it has seen ten events.
fn run(name: &str) -> String {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let world = WorldConfig { chatter_per_s: 200, ..WorldConfig::default() };
    let config = ServerConfig { world, ..ServerConfig::default() };
    let server = runtime.block_on(Server::start(config)).expect("a free port on loopback");
    let Output { status, stdout, stderr } = Command::new(example(name))
        .env("DISCORD_API_BASE", server.api_base())
        .env("DISCORD_TOKEN", DEFAULT_TOKEN)
        .env("SHARDKEEP_EXAMPLE_EVENTS", "10")
        .output()
        .expect("cargo builds examples before it runs tests");
    let text = String::from_utf8_lossy(&stdout).into_owned();
    assert!(status.success(), "{text}\n{}", String::from_utf8_lossy(&stderr));
    text
}

#[test]
fn a_bot_with_handlers() {
    let text = run("ping_bot");
    assert!(
        text.contains("ready: ") && text.contains(" wrote") && text.ends_with("stopped\n"),
        "{text}"
    );
}

#[test]
fn a_bot_that_takes_batches() {
    let text = run("batches");
    assert!(text.contains(" READY\n") && text.contains(" GUILD_CREATE\n"), "{text}");
}

#[test]
fn a_bot_that_knows_its_guilds() {
    let text = run("cached");
    assert_eq!(text.matches(" has the roles ").count(), 10, "{text}");
    assert!(text.contains(" guilds in ") && text.contains(" looks found something"), "{text}");
}

#[test]
fn rest_alone() {
    let text = run("rest");
    assert!(text.contains("this is ") && text.contains("code 10003"), "{text}");
    assert_eq!(text.matches("posted ").count(), 10, "{text}");
}

#[test]
fn core_over_a_transport_of_ones_own() {
    let text = run("own_transport");
    assert!(text.contains("#1 READY") && text.contains("GUILD_CREATE"), "{text}");
}
