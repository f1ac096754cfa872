//! When a guild can be asked for, and what is said of it.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Bound;

use crate::fleet::cutover::fingerprint::Fingerprint;
use crate::id::Snowflake;
use crate::time::Instant;

use super::{Asked, Joining, Phase, Watch};

/// How many events before the last that comes once only are listed: so many may have come in another order.
const BEFORE_KEY: usize = 64;

/// How many events that were alone of their kind are named.
const LONE_MAX: usize = 16;

/// Why a guild is not asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is not one of this side's.
    Unknown,
    /// Its GUILD_CREATE has not come yet.
    Unseen,
    /// Nothing was seen yet that the sides could agree by.
    TooEarly,
    /// It is asked for, or dispatched here already.
    Done,
    /// As many are asked for, or as many bytes held, as may be.
    Full,
}

impl Refusal {
    /// What it means.
    #[must_use]
    pub const fn explain(self) -> &'static str {
        match self {
            Self::Unknown => "the guild is not one of this session's",
            Self::Unseen => "its GUILD_CREATE has not come on this session",
            Self::TooEarly => "nothing was seen yet that both sides could agree by",
            Self::Done => "it is asked for, or dispatched here already",
            Self::Full => "as many guilds are asked for, or as many bytes held, as may be",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.explain())
    }
}

/// What is said of a guild that is watched.
pub(super) struct Seen {
    pub(super) seen: Vec<Fingerprint>,
    pub(super) unlisted: u64,
    pub(super) silence: Option<(Instant, u32)>,
    pub(super) lone: Vec<(u32, Instant)>,
}

impl Joining {
    /// Asks for the guild: from now on its events are held.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] says why not, and changes nothing.
    pub fn ask(&mut self, now: Instant, id: Snowflake) -> Result<(), Refusal> {
        let guild = self.guilds.get(&id).ok_or(Refusal::Unknown)?;
        match guild.phase {
            Phase::Watched => {}
            Phase::Unseen => return Err(Refusal::Unseen),
            Phase::Asked(_) | Phase::Owned(_) => return Err(Refusal::Done),
        }
        if self.asked.len() >= self.config.asks_max.max(1) || self.wants_pause() {
            return Err(Refusal::Full);
        }
        let watch = guild.watch;
        if !self.is_ready(now, &watch) {
            return Err(Refusal::TooEarly);
        }
        let Seen {
            seen,
            unlisted,
            silence,
            lone,
        } = self.view(now, &watch);
        let number = self.next_number;
        self.next_number += 1;
        if let Some(guild) = self.guilds.get_mut(&id) {
            guild.phase = Phase::Asked(Box::new(Asked {
                number,
                seen,
                unlisted,
                silence,
                lone,
                asked_at: now,
                said_at: now,
                held: VecDeque::new(),
                is_broken: false,
            }));
        }
        self.asked.insert(id);
        self.saying.insert(id);
        self.version += 1;
        Ok(())
    }

    /// Asks for the next guild that is ready, in turn. `None` if none is, or as many are asked for as may be.
    pub fn ask_next(&mut self, now: Instant) -> Option<Snowflake> {
        let from = (Bound::Excluded(self.last_looked), Bound::Unbounded);
        let to = (Bound::Unbounded, Bound::Included(self.last_looked));
        let turn = self.guilds.range(from).chain(self.guilds.range(to));
        let found = turn
            .filter(|(_, guild)| matches!(guild.phase, Phase::Watched))
            .find(|(_, guild)| self.is_ready(now, &guild.watch));
        let id = *found?.0;
        self.ask(now, id).ok()?;
        self.last_looked = id;
        Some(id)
    }

    /// Whether there is something to agree by, or there has been time enough for it.
    fn is_ready(&self, now: Instant, watch: &Watch) -> bool {
        let is_young = |at: Instant| now.since(at) < self.config.horizon / 2;
        watch.once.is_some_and(is_young)
            || watch.silence.is_some_and(|(middle, _)| is_young(middle))
            || watch
                .silence_now(self.pulse.solid(), &self.config)
                .is_some()
            || now.since(watch.since) >= self.config.horizon
    }

    /// What was seen of a guild within the horizon, as far as it is of use: from a little before the last event that
    /// comes once only, or as much as may be listed.
    pub(super) fn view(&self, now: Instant, watch: &Watch) -> Seen {
        let in_time = |entry: &(Fingerprint, Instant)| now.since(entry.1) <= self.config.horizon;
        let mut seen: Vec<(Fingerprint, Instant)> = Vec::new();
        let mut room = self.config.listed();
        let mut total = 0;
        for (print, at) in self.seen.walk(watch.newest).take_while(in_time) {
            total += 1;
            if seen.len() < room {
                seen.push((print, at));
                if print.is_once() && room == self.config.listed() {
                    room = room.min(seen.len() + BEFORE_KEY);
                }
            }
        }
        if self.seen.forgotten > 0 {
            total = total.max(watch.events);
        }
        seen.reverse();
        let silence = match watch.silence_now(self.pulse.solid(), &self.config) {
            Some(middle) => Some((middle, 0)),
            None => watch.silence,
        };
        let silence = silence.filter(|&(middle, after)| {
            now.since(middle) < self.config.horizon && after as usize <= seen.len()
        });
        let has_key = seen.iter().any(|entry| entry.0.is_once());
        let lone = if has_key || silence.is_some() {
            Vec::new()
        } else {
            self.lone(now, &seen)
        };
        Seen {
            unlisted: total - seen.len() as u64,
            seen: seen.into_iter().map(|entry| entry.0).collect(),
            silence,
            lone,
        }
    }

    /// The newest events that were alone of their kind while the other side may have dispatched them.
    fn lone(&self, now: Instant, seen: &[(Fingerprint, Instant)]) -> Vec<(u32, Instant)> {
        let lag = self.config.lag_max;
        let is_alone = |&(print, at): &(Fingerprint, Instant)| {
            let alike = seen.iter().filter(|(other, when)| {
                *other == print && at.since(*when) <= lag && when.since(at) <= lag
            });
            alike.count() == 1
        };
        let old_enough = |(_, entry): &(usize, &(Fingerprint, Instant))| entry.1 + lag <= now;
        let found = seen.iter().enumerate().rev().filter(old_enough);
        found
            .filter(|(_, entry)| is_alone(entry))
            .take(LONE_MAX)
            .filter_map(|(index, entry)| Some((u32::try_from(index).ok()?, entry.1)))
            .collect()
    }
}
