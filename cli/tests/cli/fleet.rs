//! `fleet status`: what all processes of a bot do, from outside.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::redis_support::{Server, is_there};
use crate::support::{Simulator, run, shardkeep, signal};

/// A command that is told of the fleet as a container would be.
fn told(command: &mut Command, redis: &Server) {
    command
        .env("SHARDKEEP_REDIS_CONFIG_URL", redis.url())
        .env("SHARDKEEP_FLEET_KIND", "redis")
        .env("SHARDKEEP_FLEET_TERM_MS", "2000")
        .env("SHARDKEEP_SESSION_STORE_KIND", "redis")
        .env("SHARDKEEP_ON_SHUTDOWN", "transfer");
}

fn bot(simulator: &Simulator, redis: &Server, name: &str) -> Child {
    let mut command = shardkeep(&["run", "--api", simulator.api(), "--shards", "4", "--ndjson"]);
    told(&mut command, redis);
    command
        .env("SHARDKEEP_FLEET_NAME", name)
        .env("SHARDKEEP_FLEET_LABEL", "zone-a")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn status(simulator: &Simulator, redis: &Server, more: &[&str]) -> (i32, String, String) {
    let mut command = shardkeep(&["fleet", "status", "--api", simulator.api()]);
    told(&mut command, redis);
    run(command.args(more))
}

/// The fleet, once it is as `enough` says.
fn until(simulator: &Simulator, redis: &Server, enough: impl Fn(&Value) -> bool) -> Value {
    let mut last = Value::Null;
    for _ in 0..300 {
        let (code, out, err) = status(simulator, redis, &["--json"]);
        assert_eq!((code, err.as_str()), (0, ""));
        last = serde_json::from_str(&out).unwrap();
        if enough(&last) {
            return last;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("{last}");
}

fn shards(view: &Value) -> Vec<(String, u64)> {
    let members = view["members"].as_array().unwrap();
    let of = |member: &Value| {
        let name = member["name"].as_str().unwrap().to_owned();
        (name, member["shards"].as_u64().unwrap())
    };
    members.iter().map(of).collect()
}

fn all_of(shards: &[(&str, u64)]) -> Vec<(String, u64)> {
    shards
        .iter()
        .map(|&(name, n)| (name.to_owned(), n))
        .collect()
}

#[test]
fn processes_shards_and_identifies_are_shown_and_a_stop_gives_shards_away() {
    if !is_there() {
        return;
    }
    let redis = Server::start();
    let simulator =
        Simulator::start(&["--guilds", "8", "--members", "5", "--max-concurrency", "16"]);
    let (code, out, _) = status(&simulator, &redis, &[]);
    assert_eq!(code, 0);
    assert!(
        out.contains("nobody has said yet which shards there are"),
        "{out}"
    );
    assert!(out.contains("no process is there"), "{out}");

    let mut one = bot(&simulator, &redis, "one");
    let two = bot(&simulator, &redis, "two");
    let even = all_of(&[("one", 2), ("two", 2)]);
    let view = until(&simulator, &redis, |view| {
        let ready = |member: &Value| member["status"].as_str().unwrap().contains("\"ready\":2");
        shards(view) == even && view["members"].as_array().unwrap().iter().all(ready)
    });
    assert_eq!(view["topology"], "4");
    assert_eq!(view["leases"].as_array().unwrap().len(), 4);
    let (_, out, _) = status(&simulator, &redis, &[]);
    for part in [
        "shards 4, revision 1",
        "zone-a",
        "one ",
        "two ",
        " left until the day ends in ",
    ] {
        assert!(out.contains(part), "{part}: {out}");
    }
    assert!(
        !out.contains("observer"),
        "who looks is not among them: {out}"
    );

    signal(&one, "TERM");
    assert!(one.wait().unwrap().success());
    until(&simulator, &redis, |view| {
        shards(view) == all_of(&[("two", 4)])
    });
    let counters = simulator.control("counters", None);
    assert_eq!(counters["identifies"], 4, "{counters}");
    signal(&two, "KILL");
    let mut two = two;
    let _reaped = two.wait();
}

#[test]
fn without_a_register_it_says_what_to_set() {
    let simulator = Simulator::start(&["--guilds", "1"]);
    let (code, _, err) = run(&mut shardkeep(&[
        "fleet",
        "status",
        "--api",
        simulator.api(),
    ]));
    assert_eq!(code, 1);
    assert!(err.contains("redis_config.url"), "{err}");
}
