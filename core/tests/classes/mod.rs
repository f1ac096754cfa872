//! Topologies of any mix of totals, and who serves which number, found by counting.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(
    clippy::cast_possible_truncation,
    reason = "the numbers of a test are small"
)]
#![allow(dead_code, reason = "each test file uses its own part")]

use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use shardkeep_core::ShardId;
use shardkeep_core::fleet::{CoverError, Shards, Topology};

pub(crate) fn shard(index: u32, total: u32) -> ShardId {
    ShardId::new(index, total).unwrap()
}

pub(crate) fn topology(text: &str) -> Topology {
    text.parse::<Shards>().unwrap().resolve(1)
}

#[expect(
    clippy::disallowed_methods,
    reason = "it is printed, and decides nothing"
)]
pub(crate) fn timed<T>(what: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let result = what();
    (start.elapsed(), result)
}

/// The most numbers that are counted.
const COUNTED: u64 = 100_000;

/// How often each number is served: below the least common multiple of the totals, after which all repeats.
pub(crate) struct Served {
    shards: Vec<(u64, u64)>,
    times: Vec<u32>,
    /// Whether that is all of them, or there were too many.
    complete: bool,
}

fn lcm(a: u64, b: u64) -> u64 {
    let (mut x, mut y) = (a, b);
    while y != 0 {
        (x, y) = (y, x % y);
    }
    a / x * b
}

impl Served {
    pub(crate) fn of(shards: &[ShardId]) -> Self {
        let shards: Vec<(u64, u64)> = shards
            .iter()
            .map(|shard| (shard.index().into(), shard.total().into()))
            .collect();
        let period = shards.iter().try_fold(1, |all, &(_, total)| {
            Some(lcm(all, total)).filter(|&n| n <= COUNTED)
        });
        let mut times = vec![0; period.unwrap_or(COUNTED) as usize];
        for &(index, total) in &shards {
            for time in times
                .iter_mut()
                .skip(index as usize)
                .step_by(total as usize)
            {
                *time += 1;
            }
        }
        let complete = period.is_some();
        Self {
            shards,
            times,
            complete,
        }
    }

    /// Whether every number is served once, as far as they were counted.
    pub(crate) fn is_exact(&self) -> bool {
        self.times.iter().all(|&times| times == 1)
    }

    fn carriers(&self, number: u64) -> usize {
        self.shards
            .iter()
            .filter(|(index, total)| number % total == *index)
            .count()
    }

    /// Whether what the proof found is true.
    pub(crate) fn check(&self, found: &Result<(), CoverError>) -> Result<(), TestCaseError> {
        match *found {
            Ok(()) => prop_assert!(self.is_exact()),
            Err(CoverError::Unserved { class }) => {
                prop_assert!(!self.complete || !self.is_exact());
                let members = (0..500).map(|n| class.remainder() + class.modulus() * n);
                for number in members {
                    prop_assert_eq!(self.carriers(number), 0, "{} of {}", number, class);
                }
                // All of the class, where all numbers were counted: its modulus need not divide their number.
                for (number, times) in (0..).zip(&self.times) {
                    prop_assert!(number % class.modulus() != class.remainder() || *times == 0);
                }
            }
            Err(CoverError::Twice {
                class,
                first,
                second,
            }) => {
                prop_assert!(!self.complete || !self.is_exact());
                for number in (0..500).map(|n| class.remainder() + class.modulus() * n) {
                    for shard in [first, second] {
                        let (index, total) = (u64::from(shard.index()), u64::from(shard.total()));
                        prop_assert!(self.shards.contains(&(index, total)), "{}", shard);
                        prop_assert_eq!(number % total, index, "{} of {}", number, class);
                    }
                }
                let [a, b] = [first, second].map(|shard| u64::from(shard.total()));
                prop_assert_eq!(class.modulus(), lcm(a, b));
                prop_assert!(first != second);
            }
            Err(error) => prop_assert!(false, "{error}"),
        }
        Ok(())
    }
}

/// What random splits and merges make of a whole topology.
pub(crate) fn mix() -> impl Strategy<Value = Vec<ShardId>> {
    let change = (any::<prop::sample::Index>(), 2..6_u32, any::<bool>());
    (1..9_u32, proptest::collection::vec(change, 0..16)).prop_map(|(total, changes)| {
        let mut shards: Vec<_> = (0..total).map(|index| shard(index, total)).collect();
        for (which, ways, merges) in changes {
            let old = shards[which.index(shards.len())];
            if merges {
                merge(&mut shards, old, ways);
            } else if old.total() * ways <= 4_000 {
                shards.retain(|&other| other != old);
                let total = old.total() * ways;
                let parts = (0..ways).map(|n| shard(old.index() + n * old.total(), total));
                shards.extend(parts);
            }
        }
        shards
    })
}

/// Merges the shard with its `ways - 1` siblings, if all are there.
fn merge(shards: &mut Vec<ShardId>, old: ShardId, ways: u32) {
    if !old.total().is_multiple_of(ways) {
        return;
    }
    let total = old.total() / ways;
    let whole = shard(old.index() % total, total);
    let parts: Vec<_> = (0..ways)
        .map(|n| shard(whole.index() + n * total, old.total()))
        .collect();
    if parts.iter().all(|part| shards.contains(part)) {
        shards.retain(|other| !parts.contains(other));
        shards.push(whole);
    }
}

/// An exact cover with very many different totals: each shard that is split leaves one part, and the others are split
/// by other primes.
pub(crate) fn many_totals() -> Vec<ShardId> {
    const PRIMES: [u32; 16] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53];
    let mut done = Vec::new();
    let mut totals = std::collections::BTreeSet::new();
    let mut open = vec![shard(0, 1)];
    while let Some(whole) = open.pop() {
        // Greedy: the split that gives a total that is new.
        let fresh = PRIMES.iter().rev().find(|&&prime| {
            let total = u64::from(whole.total()) * u64::from(prime);
            total <= 65_535 && done.len() + open.len() + 60 < 60_000 && totals.insert(total as u32)
        });
        match fresh {
            None => done.push(whole),
            Some(&prime) => {
                let total = whole.total() * prime;
                let mut parts = (0..prime).map(|n| shard(whole.index() + n * whole.total(), total));
                done.extend(parts.next());
                open.extend(parts);
            }
        }
    }
    done
}
