//! The map: two databases in one LMDB environment, read in short transactions, changed in batches.

use std::path::Path;
use std::time::Duration;

use shardkeep_lmdb::heed::types::Bytes;
use shardkeep_lmdb::heed::{
    self, CommitOrAbort, Database, Env, Error, MdbError, RoTxn, RwTxn, WithoutTls,
};

use super::LmdbSettings;
use super::record::{Record, end_key, prefix, read_end_key};
use crate::clock;
use crate::store::{Held, StoreError, Version, Written};

/// Reading transactions at once, of all processes together.
const READERS_MAX: u32 = 2_048;

/// The part of the map that is kept for removing things: without room, nothing can be removed either.
const RESERVE: usize = 16;

/// What Linux and the BSDs call an input/output error.
const EIO: i32 = 5;

type Bare = Database<'static, Bytes, Bytes>;

#[derive(Clone)]
pub(super) struct Map {
    env: Env<WithoutTls>,
    entities: Bare,
    ends: Bare,
    bytes_max: usize,
}

/// A change of one record.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) key: Vec<u8>,
    pub(super) version: Option<Version>,
    pub(super) value: Option<String>,
    pub(super) ends_ms: u64,
    pub(super) only: Only,
}

/// When a change is made at all.
#[derive(Debug)]
pub(super) enum Only {
    /// Unless something newer is there.
    Newer,
    /// If there is no value.
    Absent,
    /// If the value is this.
    Equal(String),
}

impl Change {
    pub(super) fn bytes(&self) -> usize {
        self.key.len() + self.value.as_ref().map_or(0, String::len) + 64
    }
}

impl Map {
    pub(super) fn open(folder: &Path, settings: &LmdbSettings) -> Result<Self, StoreError> {
        // LMDB wants whole pages.
        let bytes_max = settings.map_bytes.div_ceil(65_536).max(2) * 65_536;
        let options = shardkeep_lmdb::Options {
            map_bytes: bytes_max,
            readers_max: READERS_MAX,
            databases_max: 2,
            durability: settings.durability,
        };
        let env = open_env(folder, options, settings.limit)?;
        // Readers that were killed would keep old pages from being used again.
        env.clear_stale_readers().map_err(failed)?;
        let txn = env.write_txn().map_err(failed)?;
        let databases = env.create_databases_and_commit(txn, |opener, txn| {
            let entities = opener.create_database::<Bytes, Bytes>(txn, Some("entities"))?;
            let ends = opener.create_database::<Bytes, Bytes>(txn, Some("ends"))?;
            Ok::<_, Error>(CommitOrAbort::<_, ()>::Commit((entities, ends)))
        });
        let CommitOrAbort::Commit((entities, ends)) = databases.map_err(failed)? else {
            return Err(StoreError::Wrong {
                reason: String::from("its databases were not created"),
            });
        };
        Ok(Self {
            env,
            entities,
            ends,
            bytes_max,
        })
    }

    /// A transaction that sees the map as it is now. Keep it short: pages that it sees cannot be used again.
    fn reading(&self) -> Result<RoTxn<'_, WithoutTls>, StoreError> {
        match self.env.read_txn() {
            Err(Error::Mdb(MdbError::ReadersFull)) => {
                self.env.clear_stale_readers().map_err(failed)?;
                self.env.read_txn().map_err(failed)
            }
            begun => begun.map_err(failed),
        }
    }

    pub(super) fn read(&self, keys: &[Vec<u8>]) -> Result<Vec<Held>, StoreError> {
        let now = clock::unix_ms();
        let txn = self.reading()?;
        keys.iter()
            .map(|key| match self.entities.get(&txn, key).map_err(failed)? {
                None => Ok(Held::default()),
                Some(bytes) => {
                    let record = Record::read(bytes).ok_or_else(no_record)?;
                    Ok(Held {
                        value: record.value_at(now).map(text).transpose()?,
                        version: record.version,
                    })
                }
            })
            .collect()
    }

    /// Hands the value of a key to `read`, where it lies in the map.
    pub(super) fn read_with<T>(
        &self,
        key: &[u8],
        read: impl FnOnce(Option<&str>) -> T,
    ) -> Result<T, StoreError> {
        let now = clock::unix_ms();
        let txn = self.reading()?;
        let Some(bytes) = self.entities.get(&txn, key).map_err(failed)? else {
            return Ok(read(None));
        };
        let record = Record::read(bytes).ok_or_else(no_record)?;
        let value = record.value_at(now).map(str::from_utf8).transpose();
        Ok(read(value.map_err(|_| no_record())?))
    }

    pub(super) fn list(&self, namespace: &str) -> Result<Vec<String>, StoreError> {
        let now = clock::unix_ms();
        let txn = self.reading()?;
        let prefix = prefix(namespace);
        let mut values = Vec::new();
        let entries = self.entities.prefix_iter(&txn, &prefix).map_err(failed)?;
        for entry in entries {
            let (_, bytes) = entry.map_err(failed)?;
            let record = Record::read(bytes).ok_or_else(no_record)?;
            if let Some(value) = record.value_at(now) {
                values.push(text(value)?);
            }
        }
        Ok(values)
    }

    /// The ids of a namespace whose values are older than `before`.
    pub(super) fn older(
        &self,
        namespace: &str,
        before: Version,
    ) -> Result<Vec<String>, StoreError> {
        let txn = self.reading()?;
        let prefix = prefix(namespace);
        let mut ids = Vec::new();
        let entries = self.entities.prefix_iter(&txn, &prefix).map_err(failed)?;
        for entry in entries {
            let (key, bytes) = entry.map_err(failed)?;
            let record = Record::read(bytes).ok_or_else(no_record)?;
            let is_older = record.version.is_some_and(|version| version < before);
            if is_older && record.value.is_some() {
                let id = key.get(prefix.len()..).unwrap_or_default();
                ids.push(String::from_utf8_lossy(id).into_owned());
            }
        }
        Ok(ids)
    }

    /// Makes changes, all or none of them.
    pub(super) fn change(&self, changes: &[Change]) -> heed::Result<Vec<Outcome>> {
        let mut txn = self.env.write_txn()?;
        let has_room = self.used(&txn)? < self.bytes_max - self.bytes_max / RESERVE;
        let mut outcomes = Vec::with_capacity(changes.len());
        for change in changes {
            outcomes.push(self.change_one(&mut txn, change, has_room)?);
        }
        txn.commit()?;
        Ok(outcomes)
    }

    fn change_one(
        &self,
        txn: &mut RwTxn<'_>,
        change: &Change,
        has_room: bool,
    ) -> heed::Result<Outcome> {
        let held = self.entities.get(txn, &change.key)?;
        let held_len = held.map_or(0, <[u8]>::len);
        // What is no record is overwritten.
        let held = held.and_then(Record::read);
        let value = held.and_then(|held| held.value_at(clock::unix_ms()));
        let is_meant = match &change.only {
            Only::Newer => true,
            Only::Absent => value.is_none(),
            Only::Equal(text) => value == Some(text.as_bytes()),
        };
        if !is_meant {
            return Ok(Outcome::Not);
        }
        let (version, goes) = held.map_or((None, None), |held| (held.version, held.goes_ms()));
        if let (Some(by), Some(new)) = (version, change.version)
            && by > new
        {
            return Ok(Outcome::Written(Written::Superseded { by }));
        }
        let record = Record {
            version: change.version.or(version),
            ends_ms: change.ends_ms,
            value: change.value.as_deref().map(str::as_bytes),
        };
        let bytes = record.write();
        if !has_room && record.value.is_some() && bytes.len() > held_len {
            return Ok(Outcome::Full);
        }
        let is_empty = record.value.is_none() && record.version.is_none();
        let goes_now = record.goes_ms().filter(|_| !is_empty);
        if goes != goes_now {
            if let Some(goes) = goes {
                self.ends.delete(txn, &end_key(goes, &change.key))?;
            }
            if let Some(goes) = goes_now {
                self.ends.put(txn, &end_key(goes, &change.key), &[])?;
            }
        }
        if is_empty {
            self.entities.delete(txn, &change.key)?;
        } else {
            self.entities.put(txn, &change.key, &bytes)?;
        }
        Ok(Outcome::Written(Written::Done))
    }

    /// Forgets up to `count` records whose time is over. How many it were.
    pub(super) fn purge(&self, count: usize) -> heed::Result<usize> {
        let now = clock::unix_ms();
        // Most of the time nothing is over: see without a lock.
        let is_due = |end: &[u8]| read_end_key(end).is_none_or(|(goes, _)| goes <= now);
        let first = {
            let txn = self.env.read_txn()?;
            let first = self.ends.first(&txn)?;
            first.is_some_and(|(end, _)| is_due(end))
        };
        if !first {
            return Ok(0);
        }
        let mut txn = self.env.write_txn()?;
        let mut over = Vec::new();
        for entry in self.ends.iter(&txn)?.take(count) {
            let (end, _) = entry?;
            if !is_due(end) {
                break;
            }
            over.push(end.to_vec());
        }
        for end in &over {
            self.ends.delete(&mut txn, end)?;
            let Some((goes, key)) = read_end_key(end) else {
                continue;
            };
            let held = self.entities.get(&txn, key)?.and_then(Record::read);
            if held.is_some_and(|held| held.goes_ms() == Some(goes)) {
                self.entities.delete(&mut txn, key)?;
            }
        }
        txn.commit()?;
        Ok(over.len())
    }

    /// Bytes of the pages that records take.
    fn used(&self, txn: &RoTxn<'_>) -> heed::Result<usize> {
        let entities = self.entities.stat(txn)?.non_free_page_size();
        Ok(entities + self.ends.stat(txn)?.non_free_page_size())
    }

    /// Bytes in use, the most there may be, and how many records there are.
    pub(super) fn size(&self) -> Result<(usize, usize, u64), StoreError> {
        let txn = self.reading()?;
        let used = self.used(&txn).map_err(failed)?;
        let records = self.entities.len(&txn).map_err(failed)?;
        Ok((used, self.bytes_max, records))
    }

    pub(super) fn clear_stale_readers(&self) -> heed::Result<usize> {
        self.env.clear_stale_readers()
    }
}

/// Opens the environment. A store of this process that was closed a moment ago may still be writing its last: that is
/// waited for.
fn open_env(
    folder: &Path,
    options: shardkeep_lmdb::Options,
    limit: Duration,
) -> Result<Env<WithoutTls>, StoreError> {
    let deadline = clock::now() + limit;
    loop {
        match shardkeep_lmdb::open(folder, options) {
            Err(Error::EnvAlreadyOpened) if clock::now() < deadline => {
                std::thread::sleep(Duration::from_millis(5));
            }
            opened => return opened.map_err(failed),
        }
    }
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Written(Written),
    Full,
    /// It is not as the change wants it.
    Not,
}

fn text(bytes: &[u8]) -> Result<String, StoreError> {
    let text = str::from_utf8(bytes).map_err(|_| no_record())?;
    Ok(text.to_owned())
}

fn no_record() -> StoreError {
    StoreError::Wrong {
        reason: String::from("a record that this library did not write: remove the folder"),
    }
}

/// Whether an error means that there is no room, in the map or on the disk.
pub(super) fn is_full(error: &Error) -> bool {
    match error {
        Error::Mdb(MdbError::MapFull | MdbError::TxnFull) => true,
        Error::Io(error) => {
            // A disk that took a part of a page is an input/output error to LMDB, and is most likely full.
            error.raw_os_error() == Some(EIO)
                || matches!(
                    error.kind(),
                    std::io::ErrorKind::StorageFull
                        | std::io::ErrorKind::QuotaExceeded
                        | std::io::ErrorKind::FileTooLarge
                )
        }
        _ => false,
    }
}

/// What an error of LMDB means for a store.
pub(super) fn failed(error: Error) -> StoreError {
    if is_full(&error) {
        return StoreError::Full {
            reason: format!("{error}: raise `map_bytes`, free the disk, or let values end sooner"),
        };
    }
    let reason = format!("LMDB: {error}");
    match error {
        Error::Io(_) | Error::Mdb(MdbError::ReadersFull | MdbError::Panic) => {
            StoreError::Away { reason }
        }
        Error::Mdb(MdbError::Corrupted | MdbError::PageNotFound | MdbError::Invalid) => {
            StoreError::Wrong { reason }
        }
        _ => StoreError::Refused { reason },
    }
}
