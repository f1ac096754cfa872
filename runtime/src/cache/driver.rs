//! The hands of the cache: they read and write stores, ask Discord, and tell other processes what has changed.
//!
//! All of it happens on a thread of its own: neither a store that is slow nor a disk that is full keeps a socket from
//! being read or a heartbeat from being sent.

use std::fmt::Write as _;
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use shardkeep_core::cache::{BatchId, FlightId, Input, Key, Output, Version, Write, Written};
use shardkeep_core::rest::route::Method;
use shardkeep_core::{Instant, Snowflake};
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep_until, timeout_at};

use super::hearing::CHANGED;
use super::places;
use super::shared::Shared;
use crate::bus::EventBus;
use crate::clock;
use crate::rest::{Rest, RestError};
use crate::store::{Counted, Held, Life, RemoteStore as _, StoreError};

/// How often the store is asked whether it is still the one that it was.
const PROBE: Duration = Duration::from_secs(5);

/// The first pause before a store that went away is asked again; each further one is twice as long.
const AWAY_FIRST: Duration = Duration::from_millis(100);

/// The longest of them.
const AWAY_LAST: Duration = Duration::from_secs(5);

/// How often it is asked for its life at most while it is connected to anew.
const PROBES: u32 = 3;

/// How many changes one message tells of at most.
const TOGETHER: usize = 512;

/// What the driver stands on.
pub(super) struct Driver {
    pub(super) shared: Arc<Shared>,
    pub(super) store: Option<Arc<Counted>>,
    pub(super) bus: Option<Arc<dyn EventBus>>,
    pub(super) rest: Rest,
    pub(super) inbox: mpsc::UnboundedReceiver<Output>,
}

/// What something that was under way came to.
enum Done {
    Written(BatchId, Vec<Result<crate::store::Written, StoreError>>),
    /// With the store's doubts when it had answered.
    Read(Vec<FlightId>, Result<Vec<Held>, StoreError>, u64),
    Asked(FlightId, Result<Vec<u8>, RestError>),
    Cleared(Result<(), StoreError>),
    /// With the store's doubts, of which there were no more when it had answered.
    Probed(Result<Option<Life>, StoreError>, u64),
    Told,
}

type Job = Pin<Box<dyn Future<Output = Done> + Send>>;

struct Running {
    driver: Driver,
    jobs: FuturesUnordered<Job>,
    /// The store's life, as it was last told.
    life: Option<Life>,
    /// The store's doubts when that was told.
    doubts: u64,
    is_away: bool,
    /// When it is asked for that next, unless it is being asked.
    next_probe: Instant,
    is_probing: bool,
    pause: Duration,
    /// Changes that other processes are to hear of, and whether some are being told.
    changed: Vec<(Key, u64)>,
    is_telling: bool,
}

impl Driver {
    /// Runs until `stop` says until when what waits may still be written.
    pub(super) async fn run(self, mut stop: watch::Receiver<Option<Instant>>) {
        let mut running = Running {
            driver: self,
            jobs: FuturesUnordered::new(),
            life: None,
            doubts: 0,
            is_away: true,
            next_probe: clock::now(),
            is_probing: false,
            pause: AWAY_FIRST,
            changed: Vec::new(),
            is_telling: false,
        };
        loop {
            tokio::select! {
                biased;
                told = stop.wait_for(Option::is_some) => {
                    let until = told.ok().and_then(|until| *until);
                    running.finish(until.unwrap_or(Instant::ZERO)).await;
                    break;
                }
                () = running.turn() => {}
            }
        }
        running.driver.shared.end();
    }
}

impl Running {
    async fn turn(&mut self) {
        let shared = Arc::clone(&self.driver.shared);
        let due = async {
            match shared.due() {
                Some(due) => sleep_until(clock::to_tokio(due)).await,
                None => pending().await,
            }
        };
        let may_probe = self.driver.store.is_some() && !self.is_probing;
        let probe = clock::to_tokio(self.next_probe);
        tokio::select! {
            Some(output) = self.driver.inbox.recv() => self.begin(output),
            Some(done) = self.jobs.next(), if !self.jobs.is_empty() => self.end(done),
            () = due => shared.tick(),
            () = shared.sooner.notified() => {}
            () = sleep_until(probe), if may_probe => self.probe(),
        }
        self.tell();
    }

    /// Writes what waits, as far as there is time for it.
    async fn finish(&mut self, until: Instant) {
        while !self.is_settled() {
            if timeout_at(clock::to_tokio(until), self.turn())
                .await
                .is_err()
            {
                let stats = self.driver.shared.read().stats();
                tracing::warn!(
                    writes = stats.pending,
                    "the cache was not written to its store in full: what it lacks is told again by Discord"
                );
                return;
            }
        }
    }

    /// Whether nothing is left to be written.
    fn is_settled(&self) -> bool {
        self.driver.store.is_none()
            || self.is_away
            || self.driver.shared.read().stats().pending == 0
    }

    fn begin(&mut self, output: Output) {
        match output {
            Output::Write { batch, writes } => self.write(batch, writes),
            Output::Read { keys } => self.read(&keys),
            Output::Clear {
                kind,
                scope,
                before,
            } => self.clear(Key::new(kind, scope, Snowflake(0)), before),
            Output::Ask { flight, key } => self.ask(flight, key),
            Output::Invalidate { key, digest } => {
                if self.driver.bus.is_some() {
                    self.changed.push((key, digest));
                }
            }
            Output::Deliver { .. } | Output::Before { .. } => {}
            _ => tracing::warn!(
                "an output of the cache that this version does not know was passed over"
            ),
        }
    }

    fn write(&self, batch: BatchId, writes: Vec<Write>) {
        let Some(store) = self.driver.store.clone() else {
            return;
        };
        self.jobs.push(Box::pin(async move {
            let writes: Vec<_> = writes.into_iter().map(places::write).collect();
            Done::Written(batch, store.write(&writes).await)
        }));
    }

    fn read(&self, keys: &[(FlightId, Key)]) {
        let (Some(store), Some((_, first))) = (self.driver.store.clone(), keys.first()) else {
            return;
        };
        let namespace = places::namespace(*first);
        let flights = keys.iter().map(|(flight, _)| *flight).collect();
        let ids: Vec<String> = keys.iter().map(|(_, key)| key.id.to_string()).collect();
        self.jobs.push(Box::pin(async move {
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            let held = store.read(&namespace, &ids).await;
            Done::Read(flights, held, store.doubts())
        }));
    }

    fn clear(&self, scope: Key, before: Version) {
        let Some(store) = self.driver.store.clone() else {
            return;
        };
        self.jobs.push(Box::pin(async move {
            let before = crate::store::Version::new(before.epoch, before.seq);
            Done::Cleared(store.clear(&places::namespace(scope), before).await)
        }));
    }

    fn ask(&self, flight: FlightId, key: Key) {
        let Some(path) = places::path(key) else {
            self.driver.shared.feed(Input::AskFailed { flight });
            return;
        };
        let asked = self.driver.rest.request(Method::Get, path).send();
        self.jobs.push(Box::pin(async move {
            let answer = asked.await.map(|answer| answer.bytes().to_vec());
            Done::Asked(flight, answer)
        }));
    }

    fn probe(&mut self) {
        if let Some(store) = self.driver.store.clone() {
            self.is_probing = true;
            self.jobs.push(Box::pin(async move {
                let (mut doubts, mut told) = (store.doubts(), store.life().await);
                // Asking may be what connects to it.
                for _ in 1..PROBES {
                    let since = std::mem::replace(&mut doubts, store.doubts());
                    if since == doubts {
                        break;
                    }
                    told = store.life().await;
                }
                Done::Probed(told, doubts)
            }));
        }
    }

    /// Tells other processes what has changed, one message at a time.
    fn tell(&mut self) {
        let Some(bus) = self.driver.bus.clone().filter(|_| !self.is_telling) else {
            return;
        };
        let now = self.changed.len().min(TOGETHER);
        if now == 0 {
            return;
        }
        let mut text = String::new();
        for (key, digest) in self.changed.drain(..now) {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{} {} {} {digest:x}", key.kind, key.scope, key.id);
        }
        self.is_telling = true;
        self.jobs.push(Box::pin(async move {
            if let Err(error) = bus.publish(CHANGED, text.as_bytes()).await {
                // A hint: whoever missed it is told by Discord, or reads versions.
                tracing::debug!(%error, "changes could not be told to other processes");
            }
            Done::Told
        }));
    }

    fn end(&mut self, done: Done) {
        let shared = Arc::clone(&self.driver.shared);
        match done {
            Done::Written(batch, outcomes) => {
                let written: Vec<Written> = outcomes.iter().map(places::written).collect();
                shared.feed(Input::Written {
                    batch,
                    outcomes: &written,
                });
                self.suspect(outcomes.iter().filter_map(|one| one.as_ref().err()));
            }
            Done::Read(flights, Ok(_), doubts) if doubts != self.doubts => {
                // Whoever has answered may be another one, who never had what was confirmed.
                for flight in flights {
                    shared.feed(Input::ReadFailed { flight });
                }
                self.next_probe = clock::now();
            }
            Done::Read(flights, Ok(held), _) => {
                let mut held = held.into_iter();
                for flight in flights {
                    match held.next() {
                        Some(held) => shared.feed(Input::Held {
                            flight,
                            json: held.value.as_deref().map(str::as_bytes),
                            version: held.version.map(places::version),
                        }),
                        None => shared.feed(Input::ReadFailed { flight }),
                    }
                }
            }
            Done::Read(flights, Err(error), _) => {
                for flight in flights {
                    shared.feed(Input::ReadFailed { flight });
                }
                self.suspect([&error].into_iter());
            }
            Done::Asked(flight, Ok(json)) => shared.feed(Input::Answered {
                flight,
                json: &json,
            }),
            Done::Asked(flight, Err(error)) => match error.status() {
                Some(403 | 404) => shared.feed(Input::NotFound { flight }),
                _ => shared.feed(Input::AskFailed { flight }),
            },
            Done::Cleared(outcome) => {
                if let Err(error) = outcome {
                    tracing::debug!(%error, "what is no longer true stays in the store until its time ends");
                }
            }
            Done::Probed(outcome, doubts) => {
                self.is_probing = false;
                self.doubts = doubts;
                match outcome {
                    // An answer that names no life, where one was named before, is a wrong one: taking it for a loss
                    // would part us from those who share the store, and from the epoch that they agree on.
                    Ok(None) if self.life.is_some() => self.is_gone(&StoreError::Wrong {
                        reason: "it does not say any more which life it is in".to_owned(),
                    }),
                    Ok(life) => self.is_there(life),
                    Err(error) => self.is_gone(&error),
                }
            }
            Done::Told => self.is_telling = false,
        }
    }

    /// Whether the store is away, or was while it did not answer.
    fn suspect<'a>(&mut self, mut errors: impl Iterator<Item = &'a StoreError>) {
        let doubt = errors.find(|error| {
            matches!(
                error,
                StoreError::Away { .. } | StoreError::Uncertain { .. }
            )
        });
        if let Some(error) = doubt {
            self.is_gone(error);
        }
    }

    /// The store is not asked for anything until a probe finds it.
    fn is_gone(&mut self, error: &StoreError) {
        if std::mem::replace(&mut self.is_away, true) {
            self.pause = (self.pause * 2).min(AWAY_LAST);
        } else {
            tracing::warn!(%error, "the cache's store is away: what changes waits");
            self.driver.shared.feed(Input::StoreDown);
            self.pause = AWAY_FIRST;
        }
        self.next_probe = clock::now() + self.pause;
    }

    fn is_there(&mut self, life: Option<Life>) {
        let is_other = self.life.is_some() && self.life != life;
        let is_first = self.life.is_none() && life.is_some();
        let was_away = std::mem::replace(&mut self.is_away, false);
        if was_away || is_other {
            tracing::info!(lost = is_other, "the cache's store is there");
            self.driver.shared.feed(Input::StoreUp {
                lost: is_other || is_first,
                epoch: life.as_ref().map_or(0, |life| life.epoch),
            });
        }
        self.life = life;
        self.next_probe = clock::now() + PROBE;
    }
}
