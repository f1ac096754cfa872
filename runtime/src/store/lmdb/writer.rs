//! The thread that writes: it takes what waits, a thousand changes at a time, into one transaction.
//!
//! LMDB has one writer on the whole machine, and a commit waits for the disk: many changes share both. Whoever waits
//! for an outcome waits no longer than the store's limit, whatever another process does with the lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{
    Receiver, RecvTimeoutError, SyncSender, TryRecvError, TrySendError, sync_channel,
};
use std::time::Duration;

use tokio::sync::oneshot;

use super::map::{Change, Map, Outcome, failed, is_full};
use crate::store::{StoreError, Written};

/// Changes, and bytes of them, that share a transaction.
const BATCH_MAX: usize = 1_000;
const BATCH_BYTES_MAX: usize = 4 << 20;

/// How often what has ended is forgotten while nothing is written, and how much at a time.
const PURGE_EVERY: Duration = Duration::from_secs(10);
const PURGE_MAX: usize = 2_000;

/// How much is forgotten at a time when the room is needed.
const PURGE_NEEDED_MAX: usize = 50_000;

/// What became of each change of a job; `None` for one that was not to be made.
pub(super) type Outcomes = Vec<Result<Option<Written>, StoreError>>;

/// Changes that belong together, and who waits for their outcomes.
struct Job {
    changes: Vec<Change>,
    bytes: usize,
    done: oneshot::Sender<Outcomes>,
}

/// What the thread has done.
#[derive(Default)]
pub(super) struct Counters {
    pub(super) commits: AtomicU64,
    pub(super) ended: AtomicU64,
    pub(super) refused: AtomicU64,
    waiting_bytes: AtomicUsize,
}

pub(super) struct Writer {
    jobs: SyncSender<Job>,
    pub(super) counters: Arc<Counters>,
    bytes_max: usize,
}

impl Writer {
    pub(super) fn start(map: Map, jobs_max: usize, bytes_max: usize) -> Result<Self, StoreError> {
        let (jobs, waiting) = sync_channel(jobs_max.max(1));
        let counters = Arc::new(Counters::default());
        let thread = Thread {
            map,
            waiting,
            counters: Arc::clone(&counters),
        };
        std::thread::Builder::new()
            .name(String::from("shardkeep-lmdb"))
            .spawn(move || thread.run())
            .map_err(|error| StoreError::Refused {
                reason: format!("no thread to write with: {error}"),
            })?;
        Ok(Self {
            jobs,
            counters,
            bytes_max,
        })
    }

    /// Hands changes over. Refused at once when too much waits already.
    pub(super) fn submit(
        &self,
        changes: Vec<Change>,
    ) -> Result<oneshot::Receiver<Outcomes>, StoreError> {
        let bytes = changes.iter().map(Change::bytes).sum();
        let (done, outcomes) = oneshot::channel();
        let waiting = self
            .counters
            .waiting_bytes
            .fetch_add(bytes, Ordering::Relaxed);
        let job = Job {
            changes,
            bytes,
            done,
        };
        let sent = if waiting > 0 && waiting + bytes > self.bytes_max {
            Err(TrySendError::Full(job))
        } else {
            self.jobs.try_send(job)
        };
        let Err(error) = sent else {
            return Ok(outcomes);
        };
        self.counters
            .waiting_bytes
            .fetch_sub(bytes, Ordering::Relaxed);
        self.counters.refused.fetch_add(1, Ordering::Relaxed);
        let reason = match error {
            TrySendError::Full(_) => "too many writes are waiting for LMDB's one writer",
            TrySendError::Disconnected(_) => "the thread that writes has ended",
        };
        Err(StoreError::Away {
            reason: reason.to_owned(),
        })
    }
}

struct Thread {
    map: Map,
    waiting: Receiver<Job>,
    counters: Arc<Counters>,
}

impl Thread {
    fn run(self) {
        loop {
            match self.waiting.recv_timeout(PURGE_EVERY) {
                Ok(first) => {
                    let is_over = self.take(first);
                    self.purge(PURGE_MAX);
                    if is_over {
                        return;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.purge(PURGE_MAX);
                    // A reader that died would keep pages from being used again.
                    let _ = self.map.clear_stale_readers();
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Writes a job, and with it what waits behind. Whether nobody can send any more.
    fn take(&self, first: Job) -> bool {
        let (mut count, mut bytes) = (first.changes.len(), first.bytes);
        let mut jobs = vec![first];
        let mut is_over = false;
        while count < BATCH_MAX && bytes < BATCH_BYTES_MAX {
            match self.waiting.try_recv() {
                Ok(job) => {
                    count += job.changes.len();
                    bytes += job.bytes;
                    jobs.push(job);
                }
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => {
                    is_over = true;
                    break;
                }
            }
        }
        let mut all = Vec::with_capacity(count);
        let mut waiting = Vec::with_capacity(jobs.len());
        for job in jobs {
            waiting.push((job.changes.len(), job.done));
            all.extend(job.changes);
        }
        let mut outcomes = Vec::with_capacity(all.len());
        for batch in all.chunks(BATCH_MAX) {
            self.write(batch, true, &mut outcomes);
        }
        self.counters
            .waiting_bytes
            .fetch_sub(bytes, Ordering::Relaxed);
        let mut outcomes = outcomes.into_iter();
        for (count, done) in waiting {
            // Who stopped waiting learns nothing.
            let _ = done.send(outcomes.by_ref().take(count).collect());
        }
        is_over
    }

    /// Writes a batch. Where there is no room for all of it, what has ended goes, and then each half gets its chance:
    /// removing, and writing what is smaller than before, may still succeed.
    fn write(&self, batch: &[Change], may_purge: bool, outcomes: &mut Outcomes) {
        match self.map.change(batch) {
            Ok(done) => {
                self.counters.commits.fetch_add(1, Ordering::Relaxed);
                let needs_room = done.contains(&Outcome::Full);
                if needs_room && may_purge && self.make_room() {
                    // Versions make it harmless that some of these were written a moment ago.
                    self.write(batch, false, outcomes);
                    return;
                }
                outcomes.extend(done.into_iter().map(|outcome| match outcome {
                    Outcome::Written(written) => Ok(Some(written)),
                    Outcome::Not => Ok(None),
                    Outcome::Full => Err(StoreError::Full {
                        reason: String::from(
                            "the map is: raise `map_bytes`, or let values end sooner",
                        ),
                    }),
                }));
            }
            Err(error) if is_full(&error) && may_purge && self.make_room() => {
                self.write(batch, false, outcomes);
            }
            Err(error) if is_full(&error) && batch.len() > 1 => {
                let (left, right) = batch.split_at(batch.len() / 2);
                self.write(left, false, outcomes);
                self.write(right, false, outcomes);
            }
            Err(error) => {
                let error = failed(error);
                outcomes.extend(batch.iter().map(|_| Err(error.clone())));
            }
        }
    }

    /// Whether there may be more room now: what has ended is forgotten, and pages that dead readers kept are free.
    fn make_room(&self) -> bool {
        let cleared = self.map.clear_stale_readers().unwrap_or(0);
        self.purge(PURGE_NEEDED_MAX) > 0 || cleared > 0
    }

    fn purge(&self, count: usize) -> usize {
        let ended = self.map.purge(count).unwrap_or(0);
        let counted = u64::try_from(ended).unwrap_or(0);
        self.counters.ended.fetch_add(counted, Ordering::Relaxed);
        ended
    }
}
