//! The truth: what was sent on which session, what was counted, and who broke which rule.

use std::borrow::Cow;
use std::collections::VecDeque;

use serde::Serialize;
use shardkeep_core::{Instant, ShardId};

use super::config::LedgerDetail;

/// FNV-1a, 64 bits, over the bytes of `d`: the digest in [`Entry`]. Simple enough to write in any language.
///
/// ```
/// assert_eq!(shardkeep_sim::digest(b""), 0xcbf2_9ce4_8422_2325);
/// ```
#[must_use]
pub fn digest(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// One dispatch as it was first sent, or put by for a resume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// `s`.
    pub seq: u64,
    /// `t`.
    pub t: Cow<'static, str>,
    /// The id that tells this event from others of its kind: `d.id` or what stands for it; 0 if it has none.
    pub id: u64,
    /// [`digest`] of `d`, byte for byte.
    pub digest: u64,
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SessionEnd {
    /// The client closed with 1000 or 1001.
    ClosedByClient,
    /// Nobody resumed it in time.
    Expired,
    /// A fault took it: session loss, op 9 with `false`, a close code that ends sessions.
    Fault,
    /// A resume asked for events that the replay buffer no longer held.
    BufferOverrun,
    /// The client sent a sequence it cannot have seen.
    InvalidSequence,
    /// The identify budget was overrun and the token reset.
    TokenReset,
}

/// What was sent on one session. Compare it with the bot's own log.
///
/// READY is entry 1. RESUMED takes a number too but has no entry: it belongs to a connection and is never replayed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SessionLedger {
    /// `session_id`.
    pub session: String,
    /// `[shard_id, num_shards]`.
    pub shard: [u32; 2],
    /// The last `s` given out.
    pub last_seq: u64,
    /// The highest `s` that the client reported, by heartbeat or resume.
    pub confirmed_seq: u64,
    /// Dispatches of the session, RESUMED not among them.
    pub dispatches: u64,
    /// Dispatches sent once more after a resume.
    pub replayed: u64,
    /// How often the session was resumed.
    pub resumes: u64,
    /// `hash = (hash * 31) ^ digest ^ seq` (wrapping) over every entry, starting from 0.
    pub rolling_hash: u64,
    /// Whether entries are missing because [`LedgerDetail`] has a cap.
    pub truncated: bool,
    /// Whether a connection carries the session now.
    pub connected: bool,
    /// How the session ended; `None` while it can still be resumed.
    pub end: Option<SessionEnd>,
    /// What was sent, in order.
    #[serde(skip)]
    pub entries: Vec<Entry>,
}

impl SessionLedger {
    pub(crate) fn new(session: String, shard: ShardId) -> Self {
        Self {
            session,
            shard: [shard.index(), shard.total()],
            last_seq: 0,
            confirmed_seq: 0,
            dispatches: 0,
            replayed: 0,
            resumes: 0,
            rolling_hash: 0,
            truncated: false,
            connected: true,
            end: None,
            entries: Vec::new(),
        }
    }

    pub(crate) fn without_entries(&self) -> Self {
        Self {
            session: self.session.clone(),
            entries: Vec::new(),
            ..*self
        }
    }

    pub(crate) fn record(&mut self, detail: LedgerDetail, entry: Entry) {
        let Entry { seq, digest, .. } = entry;
        self.last_seq = seq;
        self.dispatches += 1;
        self.rolling_hash = self.rolling_hash.wrapping_mul(31) ^ digest ^ seq;
        match detail {
            LedgerDetail::Entries(cap) if self.entries.len() < cap => self.entries.push(entry),
            _ => self.truncated = true,
        }
    }
}

/// A rule that a client broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ViolationKind {
    /// Two identifies of one key within 5 seconds: op 9.
    IdentifyConcurrency,
    /// An identify with nothing left of the day's allowance: every session ended, the token reset.
    IdentifyBudget,
    /// More than 120 messages in 60 seconds: 4008.
    SentTooFast,
    /// A message above 4,096 bytes: 4002.
    PayloadTooLarge,
    /// A message that is not JSON: 4002.
    Undecodable,
    /// An opcode that no bot sends: 4001.
    UnknownOpcode,
    /// A payload that its opcode does not allow: 4001.
    BadPayload,
    /// A command before Identify or Resume: 4003.
    NotAuthenticated,
    /// A second Identify or Resume on a connection: 4005.
    AlreadyAuthenticated,
    /// A wrong token: 4004 or 401.
    WrongToken,
    /// A shard that does not exist, or a total that Discord does not allow: 4010.
    InvalidShard,
    /// Too many guilds on one shard: 4011.
    ShardingRequired,
    /// A missing or wrong API version: 4012.
    InvalidApiVersion,
    /// An intent that does not exist: 4013.
    InvalidIntents,
    /// A privileged intent that is not enabled: 4014.
    DisallowedIntents,
    /// A resume with a sequence that was never sent: 4007.
    InvalidSequence,
    /// A resume with another query string than the session began with.
    ResumeQueryChanged,
    /// No heartbeat in time: the connection is closed.
    MissedHeartbeat,
    /// More than 5 presence updates in 20 seconds: the update is dropped.
    PresenceTooFast,
    /// A second request for all members of a guild within 30 seconds: RATE_LIMITED.
    MembersTooFast,
    /// A request for all members, or for presences, without the intent for it: ignored.
    MembersIntent,
    /// A request over a bucket of which the client had been told: 429.
    RateLimitOverrun,
    /// A request over the global limit: 429.
    GlobalLimitOverrun,
    /// A request over a hidden limit before the time was over that a 429 had named: 429.
    HiddenLimitIgnored,
    /// A request from an address that is banned for its invalid requests: Cloudflare's page.
    RequestWhileBanned,
}

/// One broken rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// When, in milliseconds of the world's time.
    pub at_ms: u64,
    /// Which rule.
    pub kind: ViolationKind,
    /// On which connection, if on any.
    pub connection: Option<u64>,
    /// `[shard_id, num_shards]`, where known.
    pub shard: Option<[u32; 2]>,
    /// What exactly.
    pub detail: String,
}

/// Everything that is counted. Numbers only grow, but for the two `_open` ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Counters {
    /// WebSockets opened.
    pub connections: u64,
    /// WebSockets that are open.
    pub connections_open: u64,
    /// WebSockets broken at once by a fault.
    pub connections_refused: u64,
    /// Identify messages, good and bad.
    pub identifies: u64,
    /// Identify messages that started no session.
    pub identifies_refused: u64,
    /// Sessions that can be resumed or are connected.
    pub sessions_open: u64,
    /// Sessions that ended.
    pub sessions_ended: u64,
    /// Resume messages.
    pub resumes: u64,
    /// Resume messages that did not bring the session back.
    pub resumes_failed: u64,
    /// Resumes that did not come to `resume_gateway_url`'s path.
    pub resumes_elsewhere: u64,
    /// Dispatches given a sequence number, RESUMED not among them.
    pub dispatches: u64,
    /// Of these, the ones put by because the session had no working connection.
    pub dispatches_deferred: u64,
    /// Dispatches sent once more after a resume.
    pub dispatches_replayed: u64,
    /// Heartbeats heard.
    pub heartbeats: u64,
    /// Acknowledgements sent.
    pub acks: u64,
    /// Acknowledgements held back by a fault.
    pub acks_withheld: u64,
    /// Other commands: ops 3, 4, 8, 31, 43.
    pub commands: u64,
    /// Messages from clients that no one heard, because the connection was half-open or closed.
    pub messages_unheard: u64,
    /// Messages sent.
    pub frames: u64,
    /// Their bytes, after compression.
    pub bytes: u64,
    /// Close frames sent.
    pub closes: u64,
    /// TCP connections broken by the world.
    pub drops: u64,
    /// Close frames received with 1000 or 1001.
    pub closed_final: u64,
    /// Connections that clients closed or lost otherwise.
    pub closed_resumable: u64,
    /// Faults that hit something.
    pub faults: u64,
    /// HTTP requests.
    pub http_requests: u64,
    /// Of these, the ones answered with 429.
    pub http_refused: u64,
    /// Rules broken.
    pub violations: u64,
    /// Identifies left today.
    pub identify_remaining: u32,
}

/// How many violations are kept in detail; the rest are only counted.
const VIOLATIONS_KEPT: usize = 1_000;

/// What the world remembers.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) counters: Counters,
    pub(crate) violations: Vec<Violation>,
    pub(crate) ended: VecDeque<SessionLedger>,
}

impl Ledger {
    pub(crate) fn violation(
        &mut self,
        now: Instant,
        kind: ViolationKind,
        connection: Option<u64>,
        shard: Option<ShardId>,
        detail: String,
    ) {
        self.counters.violations += 1;
        if self.violations.len() < VIOLATIONS_KEPT {
            self.violations.push(Violation {
                at_ms: now.as_millis(),
                kind,
                connection,
                shard: shard.map(|shard| [shard.index(), shard.total()]),
                detail,
            });
        }
    }

    pub(crate) fn bury(&mut self, mut session: SessionLedger, end: SessionEnd, keep: usize) {
        session.end = Some(end);
        session.connected = false;
        self.counters.sessions_ended += 1;
        self.ended.push_back(session);
        while self.ended.len() > keep {
            self.ended.pop_front();
        }
    }
}
