//! The task that owns the fleet: asks Discord for limits, starts and stops shards, hands out identify slots.

mod auto;
mod change;
pub(super) mod crew;
mod dry;
mod limits;
mod purse;
mod shards;
mod sides;
mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::future::{Future, pending, poll_fn};
use std::pin::Pin;
use std::sync::Arc;

use shardkeep_core::fleet::lease::View;
use shardkeep_core::fleet::reshard::across::Steer;
use shardkeep_core::fleet::{Event, Fleet, Input, Output, Serving, Shards, reshard};
use shardkeep_core::gateway::{Capsule, Snapshot};
use shardkeep_core::wire::EventFilter;
use shardkeep_core::{Instant, Machine, Rng, ShardId};
use tokio::sync::{mpsc, oneshot};

use super::reshard::Request;
use super::shared::Shared;
use crate::cache::Cache;
use crate::clock;
use crate::config::{AutoReshard, Config};
use crate::drive::Deadline;
use crate::http::{GatewayBot, HttpError};
use crate::rest::Rest;
use crate::sessions::{Loaded, Sessions};
use crate::shard::Notice;
use crate::transport::Connector;
use auto::Auto;
use change::{Change, Storing};
use crew::{Crew, Register, Stirred};
use dry::Dry;
use purse::Permits;
pub(super) use purse::PurseFile;
use told::Told;

/// What the bot asks of its fleet.
#[derive(Debug)]
pub(super) enum Order {
    /// Stop every shard. With `transfer`, the other processes of the fleet get them at once.
    Shutdown { resumable: bool, transfer: bool },
    /// Change how many shards there are, or say what that would cost.
    Reshard(Box<Request>),
    /// Pause, resume or abort that.
    Steer(Steer),
    /// Look at growth now and then, or no more.
    Auto(Option<AutoReshard>),
    /// Say what all processes of the fleet do.
    View(oneshot::Sender<View>),
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
    /// Where the processes of a fleet lease their shards, if they do.
    pub(super) register: Option<Arc<dyn Register>>,
    /// Where the processes of one machine count their identifies together, if they do.
    pub(super) purse: Option<Arc<PurseFile>>,
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
    /// What serves; none if this process runs a part of the bot's shards only.
    serving: Option<Serving>,
    /// How many shards Discord recommends.
    recommended: Option<u32>,
    /// A change of shards that is under way, and the number that it, or a predecessor's, is to lead to.
    change: Option<Box<Change>>,
    unfinished: Option<u32>,
    storing: Option<Storing>,
    auto: Option<Auto>,
    dry: Option<Dry>,
    /// This process's place among others, if it shares the bot's shards.
    crew: Option<Crew>,
    /// Shards that wait until the processes of this machine together may identify.
    permits: Option<Permits>,
    /// When `/gateway/bot` was asked last, in milliseconds of Unix time.
    asked_ms: u64,
    /// For whoever steers a change of shards.
    orders: mpsc::WeakUnboundedSender<Order>,
}

/// What woke the task.
enum Woken {
    Notice(Option<Notice>),
    Order(Option<Order>),
    Fetched(Result<GatewayBot, HttpError>),
    Due(Instant),
    Stored,
    Stirred(Stirred),
    Permitted(Option<ShardId>),
    Grown,
    Dried,
}

impl Driver {
    /// Runs until every shard has ended.
    pub(super) async fn run(
        self,
        to_itself: mpsc::WeakUnboundedSender<Order>,
        mut orders: mpsc::UnboundedReceiver<Order>,
    ) {
        let (notices, mut inbox) = mpsc::unbounded_channel();
        let mut running = self.begin(notices, to_itself).await;
        while !running.settle() {
            running.report();
            match running.wait(&mut inbox, &mut orders).await {
                Woken::Notice(Some(notice)) => running.on_notice(notice),
                Woken::Order(Some(order)) => running.obey(order),
                Woken::Stored => {
                    running.storing = None;
                    running.steer(reshard::Input::Committed);
                }
                Woken::Fetched(answer) => running.on_fetched(answer),
                Woken::Due(now) => running.fleet.handle_timeout(now),
                Woken::Grown => running.look_at_growth(),
                Woken::Dried => running.look_for_dry_shards(),
                Woken::Stirred(stirred) => running.on_stirred(stirred),
                Woken::Permitted(Some(shard)) => running.permitted_by_purse(shard),
                Woken::Permitted(None) => {}
                // The bot itself is gone: nobody is left to take events.
                Woken::Order(None) => running.shut_down(true, false),
                Woken::Notice(None) => break,
            }
        }
        running.report();
        running.driver.shared.stop();
    }
}

impl Driver {
    /// From what a predecessor stored.
    async fn begin(
        self,
        notices: mpsc::UnboundedSender<Notice>,
        to_itself: mpsc::WeakUnboundedSender<Order>,
    ) -> Running {
        let crew = self.register.clone();
        let crew = crew.map(|register| Crew::new(&self.config, register));
        let mut loaded = self.load().await;
        if crew.is_some() {
            // Sessions are looked for when their shards are taken.
            loaded.capsules.clear();
        }
        let mut config = self.config.fleet_machine(self.seed);
        let mut unfinished = None;
        if let Some((topology, target)) = loaded.shape(&config.shards)
            && crew.is_none()
        {
            tracing::info!(shards = %topology, "going on with the shards that an earlier change led to");
            config.shards = Shards::Fixed(topology);
            unfinished = target;
        }
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
            serving: None,
            recommended: None,
            change: None,
            unfinished,
            storing: None,
            auto: None,
            dry: Dry::new(self.config.dry),
            crew,
            permits: self.purse.clone().map(Permits::new),
            asked_ms: 0,
            orders: to_itself,
            driver: self,
        };
        running.know_serving();
        running.set_auto(Some(running.driver.config.auto_reshard));
        for (shard, capsule) in &running.capsules {
            let known = running.driver.snapshots.entry(*shard);
            known.or_insert_with(|| capsule.snapshot());
        }
        for shard in running.driver.snapshots.keys().copied().collect::<Vec<_>>() {
            let topology = running.fleet.topology();
            if topology.is_some_and(|topology| !topology.contains(shard)) {
                running.tell(Told::Foreign(shard));
            } else {
                running.feed(Input::Resumable { shard });
            }
        }
        running
    }

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
        let crew = async {
            match &mut self.crew {
                Some(crew) => crew.stirred().await,
                None => pending().await,
            }
        };
        let permits = async {
            match &mut self.permits {
                Some(permits) => permits.next().await,
                None => pending().await,
            }
        };
        let storing = async {
            match &mut self.storing {
                Some(storing) => storing.await,
                None => pending().await,
            }
        };
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
            () = storing => Woken::Stored,
            () = auto::due(self.auto.as_ref()) => Woken::Grown,
            () = dry::due(self.dry.as_ref()) => Woken::Dried,
            stirred = crew => Woken::Stirred(stirred),
            shard = permits => Woken::Permitted(shard),
            now = poll_fn(|cx| deadline.poll(cx, fleet)) => Woken::Due(now),
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Shutdown {
                resumable,
                transfer,
            } => self.shut_down(resumable, transfer),
            Order::Auto(config) => self.set_auto(config),
            Order::View(answer) => self.asked_for_view(answer),
            Order::Reshard(request) => self.asked_to_reshard(*request),
            Order::Steer(steer) => self.steered(steer),
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

    fn shut_down(&mut self, resumable: bool, transfer: bool) {
        self.resumable = resumable;
        // A lease that is not given back is found by the others when its term is over.
        let gives_back = (transfer || !resumable) && self.leave_crew();
        if !gives_back {
            self.feed(Input::Shutdown);
        }
    }

    /// Everything that the last input led to. `true` once the fleet has stopped.
    fn settle(&mut self) -> bool {
        if self.drain() {
            return true;
        }
        if self.drive_crew() {
            self.feed(Input::Shutdown);
        }
        self.drain()
    }

    /// Does what the fleet says. `true` once it has stopped.
    fn drain(&mut self) -> bool {
        let mut stopped = false;
        while let Some(output) = self.fleet.poll_output() {
            match output {
                Output::FetchLimits => self.fetch_limits(),
                Output::Start { shard } => self.start(shard),
                Output::GrantIdentify { shard } => self.granted(shard),
                Output::Stop { shard } => self.stop(shard),
                Output::Event(Event::Stopped) => stopped = true,
                Output::Event(Event::TopologyResolved { topology }) => {
                    tracing::info!(shards = %topology, "Discord recommends how many shards to run");
                    self.know_serving();
                }
                Output::Event(Event::Released { shard }) => self.released(shard),
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
}
