//! The user's commands: those that wait, the limits each kind has, and those that may have to go out again.

use alloc::collections::{BTreeMap, VecDeque};
use core::time::Duration;

use super::send_limit::SlidingLog;
use crate::id::Snowflake;
use crate::time::Instant;
use crate::wire::{Command, Opcode};

/// Presence updates: 5 per 20 s. The margin is for what the network may squeeze together.
const PRESENCE_LIMIT: usize = 5;
const PRESENCE_WINDOW: Duration = Duration::from_millis(20_250);

/// Whole member lists: one per guild per 30 s.
const MEMBERS_WINDOW: Duration = Duration::from_millis(30_250);

/// How many member requests are remembered in case Discord drops one, and how often one is sent again.
const SENT_MAX: usize = 128;
const RESEND_MAX: u8 = 3;

/// A command on its way.
#[derive(Clone, Debug)]
pub(super) struct Queued {
    pub(super) id: u64,
    pub(super) command: Command,
    not_before: Instant,
    /// How often it went out before.
    pub(super) sent: u8,
}

/// The queue of one session. It outlives connections: what waits for READY or RESUMED waits here.
#[derive(Clone, Debug)]
pub(super) struct Commands {
    queue: VecDeque<Queued>,
    presence: SlidingLog,
    /// When each guild's whole list was last asked for.
    members: BTreeMap<Snowflake, Instant>,
    /// Member requests that went out lately, oldest first.
    sent: VecDeque<Queued>,
    /// The last command of this connection, whom Discord means when it complains.
    last: Option<(u64, Opcode)>,
}

impl Commands {
    pub(super) const fn new() -> Self {
        Self {
            queue: VecDeque::new(),
            presence: SlidingLog::new(PRESENCE_LIMIT, PRESENCE_WINDOW),
            members: BTreeMap::new(),
            sent: VecDeque::new(),
            last: None,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    /// Queues a command. A presence update takes the place of one that still waits, whose id is returned.
    pub(super) fn push(&mut self, id: u64, command: &Command) -> Option<u64> {
        let queued = Queued {
            id,
            command: command.clone(),
            not_before: Instant::ZERO,
            sent: 0,
        };
        if command.opcode() == Opcode::PresenceUpdate {
            let waiting = |queued: &&mut Queued| queued.command.opcode() == Opcode::PresenceUpdate;
            if let Some(older) = self.queue.iter_mut().find(waiting) {
                return Some(core::mem::replace(older, queued).id);
            }
        }
        self.queue.push_back(queued);
        None
    }

    /// Takes the first command that its own limits allow at `now`; otherwise says when the next one may be.
    ///
    /// A command that has to wait lets those behind it pass: a guild's member list must not hold up a voice state.
    pub(super) fn take(&mut self, now: Instant) -> Result<Queued, Option<Instant>> {
        let mut soonest = None;
        for index in 0..self.queue.len() {
            let at = self.allowed_at(&self.queue[index], now);
            if at <= now
                && let Some(queued) = self.queue.remove(index)
            {
                return Ok(queued);
            }
            soonest = Some(soonest.map_or(at, |soonest: Instant| soonest.min(at)));
        }
        Err(soonest)
    }

    fn allowed_at(&self, queued: &Queued, now: Instant) -> Instant {
        let own = match queued.command.opcode() {
            Opcode::PresenceUpdate => self.presence.free_at(now, 0),
            Opcode::RequestGuildMembers => queued
                .command
                .whole_guild()
                .and_then(|guild| self.members.get(&guild))
                .map(|&last| last + MEMBERS_WINDOW),
            _ => None,
        };
        queued.not_before.max(own.unwrap_or(now))
    }

    /// A command went out.
    pub(super) fn record(&mut self, mut queued: Queued, now: Instant) {
        self.last = Some((queued.id, queued.command.opcode()));
        match queued.command.opcode() {
            Opcode::PresenceUpdate => self.presence.record(now),
            Opcode::RequestGuildMembers => {
                if let Some(guild) = queued.command.whole_guild() {
                    self.members
                        .retain(|_, &mut last| last + MEMBERS_WINDOW > now);
                    self.members.insert(guild, now);
                }
                queued.sent += 1;
                if self.sent.len() == SENT_MAX {
                    self.sent.pop_front();
                }
                self.sent.push_back(queued);
            }
            _ => {}
        }
    }

    /// Discord dropped a member request: queues it again for `at`, if it is still known and was not repeated too often.
    pub(super) fn resend(
        &mut self,
        guild: Option<Snowflake>,
        nonce: Option<&str>,
        at: Instant,
    ) -> bool {
        let is_it = |sent: &Queued| sent.command.guild() == guild && sent.command.nonce() == nonce;
        let Some(index) = self.sent.iter().rposition(is_it) else {
            return false;
        };
        match self.sent.remove(index) {
            Some(mut queued) if queued.sent <= RESEND_MAX => {
                queued.not_before = at;
                self.queue.push_front(queued);
                true
            }
            _ => false,
        }
    }

    /// A new connection: nothing was sent on it yet.
    pub(super) fn connection_began(&mut self) {
        self.last = None;
    }

    /// The command that a complaint of Discord's is probably about.
    pub(super) const fn suspect(&self) -> Option<(u64, Opcode)> {
        self.last
    }

    /// Everything that waits, for refusing it.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = u64> + '_ {
        self.queue.drain(..).map(|queued| queued.id)
    }
}
