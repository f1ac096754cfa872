//! Three proxies that share limits through Redis: one is killed, Redis is gone for ten seconds and comes back empty.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;
use shardkeep::clock;
use shardkeep_sim::DEFAULT_TOKEN;

use crate::proxy::Proxy;
use crate::redis_support::Server;
use crate::support::Simulator;

/// Requests in all, and those that are sent at once to each proxy.
const REQUESTS: usize = 500;
const CLIENTS: usize = 12;

/// How long Redis is gone.
const GONE: Duration = Duration::from_secs(10);

/// Fixed, leaking and logged windows, and a global limit that three proxies would break at once.
const LIMITS: &str = r#"{
    "preset": "unlimited", "global": {"limit": 60}, "latency": {"there_ms": [2, 12], "back_ms": [2, 12]},
    "rules": [
        {"methods": ["POST"], "path": "/channels/{channel_id}/messages", "hash": "messages",
            "limit": 5, "window_ms": 1000},
        {"methods": ["GET"], "path": "/channels/{channel_id}", "hash": "channel",
            "limit": 4, "window_ms": 500, "kind": "leaky"},
        {"methods": ["GET"], "path": "/guilds/{guild_id}/roles", "hash": "roles",
            "limit": 6, "window_ms": 800, "kind": "log"}
    ]}"#;

/// One request through a proxy; `None` if the proxy is gone.
fn ask(authority: &str, (method, path): &(&str, String)) -> Option<u16> {
    let body = if *method == "POST" {
        r#"{"content":"x"}"#
    } else {
        ""
    };
    let mut socket = TcpStream::connect(authority).ok()?;
    write!(
        socket,
        "{method} /api/v10{path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nauthorization: Bot \
         {DEFAULT_TOKEN}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .ok()?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer).ok()?;
    answer.split(' ').nth(1)?.parse().ok()
}

fn accepted(simulator: &Simulator) -> u64 {
    simulator.control("rest", None)["counters"]["accepted"]
        .as_u64()
        .expect("a number")
}

fn proxy(simulator: &Simulator, redis: &Server, name: &str) -> Proxy {
    let url = redis.url();
    let away = [("SHARDKEEP_REST_POOL_AWAY_MS", "15000")];
    let arguments = [
        "--open",
        "--api",
        simulator.api(),
        "--global-limit",
        "60",
        "--pool",
        &url,
        "--pool-name",
        name,
    ];
    Proxy::start(&arguments, &away)
}

/// Requests over few resources, so that every proxy meets the others in every bucket.
fn workload(simulator: &Simulator) -> Vec<(&'static str, String)> {
    let told = simulator.control("guilds", None);
    let guilds: &Vec<Value> = told["guilds"].as_array().expect("a list");
    (0..REQUESTS)
        .map(|at| {
            let guild = &guilds[at % guilds.len()];
            let (id, channel) = (guild["id"].as_str(), guild["channel"].as_str());
            let (id, channel) = (id.expect("an id"), channel.expect("an id"));
            match at % 5 {
                0 | 1 => ("POST", format!("/channels/{channel}/messages")),
                2 | 3 => ("GET", format!("/channels/{channel}")),
                _ => ("GET", format!("/guilds/{id}/roles")),
            }
        })
        .collect()
}

#[test]
fn three_proxies_never_send_too_much_whatever_dies() {
    crate::needs_redis!();
    let simulator = Simulator::start(&["--guilds", "4", "--rest-global", "60"]);
    simulator.control_with("PUT", "rest", LIMITS);
    let mut redis = Server::start();
    let mut proxies: Vec<Proxy> = ["a", "b", "c"]
        .map(|name| proxy(&simulator, &redis, name))
        .into();
    let authorities: Vec<String> = proxies.iter().map(Proxy::authority).collect();
    let work = Mutex::new(workload(&simulator));
    let (is_dead, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    let (during, waited) = std::thread::scope(|scope| {
        for client in 0..CLIENTS * authorities.len() {
            let (work, authorities, is_dead, answered) = (&work, &authorities, &is_dead, &answered);
            scope.spawn(move || {
                loop {
                    let Some(request) = work.lock().expect("no panic").pop() else {
                        return;
                    };
                    let mut at = client % authorities.len();
                    while at == 2 && is_dead.load(Ordering::Relaxed)
                        || ask(&authorities[at], &request).is_none_or(|status| status >= 300)
                    {
                        // Only the proxy that was killed may leave a request unanswered.
                        assert_eq!(at, 2, "{request:?} was not answered");
                        at = client % 2;
                    }
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        std::thread::sleep(Duration::from_secs(4));
        let start = clock::now();
        redis.kill();
        std::thread::sleep(Duration::from_secs(1));
        is_dead.store(true, Ordering::Relaxed);
        drop(proxies.pop());
        // By now what the ledger granted is used up: whatever still comes is sent on shares.
        std::thread::sleep(Duration::from_secs(6));
        let before = accepted(&simulator);
        std::thread::sleep(GONE.saturating_sub(clock::now().since(start)));
        let during = accepted(&simulator) - before;
        redis.restart();
        (during, start)
    });
    let took = clock::now().since(waited);
    assert_eq!(answered.load(Ordering::Relaxed), REQUESTS);
    assert!(
        during > 10,
        "work goes on without Redis: {during} requests in 3 s"
    );
    let told = simulator.control("rest", None);
    for class in [
        "announced",
        "global_announced",
        "global_unannounced",
        "unannounced",
        "banned",
    ] {
        assert_eq!(
            told["counters"][class], 0,
            "{class}: {} after {took:?}",
            told["counters"]
        );
    }
}
