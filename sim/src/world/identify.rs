//! Identify and Resume: who may start a session, and who may go on with one.

use core::time::Duration;
use std::collections::BTreeMap;

use serde::Deserialize;
use shardkeep_core::wire::{CloseCode, Intents};
use shardkeep_core::{Instant, ShardId};

use super::World;
use super::alarm::Alarm;
use super::config::WorldConfig;
use super::dispatch::control_frame;
use super::faults::lasts;
use super::ledger::{SessionEnd, ViolationKind};
use super::session::{Cargo, Session};

/// What is left of the identify budget.
#[derive(Debug)]
pub(crate) struct Budget {
    pub(crate) remaining: u32,
    pub(crate) resets_at: Instant,
    /// The last identify of every rate limit key.
    last: BTreeMap<u32, Instant>,
    /// Nothing is accepted any more: the budget was overrun and the token reset.
    pub(crate) token_reset: bool,
}

/// How often the allowance comes back.
const DAY: Duration = Duration::from_secs(86_400);

impl Budget {
    pub(crate) fn new(config: &WorldConfig, now: Instant) -> Self {
        Self {
            remaining: config.identify_remaining,
            resets_at: now + Duration::from_millis(config.identify_reset_after_ms),
            last: BTreeMap::new(),
            token_reset: false,
        }
    }

    pub(crate) fn refresh(&mut self, now: Instant, total: u32) {
        while self.resets_at <= now {
            self.resets_at += DAY;
            self.remaining = total;
        }
    }

    /// Whether the key's window is free; if so, it is taken.
    fn take_slot(&mut self, now: Instant, key: u32, window: Duration) -> Result<(), Duration> {
        match self.last.get(&key) {
            Some(&last) if now.since(last) < window => Err(now.since(last)),
            _ => {
                self.last.insert(key, now);
                Ok(())
            }
        }
    }
}

#[derive(Deserialize)]
struct Properties {}

#[derive(Deserialize)]
struct Identify {
    token: String,
    intents: u64,
    #[serde(rename = "properties")]
    _properties: Properties,
    #[serde(default)]
    compress: bool,
    #[serde(default)]
    large_threshold: Option<u64>,
    #[serde(default)]
    shard: Option<[u32; 2]>,
}

#[derive(Deserialize)]
struct Resume {
    token: String,
    session_id: String,
    seq: u64,
}

/// Why an Identify starts nothing.
struct Refusal(ViolationKind, CloseCode, &'static str, String);

impl World {
    pub(super) fn is_token(&self, token: &str) -> bool {
        !self.budget.token_reset && token.strip_prefix("Bot ").unwrap_or(token) == self.config.token
    }

    pub(super) fn count_budget(&mut self) {
        self.budget.refresh(self.now, self.config.identify_total);
        self.ledger.counters.identify_remaining = self.budget.remaining;
    }

    /// Op 2.
    pub(super) fn identify(&mut self, number: u64, d: &str) {
        let identify = match serde_json::from_str::<Identify>(d) {
            Ok(identify) => identify,
            Err(error) => return self.bad_payload(number, &format!("identify: {error}")),
        };
        let Some(connection) = self.connections.get_mut(&number) else {
            return;
        };
        if connection.identified {
            return self.already_authenticated(number, "a second Identify");
        }
        self.ledger.counters.identifies += 1;
        let [index, total] = identify.shard.unwrap_or([0, 1]);
        let shard = ShardId::new(index, total);
        connection.shard = shard;
        let shard = match self.check_identify(&identify, shard) {
            Ok(shard) => shard,
            Err(Refusal(kind, code, reason, detail)) => {
                self.ledger.counters.identifies_refused += 1;
                self.violate(number, kind, detail);
                return self.close(number, code, reason);
            }
        };
        if self.spend_identify(number, shard) {
            self.start_session(number, shard, &identify);
        }
    }

    /// Everything that depends on the message alone.
    fn check_identify(
        &self,
        identify: &Identify,
        shard: Option<ShardId>,
    ) -> Result<ShardId, Refusal> {
        if !self.is_token(&identify.token) {
            let detail = if self.budget.token_reset {
                "the token was reset"
            } else {
                "identify"
            };
            return Err(Refusal(
                ViolationKind::WrongToken,
                CloseCode::AUTHENTICATION_FAILED,
                "Authentication failed.",
                detail.to_owned(),
            ));
        }
        let multiple = self.config.shard_multiple;
        let shard = shard
            .filter(|shard| multiple == 0 || shard.total() % multiple == 0)
            .ok_or_else(|| {
                let detail = format!("shard {:?}", identify.shard);
                Refusal(
                    ViolationKind::InvalidShard,
                    CloseCode::INVALID_SHARD,
                    "Invalid shard.",
                    detail,
                )
            })?;
        let intents = Intents::from_bits(identify.intents);
        if !intents.without(Intents::ALL).is_empty() {
            let detail = format!("{intents}");
            return Err(Refusal(
                ViolationKind::InvalidIntents,
                CloseCode::INVALID_INTENTS,
                "Invalid intent(s).",
                detail,
            ));
        }
        let allowed = Intents::from_bits(self.config.allowed_privileged);
        if intents.intersects(Intents::PRIVILEGED.without(allowed)) {
            let detail = format!("{}", intents.without(allowed));
            return Err(Refusal(
                ViolationKind::DisallowedIntents,
                CloseCode::DISALLOWED_INTENTS,
                "Disallowed intent(s).",
                detail,
            ));
        }
        let guilds = self.catalog.count_on(shard);
        if guilds > self.config.guilds_per_shard {
            let detail = format!("{guilds} guilds on shard {shard}");
            return Err(Refusal(
                ViolationKind::ShardingRequired,
                CloseCode::SHARDING_REQUIRED,
                "Sharding required.",
                detail,
            ));
        }
        Ok(shard)
    }

    /// Takes an identify from the day's allowance and the key's window. `false` if there was none to take.
    fn spend_identify(&mut self, number: u64, shard: ShardId) -> bool {
        self.count_budget();
        if self.budget.remaining == 0 {
            self.ledger.counters.identifies_refused += 1;
            self.violate(
                number,
                ViolationKind::IdentifyBudget,
                "nothing left of the day's identifies".into(),
            );
            self.reset_token();
            return false;
        }
        self.budget.remaining -= 1;
        self.count_budget();
        let key = shard.rate_limit_key(self.config.max_concurrency);
        let window = self
            .config
            .identify_window_ms
            .saturating_sub(self.config.identify_tolerance_ms);
        if let Err(since) = self
            .budget
            .take_slot(self.now, key, Duration::from_millis(window))
        {
            self.ledger.counters.identifies_refused += 1;
            let detail = format!("key {key}: {} ms after the one before", since.as_millis());
            self.violate(number, ViolationKind::IdentifyConcurrency, detail);
            self.send(number, &control_frame(9, "false"));
            return false;
        }
        true
    }

    /// What Discord does when the day's allowance is overrun: every session ends, and the token no longer works.
    fn reset_token(&mut self) {
        self.budget.token_reset = true;
        let keys: Vec<u64> = self.sessions.keys().copied().collect();
        for key in keys {
            self.end_session(key, SessionEnd::TokenReset);
        }
        let numbers: Vec<u64> = self.connections.keys().copied().collect();
        for number in numbers {
            self.close(
                number,
                CloseCode::AUTHENTICATION_FAILED,
                "Authentication failed.",
            );
        }
    }

    fn start_session(&mut self, number: u64, shard: ShardId, identify: &Identify) {
        let Some(connection) = self.connections.get_mut(&number) else {
            return;
        };
        connection.identified = true;
        let key = self.next_session;
        self.next_session += 1;
        let id = format!("{:016x}{:016x}", self.rng.next_u64(), self.rng.next_u64());
        let intents = Intents::from_bits(identify.intents);
        let mut session = Session::new(id.clone(), shard, intents, number);
        session.large_threshold = identify.large_threshold.unwrap_or(50).clamp(50, 250);
        session.query.clone_from(&connection.query);
        session.payload_compression = identify.compress && connection.encoder.is_plain();
        connection.payload_compression = session
            .payload_compression
            .then_some(self.config.zlib_level);
        connection.session = Some(key);
        self.names.insert(id, key);
        self.sessions.insert(key, session);
        self.routes.entry(shard).or_default().push(key);
        match self
            .totals
            .iter_mut()
            .find(|(total, _)| *total == shard.total())
        {
            Some((_, sessions)) => *sessions += 1,
            None => self.totals.push((shard.total(), 1)),
        }
        self.ledger.counters.sessions_open += 1;
        self.blind_sessions += u32::from(!intents.intersects(Intents::MESSAGE_CONTENT));
        match self.config.ready_delay_ms {
            _ if lasts(self.trouble.no_ready_until, self.now) => {}
            0 => self.say_ready(key),
            delay => self
                .alarms
                .set(self.now + Duration::from_millis(delay), Alarm::Ready(key)),
        }
    }

    /// Op 6.
    pub(super) fn resume(&mut self, number: u64, d: &str) {
        let resume = match serde_json::from_str::<Resume>(d) {
            Ok(resume) => resume,
            Err(error) => return self.bad_payload(number, &format!("resume: {error}")),
        };
        let Some(connection) = self.connections.get(&number) else {
            return;
        };
        if connection.identified {
            return self.already_authenticated(number, "a Resume on a session's connection");
        }
        self.ledger.counters.resumes += 1;
        if !self.is_token(&resume.token) {
            self.ledger.counters.resumes_failed += 1;
            self.violate(number, ViolationKind::WrongToken, "resume".to_owned());
            return self.close(
                number,
                CloseCode::AUTHENTICATION_FAILED,
                "Authentication failed.",
            );
        }
        let Some(&key) = self.names.get(&resume.session_id) else {
            self.ledger.counters.resumes_failed += 1;
            return self.send(number, &control_frame(9, "false"));
        };
        let Some(session) = self.sessions.get(&key) else {
            return;
        };
        if resume.seq > session.seq {
            self.ledger.counters.resumes_failed += 1;
            let detail = format!("seq {} of {}", resume.seq, session.seq);
            self.violate(number, ViolationKind::InvalidSequence, detail);
            self.end_session(key, SessionEnd::InvalidSequence);
            return self.close(number, CloseCode::INVALID_SEQUENCE, "Invalid seq.");
        }
        if !session.can_replay_after(resume.seq) {
            self.ledger.counters.resumes_failed += 1;
            self.end_session(key, SessionEnd::BufferOverrun);
            return self.send(number, &control_frame(9, "false"));
        }
        if session.query != connection.query {
            let detail = format!("{} became {}", session.query, connection.query);
            self.violate(number, ViolationKind::ResumeQueryChanged, detail);
        }
        self.carry_on(number, key, resume.seq);
    }

    /// Moves a session to a connection, replays what was missed, and says RESUMED.
    fn carry_on(&mut self, number: u64, key: u64, seq: u64) {
        let Some(session) = self.sessions.get(&key) else {
            return;
        };
        if let Some(old) = session.connection {
            self.drop_connection(old);
        }
        let (Some(connection), Some(session)) = (
            self.connections.get_mut(&number),
            self.sessions.get_mut(&key),
        ) else {
            return;
        };
        connection.identified = true;
        connection.session = Some(key);
        connection.shard = Some(session.shard);
        let compressed = session.payload_compression && connection.encoder.is_plain();
        connection.payload_compression = compressed.then_some(self.config.zlib_level);
        if path_of(self.config.resume_url()) != connection.path.trim_end_matches('/') {
            self.ledger.counters.resumes_elsewhere += 1;
        }
        session.connection = Some(number);
        session.ledger.connected = true;
        session.ledger.resumes += 1;
        session.ledger.confirmed_seq = session.ledger.confirmed_seq.max(seq);
        let missed: Vec<(u64, Cargo)> = session.after(seq);
        session.ledger.replayed += missed.len() as u64;
        self.ledger.counters.dispatches_replayed += missed.len() as u64;
        let mut message = core::mem::take(&mut self.scratch);
        for (seq, cargo) in &missed {
            self.write_dispatch(key, *seq, cargo, &mut message);
            self.send(number, &message);
        }
        self.scratch = message;
        let Some(session) = self.sessions.get_mut(&key) else {
            return;
        };
        session.seq += 1;
        session.ledger.last_seq = session.seq;
        let resumed = format!(
            "{{\"t\":\"RESUMED\",\"s\":{},\"op\":0,\"d\":{{\"_trace\":[\"sim\"]}}}}",
            session.seq
        );
        self.send(number, resumed.as_bytes());
    }

    fn already_authenticated(&mut self, number: u64, detail: &str) {
        self.violate(
            number,
            ViolationKind::AlreadyAuthenticated,
            detail.to_owned(),
        );
        self.close(
            number,
            CloseCode::ALREADY_AUTHENTICATED,
            "Already authenticated.",
        );
    }

    /// Forgets a session: nobody resumes it any more. Its connection, if it has one, stays.
    pub(super) fn end_session(&mut self, key: u64, end: SessionEnd) {
        let Some(session) = self.sessions.remove(&key) else {
            return;
        };
        self.names.remove(&session.id);
        self.blind_sessions -= u32::from(!session.intents.intersects(Intents::MESSAGE_CONTENT));
        if let Some(route) = self.routes.get_mut(&session.shard) {
            route.retain(|&other| other != key);
            if route.is_empty() {
                self.routes.remove(&session.shard);
            }
        }
        if let Some(at) = self
            .totals
            .iter()
            .position(|(total, _)| *total == session.shard.total())
        {
            self.totals[at].1 -= 1;
            if self.totals[at].1 == 0 {
                self.totals.remove(at);
            }
        }
        if let Some(connection) = session
            .connection
            .and_then(|number| self.connections.get_mut(&number))
        {
            connection.session = None;
            connection.identified = false;
        }
        self.ledger.counters.sessions_open -= 1;
        self.ledger
            .bury(session.ledger, end, self.config.ledger_sessions);
    }

    /// Ends a session that nobody resumed in time.
    pub(super) fn expire(&mut self, key: u64) {
        let Some(session) = self.sessions.get(&key) else {
            return;
        };
        if session.connection.is_none() && self.expiry(session.detached_at) <= self.now {
            self.end_session(key, SessionEnd::Expired);
        }
    }
}

/// The path of a WebSocket URL, without a slash at the end.
fn path_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/')
        .map_or("", |at| &rest[at..])
        .trim_end_matches('/')
}
