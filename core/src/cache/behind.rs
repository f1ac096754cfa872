//! Writing behind: of each key that has changed, the newest value waits until the store has it.
//!
//! While a record is hot its value is not copied: it is taken from the hot set when its turn comes. What is given up by
//! the hot set before that leaves its value here.

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::vec::Vec;

use super::{BatchId, Key, Kind, Version, Written};
use crate::id::Snowflake;
use crate::time::Instant;

/// What an entry takes beside its value, about.
const ENTRY_BYTES: usize = 128;
/// Keys in the queue that were dropped, as many as are not worth looking for.
const QUEUE_STALE_MIN: usize = 64;

#[derive(Clone, Debug, Default)]
pub(super) struct Behind {
    entries: BTreeMap<Key, Entry>,
    /// Keys whose turn comes, the longest waiting first. Some have been dropped since.
    queue: VecDeque<Key>,
    /// How many of them, at most.
    stale: usize,
    batches: BTreeMap<BatchId, Batch>,
    next_batch: u64,
    bytes: usize,
    tally: Tally,
    /// Writes under way whose entry was dropped meanwhile: their answer still counts.
    orphans: u64,
    /// Entries that have another write behind the one under way.
    doubled: u64,
    /// After a failure, nothing is sent before this.
    pub(super) paused_until: Option<Instant>,
}

#[derive(Clone, Debug)]
struct Entry {
    version: Version,
    what: What,
    queued: bool,
    /// The batch that it is in. A key is in one at a time.
    sending: Option<BatchId>,
    /// It has changed since it was put into that batch: another write waits behind the one under way.
    is_newer: bool,
}

/// What became of writes. Each that was made is in one of the others, or open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) made: u64,
    pub(super) written: u64,
    pub(super) superseded: u64,
    /// A newer one of the same key took its place before it was written.
    pub(super) coalesced: u64,
    /// What it said had ended, or was not to be believed.
    pub(super) withdrawn: u64,
    /// Too much was waiting.
    pub(super) dropped: u64,
}

/// What is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// What is hot.
    Hot,
    /// This, as it lay in the hot set.
    Value(Vec<u8>),
    /// Its removal.
    Gone,
}

#[derive(Clone, Debug)]
struct Batch {
    writes: Vec<(Key, Version)>,
    until: Instant,
}

impl What {
    fn bytes(&self) -> usize {
        match self {
            Self::Value(value) => value.len(),
            Self::Hot | Self::Gone => 0,
        }
    }
}

impl Behind {
    /// What waits for a key.
    pub(super) fn get(&self, key: Key) -> Option<&What> {
        self.entries.get(&key).map(|entry| &entry.what)
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) const fn tally(&self) -> Tally {
        self.tally
    }

    /// Writes of which nobody knows yet what becomes of them.
    pub(super) fn open(&self) -> u64 {
        self.entries.len() as u64 + self.doubled + self.orphans
    }

    /// A key has changed.
    pub(super) fn note(&mut self, key: Key, version: Version, what: What) {
        self.bytes += what.bytes();
        self.tally.made += 1;
        match self.entries.get_mut(&key) {
            Some(entry) => {
                self.bytes -= entry.what.bytes();
                entry.version = entry.version.max(version);
                entry.what = what;
                if entry.sending.is_some() && !entry.is_newer {
                    // A key that is under way is queued when its batch is answered.
                    entry.is_newer = true;
                    self.doubled += 1;
                    return;
                }
                self.tally.coalesced += 1;
                if entry.queued || entry.sending.is_some() {
                    return;
                }
                entry.queued = true;
            }
            None => {
                self.bytes += ENTRY_BYTES;
                let entry = Entry {
                    version,
                    what,
                    queued: true,
                    sending: None,
                    is_newer: false,
                };
                self.entries.insert(key, entry);
            }
        }
        self.queue.push_back(key);
    }

    /// The hot set gives a value up, or gets it back.
    pub(super) fn replace(&mut self, key: Key, what: What) {
        if let Some(entry) = self.entries.get_mut(&key) {
            self.bytes += what.bytes();
            self.bytes -= entry.what.bytes();
            entry.what = what;
        }
    }

    /// Nothing waits under a version that is older. Of users, whom others tell of too, it stays known when each was
    /// told.
    pub(super) fn renew(&mut self, least: Version) {
        for (key, entry) in &mut self.entries {
            let renewed = match key.kind {
                Kind::User => Version::new(least.epoch, entry.version.seq),
                _ => least,
            };
            if entry.version >= renewed {
                continue;
            }
            entry.version = renewed;
            if entry.sending.is_some() && !entry.is_newer {
                // What is under way has the old version, and is made once more.
                entry.is_newer = true;
                self.doubled += 1;
                self.tally.made += 1;
            }
        }
    }

    /// The key that has waited longest, with its version; it waits no longer. What is under way comes last: it may
    /// arrive all the same, and only its being made again is given up.
    pub(super) fn shed(&mut self) -> Option<(Key, Version)> {
        let key = match self.next_queued() {
            Some(key) => key,
            None => *self.entries.first_key_value()?.0,
        };
        if let Some(entry) = self.entries.get_mut(&key) {
            entry.queued = false;
        }
        let entry = self.remove(key)?;
        // What is under way is counted when it is answered.
        let is_given_up = entry.sending.is_none() || entry.is_newer;
        self.tally.dropped += u64::from(is_given_up);
        Some((key, entry.version))
    }

    /// Takes the next key from the queue that has not been dropped.
    fn next_queued(&mut self) -> Option<Key> {
        while let Some(key) = self.queue.pop_front() {
            if self.entries.get(&key).is_some_and(|entry| entry.queued) {
                return Some(key);
            }
            self.stale = self.stale.saturating_sub(1);
        }
        self.stale = 0;
        None
    }

    /// What waits for a key waits no longer: it has ended, or is not to be believed.
    pub(super) fn drop_entry(&mut self, key: Key) -> Option<Version> {
        let entry = self.remove(key)?;
        let is_withdrawn = entry.sending.is_none() || entry.is_newer;
        self.tally.withdrawn += u64::from(is_withdrawn);
        Some(entry.version)
    }

    fn remove(&mut self, key: Key) -> Option<Entry> {
        let entry = self.entries.remove(&key)?;
        self.bytes -= ENTRY_BYTES + entry.what.bytes();
        self.orphans += u64::from(entry.sending.is_some());
        self.doubled -= u64::from(entry.is_newer);
        if entry.queued {
            self.stale += 1;
            self.sweep_queue();
        }
        Some(entry)
    }

    /// While the store is away nobody takes keys from the queue: those that were dropped must not fill it.
    fn sweep_queue(&mut self) {
        if self.stale <= QUEUE_STALE_MIN || self.stale * 2 <= self.queue.len() {
            return;
        }
        let mut seen = BTreeSet::new();
        let entries = &self.entries;
        self.queue
            .retain(|key| entries.get(key).is_some_and(|entry| entry.queued) && seen.insert(*key));
        self.stale = 0;
    }

    /// What waits in a scope and is older than `version` waits no longer.
    pub(super) fn drop_scope(&mut self, kind: Kind, scope: Snowflake, version: Version) {
        let (first, last) = (Snowflake(0), Snowflake(u64::MAX));
        let all = Key::new(kind, scope, first)..=Key::new(kind, scope, last);
        let stale: Vec<Key> = self
            .entries
            .range(all)
            .filter(|(_, entry)| entry.version < version && matches!(entry.what, What::Value(_)))
            .map(|(key, _)| *key)
            .collect();
        for key in stale {
            self.drop_entry(key);
        }
    }

    /// Keys for a batch; `None` if nothing may be sent.
    pub(super) fn begin(
        &mut self,
        now: Instant,
        most: usize,
        batches: usize,
        until: Instant,
    ) -> Option<(BatchId, Vec<(Key, Version)>)> {
        if self.paused_until.is_some_and(|until| now < until) {
            return None;
        }
        self.paused_until = None;
        if self.batches.len() >= batches {
            return None;
        }
        let id = BatchId(self.next_batch);
        let mut writes = Vec::new();
        while writes.len() < most {
            let Some(key) = self.next_queued() else {
                break;
            };
            if let Some(entry) = self.entries.get_mut(&key) {
                entry.queued = false;
                entry.sending = Some(id);
                writes.push((key, entry.version));
            }
        }
        if writes.is_empty() {
            return None;
        }
        self.next_batch += 1;
        let batch = Batch {
            writes: writes.clone(),
            until,
        };
        self.batches.insert(id, batch);
        Some((id, writes))
    }

    /// A batch was answered: each key, the version that was sent, and its outcome. `None` if nobody waits for it.
    pub(super) fn end(
        &mut self,
        batch: BatchId,
        outcomes: &[Written],
    ) -> Option<Vec<(Key, Version, Written)>> {
        let writes = self.batches.remove(&batch)?.writes;
        let mut ended = Vec::with_capacity(writes.len());
        for (at, (key, version)) in writes.into_iter().enumerate() {
            let outcome = outcomes.get(at).copied().unwrap_or(Written::Failed);
            match outcome {
                Written::Done => self.tally.written += 1,
                Written::Superseded(_) => self.tally.superseded += 1,
                Written::Failed => {}
            }
            self.end_one(batch, key, outcome == Written::Failed);
            ended.push((key, version, outcome));
        }
        Some(ended)
    }

    /// A key's write is no longer under way. If it failed or another waits, the key is queued again.
    fn end_one(&mut self, batch: BatchId, key: Key, has_failed: bool) {
        let entry = self.entries.get_mut(&key);
        let Some(entry) = entry.filter(|entry| entry.sending == Some(batch)) else {
            self.orphans -= 1;
            // Nobody makes it again.
            self.tally.dropped += u64::from(has_failed);
            return;
        };
        entry.sending = None;
        let has_newer = core::mem::take(&mut entry.is_newer);
        self.doubled -= u64::from(has_newer);
        if has_failed || has_newer {
            self.tally.coalesced += u64::from(has_failed && has_newer);
            entry.queued = true;
            self.queue.push_back(key);
        } else {
            self.remove(key);
        }
    }

    /// Nothing that is under way will be answered.
    pub(super) fn abort(&mut self) {
        let batches: Vec<BatchId> = self.batches.keys().copied().collect();
        for batch in batches {
            self.end(batch, &[]);
        }
    }

    /// When the first batch's time ends.
    pub(super) fn timeout(&self) -> Option<Instant> {
        self.batches.values().map(|batch| batch.until).min()
    }

    /// Batches whose time has ended; whether there were any.
    pub(super) fn expire(&mut self, now: Instant) -> bool {
        let over: Vec<BatchId> = self
            .batches
            .iter()
            .filter(|(_, batch)| batch.until <= now)
            .map(|(id, _)| *id)
            .collect();
        for batch in &over {
            self.end(*batch, &[]);
        }
        !over.is_empty()
    }

    /// Whether something is to be sent.
    pub(super) fn is_waiting(&self) -> bool {
        !self.queue.is_empty()
    }
}
