//! Identifies of several processes on one machine without a register: a file that they lock, read and write.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use shardkeep_core::ShardId;
use shardkeep_core::fleet::{Hold, Input, Purse, SessionStartLimit};
use tokio::task::{AbortHandle, JoinSet, spawn_blocking};
use tokio::time::sleep;

use super::Running;
use crate::clock;
use crate::config::Config;
use crate::shard::Control;
use crate::store::StoreError;

/// A longer file is none of ours.
const BYTES_MAX: u64 = 1 << 20;

/// The longest wait before the file is looked at again: another process may have given a permit back.
const LOOK: Duration = Duration::from_secs(1);

/// The file, and what is asked of it.
#[derive(Debug)]
pub(in crate::bot) struct PurseFile {
    path: PathBuf,
    spacing: Duration,
    reserve: u32,
}

impl PurseFile {
    /// The file that the configuration names, if it names one.
    pub(in crate::bot) fn open(config: &Config) -> Result<Option<Arc<Self>>, StoreError> {
        let Some(path) = &config.identify.shared_file else {
            return Ok(None);
        };
        let file = Self {
            path: PathBuf::from(path),
            spacing: Duration::from_millis(5_000 + config.identify.margin_ms),
            reserve: config.identify.reserve,
        };
        // A path that cannot be written is found now, not at the first identify.
        file.with(|_| ()).map_err(|error| StoreError::Refused {
            reason: format!(
                "{}: {error}: set `identify.shared_file`",
                file.path.display()
            ),
        })?;
        Ok(Some(Arc::new(file)))
    }

    /// Reads the purse, does something with it, and writes it back, while nobody else can.
    fn with<T>(&self, act: impl FnOnce(&mut Purse) -> T) -> io::Result<T> {
        let mut file = open(&self.path)?;
        file.lock()?;
        let mut text = String::new();
        Read::by_ref(&mut file)
            .take(BYTES_MAX)
            .read_to_string(&mut text)?;
        // What cannot be read is begun anew: Discord is asked before anybody identifies.
        let mut purse = Purse::read(&text).unwrap_or_default();
        let outcome = act(&mut purse);
        let next = purse.write();
        if next != text {
            file.rewind()?;
            file.set_len(0)?;
            file.write_all(next.as_bytes())?;
        }
        Ok(outcome)
    }
}

fn open(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)
}

/// Shards that wait for a permit of the purse.
#[derive(Debug)]
pub(super) struct Permits {
    file: Arc<PurseFile>,
    waiting: JoinSet<ShardId>,
    handles: BTreeMap<ShardId, AbortHandle>,
}

impl Permits {
    pub(super) fn new(file: Arc<PurseFile>) -> Self {
        Self {
            file,
            waiting: JoinSet::new(),
            handles: BTreeMap::new(),
        }
    }

    /// The next shard that may identify.
    pub(super) async fn next(&mut self) -> Option<ShardId> {
        match self.waiting.join_next().await {
            Some(Ok(shard)) => Some(shard),
            // It was cancelled.
            Some(Err(_)) => None,
            None => std::future::pending().await,
        }
    }

    fn want(&mut self, shard: ShardId) {
        let file = Arc::clone(&self.file);
        let handle = self.waiting.spawn(wait(file, shard));
        if let Some(before) = self.handles.insert(shard, handle) {
            before.abort();
        }
    }

    /// Writes down what became of it.
    fn note(&self, act: impl FnOnce(&mut Purse, &PurseFile) + Send + 'static) {
        let file = Arc::clone(&self.file);
        let _written_by_itself = spawn_blocking(move || {
            if let Err(error) = file.with(|purse| act(purse, &file)) {
                tracing::warn!(%error, path = %file.path.display(), "the shared account of identifies");
            }
        });
    }
}

/// Until the purse permits it.
async fn wait(file: Arc<PurseFile>, shard: ShardId) -> ShardId {
    loop {
        let asked = Arc::clone(&file);
        let taking = spawn_blocking(move || {
            let take = |purse: &mut Purse| {
                purse.take(clock::unix_ms(), shard, asked.spacing, asked.reserve)
            };
            asked.with(take)
        });
        let pause = match taking.await {
            Ok(Ok(Ok(()))) => return shard,
            Ok(Ok(Err(Hold::Key { until_ms } | Hold::Budget { until_ms }))) => {
                Duration::from_millis(until_ms.saturating_sub(clock::unix_ms()))
            }
            Ok(Ok(Err(_))) => LOOK,
            Ok(Err(error)) => {
                tracing::warn!(%shard, %error, "an identify waits for the shared account");
                LOOK
            }
            // The runtime ends.
            Err(_) => LOOK,
        };
        sleep(pause.clamp(Duration::from_millis(5), LOOK)).await;
    }
}

impl Running {
    /// The fleet's machine grants an identify; with a purse, that has to permit it. `false` if there is none.
    pub(super) fn granted_by_purse(&mut self, shard: ShardId) -> bool {
        let Some(permits) = &mut self.permits else {
            return false;
        };
        permits.want(shard);
        true
    }

    pub(super) fn permitted_by_purse(&mut self, shard: ShardId) {
        let Some(permits) = &mut self.permits else {
            return;
        };
        if permits.handles.remove(&shard).is_some() {
            self.control(shard, Control::Granted);
        } else {
            permits.note(move |purse, _| purse.unused(shard));
        }
    }

    /// What a shard told the fleet's machine, as far as it concerns the purse.
    pub(super) fn note_purse(&mut self, input: Input) {
        let Some(permits) = &mut self.permits else {
            return;
        };
        match input {
            Input::IdentifySent { shard } => {
                permits.note(move |purse, file| purse.sent(clock::unix_ms(), shard, file.spacing));
            }
            Input::IdentifyUnused { shard } => permits.note(move |purse, _| purse.unused(shard)),
            Input::CancelIdentify { shard } | Input::Down { shard } => {
                if let Some(handle) = permits.handles.remove(&shard) {
                    handle.abort();
                    // It may have been permitted just now.
                    permits.note(move |purse, _| purse.unused(shard));
                }
            }
            _ => {}
        }
    }

    /// `/gateway/bot` answered what was asked at `asked_ms`.
    pub(super) fn fill_purse(&self, asked_ms: u64, limit: SessionStartLimit) {
        if let Some(permits) = &self.permits {
            permits.note(move |purse, _| purse.limits(clock::unix_ms(), asked_ms, limit));
        }
    }
}
