//! The world: every connection, session, limit and fault of one simulated Discord application.

mod alarm;
mod changes;
mod chatter;
mod commands;
mod compose;
pub mod config;
mod connection;
pub mod control;
mod dispatch;
mod faults;
#[cfg(feature = "server")]
pub(crate) mod flood;
mod gateway;
mod http;
mod identify;
pub mod io;
pub mod ledger;
mod members;
mod outbox;
mod resume;
mod session;
mod steer;
mod stream;

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use shardkeep_core::{Instant, Machine, Rng, ShardId, Timeout};

use self::alarm::{Alarm, Alarms};
use self::chatter::Chatter;
use self::config::WorldConfig;
use self::connection::Connection;
use self::faults::Trouble;
use self::http::Rest;
use self::identify::Budget;
use self::io::{Input, Misuse, Output, Wait};
use self::ledger::{Counters, Ledger, SessionLedger, Violation};
use self::outbox::Outbox;
use self::session::Session;
use crate::guild::Catalog;

/// A simulated Discord, seen from the bot of one application.
///
/// It implements [`Machine`]; the example at the top of the crate shows a conversation's first line.
pub struct World {
    config: WorldConfig,
    now: Instant,
    latency: Duration,
    rng: Rng,
    catalog: Catalog,
    connections: BTreeMap<u64, Connection>,
    sessions: BTreeMap<u64, Session>,
    /// Session ids as clients know them.
    names: BTreeMap<String, u64>,
    /// Sessions by shard.
    routes: BTreeMap<ShardId, Vec<u64>>,
    /// How many sessions each `num_shards` has.
    totals: Vec<(u32, u32)>,
    next_session: u64,
    /// How many sessions have no MESSAGE_CONTENT.
    blind_sessions: u32,
    /// Guilds in outage, and until when.
    dark: BTreeMap<u32, Instant>,
    /// Guilds that the bot left.
    left: BTreeSet<u32>,
    /// When all members of a guild were last asked for.
    members_asked: BTreeMap<u32, Instant>,
    chatter: Chatter,
    trouble: Trouble,
    rest: Rest,
    /// The last id that was made, so that the next one differs.
    last_id: u64,
    budget: Budget,
    alarms: Alarms,
    outbox: Outbox,
    ledger: Ledger,
    scratch: Vec<u8>,
    scratch_keys: Vec<u64>,
}

/// What a world can tell about itself at any time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Snapshot {
    /// The counts.
    pub counters: Counters,
    /// Every session that is remembered, ended ones first, without entries.
    pub sessions: Vec<SessionLedger>,
}

impl World {
    /// A world at the moment `now`, before anyone connects.
    #[must_use]
    pub fn new(config: WorldConfig, now: Instant) -> Self {
        let mut world = Self {
            now,
            latency: Duration::from_millis(config.latency_ms),
            rng: Rng::new(config.seed),
            catalog: Catalog::new(config.seed, config.guilds, config.members_per_guild),
            connections: BTreeMap::new(),
            sessions: BTreeMap::new(),
            names: BTreeMap::new(),
            routes: BTreeMap::new(),
            totals: Vec::new(),
            next_session: 1,
            blind_sessions: 0,
            dark: BTreeMap::new(),
            left: BTreeSet::new(),
            members_asked: BTreeMap::new(),
            chatter: Chatter::default(),
            trouble: Trouble::default(),
            rest: Rest::new(config.rest.clone(), config.seed, now, config.epoch_unix_ms),
            last_id: 0,
            budget: Budget::new(&config, now),
            alarms: Alarms::default(),
            outbox: Outbox::default(),
            ledger: Ledger::default(),
            scratch: Vec::new(),
            scratch_keys: Vec::new(),
            config,
        };
        world.count_budget();
        world.set_chatter(world.config.chatter_per_s);
        world
    }

    /// What was chosen for this world.
    #[must_use]
    pub const fn config(&self) -> &WorldConfig {
        &self.config
    }

    /// Everything that is counted.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        &self.ledger.counters
    }

    /// Whether a fault made a connection half-open. A driver with real sockets leaves such a connection's pings and
    /// close frames unanswered: the world takes no notice of them either.
    #[must_use]
    pub fn is_half_open(&self, connection: u64) -> bool {
        self.connections
            .get(&connection)
            .is_some_and(|there| there.ailments.half_open)
    }

    /// The rules that clients broke, oldest first. The first 1,000 are kept; [`Counters::violations`] counts all.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.ledger.violations
    }

    /// What was sent on every session: ended ones first, oldest first.
    pub fn ledger(&self) -> impl Iterator<Item = &SessionLedger> {
        self.ledger
            .ended
            .iter()
            .chain(self.sessions.values().map(|session| &session.ledger))
    }

    /// Milliseconds since 1970.
    fn unix_ms(&self) -> u64 {
        self.config.epoch_unix_ms + self.now.as_millis()
    }

    /// Lets everything happen that is due.
    fn advance(&mut self, now: Instant) {
        while let Some((at, alarm)) = self.alarms.due(now) {
            self.now = self.now.max(at);
            self.ring(alarm);
        }
        self.now = self.now.max(now);
    }

    fn ring(&mut self, alarm: Alarm) {
        match alarm {
            Alarm::Hello(number) => self.say_hello(number),
            Alarm::Late(number) => self.release_late(number),
            Alarm::Merge(number) => self.release_merged(number),
            Alarm::Ready(key) => self.say_ready(key),
            Alarm::Stream(key) => self.stream(key),
            Alarm::Heartbeat(number) => self.check_heartbeat(number),
            Alarm::Expiry(key) => self.expire(key),
            Alarm::Hangup(number) => self.hang_up(number),
            Alarm::Chatter => self.ring_chatter(),
            Alarm::Weather => self.ring_weather(),
            Alarm::GuildBack(index) => self.ring_guild_back(index),
            Alarm::HttpArrives(request) => self.ring_http_arrives(request),
            Alarm::HttpAnswer(request) => self.ring_http_answer(request),
        }
    }
}

impl Machine for World {
    type Input<'a> = Input<'a>;
    type Output<'a> = Output<'a>;
    type Reason = Wait;
    type Snapshot = Snapshot;
    type Misuse = Misuse;

    fn handle_input(&mut self, now: Instant, input: Input<'_>) -> Result<(), Misuse> {
        self.advance(now);
        match input {
            Input::Open {
                connection,
                path_and_query,
            } => return self.open(connection, path_and_query),
            Input::Text { connection, bytes } | Input::Binary { connection, bytes } => {
                self.message(connection, bytes);
            }
            Input::Closed { connection, code } => self.closed(connection, code),
            Input::Backlog { connection, bytes } => {
                if let Some(connection) = self.connections.get_mut(&connection) {
                    connection.backlog_bytes = bytes;
                }
            }
            Input::Http {
                request,
                method,
                path_and_query,
                authorization,
                body,
            } => {
                self.http(request, method, path_and_query, authorization, body);
            }
            Input::Control(control) => {
                self.control(now, control);
            }
        }
        Ok(())
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.advance(now);
    }

    fn poll_output(&mut self) -> Option<Output<'_>> {
        self.outbox.poll()
    }

    fn poll_timeout(&self) -> Option<Timeout<Wait>> {
        self.alarms.next()
    }

    fn snapshot(&self) -> Snapshot {
        let sessions = self.ledger().map(SessionLedger::without_entries).collect();
        Snapshot {
            counters: self.ledger.counters.clone(),
            sessions,
        }
    }
}
