//! Ten times as much as the budget flows through a cache with a store under it: what the process holds meanwhile.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use serde::{Deserialize, Serialize};
use shardkeep::store::{self, LmdbSettings, LmdbStore, MemorySettings, MemoryStore, RemoteStore};
use shardkeep_benches::payloads::Lines;
use shardkeep_benches::usage;
use shardkeep_core::cache::{BatchId, Cache, Config, Input, Kind, Output, Version, Write, Written};
use shardkeep_core::wire::EventKind;
use shardkeep_core::{Instant, Machine as _};

use super::{Job, Outcome};

/// The cache's budget in bytes.
pub(super) const BUDGET: usize = 64 << 20;

/// How many times as much is to flow through.
const TIMES: f64 = 10.0;

/// What the store in memory may hold in bytes. It refuses what is more, and that counts as a failed write.
pub(super) const MEMORY_STORE: usize = 2 << 30;

/// A look at the process.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Sample {
    pub(super) seconds: f64,
    /// What the process has grown by.
    pub(super) grown_mib: f64,
    /// Of it, what is its own: pages of a store's file are the system's.
    pub(super) own_mib: f64,
    /// What the cache says that its hot set holds.
    pub(super) held_mib: f64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Flowed {
    pub(super) samples: Vec<Sample>,
    /// Bytes of entries that were put into the hot set.
    pub(super) put_bytes: f64,
    pub(super) json_bytes: u64,
    /// Writes that the store has confirmed.
    pub(super) written: u64,
    /// Writes that failed or were dropped.
    pub(super) failed: u64,
    /// What the store says that it holds.
    pub(super) store_bytes: u64,
}

type Writing = Pin<Box<dyn Future<Output = (BatchId, Vec<Written>)>>>;

enum Under {
    Nothing,
    Memory(Arc<MemoryStore>),
    Lmdb(Arc<LmdbStore>),
}

impl Under {
    fn open(name: &str, job: &Job) -> Outcome<Self> {
        Ok(match name {
            "none" => Self::Nothing,
            "memory" => {
                let mut settings = MemorySettings::default();
                settings.bytes_max = MEMORY_STORE;
                Self::Memory(Arc::new(MemoryStore::new(settings)))
            }
            "lmdb" => {
                let store = LmdbStore::open(&job.folder, LmdbSettings::default())?;
                Self::Lmdb(Arc::new(store))
            }
            _ => return Err(format!("there is no store {name}").into()),
        })
    }

    fn store(&self) -> Option<Arc<dyn RemoteStore>> {
        match self {
            Self::Nothing => None,
            Self::Memory(store) => Some(Arc::clone(store) as Arc<dyn RemoteStore>),
            Self::Lmdb(store) => Some(Arc::clone(store) as Arc<dyn RemoteStore>),
        }
    }

    fn bytes(&self) -> u64 {
        match self {
            Self::Nothing => 0,
            Self::Memory(store) => store.size().0 as u64,
            Self::Lmdb(store) => store.size().map_or(0, |size| size.used_bytes as u64),
        }
    }
}

/// The cache, and hands that carry what it wants to and from the store, as the runtime's driver does.
struct Stack {
    cache: Cache,
    store: Option<Arc<dyn RemoteStore>>,
    sequence: u64,
    /// Entries put until now, by kind, and their bytes.
    puts: Vec<u64>,
    put_bytes: f64,
}

fn now() -> Instant {
    Instant::from_micros(usage::wall_ns() / 1_000)
}

fn written(outcome: &Result<store::Written, store::StoreError>) -> Written {
    match outcome {
        Ok(store::Written::Done) => Written::Done,
        Ok(store::Written::Superseded { by }) => {
            Written::Superseded(Version::new(by.epoch, by.seq))
        }
        Err(_) => Written::Failed,
    }
}

fn stored(write: Write) -> store::Write {
    let key = write.key;
    let namespace = match key.kind.scope() {
        "" => key.kind.name().to_owned(),
        _ => format!("{}:{}", key.kind, key.scope),
    };
    let json = write.json.and_then(|json| String::from_utf8(json).ok());
    store::Write {
        namespace,
        id: key.id.to_string(),
        version: store::Version::new(write.version.epoch, write.version.seq),
        value: json,
        ttl: None,
    }
}

impl Stack {
    fn new(store: Option<Arc<dyn RemoteStore>>) -> Self {
        let mut config = Config::new(BUDGET, 7);
        config.has_store = store.is_some();
        Self {
            cache: Cache::new(config),
            store,
            sequence: 0,
            puts: vec![0; 16],
            put_bytes: 0.0,
        }
    }

    fn take(&mut self, d: &[u8]) -> Outcome<()> {
        self.sequence += 1;
        let input = Input::Dispatch {
            event: EventKind::GuildCreate,
            d,
            version: Version::new(1, self.sequence),
            wall_ms: self.sequence,
        };
        let taken = self.cache.handle_input(now(), input);
        Ok(taken.map_err(|misuse| misuse.to_string())?)
    }

    fn begin(&self, output: Output) -> Option<Writing> {
        let Output::Write { batch, writes } = output else {
            return None;
        };
        let store = self.store.clone()?;
        Some(Box::pin(async move {
            let writes: Vec<_> = writes.into_iter().map(stored).collect();
            let outcomes = store.write(&writes).await;
            (batch, outcomes.iter().map(written).collect())
        }))
    }

    /// Until nothing waits: dispatches come as fast as the store takes them.
    async fn settle(&mut self) -> Outcome<()> {
        let mut jobs = FuturesUnordered::new();
        loop {
            while let Some(output) = self.cache.poll_output() {
                jobs.extend(self.begin(output));
            }
            if let Some((batch, outcomes)) = jobs.next().await {
                let outcomes = &outcomes[..];
                let taken = self
                    .cache
                    .handle_input(now(), Input::Written { batch, outcomes });
                taken.map_err(|misuse| misuse.to_string())?;
            } else if self.store.is_none() || self.cache.stats().pending == 0 {
                return Ok(());
            } else {
                tokio::time::sleep(Duration::from_millis(50)).await;
                self.cache.handle_timeout(now());
            }
        }
    }

    /// Adds up what was put since the last time.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    fn count(&mut self) {
        let stats = self.cache.stats();
        for kind in Kind::ALL {
            let number = usize::from(kind.number());
            let kind = stats.hot.kinds[number];
            let puts = kind.inserted + kind.replaced;
            let mean = kind.bytes as f64 / kind.count.max(1) as f64;
            self.put_bytes += (puts - self.puts[number]) as f64 * mean;
            self.puts[number] = puts;
        }
    }
}

pub(super) fn run(name: &str, job: &Job) -> Outcome<Flowed> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(flow(name, job))
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
async fn flow(name: &str, job: &Job) -> Outcome<Flowed> {
    let under = Under::open(name, job)?;
    let mut stack = Stack::new(under.store());
    let mut lines = Lines::new(job.sizes.longest);
    let (before, own_before) = (usage::rss_kib(), usage::rss_own_kib());
    let (start, mut json_bytes) = (usage::wall_ns(), 0);
    let mut samples = vec![Sample::default()];
    while stack.put_bytes < TIMES * BUDGET as f64 {
        let mut texts = lines.open(&job.path)?;
        while let Some(line) = texts.next_line()? {
            stack.take(line)?;
            json_bytes += line.len() as u64;
            stack.settle().await?;
            stack.count();
            samples.push(Sample {
                seconds: (usage::wall_ns() - start) as f64 / 1e9,
                grown_mib: usage::rss_kib().saturating_sub(before) as f64 / 1024.0,
                own_mib: usage::rss_own_kib().saturating_sub(own_before) as f64 / 1024.0,
                held_mib: stack.cache.stats().held_bytes as f64 / f64::from(1 << 20),
            });
            if stack.put_bytes >= TIMES * BUDGET as f64 {
                break;
            }
        }
    }
    let stats = stack.cache.stats();
    Ok(Flowed {
        samples,
        put_bytes: stack.put_bytes,
        json_bytes,
        written: stats.written,
        failed: stats.failed + stats.dropped,
        store_bytes: under.bytes(),
    })
}
