//! Whatever comes in, nothing panics, and the counts stay true.

#![expect(
    clippy::unwrap_used,
    reason = "what a test expects, its own functions expect too"
)]

mod script;

use serde_json::{Value, json};
use shardkeep_core::Rng;
use shardkeep_sim::{Input, WorldConfig};

use script::{Heard, Script, identify};

const QUERIES: [&str; 6] = [
    "/?v=10&encoding=json",
    "/?v=10&encoding=json&compress=zlib-stream",
    "/?v=10&encoding=json&compress=zstd-stream",
    "/?v=5",
    "nonsense?&&==&v",
    "",
];

fn any<'a, T>(rng: &mut Rng, things: &'a [T]) -> &'a T {
    &things[usize::try_from(rng.below(things.len() as u64)).unwrap()]
}

fn command(rng: &mut Rng, script: &Script) -> Value {
    let sessions: Vec<String> = script
        .world
        .ledger()
        .map(|ledger| ledger.session.clone())
        .collect();
    let session = if sessions.is_empty() {
        String::new()
    } else {
        any(rng, &sessions).clone()
    };
    let total = u32::try_from(rng.below(4)).unwrap();
    let index = u32::try_from(rng.below(4)).unwrap();
    match rng.below(10) {
        0..3 => identify([index, total], 53_608_447 >> rng.below(20)),
        3 => json!({"op": 1, "d": rng.below(100)}),
        4 | 5 => {
            let token = shardkeep_sim::DEFAULT_TOKEN;
            json!({"op": 6, "d": {"token": token, "session_id": session, "seq": rng.below(60)}})
        }
        6 => json!({"op": 8, "d": {"guild_id": "1", "query": "", "limit": 0}}),
        7 => {
            json!({"op": 3, "d": {"since": null, "activities": [], "status": "idle", "afk": true}})
        }
        8 => json!({"op": rng.below(50), "d": [rng.below(5)]}),
        _ => json!({"op": 31, "d": {"guild_ids": ["7", 8]}}),
    }
}

fn control(rng: &mut Rng) -> Value {
    let faults = json!([
        {"kind": "drop"}, {"kind": "half_open"}, {"kind": "zombie"}, {"kind": "lost_ack"},
        {"kind": "slow", "delay_ms": 300}, {"kind": "slow", "delay_ms": 90, "for_ms": 500},
        {"kind": "reconnect", "count": 4}, {"kind": "invalid_session", "resumable": true},
        {"kind": "invalid_session", "resumable": false}, {"kind": "close", "code": 4009},
        {"kind": "close", "code": 4008}, {"kind": "truncated_frame"}, {"kind": "corrupt_frame"},
        {"kind": "session_loss"}, {"kind": "request_heartbeat"}, {"kind": "merge_frames", "messages": 3},
        {"kind": "split_frames", "messages": 2, "pieces": 0}, {"kind": "split_frames", "messages": 9, "pieces": 7},
        {"kind": "bomb", "bytes": 5_000}, {"kind": "no_hello", "for_ms": 40}, {"kind": "no_ready", "for_ms": 40},
        {"kind": "refuse_connections", "for_ms": 40},
    ]);
    let fault = any(rng, faults.as_array().unwrap()).clone();
    match rng.below(12) {
        0 => json!({"do": "burst", "events": rng.below(30)}),
        1 => json!({"do": "chatter", "per_s": rng.below(50)}),
        2 => json!({"do": "outage", "for_ms": rng.below(300)}),
        3 => json!({"do": "calm"}),
        4 if rng.below(8) == 0 => json!({"do": "reset"}),
        5 => {
            json!({"do": "weather", "every_ms": rng.below(200), "faults": [{"fault": fault, "weight": rng.below(3)}]})
        }
        6 => {
            json!({"do": "inject_event", "shard": [rng.below(3), rng.below(3)], "t": "X", "d": null})
        }
        _ => json!({"do": "fault", "target": "all", "fault": fault}),
    }
}

/// The counts against what the outputs and inputs say.
fn check(script: &Script, seed: u64) {
    let counters = script.world.counters();
    let alive = script
        .world
        .ledger()
        .filter(|ledger| ledger.end.is_none())
        .count() as u64;
    assert_eq!(counters.sessions_open, alive, "seed {seed}");
    for ledger in script.world.ledger() {
        assert_eq!(
            ledger.entries.len() as u64,
            ledger.dispatches,
            "seed {seed}"
        );
        assert!(
            ledger.entries.is_sorted_by(|a, b| a.seq < b.seq),
            "seed {seed}"
        );
        assert!(ledger.confirmed_seq <= ledger.last_seq, "seed {seed}");
    }
}

fn run(seed: u64) {
    let mut rng = Rng::new(seed);
    let config = WorldConfig {
        seed,
        guilds: 5,
        members_per_guild: 5,
        max_concurrency: 1 + u32::try_from(rng.below(4)).unwrap(),
        identify_window_ms: rng.below(500),
        identify_remaining: 40,
        replay_capacity: usize::try_from(rng.below(60)).unwrap(),
        session_ttl_ms: rng.below(3_000),
        hello_delay_ms: rng.below(2) * 30,
        ready_delay_ms: rng.below(2) * 50,
        latency_ms: rng.below(2) * 20,
        heartbeat_interval_ms: 500,
        heartbeat_grace_ms: 500,
        ..WorldConfig::default()
    };
    let mut script = Script::new(config);
    let mut next = 0;
    for _ in 0..300 {
        let number = rng.below(next + 1);
        match rng.below(20) {
            0..3 => {
                let query = *any(&mut rng, &QUERIES);
                script.open_at(next, query);
                next += 1;
            }
            3..12 => {
                let message = command(&mut rng, &script);
                script.say(number, &message);
            }
            12 => {
                let code = any(&mut rng, &[None, Some(1000), Some(4000)]);
                script.close(number, *code);
            }
            13 => {
                let bytes: Vec<u8> = (0..rng.below(40))
                    .map(|_| rng.next_u32().to_le_bytes()[0])
                    .collect();
                script.input(Input::Binary {
                    connection: number,
                    bytes: &bytes,
                });
            }
            14 | 15 => {
                let wish = control(&mut rng);
                script.control(wish);
            }
            _ => script.wait_ms(rng.below(400)),
        }
        script.heard.clear();
        script.dispatches.clear();
    }
    check(&script, seed);
    script.wait_ms(20_000);
    check(&script, seed);
}

#[test]
fn anything_may_come_in_any_order() {
    for seed in 0..300 {
        run(seed);
    }
}

#[test]
fn a_connection_number_in_use_is_refused() {
    let mut script = Script::new(WorldConfig::default());
    script.open(1);
    let again = Input::Open {
        connection: 1,
        path_and_query: QUERIES[0],
    };
    let refused = shardkeep_sim::Machine::handle_input(&mut script.world, script.now, again);
    assert_eq!(refused, Err(shardkeep_sim::Misuse::ConnectionInUse));
    script.close(1, None);
    script.open(1);
    assert!(matches!(script.last(), Heard::Message(1, _)));
}
