//! Calls read from bytes: few routes, few numbers and few names of buckets, so that they meet.

use std::time::Duration;

use shardkeep_core::rest::route::Method;
use shardkeep_core::rest::{
    Auth, Config, Failure, Input, Priority, RequestId, Sharing, Submit as Request,
};
use shardkeep_core::wire::{RateLimit, Scope};
use shardkeep_core::{Instant, Snowflake};

const ROUTES: [(Method, &str); 14] = [
    (Method::Get, "/channels/1"),
    (Method::Get, "/channels/2"),
    (Method::Patch, "/channels/1"),
    (Method::Patch, "/channels/2"),
    (Method::Post, "/channels/1/messages"),
    (Method::Post, "/channels/2/messages"),
    (Method::Delete, "/channels/1/messages/5"),
    (Method::Get, "/guilds/7"),
    (Method::Get, "/guilds/8/roles"),
    (Method::Post, "/webhooks/9/token"),
    (Method::Post, "/webhooks/3/aW50ZXJhY3Rpb246one"),
    (Method::Post, "/interactions/5/aW50ZXJhY3Rpb246one/callback"),
    (Method::Get, "/gateway/bot"),
    (Method::Get, "/new/thing"),
];

const STATUSES: [u16; 16] = [
    200, 200, 200, 204, 400, 401, 403, 403, 404, 404, 429, 429, 429, 500, 502, 0,
];

const BODIES: [&[u8]; 8] = [
    b"",
    br#"{"message": "slow", "retry_after": 0.5, "global": false}"#,
    br#"{"message": "slow", "retry_after": 7, "global": true}"#,
    br#"{"message": "slow", "retry_after": 90.25, "global": false}"#,
    br#"{"code": 10015}"#,
    br#"{"retry_after": 1e300}"#,
    b"error code: 1015",
    b"\xff{",
];

#[derive(Clone, Debug)]
pub(super) struct Submit {
    pub(super) id: u64,
    auth: Auth,
    route: (Method, &'static str),
    priority: Priority,
    deadline: Option<Duration>,
    guild: Option<Snowflake>,
    class: u8,
    sharing: Sharing,
    is_repeatable: bool,
}

impl Submit {
    pub(super) fn as_input(&self, now: Instant) -> Request<'static> {
        let (method, path) = self.route;
        let mut request = Request::new(RequestId(self.id), self.auth, method, path);
        request.priority = self.priority;
        request.deadline = self.deadline.map(|span| now + span);
        request.guild = self.guild;
        request.class = self.class;
        request.sharing = self.sharing;
        request.is_repeatable = self.is_repeatable;
        request
    }
}

#[derive(Clone, Debug)]
pub(super) struct Answer {
    status: u16,
    limit: RateLimit<'static>,
    body: &'static [u8],
}

impl Answer {
    pub(super) fn fine() -> Self {
        Self {
            status: 200,
            limit: RateLimit::default(),
            body: b"",
        }
    }

    pub(super) const fn as_input(&self, id: u64) -> Input<'static> {
        Input::Response {
            id: RequestId(id),
            status: self.status,
            limit: self.limit,
            body: self.body,
        }
    }
}

#[derive(Clone, Debug)]
pub(super) enum Call {
    /// Time goes on by so many milliseconds.
    Wait(u64),
    /// Time goes on to the next deadline.
    Due,
    /// The clock is said to have gone back.
    Back(u64),
    Submit(Submit),
    Answer(u64, Answer),
    Fail(u64, Failure),
    Cancel(u64),
    TokenReplaced(Auth),
    GlobalLimit(Auth, u32),
    Restart,
}

/// Bytes that run out: what is missing at the end is 0.
pub(super) struct Bytes<'a> {
    left: &'a [u8],
}

impl<'a> Bytes<'a> {
    pub(super) const fn new(left: &'a [u8]) -> Self {
        Self { left }
    }

    fn next(&mut self) -> u8 {
        let (&first, rest) = self.left.split_first().unwrap_or((&0, &[]));
        self.left = rest;
        first
    }

    fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::from(self.next()) % of.len()]
    }

    /// 0 to 255, or now and then a number that is far too large.
    fn number(&mut self) -> u64 {
        match self.next() {
            255 => u64::MAX,
            254 => 1 << 31,
            small => small.into(),
        }
    }

    fn small(&mut self) -> u32 {
        u32::try_from(self.number()).unwrap_or(u32::MAX)
    }

    pub(super) fn config(&mut self) -> Config {
        let mut config = Config::default();
        config.queue_size = self.one_of(&[0, 1, 5, 20, 10_000]);
        config.max_in_flight = self.one_of(&[1, 2, 3, 10, 64]);
        config.reserved_in_flight = self.one_of(&[0, 1, 2]);
        config.global_limit = self.one_of(&[0, 1, 3, 50, 1_200]);
        config.invalid_budget = self.one_of(&[0, 4, 20, 10_000]);
        config.quarantine_after = self.one_of(&[0, 1, 2, 20]);
        config.retries = self.one_of(&[0, 1, 3]);
        config.limited_retries = self.one_of(&[0, 2, 10]);
        config.reset_margin = Duration::from_millis(self.one_of(&[0, 5, 50]));
        config.seed = self.next().into();
        config
    }

    pub(super) fn call(&mut self) -> Option<Call> {
        if self.left.is_empty() {
            return None;
        }
        Some(match self.next() % 16 {
            0..=4 => Call::Submit(self.submit()),
            5..=8 => Call::Answer(self.id(), self.answer()),
            9 => Call::Fail(self.id(), self.one_of(Failure::ALL)),
            10 => Call::Cancel(self.id()),
            11 | 12 => Call::Due,
            13 => Call::Wait(u64::from(self.next()) * u64::from(self.next())),
            14 => match self.next() % 4 {
                0 => Call::Back(self.next().into()),
                1 => Call::TokenReplaced(self.auth()),
                2 => Call::GlobalLimit(self.auth(), self.small()),
                _ => Call::Restart,
            },
            _ => Call::Wait(self.next().into()),
        })
    }

    fn id(&mut self) -> u64 {
        u64::from(self.next() % 24)
    }

    fn auth(&mut self) -> Auth {
        Auth(u32::from(self.next() % 3))
    }

    fn submit(&mut self) -> Submit {
        let (id, route) = (self.id(), self.one_of(&ROUTES));
        let flags = self.next();
        Submit {
            id,
            route,
            auth: Auth(self.one_of(&[1, 1, 1, 1, 2, 0])),
            priority: self.one_of(Priority::ALL),
            deadline: (flags & 7 == 0)
                .then(|| Duration::from_millis(self.number().saturating_mul(8))),
            guild: (flags & 24 == 0).then(|| Snowflake(self.next().into())),
            class: (flags >> 5) & 1,
            sharing: self.one_of(&[Sharing::Alone, Sharing::Same, Sharing::LastWins]),
            is_repeatable: flags >> 7 == 1,
        }
    }

    fn answer(&mut self) -> Answer {
        let status = self.one_of(&STATUSES);
        let flags = self.next();
        let mut limit = RateLimit {
            via: flags & 3 != 0,
            global: flags & 28 == 0,
            ..RateLimit::default()
        };
        if flags & 96 != 0 {
            limit.bucket = Some(self.one_of(&["a", "b", "c"]));
        }
        if flags & 128 != 0 {
            limit.limit = Some(self.small());
            limit.remaining = Some(self.small());
            limit.reset_after = Some(self.span());
        }
        if status == 429 {
            limit.scope = self.one_of(&[
                None,
                Some(Scope::User),
                Some(Scope::Global),
                Some(Scope::Shared),
            ]);
            limit.retry_after = Some(self.span()).filter(|_| flags & 1 == 0);
        }
        Answer {
            status,
            limit,
            body: self.one_of(&BODIES),
        }
    }

    /// Up to 30 days, as headers are read.
    fn span(&mut self) -> Duration {
        Duration::from_millis(self.number().saturating_mul(40)).min(Duration::from_secs(2_592_000))
    }
}
