//! One identity: its global limit, the buckets that could send now, and whose turn it is among guilds.

use alloc::boxed::Box;
use alloc::vec::Vec;

use slab::Slab;

use crate::time::Instant;

use super::global::Global;
use super::heap::Heap;
use super::io::{Auth, PRIORITIES, Priority};
use super::pool::Allowance;
use super::submit::slot;
use super::table::{Table, mix};

/// Where a bucket stands in the order of those that could send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ReadyKey {
    pub(super) class: u8,
    pub(super) turn: u64,
    /// The order of submission of its oldest request.
    pub(super) age: u64,
}

/// Microseconds take fewer bits than this for the next 70,000 years; above them stands the priority.
const TURN_BITS: u32 = 61;

impl ReadyKey {
    /// Priority and turn as one number, in their order.
    fn rank(self) -> u64 {
        u64::from(self.class) << TURN_BITS | self.turn.min((1 << TURN_BITS) - 1)
    }
}

fn tenant_hash((class, tenant): (u8, u64)) -> u64 {
    mix(class.into(), tenant)
}

fn class_of(rank: u64) -> u8 {
    u8::try_from(rank >> TURN_BITS).unwrap_or(u8::MAX)
}

/// Everything that Discord counts for one token, or for none.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    pub(super) auth: Auth,
    pub(super) global: Global,
    /// Buckets that could send now, by priority and turn, and by age.
    by_turn: Heap<u64>,
    by_age: Heap<u64>,
    /// Buckets the global limit does not bind, by priority and turn.
    exempt: Heap<u64>,
    /// Buckets whose own limit may make them last longest of all, as found when they were last looked for.
    pub(super) critical: Vec<u32>,
    /// How often a bucket's need has changed since they were looked for.
    pub(super) changes: usize,
    pub(super) weighed: Instant,
    /// Whose turn is when, of those that have requests waiting.
    tenants: Slab<Tenant>,
    tenant_keys: Table,
    /// Waiting requests that the global limit binds, by priority.
    pub(super) queued: [u32; PRIORITIES],
    /// Discord refused the token.
    pub(super) is_stopped: bool,
    /// What it is called in the pool, if its limits are shared.
    pub(super) pooled: Option<u64>,
    pub(super) allowance: Option<Box<Allowance>>,
    turns: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Tenant {
    /// The priority, and the guild or other resource.
    key: (u8, u64),
    waiting: u32,
    tail: u64,
}

/// One turn in so many goes to whoever has waited longest.
const AGED_TURN: u64 = 8;

impl Identity {
    pub(super) fn new(auth: Auth, global: Global) -> Self {
        Self {
            auth,
            global,
            by_turn: Heap::new(),
            by_age: Heap::new(),
            exempt: Heap::new(),
            critical: Vec::new(),
            changes: 0,
            weighed: Instant::ZERO,
            tenants: Slab::new(),
            tenant_keys: Table::default(),
            queued: [0; PRIORITIES],
            is_stopped: false,
            pooled: None,
            allowance: None,
            turns: 0,
        }
    }

    /// A turn for one more request of `tenant`: as if the tenant's requests came one by one at its fair share of the
    /// limit. Whoever floods the queue queues behind himself, not before others.
    pub(super) fn join(&mut self, priority: Priority, tenant: u64, now: Instant) -> (u64, u32) {
        let tenants = u64::try_from(self.tenants.len()).unwrap_or(u64::MAX);
        let spacing = self.global.cost().saturating_mul(tenants.max(1));
        let key = (priority.number(), tenant);
        let hash = tenant_hash(key);
        let known = |at: u32| self.tenants[at as usize].key == key;
        let at = self.tenant_keys.get(hash, known).unwrap_or_else(|| {
            let at = slot(self.tenants.insert(Tenant {
                key,
                ..Tenant::default()
            }));
            self.tenant_keys.insert(hash, at);
            at
        });
        let entry = &mut self.tenants[at as usize];
        let turn = entry.tail.max(now.as_micros());
        entry.tail = turn.saturating_add(spacing);
        entry.waiting += 1;
        (turn, at)
    }

    /// A request of a tenant no longer waits.
    pub(super) fn quit(&mut self, tenant: u32) {
        let entry = &mut self.tenants[tenant as usize];
        entry.waiting -= 1;
        if entry.waiting == 0 {
            let hash = tenant_hash(entry.key);
            self.tenants.remove(tenant as usize);
            self.tenant_keys.remove(hash, tenant);
        }
    }

    /// Where a bucket stands now, if it could send.
    pub(super) fn stand(&mut self, bucket: u32, key: Option<ReadyKey>, is_exempt: bool) {
        match key {
            Some(key) if is_exempt => self.exempt.set(bucket, key.rank()),
            Some(key) => {
                self.by_turn.set(bucket, key.rank());
                self.by_age.set(bucket, key.age);
            }
            None if is_exempt => self.exempt.remove(bucket),
            None => {
                self.by_turn.remove(bucket);
                self.by_age.remove(bucket);
            }
        }
    }

    pub(super) fn has_ready(&self) -> bool {
        !self.by_turn.is_empty()
    }

    /// Every bucket that could send now and that the global limit binds.
    pub(super) fn ready(&self) -> impl Iterator<Item = u32> + '_ {
        self.by_turn.numbers()
    }

    pub(super) fn next_exempt(&self) -> Option<u32> {
        self.exempt.first().map(|(_, bucket)| bucket)
    }

    /// A bucket that needs at least so long, in microseconds, lasts about as long as everything else takes: whatever it
    /// misses now, all would wait for later.
    pub(super) fn critical_from(&self, now: Instant) -> u64 {
        let waiting: u64 = self.queued.iter().copied().map(u64::from).sum();
        self.global.drain(now, waiting) / 8 * 7
    }

    /// The priority of whose turn it is.
    pub(super) fn next_class(&self) -> Option<u8> {
        self.by_turn.first().map(|(rank, _)| class_of(rank))
    }

    /// The bucket whose turn it is, and whether that is for its age.
    pub(super) fn next_turn(&self, is_aged: impl Fn(u32) -> bool) -> Option<(u32, bool)> {
        if self.turns % AGED_TURN == AGED_TURN - 1 {
            let oldest = self.by_age.first().map(|(_, bucket)| bucket);
            if let Some(bucket) = oldest.filter(|&bucket| is_aged(bucket)) {
                return Some((bucket, true));
            }
        }
        self.by_turn.first().map(|(_, bucket)| (bucket, false))
    }

    pub(super) fn turn_taken(&mut self) {
        self.turns += 1;
    }

    /// How many of the requests that wait go before one more of this priority.
    pub(super) fn ahead_of(&self, priority: Priority) -> u32 {
        self.queued[..=usize::from(priority.number())]
            .iter()
            .fold(0, |sum, &waiting| sum.saturating_add(waiting))
    }
}
