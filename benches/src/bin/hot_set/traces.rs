//! What a bot's cache is asked, in the shapes that Discord gives it. Every trace follows from its seed.

use crate::world::{Guild, Of, Step, World, skewed};

/// How many guilds the bot is in.
const GUILDS: u32 = 3_000;

/// A trace: what it is called, what it is, and how it is made.
pub(crate) struct Trace {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    make: fn(&mut Making),
}

pub(crate) const TRACES: [Trace; 8] = [
    Trace {
        name: "steady",
        about: "messages, reactions and presences; few guilds and members cause most of them",
        make: |making| making.chatter(150_000),
    },
    Trace {
        name: "start",
        about: "GUILD_CREATE of every guild, then messages, while guilds come again now and then",
        make: start,
    },
    Trace {
        name: "chunks",
        about: "messages, and all members of a large guild in chunks every now and then",
        make: chunks,
    },
    Trace {
        name: "raids",
        about: "messages, and hundreds of new users who join, write once or twice and are never seen again",
        make: raids,
    },
    Trace {
        name: "day and night",
        about: "messages of guilds in three parts of the world, each lively for a third of the day",
        make: day_and_night,
    },
    Trace {
        name: "sweeps",
        about: "messages, and commands that look at every member of a guild once",
        make: sweeps,
    },
    Trace {
        name: "growth",
        about: "messages; liveliness drifts from guild to guild, and new members join",
        make: growth,
    },
    Trace {
        name: "everything",
        about: "all of it in turn",
        make: everything,
    },
];

impl Trace {
    pub(crate) fn make(&self, seed: u64) -> Vec<Step> {
        let world = World::new(seed, GUILDS);
        let mut making = Making {
            world,
            steps: Vec::new(),
            shift: 0,
        };
        (self.make)(&mut making);
        making.steps
    }
}

struct Making {
    world: World,
    steps: Vec<Step>,
    /// Which guild is the liveliest.
    shift: u32,
}

impl Making {
    fn lively(&mut self) -> Guild {
        let count = self.world.guilds.len() as u32;
        let place = skewed(&mut self.world.rng, count, 0.9);
        // Liveliness has nothing to do with the order of guilds, nor much with their size.
        let at = (place + self.shift).wrapping_mul(1_597) % count;
        self.world.guilds[at as usize]
    }

    fn any(&mut self) -> Guild {
        let at = self.world.rng.below(self.world.guilds.len() as u64);
        self.world.guilds[at as usize]
    }

    fn chatter(&mut self, events: u32) {
        for _ in 0..events {
            let guild = self.lively();
            self.event(guild);
        }
    }

    /// An event of a guild, and what a bot looks at for it.
    fn event(&mut self, guild: Guild) {
        let rng = &mut self.world.rng;
        let member = skewed(rng, guild.members, 1.05);
        let channel = skewed(rng, guild.channels, 1.1);
        let (dice, role, other) = (
            rng.below(100),
            skewed(rng, guild.roles, 1.0),
            skewed(rng, guild.members, 1.0),
        );
        let [of_guild, of_user] = self.world.member(guild, member, false);
        match dice {
            0..45 => {
                self.steps.extend([
                    World::guild(guild, false),
                    World::channel(guild, channel, false),
                    of_guild,
                    of_user,
                    World::role(guild, role, false),
                ]);
                if dice < 10 {
                    self.steps.extend(self.world.member(guild, other, false));
                }
                self.world.new += 1;
                let place = guild.number << 8 | channel;
                self.steps
                    .push(World::step(Of::Message, place, self.world.new, true));
            }
            45..60 => self
                .steps
                .extend([World::channel(guild, channel, false), of_guild, of_user]),
            60..85 => {
                let user = of_user.key.id;
                self.steps
                    .push(World::step(Of::Presence, guild.number, user, true));
                self.steps.push(of_guild);
            }
            85..90 => self.steps.extend(self.world.member(guild, member, true)),
            _ => self.steps.extend([World::guild(guild, false), of_guild]),
        }
    }

    /// What GUILD_CREATE brings: of a large guild, those members who are online.
    fn create(&mut self, guild: Guild) {
        self.steps.push(World::guild(guild, true));
        self.steps
            .extend((0..guild.channels).map(|channel| World::channel(guild, channel, true)));
        self.steps
            .extend((0..guild.roles).map(|role| World::role(guild, role, true)));
        self.members(guild, guild.members.min(250), true);
    }

    fn members(&mut self, guild: Guild, count: u32, is_write: bool) {
        for member in 0..count {
            self.steps
                .extend(self.world.member(guild, member, is_write));
        }
    }

    fn large(&mut self) -> Guild {
        loop {
            let guild = self.any();
            if guild.members > 1_000 {
                return guild;
            }
        }
    }

    fn raid(&mut self) {
        let guild = self.any();
        for _ in 0..400 {
            let joined = self.world.stranger(guild);
            let asked = joined.map(|step| Step {
                is_write: false,
                ..step
            });
            let channel = World::channel(guild, 0, false);
            self.steps.extend(joined);
            self.steps.extend([World::guild(guild, false), channel]);
            for _ in 0..=self.world.rng.below(2) {
                self.steps.extend(asked);
            }
            let other = self.lively();
            self.event(other);
        }
    }
}

fn start(making: &mut Making) {
    for at in 0..making.world.guilds.len() {
        let guild = making.world.guilds[at];
        making.create(guild);
        if at % 4 == 0 {
            making.chatter(20);
        }
    }
    // A shard comes back now and then, with all of its guilds.
    for _ in 0..12 {
        making.chatter(10_000);
        for _ in 0..150 {
            let guild = making.any();
            making.create(guild);
            making.chatter(10);
        }
    }
}

fn chunks(making: &mut Making) {
    for _ in 0..40 {
        making.chatter(3_000);
        let guild = making.large();
        for chunk in 0..guild.members.div_ceil(1_000) {
            for member in chunk * 1_000..guild.members.min((chunk + 1) * 1_000) {
                making
                    .steps
                    .extend(making.world.member(guild, member, true));
            }
            making.chatter(30);
        }
    }
}

fn raids(making: &mut Making) {
    for _ in 0..60 {
        making.chatter(1_500);
        making.raid();
    }
}

fn day_and_night(making: &mut Making) {
    for hour in 0..48_u32 {
        making.shift = hour / 8 % 3 * (GUILDS / 3);
        making.chatter(2_500);
    }
}

fn sweeps(making: &mut Making) {
    for _ in 0..250 {
        making.chatter(500);
        let guild = making.lively();
        making.members(guild, guild.members.min(3_000), false);
    }
}

fn growth(making: &mut Making) {
    for step in 0..300 {
        making.shift = step;
        making.chatter(450);
        for _ in 0..20 {
            let guild = making.lively();
            let joined = making.world.stranger(guild);
            making.steps.extend(joined);
        }
    }
}

fn everything(making: &mut Making) {
    for at in 0..making.world.guilds.len() {
        let guild = making.world.guilds[at];
        making.create(guild);
    }
    for hour in 0..48_u32 {
        making.shift = hour / 8 % 3 * (GUILDS / 3);
        making.chatter(1_800);
        match hour % 4 {
            0 => making.raid(),
            1 => {
                let guild = making.large();
                making.members(guild, guild.members, true);
            }
            2 => {
                let guild = making.lively();
                making.members(guild, guild.members.min(3_000), false);
            }
            _ => {
                for _ in 0..100 {
                    let guild = making.any();
                    making.create(guild);
                }
            }
        }
    }
}
