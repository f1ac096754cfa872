//! One shard's life: connect, identify or resume, beat, dispatch, notice what is dead, and come back.
#![doc = include_str!("states.md")]

mod backoff;
mod capsule;
mod commands;
mod config;
mod context;
mod guilds;
mod heartbeat;
mod inbox;
mod io;
mod outbox;
mod progress;
mod receive;
mod resume;
mod send_limit;
mod snapshot;
mod state;
mod stats;
mod url;

use alloc::boxed::Box;

pub use capsule::{CAPSULE_BYTES_MAX, Capsule, CapsuleError, Encoding};
pub use config::{Config, ConfigError, ZombieRule};
pub use io::{Cause, ClosedReason, Dispatch, Event, Input, Misuse, Output, Reason, Refusal};
pub use progress::Progress;
pub use resume::Resumption;
pub use snapshot::Snapshot;
pub use state::{EDGES, Edge, StateName, Trigger};
pub use stats::Stats;
pub use url::UrlError;

use crate::id::ShardId;
use crate::machine::{Machine, Timeout};
use crate::time::Instant;
use crate::timer::Slot;
use crate::wire::{CloseCode, Command, Inflate};
use context::Context;
use guilds::Guilds;
use inbox::Inbox;
use receive::Taker;
use resume::Resume;
use state::{Disconnected, Signal, State};

/// One shard's session with the gateway.
///
/// It begins disconnected, with its first attempt due at once. The driver opens sockets when told to, feeds what
/// arrives and does what [`Output`] says. Everything else happens in here: heartbeats and the search for dead
/// connections, resuming with the right URL and sequence, backing off, the outbound budget of 120 messages per 60 s,
/// and the order of commands.
///
/// A session outlives connections: it is what READY opens and what a resume continues. It ends for good only when
/// Discord refuses its configuration, or when asked to.
///
/// ```
/// use shardkeep_core::gateway::{Config, Input, Output, Session};
/// use shardkeep_core::wire::{Intents, Miniz};
/// use shardkeep_core::{Instant, Machine, ShardId, Token};
///
/// let token = Token::new("not.a.token").unwrap();
/// let config = Config::new(ShardId::SINGLE, token, Intents::GUILDS, "wss://gateway.discord.gg");
/// let now = Instant::ZERO;
/// let mut session = Session::new(config, Box::new(Miniz::new()), now).unwrap();
///
/// session.handle_timeout(now);
/// let Some(Output::Connect { url }) = session.poll_output() else { panic!() };
/// assert_eq!(url, "wss://gateway.discord.gg/?v=10&encoding=json");
///
/// session.handle_input(now, Input::Connected).unwrap();
/// session.handle_input(now, Input::Text(br#"{"op":10,"d":{"heartbeat_interval":41250}}"#)).unwrap();
/// assert_eq!(session.poll_output(), Some(Output::WantIdentify));
///
/// session.handle_input(now, Input::IdentifyGranted).unwrap();
/// assert!(matches!(session.poll_output(), Some(Output::Send(identify)) if identify.starts_with(br#"{"op":2"#)));
/// ```
#[derive(Debug)]
pub struct Session {
    context: Context,
    inbox: Inbox,
    state: State,
    now: Instant,
    edges_taken: u64,
}

impl Session {
    /// A session without a past: it will identify. `inflate` must match `config.compression`; without compression it is
    /// never used.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the setting and says what to do.
    pub fn new(
        config: Config,
        inflate: Box<dyn Inflate>,
        now: Instant,
    ) -> Result<Self, ConfigError> {
        config.check()?;
        Ok(Self::with(config, inflate, Resume::default(), now))
    }

    /// A session that goes on from a snapshot: it will resume, if Discord still knows it.
    ///
    /// # Errors
    ///
    /// [`ConfigError`]; also if the snapshot is of another shard. A resume URL in the snapshot that the token must not
    /// go to is left out, as it would be in READY.
    pub fn restore(
        config: Config,
        inflate: Box<dyn Inflate>,
        snapshot: Snapshot,
        now: Instant,
    ) -> Result<Self, ConfigError> {
        config.check()?;
        let found = ShardId::new(snapshot.shard_index, snapshot.shard_total);
        if found != Some(config.shard) {
            let found = found.unwrap_or(ShardId::SINGLE);
            return Err(ConfigError::SnapshotShard {
                found,
                expected: config.shard,
            });
        }
        let mut resumption = snapshot.resumption;
        if let Some(Resumption {
            resume_gateway_url, ..
        }) = &mut resumption
        {
            resume_gateway_url.take_if(|url| url::check(url, config.custom_base).is_err());
        }
        let guilds = snapshot.guilds;
        let mut session = Self::with(config, inflate, Resume::restored(resumption), now);
        session.context.guilds = Guilds::restored(guilds);
        Ok(session)
    }

    fn with(config: Config, inflate: Box<dyn Inflate>, resume: Resume, now: Instant) -> Self {
        Self {
            inbox: Inbox::new(config.compression, inflate),
            context: Context::new(config, resume, now),
            state: Disconnected.into(),
            now,
            edges_taken: 0,
        }
    }

    /// Which shard of how many.
    #[must_use]
    pub fn shard(&self) -> ShardId {
        self.context.config.shard
    }

    /// What the session is doing.
    #[must_use]
    pub fn state(&self) -> StateName {
        self.state.name()
    }

    /// How the session ended for good; `None` while it has not.
    #[must_use]
    pub const fn closed(&self) -> Option<ClosedReason> {
        match self.state {
            State::Closed(closed) => Some(closed.reason),
            _ => None,
        }
    }

    /// Discord's name for the session; `None` if there is none.
    #[must_use]
    pub fn session_id(&self) -> Option<&str> {
        self.context
            .resume
            .session()
            .map(|session| session.session_id.as_str())
    }

    /// When the session was established on this connection, by READY or RESUMED; `None` while it is not.
    #[must_use]
    pub fn established_at(&self) -> Option<Instant> {
        self.context
            .established_at
            .filter(|_| self.state() == StateName::Ready)
    }

    /// The guilds of the session, as far as they are known by id: those that READY named, and others that something has
    /// happened to. A session that was resumed from a snapshot knows [`Stats::guilds`] by number.
    pub fn guild_ids(&self) -> impl Iterator<Item = crate::id::Snowflake> + use<'_> {
        self.context.guilds.ids()
    }

    /// What the session has done so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let context = &self.context;
        let buffers = self.inbox.buffer().capacity() + context.outbox.capacity();
        Stats {
            commands_queued: context.commands.len() as u64,
            buffer_bytes: buffers as u64,
            guilds: context.guilds.count(),
            guilds_unavailable: context.guilds.unavailable(),
            latency: context.heartbeat.latency(),
            sequence: context.resume.sequence(),
            ..context.stats
        }
    }

    /// Which edges of [`EDGES`] the session has taken: bit `i` stands for edge `i`.
    #[must_use]
    pub const fn edges_taken(&self) -> u64 {
        self.edges_taken
    }

    /// Time never goes back. What was polled before this call needs no bytes any more.
    fn begin(&mut self, now: Instant) -> Instant {
        self.now = self.now.max(now);
        if self.context.outbox.is_empty() {
            self.context.outbox.reuse();
            self.inbox.reuse();
        }
        self.now
    }

    /// One step of the state machine.
    fn apply(&mut self, now: Instant, signal: Signal<'_>) {
        let from = self.state.name();
        self.state = self.state.on(signal, now, &mut self.context);
        let to = self.state.name();
        if from != to {
            let edge = signal
                .trigger()
                .and_then(|on| EDGES.iter().position(|e| *e == Edge { from, on, to }));
            debug_assert!(
                edge.is_some(),
                "{from} -> {to} on {signal:?} is not in the edge table"
            );
            self.edges_taken |= edge.map_or(0, |index| 1 << index);
        }
    }

    fn on_message(
        &mut self,
        now: Instant,
        message: &[u8],
        binary: bool,
        taker: &mut Taker<'_>,
    ) -> Result<(), Misuse> {
        match self.state() {
            // What arrives after we hung up is not lost: the resume replays it.
            StateName::Closing => return Ok(()),
            StateName::Disconnected | StateName::Connecting | StateName::Closed => {
                return Err(Misuse::NotConnected);
            }
            _ => {}
        }
        self.context.stats.bytes_received += message.len() as u64;
        self.context.heartbeat.heard(now);
        if binary {
            self.on_binary(now, message, taker)
        } else {
            self.on_text(now, message, taker)
        }
        Ok(())
    }

    fn on_disconnected(&mut self, now: Instant, code: Option<CloseCode>) -> Result<(), Misuse> {
        if matches!(self.state(), StateName::Disconnected | StateName::Closed) {
            return Err(Misuse::NotConnected);
        }
        self.apply(now, Signal::Lost(code));
        Ok(())
    }

    fn on_granted(&mut self, now: Instant) {
        if self.state() == StateName::AwaitingIdentify {
            self.apply(now, Signal::Granted);
        } else {
            self.context.outbox.push(outbox::Item::IdentifyUnused);
        }
    }

    fn on_command(&mut self, id: u64, command: &Command) {
        let context = &mut self.context;
        if self.state.name() == StateName::Closed {
            context.refuse(id, Refusal::Closed);
        } else if command.payload().len() > context.config.payload_bytes_max {
            context.refuse(id, Refusal::TooLarge);
        } else if context.commands.len() >= context.config.command_queue_max {
            context.refuse(id, Refusal::QueueFull);
        } else if let Some(older) = context.commands.push(id, command) {
            context.refuse(older, Refusal::Superseded);
        }
    }

    fn handle(
        &mut self,
        now: Instant,
        input: Input<'_>,
        taker: &mut Taker<'_>,
    ) -> Result<(), Misuse> {
        let now = self.begin(now);
        match input {
            Input::Connected if self.state() == StateName::Connecting => {
                self.inbox.restart();
                self.apply(now, Signal::Opened);
            }
            Input::Connected => return Err(Misuse::NotConnecting),
            Input::Text(message) => self.on_message(now, message, false, taker)?,
            Input::Binary(message) => self.on_message(now, message, true, taker)?,
            Input::Disconnected { code } => self.on_disconnected(now, code)?,
            Input::IdentifyGranted => self.on_granted(now),
            Input::Send { id, command } => self.on_command(id, command),
            Input::Heartbeat => {
                // A beat that is under way says the same; before READY it would say nothing.
                if self.state() == StateName::Ready && !self.context.heartbeat.is_unanswered() {
                    self.context.beat_on_request(now);
                }
            }
            Input::Reconnect => self.apply(now, Signal::Recycle),
            Input::Shutdown { resumable } => self.apply(now, Signal::Stop { resumable }),
        }
        self.end(now);
        Ok(())
    }

    /// Commands flow only while the session is established: anything else would close it with 4003.
    fn end(&mut self, now: Instant) {
        if self.state() == StateName::Ready {
            self.context.send_commands(now);
        }
    }
}

impl Machine for Session {
    type Input<'a> = Input<'a>;
    type Output<'a> = Output<'a>;
    type Reason = Reason;
    type Snapshot = Snapshot;
    type Misuse = Misuse;

    fn handle_input(&mut self, now: Instant, input: Input<'_>) -> Result<(), Misuse> {
        self.handle(now, input, &mut None)
    }

    fn handle_timeout(&mut self, now: Instant) {
        let now = self.begin(now);
        for &reason in Reason::ALL {
            if !self.context.timers.fire(reason, now) {
                continue;
            }
            match reason {
                Reason::RequestedHeartbeat => self.context.beat_on_request(now),
                Reason::Command => {}
                Reason::Heartbeat => {
                    self.context.outbox.shrink();
                    self.inbox.shrink();
                    self.apply(now, Signal::Due(reason));
                }
                _ => self.apply(now, Signal::Due(reason)),
            }
        }
        self.end(now);
    }

    fn poll_output(&mut self) -> Option<Output<'_>> {
        let session_id = self.context.resume.session_id();
        self.context.outbox.pop(self.inbox.buffer(), session_id)
    }

    fn poll_timeout(&self) -> Option<Timeout<Reason>> {
        self.context.timers.next()
    }

    fn snapshot(&self) -> Snapshot {
        let shard = self.context.config.shard;
        let resumption = self.context.resume.session().cloned();
        Snapshot {
            shard_index: shard.index(),
            shard_total: shard.total(),
            guilds: resumption
                .as_ref()
                .map_or(0, |_| self.context.guilds.count()),
            resumption,
        }
    }
}
