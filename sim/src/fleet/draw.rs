//! What a seed draws: a fleet, its limits, and what befalls it.

use core::time::Duration;

use shardkeep_core::Rng;

use super::clock::Clock;

/// A process at the start.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) capacity: u32,
}

/// Something that hits every connection at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Storm {
    /// Op 7.
    Reconnect,
    /// Op 9 with `true`.
    Invalid,
    /// Op 9 with `false`.
    Forgotten,
    /// TCP breaks.
    Drop,
}

/// Something that befalls the fleet. Members by any number.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mishap {
    /// A process is gone at once; if its machine went with it, Discord is not told that its connections are.
    Crash {
        member: usize,
        back_after: Option<Duration>,
        with_machine: bool,
        is_new_name: bool,
    },
    /// SIGTERM; another process takes its place later.
    Leave {
        member: usize,
        back_after: Option<Duration>,
    },
    /// A process stands still and goes on as if nothing had been.
    Pause { member: usize, lasts: Duration },
    /// Between a process and the register.
    RegisterCut { member: usize, lasts: Duration },
    /// The register is away, and may have lost everything.
    RegisterAway { lasts: Duration, is_lost: bool },
    /// Between a process and Discord.
    DiscordCut { member: usize, lasts: Duration },
    /// Between a process and the others.
    BusCut { member: usize, lasts: Duration },
    /// Between a process and the store of sessions.
    StoreCut { member: usize, lasts: Duration },
    /// The store of sessions is away.
    StoreAway { lasts: Duration },
    /// The store of sessions is slow.
    StoreSlow { lasts: Duration },
    /// Every connection at once.
    Storm(Storm),
    /// Discord takes no connections, greets nobody, or opens no sessions.
    Outage { lasts: Duration, kind: u64 },
    /// Faults of single connections for a while.
    Weather { every: Duration, lasts: Duration },
    /// The operator changes how many shards there are.
    Reshard { total: u32 },
    /// The operator changes his mind.
    Abort,
    /// The operator wants no guilds to switch for a while.
    Hold { lasts: Duration },
    /// The operator goes on.
    Resume,
}

/// What is run.
#[derive(Clone, Debug)]
pub(super) struct Scene {
    pub(super) seed: u64,
    /// Processes lease their shards; else there is one, and all shards are its own.
    pub(super) is_leased: bool,
    pub(super) shards: u32,
    pub(super) members: Vec<Member>,
    pub(super) register_clock: Clock,
    pub(super) handover: u32,
    pub(super) reserve: u32,
    pub(super) max_concurrency: u32,
    pub(super) total: u32,
    pub(super) remaining: u32,
    pub(super) day: Duration,
    pub(super) guilds: u32,
    pub(super) members_per_guild: u32,
    pub(super) events_per_s: u32,
    /// How often sessions are stored.
    pub(super) save_every: Duration,
    /// The longest way between a process and Discord.
    pub(super) latency: Duration,
    pub(super) replay_capacity: usize,
    pub(super) mishaps: Vec<(Duration, Mishap)>,
    /// From then on nothing befalls anybody.
    pub(super) calm_from: Duration,
    /// How long the calm may take: identifies are damped, and sessions of dead machines expire.
    pub(super) calm_limit: Duration,
}

/// By the clock of the register's machine, when runs begin: 2026.
const EPOCH: u64 = 1_764_582_220_000_000;

impl Scene {
    pub(super) fn draw(seed: u64) -> Self {
        let mut rng = Rng::new(seed ^ 0x0f1e_e700);
        let is_leased = !seed.is_multiple_of(4);
        let members = if is_leased { 1 + rng.below(12) } else { 1 };
        let shards = match rng.below(16) {
            0 => 1 + rng.below(256),
            1 | 2 => 1 + rng.below(3),
            3..=5 => 1 + rng.below(80),
            _ => 1 + rng.below(32),
        };
        let enough = shards.div_ceil(members) * 2 + 2;
        let member = |at| Member {
            name: format!("bot-{at}"),
            capacity: narrow(enough),
        };
        let members: Vec<_> = (0..members).map(member).collect();
        let max_concurrency = match shards {
            ..=8 => [1, 1, 2, 16][below(&mut rng, 4)],
            9..=40 => [1, 2, 16, 16][below(&mut rng, 4)],
            _ => 16,
        };
        let reserve = narrow(rng.below(30));
        let start = Duration::from_secs(20 + 6 * shards.div_ceil(u64::from(max_concurrency)));
        let scarce = rng.below(4) == 0;
        let enough = narrow(shards) + reserve;
        let (total, remaining, day) = match scarce {
            true => {
                let more = narrow(rng.below(2 * shards + 10));
                let day = start + Duration::from_secs(120 + rng.below(600));
                (1_000 + 10 * enough, enough + more, day)
            }
            false => (20_000, 20_000, Duration::from_secs(86_400)),
        };
        let mut scene = Self {
            seed,
            is_leased,
            shards: narrow(shards),
            members,
            register_clock: Clock {
                offset: EPOCH,
                rate: 990_000 + rng.below(20_001),
            },
            handover: narrow(1 + rng.below(12)),
            reserve,
            max_concurrency,
            total,
            remaining,
            day,
            guilds: narrow(shards * (1 + rng.below(4))),
            members_per_guild: 4,
            events_per_s: narrow(2 + rng.below(20)),
            save_every: Duration::from_millis(200 + rng.below(1_800)),
            latency: Duration::from_millis(10 + rng.below(80)),
            replay_capacity: [300, 2_000, 5_000][below(&mut rng, 3)],
            mishaps: Vec::new(),
            calm_from: start,
            calm_limit: Duration::from_secs(4 * 3_600),
        };
        scene.draw_mishaps(&mut rng, start);
        scene
    }
    /// A million guilds in one process, which go from 1,000 to 2,000 shards.
    pub(super) fn big(seed: u64) -> Self {
        let mut scene = Self::draw(4);
        let start = Duration::from_secs(450);
        scene.seed = seed;
        scene.is_leased = false;
        scene.shards = 1_000;
        scene.members.truncate(1);
        scene.reserve = 50;
        scene.max_concurrency = 16;
        (scene.total, scene.remaining) = (4_000, 4_000);
        scene.day = Duration::from_secs(86_400);
        scene.guilds = 1_000_000;
        scene.members_per_guild = 1;
        scene.events_per_s = 50;
        scene.save_every = Duration::from_secs(1);
        scene.replay_capacity = 300;
        scene.mishaps = vec![(start, Mishap::Reshard { total: 2_000 })];
        scene.calm_from = start + Duration::from_secs(1);
        scene.calm_limit = Duration::from_secs(5 * 86_400);
        scene
    }

    /// Some while it starts, most when it runs.
    fn draw_mishaps(&mut self, rng: &mut Rng, start: Duration) {
        let lasts = Duration::from_secs(60 + rng.below(120));
        for _ in 0..rng.below(15) {
            let at = match rng.below(3) {
                0 => rng.duration_below(start + lasts),
                _ => start + rng.duration_below(lasts),
            };
            let mishap = self.mishap(rng);
            self.mishaps.push((at, mishap));
        }
        if !self.is_leased && rng.below(4) > 0 {
            let total = match rng.below(4) {
                0 => self.shards * 3,
                1 if self.shards.is_multiple_of(2) => self.shards / 2,
                _ => self.shards * 2,
            };
            let at = start + rng.duration_below(lasts);
            self.mishaps.push((at, Mishap::Reshard { total }));
            if rng.below(6) == 0 {
                let at = at + rng.duration_below(Duration::from_secs(60));
                self.mishaps.push((at, Mishap::Abort));
            }
        }
        // Of many shards each step takes its while: a few runs of them are enough.
        let is_large = self.shards > 24 && rng.below(8) > 0;
        if self.is_leased && !is_large && rng.below(3) > 0 {
            self.draw_change(rng, start, lasts);
        }
        self.calm_from = start + lasts;
    }

    /// A change of shards over all processes, and what befalls it.
    fn draw_change(&mut self, rng: &mut Rng, start: Duration, lasts: Duration) {
        let total = match rng.below(6) {
            0 | 1 if self.shards.is_multiple_of(2) => self.shards / 2,
            0..=3 => self.shards * 2,
            4 => self.shards + 1 + narrow(rng.below(5)),
            _ => (self.shards * 3 / 2).max(1),
        };
        for member in &mut self.members {
            member.capacity *= 2;
        }
        let at = start + rng.duration_below(lasts / 2);
        self.mishaps.push((at, Mishap::Reshard { total }));
        for _ in 0..rng.below(5) {
            let at = at + rng.duration_below(Duration::from_secs(90));
            let member = below(rng, 100);
            let lasts = Duration::from_millis(500 + rng.below(20_000));
            let mishap = match rng.below(6) {
                0..=2 => Mishap::Crash {
                    member,
                    back_after: Some(lasts),
                    with_machine: rng.below(4) == 0,
                    is_new_name: rng.below(2) == 0,
                },
                3 => Mishap::BusCut { member, lasts },
                4 => Mishap::Hold { lasts },
                _ => Mishap::StoreSlow { lasts },
            };
            self.mishaps.push((at, mishap));
        }
        if rng.below(8) == 0 {
            let at = at + rng.duration_below(Duration::from_secs(60));
            self.mishaps.push((at, Mishap::Abort));
        }
    }

    fn mishap(&self, rng: &mut Rng) -> Mishap {
        let member = below(rng, 100);
        let lasts = Duration::from_millis(500 + rng.below(30_000));
        let dice = match self.is_leased {
            true => rng.below(20),
            false => [0, 0, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14][below(rng, 14)],
        };
        match dice {
            0 | 1 | 15 => Mishap::Crash {
                member,
                back_after: (!self.is_leased || rng.below(5) > 0).then_some(lasts),
                with_machine: rng.below(3) == 0,
                is_new_name: rng.below(3) == 0,
            },
            2 => Mishap::Pause { member, lasts },
            3 => Mishap::Leave {
                member,
                back_after: Some(lasts),
            },
            4 => Mishap::DiscordCut { member, lasts },
            5 => Mishap::StoreCut { member, lasts },
            6 => Mishap::StoreAway { lasts },
            7 => Mishap::StoreSlow { lasts },
            8 | 9 => Mishap::Storm(Storm::Reconnect),
            10 => Mishap::Storm(Storm::Invalid),
            11 => Mishap::Storm(Storm::Forgotten),
            12 => Mishap::Storm(Storm::Drop),
            13 => Mishap::Outage {
                lasts,
                kind: rng.below(3),
            },
            14 => Mishap::Weather {
                every: Duration::from_millis(200 + rng.below(3_000)),
                lasts: lasts * 2,
            },
            16 | 17 => Mishap::RegisterCut { member, lasts },
            _ => Mishap::RegisterAway {
                lasts: lasts / 2,
                is_lost: rng.below(3) > 0,
            },
        }
    }
}

fn narrow(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

pub(super) fn below(rng: &mut Rng, bound: u64) -> usize {
    usize::try_from(rng.below(bound)).unwrap_or(0)
}
