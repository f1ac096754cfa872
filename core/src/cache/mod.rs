//! Cache: what the bot knows of Discord, from what the gateway tells.
//!
//! [`Cache`] is a [`Machine`] that holds what is asked for often in a bounded amount of memory, writes every change
//! behind to a store, and finds what it does not hold there, or at Discord.
//!
//! | the driver says | the cache answers |
//! |---|---|
//! | [`Input::Dispatch`] | [`Output::Before`], if asked for; [`Output::Write`], now or later |
//! | [`Input::Fetch`] | [`Output::Deliver`]; before it, perhaps, [`Output::Read`] and [`Output::Ask`] |
//! | [`Input::Held`], [`Input::Answered`] and their failures | [`Output::Deliver`] to everybody who asked |
//! | [`Input::Written`] | [`Output::Invalidate`] for other processes |
//! | [`Input::StoreDown`], [`Input::StoreUp`] | what waits, waits; then it goes |
//!
//! [`Cache::get`] is a plain look: it waits for nothing and changes nothing.
//!
//! # What is guaranteed
//!
//! * What is hot is what all dispatches so far come to. What cannot be known for certain, because a part of it was
//!   given up for memory and could not be read back, is not held.
//! * **Nobody is served a value older than the last one this cache has served.** What has changed and is not yet in
//!   the store is not read from there. Where a write was dropped, the cache remembers that the store lags behind: for
//!   the key, for the scope, or for all (an epoch of its own). What the store answers must be as new as that.
//! * Writes carry versions, so that stale ones lose; deletions are writes, so that they stick.
//! * A dispatch never waits, for the store neither. Every bound has a counter for what it dropped: [`Stats`].
//!
//! # Parts
//!
//! [`entity`] says what each dispatch creates, changes and deletes; [`packed`] makes records small; [`hot_set`] keeps
//! what is asked for often in a bounded amount of memory.
//!
//! [`Machine`]: crate::Machine

mod apply;
mod behind;
mod config;
pub mod entity;
mod fetch;
mod flights;
mod floors;
mod gone;
mod head;
pub mod hot_set;
mod insert;
mod io;
mod key;
mod kind;
mod land;
mod machine;
mod negatives;
pub mod packed;
mod read;
mod stats;
mod version;
mod write;

use alloc::collections::{BTreeMap, VecDeque};
use alloc::sync::Arc;
use alloc::vec::Vec;

pub use config::Config;
pub use io::{
    BatchId, Failure, FlightId, Found, Input, Misuse, Output, Reason, RequestId, Write, Written,
};
pub use key::{InvalidKey, Key};
pub use kind::{Kind, Kinds};
pub use stats::Stats;
pub use version::{InvalidVersion, Version};

use crate::id::Snowflake;
use crate::time::Instant;
use behind::Behind;
use flights::Flights;
use floors::Floors;
use hot_set::HotSet;
use insert::{Gone, Plans};
use negatives::Negatives;
use packed::Shapes;

/// What the bot knows. The [module](self) tells how.
#[derive(Debug)]
pub struct Cache {
    config: Config,
    now: Instant,
    shapes: Shapes,
    plans: Plans,
    hot: HotSet,
    own: Snowflake,
    /// Guilds that the bot is in here, with the dispatch that put each last and the newest version of their shard.
    guilds: BTreeMap<Snowflake, Guild>,
    /// How many hot records refer to each user.
    references: BTreeMap<Snowflake, u32>,
    floors: Floors,
    behind: Behind,
    flights: Flights,
    negatives: Negatives,
    is_store_up: bool,
    /// Counts dispatches, to tell what the present one has put.
    stamp: u32,
    /// Where in time the present dispatch is: the time of day in parts of a millisecond, later than all before it.
    turn: u64,
    /// Of the present dispatch.
    version: Version,
    /// Of users in the present dispatch.
    user_version: Version,
    /// The guild that the present dispatch is about.
    present_guild: Snowflake,
    /// The present dispatch, once something has to be kept of it.
    source: Option<Arc<[u8]>>,
    /// What the hot set has given up and nobody has seen to.
    gone: Vec<Gone>,
    /// Users that may have lost their last reference.
    touched: Vec<Snowflake>,
    /// What has come and somebody waits for.
    arrived: Vec<Key>,
    scratch: Vec<u8>,
    outbox: VecDeque<Output>,
    stats: Stats,
}

/// What Discord answers between two dispatches has versions between theirs: as many bits are free behind the sequence.
const ANSWER_BITS: u32 = 16;

/// Dispatches that one millisecond has turns for. Who is faster runs ahead of the clock for a while.
const TURN_BITS: u32 = 5;

/// The last millisecond that has turns: in the year 2109.
const TURN_MS_MAX: u64 = (1 << (u64::BITS - 1 - ANSWER_BITS - TURN_BITS)) - 1;

/// The version of an answer that comes after what has `version`.
const fn answer_after(version: Version) -> Version {
    let last = version.seq | ((1 << ANSWER_BITS) - 1);
    let next = version.seq.saturating_add(1);
    Version::new(version.epoch, if next < last { next } else { last })
}

#[derive(Clone, Copy, Debug, Default)]
struct Guild {
    stamp: u32,
    version: Version,
}

impl Cache {
    /// An empty cache.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let mut shapes = Shapes::new(config.shapes);
        Self {
            now: Instant::ZERO,
            plans: Plans::new(&mut shapes, &config.fields),
            shapes,
            hot: HotSet::new(&config.hot),
            own: Snowflake(0),
            guilds: BTreeMap::new(),
            references: BTreeMap::new(),
            floors: Floors::new(config.marks_max, config.scopes_max),
            behind: Behind::default(),
            flights: Flights::default(),
            negatives: Negatives::new(config.negatives_max),
            is_store_up: config.has_store,
            stamp: 0,
            turn: 0,
            version: Version::ZERO,
            user_version: Version::ZERO,
            present_guild: Snowflake(0),
            source: None,
            gone: Vec::new(),
            touched: Vec::new(),
            arrived: Vec::new(),
            scratch: Vec::new(),
            outbox: VecDeque::new(),
            stats: Stats::default(),
            config,
        }
    }

    /// The settings it was made with.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// The bot's user; zero before READY.
    #[must_use]
    pub const fn own(&self) -> Snowflake {
        self.own
    }

    /// A version that is no older than any of an epoch of the store's. Such an epoch is shared by sessions and
    /// processes, and by those that come after them: what each of them counts says nothing to the others, the time of
    /// day does.
    const fn floored(&self, version: Version) -> Version {
        if version.epoch > self.floors.epoch() {
            Version::new(version.epoch, version.seq << ANSWER_BITS)
        } else {
            self.present()
        }
    }

    /// The version of now in the store's epoch.
    const fn present(&self) -> Version {
        Version::new(self.floors.epoch(), self.turn << ANSWER_BITS)
    }

    /// A dispatch is told at this time of day.
    fn take_turn(&mut self, wall_ms: u64) {
        let clock = wall_ms.min(TURN_MS_MAX) << TURN_BITS;
        self.turn = clock.max(self.turn + 1);
    }

    /// The version that a change to a record of this kind has now.
    const fn version_of(&self, kind: Kind) -> Version {
        match kind {
            Kind::User => self.user_version,
            _ => self.version,
        }
    }
}
