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
    /// Failed; back in the queue at [`Detail::until`].
    Delayed,
    InFlight,
    /// The request in the slot given answers this one as well.
    Following(u32),
}

/// What of a route decides whether a request may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Other,
    /// Its path names a webhook.
    Webhook,
    /// A follow-up of an interaction.
    FollowUp,
    /// The first answer to an interaction.
    Callback,
}

impl Kind {
    pub(super) const fn of(route: &Route) -> Self {
        if route.is_callback() {
            Self::Callback
        } else if route.is_global_exempt() {
            Self::FollowUp
        } else if route.webhook().is_some() {
            Self::Webhook
        } else {
            Self::Other
        }
    }
}

/// What waiting and sending need of a request, in one cache line: with 100,000 requests waiting, none of them lies in a
/// cache when its turn comes.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub(super) struct Request {
    pub(super) id: RequestId,
    /// Its turn among those of the same priority, and its place in the order of submission.
    pub(super) turn: u64,
    pub(super) seq: u64,
    pub(super) submitted: Instant,
    pub(super) identity: usize,
    pub(super) lane: u32,
    /// Whose turns it takes, among those of its identity.
    pub(super) tenant: u32,
    pub(super) state: State,
    /// How often it was sent.
    pub(super) attempts: u32,
    pub(super) priority: Priority,
    pub(super) kind: Kind,
    /// Its caller lost interest while it was in flight.
    pub(super) is_cancelled: bool,
    /// Others share its answer, or may: see [`Detail`].
    pub(super) is_shared: bool,
}

impl Request {
    /// Whether the global limit does not count it.
    pub(super) const fn is_exempt(&self) -> bool {
        matches!(self.kind, Kind::FollowUp | Kind::Callback)
    }
}

/// What its answer needs of a request, in one cache line, and behind it what is special about it. Kept in the slot of
/// its request.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub(super) struct Detail {
    pub(super) sent: Instant,
    pub(super) sent_seq: u64,
    pub(super) followers: Vec<u32>,
    /// What others share its answer by.
    pub(super) leads: Option<LeaderKey>,
    pub(super) route: Route,
    pub(super) deadline: Option<Instant>,
    /// When it is sent again.
    pub(super) until: Instant,
    /// How often it failed, and was limited.
    pub(super) failures: u32,
    pub(super) limited: u32,
    pub(super) auth: Auth,
    pub(super) guild: Option<Snowflake>,
    pub(super) last_retry: Option<Retry>,
    pub(super) sharing: Sharing,
    pub(super) is_repeatable: bool,
}

impl Detail {
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
    /// Ids that follow each other lie side by side: most drivers count, and who comes in a row is looked up in a row.
    pub(super) const fn hash(self) -> u64 {
        let (row, place) = (self.0 / ROW, self.0 % ROW);
        mix(0, row) & !((ROW - 1) << 32) | place << 32
    }
}

/// How many ids lie side by side: as many as share a cache line of the table.
const ROW: u64 = 8;

impl Scheduler {
    /// Where a request is that is not finished.
    pub(super) fn find(&self, id: RequestId) -> Option<u32> {
        self.ids
            .get(id.hash(), |at| self.requests[at as usize].id == id)
    }
}
