//! What the scheduler takes and gives: inputs, outputs, events, and the reasons they carry.

use core::fmt;
use core::time::Duration;

use crate::id::Snowflake;
use crate::reasons::reasons;
use crate::time::Instant;
use crate::wire::rate_limit::{RateLimit, Scope};

use super::guard::Offender;
use super::route::{Method, Route, RouteError};

/// A request, by the number that its driver chose. Unique among the requests that are not finished.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "request {}", self.0)
    }
}

/// Whose credentials a request carries, by a number that the driver chose. Discord limits each identity by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Auth(pub u32);

impl Auth {
    /// No `Authorization` header: Discord limits such requests by the IP address.
    pub const NONE: Self = Self(0);
}

reasons! {
    /// How urgent a request is. Lower numbers go first.
    Priority {
        0 Interaction "answers an interaction, which Discord gives three seconds",
        1 UserFacing "somebody waits for it",
        2 Normal "ordinary work",
        3 Background "may take its time",
    }
}

pub(crate) const PRIORITIES: usize = 4;

/// Which other requests a request may share an answer with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sharing {
    /// None.
    #[default]
    Alone,
    /// An identical `GET` that waits or is in flight answers this one as well. Other methods are never shared so.
    Same,
    /// Last write wins: a waiting `PATCH` or `PUT` of the same path is replaced by this one, whose answer answers both.
    LastWins,
}

/// A request that wants to be sent.
#[derive(Clone, Copy, Debug)]
pub struct Submit<'a> {
    /// Its number.
    pub id: RequestId,
    /// Whose credentials it carries.
    pub auth: Auth,
    /// The HTTP method.
    pub method: Method,
    /// The path below the API's base, with its query: `/channels/1/messages?limit=50`.
    pub path: &'a str,
    /// How urgent it is.
    pub priority: Priority,
    /// The last moment at which sending it makes sense.
    pub deadline: Option<Instant>,
    /// The guild it is for, where the path does not say. For fairness and for the blame of invalid requests.
    pub guild: Option<Snowflake>,
    /// Tells apart requests of one route that Discord limits differently: the age of a message to be deleted, whether
    /// a channel edit changes name or topic. Zero if there is nothing to tell.
    pub class: u8,
    /// Which requests it may share an answer with.
    pub sharing: Sharing,
    /// Repeating it does no harm although it is a `POST`: its body carries a `nonce` and `enforce_nonce`.
    pub is_repeatable: bool,
}

impl<'a> Submit<'a> {
    /// A request of normal priority without deadline, that shares no answer.
    #[must_use]
    pub const fn new(id: RequestId, auth: Auth, method: Method, path: &'a str) -> Self {
        Self {
            id,
            auth,
            method,
            path,
            priority: Priority::Normal,
            deadline: None,
            guild: None,
            class: 0,
            sharing: Sharing::Alone,
            is_repeatable: false,
        }
    }
}

/// Something that happened to the scheduler.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Input<'a> {
    /// A request wants to be sent. It is answered by [`Output::Send`] or [`Output::Refuse`].
    Submit(Submit<'a>),
    /// A sent request was answered. The verdict follows at once: [`Output::Deliver`] or [`Output::Retry`].
    Response {
        /// The request.
        id: RequestId,
        /// The HTTP status.
        status: u16,
        /// The headers that speak of limits.
        limit: RateLimit<'a>,
        /// The body, or its first kibibytes. Only the bodies of errors are looked at.
        body: &'a [u8],
    },
    /// A sent request got no answer. The verdict follows at once: [`Output::Deliver`] or [`Output::Retry`].
    Failed {
        /// The request.
        id: RequestId,
        /// How far it got.
        failure: Failure,
    },
    /// The caller lost interest. A request in flight is still waited for, because Discord counts it.
    Cancel {
        /// The request.
        id: RequestId,
    },
    /// New credentials for an identity whose token Discord had refused.
    TokenReplaced {
        /// The identity.
        auth: Auth,
    },
    /// Discord allows this identity `limit` requests a second over all routes.
    GlobalLimit {
        /// The identity.
        auth: Auth,
        /// Requests a second.
        limit: u32,
    },
    /// The limits of this identity are shared with the other members of the [`pool`](super::pool).
    Pooled {
        /// The identity.
        auth: Auth,
        /// What all members call it, such as a keyed hash of its token.
        name: u64,
    },
    /// The ledger answered the exchange of [`Output::Exchange`].
    Exchanged {
        /// What it answered; `None` if it could not be reached or failed.
        answer: Option<&'a [u8]>,
    },
    /// The process stops: it gives back what it holds. [`Output::Exchange`] follows if it is in a pool; after that
    /// nothing may be sent.
    LeavePool,
}

reasons! {
    /// How far a request got that was not answered.
    Failure {
        1 NotSent "no byte of it left: Discord cannot have counted or executed it",
        2 Unanswered "it left, and no answer came: Discord may have executed it",
    }
}

/// What the scheduler wants done, or reports.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Output {
    /// Send the request now and answer with [`Input::Response`] or [`Input::Failed`].
    Send {
        /// The request.
        id: RequestId,
        /// How many times it was sent before.
        attempt: u32,
    },
    /// What was just fed (answer or failure) is the request's outcome: hand it to the caller.
    Deliver {
        /// The request.
        id: RequestId,
    },
    /// The outcome of `leader`, delivered just before, is this request's outcome as well.
    Share {
        /// The request.
        id: RequestId,
        /// The request that was sent for both.
        leader: RequestId,
    },
    /// What was just fed is not the outcome: the request is sent again.
    Retry {
        /// The request.
        id: RequestId,
        /// Why.
        why: Retry,
        /// Not before then.
        at: Instant,
    },
    /// The request will not be sent.
    Refuse {
        /// The request.
        id: RequestId,
        /// Why.
        why: Refusal,
        /// When it could have been sent, or when asking again makes sense, as far as can be told.
        until: Option<Instant>,
    },
    /// Take [`Scheduler::exchange`](super::Scheduler::exchange), have the ledger answer it, and feed
    /// [`Input::Exchanged`].
    Exchange,
    /// Something to know about the limits themselves.
    Event(Event),
}

/// Something to know about the limits themselves.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// Discord answered 429.
    RateLimited {
        /// The request.
        id: RequestId,
        /// Its route.
        route: Route,
        /// Whose limit it was.
        scope: Scope,
        /// How long to wait.
        retry_after: Duration,
        /// A limit that no header announces: only this route waits, not its bucket.
        is_hidden: bool,
    },
    /// A hidden limit of a route was told from a 429. It is kept to from here on.
    SublimitLearned {
        /// The route.
        route: Route,
        /// How many requests.
        limit: u32,
        /// In how long.
        window: Duration,
    },
    /// The global limit was reached by Discord's count: the identity waits.
    GlobalLimited {
        /// The identity.
        auth: Auth,
        /// Until when.
        until: Instant,
    },
    /// The global limit in use changed.
    GlobalLearned {
        /// The identity.
        auth: Auth,
        /// Requests a second from here on.
        limit: u32,
    },
    /// Invalid requests (401, 403, 429 but not of scope shared) passed a threshold.
    InvalidBudget {
        /// How many in the last ten minutes.
        spent: u32,
        /// How many Discord tolerates.
        budget: u32,
        /// When the budget would be spent if they went on like this.
        exhausted_in: Option<Duration>,
    },
    /// Somebody causes most invalid requests: only their requests are refused for a while.
    Quarantined {
        /// Who.
        offender: Offender,
        /// Until when.
        until: Instant,
        /// How many invalid answers in the last ten minutes.
        invalid: u32,
    },
    /// Discord refused the token (401): every request of this identity is refused until it is replaced.
    TokenStopped {
        /// The identity.
        auth: Auth,
    },
    /// Discord does not know the webhook: it is not called again.
    WebhookGone {
        /// The webhook.
        id: Snowflake,
    },
    /// Cloudflare, in front of Discord, refuses this IP address: nothing is sent before then.
    Banned {
        /// Until when.
        until: Instant,
    },
    /// The refusal has ended, as far as can be told: requests are sent again.
    BanEnded,
    /// The pool's ledger has not answered for so long that this process lives on its share of the limits.
    PoolAway,
    /// The pool's ledger answers, for the first time or again.
    PoolInTouch,
    /// Another process of this member's name is in the pool: nothing is granted to this one.
    PoolNameTaken,
}

reasons! {
    /// Why a request is sent again.
    Retry {
        1 RateLimited "Discord answered 429: it was not executed",
        2 ServerError "Discord failed (5xx)",
        3 NotSent "the connection failed before it left",
        4 Unanswered "the connection failed, and repeating it does no harm",
    }
}

reasons! {
    /// Why a request is not sent.
    Refusal {
        1 QueueFull "the queue is full: slow down, or raise queue_size",
        2 DeadlineTooSoon "it could not be sent before its deadline: see when it could",
        3 DeadlinePassed "its deadline passed while it waited",
        4 Cancelled "its caller lost interest",
        5 TokenRejected "Discord refused the token (401): set the current one",
        6 WebhookGone "Discord does not know this webhook: calling it again would be punished",
        7 Quarantined "it belongs to what causes most invalid requests: see the event for whom",
        8 InvalidBudgetSpent "ten minutes' budget of invalid requests is nearly spent: more could ban the IP address",
    }
}

reasons! {
    /// Why a request waits. Where several apply, the one that lasts longest.
    Wait {
        1 Bucket "its bucket is spent until the window resets",
        2 Answers "what its bucket has left is in flight: the next answer decides",
        3 Discovery "the limit of its route is not known yet: one request at a time finds out",
        4 Global "the global limit is reached",
        5 Sublimit "a limit that Discord does not announce holds its route",
        6 InFlight "as many requests are in flight as may be",
        7 Backoff "it failed and waits before it is sent again",
        8 Banned "Cloudflare refuses this IP address",
        9 Turn "others go first",
        10 Leader "an identical request answers it as well",
        11 Sent "it was sent and its answer is awaited",
        12 InvalidBudget "ten minutes' budget of invalid requests is nearly spent",
        13 Pool "other processes share its limit: the ledger of the pool has not granted it a place yet",
        14 PoolAway "other processes share its limit, and the ledger of the pool cannot be reached: this process has no share of the limit, or has spent it",
    }
}

/// How a caller broke the rules of the interface. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Misuse {
    /// A request with this number is not finished yet.
    DuplicateId(RequestId),
    /// There is no such request, or it is finished.
    UnknownId(RequestId),
    /// The request is not in flight.
    NotInFlight(RequestId),
    /// The path is not one.
    Route(RouteError),
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DuplicateId(id) => write!(f, "{id} is not finished yet: choose another number"),
            Self::UnknownId(id) => write!(f, "{id} does not exist, or is finished"),
            Self::NotInFlight(id) => write!(f, "{id} was answered, but is not in flight"),
            Self::Route(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for Misuse {}

/// Why the scheduler wants to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// A bucket or a route has room again.
    Bucket,
    /// The global limit has room again.
    Global,
    /// A request may be sent again.
    Retry,
    /// A deadline passes.
    Deadline,
    /// The IP address may be accepted again.
    Ban,
    /// Forgetting what nobody uses.
    Sweep,
    /// The pool's ledger is to be spoken to, or counts as away.
    Pool,
}
