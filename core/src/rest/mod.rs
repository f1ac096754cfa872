//! REST: which request may go now.
//!
//! [`Scheduler`] is a [`Machine`] that holds the place of every request that wants to be sent, and of every limit
//! that Discord has told. It never sees a body or a token: the driver keeps those by the request's number.
//!
//! | the driver says | the scheduler answers |
//! |---|---|
//! | [`Input::Submit`] | [`Output::Send`], now or later, or [`Output::Refuse`] |
//! | [`Input::Response`], [`Input::Failed`] | [`Output::Deliver`] or [`Output::Retry`]; then [`Output::Share`] |
//! | [`Input::Cancel`] | [`Output::Refuse`], unless it is finished |
//!
//! Who goes is decided when the driver asks for outputs: feed everything that has happened, then ask.
//!
//! # What Discord demands
//!
//! 1. **Buckets.** Routes share buckets, by a hash that only answers tell, and each top-level resource (a guild, a
//!    channel, a webhook) has its own. How a window gives requests back is not told either.
//! 2. **The global limit**, 50 requests a second over all routes of one token; interactions are exempt.
//! 3. **Hidden limits**, which show only as a 429.
//! 4. **Invalid requests**: 10,000 answers of 401, 403 or 429 in ten minutes ban the IP address.
//!
//! # How the scheduler keeps to it
//!
//! **Buckets.** A route whose hash is unknown sends one request at a time for each resource. Then up to what
//! is left may be in flight at once. Answers arrive in any order, so what is in flight counts as spent until its
//! answer says otherwise, and windows end when the latest possible reading of `Reset-After` says so: never by wall
//! time. A window counts as fixed until its answers prove that it slides.
//!
//! **The global limit** is a log of what may have arrived in the last second, not of what was sent: a slow request
//! and a fast one behind it do not add up to one too many.
//!
//! **Hidden limits** are told from the first 429 and kept to from then on; only the route waits, not its bucket.
//!
//! **Order.** Four [priorities](Priority); guilds take turns within each; every eighth turn goes to whoever has waited
//! longest beyond [`Config::age_after`]. Where the global limit binds, the bucket that needs longest goes first and has
//! places kept, because everything ends when it ends. Interactions are not bound by the global limit and have places in
//! flight of their own.
//!
//! **The guard** counts invalid requests over all tokens, pauses the one route (or the guild, or the webhook) that
//! causes them, and stops before Discord would ban the address.
//!
//! [`Machine`]: crate::Machine

mod answer;
mod bucket;
mod buckets;
mod config;
mod end;
mod explain;
mod few;
mod global;
mod guard;
mod heap;
mod identity;
mod index;
mod io;
mod lane;
mod learn;
mod limited;
pub mod pool;
mod profile;
mod pump;
mod queue;
mod request;
pub mod route;
mod share;
mod snapshot;
mod stats;
mod submit;
mod sweep;
mod table;

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;

use slab::Slab;

use crate::machine::{Machine, Timeout};
use crate::rng::Rng;
use crate::time::Instant;

pub use config::Config;
pub use explain::{Explanation, Place};
pub use guard::Offender;
pub use io::{
    Auth, Event, Failure, Input, Misuse, Output, Priority, Reason, Refusal, RequestId, Retry,
    Sharing, Submit, Wait,
};
pub use snapshot::{BucketSnapshot, LimitSnapshot, RouteSnapshot, Snapshot};
pub use stats::{IdentityStatus, Stats};

use buckets::{Bucket, BucketHash};
use guard::Guard;
use heap::Heap;
use identity::Identity;
use lane::{Lane, RouteKey};
use learn::RouteState;
use profile::Profile;
use request::{Detail, LeaderKey, Request};
use table::Table;

/// Which request may go now. The [module](self) tells how it decides.
///
/// ```
/// use shardkeep_core::rest::route::Method;
/// use shardkeep_core::rest::{Auth, Config, Input, Output, RequestId, Scheduler, Submit};
/// use shardkeep_core::wire::rate_limit::RateLimit;
/// use shardkeep_core::{Instant, Machine};
///
/// let now = Instant::ZERO;
/// let mut scheduler = Scheduler::new(Config::default(), now);
/// for id in [1, 2] {
///     let path = "/channels/81384788765712384/messages";
///     let submit = Submit::new(RequestId(id), Auth(1), Method::Post, path);
///     scheduler.handle_input(now, Input::Submit(submit))?;
/// }
/// // Nothing is known of the route yet: one request finds out.
/// let (first, second) = (RequestId(1), RequestId(2));
/// assert_eq!(scheduler.poll_output(), Some(Output::Send { id: first, attempt: 0 }));
/// assert_eq!(scheduler.poll_output(), None);
///
/// // Its answer names the bucket, which has room for the other.
/// let later = Instant::from_millis(80);
/// let headers = [
///     ("x-ratelimit-bucket", &b"80c17d2f203122d936070c88c8d10f33"[..]),
///     ("x-ratelimit-limit", b"5"),
///     ("x-ratelimit-remaining", b"4"),
///     ("x-ratelimit-reset-after", b"5"),
/// ];
/// let limit = RateLimit::from_headers(headers);
/// scheduler.handle_input(later, Input::Response { id: first, status: 200, limit, body: b"" })?;
/// assert_eq!(scheduler.poll_output(), Some(Output::Deliver { id: first }));
/// assert_eq!(scheduler.poll_output(), Some(Output::Send { id: second, attempt: 0 }));
/// # Ok::<(), shardkeep_core::rest::Misuse>(())
/// ```
#[derive(Clone, Debug)]
pub struct Scheduler {
    config: Config,
    now: Instant,
    requests: Slab<Request>,
    /// By the same positions; what is left of finished ones means nothing.
    details: Vec<Detail>,
    ids: Table,
    lanes: Slab<Lane>,
    lane_keys: Table,
    buckets: Slab<Bucket>,
    /// Buckets whose hash is known.
    bucket_keys: BTreeMap<(Auth, BucketHash, route::Major), u32>,
    /// How long the waiting requests of each bucket take by its own limit, in microseconds.
    drains: Vec<u64>,
    profiles: Slab<Profile>,
    profile_keys: BTreeMap<(Auth, BucketHash), u32>,
    /// Hashes that some route alternates with another: they count as that other.
    aliases: BTreeMap<(Auth, BucketHash), BucketHash>,
    routes: BTreeMap<RouteKey, RouteState>,
    identities: Vec<Identity>,
    identity_keys: BTreeMap<Auth, u32>,
    /// Whose turn it is next, of several identities.
    next_identity: usize,
    /// Buckets that wait for a moment.
    waiting: Heap<Instant>,
    /// Requests that wait before they are sent again.
    delayed: Heap<Instant>,
    deadlines: Heap<Instant>,
    /// Requests that others may share the answer of.
    leaders: BTreeMap<LeaderKey, u32>,
    /// When something was last changed under a resource: answers from before do not serve readers from after.
    changes: BTreeMap<(Auth, route::Major), u64>,
    guard: Guard,
    /// The other processes that share the limits, if there are any.
    pool: Option<Box<pool::Pool>>,
    ended: explain::Ended,
    outbox: VecDeque<Output>,
    /// Something happened since it was last decided who goes. Decided only when asked, so that of a crowd that comes at
    /// once those go first who should, not those who came first.
    is_dirty: bool,
    rng: Rng,
    queued: usize,
    in_flight: usize,
    /// How many interactions are in flight: they have places of their own.
    interactions_in_flight: usize,
    /// Counts submissions, sendings and changes, to put them in order.
    seq: u64,
    sweep: sweep::Sweep,
    stats: Stats,
}

impl Scheduler {
    /// A scheduler that knows nothing of Discord's limits yet.
    #[must_use]
    pub fn new(config: Config, now: Instant) -> Self {
        Self {
            guard: Guard::new(&config),
            pool: pool::Pool::new(&config),
            rng: Rng::new(config.seed),
            sweep: sweep::Sweep::new(now),
            config,
            now,
            requests: Slab::new(),
            details: Vec::new(),
            ids: Table::default(),
            lanes: Slab::new(),
            lane_keys: Table::default(),
            buckets: Slab::new(),
            bucket_keys: BTreeMap::new(),
            drains: Vec::new(),
            profiles: Slab::new(),
            profile_keys: BTreeMap::new(),
            aliases: BTreeMap::new(),
            routes: BTreeMap::new(),
            identities: Vec::new(),
            identity_keys: BTreeMap::new(),
            next_identity: 0,
            waiting: Heap::new(),
            delayed: Heap::new(),
            deadlines: Heap::new(),
            leaders: BTreeMap::new(),
            changes: BTreeMap::new(),
            ended: explain::Ended::default(),
            outbox: VecDeque::new(),
            is_dirty: false,
            queued: 0,
            in_flight: 0,
            interactions_in_flight: 0,
            seq: 0,
            stats: Stats::default(),
        }
    }

    /// The settings it was made with.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    fn take(&mut self, input: Input<'_>) -> Result<(), Misuse> {
        match input {
            Input::Submit(submit) => self.submit(&submit)?,
            Input::Response {
                id,
                status,
                limit,
                body,
            } => self.answered(id, status, &limit, body)?,
            Input::Failed { id, failure } => self.failed(id, failure)?,
            Input::Cancel { id } => self.cancel(id)?,
            Input::TokenReplaced { auth } => {
                let identity = self.identity(auth);
                self.identities[identity].is_stopped = false;
            }
            Input::GlobalLimit { auth, limit } => {
                let identity = self.identity(auth);
                self.identities[identity].global.configure(limit);
            }
            Input::Pooled { auth, name } => {
                let identity = self.identity(auth);
                self.pool_as(identity, name);
            }
            Input::Exchanged { answer } => self.exchanged(answer),
            Input::LeavePool => self.leave(),
        }
        Ok(())
    }

    fn next_seq(&mut self) -> u64 {
        self.seq += 1;
        self.seq
    }

    fn say(&mut self, event: Event) {
        self.outbox.push_back(Output::Event(event));
    }
}

impl Machine for Scheduler {
    type Input<'a> = Input<'a>;
    type Output<'a> = Output;
    type Reason = Reason;
    type Snapshot = Snapshot;
    type Misuse = Misuse;

    fn handle_input(&mut self, now: Instant, input: Input<'_>) -> Result<(), Misuse> {
        self.now = self.now.max(now);
        // What has ended by now must not count against a request that comes now.
        self.wake();
        self.is_dirty = true;
        self.take(input)
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.now = self.now.max(now);
        self.wake();
        self.sweep();
        self.is_dirty = true;
    }

    fn poll_output(&mut self) -> Option<Output> {
        if self.outbox.is_empty() && core::mem::take(&mut self.is_dirty) {
            self.pump();
        }
        self.outbox.pop_front()
    }

    fn poll_timeout(&self) -> Option<Timeout<Reason>> {
        self.next_timeout()
    }

    fn snapshot(&self) -> Snapshot {
        self.take_snapshot()
    }
}
