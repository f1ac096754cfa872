//! Who identifies next: one queue for each key, 5 s between two identifies of a key, everyone's turn comes.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::time::Duration;

use crate::id::ShardId;
use crate::time::Instant;

/// What Discord asks for between two identifies of one key.
pub(crate) const INTERVAL: Duration = Duration::from_secs(5);

/// A place in a queue. Within a round, the busiest go first, by powers of two, and of those lower indices: that is
/// Discord's order (all of one round of `max_concurrency` shards before the next). A shard has one turn a round, so
/// that one that comes back again and again cannot keep others waiting, however busy it is, and however low its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ticket {
    round: u64,
    busy: Reverse<u8>,
    index: u32,
    total: u32,
}

impl Ticket {
    pub(crate) fn shard(self) -> ShardId {
        ShardId::new(self.index, self.total).expect("a ticket is made from a shard")
    }
}

#[derive(Clone, Debug, Default)]
struct Key {
    waiting: BTreeSet<Ticket>,
    /// When the key may identify next.
    free_at: Instant,
    /// `free_at` before the last grant, and whose grant that was: what to go back to if it is not used.
    before: Instant,
    last: Option<ShardId>,
}

/// How busy a shard with so many events is: only powers of two count, so that what is about the same keeps its order.
pub(crate) const fn busy(events: u64) -> u8 {
    #[expect(clippy::cast_possible_truncation, reason = "there are 64 bits")]
    let bits = (u64::BITS - events.leading_zeros()) as u8;
    bits
}

/// A shard that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Held back until then.
    Later(Instant),
    /// In its key's queue.
    Queued(Ticket),
}

/// The queues of all keys. Shards of different totals share them: a key is `index % max_concurrency`, whatever the
/// total.
#[derive(Clone, Debug)]
pub(crate) struct Queue {
    max_concurrency: u32,
    spacing: Duration,
    keys: BTreeMap<u32, Key>,
    later: BTreeSet<(Instant, ShardId)>,
    places: BTreeMap<ShardId, Place>,
    /// The round of the last grant, and each shard's.
    round: u64,
    rounds: BTreeMap<ShardId, u64>,
    /// How busy shards are, as far as was told.
    busy: BTreeMap<ShardId, u8>,
    /// For each index that identified lately, until when its key is taken: outlives a change of `max_concurrency`.
    recent: BTreeMap<u32, Instant>,
}

impl Queue {
    pub(crate) fn new(margin: Duration) -> Self {
        Self {
            max_concurrency: 1,
            spacing: INTERVAL + margin,
            keys: BTreeMap::new(),
            later: BTreeSet::new(),
            places: BTreeMap::new(),
            round: 0,
            rounds: BTreeMap::new(),
            busy: BTreeMap::new(),
            recent: BTreeMap::new(),
        }
    }

    pub(crate) fn max_concurrency(&self) -> u32 {
        self.max_concurrency
    }

    pub(crate) fn spacing(&self) -> Duration {
        self.spacing
    }

    /// How many shards wait, those held back included.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    pub(crate) fn place(&self, shard: ShardId) -> Option<Place> {
        self.places.get(&shard).copied()
    }

    /// The shards that are held back, soonest first.
    pub(crate) fn later(&self) -> impl Iterator<Item = (Instant, ShardId)> {
        self.later.iter().copied()
    }

    /// The shards in the queues, in the order in which they would go if all keys were one.
    pub(crate) fn tickets(&self) -> Vec<Ticket> {
        let mut tickets: Vec<_> = self
            .keys
            .values()
            .flat_map(|key| key.waiting.iter().copied())
            .collect();
        tickets.sort_unstable();
        tickets
    }

    /// The shards in the queues, in no order that means anything.
    pub(crate) fn queued(&self) -> impl Iterator<Item = ShardId> {
        let tickets = self.keys.values().flat_map(|key| key.waiting.iter());
        tickets.map(|ticket| ticket.shard())
    }

    /// When the shard's key may identify next.
    pub(crate) fn free_at(&self, shard: ShardId) -> Instant {
        let key = shard.rate_limit_key(self.max_concurrency);
        self.keys.get(&key).map_or(Instant::ZERO, |key| key.free_at)
    }

    /// How many wait before the shard in its key's queue.
    pub(crate) fn ahead_of(&self, ticket: Ticket) -> u32 {
        let key = ticket.shard().rate_limit_key(self.max_concurrency);
        let ahead = self
            .keys
            .get(&key)
            .map_or(0, |key| key.waiting.range(..ticket).count());
        u32::try_from(ahead).unwrap_or(u32::MAX)
    }

    /// Sorts everyone anew if Discord changed `max_concurrency`. Recent identifies stay with whichever key their
    /// index falls to now.
    pub(crate) fn set_max_concurrency(&mut self, now: Instant, max_concurrency: u32) {
        let max_concurrency = max_concurrency.max(1);
        if max_concurrency == self.max_concurrency {
            return;
        }
        self.max_concurrency = max_concurrency;
        let tickets = self.tickets();
        self.keys.clear();
        self.recent.retain(|_, free_at| *free_at > now);
        for (&index, &free_at) in &self.recent {
            let key = self.keys.entry(index % max_concurrency).or_default();
            key.free_at = key.free_at.max(free_at);
            key.before = key.free_at;
        }
        for ticket in tickets {
            self.keys
                .entry(ticket.index % max_concurrency)
                .or_default()
                .waiting
                .insert(ticket);
        }
    }

    /// Puts the shard in line, from `not_before` on. A shard that waits already keeps its place.
    pub(crate) fn join(&mut self, now: Instant, shard: ShardId, not_before: Option<Instant>) {
        if self.places.contains_key(&shard) {
            return;
        }
        if let Some(at) = not_before.filter(|&at| at > now) {
            self.later.insert((at, shard));
            self.places.insert(shard, Place::Later(at));
            return;
        }
        let round = self
            .rounds
            .get(&shard)
            .map_or(0, |last| last + 1)
            .max(self.round);
        let ticket = Ticket {
            round,
            busy: Reverse(self.busy.get(&shard).copied().unwrap_or_default()),
            index: shard.index(),
            total: shard.total(),
        };
        let key = shard.rate_limit_key(self.max_concurrency);
        self.keys.entry(key).or_default().waiting.insert(ticket);
        self.places.insert(shard, Place::Queued(ticket));
    }

    /// How busy the shard is, for the next time that it joins.
    pub(crate) fn weigh(&mut self, shard: ShardId, events: u64) {
        self.busy.insert(shard, busy(events));
    }

    /// Takes the shard out of the line. Says whether it waited.
    pub(crate) fn leave(&mut self, shard: ShardId) -> bool {
        match self.places.remove(&shard) {
            None => return false,
            Some(Place::Later(at)) => {
                self.later.remove(&(at, shard));
            }
            Some(Place::Queued(ticket)) => {
                let key = shard.rate_limit_key(self.max_concurrency);
                if let Some(key) = self.keys.get_mut(&key) {
                    key.waiting.remove(&ticket);
                }
            }
        }
        true
    }

    /// Forgets a shard that does not belong here any more. Its key stays taken for as long as it was.
    pub(crate) fn forget(&mut self, shard: ShardId) {
        self.leave(shard);
        self.rounds.remove(&shard);
        self.busy.remove(&shard);
    }

    /// Moves those whose time has come into their key's queue.
    pub(crate) fn admit(&mut self, now: Instant) {
        while let Some(&(at, shard)) = self.later.first()
            && at <= now
        {
            self.later.remove(&(at, shard));
            self.places.remove(&shard);
            self.join(now, shard, None);
        }
    }

    /// The first of each key whose slot is open, among those that `may` go; lowest ticket first.
    pub(crate) fn candidates(&self, now: Instant, may: impl Fn(ShardId) -> bool) -> Vec<ShardId> {
        let first = |key: &Key| {
            key.waiting
                .iter()
                .copied()
                .find(|ticket| may(ticket.shard()))
        };
        let open = self.keys.values().filter(|key| key.free_at <= now);
        let mut tickets: Vec<_> = open.filter_map(first).collect();
        tickets.sort_unstable();
        tickets.into_iter().map(Ticket::shard).collect()
    }

    /// The soonest slot of a key with somebody in line. Those who `may` not go wait for `trickle_at` as well.
    pub(crate) fn next_slot(
        &self,
        trickle_at: Instant,
        may: impl Fn(ShardId) -> bool,
    ) -> Option<Instant> {
        let of_key = |key: &Key| match key.waiting.iter().any(|ticket| may(ticket.shard())) {
            true => key.free_at,
            false => key.free_at.max(trickle_at),
        };
        self.keys
            .values()
            .filter(|key| !key.waiting.is_empty())
            .map(of_key)
            .min()
    }

    /// The shard identifies now: it leaves the line, and its key is taken for the spacing.
    pub(crate) fn grant(&mut self, now: Instant, shard: ShardId) {
        if let Some(Place::Queued(ticket)) = self.place(shard) {
            self.round = self.round.max(ticket.round);
            self.rounds.insert(shard, ticket.round);
        }
        self.leave(shard);
        let free_at = now + self.spacing;
        let key = self
            .keys
            .entry(shard.rate_limit_key(self.max_concurrency))
            .or_default();
        key.before = key.free_at;
        key.free_at = key.free_at.max(free_at);
        key.last = Some(shard);
        self.remember(now, shard.index(), free_at);
    }

    /// The shard's identify left only now: its key's spacing begins anew.
    pub(crate) fn sent(&mut self, now: Instant, shard: ShardId) {
        let free_at = now + self.spacing;
        let key = self
            .keys
            .entry(shard.rate_limit_key(self.max_concurrency))
            .or_default();
        key.free_at = key.free_at.max(free_at);
        key.before = key.before.max(free_at);
        self.remember(now, shard.index(), free_at);
    }

    /// The shard's grant was not used: if it was the key's last, the key is as free as before it.
    pub(crate) fn unused(&mut self, shard: ShardId) {
        let key = self
            .keys
            .entry(shard.rate_limit_key(self.max_concurrency))
            .or_default();
        if key.last.take_if(|last| *last == shard).is_some() {
            key.free_at = key.before;
            self.recent.insert(shard.index(), key.free_at);
        }
    }

    /// For each index that identified lately, until when its key is taken.
    pub(crate) fn recent(&self) -> impl Iterator<Item = (u32, Instant)> {
        self.recent
            .iter()
            .map(|(&index, &free_at)| (index, free_at))
    }

    /// Goes on from a snapshot: the key of this index is taken until then.
    pub(crate) fn restore(&mut self, index: u32, free_at: Instant) {
        let recent = self.recent.entry(index).or_insert(free_at);
        *recent = free_at.max(*recent);
        let key = self.keys.entry(index % self.max_concurrency).or_default();
        key.free_at = key.free_at.max(free_at);
        key.before = key.free_at;
    }

    fn remember(&mut self, now: Instant, index: u32, free_at: Instant) {
        self.recent.retain(|_, at| *at > now);
        self.recent.insert(index, free_at);
    }
}
