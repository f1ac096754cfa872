//! A session under chaos: a driver that does what it is told, whatever that is, and keeps a record.

mod bytes;
mod steps;

use std::time::Duration;

use shardkeep_core::gateway::{self, Config, Input, Output, Reason, Session, StateName};
use shardkeep_core::wire::{CloseCode, Intents, Miniz};
use shardkeep_core::{Instant, Machine, ShardId, Token};

pub(crate) use bytes::{feed_bytes, streamed};
pub(crate) use steps::{Step, steps};

pub(crate) const TOKEN: &str = "s3cr3t.t0k3n.x";

/// A message that went out.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) at: Instant,
    pub(crate) op: u64,
    pub(crate) bytes: usize,
    /// The guild whose whole list it asks for.
    pub(crate) whole_guild: Option<u64>,
    /// Whether READY or RESUMED had come on this connection.
    pub(crate) was_established: bool,
}

impl Sent {
    pub(crate) const fn is_command(&self) -> bool {
        matches!(self.op, 3 | 4 | 8 | 31 | 43)
    }
}

/// What became known outside the session.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// A message went out, to this host.
    Sent {
        op: u64,
        host: String,
        holds_token: bool,
    },
    /// Anything else came out.
    Told { holds_token: bool },
}

/// The driver and its record.
pub(crate) struct Chaos {
    session: Session,
    now: Instant,
    host: String,
    is_open: bool,
    is_established: bool,
    interval: Duration,
    /// When the next scheduled beat has to leave; unknown while the driver was late.
    beat_due: Option<Instant>,
    sequence: u64,
    next_id: u64,
    connections: Vec<Vec<Sent>>,
    events: Vec<Event>,
    beats: Vec<(Instant, Option<Instant>)>,
    transcript: Vec<String>,
}

fn contains(bytes: &[u8], part: &str) -> bool {
    bytes
        .windows(part.len())
        .any(|window| window == part.as_bytes())
}

/// The host in a URL, read apart from the session's own reader.
fn host_of(url: &str) -> String {
    let rest = url.strip_prefix("wss://").unwrap_or(url);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    String::from(authority.split(':').next().unwrap_or_default())
}

pub(crate) fn is_discords(host: &str) -> bool {
    [
        "discord.gg",
        "discord.com",
        "discordapp.com",
        "discordapp.net",
        "discord.media",
    ]
    .iter()
    .any(|domain| host == *domain || host.ends_with(&format!(".{domain}")))
}

/// A session's configuration, with a small queue and small messages.
pub(crate) fn config(seed: u64) -> Config {
    let token = Token::new(TOKEN).expect("the form of a token");
    let url = "wss://gateway.discord.gg";
    let mut config = Config::new(ShardId::SINGLE, token, Intents::GUILDS, url);
    config.seed = seed;
    config.command_queue_max = 300;
    config.message_bytes_max = 64 << 10;
    config
}

impl Chaos {
    pub(crate) fn new(seed: u64) -> Self {
        let inflate = Box::new(Miniz::new());
        let session = Session::new(config(seed), inflate, Instant::ZERO).expect("a valid config");
        Self {
            session,
            now: Instant::ZERO,
            host: String::new(),
            is_open: false,
            is_established: false,
            interval: Duration::ZERO,
            beat_due: None,
            sequence: 0,
            next_id: 0,
            connections: Vec::new(),
            events: Vec::new(),
            beats: Vec::new(),
            transcript: Vec::new(),
        }
    }

    pub(crate) fn connections(&self) -> impl Iterator<Item = &Vec<Sent>> {
        self.connections.iter()
    }

    pub(crate) fn sent(&self) -> impl Iterator<Item = &Sent> {
        self.connections.iter().flatten()
    }

    pub(crate) fn events(&self) -> &[Event] {
        &self.events
    }

    /// Each scheduled beat: when it was due, and when it left, if the connection was still there.
    pub(crate) fn beats(&self) -> impl Iterator<Item = (Option<Instant>, Option<Instant>)> {
        self.beats.iter().map(|&(due, sent)| (Some(due), sent))
    }

    pub(crate) fn transcript(&self) -> &[String] {
        &self.transcript
    }

    fn state(&self) -> StateName {
        self.session.state()
    }

    /// Feeds an input. Rules of the interface may be broken: that is an error and changes nothing.
    fn input(&mut self, input: Input<'_>) {
        let opens = matches!(input, Input::Connected);
        let ends = matches!(input, Input::Disconnected { .. });
        if self.session.handle_input(self.now, input).is_ok() {
            if opens {
                self.is_open = true;
                self.is_established = false;
                self.connections.push(Vec::new());
            }
            if ends {
                self.hung_up();
            }
        }
        self.drain();
    }

    fn hung_up(&mut self) {
        self.is_open = false;
        self.is_established = false;
        self.beat_due = None;
    }

    fn lost(&mut self, code: u16) {
        let code = Some(CloseCode(code)).filter(|code| code.0 != 0);
        self.input(Input::Disconnected { code });
    }

    /// Lets time pass with every deadline kept.
    fn advance(&mut self, by: Duration) {
        let target = self.now + by;
        while let Some(next) = self.session.poll_timeout().filter(|next| next.at <= target) {
            self.now = self.now.max(next.at);
            self.wake(next.reason == Reason::Heartbeat);
        }
        self.now = target;
        if let Some(due) = self.beat_due.filter(|&due| due < self.now) {
            self.beats.push((due, None));
        }
    }

    /// Time passes unnoticed; then the clock is looked at.
    fn stall(&mut self, by: Duration) {
        self.now += by;
        self.beat_due = None;
        self.wake(false);
    }

    fn wake(&mut self, is_beat: bool) {
        let beats = self.heartbeats();
        self.session.handle_timeout(self.now);
        self.drain();
        if !is_beat || !self.is_open {
            return;
        }
        let left = (self.heartbeats() > beats).then_some(self.now);
        let due = self.beat_due.unwrap_or(self.now);
        self.beats.push((due, left));
        self.beat_due = left.map(|at| at + self.interval);
    }

    fn heartbeats(&self) -> usize {
        self.connections
            .last()
            .map_or(0, |sent| sent.iter().filter(|sent| sent.op == 1).count())
    }

    /// Takes every output, and does what it says as far as the record goes.
    fn drain(&mut self) {
        while let Some(output) = self.session.poll_output() {
            self.transcript.push(format!("{} {output:?}", self.now));
            match output {
                Output::Send(payload) => {
                    assert!(self.is_open, "sent without a socket");
                    let sent = sent(self.now, payload, self.is_established);
                    self.events.push(Event::Sent {
                        op: sent.op,
                        host: self.host.clone(),
                        holds_token: contains(payload, TOKEN),
                    });
                    let connection = self.connections.last_mut();
                    connection.expect("a connection was opened").push(sent);
                    continue;
                }
                Output::Connect { url } => {
                    assert!(url.starts_with("wss://"), "{url}");
                    self.host = host_of(url);
                    self.is_open = false;
                    self.is_established = false;
                    self.beat_due = None;
                }
                Output::Close { .. } => {
                    self.is_open = false;
                    self.is_established = false;
                    self.beat_due = None;
                }
                Output::Event(gateway::Event::Ready { .. } | gateway::Event::Resumed { .. }) => {
                    self.is_established = true;
                }
                _ => {}
            }
            let holds_token = match output {
                Output::Dispatch(dispatch) => contains(dispatch.data, TOKEN),
                other => contains(format!("{other:?}").as_bytes(), TOKEN),
            };
            self.events.push(Event::Told { holds_token });
        }
    }
}

fn sent(at: Instant, payload: &[u8], was_established: bool) -> Sent {
    let json: serde_json::Value = serde_json::from_slice(payload).expect("what is sent is JSON");
    let d = &json["d"];
    let is_whole = d["query"] == "" && d["limit"] == 0;
    let guild = d["guild_id"].as_str().and_then(|id| id.parse().ok());
    Sent {
        at,
        op: json["op"].as_u64().expect("what is sent has an op"),
        bytes: payload.len(),
        whole_guild: guild.filter(|_| is_whole),
        was_established,
    }
}
