//! What the server counts beside the world: sockets, bytes, and what it had to refuse.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

/// Counters of one server since its start.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    /// TCP connections accepted.
    pub(super) accepted: AtomicU64,
    /// WebSockets opened.
    pub(super) upgrades: AtomicU64,
    /// WebSockets whose socket is still open.
    pub(super) open: AtomicU64,
    /// WebSocket handshakes refused.
    pub(super) upgrades_refused: AtomicU64,
    /// Connections reset because more bytes waited for them than `max_queued_bytes`.
    pub(super) slow_readers: AtomicU64,
    /// Connections closed because a client broke RFC 6455.
    pub(super) malformed_frames: AtomicU64,
    /// Control requests refused: bad input, or from another machine.
    pub(super) control_refused: AtomicU64,
    /// Batches of frames handed to a socket.
    pub(super) writes: AtomicU64,
    /// Their bytes, WebSocket headers included.
    pub(super) written_bytes: AtomicU64,
}

impl Traffic {
    /// The counters as JSON.
    pub(super) fn to_json(&self) -> Value {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        json!({
            "accepted": read(&self.accepted),
            "upgrades": read(&self.upgrades),
            "open": read(&self.open),
            "upgrades_refused": read(&self.upgrades_refused),
            "slow_readers": read(&self.slow_readers),
            "malformed_frames": read(&self.malformed_frames),
            "control_refused": read(&self.control_refused),
            "writes": read(&self.writes),
            "written_bytes": read(&self.written_bytes),
        })
    }
}
