//! The cutover: one session takes over from another, and each event is dispatched once although both deliver it.

mod align;
mod config;
mod event;
mod fingerprint;
mod joining;
mod leaving;
mod ledger;
mod messages;
mod natural;
mod seen;

pub use align::{Basis, Times};
pub use config::Config;
pub use event::{Event, SHARED, Scope, Suppressed, Verdict, scope};
pub use fingerprint::{Fingerprint, fingerprint};
pub use joining::{Joining, JoiningSnapshot, Refusal, Settled};
pub use leaving::{Leaving, LeavingSnapshot, Stopped};
pub use ledger::{Account, Counts, Ledger};
pub use messages::{
    Ask, Body, Cut, LISTED_MAX, Lone, Lost, MESSAGE_BYTES_MAX, Message, Silence, Unreadable,
    VERSION,
};
