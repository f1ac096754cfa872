//! The hot set: values that are asked for often, in as many bytes of memory as they were given and no more.
//!
//! Values are opaque bytes under a [`Key`]. They lie one behind the other in segments of an arena, not in an allocation
//! each: an entry takes 12 bytes beside its value, 12 more if it belongs to a guild or a channel, and about 10 in the
//! index. [`HotSet::held_bytes`] is what the allocator holds for all of it, and stays within the budget.
//!
//! When memory is short, it is taken first from scopes (a guild, or a channel) that hold more than their share of the
//! budget: the earliest of their entries go, those asked for lately a little later. An entry of a scope that holds no
//! more than its share is never given up for memory while another scope holds more. Scope 0, where users are, has no
//! share.
//!
//! Otherwise those go that earn least by their place. Every entry counts how often it was asked for, up to fifteen
//! times, and all counts are halved once while eight times as many entries come as there are. An entry's count over its
//! bytes is what it is worth. Entries at the old end of the main queue are compared with each other, a hundred at a
//! time: the seventh of them that is worth least sets the bar, and the others stay for another round. New entries stand
//! in a queue of a fiftieth of the budget, and move to the main queue at its end if they are above the bar. Counts of
//! who was given up are remembered for a while, in two bytes each. `cargo xtask bench hot_set` chose this among other
//! policies, and shows by how much; a flood of new entries that nobody asks for flushes the fiftieth, not what is used.
//!
//! The budget bounds what the set asks the allocator for: [`HotSet::held_bytes`] never exceeds it after a call, unless
//! it is smaller than an empty set, and during a call not by more than 64 KiB and a thousandth of it, where a block is
//! copied to change its size. A budget of less than a mebibyte mostly holds what entries cost beside their values; less
//! than 64 KiB may hold nothing. Segments can be told apart up to 16 GiB of entries: a larger budget is not used up.
//!
//! Keys are hashed with a seed that nobody outside should know. Many keys of the same hash, should somebody find them
//! all the same, cost time in proportion to their number, and never give a wrong answer.
//!
//! [`HotSet::get`] takes `&self`: many readers can share the set behind a lock that lets them in at once.

mod arena;
mod config;
mod entry;
mod evict;
mod ghost;
mod hash;
mod index;
mod insert;
mod links;
mod read;
mod remove;
mod scope;
mod slab;
mod stats;

use core::fmt;
use core::sync::atomic::AtomicUsize;

use crate::{Instant, Snowflake};

use arena::{Arena, At};
use entry::Shape;
use ghost::Ghost;
use hash::Hasher;
use index::Index;
use scope::Scopes;

pub use config::{Config, Kind, Limits};
pub use insert::Stored;
pub use read::{Cursor, Scope};
pub use stats::{KindStats, Reason, Refusal, Stats};

/// What a value is kept under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// What it is of.
    pub kind: Kind,
    /// The guild or the channel it belongs to; 0 if it belongs to none.
    pub scope: Snowflake,
    /// Its id, unique in its kind and scope.
    pub id: Snowflake,
}

/// An entry that was given up, where it still lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evicted<'a> {
    /// What it was kept under.
    pub key: Key,
    /// What it was.
    pub value: &'a [u8],
    /// Why it was given up.
    pub reason: Reason,
}

/// Who is told of entries that were given up.
pub type Sink<'a> = &'a mut dyn FnMut(Evicted<'_>);

/// Values in a bounded amount of memory.
pub struct HotSet {
    arena: Arena,
    index: Index,
    scopes: Scopes,
    ghost: Ghost,
    hasher: Hasher,
    budget: usize,
    scope_percent: u8,
    value_max: usize,
    limits: [Limits; Kind::COUNT],
    kinds: [KindStats; Kind::COUNT],
    /// Questions that found an entry whose life had ended.
    asked_expired: AtomicUsize,
    /// Where the search for ended lives goes on.
    sweep: u64,
    policy: evict::Policy,
}

impl HotSet {
    /// An empty set.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let mut set = Self {
            arena: Arena::new(config.budget_bytes),
            index: Index::new(),
            scopes: Scopes::new(),
            ghost: Ghost::default(),
            hasher: Hasher::new(config.seed),
            budget: config.budget_bytes,
            scope_percent: config.scope_percent,
            value_max: config.value_bytes_max.min(entry::VALUE_MAX),
            limits: config.limits,
            kinds: [KindStats::default(); Kind::COUNT],
            asked_expired: AtomicUsize::new(0),
            sweep: 0,
            policy: evict::Policy::default(),
        };
        set.size_parts();
        set
    }

    /// Changes the budget. What does not fit into a smaller one is given up at once.
    pub fn set_budget(&mut self, now: Instant, budget_bytes: usize, evicted: Sink<'_>) {
        self.budget = budget_bytes;
        self.arena.set_budget(budget_bytes);
        self.size_parts();
        while self.held_bytes() + self.reserve() > self.budget && self.evict(now, evicted) {}
    }

    /// Adapts what depends on the budget.
    fn size_parts(&mut self) {
        self.scopes.set_share(match self.scope_percent {
            percent @ 0..100 => self.budget / 100 * usize::from(percent),
            _ => usize::MAX,
        });
        self.ghost.resize(self.budget / evict::BYTES_PER_GHOST);
    }

    /// Memory that moving entries about may need for a moment.
    const fn reserve(&self) -> usize {
        2 * self.arena.segment_bytes() + self.ghost.growth()
    }

    fn limits(&self, kind: Kind) -> &Limits {
        &self.limits[usize::from(kind.number())]
    }

    /// The key of the entry at a place.
    fn key(&self, at: At, shape: Shape) -> Key {
        let entry = self.arena.entry(at);
        let scope = if shape.is_linked {
            self.scopes.group(entry::group(entry)).scope
        } else {
            Snowflake(0)
        };
        Key {
            kind: shape.kind,
            scope,
            id: entry::id(entry),
        }
    }

    /// Whether the entry at a place is this key's, and its shape.
    fn is(&self, at: At, key: Key) -> bool {
        let entry = self.arena.entry(at);
        entry::id(entry) == key.id
            && self.arena.shape(at).is_some_and(|shape| {
                shape.kind == key.kind
                    && key.scope
                        == if shape.is_linked {
                            self.scopes.group(entry::group(entry)).scope
                        } else {
                            Snowflake(0)
                        }
            })
    }

    fn find(&self, key: Key) -> Option<(At, Shape)> {
        let at = self
            .index
            .find(self.hasher.key(key), |at| self.is(at, key))?;
        Some((at, self.arena.shape(at)?))
    }

    fn value(&self, at: At, shape: Shape) -> &[u8] {
        let start = shape.value_at();
        &self.arena.entry(at)[start..start + shape.length as usize]
    }
}

impl fmt::Debug for HotSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HotSet")
            .field("len", &self.len())
            .field("held_bytes", &self.held_bytes())
            .field("budget_bytes", &self.budget)
            .finish_non_exhaustive()
    }
}

/// Moments as entries note them: steps of 65.536 ms, of which a `u32` holds nine years.
fn tick(now: Instant) -> u32 {
    let ticks = now.as_micros() >> 16;
    u32::try_from(ticks & u64::from(u32::MAX)).unwrap_or_default()
}
