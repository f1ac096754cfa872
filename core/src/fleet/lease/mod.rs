//! Leases of shards: many processes that are one bot.
//!
//! Each shard is run by the one process that has its lease. Leases are in one *register*, a value in a store that a
//! script, [`REGISTER`], changes atomically. Each process has a [`Holder`], which speaks to the register in
//! [exchanges](Exchange), one about every second: it states what it holds and hears what it gets, what to give back and
//! what it has lost. Permits to identify come from the same register, for Discord counts identifies for the whole bot.
//!
//! # Why no shard has two holders
//!
//! * A lease is good until the moment at which the exchange that renewed it **was sent**, plus [`LeaseConfig::term`],
//!   less [`LeaseConfig::margin`], by the holder's clock. Then the holder stops by itself, without hearing anything.
//! * The register gives it to another only when the whole term has passed by its own clock since it answered.
//! * What a member states is all that it holds. If an answer is lost, what it gave is not in the next statement, and
//!   the register has it back. Answers to earlier exchanges are not heeded, nor are exchanges that come late or twice.
//! * A register that was lost gives nothing new for one term. Whoever holds leases states them and goes on; of two
//!   statements the one with the greater fencing token wins.
//! * The margin covers clocks that differ by 1 % in rate, and one step of the register's clock: it never takes more
//!   than a part of the margin for time that has passed between two exchanges.
//! * Fencing tokens only grow, across the loss of the register too: a new one counts on from its clock in Unix
//!   microseconds, or from the greatest token that a member states.
//!
//! What is not covered: a store that loses some of the last changes and goes on with the others, as a replica of Redis
//! that takes over may. The register notices if a member that heard more speaks first, and gives nothing out for a
//! term; if another member is faster, a shard that was just given out is given out again. The holder of the smaller
//! token hears of it with its next exchange.
//!
//! # Who gets what
//!
//! Shares are in proportion to capacity, in whole numbers. Free shards go at once to those that have less than their
//! share: first those they had before, then those that prefer their label. Whoever has more gives back gently: a few at
//! a time, and only if somebody has room. A standby gets what the others have no room for. A process that crashes is
//! missed when its term is over; one that was started again under the same name in the meantime waits for what its
//! predecessor had. A fleet that starts from nothing waits one term, for its register may replace one that was lost.
//!
//! # Identifies
//!
//! A permit says that one shard may identify now. The register keeps to what [the fleet](crate::fleet) keeps to, over
//! all processes: the spacing of each key, and the day's total less a reserve, by an account that errs on the low side.

mod config;
mod desk;
mod heed;
mod holder;
mod speak;
mod view;
mod words;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::fleet::Topology;
use crate::id::ShardId;

pub use config::LeaseConfig;
pub use holder::{Held, Holder, HolderStats};
pub use view::{AccountView, LeaseView, MemberView, View};

/// The register: a Lua script for a store that runs scripts atomically, such as Redis. Its keys and its argument are
/// those of an [`Exchange`].
pub const REGISTER: &str = include_str!("register.lua");

/// What is to be told to the register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The keys, without the prefix that all of a fleet have in common.
    pub keys: Vec<String>,
    /// The script's one argument.
    pub argument: String,
}

/// What a process is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// These are the shards of the fleet from now on. Leases of shards that are not among them stay until they are
    /// [`freed`](Holder::freed).
    Topology {
        /// Grows with each change.
        revision: u64,
        /// The shards.
        topology: Topology,
        /// What [`Holder::retarget`] gave with it.
        course: Option<String>,
    },
    /// The change of shards that is under way has no leader: it has left, or its term is over. Told with each exchange.
    Leaderless,
    /// The shard is this process's: open its session. Ask [`Holder::may_run`] before each frame.
    Take {
        /// The shard.
        shard: ShardId,
        /// Greater than all tokens that the shard's lease had before: what is written under it cannot be taken for
        /// what an earlier holder wrote.
        token: u64,
    },
    /// The shard is wanted elsewhere: close its session so that it can be resumed, then say
    /// [`freed`](Holder::freed). Until then the lease goes on.
    Release {
        /// The shard.
        shard: ShardId,
    },
    /// The lease is over: not one frame more. Close, then say [`freed`](Holder::freed), also if the session was never
    /// opened.
    Lose {
        /// The shard.
        shard: ShardId,
    },
    /// The shard may identify, if [`Holder::may_identify`] says so at that moment. Say
    /// [`permit_sent`](Holder::permit_sent) or [`permit_unused`](Holder::permit_unused) then.
    Permit {
        /// The shard.
        shard: ShardId,
    },
    /// `GET /gateway/bot`, and tell the answer to [`Holder::limits`]: nobody knows how many identifies are left. If
    /// it fails, somebody will be asked again.
    FetchLimits,
    /// What [`Holder::retarget`] asked for is done, or the topology had another revision.
    Retargeted {
        /// It is done.
        is_done: bool,
    },
    /// Everything is given back after [`Holder::leave`], and the register knows.
    Left,
}

/// Why an answer was not heeded. All of them count as no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadAnswer {
    /// It makes no sense.
    Unreadable,
    /// It answers an earlier exchange.
    Old,
    /// The register has heard a later exchange, or this one twice.
    Late,
}

impl BadAnswer {
    /// What happened, in a sentence.
    #[must_use]
    pub const fn explain(self) -> &'static str {
        match self {
            Self::Unreadable => "the register's answer makes no sense",
            Self::Old => "the answer is to an earlier exchange",
            Self::Late => "the register heard this exchange too late, or twice",
        }
    }
}

impl fmt::Display for BadAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.explain())
    }
}

impl core::error::Error for BadAnswer {}
