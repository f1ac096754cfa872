//! One session's side of a cutover, made simple: what it says to the other side and stores, without a single event.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::super::Role;
use crate::fleet::cutover::{Ask, Basis, Body, Cut, Message, VERSION};
use crate::id::{ShardId, Snowflake};

/// How often a side says the same again, in milliseconds.
const SAY_AGAIN: u64 = 1_000;

/// What a side must not forget.
#[derive(Clone, Debug)]
pub(super) struct Side {
    pub(super) role: Role,
    pub(super) cutover: u64,
    pub(super) guilds: BTreeSet<Snowflake>,
    /// Guilds that are cut, or that were taken over.
    pub(super) moved: BTreeSet<Snowflake>,
    /// Of a side that leaves: guilds of which it knows that they were taken.
    taken: BTreeSet<Snowflake>,
    pub(super) may_ask: bool,
    pub(super) has_begun: bool,
    pub(super) is_told: bool,
    said_at: BTreeMap<Snowflake, u64>,
    /// Of a side that joins: from when on nothing more is expected.
    pub(super) settles_at: u64,
}

impl Side {
    pub(super) fn new((role, cutover): (Role, u64)) -> Self {
        Self {
            role,
            cutover,
            guilds: BTreeSet::new(),
            moved: BTreeSet::new(),
            taken: BTreeSet::new(),
            may_ask: false,
            has_begun: false,
            is_told: false,
            said_at: BTreeMap::new(),
            settles_at: 0,
        }
    }

    /// What another process makes of what was stored.
    pub(super) fn restored(&self) -> Self {
        Self {
            guilds: self.guilds.clone(),
            moved: self.moved.clone(),
            taken: self.taken.clone(),
            has_begun: self.role == Role::Joining,
            ..Self::new((self.role, self.cutover))
        }
    }

    fn say(&mut self, now: u64, guild: Snowflake, body: Body) -> Message {
        self.said_at.insert(guild, now);
        Message {
            version: VERSION,
            cutover: self.cutover,
            guild,
            number: 1,
            body,
        }
    }

    /// What there is to be said by the clock.
    pub(super) fn tick(&mut self, now: u64) -> Vec<Message> {
        let open: Vec<_> = match self.role {
            Role::Leaving => self.moved.difference(&self.taken).copied().collect(),
            Role::Joining if self.may_ask => self.guilds.difference(&self.moved).copied().collect(),
            Role::Joining => Vec::new(),
        };
        let is_due = |guild: &Snowflake| {
            let said = self.said_at.get(guild);
            said.is_none_or(|&at| at + SAY_AGAIN <= now)
        };
        let due: Vec<_> = open.into_iter().filter(is_due).collect();
        let body = match self.role {
            Role::Leaving => Body::Cut(cut()),
            Role::Joining => Body::Ask(Ask::default()),
        };
        let say = |guild| self.say(now, guild, body.clone());
        due.into_iter().map(say).collect()
    }

    /// What is answered.
    pub(super) fn message(&mut self, now: u64, message: &Message) -> Option<Message> {
        assert_eq!(message.cutover, self.cutover, "of this cutover");
        let guild = message.guild;
        match (&message.body, self.role) {
            (Body::Ask(_), Role::Leaving) => {
                self.guilds.insert(guild);
                self.moved.insert(guild);
                Some(self.say(now, guild, Body::Cut(cut())))
            }
            (Body::Cut(_), Role::Joining) => {
                assert!(self.guilds.contains(&guild), "a cut that was asked for");
                self.moved.insert(guild);
                Some(self.say(now, guild, Body::Taken))
            }
            (Body::Taken, Role::Leaving) => {
                assert!(self.moved.contains(&guild), "taken before it was cut");
                self.taken.insert(guild);
                None
            }
            _ => panic!("{message:?} to a side that is {:?}", self.role),
        }
    }

    /// Whether every guild is handed over, or taken over.
    pub(super) fn is_finished(&self) -> bool {
        let done = match self.role {
            Role::Leaving => &self.taken,
            Role::Joining => &self.moved,
        };
        self.has_begun && *done == self.guilds
    }
}

fn cut() -> Cut {
    Cut {
        basis: Basis::Nothing,
        missing: 0,
        expected: Vec::new(),
        doubtful: Vec::new(),
        asked_ms: None,
    }
}

/// The guilds of the tests that a shard carries.
pub(super) fn guilds_of(shard: ShardId) -> Vec<Snowflake> {
    let all = (0..24_u64).map(|number| Snowflake(number << 22 | 1));
    all.filter(|guild| shard.carries(*guild)).collect()
}
