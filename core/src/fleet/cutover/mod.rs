//! The cutover: one session takes over from another, and each event is dispatched once although both deliver it.
//!
//! While a bot is resharded, an old session and the new ones that will replace it are open at the same time, and both
//! deliver every event of a guild. Discord gives no cursor that two sessions share, and the two may lie in different
//! processes. So nothing is agreed on event by event: for each guild there is one moment, the *cut*. The old side
//! ([`Leaving`]) dispatches all before it, the new side ([`Joining`]) all after it, and three messages find it.
//!
//! ```text
//!  old: Leaving                                new: Joining
//!  dispatches, remembers fingerprints          GUILD_CREATE comes: watches, suppresses
//!                                              has seen something to agree by: holds from here on
//!            <---------------- Ask: what I saw ----------------
//!  has dispatched all of that: cuts, stores
//!            ----- Cut: what I dispatched and you did not see ---->
//!  suppresses                                  drops those among the held, releases the others, stores
//!            <---------------------- Taken --------------------
//!  finished when all are taken: leaves         dispatches
//! ```
//!
//! # How the sides agree
//!
//! Within a guild, Discord sends both sessions the same events in the same order. If both sides know one place in it,
//! what the old side has dispatched since and what the new side has seen since are two beginnings of one sequence.
//! Their difference is exact, payloads that are all alike included: what the old side lacks must be awaited before
//! the cut, what it has more will come to the new side as duplicates, so many times each. A place is, in this order:
//!
//! * [`Basis::Key`]: an event that Discord sends only once (a message's id). It proves the place whatever the delays.
//! * [`Basis::Silence`]: the guild was silent on the new side for twice [`Config::lag_max`].
//! * [`Basis::Lone`]: an event that came once within [`Config::lag_max`] to either side.
//! * [`Basis::Nothing`]: none of these, after [`Config::patience`]. What has no key is in doubt then; it is dispatched,
//!   because twice is better than never, and counted.
//!
//! Silence and lone events are proofs as long as the two sessions lie less than half of `lag_max` apart, and messages
//! take less than the other half. The latter is measured, and if it was longer, what follows counts as in doubt. That
//! sessions hang is noticed: silence counts only as far as heartbeats or a steady flow prove it, and never across a
//! resume. Sessions that lie further apart without any sign of it can make a wrong place of a silence; with keys they
//! cannot. Events that Discord sends in another order to each session are found if they have keys and lie within 64
//! events of the place.
//!
//! # What a driver does
//!
//! It makes a [`Leaving`] for the old session before the new ones start, and a [`Joining`] for each of those. Every
//! dispatch goes through `event` of its side; [`Verdict`] says what to do with it. After every `event` and every
//! message, it takes what [`Joining::poll_settled`] and both `poll_message` give, and stores a snapshot if
//! `wants_store` says so, then says `stored`. Four rules:
//!
//! 1. Tell a session's READY, RESUMED and heartbeats to its side.
//! 2. Acknowledge events to the session's store only while `wants_store` is `None`, and held ones only when they have
//!    come out and are done. Then a process that crashes is sent again what it had not finished.
//! 3. Stop reading the new session while [`Joining::wants_pause`].
//! 4. Close the old session when [`Leaving::is_finished`], last.
//!
//! What has no guild counts as the guild [`SHARED`], and is taken by one of the new sessions. What belongs to a session
//! alone is dispatched by that session: see [`scope`].
//!
//! # When a side breaks
//!
//! | what happens | what follows |
//! |---|---|
//! | a session is resumed | its replay comes late: that is all |
//! | the old session hangs | nothing is given up: its resume brings what is missing, or it is lost |
//! | the new session is lost before a cut | asks are withdrawn; nothing is lost |
//! | the new session is lost after a cut | what was held is kept; between the sessions is a gap, counted per guild |
//! | the old session is lost | every guild is cut where it ended; what was suppressed since is lost, and counted |
//! | a process crashes | it goes on from its snapshot and the session's replay; cuts that were told are in it |
//! | the old process is gone for good | [`Joining::take_over`] releases what is held; the rest is counted at most |
//! | a message is lost or repeated | it is said again until it is answered; nothing happens twice |
//!
//! What a process had dispatched and its handlers had not finished when it died for good is the account of its session
//! (what was not acknowledged), cut or not.
//!
//! Nothing is lost silently: `cargo test -p shardkeep-core --test cutover_chaos -- --nocapture` plays these against a
//! truth, and prints what was lost and what the [`Ledger`] says may have been.
//!
//! # The way back
//!
//! To abort, make a [`Leaving`] for each new session and a [`Joining`] for the old one, under another
//! [`Config::cutover`]; [`Joining::watch`] every guild, because no GUILD_CREATE will come. An event that the new
//! session's `Joining` dispatches then goes through its `Leaving`, one that the old session's `Leaving` suppresses
//! goes through its `Joining`.
//!
//! ```
//! use core::time::Duration;
//! use shardkeep_core::fleet::cutover::{Config, Event, Joining, Leaving, Verdict};
//! use shardkeep_core::wire::EventKind;
//! use shardkeep_core::{Instant, Snowflake};
//!
//! let guild = Snowflake(41);
//! let event = |sequence, kind: EventKind, data| Event { sequence, kind, name: kind.name(), data };
//! let mut old = Leaving::new(Config::new(1), [guild]);
//! let mut new = Joining::new(Config::new(1), [guild]);
//! let mut now = Instant::from_secs(100);
//!
//! // The new session is told the guild; the same message comes to both.
//! let create = event(2, EventKind::GuildCreate, br#"{"id":"41"}"#);
//! assert!(matches!(new.event(now, &create), Verdict::Suppress(_)));
//! let first = br#"{"id":"7","guild_id":"41"}"#;
//! assert_eq!(old.event(now, &event(9, EventKind::MessageCreate, first)), Verdict::Dispatch);
//! assert!(matches!(new.event(now, &event(3, EventKind::MessageCreate, first)), Verdict::Suppress(_)));
//!
//! // The new side asks, and holds the next message, which the old side dispatches as well.
//! new.ask(now, guild).unwrap();
//! let second = br#"{"id":"8","guild_id":"41"}"#;
//! assert_eq!(new.event(now, &event(4, EventKind::MessageCreate, second)), Verdict::Held);
//! assert_eq!(old.event(now, &event(10, EventKind::MessageCreate, second)), Verdict::Dispatch);
//!
//! // The old side has dispatched all that the new one saw: it cuts. It says so once that is stored.
//! now += Duration::from_millis(5);
//! old.message(now, &new.poll_message(now).unwrap());
//! assert!(old.is_cut(guild) && old.poll_message(now).is_none());
//! old.stored(old.snapshot().version);
//! new.message(now, &old.poll_message(now).unwrap());
//!
//! // What was held is a duplicate; what comes now is the new side's.
//! assert!(matches!(new.poll_settled().unwrap().verdict, Verdict::Suppress(_)));
//! let third = br#"{"id":"9","guild_id":"41"}"#;
//! assert!(matches!(old.event(now, &event(11, EventKind::MessageCreate, third)), Verdict::Suppress(_)));
//! assert_eq!(new.event(now, &event(5, EventKind::MessageCreate, third)), Verdict::Dispatch);
//! ```

mod align;
mod config;
mod event;
mod fingerprint;
mod joining;
mod leaving;
mod ledger;
mod messages;
mod natural;
mod pulse;
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
