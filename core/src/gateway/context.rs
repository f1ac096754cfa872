//! What the states share: the session's parts, and the few moves that several states make.

use core::time::Duration;

use super::backoff::Backoff;
use super::commands::Commands;
use super::config::{Config, ZombieRule};
use super::guilds::Guilds;
use super::heartbeat::Heartbeat;
use super::io::{Cause, ClosedReason, REASONS, Reason, Refusal};
use super::outbox::{Item, Outbox};
use super::resume::Resume;
use super::send_limit::SlidingLog;
use super::state::{Closed, Closing, Disconnected, Next, State};
use super::stats::Stats;
use super::url;
use crate::rng::Rng;
use crate::time::Instant;
use crate::timer::Timers;
use crate::wire::{AfterClose, CloseCode, Compression, Identify, write_heartbeat, write_resume};

/// Discord's limit on what a connection may send: 120 messages per 60 s. The margin is for what the network may squeeze
/// together between here and there.
pub(super) const SENDS_MAX: usize = 120;
const SENDS_WINDOW: Duration = Duration::from_millis(60_500);

/// The wait after op 9, so that a fleet that lost its sessions together does not come back together.
const INVALID_SESSION_WAIT: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(5));

/// The least wait after 4008.
const RATE_LIMITED_WAIT: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(10));

/// Everything of a session but its state.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) config: Config,
    pub(super) outbox: Outbox,
    pub(super) timers: Timers<REASONS>,
    pub(super) heartbeat: Heartbeat,
    pub(super) resume: Resume,
    pub(super) commands: Commands,
    pub(super) guilds: Guilds,
    pub(super) stats: Stats,
    pub(super) rng: Rng,
    backoff: Backoff,
    sends: SlidingLog,
    /// When the present session was established on this connection.
    pub(super) established_at: Option<Instant>,
    /// 4001, 4002 or 4008 in a row.
    complaints: u32,
}

impl Context {
    pub(super) fn new(config: Config, resume: Resume, now: Instant) -> Self {
        let mut timers = Timers::new();
        timers.set(Reason::Reconnect, now);
        Self {
            rng: Rng::new(config.seed),
            config,
            outbox: Outbox::default(),
            timers,
            heartbeat: Heartbeat::new(),
            resume,
            commands: Commands::new(),
            guilds: Guilds::default(),
            stats: Stats::default(),
            backoff: Backoff::new(),
            sends: SlidingLog::new(SENDS_MAX, SENDS_WINDOW),
            established_at: None,
            complaints: 0,
        }
    }

    // Connecting

    /// Asks for a socket: where the session can be resumed if there is one, else at the configured URL.
    pub(super) fn connect(&mut self, now: Instant) {
        let base = self.resume.url().unwrap_or(&self.config.gateway_url);
        url::write(&mut self.outbox.url, base, self.config.compression);
        self.outbox.push(Item::Connect);
        self.stats.connections += 1;
        self.timers
            .set(Reason::Connect, now + self.config.connect_timeout);
    }

    /// The socket is open: nothing was sent on it yet.
    pub(super) fn opened(&mut self, now: Instant) {
        self.sends.clear();
        self.commands.connection_began();
        self.timers.clear(Reason::Connect);
        self.timers
            .set(Reason::Hello, now + self.config.hello_timeout);
    }

    /// Hello named the interval. The first beat comes after a random part of it, so that a fleet that connects together
    /// does not beat together.
    pub(super) fn greeted(&mut self, interval: Duration, now: Instant) {
        self.timers.clear(Reason::Hello);
        self.heartbeat.start(interval, now);
        let first = self.rng.duration_below(self.heartbeat.interval());
        self.timers.set(Reason::Heartbeat, now + first);
    }

    pub(super) fn send_identify(&mut self, now: Instant) {
        let Self { config, outbox, .. } = self;
        outbox.send(|out| {
            Identify {
                token: &config.token,
                intents: config.intents,
                properties: &config.properties,
                compress: config.compression == Compression::Payload,
                large_threshold: config.large_threshold,
                shard: config.shard,
                presence: config.presence.as_ref(),
                capabilities: config.capabilities,
            }
            .write(out);
        });
        self.sends.record(now);
        self.stats.identifies += 1;
        self.timers
            .set(Reason::Ready, now + self.config.ready_timeout);
    }

    /// Resumes the session, if there is one.
    pub(super) fn send_resume(&mut self, now: Instant) -> bool {
        let Self {
            config,
            outbox,
            resume,
            ..
        } = self;
        let Some(session) = resume.session() else {
            return false;
        };
        outbox.send(|out| write_resume(out, &config.token, &session.session_id, session.sequence));
        self.sends.record(now);
        self.stats.resumes += 1;
        self.timers
            .set(Reason::Ready, now + self.config.ready_timeout);
        true
    }

    /// READY or RESUMED came.
    pub(super) fn established(&mut self, now: Instant) {
        self.resume.succeeded();
        self.established_at = Some(now);
        self.timers.clear(Reason::Ready);
    }

    // Beating

    /// How many places in the outbound budget belong to heartbeats: those of one window and one on request.
    fn reserve(&self) -> usize {
        (self.heartbeat.beats_within(SENDS_WINDOW) + 1).min(SENDS_MAX - 1)
    }

    /// A beat is due: sends it, unless the last one was not answered. `false` says that the connection is dead.
    #[must_use]
    pub(super) fn beat(&mut self, now: Instant) -> bool {
        if self.is_zombied() {
            self.stats.zombies += 1;
            return false;
        }
        self.heartbeat.scheduled(now);
        self.send_beat(now);
        self.timers
            .set(Reason::Heartbeat, now + self.heartbeat.interval());
        true
    }

    /// Whether the connection is dead, asked when a beat is due.
    pub(super) fn is_zombied(&self) -> bool {
        self.heartbeat
            .is_zombied(self.config.zombie_rule == ZombieRule::AnyMessage)
    }

    /// Discord asks for a beat: at once, and beside the schedule. Requests that would eat into the places of scheduled
    /// beats are answered by one beat as soon as there is room.
    pub(super) fn beat_on_request(&mut self, now: Instant) {
        match self.sends.free_at(now, self.reserve() - 1) {
            Some(at) if at > now => self.timers.set(Reason::RequestedHeartbeat, at),
            _ => self.send_beat(now),
        }
    }

    fn send_beat(&mut self, now: Instant) {
        let sequence = self.resume.sequence();
        self.outbox.send(|out| write_heartbeat(out, sequence));
        self.sends.record(now);
        self.heartbeat.sent(now);
        self.stats.heartbeats += 1;
    }

    pub(super) fn beat_acknowledged(&mut self, now: Instant) {
        if let Some(latency) = self.heartbeat.acknowledged(now) {
            self.stats.heartbeats_acked += 1;
            self.outbox.push(Item::HeartbeatAcked { latency });
        }
    }

    // Commands

    /// Sends the commands that the limits allow, and sets the timer for the next.
    pub(super) fn send_commands(&mut self, now: Instant) {
        self.timers.clear(Reason::Command);
        while self.commands.len() > 0 {
            let room_at = self.sends.free_at(now, self.reserve());
            if room_at != Some(now) {
                let at = room_at.unwrap_or_else(|| now + self.sends.window());
                return self.timers.set(Reason::Command, at);
            }
            match self.commands.take(now) {
                Ok(queued) => {
                    self.outbox
                        .send(|out| out.extend_from_slice(queued.command.payload()));
                    self.sends.record(now);
                    self.stats.commands_resent += u64::from(queued.sent > 0);
                    self.stats.commands_sent += 1;
                    self.outbox.push(Item::CommandSent { id: queued.id });
                    self.commands.record(queued, now);
                }
                Err(Some(at)) => return self.timers.set(Reason::Command, at),
                Err(None) => return,
            }
        }
    }

    pub(super) fn refuse(&mut self, id: u64, reason: Refusal) {
        self.stats.commands_refused += 1;
        self.outbox.push(Item::CommandRefused { id, reason });
    }

    // Ending

    /// Gives the session up: the next connection identifies.
    pub(super) fn lose_session(&mut self, cause: Cause) {
        if let Some(sequence) = self.resume.drop_session() {
            self.stats.sessions_lost += 1;
            self.outbox.push(Item::SessionLost { cause, sequence });
        }
    }

    /// Hangs up in order to connect again. Any code but 1000 and 1001 keeps the session.
    pub(super) fn hang_up(&mut self, now: Instant, code: CloseCode, cause: Cause) -> State {
        let retry_after = self.retry_after(now, cause, None);
        self.say_disconnected(None, cause, retry_after);
        self.close(now, code, cause);
        Closing {
            next: Next::Connect {
                at: now + retry_after,
            },
        }
        .into()
    }

    /// Hangs up for good. Without a session there is nothing for Discord to keep.
    pub(super) fn stop(&mut self, now: Instant, resumable: bool) -> State {
        if !resumable {
            self.resume.drop_session();
        }
        let resumable = self.resume.session().is_some();
        let code = if resumable {
            CloseCode::UNKNOWN_ERROR
        } else {
            CloseCode::NORMAL
        };
        self.say_disconnected(None, Cause::Shutdown, Duration::ZERO);
        self.close(now, code, Cause::Shutdown);
        Closing {
            next: Next::Stop { resumable },
        }
        .into()
    }

    fn close(&mut self, now: Instant, code: CloseCode, cause: Cause) {
        self.outbox.push(Item::Close { code, cause });
        self.timers.clear_all();
        self.timers
            .set(Reason::Close, now + self.config.close_timeout);
    }

    /// The socket is gone, and it was not us.
    pub(super) fn lost(&mut self, now: Instant, code: Option<CloseCode>) -> State {
        let cause = if code.is_some() {
            Cause::PeerClosed
        } else {
            Cause::ConnectionLost
        };
        self.timers.clear_all();
        if let Some(code) = code {
            self.complain(now, code);
            match code.after() {
                AfterClose::Stop => {
                    self.resume.drop_session();
                    self.say_disconnected(Some(code), cause, Duration::ZERO);
                    return self.end(ClosedReason::Fatal(code));
                }
                AfterClose::Identify => self.lose_session(cause),
                AfterClose::Resume => {}
            }
        }
        let retry_after = self.retry_after(now, cause, code);
        self.say_disconnected(code, cause, retry_after);
        self.wait(now + retry_after)
    }

    /// Waits for the next attempt.
    pub(super) fn wait(&mut self, at: Instant) -> State {
        self.timers.clear_all();
        self.timers.set(Reason::Reconnect, at);
        Disconnected.into()
    }

    /// Ends for good: what still waits is refused.
    pub(super) fn end(&mut self, reason: ClosedReason) -> State {
        self.timers.clear_all();
        let Self {
            commands,
            outbox,
            stats,
            ..
        } = self;
        for id in commands.drain() {
            stats.commands_refused += 1;
            outbox.push(Item::CommandRefused {
                id,
                reason: Refusal::Closed,
            });
        }
        self.outbox.push(Item::Closed { reason });
        Closed { reason }.into()
    }

    fn say_disconnected(&mut self, code: Option<CloseCode>, cause: Cause, retry_after: Duration) {
        let resumable = self.resume.session().is_some();
        self.outbox.push(Item::Disconnected {
            code,
            cause,
            resumable,
            retry_after,
        });
    }

    /// 4001, 4002 and 4008 are complaints about a command: names the suspect, and speaks up when they repeat. A session
    /// that lasted ends the row, as any other close code does.
    fn complain(&mut self, now: Instant, code: CloseCode) {
        if !code.blames_command() || self.was_stable(now) {
            self.complaints = 0;
        }
        if !code.blames_command() {
            return;
        }
        if let Some((id, opcode)) = self.commands.suspect() {
            self.outbox.push(Item::CommandBlamed {
                id,
                opcode: opcode.number(),
                code,
            });
        }
        self.complaints += 1;
        if self.complaints >= self.config.escalate_after {
            self.outbox.push(Item::Escalated {
                code,
                times: self.complaints,
            });
        }
    }

    /// Whether this connection's session lasted.
    fn was_stable(&self, now: Instant) -> bool {
        let stable_after = self.config.stable_after;
        self.established_at
            .is_some_and(|at| now - at >= stable_after)
    }

    /// How long until the next attempt. A session that lasted makes the next attempt immediate.
    pub(super) fn retry_after(
        &mut self,
        now: Instant,
        cause: Cause,
        code: Option<CloseCode>,
    ) -> Duration {
        if self.was_stable(now) {
            self.backoff.reset();
        }
        self.established_at = None;
        let wait = self.backoff.next(&mut self.rng, self.config.backoff_max);
        let least = match (cause, code) {
            (Cause::InvalidSession, _) => INVALID_SESSION_WAIT,
            (_, Some(CloseCode::RATE_LIMITED)) => RATE_LIMITED_WAIT,
            _ => return wait,
        };
        wait.max(self.rng.duration_between(least.0, least.1))
    }
}
