//! Any calls in any order: what the set holds is what a map would hold, and it says what it gave up.

use core::time::Duration;
use std::collections::BTreeMap;

use proptest::prelude::*;
use shardkeep_core::cache::hot_set::{Config, Cursor, Evicted, HotSet, Key, Limits};
use shardkeep_core::{Instant, Snowflake};

use super::{key, kind};

#[derive(Clone, Debug)]
enum Call {
    Insert(Key, usize),
    Remove(Key),
    Get(Key),
    RemoveScope(u64),
    RemoveKind(u8, u64),
    Budget(usize),
    Wait(u64),
    Expire(usize),
}

/// Few keys, so that they meet again; kind 1 is not kept, kind 2 for a second, kinds 3 to 5 have limits.
fn keys() -> impl Strategy<Value = Key> {
    (0_u8..6, 0_u64..5, 0_u64..200).prop_map(|(kind, scope, id)| key(kind, scope, id))
}

fn calls() -> impl Strategy<Value = Call> {
    let length = prop_oneof![20 => 0_usize..120, 4 => 400_usize..2_000, 1 => 5_000_usize..140_000];
    prop_oneof![
        40 => (keys(), length).prop_map(|(key, length)| Call::Insert(key, length)),
        20 => keys().prop_map(Call::Get),
        8 => keys().prop_map(Call::Remove),
        1 => (0_u64..5).prop_map(Call::RemoveScope),
        1 => (0_u8..6, 0_u64..5).prop_map(|(kind, scope)| Call::RemoveKind(kind, scope)),
        1 => (40_000_usize..400_000).prop_map(Call::Budget),
        2 => (0_u64..1_500).prop_map(Call::Wait),
        2 => (1_usize..100).prop_map(Call::Expire),
    ]
}

fn config() -> Config {
    let mut config = Config::new(200_000, 9);
    config.value_bytes_max = 130_000;
    config.limits[1] = Limits::OFF;
    config.limits[2].ttl = Some(Duration::from_secs(1));
    config.limits[3].count = Some(60);
    config.limits[4].bytes = Some(9_000);
    config.limits[5].count_per_scope = Some(7);
    config
}

/// A value that tells its key and version.
fn value(key: Key, version: usize, length: usize) -> Vec<u8> {
    let seed = key.id.0 ^ key.scope.0 << 8 ^ u64::from(key.kind.number()) << 16;
    let seed = seed ^ (version as u64) << 24;
    (0..length as u64)
        .map(|at| (seed.wrapping_mul(at * 2 + 0x9e37_79b9) >> 13).to_le_bytes()[0])
        .collect()
}

struct Play {
    set: HotSet,
    /// What the set holds, by what it said.
    map: BTreeMap<Key, (Vec<u8>, Instant)>,
    now: Instant,
    version: usize,
}

impl Play {
    fn call(&mut self, call: &Call) {
        let Self {
            set,
            map,
            now,
            version,
        } = self;
        let now = *now;
        let mut gone: Vec<(Key, Vec<u8>)> = Vec::new();
        let mut sink = |evicted: Evicted<'_>| gone.push((evicted.key, evicted.value.to_vec()));
        let mut stored = None;
        match *call {
            Call::Insert(key, length) => {
                *version += 1;
                let value = value(key, *version, length);
                if set.insert(now, key, &value, &mut sink).is_ok() {
                    stored = Some((key, value));
                }
            }
            Call::Remove(key) => assert_eq!(set.remove(key), map.remove(&key).is_some()),
            Call::Get(key) => {
                let wanted = map.get(&key).filter(|held| is_alive(key, held.1, now));
                assert_eq!(set.get(now, key), wanted.map(|held| held.0.as_slice()));
            }
            Call::RemoveScope(scope) => {
                let before = map.len();
                map.retain(|key, _| key.scope.0 != scope || scope == 0);
                assert_eq!(set.remove_scope(Snowflake(scope)), before - map.len());
            }
            Call::RemoveKind(number, scope) => {
                let before = map.len();
                map.retain(|key, _| key.scope.0 != scope || scope == 0 || key.kind != kind(number));
                assert_eq!(
                    set.remove_kind(kind(number), Snowflake(scope)),
                    before - map.len()
                );
            }
            Call::Budget(bytes) => set.set_budget(now, bytes, &mut sink),
            Call::Wait(millis) => self.now = now + Duration::from_millis(millis),
            Call::Expire(count) => set.expire(now, count, &mut sink),
        }
        for (key, value) in gone {
            let held = map.remove(&key).expect("only what is held is given up");
            assert!(held.0 == value, "{key:?} was given up as something else");
        }
        if let Some((key, value)) = stored {
            map.insert(key, (value, now));
        }
    }

    fn check(&self) {
        let Self { set, map, now, .. } = self;
        assert!(set.held_bytes() <= set.budget_bytes(), "{set:?}");
        assert_eq!(set.len(), map.len());
        for (&key, held) in map {
            let wanted = is_alive(key, held.1, *now).then_some(held.0.as_slice());
            assert!(set.peek(*now, key) == wanted, "{key:?}");
        }
        let stats = set.stats();
        for kind in (0..6).map(kind) {
            let counted = map.keys().filter(|key| key.kind == kind).count();
            let of = stats.of(kind);
            assert_eq!(of.count, counted);
            let gone = of.removed + of.evicted.iter().sum::<u64>();
            assert_eq!(of.inserted - gone, counted as u64);
            for scope in 1..5 {
                let is = |key: &&Key| key.kind == kind && key.scope.0 == scope;
                let mut wanted: Vec<_> = map
                    .iter()
                    .filter(|(key, held)| is(key) && is_alive(**key, held.1, *now))
                    .map(|(key, held)| (key.id, held.0.as_slice()))
                    .collect();
                let mut found: Vec<_> = set.scope(*now, kind, Snowflake(scope)).collect();
                wanted.sort_unstable();
                found.sort_unstable();
                assert!(found == wanted);
            }
        }
        assert!(stats.of(kind(3)).count <= 60 && stats.of(kind(4)).bytes <= 9_000);
        let (mut seen, mut cursor) = (Vec::new(), Some(Cursor::default()));
        while let Some(from) = cursor {
            cursor = set.visit(*now, from, 5, &mut |key, _| seen.push(key));
        }
        seen.sort_unstable();
        let wanted = map
            .iter()
            .filter(|(key, held)| is_alive(**key, held.1, *now));
        assert!(wanted.map(|held| held.0).eq(&seen));
    }
}

/// Kind 2 lives for a second, ended up to 66 ms early: by steps of 65.536 ms.
fn is_alive(key: Key, since: Instant, now: Instant) -> bool {
    let end = (since + Duration::from_secs(1)).as_micros() >> 16;
    key.kind != kind(2) || now.as_micros() >> 16 < end
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn it_equals_a_map_on_what_it_holds(calls in proptest::collection::vec(calls(), 1..600)) {
        let set = HotSet::new(&config());
        let mut play = Play { set, map: BTreeMap::new(), now: Instant::ZERO, version: 0 };
        for (number, call) in calls.iter().enumerate() {
            play.call(call);
            prop_assert!(play.set.held_bytes() <= play.set.budget_bytes());
            if number % 50 == 0 {
                play.check();
            }
        }
        play.check();
    }
}
