//! Questions under way: one for each key, for everybody who asks.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{FlightId, Key, Kind, RequestId, Version};
use crate::id::Snowflake;
use crate::time::Instant;
use crate::wire::EventKind;

/// Who is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Store,
    Discord,
}

/// A change to a record that is not here, as the dispatch that makes it.
#[derive(Clone, Debug)]
pub(super) struct Patch {
    pub(super) event: EventKind,
    pub(super) d: Arc<[u8]>,
    pub(super) version: Version,
}

#[derive(Clone, Debug)]
pub(super) struct Flight {
    pub(super) id: FlightId,
    pub(super) stage: Stage,
    /// Whether the driver has the question to Discord. Until then, the answer cannot be from before.
    pub(super) is_out: bool,
    /// When the store's time ends.
    pub(super) until: Option<Instant>,
    pub(super) waiters: Vec<(RequestId, Option<Instant>)>,
    pub(super) patches: Vec<Patch>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Flights {
    by_key: BTreeMap<Key, Flight>,
    keys: BTreeMap<FlightId, Key>,
    requests: BTreeMap<RequestId, Key>,
    /// How many members are under way of each user.
    users: BTreeMap<Snowflake, u32>,
    /// Ends of readers' patience.
    deadlines: BTreeSet<(Instant, RequestId)>,
    /// Ends of the store's time.
    timeouts: BTreeSet<(Instant, FlightId)>,
    /// What the store is to be asked.
    to_read: BTreeMap<(Kind, Snowflake), Vec<(FlightId, Key)>>,
    next: u64,
    patch_bytes: usize,
}

impl Flights {
    pub(super) fn len(&self) -> usize {
        self.by_key.len()
    }

    pub(super) const fn patch_bytes(&self) -> usize {
        self.patch_bytes
    }

    pub(super) fn waits(&self, id: RequestId) -> bool {
        self.requests.contains_key(&id)
    }

    pub(super) fn get(&self, key: Key) -> Option<&Flight> {
        self.by_key.get(&key)
    }

    /// The key of a question that is under way.
    pub(super) fn key(&self, id: FlightId) -> Option<Key> {
        self.keys.get(&id).copied()
    }

    fn next_id(&mut self) -> FlightId {
        self.next += 1;
        FlightId(self.next)
    }

    /// Begins a question, which must not be under way.
    pub(super) fn begin(&mut self, key: Key, stage: Stage, until: Option<Instant>) -> FlightId {
        let id = self.next_id();
        let flight = Flight {
            id,
            stage,
            is_out: false,
            until,
            waiters: Vec::new(),
            patches: Vec::new(),
        };
        self.by_key.insert(key, flight);
        self.keys.insert(id, key);
        if key.kind == Kind::Member {
            *self.users.entry(key.id).or_default() += 1;
        }
        if stage == Stage::Store {
            let scope = self.to_read.entry((key.kind, key.scope)).or_default();
            scope.push((id, key));
        }
        self.timeouts.extend(until.map(|until| (until, id)));
        id
    }

    /// The driver has this question now.
    pub(super) fn put_out(&mut self, id: FlightId) {
        if let Some(key) = self.keys.get(&id)
            && let Some(flight) = self.by_key.get_mut(key)
        {
            flight.is_out = true;
        }
    }

    /// Puts a question to Discord that was put to the store, or puts it again: earlier answers are not meant any more.
    /// `None` if there is none, or if it is about to be put.
    pub(super) fn ask_discord(&mut self, key: Key) -> Option<FlightId> {
        let flight = self.by_key.get_mut(&key)?;
        let is_about_to_be = flight.stage == Stage::Discord && !flight.is_out;
        self.patch_bytes -= flight
            .patches
            .iter()
            .map(|patch| patch.d.len())
            .sum::<usize>();
        flight.patches.clear();
        if is_about_to_be {
            return None;
        }
        self.next += 1;
        let id = FlightId(self.next);
        self.keys.remove(&flight.id);
        self.timeouts
            .remove(&(flight.until.unwrap_or(Instant::ZERO), flight.id));
        (flight.id, flight.stage, flight.until) = (id, Stage::Discord, None);
        flight.is_out = false;
        self.keys.insert(id, key);
        Some(id)
    }

    pub(super) fn wait(&mut self, key: Key, id: RequestId, deadline: Option<Instant>) {
        if let Some(flight) = self.by_key.get_mut(&key) {
            flight.waiters.push((id, deadline));
            self.requests.insert(id, key);
            self.deadlines.extend(deadline.map(|at| (at, id)));
        }
    }

    pub(super) fn patch(&mut self, key: Key, patch: Patch) {
        if let Some(flight) = self.by_key.get_mut(&key) {
            self.patch_bytes += patch.d.len();
            flight.patches.push(patch);
        }
    }

    /// Somebody waits no longer. Whether they did.
    pub(super) fn leave(&mut self, id: RequestId) -> bool {
        let Some(key) = self.requests.remove(&id) else {
            return false;
        };
        if let Some(flight) = self.by_key.get_mut(&key)
            && let Some(at) = flight.waiters.iter().position(|waiter| waiter.0 == id)
        {
            let (_, deadline) = flight.waiters.remove(at);
            if let Some(deadline) = deadline {
                self.deadlines.remove(&(deadline, id));
            }
        }
        true
    }

    /// Ends a question; its waiters are the caller's.
    pub(super) fn end(&mut self, key: Key) -> Option<Flight> {
        let flight = self.by_key.remove(&key)?;
        self.keys.remove(&flight.id);
        if key.kind == Kind::Member
            && let Some(count) = self.users.get_mut(&key.id)
        {
            *count -= 1;
            if *count == 0 {
                self.users.remove(&key.id);
            }
        }
        if let Some(until) = flight.until {
            self.timeouts.remove(&(until, flight.id));
        }
        for (id, deadline) in &flight.waiters {
            self.requests.remove(id);
            if let Some(deadline) = deadline {
                self.deadlines.remove(&(*deadline, *id));
            }
        }
        self.patch_bytes -= flight
            .patches
            .iter()
            .map(|patch| patch.d.len())
            .sum::<usize>();
        Some(flight)
    }

    /// Keys under way in a scope.
    pub(super) fn in_scope(&self, kind: Kind, scope: Snowflake) -> Vec<Key> {
        let (first, last) = (Snowflake(0), Snowflake(u64::MAX));
        let all = Key::new(kind, scope, first)..=Key::new(kind, scope, last);
        self.by_key.range(all).map(|(key, _)| *key).collect()
    }

    /// Members under way of a user.
    pub(super) fn members_of(&self, user: Snowflake) -> Vec<Key> {
        if !self.users.contains_key(&user) {
            return Vec::new();
        }
        let is_meant = |key: &&Key| key.kind == Kind::Member && key.id == user;
        self.by_key.keys().filter(is_meant).copied().collect()
    }

    /// Keys that the store was asked for.
    pub(super) fn at_store(&self) -> Vec<Key> {
        self.by_key
            .iter()
            .filter(|(_, flight)| flight.stage == Stage::Store)
            .map(|(key, _)| *key)
            .collect()
    }

    /// The next questions to the store, all of one kind and scope.
    pub(super) fn take_reads(&mut self, most: usize) -> Vec<(FlightId, Key)> {
        while let Some((scope, mut reads)) = self.to_read.pop_first() {
            reads.retain(|(id, _)| self.keys.contains_key(id));
            if reads.len() > most {
                let rest = reads.split_off(most);
                self.to_read.insert(scope, rest);
            }
            if !reads.is_empty() {
                return reads;
            }
        }
        Vec::new()
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    pub(super) fn next_timeout(&self) -> Option<Instant> {
        self.timeouts.first().map(|(at, _)| *at)
    }

    /// One whose patience has ended.
    pub(super) fn pop_deadline(&mut self, now: Instant) -> Option<RequestId> {
        let &(at, id) = self.deadlines.first()?;
        (at <= now).then(|| {
            self.leave(id);
            id
        })
    }

    /// A key that the store has not answered in time.
    pub(super) fn pop_timeout(&mut self, now: Instant) -> Option<Key> {
        let &(at, id) = self.timeouts.first()?;
        if at > now {
            return None;
        }
        self.timeouts.remove(&(at, id));
        self.key(id)
    }
}
