//! A bot's world to draw from: guilds of very different size and liveliness, members who are in several of them.

use shardkeep_core::Rng;
use shardkeep_core::Snowflake;
use shardkeep_core::cache::hot_set::{Key, Kind};

/// What entries are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Of {
    Guild,
    Channel,
    Role,
    Member,
    User,
    Presence,
    Message,
}

/// One step of a trace.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub(crate) key: Name,
    pub(crate) bytes: u16,
    /// A dispatch that brings a value; otherwise somebody asks for it, and it is brought if it is not there.
    pub(crate) is_write: bool,
}

/// A key in little room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Name {
    pub(crate) of: u8,
    pub(crate) scope: u32,
    pub(crate) id: u32,
}

impl Name {
    /// As the hot set knows it, with the upper bits of snowflakes.
    pub(crate) fn key(self) -> Key {
        let snowflake = |number: u32| Snowflake(u64::from(number) << 22 | 0x1234_0000_0000_0000);
        Key {
            kind: Kind::new(self.of).expect("seven kinds"),
            scope: match self.scope {
                0 => Snowflake(0),
                scope => snowflake(scope),
            },
            id: snowflake(self.id),
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Guild {
    pub(crate) number: u32,
    pub(crate) channels: u32,
    pub(crate) roles: u32,
    pub(crate) members: u32,
    /// Where its members begin among all users.
    users: u32,
}

pub(crate) struct World {
    pub(crate) guilds: Vec<Guild>,
    users: u32,
    pub(crate) rng: Rng,
    /// Users and messages that are new.
    pub(crate) new: u32,
}

/// A number in 0..count, the lower the likelier: the share of number n falls as n to the power of `-skew`.
pub(crate) fn skewed(rng: &mut Rng, count: u32, skew: f64) -> u32 {
    let part = rng.next_u32() as f64 / 4_294_967_296.0;
    let count = f64::from(count.max(1));
    let place = if (skew - 1.0).abs() < 0.01 {
        ((count + 1.0).ln() * part).exp()
    } else {
        let power = 1.0 - skew;
        (((count + 1.0).powf(power) - 1.0) * part + 1.0).powf(1.0 / power)
    };
    (place - 1.0).clamp(0.0, count - 1.0) as u32
}

impl World {
    pub(crate) fn new(seed: u64, guilds: u32) -> Self {
        let mut rng = Rng::new(seed);
        let users = guilds * 60;
        let guilds = (0..guilds)
            .map(|number| {
                // Many of a few dozen members, few of thousands.
                let part = f64::from(rng.next_u32()) / 4_294_967_296.0;
                let members = (20.0 / (1.0 - part).powf(0.8)).min(20_000.0) as u32;
                Guild {
                    number: number + 1,
                    channels: 5 + skewed(&mut rng, 60, 0.8),
                    roles: 3 + skewed(&mut rng, 40, 0.8),
                    members,
                    users: rng.next_u32() % users,
                }
            })
            .collect();
        Self {
            guilds,
            users,
            rng,
            new: users,
        }
    }

    /// The user who is a guild's member of that rank. Who is busy in one guild is so in others as well.
    fn user(&self, guild: Guild, member: u32) -> u32 {
        let step = member.wrapping_mul(2_654_435_761) % self.users;
        (guild.users + (u64::from(step) * u64::from(step) / u64::from(self.users)) as u32)
            % self.users
            + 1
    }

    fn size(of: Of, key: u32) -> u16 {
        let spread = (key.wrapping_mul(0x9e37_79b1) >> 16) as u16;
        match of {
            Of::Guild => 400 + spread % 1_500,
            Of::Channel => 120 + spread % 250,
            Of::Role => 60 + spread % 80,
            Of::Member => 35 + spread % 60,
            Of::User => 45 + spread % 50,
            Of::Presence => 25 + spread % 50,
            Of::Message => 90 + spread % 800,
        }
    }

    pub(crate) fn step(of: Of, scope: u32, id: u32, is_write: bool) -> Step {
        let key = Name {
            of: of as u8,
            scope,
            id,
        };
        Step {
            key,
            bytes: Self::size(of, id ^ scope.rotate_left(9)),
            is_write,
        }
    }

    pub(crate) fn guild(guild: Guild, is_write: bool) -> Step {
        Self::step(Of::Guild, 0, guild.number, is_write)
    }

    pub(crate) fn channel(guild: Guild, channel: u32, is_write: bool) -> Step {
        Self::step(Of::Channel, guild.number, channel + 1, is_write)
    }

    pub(crate) fn role(guild: Guild, role: u32, is_write: bool) -> Step {
        Self::step(Of::Role, guild.number, role + 1, is_write)
    }

    /// A member and the user it is.
    pub(crate) fn member(&self, guild: Guild, member: u32, is_write: bool) -> [Step; 2] {
        let user = self.user(guild, member);
        [
            Self::step(Of::Member, guild.number, user, is_write),
            Self::step(Of::User, 0, user, is_write),
        ]
    }

    /// Somebody nobody has seen before, in a guild.
    pub(crate) fn stranger(&mut self, guild: Guild) -> [Step; 2] {
        self.new += 1;
        [
            Self::step(Of::Member, guild.number, self.new, true),
            Self::step(Of::User, 0, self.new, true),
        ]
    }
}
