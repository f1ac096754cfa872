//! What a session takes and gives: inputs, outputs, events, and the reasons they carry.

use core::fmt;
use core::time::Duration;

use crate::id::Snowflake;
use crate::reasons::reasons;
use crate::timer::Slot;
use crate::wire::{CloseCode, Command, EventKind, InflateError};

/// Something that happened to a session.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Input<'a> {
    /// The WebSocket that [`Output::Connect`] asked for is open.
    Connected,
    /// A whole WebSocket text message.
    Text(&'a [u8]),
    /// A whole WebSocket binary message.
    Binary(&'a [u8]),
    /// The WebSocket is gone, or never opened. `code` is that of the close frame, if there was one.
    ///
    /// Report it once for each socket, also after [`Output::Close`]; never for a socket that a later
    /// [`Output::Connect`] has replaced.
    Disconnected {
        /// The close frame's code.
        code: Option<CloseCode>,
    },
    /// The identify slot that [`Output::WantIdentify`] asked for is there: the session identifies at once.
    IdentifyGranted,
    /// A command of the user's. It waits until the session is established and the limits allow it.
    Send {
        /// The caller's number for it; [`Event::CommandSent`] and [`Event::CommandRefused`] repeat it.
        id: u64,
        /// What to send.
        command: &'a Command,
    },
    /// Send a heartbeat now, beside the schedule: its acknowledgement proves that the session lives, and that what
    /// Discord sent before it has come. Only an established session does; within the limits, and not while the last one
    /// is unanswered.
    Heartbeat,
    /// Reconnect and resume now, as if Discord had asked for it.
    Reconnect,
    /// Stop for good. A `resumable` stop closes with 4000, so that a snapshot can go on elsewhere for a few minutes;
    /// any other with 1000, which ends the session and shows the bot offline at once.
    Shutdown {
        /// Whether Discord is to keep the session.
        resumable: bool,
    },
}

/// What a session wants done, or reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Output<'a> {
    /// Open a WebSocket to `url`. It replaces any socket there was.
    Connect {
        /// The whole URL, query included. Never holds the token.
        url: &'a str,
    },
    /// Send this JSON as one text message. Holds the token when it identifies or resumes: do not log it.
    Send(&'a [u8]),
    /// Send a close frame with this code, then drop the socket without waiting long for an answer.
    Close {
        /// 1000 ends the session; any other code keeps it resumable.
        code: CloseCode,
        /// Why the session hangs up.
        cause: Cause,
    },
    /// Ask for an identify slot and answer with [`Input::IdentifyGranted`] the moment it is there.
    WantIdentify,
    /// The slot asked for is not wanted any more: the connection was lost first.
    CancelIdentify,
    /// A slot was granted that nobody waited for: give it back.
    IdentifyUnused,
    /// An event from Discord that the filter lets through.
    Dispatch(Dispatch<'a>),
    /// Something to know about the session itself.
    Event(Event<'a>),
}

/// An event from Discord, undecoded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Dispatch<'a> {
    /// The envelope's `s`: increasing within one session.
    pub sequence: u64,
    /// What it is about.
    pub kind: EventKind,
    /// The envelope's `t`, also where `kind` is [`EventKind::Unknown`].
    pub name: &'a str,
    /// The JSON of the envelope's `d`.
    pub data: &'a [u8],
    /// Whether it was missed while disconnected and replayed by a resume.
    pub replayed: bool,
}

impl fmt::Debug for Dispatch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dispatch")
            .field("sequence", &self.sequence)
            .field("name", &self.name)
            .field("bytes", &self.data.len())
            .field("replayed", &self.replayed)
            .finish()
    }
}

/// Something to know about the session itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A new session is established. Whatever was known of this shard before is void.
    Ready {
        /// Discord's name for the session.
        session_id: &'a str,
        /// How many guilds the session carries.
        guilds: u32,
    },
    /// The session goes on after a disconnect; everything missed has been dispatched.
    Resumed {
        /// Discord's name for the session.
        session_id: &'a str,
        /// The last sequence seen.
        sequence: u64,
        /// How many dispatches were replayed.
        replayed: u64,
    },
    /// The connection ended.
    Disconnected {
        /// Discord's close code, if it sent one.
        code: Option<CloseCode>,
        /// Why.
        cause: Cause,
        /// Whether the next connection tries to resume.
        resumable: bool,
        /// How long until the next attempt.
        retry_after: Duration,
    },
    /// The session cannot be resumed. Events between the last sequence and the next READY are lost.
    SessionLost {
        /// Why.
        cause: Cause,
        /// The last sequence seen.
        sequence: u64,
    },
    /// Discord acknowledged a heartbeat.
    HeartbeatAcked {
        /// Time from the heartbeat to its acknowledgement.
        latency: Duration,
    },
    /// Discord dropped a command and says when to try again (dispatch RATE_LIMITED).
    RateLimited {
        /// The command's opcode.
        opcode: u8,
        /// How long to wait.
        retry_after: Duration,
        /// The guild it was about, if it says so.
        guild_id: Option<Snowflake>,
        /// Whether the session sends it again by itself. It does for member requests that it still knows.
        resent: bool,
    },
    /// A command went out.
    CommandSent {
        /// The caller's number.
        id: u64,
    },
    /// A command will not be sent.
    CommandRefused {
        /// The caller's number.
        id: u64,
        /// Why.
        reason: Refusal,
    },
    /// Discord closed the connection over a command: probably this one, the last that was sent. It is not sent again.
    CommandBlamed {
        /// The caller's number.
        id: u64,
        /// The command's opcode.
        opcode: u8,
        /// 4001, 4002 or 4008.
        code: CloseCode,
    },
    /// The same complaint about commands closed the connection several times in a row: a bug to look for.
    Escalated {
        /// 4001, 4002 or 4008.
        code: CloseCode,
        /// How many times in a row.
        times: u32,
    },
    /// A message was passed by: an opcode this version does not know, or one out of place.
    Ignored {
        /// The opcode.
        opcode: u64,
    },
    /// Discord named a resume URL that the token must not go to. The configured URL is used instead.
    UrlRefused,
    /// The session ended for good. The machine is inert from here on.
    Closed {
        /// Why, and what the user should do.
        reason: ClosedReason,
    },
}

/// How a session ended for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClosedReason {
    /// Discord refuses this configuration (4004, 4010 to 4014): connecting again cannot help.
    Fatal(CloseCode),
    /// The caller asked for it.
    Shutdown {
        /// Whether Discord keeps the session for a few minutes.
        resumable: bool,
    },
}

impl ClosedReason {
    /// What happened and what to do.
    #[must_use]
    pub const fn explain(self) -> &'static str {
        match self {
            Self::Fatal(code) => code.explain(),
            Self::Shutdown { resumable: true } => {
                "stopped as asked; Discord keeps the session for a few minutes"
            }
            Self::Shutdown { resumable: false } => "stopped as asked; the session is over",
        }
    }
}

reasons! {
    /// Why a connection or a session ended.
    Cause {
        1 PeerClosed "Discord closed the connection",
        2 ConnectionLost "the connection broke without a close frame",
        3 ConnectFailed "the connection could not be opened",
        4 ConnectTimeout "the connection did not open in time",
        5 HelloTimeout "Discord did not greet in time",
        6 ReadyTimeout "Discord did not answer identify in time",
        7 ResumeTimeout "Discord did not answer resume in time",
        8 Zombied "a heartbeat was not acknowledged before the next: the connection is dead",
        9 ReconnectRequested "Discord asked to reconnect",
        10 InvalidSession "Discord ended the session",
        11 ResumeLoop "resuming failed several times in a row without progress",
        12 BadEnvelope "a message was not a gateway envelope",
        13 BadCompression "the compressed stream is corrupt",
        14 MessageTooLarge "a message inflates beyond the configured size",
        15 BadPayload "a message lacks what its opcode promises",
        16 Recycled "the caller asked to reconnect",
        17 Shutdown "the caller asked to stop",
    }
}

reasons! {
    /// Why a command was not sent.
    Refusal {
        1 QueueFull "too many commands wait already: send less often, or raise `command_queue_max`",
        2 TooLarge "the payload exceeds 4,096 bytes: Discord would close the connection with 4002",
        3 Superseded "a newer presence update replaced it before it could be sent",
        4 Closed "the session has ended for good",
    }
}

/// Why a session waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The next attempt to connect.
    Reconnect,
    /// The socket should open before.
    Connect,
    /// Hello should come before.
    Hello,
    /// READY, or the next replayed event, should come before.
    Ready,
    /// The next heartbeat is due.
    Heartbeat,
    /// A server-requested heartbeat waits for room in the outbound budget.
    RequestedHeartbeat,
    /// A queued command waits for a limit.
    Command,
    /// The socket should be gone before.
    Close,
}

pub(crate) const REASONS: usize = 8;

impl Slot for Reason {
    const ALL: &'static [Self] = &[
        Self::Reconnect,
        Self::Connect,
        Self::Hello,
        Self::Ready,
        Self::Heartbeat,
        Self::RequestedHeartbeat,
        Self::Command,
        Self::Close,
    ];

    fn slot(self) -> usize {
        self as usize
    }
}

/// How a caller broke the rules of the interface. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Misuse {
    /// [`Input::Connected`] without an [`Output::Connect`] before it.
    NotConnecting,
    /// A message or a disconnect, though there is no socket.
    NotConnected,
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotConnecting => "Connected was reported though no connection was asked for",
            Self::NotConnected => "a message or disconnect was reported though there is no socket",
        })
    }
}

impl core::error::Error for Misuse {}

impl From<InflateError> for Cause {
    fn from(error: InflateError) -> Self {
        match error {
            InflateError::TooLarge => Self::MessageTooLarge,
            _ => Self::BadCompression,
        }
    }
}
