//! Connections: opening, HELLO, what arrives, heartbeats, closing.

use core::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;
use shardkeep_core::{Instant, wire::CloseCode, wire::Opcode};

use super::World;
use super::alarm::Alarm;
use super::commands::parse;
use super::connection::{Connection, Wire};
use super::dispatch::control_frame;
use super::faults::lasts;
use super::io::Misuse;
use super::ledger::{SessionEnd, ViolationKind};
use super::outbox::Out;
use crate::wire::deflate::Encoder;

/// What every message from a client looks like.
#[derive(Deserialize)]
struct Command<'a> {
    op: u64,
    #[serde(borrow, default)]
    d: Option<&'a RawValue>,
}

impl World {
    /// A WebSocket was opened.
    pub(super) fn open(&mut self, number: u64, path_and_query: &str) -> Result<(), Misuse> {
        if self.connections.contains_key(&number) {
            return Err(Misuse::ConnectionInUse);
        }
        let (path, query) = path_and_query
            .split_once('?')
            .unwrap_or((path_and_query, ""));
        self.ledger.counters.connections += 1;
        if lasts(self.trouble.refuse_until, self.now) {
            self.ledger.counters.connections_refused += 1;
            self.ledger.counters.drops += 1;
            self.outbox.push(Out::Drop { connection: number });
            return Ok(());
        }
        self.ledger.counters.connections_open += 1;
        self.connections
            .insert(number, Connection::new(number, path, query, self.now));
        let value = |key: &str| {
            query
                .split('&')
                .filter_map(|pair| pair.split_once('='))
                .find(|(k, _)| *k == key)
                .map(|(_, v)| v)
        };
        if !matches!(value("v"), Some("9" | "10")) {
            self.violate(
                number,
                ViolationKind::InvalidApiVersion,
                format!("v={}", value("v").unwrap_or("")),
            );
            self.close(
                number,
                CloseCode::INVALID_API_VERSION,
                "Invalid API version.",
            );
            return Ok(());
        }
        if !matches!(value("encoding"), None | Some("json")) {
            self.close(
                number,
                CloseCode::DECODE_ERROR,
                "This model of Discord speaks JSON only.",
            );
            return Ok(());
        }
        let encoder = match value("compress") {
            None => Some(Encoder::Plain),
            Some("zlib-stream") => Some(Encoder::zlib(self.config.zlib_level)),
            Some("zstd-stream") => Encoder::zstd(self.config.zstd_level),
            Some(_) => None,
        };
        let Some(encoder) = encoder else {
            self.close(number, CloseCode::DECODE_ERROR, "Unknown compression.");
            return Ok(());
        };
        if let Some(connection) = self.connections.get_mut(&number) {
            connection.encoder = encoder;
        }
        match self.config.hello_delay_ms {
            0 => self.say_hello(number),
            delay => self.alarms.set(
                self.now + Duration::from_millis(delay),
                Alarm::Hello(number),
            ),
        }
        Ok(())
    }

    pub(super) fn say_hello(&mut self, number: u64) {
        if lasts(self.trouble.no_hello_until, self.now) {
            return;
        }
        let Some(connection) = self.connections.get_mut(&number) else {
            return;
        };
        connection.last_heartbeat = self.now;
        let interval = self.config.heartbeat_interval_ms;
        let hello = control_frame(10, &format!("{{\"heartbeat_interval\":{interval}}}"));
        self.send(number, &hello);
        self.alarms.set(
            self.now + self.heartbeat_patience(),
            Alarm::Heartbeat(number),
        );
    }

    fn heartbeat_patience(&self) -> Duration {
        Duration::from_millis(self.config.heartbeat_interval_ms + self.config.heartbeat_grace_ms)
    }

    /// Closes a connection that sent no heartbeat for too long. Its session can be resumed.
    pub(super) fn check_heartbeat(&mut self, number: u64) {
        let Some(connection) = self.connections.get(&number) else {
            return;
        };
        let due = connection.last_heartbeat + self.heartbeat_patience();
        if due > self.now {
            self.alarms.set(due, Alarm::Heartbeat(number));
            return;
        }
        if !connection.delivers() {
            // The client is not heard, and would not hear a close frame either: it has to find out by itself.
            self.leave_session(number);
            return;
        }
        self.violate(number, ViolationKind::MissedHeartbeat, String::new());
        self.close(number, CloseCode::UNKNOWN_ERROR, "No heartbeat.");
    }

    /// A message arrived.
    pub(super) fn message(&mut self, number: u64, bytes: &[u8]) {
        let Some(connection) = self.connections.get_mut(&number) else {
            self.ledger.counters.messages_unheard += 1;
            return;
        };
        if !connection.delivers() {
            self.ledger.counters.messages_unheard += 1;
            return;
        }
        let most = self.config.max_sends_per_minute;
        if !connection.count_received(self.now, most) {
            self.violate(
                number,
                ViolationKind::SentTooFast,
                format!("more than {most} messages in 60 s"),
            );
            self.close(
                number,
                CloseCode::RATE_LIMITED,
                "You are being rate limited.",
            );
            return;
        }
        if bytes.len() > self.config.max_payload_bytes {
            self.violate(
                number,
                ViolationKind::PayloadTooLarge,
                format!("{} bytes", bytes.len()),
            );
            self.close(number, CloseCode::DECODE_ERROR, "Payload too large.");
            return;
        }
        let text = core::str::from_utf8(bytes).map_err(|error| error.to_string());
        match text.and_then(parse::<Command<'_>>) {
            Ok(command) => {
                self.command(number, command.op, command.d.map_or("null", RawValue::get))
            }
            Err(error) => {
                self.violate(number, ViolationKind::Undecodable, error);
                self.close(
                    number,
                    CloseCode::DECODE_ERROR,
                    "Error while decoding payload.",
                );
            }
        }
    }

    fn command(&mut self, number: u64, op: u64, d: &str) {
        let connection = self.connections.get(&number);
        let authenticated = connection.is_some_and(|connection| connection.identified);
        let invalidated = connection.is_some_and(|connection| connection.invalidated);
        match Opcode::from_number(op) {
            Some(Opcode::Heartbeat) => self.heartbeat(number, d),
            Some(Opcode::Identify) => self.identify(number, d),
            Some(Opcode::Resume) => self.resume(number, d),
            Some(
                op @ (Opcode::PresenceUpdate
                | Opcode::VoiceStateUpdate
                | Opcode::RequestGuildMembers
                | Opcode::RequestSoundboardSounds
                | Opcode::RequestChannelInfo),
            ) => {
                self.ledger.counters.commands += 1;
                if authenticated {
                    return self.session_command(number, op, d);
                }
                // A command that crossed the op 9 which took its session away broke no rule; it closes all the same.
                if !invalidated {
                    let detail = format!("op {} before Identify", op.number());
                    self.violate(number, ViolationKind::NotAuthenticated, detail);
                }
                self.close(number, CloseCode::NOT_AUTHENTICATED, "Not authenticated.");
            }
            _ => {
                self.violate(number, ViolationKind::UnknownOpcode, format!("op {op}"));
                self.close(number, CloseCode::UNKNOWN_OPCODE, "Unknown opcode.");
            }
        }
    }

    fn heartbeat(&mut self, number: u64, d: &str) {
        let Ok(seq) = serde_json::from_str::<Option<u64>>(d) else {
            self.bad_payload(number, "heartbeat: d is neither null nor a number");
            return;
        };
        self.ledger.counters.heartbeats += 1;
        let Some(connection) = self.connections.get_mut(&number) else {
            return;
        };
        connection.last_heartbeat = self.now;
        if let Some(session) = connection
            .session
            .and_then(|key| self.sessions.get_mut(&key))
        {
            let known = seq.unwrap_or(0).min(session.seq);
            session.ledger.confirmed_seq = session.ledger.confirmed_seq.max(known);
        }
        let ailments = &mut connection.ailments;
        if ailments.zombie || ailments.acks_to_lose > 0 {
            ailments.acks_to_lose = ailments.acks_to_lose.saturating_sub(1);
            self.ledger.counters.acks_withheld += 1;
            return;
        }
        self.ledger.counters.acks += 1;
        self.send(number, &control_frame(11, "null"));
    }

    /// The client closed, or the connection broke.
    pub(super) fn closed(&mut self, number: u64, code: Option<u16>) {
        let Some(connection) = self.connections.get(&number) else {
            return;
        };
        // A close frame does not get through a half-open connection.
        let code = code.filter(|_| !connection.ailments.half_open);
        let ends = code.is_some_and(|code| CloseCode(code).ends_session());
        if ends {
            self.ledger.counters.closed_final += 1;
        } else {
            self.ledger.counters.closed_resumable += 1;
        }
        if let Some(key) = self.detach(number)
            && ends
        {
            self.end_session(key, SessionEnd::ClosedByClient);
        }
    }

    /// Sends a close frame. The session stays for a resume unless it is ended beside.
    pub(super) fn close(&mut self, number: u64, code: CloseCode, reason: &'static str) {
        let Some(connection) = self.connections.get_mut(&number) else {
            return;
        };
        if connection.ailments.half_open {
            self.leave_session(number);
            return;
        }
        let mut wire = Wire {
            now: self.now,
            latency: self.latency,
            pending_bytes: self.config.pending_bytes,
            outbox: &mut self.outbox,
            alarms: &mut self.alarms,
            counters: &mut self.ledger.counters,
        };
        connection.close(code.0, reason, &mut wire);
        self.leave_session(number);
        self.remove_if_drained(number);
    }

    /// Breaks a connection without a close frame.
    pub(super) fn drop_connection(&mut self, number: u64) {
        if self.connections.contains_key(&number) {
            self.ledger.counters.drops += 1;
            self.detach(number);
            self.outbox.push(Out::Drop { connection: number });
        }
    }

    /// Takes a connection out of the world; answers the session it carried.
    pub(super) fn detach(&mut self, number: u64) -> Option<u64> {
        let key = self.leave_session(number);
        if self.connections.remove(&number).is_some() {
            self.ledger.counters.connections_open -= 1;
        }
        key
    }

    /// Leaves the session without a connection; it now has so long to be resumed.
    pub(super) fn leave_session(&mut self, number: u64) -> Option<u64> {
        let key = self.connections.get_mut(&number)?.session.take()?;
        let session = self.sessions.get_mut(&key)?;
        session.connection = None;
        session.ledger.connected = false;
        session.detached_at = self.now;
        self.alarms.set(
            self.now + Duration::from_millis(self.config.session_ttl_ms),
            Alarm::Expiry(key),
        );
        Some(key)
    }

    pub(super) fn release_late(&mut self, number: u64) {
        if let Some(connection) = self.connections.get_mut(&number) {
            connection.release(self.now, &mut self.outbox, &mut self.alarms);
            self.remove_if_drained(number);
        }
    }

    fn remove_if_drained(&mut self, number: u64) {
        if self
            .connections
            .get(&number)
            .is_some_and(|there| there.closing && there.is_drained())
        {
            self.detach(number);
        }
    }

    pub(super) fn release_merged(&mut self, number: u64) {
        let Some(connection) = self.connections.get_mut(&number) else {
            return;
        };
        let mut wire = Wire {
            now: self.now,
            latency: self.latency,
            pending_bytes: self.config.pending_bytes,
            outbox: &mut self.outbox,
            alarms: &mut self.alarms,
            counters: &mut self.ledger.counters,
        };
        connection.flush_merged(&mut wire);
    }

    pub(super) fn bad_payload(&mut self, number: u64, what: &str) {
        self.violate(number, ViolationKind::BadPayload, what.to_owned());
        self.close(
            number,
            CloseCode::UNKNOWN_OPCODE,
            "Unknown opcode or bad payload.",
        );
    }

    pub(super) fn violate(&mut self, number: u64, kind: ViolationKind, detail: String) {
        let shard = self
            .connections
            .get(&number)
            .and_then(|connection| connection.shard);
        self.ledger
            .violation(self.now, kind, Some(number), shard, detail);
    }

    /// The moment a session without a connection dies.
    pub(super) fn expiry(&self, detached_at: Instant) -> Instant {
        detached_at + Duration::from_millis(self.config.session_ttl_ms)
    }
}
