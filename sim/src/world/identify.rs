//! Identify and Resume: who may start a session, and who may go on with one.

use core::time::Duration;
use std::collections::BTreeMap;

use serde::Deserialize;
use shardkeep_core::fleet::SessionStartLimit;
use shardkeep_core::wire::{CloseCode, Intents};
use shardkeep_core::{Instant, ShardId};

use super::World;
use super::alarm::Alarm;
use super::commands::parse;
use super::config::WorldConfig;
use super::dispatch::control_frame;
use super::faults::lasts;
use super::ledger::{SessionEnd, ViolationKind};
use super::session::Session;

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

    /// What `/gateway/bot` says of identifies, without the way there and back.
    pub(crate) fn session_start_limit(&mut self, now: Instant) -> SessionStartLimit {
        self.advance(now);
        self.count_budget();
        let resets_in = self.budget.resets_at.since(self.now);
        SessionStartLimit {
            total: self.config.identify_total,
            remaining: self.budget.remaining,
            reset_after_ms: u64::try_from(resets_in.as_millis()).unwrap_or(u64::MAX),
            max_concurrency: self.config.max_concurrency,
        }
    }

    /// Op 2.
    pub(super) fn identify(&mut self, number: u64, d: &str) {
        let identify = match parse::<Identify>(d) {
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

    pub(super) fn already_authenticated(&mut self, number: u64, detail: &str) {
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
}
