//! Who is given up: not what is used, and not what small guilds hold while a large one holds more than its share.

use shardkeep_core::Rng;
use shardkeep_core::cache::hot_set::Reason;

use super::{NOW, count, ignore, key, set};

#[test]
fn a_flood_of_guilds_does_not_flush_what_is_used() {
    let mut set = set(4 << 20);
    let value = [3; 80];
    let used: Vec<_> = (0..10_000)
        .map(|id| key(1, id % 100 + 1, id << 22))
        .collect();
    for _ in 0..4 {
        for &key in &used {
            if set.get(NOW, key).is_none() {
                set.insert(NOW, key, &value, &mut ignore).unwrap();
            }
        }
    }
    // Ten times the budget, nobody asks for any of it; what is used is asked for now and then.
    let mut rng = Rng::new(1);
    for id in 0..400_000 {
        set.insert(NOW, key(1, id / 500 + 1_000, id), &value, &mut ignore)
            .unwrap();
        if id % 8 == 0 {
            let at = usize::try_from(rng.below(10_000)).unwrap();
            let _ = set.get(NOW, used[at]);
        }
    }
    let kept = used
        .iter()
        .filter(|&&key| set.peek(NOW, key).is_some())
        .count();
    assert!(kept >= 9_800, "{kept} of 10,000 are left");
}

#[test]
fn a_guild_of_a_million_members_cannot_starve_the_others() {
    let mut set = set(8 << 20);
    let value = [3; 50];
    // Two hundred guilds of a hundred members each fill three tenths of the budget. Nobody asks for them.
    for id in 0..20_000 {
        set.insert(NOW, key(1, id / 100 + 1, id), &value, &mut ignore)
            .unwrap();
    }
    let (mut by_share, mut others) = (0_u64, 0_u64);
    for id in 0..1_000_000 {
        set.insert(NOW, key(1, 9_999, id), &value, &mut |evicted| {
            by_share += u64::from(evicted.reason == Reason::Share);
            others += u64::from(evicted.key.scope.0 != 9_999);
        })
        .unwrap();
    }
    assert_eq!(others, 0);
    assert!(by_share > 900_000, "{by_share}");
    let large = count(&set, 1, 9_999);
    assert!(large > 50_000, "it has what nobody else wants: {large}");
    // The others come back for more: the large one gives way, down to its share of a quarter.
    for id in 0..40_000 {
        set.insert(NOW, key(1, id / 100 + 10_000, id), &value, &mut |evicted| {
            assert_eq!(evicted.key.scope.0, 9_999);
        })
        .unwrap();
    }
    assert!(count(&set, 1, 9_999) >= 20_000);
}

#[test]
fn what_is_asked_for_again_soon_after_it_was_given_up_stays() {
    let mut set = set(2 << 20);
    let value = [3; 80];
    let mut rng = Rng::new(1);
    // Each of the used comes back only after more than the new queue holds.
    let used: Vec<_> = (0..3_000).map(|id| key(0, 0, 1 << 40 | id)).collect();
    for round in 0..6 {
        let mut hits = 0;
        for &one in &used {
            if set.get(NOW, one).is_some() {
                hits += 1;
            } else {
                set.insert(NOW, one, &value, &mut ignore).unwrap();
            }
            for _ in 0..4 {
                set.insert(NOW, key(0, 0, rng.below(1 << 40)), &value, &mut ignore)
                    .unwrap();
            }
        }
        if round >= 3 {
            assert!(hits > 2_800, "round {round}: {hits}");
        }
    }
}

#[test]
fn the_same_calls_have_the_same_outcome() {
    let run = |seed| {
        let mut rng = Rng::new(seed);
        let mut set = set(512 << 10);
        let mut gone = Vec::new();
        for _ in 0..30_000 {
            let key = key(1, rng.below(9), rng.below(20_000));
            if set.get(NOW, key).is_none() {
                set.insert(NOW, key, &[1; 60], &mut |evicted| gone.push(evicted.key))
                    .unwrap();
            }
        }
        gone
    };
    assert!(run(4) == run(4) && run(4).len() > 10_000);
}
