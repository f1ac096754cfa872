//! The limiter against what its kinds promise, with random arrivals.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeMap;

use core::time::Duration;
use shardkeep_core::Rng;
use shardkeep_sim::Instant;
use shardkeep_sim::rest::{
    Kind, Latency, Limits, Network, Reply, Request, RestConfig, RestFault, Rule, Verdict,
};

const POST: &str = "/channels/{channel_id}/messages";
const KINDS: [Kind; 3] = [Kind::Fixed, Kind::Leaky, Kind::Log];

fn config(kind: Kind, limit: u32, window_ms: u64) -> RestConfig {
    RestConfig {
        rules: vec![Rule::new("POST", POST, "messages", limit, window_ms).kind(kind)],
        ..RestConfig::unlimited()
    }
}

fn limits(config: RestConfig) -> Limits {
    config.check().unwrap();
    Limits::new(config, 1, Instant::ZERO, 1_795_305_600_000)
}

/// Sends one request on a channel: the headers if it was let through, else the refusal.
fn send(limits: &mut Limits, id: u64, now: Instant, channel: u64) -> Result<Reply, Reply> {
    let path = format!("/api/v10/channels/{channel}/messages");
    let request = Request::new(id, "POST", &path, now);
    match limits.arrive(now, &request) {
        Verdict::Accepted(permit) => {
            let headers = limits.finish(permit, 200);
            Ok(Reply {
                status: 200,
                headers,
                body: Vec::new(),
            })
        }
        Verdict::Refused { reply, .. } => Err(reply),
    }
}

fn seconds(reply: &Reply, name: &str) -> Duration {
    Duration::from_secs_f64(reply.header(name).expect(name).parse().unwrap())
}

fn retry_after(reply: &Reply) -> Duration {
    let body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    let precise = Duration::from_secs_f64(body["retry_after"].as_f64().unwrap());
    let rounded = seconds(reply, "Retry-After");
    assert!(rounded >= precise && rounded < precise + Duration::from_secs(1));
    precise
}

fn number(reply: &Reply, name: &str) -> u32 {
    reply.header(name).expect(name).parse().unwrap()
}

/// Whether what was let through keeps to the kind, looked at from outside.
fn keeps_to(kind: Kind, limit: u64, window_us: u64, times: &[u64]) {
    match kind {
        Kind::Fixed => {
            let mut at = 0;
            while at < times.len() {
                let ends = times[at] + window_us;
                let inside = times[at..].iter().take_while(|&&time| time < ends).count();
                assert!(
                    inside as u64 <= limit,
                    "{inside} in the window from {}",
                    times[at]
                );
                at += inside;
            }
        }
        Kind::Log => {
            for (first, last) in times
                .iter()
                .zip(times.iter().skip(usize::try_from(limit).unwrap()))
            {
                assert!(last - first >= window_us, "{first} to {last}");
            }
        }
        Kind::Leaky => {
            for (at, first) in times.iter().enumerate() {
                for (count, last) in (1..).zip(&times[at..]) {
                    assert!(
                        (count - limit.min(count)) * window_us <= (last - first) * limit,
                        "{first} to {last}"
                    );
                }
            }
        }
    }
}

#[test]
fn no_more_is_let_through_than_the_kind_allows() {
    for seed in 0..300 {
        let mut rng = Rng::new(seed);
        let kind = KINDS[usize::try_from(rng.below(3)).unwrap()];
        let (limit, window_ms) = (1 + u32::try_from(rng.below(7)).unwrap(), 1 + rng.below(900));
        let mut limits = limits(config(kind, limit, window_ms));
        let mut taken: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        let mut now = Instant::ZERO;
        let pause = 2 * window_ms * 1_000 / u64::from(limit);
        for id in 0..400 {
            if rng.below(3) > 0 {
                now += Duration::from_micros(rng.below(pause));
            }
            let channel = 1 + rng.below(3);
            if send(&mut limits, id, now, channel).is_ok() {
                taken.entry(channel).or_default().push(now.as_micros());
            }
        }
        for times in taken.values() {
            keeps_to(kind, limit.into(), window_ms * 1_000, times);
        }
        let counters = limits.counters();
        assert_eq!(counters.arrivals, counters.accepted + counters.refused);
    }
}

#[test]
fn headers_keep_their_promises() {
    for seed in 0..600 {
        let mut rng = Rng::new(seed);
        let kind = KINDS[usize::try_from(rng.below(3)).unwrap()];
        let (limit, window_ms) = (1 + u32::try_from(rng.below(7)).unwrap(), 1 + rng.below(900));
        let mut limits = limits(config(kind, limit, window_ms));
        let (mut now, mut id) = (Instant::ZERO, 0);
        let mut next = |limits: &mut Limits, now| {
            id += 1;
            send(limits, id, now, 5)
        };
        for _ in 0..40 {
            now += Duration::from_micros(rng.below(window_ms * 1_000));
            match next(&mut limits, now) {
                Ok(reply) => match rng.below(3) {
                    // As many as remain, and no more.
                    0 => {
                        for left in (0..number(&reply, "x-ratelimit-remaining")).rev() {
                            let reply = next(&mut limits, now).expect("one remained");
                            assert_eq!(number(&reply, "x-ratelimit-remaining"), left);
                        }
                        let reply = next(&mut limits, now).expect_err("nothing remained");
                        assert_eq!(number(&reply, "x-ratelimit-remaining"), 0);
                        assert_eq!(reply.header("x-ratelimit-scope"), Some("user"));
                    }
                    // After Reset-After everything is free.
                    1 => {
                        now += seconds(&reply, "x-ratelimit-reset-after");
                        for _ in 0..limit {
                            next(&mut limits, now).expect("everything was free again");
                        }
                        next(&mut limits, now).expect_err("and no more");
                    }
                    _ => {
                        let reset: f64 =
                            reply.header("x-ratelimit-reset").unwrap().parse().unwrap();
                        let after = seconds(&reply, "x-ratelimit-reset-after").as_secs_f64();
                        let unix = 1_795_305_600.0 + now.as_micros() as f64 / 1e6;
                        assert!(
                            (reset - unix - after).abs() < 0.0021,
                            "{reset} {unix} {after}"
                        );
                    }
                },
                // After Retry-After one is let through; before it, none.
                Err(reply) => {
                    let wait = retry_after(&reply);
                    assert!(wait <= seconds(&reply, "x-ratelimit-reset-after"));
                    if let Some(early) = wait.checked_sub(Duration::from_millis(2)) {
                        next(&mut limits, now + early).expect_err("it was too early");
                    }
                    now += wait;
                    next(&mut limits, now).expect("the wait was long enough");
                }
            }
        }
    }
}

#[test]
fn the_global_limit_holds_in_every_span() {
    for seed in 0..50 {
        let mut rng = Rng::new(seed);
        let mut config = config(Kind::Leaky, 40, 1_000);
        config.global.limit = 1 + u32::try_from(rng.below(60)).unwrap();
        let limit = usize::try_from(config.global.limit).unwrap();
        let mut limits = limits(config);
        let (mut now, mut times) = (Instant::ZERO, Vec::new());
        for id in 0..2_000 {
            now += Duration::from_micros(rng.below(30_000));
            match send(&mut limits, id, now, 1 + rng.below(100)) {
                Err(reply) if reply.header("x-ratelimit-global") == Some("true") => {
                    assert_eq!(reply.header("x-ratelimit-limit"), None);
                    retry_after(&reply);
                }
                // What a bucket refuses has arrived all the same.
                _ => times.push(now.as_micros()),
            }
        }
        for (first, last) in times.iter().zip(times.iter().skip(limit)) {
            assert!(last - first >= 1_000_000);
        }
    }
}

/// Everything that a client hears in a storm.
fn storm(seed: u64) -> Vec<String> {
    let mut config = RestConfig {
        latency: Latency {
            there_ms: [1, 80],
            back_ms: [1, 80],
        },
        faults: [
            RestFault::DropBefore,
            RestFault::DropAfter,
            RestFault::Slow { delay_ms: 700 },
            RestFault::Fail {
                status: 503,
                headers: true,
                executed: false,
            },
        ]
        .map(|fault| serde_json::json!({ "fault": fault, "per_million": 50_000 }))
        .map(|rate| serde_json::from_value(rate).unwrap())
        .to_vec(),
        ..RestConfig::default()
    };
    config.global.limit = 120;
    let (mut network, mut rng) = (Network::new(config, seed), Rng::new(7));
    let mut now = Instant::ZERO;
    for id in 0..1_000 {
        now += Duration::from_micros(rng.below(20_000));
        let path = format!("/channels/{}/messages", 1 + rng.below(20));
        network.send(now, &Request::new(id, "POST", &path, now));
    }
    network.handle_timeout(now + Duration::from_secs(5));
    assert_eq!(network.poll_timeout(), None);
    core::iter::from_fn(|| network.poll_output())
        .map(|heard| format!("{heard:?}"))
        .collect()
}

#[test]
fn the_same_seed_gives_the_same_storm() {
    let (one, again, other) = (storm(3), storm(3), storm(4));
    assert_eq!(one.len(), 1_000);
    assert_eq!(one, again);
    assert_ne!(one, other);
    let broken = one
        .iter()
        .filter(|heard| heard.contains("reply: None"))
        .count();
    assert!((50..150).contains(&broken), "{broken} connections broke");
    assert!(one.iter().any(|heard| heard.contains("status: 503")));
}

#[test]
fn nothing_the_network_says_makes_it_panic() {
    let mut limits = limits(RestConfig::default());
    let paths = [
        "",
        "/",
        "//",
        "/api",
        "/api/v",
        "/api/v10",
        "?",
        "/channels",
        "/channels//messages",
        "/webhooks/1/",
        "/%",
        "/é/{id}",
    ];
    for (id, path) in (0..).zip(paths) {
        for method in ["GET", "POST", "", "PURGE"] {
            let mut request = Request::new(id, method, path, Instant::ZERO);
            request.body = b"{\"name\":";
            if let Verdict::Accepted(permit) = limits.arrive(Instant::ZERO, &request) {
                limits.finish(permit, 404);
            }
            limits.received(Instant::ZERO, id);
            limits.lost(id);
        }
    }
}

#[test]
fn absurd_figures_do_no_harm() {
    for (limit, window_ms) in [
        (0, 0),
        (0, 1_000),
        (5, 0),
        (u32::MAX, u64::MAX),
        (1, u64::MAX),
    ] {
        for kind in KINDS {
            let mut config = config(kind, limit, window_ms);
            config.global.limit = 3;
            config.global.window_ms = window_ms;
            config.guard.limit = 1;
            config.guard.window_ms = u64::MAX;
            config.guard.ban_ms = u64::MAX;
            let mut limits = Limits::new(config, 1, Instant::ZERO, u64::MAX);
            for id in 0..10 {
                let now = Instant::from_millis(id);
                let _ = send(&mut limits, id, now, 1);
                limits.received(now, id);
            }
            let posts =
                [0, 1, 2].map(|id| Request::new(id, "POST", "/channels/1/messages", Instant::ZERO));
            let _ = (limits.best_finish(&posts), limits.so_far());
        }
    }
}
