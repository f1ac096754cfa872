//! Batches to the store, and what becomes of them.

use alloc::vec::Vec;

use super::behind::What;
use super::insert::hot_key;
use super::{BatchId, Cache, Key, Kind, Output, Version, Write, Written};

/// FNV-1a: which of two texts is another one. Not for texts that an enemy chooses.
pub(super) fn digest(json: &[u8]) -> u64 {
    let hash = json.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    u64::max(hash, 1)
}

impl Cache {
    /// The next batch, if there is something to write and the store takes it.
    pub(super) fn next_batch(&mut self) -> Option<Output> {
        if !self.is_store_up || !self.behind.is_waiting() {
            return None;
        }
        let until = self.now + self.config.store_timeout;
        let (most, batches) = (self.config.batch_max, self.config.batches_max);
        let (batch, keys) = self.behind.begin(self.now, most, batches, until)?;
        let writes: Vec<Write> = keys
            .into_iter()
            .map(|(key, version)| Write {
                key,
                version,
                json: self.pending_json(key),
            })
            .collect();
        Some(Output::Write { batch, writes })
    }

    /// What is to be written for a key; `None` removes it.
    fn pending_json(&self, key: Key) -> Option<Vec<u8>> {
        let (_, json) = match self.behind.get(key)? {
            What::Gone => return None,
            What::Value(value) => self.value_json(key, value)?,
            // Its life may have ended; it is true all the same.
            What::Hot => self.value_json(key, self.hot.lies(hot_key(key))?)?,
        };
        Some(json)
    }

    pub(super) fn written(&mut self, batch: BatchId, outcomes: &[Written]) {
        let Some(ended) = self.behind.end(batch, outcomes) else {
            return;
        };
        for (key, version, outcome) in ended {
            match outcome {
                Written::Done => {
                    self.floors.confirm(key, version);
                    if key.kind == Kind::User {
                        let digest = self.hot_json(key).map_or(0, |(_, json)| digest(&json));
                        self.outbox.push_back(Output::Invalidate { key, digest });
                    }
                }
                Written::Superseded(by) => self.superseded(key, version, by),
                Written::Failed => self.failed(),
            }
        }
    }

    fn failed(&mut self) {
        self.stats.failed += 1;
        self.behind.paused_until = Some(self.now + self.config.retry_after);
    }

    /// Somebody has written something newer: what is here is not what is true.
    fn superseded(&mut self, key: Key, version: Version, by: Version) {
        self.floors.mark(key, by);
        if self.behind.get(key).is_some() || version >= by {
            return;
        }
        // Of users the sequence is the time of day. Who heard earlier, and of a later epoch of the store, has not heard
        // something newer: what is here is written once more, in that epoch.
        let is_later = key.kind == Kind::User && version.seq > by.seq;
        if is_later && self.hot.lies(hot_key(key)).is_some() {
            self.floors.see(by.epoch);
            let version = Version::new(by.epoch, version.seq);
            self.behind.note(key, version, What::Hot);
        } else {
            self.evict(key);
        }
    }

    /// Batches that the store has not answered in time are made again.
    pub(super) fn expire_batches(&mut self) {
        if self.behind.expire(self.now) {
            self.failed();
        }
    }

    /// Keeps what waits within its bound. What is dropped is remembered: the store lags behind.
    pub(super) fn shed(&mut self) {
        while self.behind.bytes() > self.config.pending_bytes_max {
            let Some((key, version)) = self.behind.shed() else {
                return;
            };
            self.floors.mark(key, version);
        }
    }

    pub(super) fn store_down(&mut self) {
        self.is_store_up = false;
        self.behind.abort();
        for key in self.flights.at_store() {
            self.miss(key);
        }
    }

    pub(super) fn store_up(&mut self, lost: bool, epoch: u64) {
        self.is_store_up = self.config.has_store;
        self.behind.paused_until = None;
        if epoch > 0 {
            self.floors.bump_to(epoch);
        } else if lost {
            self.floors.bump();
        }
        // What waits is no less true than before, and must be believed once it is there.
        self.behind.renew(self.present());
    }

    /// Another process says that it has changed something.
    pub(super) fn invalidated(&mut self, key: Key, other: u64) {
        let is_own_change = self.behind.get(key).is_some();
        let mine = self.hot_json(key).map(|(_, json)| digest(&json));
        if is_own_change || mine == Some(other) {
            return;
        }
        self.negatives.remove(key);
        self.evict(key);
    }

    /// The user says that a record is not to be believed.
    pub(super) fn forget_record(&mut self, key: Key) {
        self.negatives.remove(key);
        if let Some(version) = self.behind.drop_entry(key) {
            // The store lags behind what waited.
            self.floors.mark(key, version);
        }
        self.evict(key);
        if self.owns(key) {
            self.take_guild_version(key);
            self.forget(key);
        }
        self.ask_discord(key);
    }
}
