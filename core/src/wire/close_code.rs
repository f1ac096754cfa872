//! Close codes, and what each one permits next.

use core::fmt;

/// What a close code leaves to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AfterClose {
    /// The session may still live: reconnect and resume.
    Resume,
    /// The session is gone: reconnect and identify, out of the identify budget.
    Identify,
    /// Reconnecting cannot help. The user must change something first.
    Stop,
}

/// A WebSocket close code as the gateway sends it. Any number is valid: Discord may add codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CloseCode(pub u16);

macro_rules! close_codes {
    ($($number:literal $name:ident $after:ident $explain:literal;)*) => {
        impl CloseCode {
            $(#[doc = $explain] pub const $name: Self = Self($number);)*

            /// Every listed code, by number.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// What to do after the gateway closed with this code. Codes that are not listed leave the session
            /// resumable: only op 9 says for certain that it is gone.
            #[must_use]
            pub const fn after(self) -> AfterClose {
                match self.0 {
                    $($number => AfterClose::$after,)*
                    _ => AfterClose::Resume,
                }
            }

            /// What happened and, where the user must act, what to do.
            #[must_use]
            pub const fn explain(self) -> &'static str {
                match self.0 {
                    $($number => $explain,)*
                    4000..=4999 => "the gateway closed with a code that is not documented; the session is resumed",
                    _ => "the WebSocket closed; the session is resumed",
                }
            }

            /// The listed code's name, such as `AUTHENTICATION_FAILED`.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some(stringify!($name)),)*
                    _ => None,
                }
            }
        }
    };
}

close_codes! {
    1000 NORMAL Resume "the server closed normally; the session is resumed";
    1001 GOING_AWAY Resume "the server is going away; the session is resumed";
    1006 ABNORMAL Resume "the connection broke without a close frame; the session is resumed";
    4000 UNKNOWN_ERROR Resume "unknown error at Discord; the session is resumed";
    4001 UNKNOWN_OPCODE Resume "Discord refused a command (unknown opcode or bad payload); it was dropped, the session is resumed";
    4002 DECODE_ERROR Resume "Discord could not decode a command (malformed or over 4,096 bytes); it was dropped, the session is resumed";
    4003 NOT_AUTHENTICATED Identify "the session was invalidated, or a command went out before identify; a new session is started";
    4004 AUTHENTICATION_FAILED Stop "the token is wrong or was reset: set the current token from the developer portal";
    4005 ALREADY_AUTHENTICATED Resume "identify was sent twice; the session is resumed";
    4006 SESSION_NO_LONGER_VALID Identify "the session is no longer valid; a new session is started";
    4007 INVALID_SEQUENCE Identify "the sequence in resume was wrong; a new session is started";
    4008 RATE_LIMITED Resume "commands went out too fast (120 per 60 s and connection); the session is resumed after a delay";
    4009 SESSION_TIMED_OUT Identify "the session timed out; a new session is started";
    4010 INVALID_SHARD Stop "the shard id or count is wrong: a shard must be below its total, and a large bot's total a multiple of the number Discord assigned";
    4011 SHARDING_REQUIRED Stop "a shard may hold 2,500 guilds at most: ask /gateway/bot for the recommended count and use more shards";
    4012 INVALID_API_VERSION Stop "the gateway version is not supported: use version 10";
    4013 INVALID_INTENTS Stop "the intents hold a bit that is not documented: build them from the listed names";
    4014 DISALLOWED_INTENTS Stop "a privileged intent is not enabled: enable it in the developer portal under Bot, or leave it out";
}

impl CloseCode {
    /// Whether closing with this code from our side ends the session at once. Only 1000 and 1001 do.
    #[must_use]
    pub const fn ends_session(self) -> bool {
        matches!(self.0, 1000 | 1001)
    }

    /// Whether the code blames a command that was sent: 4001, 4002 and 4008.
    #[must_use]
    pub const fn blames_command(self) -> bool {
        matches!(self.0, 4001 | 4002 | 4008)
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{} {name}", self.0),
            None => write!(f, "{}", self.0),
        }
    }
}
