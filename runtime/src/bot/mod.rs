//! The bot: what a Rust program holds, and what every binding stands on.
//!
//! Which thread does what: sockets, TLS, inflating, heartbeats and the queue's filling side live on threads that the
//! bot owns. Handlers and whoever takes events live on the caller's. So a handler that blocks delays other handlers,
//! never a heartbeat; what waits then is the queue, and when that is full the shards stop reading.

mod builder;
mod cached;
mod error;
mod fleet;
mod handlers;
mod observed;
mod read;
mod reshard;
mod run;
mod shared;
mod status;
mod stop;
mod stored;
mod take;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use shardkeep_core::ShardId;
use shardkeep_core::wire::{Command, EventFilter, EventKind};
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot};

pub use builder::BotBuilder;
pub use error::{Error, Failure};
pub(crate) use fleet::crew::Lease;
pub use fleet::crew::{FleetStatus, fleet_view};
pub use reshard::{
    AutoReshardStatus, ReshardError, ReshardReport, ReshardStatus, ReshardTotals, Resharding,
};
pub use status::{IdentifyStatus, ShardStatus, Status};

use crate::cache::{self, Cache};
use crate::clock;
use crate::config::{Config, FleetKind};
use crate::events::{Event, Queue};
use crate::ops::OpsServer;
use crate::rest::Rest;
use crate::sessions::{self, Sessions};
use crate::shard::{CommandFailed, Control};
use crate::store::StoreError;
use crate::transport::{Connector, client_config, read_bytes_max};
use fleet::crew::open;
use fleet::{Driver, Order, PurseFile};
use handlers::Handlers;
use shared::{Shared, Stage};

/// How many threads may look up names and ask REST at once: when a thousand shards reconnect together, tokio would
/// start 512 for their names alone.
const BLOCKING_THREADS: usize = 8;

/// How long the end of a bot waits for what its last events changed to be stored.
const LAST_WRITE: Duration = Duration::from_secs(2);

/// How often the IO threads show that they are alive.
const PULSE: Duration = Duration::from_millis(500);

/// A bot on any number of shards. Cloning gives another handle to the same bot; when the last one is dropped without
/// [`Bot::shutdown`], its sockets are dropped, and Discord keeps the sessions for a few minutes.
///
/// Take events with [`Bot::next_event`] or [`Bot::next_batch`], or give handlers to [`Bot::on`] and call [`Bot::run`].
///
/// ```no_run
/// use shardkeep::config::Config;
/// use shardkeep::core::wire::EventKind;
/// use shardkeep::{Bot, Topic};
///
/// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
/// // DISCORD_TOKEN and the other variables, shards as Discord recommends.
/// let config = Config::builder().environment().build()?;
/// let bot = Bot::new(config)?;
/// bot.on(EventKind::MessageCreate, |event| async move {
///     println!("{}: {}", event.shard(), event.json());
/// });
/// bot.on(Topic::ShardResume, |event| async move {
///     println!("{:?}", event.lifecycle());
/// });
/// bot.run().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Bot {
    inner: Arc<Inner>,
}

struct Inner {
    config: Config,
    rest: Rest,
    cache: Option<Cache>,
    sessions: Option<Arc<Sessions>>,
    shared: Arc<Shared>,
    handlers: Mutex<Handlers>,
    life: Mutex<Life>,
    /// Events of batches that [`Bot::next_event`] has begun.
    begun: Mutex<VecDeque<Event>>,
}

/// From made to started to shut down.
#[derive(Default)]
struct Life {
    driver: Option<Driver>,
    io_threads: usize,
    orders: Option<mpsc::UnboundedSender<Order>>,
    runtime: Option<Runtime>,
    ops: Option<OpsServer>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Bot {
    /// A bot with this configuration, not started yet.
    ///
    /// # Errors
    ///
    /// [`Error::Tls`] if the platform's roots are wanted and there are none.
    pub fn new(config: Config) -> Result<Self, Error> {
        Self::builder(config).build()
    }

    /// For what only a program can set: threads, sessions to go on from.
    pub fn builder(config: Config) -> BotBuilder {
        BotBuilder::new(config)
    }

    fn from_builder(builder: BotBuilder) -> Result<Self, Error> {
        let config = builder.config;
        let roots = config.tls.roots;
        let sessions = sessions::open(&config, builder.session_store)?;
        let queue = Queue::new(config.queue.events_max, config.queue.bytes_max);
        let queue = queue.with_sessions(sessions.clone());
        let rest = Rest::start(&config.token, config.rest())?;
        let cache = cache::open(&config, builder.store, builder.bus)?;
        let shared = Arc::new(Shared::new(queue, rest.clone(), cache.clone()));
        let tls = client_config(roots)?;
        let connector = Connector {
            tls,
            message_bytes_max: config.gateway.message_bytes_max,
            read_bytes_max: read_bytes_max(config.compress, &config.queue),
        };
        let snapshots: BTreeMap<_, _> = builder
            .snapshots
            .into_iter()
            .filter_map(|s| Some((s.shard()?, s)))
            .collect();
        let register = match config.fleet.kind {
            FleetKind::Redis => Some(open(&config)?),
            FleetKind::Static => None,
        };
        if register.is_some()
            && !sessions
                .as_ref()
                .is_some_and(|sessions| sessions.is_shared())
        {
            let reason = "`fleet.kind` is `redis`: set `session_store.kind` to `redis`, or to `lmdb` if all processes \
                          are on one machine, so that whoever takes a shard over can resume it";
            return Err(Error::Store(StoreError::Refused {
                reason: reason.to_owned(),
            }));
        }
        let purse = PurseFile::open(&config)?;
        let driver = Driver {
            filter: config.filter(),
            config: config.clone(),
            shared: Arc::clone(&shared),
            rest: rest.clone(),
            cache: cache.clone(),
            connector,
            snapshots,
            sessions: sessions.clone(),
            register,
            purse,
            window_log_max: builder.window_log_max,
            seed: builder.seed,
        };
        let life = Life {
            driver: Some(driver),
            io_threads: builder.io_threads,
            ..Life::default()
        };
        let inner = Inner {
            config,
            rest,
            cache,
            sessions,
            shared,
            handlers: Mutex::default(),
            life: Mutex::new(life),
            begun: Mutex::default(),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Starts the shards and returns; it does not wait for Discord ([`Bot::ready`] does). Starting twice changes
    /// nothing.
    ///
    /// # Errors
    ///
    /// [`Error`] if the threads or the endpoint for operators cannot be started, or if the bot was shut down.
    pub async fn start(&self) -> Result<(), Error> {
        self.start_with(None)
    }

    fn start_with(&self, wanted: Option<EventFilter>) -> Result<(), Error> {
        let mut life = lock(&self.inner.life);
        if life.orders.is_some() {
            return Ok(());
        }
        let mut driver = life.driver.take().ok_or(Error::ShutDown)?;
        if let Some(wanted) = wanted {
            driver.filter = intersection(driver.filter, wanted);
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(life.io_threads.max(1))
            .thread_name("shardkeep-io")
            .max_blocking_threads(BLOCKING_THREADS)
            .enable_all()
            .build()
            .map_err(Error::Threads)?;
        if let Some(cache) = &self.inner.cache {
            cache
                .start(self.inner.rest.clone())
                .map_err(Error::Threads)?;
        }
        if let Some(sessions) = &self.inner.sessions {
            sessions.start().map_err(Error::Threads)?;
        }
        let (orders, inbox) = mpsc::unbounded_channel();
        runtime.spawn(driver.run(orders.downgrade(), inbox));
        runtime.spawn(pulse(Arc::clone(&self.inner.shared)));
        life.orders = Some(orders);
        life.runtime = Some(runtime);
        Ok(())
    }

    /// Waits until every shard has had a session.
    ///
    /// # Errors
    ///
    /// [`Error::Failed`] if Discord refuses the token or the shards, [`Error::ShutDown`] if the bot was shut down
    /// first.
    pub async fn ready(&self) -> Result<(), Error> {
        self.start().await?;
        let mut stage = self.inner.shared.stage.subscribe();
        // The sender lives as long as the bot.
        let reached = stage
            .wait_for(|stage| *stage != Stage::Starting)
            .await
            .map(|stage| *stage);
        match (reached, self.failure()) {
            (Ok(Stage::Ready), _) => Ok(()),
            (_, Some(failure)) => Err(failure.into()),
            _ => Err(Error::ShutDown),
        }
    }

    /// Sends a command on a shard, and returns when it went out or was refused. It waits while the session is not
    /// established or a limit of Discord's is reached.
    ///
    /// # Errors
    ///
    /// [`CommandFailed`] if the bot does not run the shard, or if the session refuses the command.
    pub async fn send(&self, shard: ShardId, command: Command) -> Result<(), CommandFailed> {
        let (done, outcome) = oneshot::channel();
        let handle = self
            .inner
            .shared
            .shard(shard)
            .ok_or(CommandFailed::NoShard(shard))?;
        handle
            .controls
            .send(Control::Send(Box::new(command), done))
            .map_err(|_| CommandFailed::Stopped)?;
        outcome.await.unwrap_or(Err(CommandFailed::Stopped))
    }

    /// Discord's REST API with this bot's token: usable from the start, and also after [`Bot::shutdown`].
    ///
    /// ```no_run
    /// # async fn f(bot: shardkeep::Bot) -> Result<(), Box<dyn std::error::Error>> {
    /// use shardkeep::core::Snowflake;
    ///
    /// let hello = serde_json::json!({ "content": "hello" });
    /// bot.rest().create_message(Snowflake(81384788765712384), &hello).send().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn rest(&self) -> &Rest {
        &self.inner.rest
    }

    /// Makes a shard reconnect and resume, as if Discord had asked for it. `false` if the bot does not run it.
    pub fn reconnect(&self, shard: ShardId) -> bool {
        let handle = self.inner.shared.shard(shard);
        handle.is_some_and(|handle| handle.controls.send(Control::Reconnect).is_ok())
    }
}

impl Inner {
    /// Ends the threads.
    fn end(&self) {
        let (ops, runtime) = {
            let mut life = lock(&self.life);
            (life.ops.take(), life.runtime.take())
        };
        drop(ops);
        if let Some(runtime) = runtime {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.end();
        if let Some(sessions) = &self.sessions {
            sessions.stop(LAST_WRITE);
        }
    }
}

impl fmt::Debug for Bot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bot")
            .field("shards", &self.inner.config.shards)
            .finish_non_exhaustive()
    }
}

/// What both let through.
fn intersection(a: EventFilter, b: EventFilter) -> EventFilter {
    let kinds = EventKind::ALL.iter().copied().chain([EventKind::Unknown]);
    kinds
        .filter(|&kind| !(a.lets_through(kind) && b.lets_through(kind)))
        .fold(a, EventFilter::without)
}

/// Shows that the IO threads go round, and frees what has become too much.
async fn pulse(shared: Arc<Shared>) {
    loop {
        shared
            .io_pulse
            .store(clock::now().as_micros(), Ordering::Relaxed);
        shared.queue.trim();
        tokio::time::sleep(PULSE).await;
    }
}
