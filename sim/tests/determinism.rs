//! The same seed and the same inputs give the same outputs; another seed gives others.

mod script;

use serde_json::json;
use shardkeep_sim::{Instant, Machine, World, WorldConfig};

use script::{ALL_INTENTS, Heard, Script};

/// A few minutes of three shards in bad weather; the client knows what to do about drops and nothing else.
fn run(seed: u64) -> Vec<Heard> {
    let config = WorldConfig {
        seed,
        guilds: 30,
        members_per_guild: 40,
        chatter_per_s: 20,
        max_concurrency: 16,
        latency_ms: 20,
        ..WorldConfig::default()
    };
    let mut script = Script::new(config);
    let mut sessions = Vec::new();
    for index in 0..3 {
        sessions.push(script.start(u64::from(index), [index, 3], ALL_INTENTS));
    }
    let faults = json!([
        {"fault": {"kind": "drop"}, "weight": 3},
        {"fault": {"kind": "half_open"}},
        {"fault": {"kind": "reconnect"}},
        {"fault": {"kind": "slow", "delay_ms": 700}},
        {"fault": {"kind": "request_heartbeat"}},
    ]);
    script.control(json!({"do": "weather", "every_ms": 4_000, "faults": faults}));
    let mut next = 3;
    for _ in 0..20 {
        script.wait_ms(10_000);
        for (at, session) in sessions.clone().into_iter().enumerate() {
            let ledger = script.session(&session);
            if !ledger.connected && ledger.end.is_none() {
                script.open(next);
                script.wait_ms(40);
                script.resume(next, &session, ledger.last_seq);
                sessions[at] = session;
                next += 1;
            }
        }
    }
    assert!(next > 6, "the weather was too good");
    script.heard
}

#[test]
fn the_same_seed_gives_the_same_outputs() {
    let (first, second) = (run(11), run(11));
    assert!(first.len() > 2_000);
    assert_eq!(first.len(), second.len());
    assert!(first == second);
    assert!(first != run(12));
}

#[test]
fn spurious_timeouts_change_nothing() {
    let config = WorldConfig {
        chatter_per_s: 10,
        ..WorldConfig::default()
    };
    let mut world = World::new(config, Instant::ZERO);
    for _ in 0..5 {
        world.handle_timeout(Instant::ZERO);
    }
    let next = world.poll_timeout().unwrap();
    assert_eq!(next.at, Instant::from_millis(100));
    world.handle_timeout(Instant::from_millis(50));
    assert_eq!(world.poll_timeout(), Some(next));
    assert!(world.poll_output().is_none());
}

#[test]
fn hours_pass_in_one_call() {
    let config = WorldConfig {
        chatter_per_s: 1,
        session_ttl_ms: 1_000,
        ..WorldConfig::default()
    };
    let mut script = Script::new(config);
    let session = script.start(1, [0, 1], ALL_INTENTS);
    script.now = Instant::from_secs(7_200);
    script.world.handle_timeout(script.now);
    script.drain();
    // The silent client was closed after a minute, and its session died a second later.
    assert!(script.heard.contains(&Heard::Close(1, 4000)));
    assert!(script.session(&session).end.is_some());
}
