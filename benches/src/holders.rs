//! Caches that hold the same values and are asked for them: the hot set, quick_cache, moka.

use std::sync::{Arc, RwLock};

use shardkeep_core::cache::hot_set::{Config, HotSet, Key, Kind};
use shardkeep_core::{Instant, Rng, Snowflake};

/// Entries held: of few bytes of memory, and of more than the processor's caches.
pub const SIZES: [u32; 2] = [10_000, 500_000];

/// Bytes of each value.
pub const VALUE: usize = 80;

/// Questions in a row before the next one has its turn.
pub const BURST: usize = 20_000;

/// Somebody who is asked; returns bytes that it found, so that nobody can leave out looking.
pub type Ask = Box<dyn FnMut(&[Key]) -> usize>;

/// Members of guilds of a hundred.
///
/// # Panics
///
/// Never: there is a kind with that number.
#[must_use]
pub fn keys(count: u32) -> Vec<Key> {
    let kind = Kind::new(1).expect("a kind");
    let snowflake = |number: u32| Snowflake(u64::from(number) << 22 | 0x1000_0000_0000_0000);
    let key = |id| Key {
        kind,
        scope: snowflake(id / 100),
        id: snowflake(id),
    };
    (0..count).map(key).collect()
}

/// Everybody with the same values, by name.
///
/// # Panics
///
/// If one of them does not keep what it has room for.
#[must_use]
pub fn everybody(keys: &[Key]) -> Vec<(&'static str, Ask)> {
    let fill = || {
        let mut set = HotSet::new(&Config::new(256 << 20, 1));
        for &key in keys {
            let stored = set.insert(Instant::ZERO, key, &[1; VALUE], &mut |_| {});
            stored.expect("there is room");
        }
        set
    };
    let (set, locked) = (fill(), RwLock::new(fill()));
    let value: Arc<[u8]> = Arc::from([1; VALUE]);
    let copy = || Arc::<[u8]>::from(&*value);
    let mut alone = quick_cache::unsync::Cache::new(keys.len() * 2);
    let shared = quick_cache::sync::Cache::new(keys.len() * 2);
    let moka = moka::sync::Cache::new(keys.len() as u64 * 2);
    for &key in keys {
        alone.insert(key, Box::<[u8]>::from(&*value));
        shared.insert(key, copy());
        moka.insert(key, copy());
    }
    moka.run_pending_tasks();
    let sum = |found: Option<usize>| found.expect("every key is held");
    vec![
        (
            "Shardkeep",
            Box::new(move |keys: &[Key]| {
                keys.iter()
                    .map(|&key| sum(set.get(Instant::ZERO, key).map(total)))
                    .sum()
            }),
        ),
        (
            "Shardkeep behind std's RwLock",
            Box::new(move |keys: &[Key]| {
                keys.iter()
                    .map(|&key| {
                        let set = locked.read().expect("nobody panics");
                        sum(set.get(Instant::ZERO, key).map(total))
                    })
                    .sum()
            }),
        ),
        (
            "quick_cache, unsync",
            Box::new(move |keys: &[Key]| {
                keys.iter()
                    .map(|key| sum(alone.get(key).map(|value| total(value))))
                    .sum()
            }),
        ),
        (
            "quick_cache, sync",
            Box::new(move |keys: &[Key]| {
                keys.iter()
                    .map(|key| sum(shared.get(key).map(|value| total(&value))))
                    .sum()
            }),
        ),
        (
            "moka, sync",
            Box::new(move |keys: &[Key]| {
                keys.iter()
                    .map(|key| sum(moka.get(key).map(|value| total(&value))))
                    .sum()
            }),
        ),
    ]
}

/// Looks at a value's first and last byte.
fn total(value: &[u8]) -> usize {
    match value {
        [first, .., last] => usize::from(*first) + usize::from(*last) + value.len(),
        _ => value.len(),
    }
}

/// Keys in the order they are asked for.
#[must_use]
pub fn order(keys: &[Key], rng: &mut Rng) -> Vec<Key> {
    let any = |_| keys[usize::try_from(rng.below(keys.len() as u64)).unwrap_or(0)];
    (0..BURST).map(any).collect()
}
