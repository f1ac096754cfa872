//! Any shards and any target: no panic, no step that leaves anybody out, no witness that is wrong.

#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use shardkeep_core::fleet::{CoverError, Facts, Plan, SessionStartLimit, Shards, Target, Topology};
use shardkeep_core::{ShardId, Snowflake};

#[derive(Arbitrary, Debug)]
struct Given<'a> {
    shards: Serves<'a>,
    overlay: Option<(u32, u32)>,
    target: To,
    limit: (u32, u32, u64, u32),
    guilds: Option<u64>,
    recommended: Option<u32>,
    large_bot_shards: Option<u32>,
    steps_max: Option<u32>,
}

/// Text seldom is a cover; splits of a whole always are.
#[derive(Arbitrary, Debug)]
enum Serves<'a> {
    Text(&'a str),
    Split(u8, Vec<(u8, u8)>),
}

impl Serves<'_> {
    fn topology(&self) -> Option<Topology> {
        match self {
            Self::Text(text) => match text.parse() {
                Ok(Shards::Fixed(topology)) => Some(topology),
                _ => None,
            },
            Self::Split(total, changes) => {
                let mut topology = Topology::whole((*total).into()).ok()?;
                for &(which, ways) in changes.iter().take(40) {
                    topology = split(&topology, which.into(), u32::from(ways % 7) + 1)?;
                }
                Some(topology)
            }
        }
    }
}

/// The topology with one shard made into so many.
fn split(topology: &Topology, which: usize, ways: u32) -> Option<Topology> {
    let old = topology.shards()[which % topology.len()];
    let total = old.total().checked_mul(ways)?;
    let parts = (0..ways).filter_map(|n| ShardId::new(old.index() + n * old.total(), total));
    let rest = topology
        .shards()
        .iter()
        .copied()
        .filter(|&shard| shard != old);
    Topology::new(rest.chain(parts)).ok()
}

#[derive(Arbitrary, Debug)]
enum To {
    Shards(u16),
    Split(u32, u32),
    Merge(u32, u32),
    Generation(u16),
    Isolate(u64),
    Rejoin(u32, u32),
}

fn target(to: &To) -> Option<Target> {
    Some(match *to {
        To::Shards(n) => Target::Shards(n.into()),
        To::Split(index, total) => Target::Split(ShardId::new(index, total)?),
        To::Merge(index, total) => Target::Merge(ShardId::new(index, total)?),
        To::Generation(n) => Target::Generation(n.into()),
        To::Isolate(guild) => Target::Isolate(Snowflake(guild)),
        To::Rejoin(index, total) => Target::Rejoin(ShardId::new(index, total)?),
    })
}

/// A witness is a class: all of its first numbers must show what is claimed.
fn check(topology: &Topology, error: CoverError) {
    let members = |class: shardkeep_core::fleet::Residue| {
        (0..8)
            .map(move |n| class.remainder() + class.modulus() * n)
            .filter(|n| *n < 1 << 42)
    };
    match error {
        CoverError::Unserved { class } => {
            for number in members(class) {
                assert_eq!(
                    topology.shards_of(Snowflake(number << 22)).count(),
                    0,
                    "{class}"
                );
            }
        }
        CoverError::Twice {
            class,
            first,
            second,
        } => {
            for number in members(class) {
                let guild = Snowflake(number << 22);
                assert!(first.carries(guild) && second.carries(guild), "{class}");
            }
            assert!(topology.contains(first) && topology.contains(second) && first != second);
        }
        other => assert!(matches!(other, CoverError::Gap { .. }), "{other}"),
    }
}

fuzz_target!(|given: Given<'_>| {
    let (Some(topology), Some(target)) = (given.shards.topology(), target(&given.target)) else {
        return;
    };
    // Large ones are tested elsewhere: here many are better than long.
    if topology.len() > 2_000 {
        return;
    }
    let proof = topology.prove_cover();
    let by_splits = matches!(given.shards, Serves::Split(..));
    assert!(!by_splits || proof.is_ok(), "{proof:?}");
    let (total, remaining, reset_after_ms, max_concurrency) = given.limit;
    let mut facts = Facts::new(SessionStartLimit {
        total,
        remaining,
        reset_after_ms,
        max_concurrency,
    });
    facts.overlays.extend(
        given
            .overlay
            .and_then(|(index, total)| ShardId::new(index, total)),
    );
    facts.guilds = given.guilds;
    facts.recommended = given.recommended;
    facts.large_bot_shards = given.large_bot_shards;
    facts.steps_max = Some(given.steps_max.unwrap_or(50).min(50));
    let plan = match (Plan::new(&topology, target, &facts), proof) {
        (Err(error), proof) => {
            assert!(
                !error.to_string().is_empty() && error.name() != "unproven",
                "{error}"
            );
            return proof.err().map_or((), |error| check(&topology, error));
        }
        (Ok(plan), proof) => {
            assert_eq!(proof, Ok(()), "a plan from what is no cover");
            plan
        }
    };
    let mut serving = plan.before().clone();
    for step in plan.steps() {
        serving = serving.after(step).expect("every step is proven");
    }
    assert_eq!(&serving, plan.after());
    assert!(plan.estimate().identifies <= facts.spendable());
});
