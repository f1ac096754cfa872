//! What the set says it holds is what the allocator gave it, and it stays within the budget while much more flows
//! through.

use allocation_counter::measure;
use shardkeep_core::cache::hot_set::HotSet;
use shardkeep_core::{Rng, Snowflake};

use super::{NOW, ignore, key, set};

/// A segment of the arena, which an allocator without reallocation in place holds twice while it is cut.
const SEGMENT: usize = 64 << 10;

/// Bytes that the allocator holds for what is made.
fn allocated(make: impl FnOnce() -> HotSet) -> (HotSet, usize) {
    let mut made = None;
    let counted = measure(|| made = Some(make()));
    let bytes = usize::try_from(counted.bytes_current).expect("more came than went");
    (made.expect("it was made"), bytes)
}

fn assert_exact(set: &HotSet, allocated: usize) {
    let said = set.held_bytes() - size_of::<HotSet>();
    let difference = said.abs_diff(allocated);
    assert!(
        difference * 100 <= allocated,
        "said {said}, allocated {allocated}"
    );
}

/// Inserts, replaces and removes, of sizes as records have them; some long.
fn churn(set: &mut HotSet, rng: &mut Rng, calls: usize, keys: u64) {
    let value = [7; 40_000];
    for _ in 0..calls {
        let kind = u8::try_from(rng.below(4)).expect("0 to 3");
        let id = rng.below(keys);
        let key = key(kind, if kind == 0 { 0 } else { id % 300 + 1 }, id);
        let length = match rng.below(1_000) {
            0 => 10_000 + rng.below(30_000),
            1..50 => 300 + rng.below(1_700),
            _ => 20 + rng.below(100),
        };
        match rng.below(10) {
            0 => _ = set.remove(key),
            1..4 => _ = set.get(NOW, key),
            _ => {
                let value = &value[..usize::try_from(length).expect("a length")];
                set.insert(NOW, key, value, &mut ignore)
                    .expect("there is room");
            }
        }
    }
}

#[test]
fn it_says_what_the_allocator_holds() {
    for calls in [0, 10, 1_000, 30_000, 200_000] {
        let (set, allocated) = allocated(|| {
            let mut set = set(8 << 20);
            churn(&mut set, &mut Rng::new(3), calls, 100_000);
            set
        });
        assert_exact(&set, allocated);
    }
}

#[test]
fn ten_times_the_budget_flows_through_it() {
    for budget in [1 << 20, 4 << 20, 16 << 20] {
        let mut rng = Rng::new(5);
        let mut held = 0;
        let counted = measure(|| {
            let mut set = set(budget);
            while set
                .stats()
                .kinds
                .iter()
                .map(|kind| kind.inserted)
                .sum::<u64>()
                * 120
                < budget as u64 * 10
            {
                churn(&mut set, &mut rng, 1_000, 1 << 40);
                assert!(set.held_bytes() <= budget);
            }
            held = set.held_bytes();
        });
        let most = usize::try_from(counted.bytes_max).unwrap();
        assert!(most <= budget + SEGMENT, "{most} of {budget}");
        assert!(held > budget / 100 * 95, "{held} of {budget} are used");
        assert_eq!(counted.bytes_current, 0);
    }
}

#[test]
fn memory_goes_back_when_the_budget_shrinks_and_when_entries_go() {
    let counted = |make: fn(&mut HotSet)| {
        allocated(|| {
            let mut set = set(8 << 20);
            churn(&mut set, &mut Rng::new(9), 150_000, 50_000);
            make(&mut set);
            set
        })
    };
    let (set, allocated) = counted(|set| {
        let mut gone = 0_u64;
        set.set_budget(NOW, 2 << 20, &mut |_| gone += 1);
        assert!(gone > 10_000);
    });
    assert_exact(&set, allocated);
    assert!(allocated <= 2 << 20, "{allocated}");
    assert!(allocated >= 3 << 19, "{allocated}: more than had to go");

    let (set, allocated) = counted(|set| {
        for scope in 1..=300 {
            set.remove_scope(Snowflake(scope));
        }
        for id in 0..50_000 {
            set.remove(key(0, 0, id));
        }
        assert!(set.is_empty());
    });
    assert_exact(&set, allocated);
    // Tables of the index without slots, and the names of those who were given up.
    assert!(allocated < (256 + 64) << 10, "{allocated}");
}

#[test]
fn a_member_and_its_user_fit_into_two_hundred_bytes() {
    let mut set = set(64 << 20);
    let value = [1; 60];
    for id in 0..200_000 {
        set.insert(
            NOW,
            key(1, id / 1_000 + 1, id << 22),
            &value[..50],
            &mut ignore,
        )
        .unwrap();
        set.insert(NOW, key(0, 0, id << 22), &value, &mut ignore)
            .unwrap();
    }
    assert_eq!(set.len(), 400_000);
    let each = set.held_bytes() / 200_000;
    assert!(each <= 175, "{each} bytes for a member with its user");
}

#[test]
fn gaps_are_closed() {
    let mut set = set(8 << 20);
    let value = [1; 120];
    for id in 0..30_000 {
        set.insert(NOW, key(1, id % 50 + 1, id), &value, &mut ignore)
            .unwrap();
    }
    let full = set.held_bytes();
    for id in (0..30_000).filter(|id| id % 2 == 0) {
        assert!(set.remove(key(1, id % 50 + 1, id)));
    }
    assert!(
        set.held_bytes() < full * 65 / 100,
        "{} of {full}",
        set.held_bytes()
    );
    // Every value grows, and leaves its place.
    for length in 40..120 {
        for id in 0..3_000 {
            set.insert(NOW, key(2, 1, id), &value[..length], &mut ignore)
                .unwrap();
        }
    }
    let after = set.held_bytes();
    let entries: usize = set.stats().kinds.iter().map(|kind| kind.bytes).sum();
    assert!(
        after < entries * 3 / 2,
        "{after} bytes for {entries} of entries"
    );
}

#[test]
fn questions_allocate_nothing() {
    let mut set = set(1 << 20);
    churn(&mut set, &mut Rng::new(3), 20_000, 1_000);
    let counted = measure(|| {
        for id in 0..1_000 {
            let _ = set.get(NOW, key(0, 0, id));
            let _ = set.peek(NOW, key(1, id % 300 + 1, id));
        }
        assert!(set.scope(NOW, key(1, 0, 0).kind, Snowflake(5)).count() < 1_000);
        assert!(set.stats().hits > 0);
    });
    assert_eq!(counted.count_total, 0);
}
