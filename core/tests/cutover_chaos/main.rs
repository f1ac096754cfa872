//! Thousands of cutovers in every weather, each against the truth. `SHARDKEEP_SEEDS=20000 cargo test --release -p
//! shardkeep-core --test cutover_chaos -- --nocapture` runs as many as it is told; `SHARDKEEP_SEED` replays one.

#![allow(clippy::print_stdout, reason = "a run says what it has seen")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../cutover_world/mod.rs"]
mod cutover_world;

use std::env;
use std::panic::catch_unwind;

use cutover_world::{Sum, Weather, World};

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap())
}

fn run(what: &str, weather: Weather) -> Sum {
    let seeds = match (number("SHARDKEEP_SEED"), number("SHARDKEEP_SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, seeds) => 0..seeds.unwrap_or(60),
    };
    let mut sum = Sum::default();
    let mut wrong = Vec::new();
    for seed in seeds {
        let played = catch_unwind(|| {
            let mut one = Sum::default();
            World::new(seed, weather).play().check(&mut one);
            one
        });
        match played {
            Ok(one) => sum.add(&one),
            Err(_) => wrong.push(seed),
        }
    }
    println!("{what}: {sum:?}");
    assert!(
        wrong.is_empty(),
        "{what}: seeds {wrong:?}; each replays with SHARDKEEP_SEED"
    );
    sum
}

#[test]
fn when_neither_side_breaks_each_event_is_dispatched_once_and_in_order() {
    let sum = run("calm", Weather::default());
    assert_eq!(sum.lost, 0, "lost and counted is lost all the same");
    assert!(sum.histories == 1 || sum.duplicates > 0 && sum.held > 0);
    // The others have only payloads that are all alike, in a stream without a pause.
    assert!(sum.histories == 1 || sum.clean * 100 > sum.guilds * 85);
}

#[test]
fn resumes_lose_nothing_silently() {
    let resumes = Weather {
        resumes: true,
        ..Weather::default()
    };
    run("resumes", resumes);
}

#[test]
fn a_new_session_that_is_lost_loses_nothing_silently() {
    let weather = Weather {
        new_lost: true,
        ..Weather::default()
    };
    run("new session lost", weather);
}

#[test]
fn an_old_session_that_is_lost_loses_nothing_silently() {
    let weather = Weather {
        old_lost: true,
        ..Weather::default()
    };
    run("old session lost", weather);
}

#[test]
fn processes_that_crash_lose_nothing_silently() {
    let weather = Weather {
        crashes: true,
        ..Weather::default()
    };
    run("crashes", weather);
}

#[test]
fn an_old_process_that_dies_loses_nothing_silently() {
    let weather = Weather {
        old_dies: true,
        ..Weather::default()
    };
    run("old process dies", weather);
}

#[test]
fn slow_messages_lose_nothing_silently() {
    let weather = Weather {
        slow_messages: true,
        ..Weather::default()
    };
    run("slow messages", weather);
}

#[test]
fn everything_at_once_loses_nothing_silently() {
    let weather = Weather {
        resumes: true,
        new_lost: true,
        old_lost: true,
        crashes: true,
        old_dies: true,
        slow_messages: true,
    };
    run("everything", weather);
}
