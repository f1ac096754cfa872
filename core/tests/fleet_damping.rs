//! Identifies that lead nowhere slow the next ones down: one shard's, the wasteful ones', the whole fleet's.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fleet_harness;

use std::collections::BTreeMap;
use std::time::Duration;

use fleet_harness::{Out, Rig, SPACING, limit, secs, shard};
use shardkeep_core::fleet::{Event, Input, Phase, Wait};
use shardkeep_core::{Instant, Machine, ShardId};

/// Grants the shard its identify and lets it fail at once.
fn waste(rig: &mut Rig, shard: ShardId) -> Duration {
    let start = rig.now;
    rig.input(Input::WantIdentify { shard });
    while rig.fleet.shard(shard).unwrap().phase == Phase::Waiting {
        let timeout = rig.fleet.poll_timeout().unwrap();
        rig.run_until(timeout.at);
    }
    let waited = rig.now.since(start);
    rig.input(Input::IdentifyRejected { shard });
    waited
}

#[test]
fn the_pause_doubles_up_to_its_cap() {
    let mut rig = Rig::with_limits("1", 1);
    rig.answer = Some(limit(1000, 1));
    let pauses: Vec<_> = (0..12).map(|_| waste(&mut rig, ShardId::SINGLE)).collect();
    assert_eq!(pauses[0], secs(0));
    assert_eq!(
        pauses[1], SPACING,
        "the first pause is hidden by the spacing"
    );
    for (n, pause) in pauses.iter().enumerate().skip(2) {
        let step = secs(5 << (n - 1)).min(secs(900));
        assert!(
            *pause >= step * 3 / 4 && *pause <= step,
            "pause {n}: {pause:?}"
        );
    }
    assert_eq!(rig.fleet.status().wasted_today, 12);
}

#[test]
fn each_way_to_waste_an_identify() {
    let only = ShardId::SINGLE;
    let ways: [&[Input]; 4] = [
        &[Input::IdentifyRejected { shard: only }],
        &[Input::Down { shard: only }],
        &[Input::Ready { shard: only }, Input::Down { shard: only }],
        &[Input::Ready { shard: only }],
    ];
    for way in ways {
        let mut rig = Rig::with_limits("1", 1);
        rig.input(Input::WantIdentify { shard: only });
        for &input in way {
            rig.run_for(secs(1));
            rig.input(input);
        }
        rig.run_for(secs(1));
        rig.input(Input::WantIdentify { shard: only });
        assert_eq!(rig.fleet.shard(only).unwrap().wasted_in_a_row, 1, "{way:?}");
        assert!(
            rig.events()
                .iter()
                .any(|event| matches!(event, Event::Damped { .. }))
        );
    }
}

#[test]
fn a_session_that_lived_a_minute_was_no_waste() {
    let only = ShardId::SINGLE;
    let mut rig = Rig::with_limits("1", 1);
    waste(&mut rig, only);
    waste(&mut rig, only);
    rig.input(Input::WantIdentify { shard: only });
    rig.run_for(secs(30));
    rig.input(Input::Ready { shard: only });
    rig.run_for(secs(59));
    assert_eq!(rig.fleet.shard(only).unwrap().wasted_in_a_row, 2);
    rig.run_for(secs(1));
    assert_eq!(rig.fleet.shard(only).unwrap().wasted_in_a_row, 0);
    rig.input(Input::Down { shard: only });
    let now = rig.now;
    rig.input(Input::WantIdentify { shard: only });
    assert_eq!(rig.grants().last(), Some(&(now, only)), "at once");
}

#[test]
fn a_young_session_that_resumes_has_not_died() {
    let only = ShardId::SINGLE;
    let mut rig = Rig::with_limits("1", 1);
    rig.input(Input::WantIdentify { shard: only });
    rig.input(Input::Ready { shard: only });
    rig.run_for(secs(10));
    rig.input(Input::Down { shard: only });
    rig.run_for(secs(80));
    rig.input(Input::Resumed { shard: only });
    rig.run_for(secs(5));
    rig.input(Input::Down { shard: only });
    rig.input(Input::WantIdentify { shard: only });
    assert_eq!(rig.fleet.status().wasted_today, 0);
}

#[test]
fn a_few_sick_shards_do_not_slow_the_others() {
    let mut rig = Rig::with_limits("20", 4);
    for _ in 0..4 {
        for i in 0..4 {
            waste(&mut rig, shard(i, 20));
        }
    }
    assert!(!rig.fleet.status().is_damped);
    for i in 0..4 {
        rig.input(Input::WantIdentify {
            shard: shard(i, 20),
        });
        assert_eq!(
            rig.fleet.shard(shard(i, 20)).unwrap().wait,
            Some(Wait::Damped)
        );
    }
    rig.run_for(SPACING);
    rig.input(Input::WantIdentify {
        shard: shard(7, 20),
    });
    assert_eq!(rig.grants().last(), Some(&(rig.now, shard(7, 20))));
    assert_eq!(
        rig.fleet.status().parked,
        0,
        "those held back take no place in the window"
    );
}

/// A bot whose sessions of `sick` shards die a second after READY; it goes on for `duration`.
/// Returns the identifies spent.
fn live(rig: &mut Rig, sick: impl Fn(ShardId) -> bool, duration: Duration) -> usize {
    let until = rig.now + duration;
    rig.answer = Some(limit(1000, rig.fleet.status().max_concurrency));
    let before = rig.grants().len();
    let mut answered = rig.log.len();
    let mut deaths: BTreeMap<Instant, Vec<ShardId>> = BTreeMap::new();
    for out in rig.log.clone() {
        if let Out::Start(shard) = out.1
            && rig.fleet.shard(shard).unwrap().phase == Phase::Connecting
        {
            rig.input(Input::WantIdentify { shard });
        }
    }
    loop {
        while let Some((at, out)) = rig.log.get(answered).cloned() {
            answered += 1;
            match out {
                Out::Start(shard) => rig.input(Input::WantIdentify { shard }),
                Out::Grant(shard) => {
                    rig.input(Input::Ready { shard });
                    if sick(shard) {
                        deaths.entry(at + secs(1)).or_default().push(shard);
                    }
                }
                _ => {}
            }
        }
        let timeout = rig.fleet.poll_timeout().map(|timeout| timeout.at);
        let death = deaths.first_key_value().map(|(&at, _)| at);
        let Some(next) = timeout
            .into_iter()
            .chain(death)
            .min()
            .filter(|&at| at <= until)
        else {
            rig.run_until(until);
            return rig.grants().len() - before;
        };
        rig.run_until(next);
        for shard in deaths.remove(&next).unwrap_or_default() {
            rig.input(Input::Down { shard });
            rig.input(Input::WantIdentify { shard });
        }
    }
}

#[test]
fn a_bad_deploy_does_not_burn_the_day() {
    let mut rig = Rig::with_limits("200", 16);
    let spent = live(&mut rig, |_| true, secs(8 * 3600));
    println!("bad deploy, 200 shards, 8 hours: {spent} of 950 identifies");
    assert!(spent < 950 / 3, "{spent} identifies in a night");
    assert!(rig.fleet.status().is_damped);
    assert!(
        rig.fleet.status().parked > 100,
        "the rest of the fleet was never tried"
    );

    // The next deploy is good: the fleet finds out by itself and goes on at full speed.
    let since = rig.now;
    live(&mut rig, |_| false, secs(3 * 3600));
    assert!(rig.events().contains(&Event::FleetRecovered));
    assert_eq!(rig.fleet.status().ready, 200);
    println!(
        "recovered; last grant {:?} later",
        rig.grants().last().unwrap().0.since(since)
    );
}

#[test]
fn a_sick_part_of_a_healthy_fleet_leaves_most_of_the_day() {
    let mut rig = Rig::with_limits("200", 16);
    let spent = live(&mut rig, |shard| shard.index() % 5 == 0, secs(8 * 3600));
    println!("40 of 200 shards sick, 8 hours: {spent} of 950 identifies");
    assert!(spent < 200 + 950 / 2, "{spent} identifies in a night");
    assert_eq!(rig.fleet.status().ready + rig.fleet.status().waiting, 200);
    assert!(!rig.fleet.status().is_damped, "most shards are well");

    // A healthy shard that loses its session gets its slot at once.
    let well = shard(1, 200);
    rig.input(Input::Down { shard: well });
    rig.input(Input::WantIdentify { shard: well });
    rig.run_for(SPACING);
    assert_eq!(
        rig.grants().iter().filter(|grant| grant.1 == well).count(),
        2
    );
}

#[test]
fn one_sick_shard_costs_little() {
    let mut rig = Rig::with_limits("1", 1);
    let spent = live(&mut rig, |_| true, secs(24 * 3600));
    println!("one shard in a crash loop, 24 hours: {spent} of 950 identifies");
    assert!(spent < 950 / 4, "{spent} identifies in a day");
}

#[test]
fn a_slowed_fleet_says_so() {
    let mut rig = Rig::with_limits("12", 6);
    live(&mut rig, |_| true, secs(120));
    let told = rig.events().into_iter().find_map(|event| match event {
        Event::FleetDamped {
            sick,
            proven,
            until,
        } => Some((sick, proven, until)),
        _ => None,
    });
    let (sick, proven, until) = told.expect("told");
    assert_eq!((sick, proven), (5, 0));
    assert!(until > Instant::from_secs(1));
    let waits: Vec<_> = rig.fleet.shards().filter_map(|shard| shard.wait).collect();
    assert!(waits.contains(&Wait::FleetDamped), "{waits:?}");
    assert!(Wait::FleetDamped.explain().contains("deploy"));
}
