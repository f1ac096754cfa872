//! A bot in virtual time: a fleet and its sessions, with a log of everything they dispatched.

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use shardkeep_core::fleet::{self, Fleet, SessionStartLimit, Shards};
use shardkeep_core::gateway::{self, Event, Session, Stats};
use shardkeep_core::wire::{Command, Compression, EventKind, Intents, Miniz, json};
use shardkeep_core::{Instant, Machine, Rng, ShardId, Token};

use super::Plan;
use super::network::{Network, Parcel};
use crate::digest;

/// What the bot dispatched, session by session.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// Sequence and digest of every dispatch, in order.
    pub(super) sessions: BTreeMap<String, Vec<(u64, u64)>>,
    /// What each resume claims.
    pub(super) resumes: Vec<Resumed>,
    /// Everything that happened, folded into one number: equal for equal seeds.
    pub(super) hash: u64,
}

/// One resume, as the bot saw it.
#[derive(Debug)]
pub(super) struct Resumed {
    pub(super) session: String,
    /// The sequence it resumed from, and the one it had reached with RESUMED.
    pub(super) from: u64,
    pub(super) to: u64,
    /// How many dispatches were replayed, by the session's own count.
    pub(super) replayed: u64,
}

#[derive(Debug)]
struct Shard {
    session: Session,
    connection: Option<u64>,
    /// The session that its log entries belong to.
    name: String,
    resuming_from: u64,
}

pub(super) struct Bot {
    plan: Plan,
    fleet: Fleet,
    shards: BTreeMap<ShardId, Shard>,
    /// Which shard holds which connection.
    holders: BTreeMap<u64, ShardId>,
    connections: u64,
    rng: Rng,
    for_fleet: VecDeque<fleet::Input>,
    /// When `/gateway/bot` answers.
    limits_at: Option<Instant>,
    commands: u64,
    /// Counters of sessions that were replaced by a restart.
    past: Vec<Stats>,
    pub(super) log: Log,
}

impl Bot {
    pub(super) fn new(plan: &Plan, rng: Rng) -> Self {
        let shards = Shards::count(plan.shards).expect("a plan has a valid number of shards");
        Self {
            plan: plan.clone(),
            fleet: Fleet::new(fleet::Config {
                seed: plan.seed,
                ..fleet::Config::new(shards)
            }),
            shards: BTreeMap::new(),
            holders: BTreeMap::new(),
            connections: 0,
            rng,
            for_fleet: VecDeque::new(),
            limits_at: None,
            commands: 0,
            past: Vec::new(),
            log: Log::default(),
        }
    }

    pub(super) fn next_at(&self) -> Option<Instant> {
        let sessions = self
            .shards
            .values()
            .filter_map(|shard| shard.session.poll_timeout());
        let sessions = sessions.map(|timeout| timeout.at).min();
        let fleet = self.fleet.poll_timeout().map(|timeout| timeout.at);
        [sessions, fleet, self.limits_at]
            .into_iter()
            .flatten()
            .min()
    }

    pub(super) fn on_time(
        &mut self,
        now: Instant,
        limit: SessionStartLimit,
        network: &mut Network,
    ) {
        if self.limits_at.is_some_and(|at| at <= now) {
            self.limits_at = None;
            // Some answers get lost, as HTTP answers do.
            self.for_fleet.push_back(match self.rng.below(10) {
                0 => fleet::Input::LimitsFailed { retry_after: None },
                _ => fleet::Input::Limits {
                    shards: self.plan.shards,
                    limit,
                },
            });
        }
        self.fleet.handle_timeout(now);
        let due = |shard: &Shard| {
            shard
                .session
                .poll_timeout()
                .is_some_and(|timeout| timeout.at <= now)
        };
        let due: Vec<_> = self
            .shards
            .iter()
            .filter(|(_, shard)| due(shard))
            .map(|(&id, _)| id)
            .collect();
        for id in due {
            if let Some(shard) = self.shards.get_mut(&id) {
                shard.session.handle_timeout(now);
            }
            self.drain(now, id, network);
        }
        self.serve_fleet(now, network);
    }

    pub(super) fn on_parcel(
        &mut self,
        now: Instant,
        connection: u64,
        parcel: &Parcel,
        network: &mut Network,
    ) {
        let Some(&id) = self.holders.get(&connection) else {
            return;
        };
        let Some(shard) = self
            .shards
            .get_mut(&id)
            .filter(|shard| shard.connection == Some(connection))
        else {
            return;
        };
        let input = match parcel {
            Parcel::Connected => gateway::Input::Connected,
            Parcel::ToBot(bytes, true) => gateway::Input::Binary(bytes),
            Parcel::ToBot(bytes, false) => gateway::Input::Text(bytes),
            Parcel::Disconnected(code) => {
                shard.connection = None;
                gateway::Input::Disconnected { code: *code }
            }
            Parcel::Open(_) | Parcel::ToWorld(_) | Parcel::Closed(_) => return,
        };
        let outcome = shard.session.handle_input(now, input);
        debug_assert_eq!(outcome, Ok(()), "the driver broke a rule");
        self.drain(now, id, network);
        self.serve_fleet(now, network);
    }

    /// The user's whims: bursts of commands, reconnects, and processes that die and restore their sessions.
    pub(super) fn whim(&mut self, now: Instant, network: &mut Network) {
        let Some(id) = self.any_shard() else { return };
        match self.rng.below(4) {
            0 => {
                let count = 1 + self.rng.below(200);
                self.command(now, id, count);
            }
            1 => {
                if let Some(shard) = self.shards.get_mut(&id) {
                    let outcome = shard.session.handle_input(now, gateway::Input::Reconnect);
                    debug_assert_eq!(outcome, Ok(()));
                }
            }
            2 => self.restart(now, id, network),
            _ => self.command(now, id, 1),
        }
        self.drain(now, id, network);
        self.serve_fleet(now, network);
    }

    fn any_shard(&mut self) -> Option<ShardId> {
        let index = self.rng.below(self.shards.len() as u64);
        self.shards
            .keys()
            .nth(usize::try_from(index).ok()?)
            .copied()
    }

    fn command(&mut self, now: Instant, id: ShardId, count: u64) {
        let Some(shard) = self.shards.get_mut(&id) else {
            return;
        };
        for _ in 0..count {
            self.commands += 1;
            let guild = self.rng.below(50) << 22;
            let (op, d) = match self.rng.below(3) {
                0 => (
                    3,
                    String::from(r#"{"since":null,"activities":[],"status":"idle","afk":false}"#),
                ),
                1 => (
                    8,
                    format!(r#"{{"guild_id":"{guild}","query":"","limit":0}}"#),
                ),
                _ => (
                    4,
                    format!(
                        r#"{{"guild_id":"{guild}","channel_id":null,"self_mute":false,"self_deaf":false}}"#
                    ),
                ),
            };
            let command = Command::from_json(op, d.as_bytes()).expect("these commands are valid");
            let send = gateway::Input::Send {
                id: self.commands,
                command: &command,
            };
            debug_assert_eq!(shard.session.handle_input(now, send), Ok(()));
        }
    }

    /// The process of one shard dies without a word and another one goes on from its snapshot.
    fn restart(&mut self, now: Instant, id: ShardId, network: &mut Network) {
        let Some(shard) = self.shards.get_mut(&id) else {
            return;
        };
        let snapshot = shard.session.snapshot();
        if snapshot.resumption.is_none() {
            return;
        }
        if let Some(connection) = shard.connection.take() {
            network.forget(connection);
            network.send(now, connection, Parcel::Closed(None));
        }
        self.past.push(shard.session.stats());
        let config = config(&self.plan, id, self.rng.next_u64());
        shard.session = Session::restore(config, Box::new(Miniz::new()), snapshot, now)
            .expect("a snapshot of this shard fits this shard");
        self.for_fleet.push_back(fleet::Input::Down { shard: id });
    }

    fn serve_fleet(&mut self, now: Instant, network: &mut Network) {
        loop {
            while let Some(input) = self.for_fleet.pop_front() {
                let outcome = self.fleet.handle_input(now, input);
                debug_assert_eq!(outcome, Ok(()), "the driver broke a rule with {input:?}");
            }
            let Some(output) = self.fleet.poll_output() else {
                return;
            };
            match output {
                fleet::Output::FetchLimits => {
                    self.limits_at = Some(now + Duration::from_millis(200))
                }
                fleet::Output::Start { shard } => {
                    self.start(now, shard);
                    self.drain(now, shard, network);
                }
                fleet::Output::GrantIdentify { shard: id } => {
                    if let Some(shard) = self.shards.get_mut(&id) {
                        let outcome = shard
                            .session
                            .handle_input(now, gateway::Input::IdentifyGranted);
                        debug_assert_eq!(outcome, Ok(()));
                    }
                    self.drain(now, id, network);
                }
                _ => {}
            }
        }
    }

    fn start(&mut self, now: Instant, id: ShardId) {
        let config = config(&self.plan, id, self.rng.next_u64());
        let session =
            Session::new(config, Box::new(Miniz::new()), now).expect("a plan has a valid config");
        let mut shard = Shard {
            session,
            connection: None,
            name: String::new(),
            resuming_from: 0,
        };
        shard.session.handle_timeout(now);
        self.shards.insert(id, shard);
    }

    /// Does what a session says.
    fn drain(&mut self, now: Instant, id: ShardId, network: &mut Network) {
        let Self {
            shards,
            holders,
            connections,
            rng,
            for_fleet,
            log,
            ..
        } = self;
        let Some(shard) = shards.get_mut(&id) else {
            return;
        };
        while let Some(output) = shard.session.poll_output() {
            match output {
                gateway::Output::Connect { url } => {
                    *connections += 1;
                    if let Some(old) = shard.connection.replace(*connections) {
                        network.forget(old);
                        network.send(now, old, Parcel::Closed(None));
                    }
                    holders.insert(*connections, id);
                    match rng.below(50) {
                        0 => network.send(now, *connections, Parcel::Disconnected(None)),
                        // A connect that neither succeeds nor fails.
                        1 => {}
                        _ => network.send(now, *connections, Parcel::Open(path(url))),
                    }
                }
                gateway::Output::Send(bytes) => {
                    if let Some(from) = resume_sequence(bytes) {
                        shard.resuming_from = from;
                    }
                    if let Some(connection) = shard.connection {
                        network.send(now, connection, Parcel::ToWorld(bytes.to_vec()));
                    }
                }
                gateway::Output::Close { code, .. } => {
                    if let Some(connection) = shard.connection {
                        network.forget(connection);
                        network.send(now, connection, Parcel::Closed(Some(code.0)));
                        network.send(now, connection, Parcel::Disconnected(None));
                    }
                }
                gateway::Output::WantIdentify => {
                    for_fleet.push_back(fleet::Input::WantIdentify { shard: id })
                }
                gateway::Output::CancelIdentify => {
                    for_fleet.push_back(fleet::Input::CancelIdentify { shard: id });
                }
                gateway::Output::IdentifyUnused => {
                    for_fleet.push_back(fleet::Input::IdentifyUnused { shard: id });
                }
                gateway::Output::Dispatch(dispatch) => {
                    let digest = digest(dispatch.data);
                    log.hash = log.hash.wrapping_mul(31) ^ digest ^ dispatch.sequence;
                    if dispatch.kind != EventKind::Resumed {
                        let entries = log.sessions.entry(shard.name.clone()).or_default();
                        entries.push((dispatch.sequence, digest));
                    }
                }
                gateway::Output::Event(event) => {
                    log.hash = log.hash.wrapping_mul(31) ^ now.as_micros();
                    on_event(
                        event,
                        id,
                        &mut shard.name,
                        shard.resuming_from,
                        log,
                        for_fleet,
                    );
                }
                _ => {}
            }
        }
    }

    /// The counters of every session there was.
    pub(super) fn stats(&self) -> impl Iterator<Item = Stats> + '_ {
        self.past
            .iter()
            .copied()
            .chain(self.shards.values().map(|shard| shard.session.stats()))
    }

    /// Shards whose session is not established.
    pub(super) fn not_ready(&self) -> u32 {
        let established = self
            .shards
            .values()
            .filter(|shard| shard.session.established_at().is_some());
        self.plan.shards - u32::try_from(established.count()).unwrap_or(0)
    }
}

fn on_event(
    event: Event<'_>,
    id: ShardId,
    name: &mut String,
    from: u64,
    log: &mut Log,
    for_fleet: &mut VecDeque<fleet::Input>,
) {
    match event {
        Event::Ready { session_id, .. } => {
            session_id.clone_into(name);
            for_fleet.push_back(fleet::Input::Ready { shard: id });
        }
        Event::Resumed {
            session_id,
            sequence,
            replayed,
        } => {
            let session = session_id.to_owned();
            log.resumes.push(Resumed {
                session,
                from,
                to: sequence,
                replayed,
            });
            for_fleet.push_back(fleet::Input::Resumed { shard: id });
        }
        Event::Disconnected { .. } => for_fleet.push_back(fleet::Input::Down { shard: id }),
        Event::Closed { .. } => for_fleet.push_back(fleet::Input::Closed {
            shard: id,
            fatal: true,
        }),
        _ => {}
    }
}

fn config(plan: &Plan, shard: ShardId, seed: u64) -> gateway::Config {
    let token = Token::new(crate::DEFAULT_TOKEN).expect("the world's token is a token");
    let intents = Intents::ALL
        .without(Intents::GUILD_PRESENCES)
        .without(Intents::GUILD_MEMBERS);
    let mut config = gateway::Config::new(shard, token, intents, "ws://gateway.sim.invalid");
    config.custom_base = true;
    config.compression = match plan.seed % 8 {
        0 => Compression::ZlibStream,
        1 => Compression::Payload,
        _ => Compression::None,
    };
    config.seed = seed;
    config
}

/// The request target of a WebSocket URL.
fn path(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/')
        .map_or_else(|| String::from("/"), |slash| String::from(&rest[slash..]))
}

/// The sequence in a resume; `None` for any other message.
fn resume_sequence(payload: &[u8]) -> Option<u64> {
    if json::field(payload, "op")? != b"6" {
        return None;
    }
    json::unsigned(json::field(json::field(payload, "d")?, "seq")?)
}
