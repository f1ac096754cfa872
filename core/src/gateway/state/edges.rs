//! Every move a session can make: the table that the tests cover and the diagram is drawn from.

use StateName::{
    AwaitingIdentify, Closed, Closing, Connecting, Disconnected, Hello, Identifying, Ready,
    Resuming,
};

use super::{StateName, Trigger};

/// One move: from a state, on a trigger, to a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The state that is left.
    pub from: StateName,
    /// What happened.
    pub on: Trigger,
    /// The state that follows.
    pub to: StateName,
}

macro_rules! edges {
    ($($from:ident: $($on:ident => $to:ident),*;)*) => {
        /// Every move there is. A debug build asserts that a session makes no other; a test asserts that the vectors
        /// make every one of them.
        pub const EDGES: &[Edge] = &[
            $($(Edge { from: $from, on: Trigger::$on, to: $to },)*)*
        ];
    };
}

edges! {
    Disconnected: Due => Connecting, Stopped => Closed;
    Connecting: Opened => Hello, Dropped => Disconnected, Refused => Closed, TimedOut => Closing, Recycled => Closing,
        Stopped => Closing;
    Hello: Greeted => AwaitingIdentify, Greeted => Resuming, ReconnectAsked => Closing, SessionInvalid => Closing,
        TimedOut => Closing, Broken => Closing, Dropped => Disconnected, Refused => Closed, Recycled => Closing,
        Stopped => Closing;
    AwaitingIdentify: Granted => Identifying, Zombied => Closing, ReconnectAsked => Closing, SessionInvalid => Closing,
        Broken => Closing, Dropped => Disconnected, Refused => Closed, Recycled => Closing, Stopped => Closing;
    Identifying: Ready => Ready, Zombied => Closing, TimedOut => Closing, ReconnectAsked => Closing,
        SessionInvalid => Closing, Broken => Closing, Dropped => Disconnected, Refused => Closed, Recycled => Closing,
        Stopped => Closing;
    Resuming: Resumed => Ready, Ready => Ready, Zombied => Closing, TimedOut => Closing, ReconnectAsked => Closing,
        SessionInvalid => Closing, Broken => Closing, Dropped => Disconnected, Refused => Closed, Recycled => Closing,
        Stopped => Closing;
    Ready: Zombied => Closing, ReconnectAsked => Closing, SessionInvalid => Closing, Broken => Closing,
        Dropped => Disconnected, Refused => Closed, Recycled => Closing, Stopped => Closing;
    Closing: Dropped => Disconnected, TimedOut => Disconnected, Dropped => Closed, TimedOut => Closed,
        Refused => Closed;
}
