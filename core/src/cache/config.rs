//! What a cache is told once.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::Kind;
use super::hot_set;
use super::kind::Kinds;
use super::packed::Limits;
use crate::wire::EventFilter;

/// What a cache is told when it is made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The memory for what is hot, and the limits of each kind, by [`Kind::number`]. A kind with
    /// [`hot_set::Limits::OFF`] is not kept at all, in the store neither.
    pub hot: hot_set::Config,
    /// Members that are kept of each kind's records, where not all are; those that the cache itself needs are kept
    /// besides. What is left out is not in the store either.
    pub fields: BTreeMap<Kind, Vec<String>>,
    /// What of the keys in JSON is remembered.
    pub shapes: Limits,
    /// Whether there is a store.
    pub has_store: bool,
    /// Kinds that are written to it. What ends with the session is not, unless asked for: presences, voice states,
    /// who is in which thread, messages.
    pub stored: Kinds,
    /// Kinds that Discord can be asked for.
    pub fetched: Kinds,
    /// Events that tell what records were before them.
    pub before: EventFilter,
    /// Bytes of what waits to be written, at most.
    pub pending_bytes_max: usize,
    /// Keys of which is remembered that the store lags behind, at most. Beyond them, whole scopes are taken to lag.
    pub marks_max: usize,
    /// Scopes of which something is remembered, at most. Beyond them, all that the store has is taken to lag.
    pub scopes_max: usize,
    /// Keys that are read or fetched at a time.
    pub flights_max: usize,
    /// Bytes of changes that wait for what they change to be read.
    pub patch_bytes_max: usize,
    /// Records in one batch to the store.
    pub batch_max: usize,
    /// Batches under way to the store at a time.
    pub batches_max: usize,
    /// How long the store may take.
    pub store_timeout: Duration,
    /// How long to wait after a failed write.
    pub retry_after: Duration,
    /// How long it is believed that something does not exist.
    pub negative_ttl: Duration,
    /// How many such beliefs there are at most.
    pub negatives_max: usize,
}

impl Config {
    /// The usual settings, with a budget in bytes and a seed that nobody outside knows.
    #[must_use]
    pub fn new(budget_bytes: usize, seed: u64) -> Self {
        let passing = [
            Kind::Presence,
            Kind::VoiceState,
            Kind::ThreadMember,
            Kind::Message,
        ];
        let mut hot = hot_set::Config::new(budget_bytes, seed);
        hot.limits[usize::from(Kind::Message.number())].count_per_scope = Some(100);
        Self {
            hot,
            fields: BTreeMap::new(),
            shapes: Limits::default(),
            has_store: false,
            stored: passing.into_iter().fold(Kinds::ALL, Kinds::without),
            fetched: Kinds::ALL
                .without(Kind::Presence)
                .without(Kind::SoundboardSound),
            before: EventFilter::none(),
            pending_bytes_max: 64 << 20,
            marks_max: 65_536,
            scopes_max: 262_144,
            flights_max: 16_384,
            patch_bytes_max: 4 << 20,
            batch_max: 256,
            batches_max: 8,
            store_timeout: Duration::from_secs(2),
            retry_after: Duration::from_millis(500),
            negative_ttl: Duration::from_secs(60),
            negatives_max: 65_536,
        }
    }

    /// Whether records of a kind are kept anywhere.
    pub(super) fn keeps(&self, kind: Kind) -> bool {
        !self.hot.limits[usize::from(kind.number())].is_off()
    }

    /// Whether records of a kind are written to a store.
    pub(super) fn stores(&self, kind: Kind) -> bool {
        self.has_store && self.stored.contains(kind) && self.keeps(kind)
    }
}
