//! Limits of kinds and scopes, ends of lives, values that are not kept.

use core::time::Duration;

use shardkeep_core::cache::hot_set::{Config, HotSet, Limits, Reason, Refusal, Stored};
use shardkeep_core::{Instant, Snowflake};

use super::{NOW, count, ignore, key, kind};

fn limited(limits: Limits) -> HotSet {
    let mut config = Config::new(1 << 20, 1);
    config.limits[1] = limits;
    HotSet::new(&config)
}

#[test]
fn a_kind_that_is_off_keeps_nothing() {
    let mut set = limited(Limits::OFF);
    let refused = set.insert(NOW, key(1, 2, 3), b"x", &mut ignore);
    assert_eq!(refused, Err(Refusal::Off));
    assert_eq!(set.stats().of(kind(1)).refused_for(Refusal::Off), 1);
    assert!(set.is_empty());
    assert_eq!(
        set.insert(NOW, key(2, 2, 3), b"x", &mut ignore),
        Ok(Stored::New)
    );
}

#[test]
fn a_count_holds_over_all_scopes_and_other_kinds_lose_nothing() {
    for scopes in [0, 1, 50] {
        let mut limits = Limits::NONE;
        limits.count = Some(100);
        let mut set = limited(limits);
        set.insert(NOW, key(0, 0, 9), b"other", &mut ignore)
            .unwrap();
        let mut gone = 0;
        for id in 0..500 {
            let scope = if scopes == 0 { 0 } else { id % scopes + 1 };
            set.insert(NOW, key(1, scope, id), b"value", &mut |evicted| {
                assert_eq!(evicted.reason, Reason::KindLimit);
                gone += 1;
            })
            .unwrap();
            assert!(
                set.peek(NOW, key(1, scope, id)).is_some(),
                "the newest is held"
            );
        }
        assert_eq!((set.stats().of(kind(1)).count, gone), (100, 400));
        assert!(set.peek(NOW, key(0, 0, 9)).is_some());
    }
}

#[test]
fn bytes_hold_also_when_values_grow() {
    let mut limits = Limits::NONE;
    limits.bytes = Some(4_000);
    let mut set = limited(limits);
    for id in 0..20 {
        set.insert(NOW, key(1, 5, id), &[1; 100], &mut ignore)
            .unwrap();
    }
    assert_eq!(count(&set, 1, 5), 20);
    set.insert(NOW, key(1, 5, 19), &[1; 2_000], &mut ignore)
        .unwrap();
    let of = *set.stats().of(kind(1));
    assert!(of.bytes <= 4_000 && of.bytes > 3_000, "{of:?}");
    assert_eq!(
        set.insert(NOW, key(1, 5, 19), &[1; 4_000], &mut ignore),
        Err(Refusal::NoRoom)
    );
    assert!(
        set.peek(NOW, key(1, 5, 19)).is_none(),
        "the older value would be wrong"
    );
    assert_eq!(set.stats().of(kind(1)).evicted_for(Reason::Outdated), 1);
}

#[test]
fn a_channel_keeps_its_latest_messages_however_often_the_earliest_are_asked_for() {
    let mut limits = Limits::NONE;
    limits.count_per_scope = Some(10);
    let mut set = limited(limits);
    for id in 0..100 {
        for channel in 1..4 {
            set.insert(NOW, key(1, channel, id), b"message", &mut ignore)
                .unwrap();
            let _ = set.get(NOW, key(1, channel, id));
        }
    }
    for channel in 1..4 {
        let latest: Vec<u64> = set
            .scope(NOW, kind(1), Snowflake(channel))
            .map(|held| held.0.0)
            .collect();
        assert_eq!(latest, (90..100).rev().collect::<Vec<_>>());
    }
}

#[test]
fn a_life_ends_never_late_and_at_most_a_step_early() {
    let ttl = Duration::from_secs(10);
    let mut limits = Limits::NONE;
    limits.ttl = Some(ttl);
    for start in [0, 1, 65_535, 1 << 48] {
        let start = Instant::from_micros(start);
        let mut set = limited(limits);
        set.insert(start, key(1, 2, 3), b"x", &mut ignore).unwrap();
        let early = start + (ttl - Duration::from_millis(66));
        assert!(set.get(early, key(1, 2, 3)).is_some());
        assert!(set.get(start + ttl, key(1, 2, 3)).is_none());
        assert_eq!(set.scope(start + ttl, kind(1), Snowflake(2)).count(), 0);
        assert_eq!((set.stats().hits, set.stats().misses), (1, 1));
        // A newer value begins a new life.
        set.insert(early, key(1, 2, 3), b"y", &mut ignore).unwrap();
        assert!(set.peek(start + ttl, key(1, 2, 3)).is_some());
        let mut gone = 0;
        for _ in 0..200 {
            set.expire(early + ttl, 10, &mut |_| gone += 1);
        }
        assert_eq!((gone, set.len()), (1, 0));
    }
}

#[test]
fn what_is_too_long_is_refused_whatever_the_budget() {
    let mut config = Config::new(4 << 20, 1);
    config.value_bytes_max = 1_000;
    let mut set = HotSet::new(&config);
    assert!(
        set.insert(NOW, key(1, 2, 3), &[1; 1_000], &mut ignore)
            .is_ok()
    );
    assert_eq!(
        set.insert(NOW, key(1, 2, 3), &[1; 1_001], &mut ignore),
        Err(Refusal::TooLong)
    );
    assert!(set.is_empty());
    let mut set = HotSet::new(&Config::new(64 << 10, 1));
    assert_eq!(
        set.insert(NOW, key(1, 2, 3), &[1; 60_000], &mut ignore),
        Err(Refusal::NoRoom)
    );
    let mut set = HotSet::new(&Config::new(0, 1));
    assert_eq!(
        set.insert(NOW, key(1, 2, 3), b"", &mut ignore),
        Err(Refusal::NoRoom)
    );
}

#[test]
fn a_guild_that_was_left_goes_with_everything_under_it() {
    let mut set = HotSet::new(&Config::new(4 << 20, 1));
    for number in 0..4 {
        for scope in 1..4 {
            for id in 0..100 {
                set.insert(NOW, key(number, scope, id), &[2; 30], &mut ignore)
                    .unwrap();
            }
        }
    }
    assert_eq!(set.remove_scope(Snowflake(2)), 400);
    assert_eq!(set.scope_bytes(Snowflake(2)), 0);
    assert_eq!(set.remove_kind(kind(1), Snowflake(3)), 100);
    assert_eq!(
        (count(&set, 1, 3), count(&set, 2, 3), count(&set, 1, 1)),
        (0, 100, 100)
    );
    assert_eq!(set.len(), 700);
    assert_eq!(set.remove_scope(Snowflake(2)), 0);
}
