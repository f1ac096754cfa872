//! One request: everything the scheduler keeps of it until it is finished.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::id::Snowflake;
use crate::time::Instant;

use super::Scheduler;
use super::guard::{Offender, suspects};
use super::io::{Auth, Priority, RequestId, Retry, Sharing};
use super::route::{Method, Route};
use super::table::mix;

/// Identity, method, and path with its query: what is equal in requests that one answer serves.
pub(super) type LeaderKey = (Auth, Method, Box<str>);

/// Where a request is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// In its lane's queue.
    Queued,
    /// Failed; back in the queue at the moment given.
    Delayed(Instant),
    InFlight,
    /// The request in the slot given answers this one as well.
    Following(u32),
}

#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) id: RequestId,
    pub(super) auth: Auth,
    pub(super) identity: usize,
    pub(super) route: Route,
    pub(super) lane: u32,
    pub(super) priority: Priority,
    pub(super) sharing: Sharing,
    pub(super) deadline: Option<Instant>,
    pub(super) guild: Option<Snowflake>,
    pub(super) is_repeatable: bool,
    /// Its caller lost interest while it was in flight.
    pub(super) is_cancelled: bool,
    pub(super) state: State,
    pub(super) submitted: Instant,
    /// Its turn among those of the same priority, and its place in the order of submission.
    pub(super) turn: u64,
    pub(super) seq: u64,
    /// Whose turns it takes, among those of its identity.
    pub(super) tenant: u32,
    pub(super) sent: Instant,
    pub(super) sent_seq: u64,
    /// How often it was sent, failed, and was limited.
    pub(super) attempts: u32,
    pub(super) failures: u32,
    pub(super) limited: u32,
    pub(super) last_retry: Option<Retry>,
    pub(super) followers: Vec<u32>,
    /// What others share its answer by.
    pub(super) leads: Option<LeaderKey>,
}

impl Request {
    /// Whether the global limit does not count it.
    pub(super) const fn is_exempt(&self) -> bool {
        self.route.is_global_exempt()
    }

    pub(super) fn suspects(&self) -> [Option<Offender>; 3] {
        suspects(self.auth, &self.route, self.guild)
    }
}

/// What guilds take turns by: the guild, or what else stands for one: the channel, the webhook.
pub(super) fn tenant(route: &Route, guild: Option<Snowflake>) -> u64 {
    use super::route::Major;
    match (guild.or_else(|| route.guild()), route.major()) {
        (Some(guild), _) => guild.0,
        (None, Major::Guild(id) | Major::Channel(id) | Major::Webhook { id, .. }) => id.0,
        (None, Major::Interaction(token)) => token,
        (None, Major::None) => 0,
    }
}

impl RequestId {
    pub(super) const fn hash(self) -> u64 {
        mix(0, self.0)
    }
}

impl Scheduler {
    /// Where a request is that is not finished.
    pub(super) fn find(&self, id: RequestId) -> Option<u32> {
        self.ids
            .get(id.hash(), |at| self.requests[at as usize].id == id)
    }
}
