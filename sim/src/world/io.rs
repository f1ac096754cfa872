//! What the world hears and what it answers.

use super::control::Control;

/// Something happened to the simulated Discord. Connection and request numbers are the driver's; a connection's
/// number is not used again while the world runs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Input<'a> {
    /// A WebSocket was opened.
    Open {
        /// The driver's number for it.
        connection: u64,
        /// The request target, such as `/?v=10&encoding=json&compress=zlib-stream`.
        path_and_query: &'a str,
    },
    /// A text message arrived.
    Text {
        /// On which connection.
        connection: u64,
        /// The whole message.
        bytes: &'a [u8],
    },
    /// A binary message arrived. Discord reads JSON from it just as well.
    Binary {
        /// On which connection.
        connection: u64,
        /// The whole message.
        bytes: &'a [u8],
    },
    /// The client closed the connection, or it broke.
    Closed {
        /// Which connection.
        connection: u64,
        /// The code of the client's close frame; `None` if the connection broke without one.
        code: Option<u16>,
    },
    /// How much waits to be written to a connection's socket. While it is much, guilds and member chunks hold back;
    /// events do not. A driver that never tells is taken to write at once.
    Backlog {
        /// Which connection.
        connection: u64,
        /// The bytes that wait.
        bytes: usize,
    },
    /// An HTTP request arrived. The answer is an [`Output::Respond`] with the same number.
    Http {
        /// The driver's number for it.
        request: u64,
        /// `GET`, `POST`, ...
        method: &'a str,
        /// The request target, such as `/api/v10/gateway/bot`.
        path_and_query: &'a str,
        /// The `Authorization` header.
        authorization: Option<&'a str>,
        /// The body; empty if there is none.
        body: &'a [u8],
    },
    /// A test or an operator steers the world. [`World::control`](super::World::control) also returns the answer.
    Control(Control),
}

/// What the world wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Output<'a> {
    /// Send a text message. Faults may have damaged it, but it is always UTF-8.
    Text {
        /// On which connection.
        connection: u64,
        /// The whole message.
        bytes: &'a [u8],
    },
    /// Send a binary message.
    Binary {
        /// On which connection.
        connection: u64,
        /// The whole message.
        bytes: &'a [u8],
    },
    /// Send a close frame and hang up. Nothing more is heard or said on this connection.
    Close {
        /// On which connection.
        connection: u64,
        /// The close code.
        code: u16,
        /// Why, in a few words.
        reason: &'a str,
    },
    /// Break the TCP connection without a close frame. Nothing more is heard or said on this connection.
    Drop {
        /// Which connection.
        connection: u64,
    },
    /// Answer an HTTP request.
    Respond {
        /// The request's number.
        request: u64,
        /// The HTTP status.
        status: u16,
        /// Header names and values, `Content-Type` among them.
        headers: &'a [(&'static str, String)],
        /// The body.
        body: &'a [u8],
    },
    /// Break the connection of an HTTP request without an answer.
    Abandon {
        /// The request's number.
        request: u64,
    },
}

/// Why the world waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Wait {
    /// Something delayed becomes due: HELLO, READY, a slow message, a request or its answer.
    Delivery,
    /// The next guilds or member chunks of a session are due.
    Stream,
    /// A client must have sent a heartbeat by now.
    Heartbeat,
    /// A session without a connection dies.
    SessionExpiry,
    /// The next event of the steady traffic is due.
    Chatter,
    /// The weather brings the next fault.
    Weather,
    /// An outage ends, or a client that was asked to reconnect should be gone.
    Recovery,
}

/// How a driver can break the rules of the interface. The input changed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Misuse {
    /// This connection number was opened before and is still open.
    ConnectionInUse,
}

impl core::fmt::Display for Misuse {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::ConnectionInUse => f.write_str(
                "a connection with this number is open: give every connection its own number",
            ),
        }
    }
}

impl core::error::Error for Misuse {}
