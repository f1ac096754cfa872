//! Bytes in, bytes out: opcodes, close codes, intents, the envelope, commands, compression. No state, no time.

pub mod close_code;
pub mod event_kind;
pub mod intents;
pub mod opcode;

pub use close_code::{AfterClose, CloseCode};
pub use event_kind::{EventFilter, EventKind};
pub use intents::Intents;
pub use opcode::Opcode;
