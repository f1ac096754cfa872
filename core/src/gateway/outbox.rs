//! Outputs that wait to be polled, and the bytes they speak of.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;
use core::time::Duration;

use super::io::{Cause, ClosedReason, Dispatch, Event, Output, Refusal};
use crate::id::Snowflake;
use crate::wire::{Buffer, CloseCode, EventKind};

/// Where a dispatch's JSON lies.
#[derive(Clone, Debug)]
pub(super) enum Span {
    /// In the outbox's own bytes: copied from a message that the caller lent.
    Copied(Range<usize>),
    /// In the inbox's buffer, where it was inflated to.
    Inflated(Range<usize>),
}

/// What the queue keeps of its memory at rest: enough for a heartbeat and the news of a day without traffic.
const ITEMS_KEPT: usize = 8;
const BYTES_KEPT: usize = 256;

/// An output without its borrows.
#[derive(Clone, Debug)]
pub(super) enum Item {
    Connect,
    Send(Range<usize>),
    Close {
        code: CloseCode,
        cause: Cause,
    },
    WantIdentify,
    CancelIdentify,
    IdentifyUnused,
    Dispatch {
        sequence: u64,
        kind: EventKind,
        name: Range<usize>,
        data: Span,
        replayed: bool,
    },
    Ready {
        guilds: u32,
    },
    Resumed {
        sequence: u64,
        replayed: u64,
    },
    Disconnected {
        code: Option<CloseCode>,
        cause: Cause,
        resumable: bool,
        retry_after: Duration,
    },
    SessionLost {
        cause: Cause,
        sequence: u64,
    },
    HeartbeatAcked {
        latency: Duration,
    },
    RateLimited {
        opcode: u8,
        retry_after: Duration,
        guild_id: Option<Snowflake>,
        resent: bool,
    },
    CommandSent {
        id: u64,
    },
    CommandRefused {
        id: u64,
        reason: Refusal,
    },
    CommandBlamed {
        id: u64,
        opcode: u8,
        code: CloseCode,
    },
    Escalated {
        code: CloseCode,
        times: u32,
    },
    Ignored {
        opcode: u64,
    },
    UrlRefused,
    Closed {
        reason: ClosedReason,
    },
}

/// The queue of outputs. Its memory is what the caller fed since it last polled until `None`.
#[derive(Clone, Debug, Default)]
pub(super) struct Outbox {
    items: VecDeque<Item>,
    bytes: Vec<u8>,
    /// What `Connect` opens. Written when the output is queued; there is never more than one such output to come.
    pub(super) url: String,
}

impl Outbox {
    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub(super) fn push(&mut self, item: Item) {
        self.items.push_back(item);
    }

    pub(super) fn copy(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        start..self.bytes.len()
    }

    /// Queues the payload that `write` appends.
    pub(super) fn send(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        write(&mut self.bytes);
        self.push(Item::Send(start..self.bytes.len()));
    }

    /// Forgets the bytes of outputs that were polled. Call only while empty.
    pub(super) fn reuse(&mut self) {
        self.bytes.clear();
    }

    /// Gives back the memory that many or large outputs took. While something waits to be polled nothing happens.
    pub(super) fn shrink(&mut self) {
        if self.items.is_empty() {
            self.items.shrink_to(ITEMS_KEPT);
            self.bytes.clear();
            self.bytes.shrink_to(BYTES_KEPT);
        }
    }

    pub(super) const fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    pub(super) fn pop<'a>(
        &'a mut self,
        inflated: &'a Buffer,
        session_id: &'a str,
    ) -> Option<Output<'a>> {
        let item = self.items.pop_front()?;
        let bytes = &self.bytes;
        let output = match item {
            Item::Connect => Output::Connect { url: &self.url },
            Item::Send(range) => Output::Send(&bytes[range]),
            Item::Close { code, cause } => Output::Close { code, cause },
            Item::WantIdentify => Output::WantIdentify,
            Item::CancelIdentify => Output::CancelIdentify,
            Item::IdentifyUnused => Output::IdentifyUnused,
            Item::Dispatch {
                sequence,
                kind,
                name,
                data,
                replayed,
            } => {
                let name = match kind {
                    EventKind::Unknown => core::str::from_utf8(&bytes[name]).unwrap_or_default(),
                    known => known.name(),
                };
                let data = match data {
                    Span::Copied(range) => &bytes[range],
                    Span::Inflated(range) => &inflated.filled()[range],
                };
                Output::Dispatch(Dispatch {
                    sequence,
                    kind,
                    name,
                    data,
                    replayed,
                })
            }
            event => Output::Event(event.into_event(session_id)?),
        };
        Some(output)
    }
}

impl Item {
    /// The event that the item stands for; `None` if it is an output of another kind.
    fn into_event(self, session_id: &str) -> Option<Event<'_>> {
        Some(match self {
            Self::Ready { guilds } => Event::Ready { session_id, guilds },
            Self::Resumed { sequence, replayed } => Event::Resumed {
                session_id,
                sequence,
                replayed,
            },
            Self::Disconnected {
                code,
                cause,
                resumable,
                retry_after,
            } => Event::Disconnected {
                code,
                cause,
                resumable,
                retry_after,
            },
            Self::SessionLost { cause, sequence } => Event::SessionLost { cause, sequence },
            Self::HeartbeatAcked { latency } => Event::HeartbeatAcked { latency },
            Self::RateLimited {
                opcode,
                retry_after,
                guild_id,
                resent,
            } => Event::RateLimited {
                opcode,
                retry_after,
                guild_id,
                resent,
            },
            Self::CommandSent { id } => Event::CommandSent { id },
            Self::CommandRefused { id, reason } => Event::CommandRefused { id, reason },
            Self::CommandBlamed { id, opcode, code } => Event::CommandBlamed { id, opcode, code },
            Self::Escalated { code, times } => Event::Escalated { code, times },
            Self::Ignored { opcode } => Event::Ignored { opcode },
            Self::UrlRefused => Event::UrlRefused,
            Self::Closed { reason } => Event::Closed { reason },
            Self::Connect
            | Self::Send(_)
            | Self::Close { .. }
            | Self::WantIdentify
            | Self::CancelIdentify
            | Self::IdentifyUnused
            | Self::Dispatch { .. } => return None,
        })
    }
}
