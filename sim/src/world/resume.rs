//! Resume, and how sessions end.

use serde::Deserialize;
use shardkeep_core::wire::{CloseCode, Intents};

use super::World;
use super::commands::parse;
use super::dispatch::control_frame;
use super::ledger::{SessionEnd, ViolationKind};
use super::session::Cargo;

#[derive(Deserialize)]
struct Resume {
    token: String,
    session_id: String,
    seq: u64,
}

impl World {
    /// Op 6.
    pub(super) fn resume(&mut self, number: u64, d: &str) {
        let resume = match parse::<Resume>(d) {
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
            self.take_session_from(old);
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
        if session.dry == Some(true) {
            session.dry = None;
        }
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

    /// A session moves on: the connection it leaves is broken, unless it is half-open and nothing reaches the client.
    fn take_session_from(&mut self, old: u64) {
        if self
            .connections
            .get(&old)
            .is_some_and(|connection| connection.ailments.half_open)
        {
            self.leave_session(old);
        } else {
            self.drop_connection(old);
        }
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
