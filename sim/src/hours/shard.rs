//! One shard of a bot in virtual time: its session, its connection, and its part of the log.

use std::collections::{BTreeMap, VecDeque};

use shardkeep_core::gateway::{self, Event, Input, Output, Session};
use shardkeep_core::wire::{Compression, EventKind, Intents, Miniz, json};
use shardkeep_core::{Instant, Machine, Rng, ShardId, Token, fleet};

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

/// What the shards of a bot share.
pub(super) struct Common {
    pub(super) log: Log,
    pub(super) rng: Rng,
    pub(super) for_fleet: VecDeque<fleet::Input>,
    /// Which shard holds which connection.
    pub(super) holders: BTreeMap<u64, ShardId>,
    pub(super) connections: u64,
}

#[derive(Debug)]
pub(super) struct Shard {
    pub(super) id: ShardId,
    pub(super) session: Session,
    pub(super) connection: Option<u64>,
    /// The session that its log entries belong to.
    name: String,
    resuming_from: u64,
}

impl Shard {
    pub(super) fn start(plan: &Plan, id: ShardId, seed: u64, now: Instant) -> Self {
        let config = config(plan, id, seed);
        let session = Session::new(config, Box::new(Miniz::new()), now);
        let mut session = session.expect("a plan has a valid config");
        session.handle_timeout(now);
        Self {
            id,
            session,
            connection: None,
            name: String::new(),
            resuming_from: 0,
        }
    }

    /// The process of this shard dies without a word, and another one goes on from its snapshot.
    pub(super) fn restart(&mut self, plan: &Plan, seed: u64, now: Instant, network: &mut Network) {
        let snapshot = self.session.snapshot();
        if let Some(connection) = self.connection.take() {
            network.forget(connection);
            network.send(now, connection, Parcel::Closed(None));
        }
        let session = Session::restore(
            config(plan, self.id, seed),
            Box::new(Miniz::new()),
            snapshot,
            now,
        );
        self.session = session.expect("a snapshot of this shard fits this shard");
    }

    pub(super) fn take(&mut self, now: Instant, input: Input<'_>) {
        let outcome = self.session.handle_input(now, input);
        debug_assert_eq!(outcome, Ok(()), "the driver broke a rule");
    }

    /// Does what the session says.
    pub(super) fn drain(&mut self, now: Instant, common: &mut Common, network: &mut Network) {
        let Self {
            id,
            session,
            connection,
            name,
            resuming_from,
        } = self;
        while let Some(output) = session.poll_output() {
            match output {
                Output::Connect { url } => {
                    *connection = Some(common.connect(now, *id, url, *connection, network))
                }
                Output::Send(bytes) => {
                    *resuming_from = resume_sequence(bytes).unwrap_or(*resuming_from);
                    if let Some(connection) = *connection {
                        network.send(now, connection, Parcel::ToWorld(bytes.to_vec()));
                    }
                }
                Output::Close { code, .. } => {
                    if let Some(connection) = *connection {
                        network.forget(connection);
                        network.send(now, connection, Parcel::Closed(Some(code.0)));
                        network.send(now, connection, Parcel::Disconnected(None));
                    }
                }
                Output::WantIdentify => common.tell(fleet::Input::WantIdentify { shard: *id }),
                Output::CancelIdentify => common.tell(fleet::Input::CancelIdentify { shard: *id }),
                Output::IdentifyUnused => common.tell(fleet::Input::IdentifyUnused { shard: *id }),
                Output::Dispatch(dispatch) => {
                    let digest = digest(dispatch.data);
                    common.log.fold(digest ^ dispatch.sequence);
                    if dispatch.kind != EventKind::Resumed {
                        let entries = common.log.sessions.entry(name.clone()).or_default();
                        entries.push((dispatch.sequence, digest));
                    }
                }
                Output::Event(event) => {
                    common.log.fold(now.as_micros());
                    common.on_event(event, *id, name, *resuming_from);
                }
                _ => {}
            }
        }
    }
}

impl Log {
    fn fold(&mut self, number: u64) {
        self.hash = self.hash.wrapping_mul(31) ^ number;
    }
}

impl Common {
    fn tell(&mut self, input: fleet::Input) {
        self.for_fleet.push_back(input);
    }

    /// Opens a connection in place of another one. Some fail, and some neither succeed nor fail.
    fn connect(
        &mut self,
        now: Instant,
        id: ShardId,
        url: &str,
        old: Option<u64>,
        network: &mut Network,
    ) -> u64 {
        if let Some(old) = old {
            network.forget(old);
            network.send(now, old, Parcel::Closed(None));
        }
        self.connections += 1;
        self.holders.insert(self.connections, id);
        match self.rng.below(50) {
            0 => network.send(now, self.connections, Parcel::Disconnected(None)),
            1 => {}
            _ => network.send(now, self.connections, Parcel::Open(path(url))),
        }
        self.connections
    }

    fn on_event(&mut self, event: Event<'_>, shard: ShardId, name: &mut String, from: u64) {
        match event {
            Event::Ready { session_id, .. } => {
                session_id.clone_into(name);
                self.tell(fleet::Input::Ready { shard });
            }
            Event::Resumed {
                session_id,
                sequence,
                replayed,
            } => {
                let session = session_id.to_owned();
                self.log.resumes.push(Resumed {
                    session,
                    from,
                    to: sequence,
                    replayed,
                });
                self.tell(fleet::Input::Resumed { shard });
            }
            Event::Disconnected { .. } => self.tell(fleet::Input::Down { shard }),
            Event::Closed { .. } => self.tell(fleet::Input::Closed { shard, fatal: true }),
            _ => {}
        }
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
