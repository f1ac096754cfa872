//! The task that owns the fleet: asks Discord for limits, starts and stops shards, hands out identify slots.

mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::future::{Future, pending, poll_fn};
use std::pin::Pin;
use std::sync::Arc;

use shardkeep_core::fleet::{Event, Fleet, Input, Output};
use shardkeep_core::gateway::{Capsule, ClosedReason, Session, Snapshot};
use shardkeep_core::wire::EventFilter;
use shardkeep_core::{Instant, Machine, Rng, ShardId};
use tokio::sync::mpsc;

use super::error::Failure;
use super::shared::{Handle, Shared};
use crate::cache::{Cache, heard};
use crate::clock;
use crate::config::Config;
use crate::drive::Deadline;
use crate::events::ShardErrorKind;
use crate::http::{GatewayBot, HttpError, gateway_bot};
use crate::inflate;
use crate::rest::Rest;
use crate::sessions::{Loaded, Sessions, Tracked};
use crate::shard::{Control, Notice, Shard, ShardCell, Surroundings};
use crate::transport::Connector;
use told::Told;

/// What the bot asks of its fleet.
#[derive(Clone, Copy, Debug)]
pub(super) enum Order {
    /// Stop every shard.
    Shutdown { resumable: bool },
}

type Fetch = Pin<Box<dyn Future<Output = Result<GatewayBot, HttpError>> + Send>>;

/// The fleet, and the hands that do what it says.
pub(super) struct Driver {
    pub(super) config: Config,
    pub(super) filter: EventFilter,
    pub(super) shared: Arc<Shared>,
    pub(super) rest: Rest,
    pub(super) cache: Option<Cache>,
    pub(super) connector: Connector,
    /// Sessions of a predecessor, to go on from.
    pub(super) snapshots: BTreeMap<ShardId, Snapshot>,
    /// Where sessions are stored, if they are.
    pub(super) sessions: Option<Arc<Sessions>>,
    pub(super) window_log_max: u32,
    pub(super) seed: u64,
}

struct Running {
    driver: Driver,
    fleet: Fleet,
    deadline: Deadline,
    notices: mpsc::UnboundedSender<Notice>,
    fetch: Option<Fetch>,
    gateway_url: Option<String>,
    /// Shards that may start as soon as it is known where to connect.
    unplaced: BTreeSet<ShardId>,
    resumable: bool,
    rng: Rng,
    /// What the snapshots were made of, where they were stored.
    capsules: BTreeMap<ShardId, Capsule>,
    /// Identifies granted when the account was last stored.
    granted: u64,
}

/// What woke the task.
enum Woken {
    Notice(Option<Notice>),
    Order(Option<Order>),
    Fetched(Result<GatewayBot, HttpError>),
    Due(Instant),
}

impl Driver {
    /// Runs until every shard has ended.
    pub(super) async fn run(self, mut orders: mpsc::UnboundedReceiver<Order>) {
        let (notices, mut inbox) = mpsc::unbounded_channel();
        let loaded = self.load().await;
        let config = self.config.fleet(self.seed);
        let now = clock::now();
        let fleet = match loaded.account(clock::unix_ms()) {
            Some((account, elapsed)) => Fleet::restore(config, account, now, elapsed),
            None => Fleet::new(config),
        };
        let mut running = Running {
            fleet,
            deadline: Deadline::default(),
            notices,
            fetch: None,
            gateway_url: None,
            unplaced: BTreeSet::new(),
            resumable: true,
            rng: Rng::new(self.seed ^ 0x5ead),
            capsules: loaded.capsules,
            granted: 0,
            driver: self,
        };
        for (shard, capsule) in &running.capsules {
            let known = running.driver.snapshots.entry(*shard);
            known.or_insert_with(|| capsule.snapshot());
        }
        for shard in running.driver.snapshots.keys().copied().collect::<Vec<_>>() {
            running.feed(Input::Resumable { shard });
        }
        while !running.drain() {
            running.report();
            match running.wait(&mut inbox, &mut orders).await {
                Woken::Notice(Some(notice)) => running.on_notice(notice),
                Woken::Order(Some(Order::Shutdown { resumable })) => running.shut_down(resumable),
                Woken::Fetched(answer) => running.on_fetched(answer),
                Woken::Due(now) => running.fleet.handle_timeout(now),
                // The bot itself is gone: nobody is left to take events.
                Woken::Order(None) => running.shut_down(true),
                Woken::Notice(None) => break,
            }
        }
        running.report();
        running.driver.shared.stop();
    }
}

impl Driver {
    /// What a predecessor stored. Without it every shard identifies, so it is waited for, but not for ever.
    async fn load(&self) -> Loaded {
        let Some(sessions) = &self.sessions else {
            return Loaded::default();
        };
        match sessions.load().await {
            Ok(loaded) => {
                tracing::info!(
                    sessions = loaded.capsules.len(),
                    "stored sessions were found"
                );
                loaded
            }
            Err(error) => {
                tracing::error!(%error, "stored sessions cannot be read: every shard identifies");
                Loaded::default()
            }
        }
    }
}

impl Running {
    async fn wait(
        &mut self,
        inbox: &mut mpsc::UnboundedReceiver<Notice>,
        orders: &mut mpsc::UnboundedReceiver<Order>,
    ) -> Woken {
        let (deadline, fleet) = (&mut self.deadline, &self.fleet);
        let fetch = async {
            match &mut self.fetch {
                Some(fetch) => fetch.await,
                None => pending().await,
            }
        };
        tokio::select! {
            notice = inbox.recv() => Woken::Notice(notice),
            order = orders.recv(), if !orders.is_closed() || !orders.is_empty() => Woken::Order(order),
            answer = fetch => Woken::Fetched(answer),
            now = poll_fn(|cx| deadline.poll(cx, fleet)) => Woken::Due(now),
        }
    }

    fn feed(&mut self, input: Input) {
        if let Err(misuse) = self.fleet.handle_input(clock::now(), input) {
            tracing::debug!(%misuse, "the fleet did not expect this");
        }
    }

    fn report(&mut self) {
        let now = clock::now();
        let status = self.fleet.status();
        self.driver.shared.set_fleet(status, now);
        if let Some(sessions) = &self.driver.sessions
            && std::mem::replace(&mut self.granted, status.counters.granted)
                < status.counters.granted
        {
            sessions.account(self.fleet.snapshot());
        }
    }

    fn shut_down(&mut self, resumable: bool) {
        self.resumable = resumable;
        self.feed(Input::Shutdown);
    }

    /// Does what the fleet says. `true` once it has stopped.
    fn drain(&mut self) -> bool {
        let mut stopped = false;
        while let Some(output) = self.fleet.poll_output() {
            match output {
                Output::FetchLimits => {
                    self.fetch = Some(Box::pin(gateway_bot(self.driver.rest.clone())));
                }
                Output::Start { shard } => self.start(shard),
                Output::GrantIdentify { shard } => self.control(shard, Control::Granted),
                Output::Stop { shard } => self.stop(shard),
                Output::Event(Event::Stopped) => stopped = true,
                Output::Event(Event::TopologyResolved { topology }) => {
                    tracing::info!(shards = %topology, "Discord recommends how many shards to run");
                }
                Output::Event(event) => {
                    let event = Told::from(&event);
                    self.tell(event);
                }
                _ => tracing::warn!(
                    "an output of the fleet that this version does not know was passed over"
                ),
            }
        }
        stopped
    }

    fn control(&mut self, shard: ShardId, control: Control) {
        let sent = self
            .driver
            .shared
            .shard(shard)
            .map(|handle| handle.controls.send(control));
        if !matches!(sent, Some(Ok(()))) {
            tracing::debug!(%shard, "the shard is not there to be told");
        }
    }

    fn start(&mut self, shard: ShardId) {
        let Some(url) = self.gateway_url.clone() else {
            self.unplaced.insert(shard);
            return;
        };
        let mut config = self.driver.config.session(shard, &url, self.rng.next_u64());
        config.filter = self.driver.filter;
        let cache = self.driver.cache.as_ref().map(|cache| {
            config.filter = config.filter.or(heard());
            cache.feed(self.driver.filter)
        });
        let inflate = inflate::for_compression(config.compression, self.driver.window_log_max);
        let now = clock::now();
        let session = match self.driver.snapshots.remove(&shard) {
            Some(snapshot) => Session::restore(config, inflate, snapshot, now),
            None => Session::new(config, inflate, now),
        };
        let session = match session {
            Ok(session) => session,
            Err(error) => {
                let reason = error.to_string();
                tracing::error!(%shard, "{reason}");
                self.driver.shared.fail(Failure::Setting { shard, reason });
                self.feed(Input::Closed { shard, fatal: true });
                return;
            }
        };
        let tracked = self.driver.sessions.as_ref().map(|sessions| {
            let from = self.capsules.remove(&shard);
            let compression = self.driver.config.compress.name();
            sessions.track(Tracked::new(shard, compression, from.as_ref()))
        });
        let (controls, orders) = mpsc::unbounded_channel();
        let cell = Arc::new(ShardCell::new(shard));
        let handle = Handle {
            cell: Arc::clone(&cell),
            controls,
        };
        self.driver.shared.add(shard, handle);
        let around = Surroundings {
            queue: Arc::clone(&self.driver.shared.queue),
            cell,
            notices: self.notices.clone(),
            controls: orders,
            connector: self.driver.connector.clone(),
            cache,
            tracked,
        };
        tokio::spawn(Shard::new(session, around));
    }

    fn stop(&mut self, shard: ShardId) {
        if self.unplaced.remove(&shard) {
            self.feed(Input::Closed {
                shard,
                fatal: false,
            });
        } else {
            let resumable = self.resumable;
            self.control(shard, Control::Shutdown { resumable });
        }
    }

    fn on_notice(&mut self, notice: Notice) {
        match notice {
            Notice::Fleet(input) => self.feed(input),
            Notice::Ended {
                shard,
                reason,
                snapshot,
            } => {
                let kept = matches!(reason, ClosedReason::Shutdown { resumable: true });
                let sessions = self.driver.sessions.as_ref();
                let tracked = sessions.and_then(|sessions| sessions.of(shard));
                if kept && snapshot.resumption.is_some() {
                    if let Some(tracked) = tracked {
                        tracked.describe(snapshot.clone());
                    }
                    self.driver.shared.add_snapshot(snapshot);
                } else if let Some(tracked) = tracked {
                    tracked.lost();
                }
                let fatal = match reason {
                    ClosedReason::Fatal(code) => {
                        self.driver.shared.fail(Failure::Refused { shard, code });
                        true
                    }
                    _ => false,
                };
                self.feed(Input::Closed { shard, fatal });
            }
        }
    }

    fn on_fetched(&mut self, answer: Result<GatewayBot, HttpError>) {
        self.fetch = None;
        match answer {
            Ok(found) => {
                self.gateway_url = Some(found.url);
                self.feed(Input::Limits {
                    shards: found.shards,
                    limit: found.session_start_limit,
                });
                for shard in std::mem::take(&mut self.unplaced) {
                    self.start(shard);
                }
            }
            Err(HttpError::Unauthorized) => {
                tracing::error!("{}", HttpError::Unauthorized);
                self.error(
                    ShardErrorKind::Fatal,
                    Some(401),
                    HttpError::Unauthorized.to_string(),
                    true,
                );
                self.driver
                    .shared
                    .fail(Failure::Token(HttpError::Unauthorized));
                self.feed(Input::LimitsFailed { retry_after: None });
                self.feed(Input::Shutdown);
            }
            Err(error) => {
                let retry_after = match error {
                    HttpError::RateLimited { retry_after } => Some(retry_after),
                    _ => None,
                };
                self.error(
                    ShardErrorKind::LimitsUnknown,
                    None,
                    error.to_string(),
                    false,
                );
                self.feed(Input::LimitsFailed { retry_after });
            }
        }
    }
}
