//! A client's view: requests go out, answers come back later, in another order or not at all.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

use shardkeep_core::Instant;

use super::config::{RestConfig, RestFault};
use super::fate::Fate;
use super::limits::{Limits, Request, Verdict};
use super::reply::{self, Reply};

/// What a client hears of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The request's number.
    pub id: u64,
    /// When it is heard.
    pub at: Instant,
    /// The answer; `None` if the connection broke.
    pub reply: Option<Reply>,
}

#[derive(Debug)]
struct Owned {
    method: String,
    path: String,
    authorization: Option<String>,
    address: u64,
    body: Vec<u8>,
    sent_at: Instant,
    fate: Fate,
}

#[derive(Debug)]
enum Event {
    Arrives(Box<Owned>),
    Returns(Option<Reply>),
}

/// [`Limits`] behind a network with latency and faults: what tests of a client talk to, in virtual time.
///
/// Everything that is let through is answered with 200, 201 or 204 and an empty object, unless the configuration
/// denies it.
///
/// ```
/// use shardkeep_sim::Instant;
/// use shardkeep_sim::rest::{Network, Request, RestConfig};
///
/// let mut network = Network::new(RestConfig::bench(), 1);
/// network.send(Instant::ZERO, &Request::new(1, "POST", "/channels/1/messages", Instant::ZERO));
/// assert_eq!(network.poll_timeout(), Some(Instant::from_millis(10)));
/// network.handle_timeout(Instant::from_millis(20));
/// let heard = network.poll_output().unwrap();
/// assert_eq!((heard.id, heard.at), (1, Instant::from_millis(20)));
/// assert_eq!(heard.reply.unwrap().header("x-ratelimit-remaining"), Some("4"));
/// ```
#[derive(Debug)]
pub struct Network {
    limits: Limits,
    queue: BinaryHeap<Reverse<(Instant, u64)>>,
    events: BTreeMap<u64, (u64, Event)>,
    serial: u64,
    heard: VecDeque<Delivery>,
}

impl Network {
    /// A network whose latency and faults follow from `seed`.
    #[must_use]
    pub fn new(config: RestConfig, seed: u64) -> Self {
        Self {
            limits: Limits::new(config, seed, Instant::ZERO, 1_795_305_600_000),
            queue: BinaryHeap::new(),
            events: BTreeMap::new(),
            serial: 0,
            heard: VecDeque::new(),
        }
    }

    /// The limits behind it: counters, arrivals, bounds.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The same, to bind webhooks.
    pub const fn limits_mut(&mut self) -> &mut Limits {
        &mut self.limits
    }

    /// Sends a request now; its `sent_at` is `now` whatever it says. Times must not go backwards.
    pub fn send(&mut self, now: Instant, request: &Request<'_>) {
        self.handle_timeout(now);
        let fate = self.limits.fate(now, request.path);
        let arrives = now + fate.there;
        let owned = Owned {
            method: request.method.to_owned(),
            path: request.path.to_owned(),
            authorization: request.authorization.map(str::to_owned),
            address: request.address,
            body: request.body.to_vec(),
            sent_at: now,
            fate,
        };
        self.schedule(arrives, request.id, Event::Arrives(Box::new(owned)));
    }

    /// When something happens next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.queue.peek().map(|&Reverse((at, _))| at)
    }

    /// Lets everything happen that is due, each at its own moment.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(&Reverse((at, serial))) = self.queue.peek()
            && at <= now
        {
            self.queue.pop();
            match self.events.remove(&serial) {
                Some((id, Event::Arrives(request))) => self.arrive(at, id, &request),
                Some((id, Event::Returns(reply))) => {
                    self.heard.push_back(Delivery { id, at, reply })
                }
                None => {}
            }
        }
    }

    /// What was heard, in order.
    pub fn poll_output(&mut self) -> Option<Delivery> {
        self.heard.pop_front()
    }

    fn schedule(&mut self, at: Instant, id: u64, event: Event) {
        self.serial += 1;
        self.queue.push(Reverse((at, self.serial)));
        self.events.insert(self.serial, (id, event));
    }

    fn arrive(&mut self, now: Instant, id: u64, owned: &Owned) {
        let request = Request {
            id,
            method: &owned.method,
            path: &owned.path,
            authorization: owned.authorization.as_deref(),
            address: owned.address,
            body: &owned.body,
            sent_at: owned.sent_at,
        };
        let returns = now + owned.fate.back;
        let reply = match owned.fate.fault {
            Some(RestFault::DropBefore) => {
                self.limits.drop_before(now, &request);
                None
            }
            Some(RestFault::Fail {
                status,
                headers: false,
                ..
            }) => Some(self.limits.fail(now, &request, status)),
            _ => Some(self.answer(now, &request, owned)),
        };
        let reply = match owned.fate.fault {
            Some(RestFault::DropAfter) => {
                self.limits.lost(id);
                None
            }
            _ => reply,
        };
        self.limits.received(returns, id);
        self.schedule(returns, id, Event::Returns(reply));
    }

    fn answer(&mut self, now: Instant, request: &Request<'_>, owned: &Owned) -> Reply {
        match self.limits.arrive(now, request) {
            Verdict::Refused { reply, .. } => reply,
            Verdict::Accepted(permit) => {
                let (status, body) = match (&owned.fate.fault, self.limits.denial(&owned.path)) {
                    (&Some(RestFault::Fail { status, .. }), _) => {
                        (status, reply::error_body(0, "internal error"))
                    }
                    (_, Some((status, code))) => (status, reply::error_body(code, "denied")),
                    _ => match owned.method.as_str() {
                        "PUT" | "DELETE" => (204, Vec::new()),
                        _ => (200, b"{}".to_vec()),
                    },
                };
                let headers = self.limits.finish(permit, status);
                Reply {
                    status,
                    headers,
                    body,
                }
            }
        }
    }
}
