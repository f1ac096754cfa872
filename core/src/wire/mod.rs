//! Bytes in, bytes out: opcodes, close codes, intents, the envelope, commands, compression. No state, no time.

pub(crate) mod block;
pub mod buffer;
pub mod close_code;
pub mod command;
pub mod command_error;
pub mod envelope;
pub mod event_kind;
pub mod identify;
pub mod inflate;
pub mod intents;
pub mod json;
pub mod opcode;
pub mod presence;
pub mod rate_limit;
pub mod request_members;
pub(crate) mod scan;
mod seconds;
mod walk;

pub use buffer::Buffer;
pub use close_code::{AfterClose, CloseCode};
pub use command::{ChannelInfoField, Command};
pub use command_error::CommandError;
pub use envelope::{Envelope, EnvelopeError, EnvelopeErrorKind, scan};
pub use event_kind::{EventFilter, EventKind};
pub use identify::{Identify, Properties, write_heartbeat, write_resume};
pub use inflate::{Compression, Inflate, InflateError, Miniz};
pub use intents::Intents;
pub use opcode::Opcode;
pub use presence::{Activity, Presence, PresenceError, Status};
pub use rate_limit::{RateLimit, Scope, TooMany, error_code};
pub use request_members::RequestGuildMembers;
