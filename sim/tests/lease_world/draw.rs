//! What a seed draws: a fleet, and what befalls it.

use std::collections::BTreeMap;

use core::time::Duration;

use shardkeep_core::Rng;
use shardkeep_core::fleet::Topology;

use super::Clock;

/// A process at the start.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) capacity: u32,
    pub(crate) is_standby: bool,
}

/// Something that befalls the fleet. Members by any number.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mishap {
    Crash { member: usize },
    Restart { member: usize, is_new_name: bool },
    Leave { member: usize },
    Pause { member: usize, lasts: Duration },
    CutOff { member: usize, lasts: Duration },
    Away { lasts: Duration, is_lost: bool },
    ClockStep { forward: bool, by_ms: u64 },
}

/// What is run.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) topology: Topology,
    /// Shards that prefer the label of a member; labels are the last characters of names.
    pub(crate) prefer: BTreeMap<String, Topology>,
    pub(crate) members: Vec<Member>,
    pub(crate) store_clock: Clock,
    pub(crate) handover: u32,
    pub(crate) patience: Duration,
    /// Processes ask `/gateway/bot` now and then without being told to.
    pub(crate) asks_anytime: bool,
    pub(crate) identifies: u32,
    pub(crate) reserve: u32,
    pub(crate) max_concurrency: u32,
    pub(crate) day: Duration,
    pub(crate) mishaps: Vec<(Duration, Mishap)>,
    /// From then on nothing befalls anybody.
    pub(crate) calm_from: Duration,
    /// How long the calm lasts.
    pub(crate) calm: Duration,
}

/// By Redis's clock, when runs begin: 2026.
const EPOCH: u64 = 1_764_582_220_000_000;

impl Plan {
    /// A fleet to which nothing happens: so many members of capacity 64.
    pub(crate) fn quiet(seed: u64, shards: u32, members: usize) -> Self {
        let member = |at| Member {
            name: format!("bot-{at}"),
            capacity: 64,
            is_standby: false,
        };
        Self {
            seed,
            topology: Topology::whole(shards).expect("a few shards"),
            prefer: BTreeMap::new(),
            members: (0..members).map(member).collect(),
            store_clock: Clock {
                offset: EPOCH,
                rate: 1_000_000,
            },
            handover: 4,
            patience: Duration::from_secs(2),
            asks_anytime: false,
            identifies: 1_000,
            reserve: 50,
            max_concurrency: 1,
            day: Duration::from_secs(86_400),
            mishaps: Vec::new(),
            calm_from: Duration::ZERO,
            calm: Duration::from_secs(45),
        }
    }

    /// What the seed draws.
    pub(crate) fn draw(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let members = 1 + rng.below(10);
        let shards = match rng.below(8) {
            0 => 1 + rng.below(256),
            1 => 1 + rng.below(4),
            _ => 1 + rng.below(40),
        };
        let is_even = rng.below(2) == 0;
        let enough = shards.div_ceil(members) + 1;
        let member = |at| Member {
            name: format!("bot-{at}"),
            capacity: narrow(match is_even {
                true => enough * 2,
                false => 1 + rng.below(enough * 3),
            }),
            is_standby: at > 0 && rng.below(6) == 0,
        };
        let members = (0..members).map(member).collect();
        let mut plan = Self {
            topology: Topology::whole(narrow(shards)).expect("a few shards"),
            members,
            handover: narrow(1 + rng.below(12)),
            patience: Duration::from_millis(1_000 + rng.below(6_000)),
            asks_anytime: true,
            identifies: match rng.below(3) {
                0 => narrow(100 + rng.below(1_000)),
                _ => narrow(4 + rng.below(50)),
            },
            reserve: narrow(rng.below(20)),
            max_concurrency: [1, 2, 2, 16][usize_below(&mut rng, 4)],
            day: Duration::from_secs(90 + rng.below(600)),
            calm_from: Duration::from_secs(40 + rng.below(50)),
            ..Self::quiet(seed, 1, 0)
        };
        plan.store_clock.rate = 990_000 + rng.below(20_001);
        // Moves take their time, and so do leases of the dead.
        plan.calm = Duration::from_millis(45_000 + 1_300 * shards);
        let mut steps_from = Duration::ZERO;
        for _ in 0..rng.below(14) {
            let at = Duration::from_millis(rng.below(40_000));
            let mishap = mishap(&mut rng);
            if let Mishap::ClockStep { .. } = mishap {
                // One step in a term is what the margin covers.
                steps_from += Duration::from_secs(13);
                plan.mishaps.push((steps_from, mishap));
            } else {
                plan.mishaps.push((at, mishap));
            }
        }
        plan.calm_from = plan.calm_from.max(steps_from + Duration::from_secs(1));
        plan
    }
}

fn mishap(rng: &mut Rng) -> Mishap {
    let member = usize_below(rng, 100);
    let lasts = Duration::from_millis(500 + rng.below(25_000));
    match rng.below(12) {
        0 | 1 => Mishap::Crash { member },
        2..=4 => Mishap::Restart {
            member,
            is_new_name: rng.below(3) == 0,
        },
        5 => Mishap::Leave { member },
        6 | 7 => Mishap::Pause { member, lasts },
        8 | 9 => Mishap::CutOff { member, lasts },
        10 => Mishap::Away {
            lasts: lasts / 2,
            is_lost: rng.below(3) > 0,
        },
        _ => Mishap::ClockStep {
            forward: rng.below(2) == 0,
            // Smaller steps forward are not noticed, and shorten the spacing of identifies.
            by_ms: 1_400 + rng.below(100_000),
        },
    }
}

fn narrow(number: u64) -> u32 {
    u32::try_from(number).expect("a small number")
}

fn usize_below(rng: &mut Rng, bound: u64) -> usize {
    usize::try_from(rng.below(bound)).expect("a small number")
}
