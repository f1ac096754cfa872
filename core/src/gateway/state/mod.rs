//! The states of a session, the signals that move it, and the table of every move there is.

mod closed;
mod closing;
mod connecting;
mod disconnected;
mod edges;
mod hello;
mod identifying;
mod ready;
mod resuming;

use core::fmt;
use core::time::Duration;

pub(super) use closed::Closed;
pub(super) use closing::{Closing, Next};
pub(super) use connecting::Connecting;
pub(super) use disconnected::Disconnected;
pub use edges::{EDGES, Edge};
pub(super) use hello::Hello;
pub(super) use identifying::{AwaitingIdentify, Identifying};
pub(super) use ready::Ready;
pub(super) use resuming::Resuming;

use super::context::Context;
use super::io::{Cause, Reason};
use super::resume::Resumption;
use crate::time::Instant;
use crate::wire::{AfterClose, CloseCode};

/// What a session is doing. Each state is a value with a file of its own; a step consumes it and gives the next.
#[derive(Clone, Copy, Debug)]
pub(super) enum State {
    Disconnected(Disconnected),
    Connecting(Connecting),
    Hello(Hello),
    AwaitingIdentify(AwaitingIdentify),
    Identifying(Identifying),
    Resuming(Resuming),
    Ready(Ready),
    Closing(Closing),
    Closed(Closed),
}

macro_rules! states {
    ($($number:literal $state:ident $name:literal $doc:literal;)*) => {
        /// The name of a state.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum StateName {
            $(#[doc = $doc] $state = $number,)*
        }

        impl StateName {
            /// Every state, by number.
            pub const ALL: &'static [Self] = &[$(Self::$state),*];

            /// The number in records and bindings: stable, never reused.
            #[must_use]
            pub const fn number(self) -> u8 {
                self as u8
            }

            /// The name in every language.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$state => $name,)*
                }
            }

            /// What the session is doing.
            #[must_use]
            pub const fn explain(self) -> &'static str {
                match self {
                    $(Self::$state => $doc,)*
                }
            }
        }

        impl State {
            pub(super) const fn name(self) -> StateName {
                match self {
                    $(Self::$state(_) => StateName::$state,)*
                }
            }

            /// One step: the state that follows.
            pub(super) fn on(self, signal: Signal<'_>, now: Instant, context: &mut Context) -> Self {
                match self {
                    $(Self::$state(state) => state.on(signal, now, context),)*
                }
            }
        }

        $(impl From<$state> for State {
            fn from(state: $state) -> Self {
                Self::$state(state)
            }
        })*
    };
}

states! {
    1 Disconnected "disconnected" "No socket. The next attempt is due at a set time.";
    2 Connecting "connecting" "A socket was asked for and is not open yet.";
    3 Hello "hello" "The socket is open; Discord has not said Hello.";
    4 AwaitingIdentify "awaiting_identify" "Connected, beating, waiting for an identify slot.";
    5 Identifying "identifying" "Identify was sent; READY is to come.";
    6 Resuming "resuming" "Resume was sent; missed events are being replayed.";
    7 Ready "ready" "Events flow, commands may be sent.";
    8 Closing "closing" "We hung up and wait for the socket to be gone.";
    9 Closed "closed" "Over, for good.";
}

impl fmt::Display for StateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What can move a session from one state to another.
#[derive(Clone, Copy, Debug)]
pub(super) enum Signal<'a> {
    /// A timer fired.
    Due(Reason),
    /// The socket opened.
    Opened,
    /// The socket is gone.
    Lost(Option<CloseCode>),
    /// Op 10.
    Hello(Duration),
    /// An identify slot is there.
    Granted,
    /// Dispatch READY.
    Ready(&'a Established),
    /// Dispatch RESUMED.
    Resumed,
    /// Another dispatch was taken.
    Dispatched,
    /// Op 7.
    ReconnectAsked,
    /// Op 9.
    SessionInvalid {
        /// Its `d`.
        resumable: bool,
    },
    /// A message could not be read.
    Broken(Cause),
    /// The caller wants a new connection.
    Recycle,
    /// The caller wants it to end.
    Stop {
        /// Whether Discord is to keep the session.
        resumable: bool,
    },
}

/// What READY says.
#[derive(Clone, Debug)]
pub(super) struct Established {
    pub(super) session: Resumption,
    pub(super) url_refused: bool,
    pub(super) guilds: u32,
}

macro_rules! triggers {
    ($($trigger:ident $name:literal;)*) => {
        /// What made a session change its state: the label of an edge.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Trigger {
            $(#[doc = $name] $trigger,)*
        }

        impl fmt::Display for Trigger {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $(Self::$trigger => $name,)*
                })
            }
        }
    };
}

triggers! {
    Due "attempt due";
    TimedOut "timed out";
    Zombied "heartbeat unanswered";
    Opened "socket open";
    Dropped "socket lost";
    Refused "fatal close code";
    Greeted "hello";
    Granted "identify slot";
    Ready "READY";
    Resumed "RESUMED";
    ReconnectAsked "op 7";
    SessionInvalid "op 9";
    Broken "unreadable message";
    Recycled "reconnect asked by caller";
    Stopped "shutdown";
}

impl Signal<'_> {
    pub(super) const fn trigger(self) -> Option<Trigger> {
        Some(match self {
            Self::Due(Reason::Reconnect) => Trigger::Due,
            Self::Due(Reason::Heartbeat) => Trigger::Zombied,
            Self::Due(_) => Trigger::TimedOut,
            Self::Opened => Trigger::Opened,
            Self::Lost(Some(code)) if matches!(code.after(), AfterClose::Stop) => Trigger::Refused,
            Self::Lost(_) => Trigger::Dropped,
            Self::Hello(_) => Trigger::Greeted,
            Self::Granted => Trigger::Granted,
            Self::Ready(_) => Trigger::Ready,
            Self::Resumed => Trigger::Resumed,
            Self::Dispatched => return None,
            Self::ReconnectAsked => Trigger::ReconnectAsked,
            Self::SessionInvalid { .. } => Trigger::SessionInvalid,
            Self::Broken(_) => Trigger::Broken,
            Self::Recycle => Trigger::Recycled,
            Self::Stop { .. } => Trigger::Stopped,
        })
    }
}
