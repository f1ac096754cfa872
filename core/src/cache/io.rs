//! What the cache takes and gives: inputs, outputs, and the reasons they carry.

use alloc::vec::Vec;
use core::fmt;

use super::{Key, Kind, Version};
use crate::id::Snowflake;
use crate::reasons::reasons;
use crate::time::Instant;
use crate::wire::EventKind;

/// Who asks, by the number that the driver chose. Unique among those who wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "request {}", self.0)
    }
}

/// What the store or Discord was asked for, by the cache's own number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlightId(pub u64);

/// A batch of writes, by the cache's own number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchId(pub u64);

/// What can happen to the cache.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Input<'a> {
    /// The gateway told something.
    Dispatch {
        /// What it is about.
        event: EventKind,
        /// Its JSON.
        d: &'a [u8],
        /// The session and the sequence. What a shard tells has ascending versions.
        version: Version,
        /// The time of day in milliseconds: the version of users, which many sessions tell.
        wall_ms: u64,
    },
    /// Somebody wants a record, wherever it is. Answered by [`Output::Deliver`].
    Fetch {
        /// Who.
        id: RequestId,
        /// Which.
        key: Key,
        /// Until when it is of use.
        deadline: Option<Instant>,
    },
    /// Somebody wants it no longer. There will be no answer, unless there was one.
    Cancel {
        /// Who.
        id: RequestId,
    },
    /// The store answered [`Output::Read`].
    Held {
        /// Which question.
        flight: FlightId,
        /// What it holds; `None` if nothing.
        json: Option<&'a [u8]>,
        /// How new it is; `None` if nobody said.
        version: Option<Version>,
    },
    /// The store could not answer [`Output::Read`].
    ReadFailed {
        /// Which question.
        flight: FlightId,
    },
    /// The store answered [`Output::Write`].
    Written {
        /// Which batch.
        batch: BatchId,
        /// What became of each write, in their order. Those that are missing failed.
        outcomes: &'a [Written],
    },
    /// Discord answered [`Output::Ask`].
    Answered {
        /// Which question.
        flight: FlightId,
        /// The object.
        json: &'a [u8],
    },
    /// Discord has no such thing, or not for the bot.
    NotFound {
        /// Which question.
        flight: FlightId,
    },
    /// Discord could not be asked.
    AskFailed {
        /// Which question.
        flight: FlightId,
    },
    /// The store went away: nothing that is under way will be answered.
    StoreDown,
    /// The store is there.
    StoreUp {
        /// Whether it may have lost what it had acknowledged, as after a failover.
        lost: bool,
        /// Where others share the store: an epoch that they all agree on, beyond all that was acknowledged before the
        /// loss. What they write from then on has it, or a later one. 0 if there are no others.
        epoch: u64,
    },
    /// Another process has changed a record. A hint: it may come late, twice or never.
    Invalidated {
        /// Which.
        key: Key,
        /// The digest of its JSON, as [`Output::Invalidate`] has it; 0 if it was removed.
        digest: u64,
    },
    /// A record is not to be believed, because the user says so.
    Forget {
        /// Which.
        key: Key,
    },
    /// Nothing of a guild is to be believed, because the user says so. Messages and who is in which thread stay.
    ForgetGuild {
        /// Which.
        guild: Snowflake,
    },
}

/// What became of one write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// The store has it.
    Done,
    /// The store has something newer.
    Superseded(Version),
    /// Nobody knows.
    Failed,
}

/// What the cache wants done, or reports.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Output {
    /// Write these, each unless the store has something newer. Answered by [`Input::Written`].
    Write {
        /// The batch.
        batch: BatchId,
        /// The writes. A key is in one batch at a time.
        writes: Vec<Write>,
    },
    /// Read these. Each is answered by [`Input::Held`] or [`Input::ReadFailed`].
    Read {
        /// What, and by which number it is answered: all of one kind and scope.
        keys: Vec<(FlightId, Key)>,
    },
    /// Remove what is older than `before` from a scope in the store, as far as that can be done. Correctness does not
    /// depend on it.
    Clear {
        /// The kind.
        kind: Kind,
        /// The scope.
        scope: Snowflake,
        /// What is as new stays.
        before: Version,
    },
    /// Ask Discord. Answered by [`Input::Answered`], [`Input::NotFound`] or [`Input::AskFailed`].
    Ask {
        /// The question.
        flight: FlightId,
        /// For what.
        key: Key,
    },
    /// The answer to [`Input::Fetch`].
    Deliver {
        /// For whom.
        id: RequestId,
        /// The answer.
        found: Found,
    },
    /// What a record was before the present dispatch.
    Before {
        /// Which record.
        key: Key,
        /// Its JSON.
        json: Vec<u8>,
    },
    /// Tell the other processes that a record has changed.
    Invalidate {
        /// Which.
        key: Key,
        /// The digest of its JSON; 0 if it was removed.
        digest: u64,
    },
}

/// One write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// Which record.
    pub key: Key,
    /// How new it is.
    pub version: Version,
    /// Its JSON; `None` removes it.
    pub json: Option<Vec<u8>>,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// The record's JSON, with the user that it refers to as far as that is known.
    Record(Vec<u8>),
    /// There is no such thing, as far as the bot can see.
    Absent,
    /// It could not be found out.
    Failed(Failure),
}

reasons! {
    /// Why nothing could be found out.
    Failure {
        1 Deadline "it took longer than its reader wanted to wait",
        2 Full "as many questions as may be are under way already",
        3 Unreachable "neither the store nor Discord could be asked",
        4 NotFetched "it is not in the cache, and Discord cannot be asked for such things",
    }
}

reasons! {
    /// Why the cache waits.
    Reason {
        1 Deadline "a reader's time ends",
        2 Store "the store's time ends",
        3 Retry "a failed write is due again",
    }
}

/// How a caller can break the rules of the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Misuse {
    /// The number of a request that still waits was used again.
    DuplicateRequest(RequestId),
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DuplicateRequest(id) => write!(f, "{id} is waiting already"),
        }
    }
}

impl core::error::Error for Misuse {}
