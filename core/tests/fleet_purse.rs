//! Several processes that spend a day's identifies from one purse: never too close together, never beyond the reserve.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use shardkeep_core::ShardId;
use shardkeep_core::fleet::{Hold, Purse, SessionStartLimit};

const SPACING: Duration = Duration::from_millis(5_250);
const RESERVE: u32 = 5;

fn shard(index: u8) -> ShardId {
    ShardId::new(index.into(), 256).expect("an index below the total")
}

#[derive(Clone, Debug)]
enum Call {
    Wait(u16),
    Take(u8),
    Sent(u8),
    Unused(u8),
    Ask,
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        (1..4_000_u16).prop_map(Call::Wait),
        (0..12_u8).prop_map(Call::Take),
        (0..12_u8).prop_map(Call::Sent),
        (0..12_u8).prop_map(Call::Unused),
        Just(Call::Ask),
    ]
}

/// Discord, as far as identifies go.
struct Discord {
    remaining: u32,
    /// Of each key, when an identify came last.
    last: BTreeMap<u32, u64>,
}

proptest! {
    /// Whoever has a permit uses it at once, later, or not at all: Discord sees 5 s between two of a key, and the
    /// reserve stays.
    #[test]
    fn discord_never_sees_two_of_a_key_within_five_seconds(
        concurrency in 1..4_u32,
        calls in vec(call(), 1..200),
    ) {
        let mut discord = Discord { remaining: 20, last: BTreeMap::new() };
        let mut purse = Purse::default();
        let mut now = 1_000_000_u64;
        let mut permits: BTreeMap<u8, u64> = BTreeMap::new();
        for call in calls {
            // Each call is another process: it reads what the last one wrote.
            purse = Purse::read(&purse.write()).expect("what was written");
            match call {
                Call::Wait(ms) => now += u64::from(ms),
                Call::Ask => {
                    let limit = SessionStartLimit {
                        total: 20,
                        remaining: discord.remaining,
                        reset_after_ms: 80_000_000,
                        max_concurrency: concurrency,
                    };
                    purse.limits(now, now, limit);
                }
                Call::Take(index) if !permits.contains_key(&index) => {
                    match purse.take(now, shard(index), SPACING, RESERVE) {
                        Ok(()) => drop(permits.insert(index, now)),
                        Err(Hold::Key { until_ms }) => {
                            prop_assert!(until_ms > now && until_ms <= now + 7_250);
                        }
                        Err(_) => {}
                    }
                }
                Call::Sent(index) => {
                    let Some(at) = permits.remove(&index) else {
                        continue;
                    };
                    if at + 2_000 <= now {
                        // Too late: it is not used.
                        continue;
                    }
                    purse.sent(now, shard(index), SPACING);
                    let key = u32::from(index) % concurrency;
                    if let Some(last) = discord.last.insert(key, now) {
                        prop_assert!(last + 5_000 <= now, "{key}: {last} and {now}");
                    }
                    discord.remaining -= 1;
                    prop_assert!(discord.remaining >= RESERVE);
                }
                Call::Unused(index) if permits.remove(&index).is_some() => {
                    purse.unused(shard(index));
                }
                Call::Take(_) | Call::Unused(_) => {}
            }
        }
    }

    #[test]
    fn anything_else_is_no_purse(text in ".{0,200}") {
        prop_assert_eq!(Purse::read(&text), None);
    }
}

#[test]
fn a_clock_that_is_set_back_holds_nobody_up_for_long() {
    let limit = SessionStartLimit {
        total: 100,
        remaining: 100,
        reset_after_ms: 3_600_000,
        max_concurrency: 1,
    };
    let mut purse = Purse::default();
    let later = 2_000_000_000;
    purse.limits(later, later, limit);
    purse.take(later, shard(0), SPACING, RESERVE).unwrap();
    purse.sent(later, shard(0), SPACING);
    let now = 1_000_000_000;
    assert_eq!(purse.take(now, shard(1), SPACING, RESERVE), Ok(()));
}

#[test]
fn what_nobody_knows_and_what_is_spent_say_so() {
    let mut purse = Purse::default();
    assert_eq!(purse.take(5, shard(0), SPACING, 1), Err(Hold::Unknown));
    assert_eq!(purse.left(), None);
    let limit = SessionStartLimit {
        total: 100,
        remaining: 51,
        reset_after_ms: 1_000,
        max_concurrency: 1,
    };
    purse.limits(5, 5, limit);
    assert_eq!(
        purse.take(5, shard(0), SPACING, 80),
        Ok(()),
        "half of the total at most"
    );
    let spent = purse.take(20_000, shard(1), SPACING, 80);
    assert_eq!(spent, Err(Hold::Unknown), "the day has ended");
    purse.limits(20_000, 20_000, limit);
    // The first may not be counted in that answer.
    let spent = purse.take(20_000, shard(1), SPACING, 80);
    assert_eq!(spent, Err(Hold::Budget { until_ms: 21_000 }));
    assert!(spent.unwrap_err().to_string().contains("reserve"));
}
