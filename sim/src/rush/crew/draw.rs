//! What a seed draws for a crew.

use core::time::Duration;

use shardkeep_core::Rng;

use super::Mishap;
use crate::rush::{Plan, Scene, Theme, draw};

/// One run of a crew.
pub(super) struct CrewPlan {
    pub(super) seed: u64,
    pub(super) scene: Scene,
    pub(super) members: usize,
    /// For each request, who is asked for it.
    pub(super) assigned: Vec<usize>,
    pub(super) mishaps: Vec<(Duration, Mishap)>,
    /// How long the way to the ledger takes at most, each way.
    pub(super) way: Duration,
}

pub(super) fn plan(seed: u64) -> CrewPlan {
    let mut rng = Rng::new(seed ^ 0x00c0_ffee);
    let scene = draw::scene(Plan {
        seed,
        theme: Theme::Storm,
    });
    let members = 2 + below(&mut rng, 4);
    // Some crews share every resource, in others each member has its own but for the global limit.
    let is_mixed = rng.below(3) > 0;
    let assigned = scene
        .wanted
        .iter()
        .map(|wanted| {
            let own =
                wanted.path.len() + usize::from(wanted.path.as_bytes()[wanted.path.len() / 2]);
            if is_mixed || rng.below(10) == 0 {
                below(&mut rng, members as u64)
            } else {
                own % members
            }
        })
        .collect();
    let is_calm = seed.is_multiple_of(4);
    let count = if is_calm { 0 } else { rng.below(5) };
    let mut mishaps: Vec<_> = (0..count)
        .map(|_| {
            let at = Duration::from_millis(rng.below(25_000));
            (at, mishap(&mut rng, members))
        })
        .collect();
    mishaps.sort_by_key(|&(at, _)| at);
    CrewPlan {
        seed,
        scene,
        members,
        assigned,
        mishaps,
        way: Duration::from_micros(200 + rng.below(4_000)),
    }
}

fn below(rng: &mut Rng, bound: u64) -> usize {
    usize::try_from(rng.below(bound)).unwrap_or(0)
}

fn mishap(rng: &mut Rng, members: usize) -> Mishap {
    let lasts = Duration::from_millis(100 + rng.below(15_000));
    let member = below(rng, members as u64);
    match rng.below(4) {
        0 => Mishap::Outage {
            lasts,
            is_lost: rng.below(2) == 0,
        },
        1 => Mishap::CutOff {
            member,
            lasts,
            only_answers: rng.below(2) == 0,
        },
        _ => Mishap::Crash {
            member,
            back_after: lasts,
            under_new_name: rng.below(2) == 0,
        },
    }
}
