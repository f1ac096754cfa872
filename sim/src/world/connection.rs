//! One WebSocket as the server sees it: its compression, its limits, and what is wrong with it.

use core::time::Duration;
use std::collections::VecDeque;

use shardkeep_core::{Instant, ShardId};

use super::alarm::{Alarm, Alarms};
use super::ledger::Counters;
use super::outbox::{Out, Outbox};
use crate::wire::deflate::{Encoder, zlib_once};

/// From how many bytes on a message is compressed for a client that identified with `compress: true`.
const PAYLOAD_COMPRESSION_FROM: usize = 1_024;

/// How long merged messages wait for each other at most.
const MERGE_PATIENCE: Duration = Duration::from_millis(100);

/// What a fault did to a connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ailments {
    pub(crate) half_open: bool,
    pub(crate) zombie: bool,
    pub(crate) acks_to_lose: u32,
    pub(crate) slow: Option<(Duration, Option<Instant>)>,
    pub(crate) truncate_next: bool,
    pub(crate) corrupt_next: bool,
    pub(crate) merge: u32,
    pub(crate) split: Option<(u32, u32)>,
}

/// One WebSocket.
pub(crate) struct Connection {
    pub(crate) number: u64,
    /// The request target it was opened with.
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) encoder: Encoder,
    pub(crate) payload_compression: Option<i32>,
    /// The session it carries.
    pub(crate) session: Option<u64>,
    /// The shard it identified as or resumed.
    pub(crate) shard: Option<ShardId>,
    /// READY is on its way: another Identify is one too many.
    pub(crate) identified: bool,
    /// An op 9 took its session away: commands may have crossed it.
    pub(crate) invalidated: bool,
    /// A close frame is on its way: nothing is heard any more.
    pub(crate) closing: bool,
    pub(crate) last_heartbeat: Instant,
    pub(crate) received: VecDeque<Instant>,
    pub(crate) presences: VecDeque<Instant>,
    pub(crate) ailments: Ailments,
    /// What waits for the socket, as the driver told it last.
    pub(crate) backlog_bytes: usize,
    late: VecDeque<(Instant, Out)>,
    late_bytes: usize,
    merged: Vec<u8>,
}

/// What a connection needs around it to send.
pub(crate) struct Wire<'a> {
    pub(crate) now: Instant,
    pub(crate) latency: Duration,
    pub(crate) pending_bytes: usize,
    pub(crate) outbox: &'a mut Outbox,
    pub(crate) alarms: &'a mut Alarms,
    pub(crate) counters: &'a mut Counters,
}

impl Connection {
    pub(crate) fn new(number: u64, path: &str, query: &str, now: Instant) -> Self {
        Self {
            number,
            path: path.to_owned(),
            query: query.to_owned(),
            encoder: Encoder::Plain,
            payload_compression: None,
            session: None,
            shard: None,
            identified: false,
            invalidated: false,
            closing: false,
            last_heartbeat: now,
            received: VecDeque::new(),
            presences: VecDeque::new(),
            ailments: Ailments::default(),
            backlog_bytes: 0,
            late: VecDeque::new(),
            late_bytes: 0,
            merged: Vec::new(),
        }
    }

    /// Whether what is sent arrives.
    pub(crate) const fn delivers(&self) -> bool {
        !self.ailments.half_open && !self.closing
    }

    /// Sends one gateway message. `false` if so much waits already that the connection must be dropped, or if a fault
    /// ends it with this message.
    #[must_use]
    pub(crate) fn send(&mut self, message: &[u8], wire: &mut Wire<'_>) -> bool {
        if !self.delivers() {
            return true;
        }
        let mut bytes = wire.outbox.buffer();
        let mut binary = !self.encoder.is_plain();
        match self.payload_compression {
            Some(level) if !binary && message.len() >= PAYLOAD_COMPRESSION_FROM => {
                binary = true;
                zlib_once(level, message, &mut bytes);
            }
            _ => self.encoder.encode(message, &mut bytes),
        }
        if core::mem::take(&mut self.ailments.corrupt_next) {
            corrupt(&mut bytes, binary);
        }
        if core::mem::take(&mut self.ailments.truncate_next) {
            truncate(&mut bytes, binary);
            self.frame(bytes, binary, wire);
            return false;
        }
        if self.encoder.is_zlib() && self.ailments.merge > 0 {
            self.merge(&bytes, wire);
            wire.outbox.recycle(bytes);
            return true;
        }
        match &mut self.ailments.split {
            Some((messages, pieces)) if self.encoder.is_zlib() && *messages > 0 => {
                *messages -= 1;
                let size = bytes.len().div_ceil((*pieces).max(1) as usize).max(1);
                for piece in bytes.chunks(size) {
                    self.frame(piece.to_vec(), true, wire);
                }
                wire.outbox.recycle(bytes);
            }
            _ => self.frame(bytes, binary, wire),
        }
        self.late_bytes <= wire.pending_bytes
    }

    fn merge(&mut self, bytes: &[u8], wire: &mut Wire<'_>) {
        if self.merged.is_empty() {
            wire.alarms
                .set(wire.now + MERGE_PATIENCE, Alarm::Merge(self.number));
        }
        self.merged.extend_from_slice(bytes);
        self.ailments.merge -= 1;
        if self.ailments.merge == 0 {
            self.flush_merged(wire);
        }
    }

    /// Sends what was merged so far.
    pub(crate) fn flush_merged(&mut self, wire: &mut Wire<'_>) {
        if !self.merged.is_empty() {
            let merged = core::mem::take(&mut self.merged);
            self.frame(merged, true, wire);
        }
    }

    /// Sends bytes as they are.
    pub(crate) fn frame(&mut self, bytes: Vec<u8>, binary: bool, wire: &mut Wire<'_>) {
        wire.counters.frames += 1;
        wire.counters.bytes += bytes.len() as u64;
        self.out(
            Out::Message {
                connection: self.number,
                binary,
                bytes,
            },
            wire,
        );
    }

    /// Sends a close frame after everything that is still on its way.
    pub(crate) fn close(&mut self, code: u16, reason: &'static str, wire: &mut Wire<'_>) {
        if !self.closing {
            self.flush_merged(wire);
            self.closing = true;
            wire.counters.closes += 1;
            self.out(
                Out::Close {
                    connection: self.number,
                    code,
                    reason,
                },
                wire,
            );
        }
    }

    fn out(&mut self, out: Out, wire: &mut Wire<'_>) {
        let slow = match self.ailments.slow {
            Some((by, until)) if until.is_none_or(|until| until > wire.now) => by,
            _ => Duration::ZERO,
        };
        let delay = wire.latency + slow;
        if delay.is_zero() && self.late.is_empty() {
            wire.outbox.push(out);
            return;
        }
        let after = self.late.back().map_or(wire.now, |&(at, _)| at);
        let at = (wire.now + delay).max(after);
        if self.late.is_empty() {
            wire.alarms.set(at, Alarm::Late(self.number));
        }
        self.late_bytes += out.len();
        self.late.push_back((at, out));
    }

    /// Hands over what has become due.
    pub(crate) fn release(&mut self, now: Instant, outbox: &mut Outbox, alarms: &mut Alarms) {
        while self.late.front().is_some_and(|&(at, _)| at <= now) {
            let Some((_, out)) = self.late.pop_front() else {
                break;
            };
            self.late_bytes -= out.len();
            outbox.push(out);
        }
        if let Some(&(at, _)) = self.late.front() {
            alarms.set(at, Alarm::Late(self.number));
        }
    }

    /// Whether nothing is on its way any more.
    pub(crate) fn is_drained(&self) -> bool {
        self.late.is_empty()
    }

    /// Counts a message against the limit of `most` in 60 seconds. `false` if it is one too many.
    pub(crate) fn count_received(&mut self, now: Instant, most: usize) -> bool {
        count(&mut self.received, now, Duration::from_secs(60), most)
    }

    /// Counts a presence update against the limit of 5 in 20 seconds. `false` if it is one too many.
    pub(crate) fn count_presence(&mut self, now: Instant) -> bool {
        count(&mut self.presences, now, Duration::from_secs(20), 5)
    }
}

fn count(log: &mut VecDeque<Instant>, now: Instant, window: Duration, most: usize) -> bool {
    while log.front().is_some_and(|&at| now.since(at) >= window) {
        log.pop_front();
    }
    let fits = log.len() < most;
    if fits {
        log.push_back(now);
    }
    fits
}

/// Damages the start of a message so that no decoder can take it for a good one: in a deflate or zstd block the
/// first bits then name a block type that does not exist, and text is no JSON.
fn corrupt(bytes: &mut [u8], binary: bool) {
    let filler = if binary { 0xff } else { b'#' };
    // A stream's own header may come first, in which case that is what is damaged.
    bytes.iter_mut().take(8).for_each(|byte| *byte = filler);
}

/// Cuts a message in half, at a character's boundary if it is text.
fn truncate(bytes: &mut Vec<u8>, binary: bool) {
    let mut half = bytes.len() / 2;
    while !binary && half > 0 && bytes[half] & 0xc0 == 0x80 {
        half -= 1;
    }
    bytes.truncate(half);
}
