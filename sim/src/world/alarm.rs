//! When what is due: a heap of moments, ties in the order in which they were set.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use shardkeep_core::{Instant, Timeout};

use super::io::Wait;

/// Something that happens later. Alarms are never taken back: whoever is woken looks whether it still matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Alarm {
    /// A connection's HELLO.
    Hello(u64),
    /// A connection's delayed messages.
    Late(u64),
    /// A connection's merged messages wait no longer for others.
    Merge(u64),
    /// A session's READY.
    Ready(u64),
    /// A session's next guilds or member chunks.
    Stream(u64),
    /// A connection must have sent a heartbeat.
    Heartbeat(u64),
    /// A client that was asked to reconnect should be gone.
    Hangup(u64),
    /// A session without a connection may die.
    Expiry(u64),
    /// The next event of the steady traffic.
    Chatter,
    /// The next fault of the weather.
    Weather,
    /// A guild comes back.
    GuildBack(u32),
    /// A request that was under way arrives.
    HttpArrives(u64),
    /// An answer that was under way is there.
    HttpAnswer(u64),
}

impl Alarm {
    const fn wait(self) -> Wait {
        match self {
            Self::Hello(_) | Self::Late(_) | Self::Merge(_) | Self::Ready(_) => Wait::Delivery,
            Self::HttpArrives(_) | Self::HttpAnswer(_) => Wait::Delivery,
            Self::Stream(_) => Wait::Stream,
            Self::Heartbeat(_) => Wait::Heartbeat,
            Self::Expiry(_) => Wait::SessionExpiry,
            Self::Chatter => Wait::Chatter,
            Self::Weather => Wait::Weather,
            Self::GuildBack(_) | Self::Hangup(_) => Wait::Recovery,
        }
    }
}

/// Every alarm that is set.
#[derive(Debug, Default)]
pub(crate) struct Alarms {
    heap: BinaryHeap<Reverse<(Instant, u64, Alarm)>>,
    serial: u64,
}

impl Alarms {
    pub(crate) fn set(&mut self, at: Instant, alarm: Alarm) {
        self.serial += 1;
        self.heap.push(Reverse((at, self.serial, alarm)));
    }

    /// Takes the first alarm that is due.
    pub(crate) fn due(&mut self, now: Instant) -> Option<(Instant, Alarm)> {
        let Reverse((at, _, alarm)) = *self.heap.peek()?;
        if at > now {
            return None;
        }
        self.heap.pop();
        Some((at, alarm))
    }

    pub(crate) fn next(&self) -> Option<Timeout<Wait>> {
        self.heap.peek().map(|&Reverse((at, _, alarm))| Timeout {
            at,
            reason: alarm.wait(),
        })
    }
}
