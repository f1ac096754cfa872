//! What a session has done so far, in numbers.

use core::time::Duration;

/// Counters since the session was made. What was refused, dropped, replayed or duplicated is in here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Sockets asked for.
    pub connections: u64,
    /// Identifies sent: each cost one of the daily budget.
    pub identifies: u64,
    /// Resumes sent.
    pub resumes: u64,
    /// Sessions established by READY.
    pub ready: u64,
    /// Sessions continued by RESUMED.
    pub resumed: u64,
    /// Sessions given up: what came between the last sequence and the next READY is lost.
    pub sessions_lost: u64,
    /// Dispatches received.
    pub dispatches: u64,
    /// Of those, handed on.
    pub delivered: u64,
    /// Of those, held back by the filter.
    pub filtered: u64,
    /// Of those, replayed by a resume.
    pub replayed: u64,
    /// Replayed a second time: dropped.
    pub duplicates: u64,
    /// Sequences that were skipped: dispatches that never arrived.
    pub missed: u64,
    /// Dispatches outside a replay whose sequence was not above the last. Handed on.
    pub out_of_order: u64,
    /// Messages passed by: unknown opcodes, or messages out of place.
    pub ignored: u64,
    /// Messages that could not be read; each one ended its connection.
    pub bad_messages: u64,
    /// Connections found dead by a missing acknowledgement.
    pub zombies: u64,
    /// Heartbeats sent.
    pub heartbeats: u64,
    /// Heartbeats that Discord acknowledged.
    pub heartbeats_acked: u64,
    /// Commands sent.
    pub commands_sent: u64,
    /// Commands sent a second time after RATE_LIMITED.
    pub commands_resent: u64,
    /// Commands refused.
    pub commands_refused: u64,
    /// Commands waiting.
    pub commands_queued: u64,
    /// Bytes received in messages, before inflating.
    pub bytes_received: u64,
    /// Bytes of the buffers that the session holds.
    pub buffer_bytes: u64,
    /// Guilds that the session carries.
    pub guilds: u32,
    /// Of those, guilds in an outage or not streamed yet.
    pub guilds_unavailable: u32,
    /// Time from the last acknowledged heartbeat to its acknowledgement.
    pub latency: Option<Duration>,
    /// The last sequence seen, while there is a session.
    pub sequence: Option<u64>,
}

impl Stats {
    /// Adds what another session counted. What a session is or holds at the moment (guilds, latency, sequence, queued
    /// commands, buffers) stays as it is.
    pub fn absorb(&mut self, other: &Self) {
        self.connections += other.connections;
        self.identifies += other.identifies;
        self.resumes += other.resumes;
        self.ready += other.ready;
        self.resumed += other.resumed;
        self.sessions_lost += other.sessions_lost;
        self.dispatches += other.dispatches;
        self.delivered += other.delivered;
        self.filtered += other.filtered;
        self.replayed += other.replayed;
        self.duplicates += other.duplicates;
        self.missed += other.missed;
        self.out_of_order += other.out_of_order;
        self.ignored += other.ignored;
        self.bad_messages += other.bad_messages;
        self.zombies += other.zombies;
        self.heartbeats += other.heartbeats;
        self.heartbeats_acked += other.heartbeats_acked;
        self.commands_sent += other.commands_sent;
        self.commands_resent += other.commands_resent;
        self.commands_refused += other.commands_refused;
        self.bytes_received += other.bytes_received;
    }
}
