//! A world in which an old session and new ones deliver the same guilds, and the truth of what happened in it.

#![allow(
    dead_code,
    reason = "the tests that share it use different parts of it"
)]
#![allow(
    clippy::cast_possible_truncation,
    reason = "what a test picks from is small"
)]

mod checks;
mod driver;
mod faults;
mod session;

use std::collections::BTreeMap;
use std::time::Duration;

use shardkeep_core::fleet::cutover::{Config, Joining, Leaving, Message, SHARED};
use shardkeep_core::{Instant, Rng, Snowflake};

pub(crate) use checks::Sum;
use driver::{NewSide, OldSide};
use session::Session;

pub(crate) const TICK_MS: u64 = 20;

/// What may go wrong in a history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Weather {
    /// Sessions stall and are resumed.
    pub(crate) resumes: bool,
    /// New sessions are lost.
    pub(crate) new_lost: bool,
    /// The old session is lost.
    pub(crate) old_lost: bool,
    /// Processes crash, and go on from what was stored.
    pub(crate) crashes: bool,
    /// The old process dies for good.
    pub(crate) old_dies: bool,
    /// Messages take longer than is assumed.
    pub(crate) slow_messages: bool,
}

/// Something that Discord dispatched.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Truth {
    pub(crate) at: u64,
    pub(crate) guild: u64,
    pub(crate) shape: Shape,
    /// What came before it in its guild.
    pub(crate) rank: u64,
}

/// What its payload looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// With an id of its own.
    Message(u64),
    /// One of a few that are all alike.
    Reaction(u64),
    Presence(u64),
    /// A guild that goes away and comes back.
    Outage(bool),
}

/// How a guild's events come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Habit {
    /// One event in so many milliseconds, on average.
    every_ms: u64,
    /// Of a hundred, so many have ids of their own.
    keyed: u64,
    /// How many payloads there are that are all alike.
    alike: u64,
}

pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) rng: Rng,
    pub(crate) weather: Weather,
    pub(crate) now: u64,
    pub(crate) truths: Vec<Truth>,
    habits: BTreeMap<u64, Habit>,
    pub(crate) old: OldSide,
    pub(crate) new: Vec<NewSide>,
    /// Messages under way: when they arrive, from which new side or to which, and whether to the old side.
    mail: Vec<(u64, usize, bool, Message)>,
    /// When each truth was dispatched, by whom: (0 is the old side), with the sequence.
    pub(crate) dispatched: Vec<(usize, usize, u64)>,
    pub(crate) overlap_dispatched: u64,
    /// GUILD_CREATEs that a session which was begun anew brought for a guild that it dispatches.
    pub(crate) creates: BTreeMap<u64, u64>,
    /// What sessions that were lost had brought: side, sequence, truth.
    pub(crate) former: BTreeMap<(usize, u64), session::Item>,
    lag_ms: u64,
    delay_ms: u64,
    lose: u64,
    ask_from: u64,
    ask_every: u64,
    pub(crate) trouble: Vec<String>,
}

pub(crate) fn instant(ms: u64) -> Instant {
    Instant::from_millis(ms)
}

impl World {
    pub(crate) fn new(seed: u64, weather: Weather) -> Self {
        let mut rng = Rng::new(seed);
        let mut config = Config::new(77);
        config.asks_max = 1 + rng.below(8) as usize;
        config.hold_bytes_max = [1 << 20, 1 << 20, 2_000][rng.below(3) as usize];
        let guilds = 1 + rng.below(8);
        let sides = 1 + rng.below(2);
        let mut habits = BTreeMap::new();
        for guild in 0..=guilds {
            habits.insert(guild, habit(&mut rng));
        }
        let ids = |from: Option<u64>| {
            let all: Vec<Snowflake> = (1..=guilds)
                .filter(|guild| from.is_none_or(|side| guild % sides == side))
                .map(Snowflake)
                .collect();
            all
        };
        let leaving = Leaving::new(config.clone(), ids(None));
        let new = (0..sides)
            .map(|side| {
                let mut config = config.clone();
                config.takes_shared = side == 0;
                let starts = 1_000 + rng.below(25_000);
                let guilds = ids(Some(side));
                NewSide::new(
                    Joining::new(config.clone(), guilds.clone()),
                    config,
                    guilds,
                    starts,
                )
            })
            .collect();
        let slow = if weather.slow_messages { 9_000 } else { 1_500 };
        Self {
            seed,
            weather,
            now: 0,
            truths: Vec::new(),
            habits,
            old: OldSide::new(leaving, config, ids(None)),
            new,
            mail: Vec::new(),
            dispatched: Vec::new(),
            overlap_dispatched: 0,
            creates: BTreeMap::new(),
            former: BTreeMap::new(),
            lag_ms: [50, 400, 1_500][rng.below(3) as usize],
            delay_ms: [20, 300, slow][rng.below(3) as usize],
            lose: [0, 10, 40][rng.below(3) as usize],
            ask_from: 8_000 + rng.below(50_000),
            ask_every: 100 + rng.below(2_000),
            trouble: Vec::new(),
            rng,
        }
    }

    /// Plays it to its end: events for two minutes, and time until everything has settled.
    pub(crate) fn play(mut self) -> Self {
        while self.now < 400_000 {
            self.now += TICK_MS;
            if self.now < 150_000 {
                self.happen();
            }
            self.beat();
            self.faults();
            self.deliver();
            self.carry();
            self.drive();
            if self.now > 170_000 && self.is_settled() {
                break;
            }
        }
        self
    }

    fn happen(&mut self) {
        let guilds: Vec<_> = self
            .habits
            .iter()
            .map(|(id, habit)| (*id, *habit))
            .collect();
        for (guild, habit) in guilds {
            if self.rng.below(habit.every_ms) >= TICK_MS {
                continue;
            }
            // Most come alone, some in a burst.
            let count = if self.rng.below(20) == 0 { 6 } else { 1 };
            for _ in 0..count {
                let shape = self.shape(guild, habit);
                self.add(guild, shape);
            }
        }
    }

    fn shape(&mut self, guild: u64, habit: Habit) -> Shape {
        if self.rng.below(100) < habit.keyed {
            return Shape::Message(self.truths.len() as u64);
        }
        if guild != SHARED.0 && self.rng.below(60) == 0 {
            return Shape::Outage(self.rng.below(2) == 0);
        }
        let which = self.rng.below(habit.alike);
        if guild == SHARED.0 || self.rng.below(2) == 0 {
            Shape::Reaction(which)
        } else {
            Shape::Presence(which)
        }
    }

    fn add(&mut self, guild: u64, shape: Shape) {
        let rank = self
            .truths
            .iter()
            .filter(|truth| truth.guild == guild)
            .count() as u64;
        let index = self.truths.len();
        self.truths.push(Truth {
            at: self.now,
            guild,
            shape,
            rank,
        });
        let (now, lag) = (self.now, self.lag_ms);
        self.old
            .session
            .push(now, lag, &mut self.rng, session::Item::Truth(index));
        let sides = self.new.len() as u64;
        for (side, new) in self.new.iter_mut().enumerate() {
            let is_its = guild == SHARED.0 || guild % sides == side as u64;
            if matches!(shape, Shape::Outage(_)) {
                // It stands for the GUILD_CREATE with which the session would have begun the guild.
                new.to_create.retain(|id| *id != guild);
            }
            if is_its {
                new.session
                    .push(now, lag, &mut self.rng, session::Item::Truth(index));
            }
        }
    }

    pub(crate) fn lag(&self) -> u64 {
        self.lag_ms
    }

    pub(crate) fn pause(&self) -> Duration {
        Duration::from_millis(self.ask_every)
    }
}

fn habit(rng: &mut Rng) -> Habit {
    Habit {
        every_ms: [60, 400, 3_000, 20_000, 90_000][rng.below(5) as usize],
        keyed: [0, 5, 50, 100][rng.below(4) as usize],
        alike: 1 + rng.below(4),
    }
}

/// The payload of a dispatch.
pub(crate) fn payload(guild: u64, shape: Shape) -> (&'static str, String) {
    let of = if guild == SHARED.0 {
        String::new()
    } else {
        format!(r#","guild_id":"{guild}""#)
    };
    match shape {
        Shape::Message(id) => (
            "MESSAGE_CREATE",
            format!(r#"{{"id":"{id}","content":"hi"{of}}}"#),
        ),
        Shape::Reaction(n) => (
            "MESSAGE_REACTION_ADD",
            format!(r#"{{"message_id":"5","user_id":"{n}","emoji":{{"id":null,"name":"x"}}{of}}}"#),
        ),
        Shape::Presence(n) => (
            "PRESENCE_UPDATE",
            format!(r#"{{"user":{{"id":"{n}"}},"status":"idle"{of}}}"#),
        ),
        Shape::Outage(true) => (
            "GUILD_DELETE",
            format!(r#"{{"id":"{guild}","unavailable":true}}"#),
        ),
        Shape::Outage(false) => (
            "GUILD_CREATE",
            format!(r#"{{"id":"{guild}","unavailable":false,"name":"g"}}"#),
        ),
    }
}

impl Session {
    pub(crate) fn is_quiet(&self) -> bool {
        self.is_down || self.queue.is_empty()
    }
}
