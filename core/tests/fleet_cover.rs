//! The arithmetic of shards as classes, and the proof of exact cover: against counting every number.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod classes;

use classes::{Served, many_totals, mix, shard, topology};
use proptest::prelude::*;
use shardkeep_core::fleet::{CoverError, Residue, SHARDS_MAX, Serving, Topology};
use shardkeep_core::{ShardId, Snowflake};

fn class(remainder: u64, modulus: u64) -> Residue {
    Residue::new(remainder, modulus).unwrap()
}

proptest! {
    /// Meeting, covering and intersecting, against every number up to the product.
    #[test]
    fn classes_are_sets_of_numbers(
        (a, m) in (1..60_u64).prop_flat_map(|m| (0..m, Just(m))),
        (b, n) in (1..60_u64).prop_flat_map(|n| (0..n, Just(n))),
    ) {
        let (first, second) = (class(a, m), class(b, n));
        let common: Vec<_> = (0..m * n).filter(|x| x % m == a && x % n == b).collect();
        prop_assert_eq!(first.meets(second), !common.is_empty());
        let covered = (0..m * n).filter(|x| x % n == b).all(|x| x % m == a);
        prop_assert_eq!(first.covers(second), covered);
        let found = first.intersection(second).unwrap();
        prop_assert_eq!(found.is_some(), !common.is_empty());
        if let Some(found) = found {
            let members: Vec<_> = (0..m * n)
                .filter(|x| found.contains(Snowflake(x << 22)))
                .collect();
            prop_assert_eq!(members, common);
        }
        let [first, second] = [first, second].map(|class| class.as_shard().unwrap());
        prop_assert_eq!(first.meets(second), found.is_some());
        prop_assert_eq!(first.intersection(second), found);
        prop_assert_eq!(first.covers(second), covered);
    }

    /// Large moduli: the intersection is in both classes, and its modulus is their least common multiple.
    #[test]
    fn large_classes_intersect_without_overflow(
        (a, m) in (1..u64::MAX).prop_flat_map(|m| (0..m, Just(m))),
        (b, n) in (1..u64::MAX).prop_flat_map(|n| (0..n, Just(n))),
        shared in 1..1_000_u64,
    ) {
        for (a, m, b, n) in [(a, m, b, n), (a % 97, 97, b, n), (a % shared, shared, b % (shared * 8), shared * 8)] {
            if let Ok(Some(both)) = class(a, m).intersection(class(b, n)) {
                let x = both.remainder();
                prop_assert_eq!((x % m, x % n), (a, b));
                prop_assert_eq!((both.modulus() % m, both.modulus() % n), (0, 0));
                prop_assert!(class(a, m).covers(both) && class(b, n).covers(both));
            } else {
                let overflows = u128::from(m) * u128::from(n) > u128::from(u64::MAX);
                prop_assert!(overflows || !class(a, m).meets(class(b, n)));
            }
        }
    }

    /// Whatever splits and merges make of a whole topology is an exact cover, of any mix of totals.
    #[test]
    fn splits_and_merges_keep_the_cover(shards in mix()) {
        let topology = Topology::new(shards.iter().copied()).unwrap();
        prop_assert_eq!(topology.prove_cover(), Ok(()));
        let direct = topology.shards().iter().filter(|shard| shard.index() == 0);
        prop_assert_eq!(direct.count(), 1);
    }

    /// One shard taken away, doubled in another total, or moved: refused, with a witness that is right.
    #[test]
    fn any_single_change_is_refused(
        shards in mix(),
        which in any::<prop::sample::Index>(),
        what in 0..4_u32,
        ways in 1..5_u32,
        at in any::<u32>(),
    ) {
        let mut shards = shards;
        let position = which.index(shards.len());
        let old = shards[position];
        match what {
            0 => drop(shards.remove(position)),
            // A part or the whole of somebody's guilds, served once more.
            1 => shards.push(shard(old.index() + old.total() * (at % (ways + 1)), old.total() * (ways + 1))),
            2 => shards[position] = shard(at % old.total(), old.total()),
            _ => shards[position] = shard(old.index(), old.total() * (ways + 1)),
        }
        shards.sort();
        shards.dedup();
        prop_assume!(!shards.is_empty());
        let topology = Topology::new(shards.iter().copied()).unwrap();
        let served = Served::of(&shards);
        let found = topology.prove_cover();
        served.check(&found)?;
        let unchanged = what == 2 && shards.contains(&old);
        prop_assert_eq!(found.is_ok(), unchanged, "{:?}", found);
    }

    /// Any set of shards: the proof says what counting says.
    #[test]
    fn the_proof_agrees_with_counting(
        pairs in proptest::collection::btree_set((1..13_u32).prop_flat_map(|m| (0..m, Just(m))), 1..24),
    ) {
        let shards: Vec<_> = pairs.into_iter().map(|(index, total)| shard(index, total)).collect();
        let topology = Topology::new(shards.iter().copied()).unwrap();
        Served::of(&shards).check(&topology.prove_cover())?;
    }
}

/// 0 mod 6, 5 mod 10 and 1 mod 15 have no factor in common, so no splitting makes them; with the 20 classes of 30 that
/// are left they are an exact cover all the same.
fn pinwheel() -> Vec<ShardId> {
    let mut shards = vec![shard(0, 6), shard(5, 10), shard(1, 15)];
    let taken = |x: &u32| {
        shards[..3]
            .iter()
            .any(|shard| x % shard.total() == shard.index())
    };
    let left: Vec<_> = (0..30).filter(|x| !taken(x)).collect();
    shards.extend(left.into_iter().map(|x| shard(x, 30)));
    shards
}

#[test]
fn covers_that_no_splitting_makes_are_proven_too() {
    let shards = pinwheel();
    assert_eq!(shards.len(), 23);
    let proof = |shards: &[ShardId]| Topology::new(shards.iter().copied()).unwrap().prove_cover();
    assert_eq!(proof(&shards), Ok(()));
    for position in 0..shards.len() {
        let mut without = shards.clone();
        let gone = without.remove(position);
        let unserved = CoverError::Unserved {
            class: gone.residue(),
        };
        assert_eq!(proof(&without), Err(unserved), "without {gone}");
    }
    let Err(CoverError::Unserved { class }) = proof(&shards[..3]) else {
        panic!("three classes are no cover")
    };
    assert!(
        shards[..3]
            .iter()
            .all(|shard| !shard.residue().meets(class)),
        "{class}"
    );
}

#[test]
fn errors_name_the_guilds_and_say_what_to_do() {
    for (shards, said) in [
        ("0-2/4", "(id >> 22) % 4 = 3: start shard 3/4"),
        (
            "0-3/4;5/8",
            "shards 1/4 and 5/8 both serve the guilds with (id >> 22) % 8 = 5",
        ),
        // Two totals without a common divisor always meet, and direct messages arrive twice.
        (
            "0/2;0/3",
            "shards 0/2 and 0/3 both serve the guilds with (id >> 22) % 6 = 0",
        ),
        ("0-7/16", "(id >> 22) % 16 = 8: start shard 8/16"),
        ("1/2", "(id >> 22) % 2 = 0: start shard 0/2"),
    ] {
        let error = topology(shards).prove_cover().unwrap_err();
        assert!(error.to_string().contains(said), "{shards}: {error}");
    }
}

#[test]
fn direct_messages_have_exactly_one_shard() {
    for (text, direct) in [
        ("16", "0/16"),
        ("1,3/4;0,2,4,6/8", "0/8"),
        ("1/2;0,2/4", "0/4"),
    ] {
        let serving = Serving::new(topology(text), []).unwrap();
        assert_eq!(serving.direct().to_string(), direct);
    }
    // Without index 0 somebody is left out; with two of them somebody has two.
    assert!(topology("1-3/4").prove_cover().is_err());
    let twice = topology("0-3/4;0/8").prove_cover().unwrap_err();
    assert!(matches!(twice, CoverError::Twice { class, .. } if class == class_of("0/8")));
}

fn class_of(text: &str) -> Residue {
    topology(text).shards()[0].residue()
}

#[test]
fn overlays_are_parts_of_one_shard_and_apart_from_each_other() {
    let base = topology("0,2-3/4;1,5/8");
    let proof = |overlays: &[(u32, u32)]| {
        let overlays: Vec<_> = overlays.iter().map(|&(i, m)| shard(i, m)).collect();
        base.prove_cover_with(&overlays)
    };
    assert_eq!(proof(&[]), Ok(()));
    assert_eq!(proof(&[(2, 400), (6, 400), (5, 800)]), Ok(()));
    let refused = |overlays: &[(u32, u32)]| proof(overlays).unwrap_err();
    assert!(matches!(refused(&[(2, 399)]), CoverError::Astride { .. }));
    assert!(
        matches!(refused(&[(1, 4)]), CoverError::Astride { .. }),
        "two shards wide"
    );
    assert!(
        matches!(refused(&[(2, 4)]), CoverError::Astride { .. }),
        "the whole shard"
    );
    assert!(matches!(
        refused(&[(0, 8)]),
        CoverError::OverlayAtZero { .. }
    ));
    assert!(matches!(
        refused(&[(2, 4 * 20_000)]),
        CoverError::OverlayTooFine { .. }
    ));
    let twice = refused(&[(6, 40), (6, 60)]);
    assert!(matches!(twice, CoverError::Twice { class: both, .. } if both == class(6, 120)));
    assert!(matches!(
        refused(&[(6, 40), (6, 40)]),
        CoverError::Twice { .. }
    ));
    let error = Serving::new(topology("0-2/4"), []).unwrap_err();
    assert!(
        matches!(error, CoverError::Unserved { .. }),
        "the shards must be a cover as well"
    );
}

#[test]
fn guilds_are_handled_where_the_overlay_is() {
    let overlays = [shard(6, 40), shard(5, 80)];
    let serving = Serving::new(topology("0,2-3/4;1,5/8"), overlays).unwrap();
    for number in 0..4_000_u64 {
        let guild = Snowflake(number << 22 | 0x3F_FFFF);
        let found = serving.shard_of(guild);
        let wanted = match number {
            _ if number % 40 == 6 => "6/40".into(),
            _ if number % 80 == 5 => "5/80".into(),
            _ if number % 4 == 1 => format!("{}/8", number % 8),
            _ => format!("{}/4", number % 4),
        };
        assert_eq!(found.to_string(), wanted, "{number}");
    }
    assert_eq!(
        serving.to_string(),
        "0,2-3/4;1,5/8 and overlay 6/40 and overlay 5/80"
    );
    assert_eq!(serving.sessions(), 7);
}

/// The worst that we could think of. Prints how long each takes; that none explodes shows in that the test ends.
#[test]
fn large_and_hostile_topologies_are_decided_quickly() {
    let print = |what: &str, shards: Vec<ShardId>| {
        let topology = Topology::new(shards).unwrap();
        let (took, found) = classes::timed(|| topology.prove_cover());
        println!("{what}: {} shards, {found:?}, {took:?}", topology.len());
        found
    };
    let whole = |total: u32| (0..total).map(move |index| shard(index, total));
    assert_eq!(print("one total", whole(16_384).collect()), Ok(()));
    assert_eq!(
        print("one total, the largest", whole(SHARDS_MAX).collect()),
        Ok(())
    );
    let half = |n: u32| {
        (0..n).map(move |i| {
            if i < n / 2 {
                shard(i, n)
            } else {
                shard(i, 2 * n)
            }
        })
    };
    let rest = |n: u32| (n / 2..n).map(move |i| shard(i + n, 2 * n));
    assert_eq!(
        print(
            "1,000 on the way to 2,000",
            half(1_000).chain(rest(1_000)).collect()
        ),
        Ok(())
    );
    assert_eq!(
        print(
            "30,000 on the way to 60,000",
            half(30_000).chain(rest(30_000)).collect()
        ),
        Ok(())
    );
    assert!(print("a missing shard", whole(SHARDS_MAX).skip(1).collect()).is_err());
    assert!(
        print(
            "every modulus there is",
            (1..=SHARDS_MAX).map(|m| shard(m - 1, m)).collect()
        )
        .is_err()
    );
    let primes = (60_000..SHARDS_MAX).filter(|n| (2..256).all(|d| n % d != 0));
    assert!(print("primes", primes.map(|p| shard(1, p)).collect()).is_err());
    let cover = many_totals();
    let moduli: std::collections::BTreeSet<_> = cover.iter().map(|shard| shard.total()).collect();
    println!("{} different totals", moduli.len());
    assert!(moduli.len() > 100);
    assert_eq!(
        print("as many totals as greed finds", cover.clone()),
        Ok(())
    );
    let missing = cover.last().copied().unwrap();
    let found = print("one of them missing", cover[..cover.len() - 1].to_vec());
    assert_eq!(
        found,
        Err(CoverError::Unserved {
            class: missing.residue()
        })
    );
}
