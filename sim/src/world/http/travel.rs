//! The way of a request: sent, travelling, judged by the limits, answered or lost.

use std::collections::BTreeMap;

use shardkeep_core::Instant;

use super::book::Book;
use super::error;
use super::multipart::{File, Parts};
use crate::rest::{Fate, Limits, Refusal, Reply, Request, RestConfig, RestFault, Verdict};
use crate::world::World;
use crate::world::alarm::Alarm;
use crate::world::ledger::ViolationKind;
use crate::world::outbox::Out;

/// The REST side draws its own numbers: requests change nothing of what happens on the gateway.
const SEED: u64 = 0x5e57;

/// A request on its way here.
#[derive(Debug)]
struct Travelling {
    method: String,
    path: String,
    authorization: Option<String>,
    body: Vec<u8>,
    sent_at: Instant,
    fate: Fate,
}

/// The REST side of a world.
#[derive(Debug)]
pub(crate) struct Rest {
    pub(crate) limits: Limits,
    pub(super) book: Book,
    arriving: BTreeMap<u64, Box<Travelling>>,
    /// Answers on their way; `None` breaks the connection.
    answers: BTreeMap<u64, Option<Reply>>,
}

impl Rest {
    pub(in crate::world) fn new(
        config: RestConfig,
        seed: u64,
        now: Instant,
        epoch_unix_ms: u64,
    ) -> Self {
        Self {
            limits: Limits::new(config, seed ^ SEED, now, epoch_unix_ms),
            book: Book::default(),
            arriving: BTreeMap::new(),
            answers: BTreeMap::new(),
        }
    }

    /// Counts anew, by another configuration or the same one. Webhooks stay where they are.
    pub(in crate::world) fn renew(
        &mut self,
        config: RestConfig,
        seed: u64,
        now: Instant,
        epoch_unix_ms: u64,
    ) {
        self.limits = Limits::new(config, seed ^ SEED, now, epoch_unix_ms);
        for hook in self.book.hooks() {
            self.limits.bind_webhook(hook.id, hook.channel);
        }
    }

    /// Forgets what was made; what is under way stays.
    pub(in crate::world) fn forget(&mut self) {
        self.book = Book::default();
    }
}

impl World {
    /// A request was sent: it arrives at once or by and by.
    pub(in crate::world) fn http(
        &mut self,
        request: u64,
        method: &str,
        path: &str,
        authorization: Option<&str>,
        body: &[u8],
    ) {
        self.ledger.counters.http_requests += 1;
        let fate = self.rest.limits.fate(self.now, path);
        if fate.there.is_zero() {
            let request = Request {
                id: request,
                method,
                path,
                authorization,
                address: 0,
                body,
                sent_at: self.now,
            };
            self.http_arrives(&request, &fate);
            return;
        }
        self.alarms
            .set(self.now + fate.there, Alarm::HttpArrives(request));
        let travelling = Travelling {
            method: method.to_owned(),
            path: path.to_owned(),
            authorization: authorization.map(str::to_owned),
            body: body.to_vec(),
            sent_at: self.now,
            fate,
        };
        self.rest.arriving.insert(request, Box::new(travelling));
    }

    /// A request that was under way arrives.
    pub(in crate::world) fn ring_http_arrives(&mut self, request: u64) {
        if let Some(there) = self.rest.arriving.remove(&request) {
            let request = Request {
                id: request,
                method: &there.method,
                path: &there.path,
                authorization: there.authorization.as_deref(),
                address: 0,
                body: &there.body,
                sent_at: there.sent_at,
            };
            self.http_arrives(&request, &there.fate);
        }
    }

    /// An answer that was under way is there.
    pub(in crate::world) fn ring_http_answer(&mut self, request: u64) {
        if let Some(reply) = self.rest.answers.remove(&request) {
            self.http_respond(request, reply);
        }
    }

    fn http_respond(&mut self, request: u64, reply: Option<Reply>) {
        self.outbox.push(match reply {
            None => Out::Abandon { request },
            Some(Reply {
                status,
                headers,
                body,
            }) => Out::Respond {
                request,
                status,
                headers,
                body,
            },
        });
    }

    fn http_arrives(&mut self, request: &Request<'_>, fate: &Fate) {
        let parts = Parts::parse(request.body);
        let request = Request {
            body: parts.json,
            ..*request
        };
        let mut reply = match fate.fault {
            Some(RestFault::DropBefore) => {
                self.rest.limits.drop_before(self.now, &request);
                None
            }
            Some(RestFault::Fail {
                status,
                headers: false,
                ..
            }) => Some(self.rest.limits.fail(self.now, &request, status)),
            _ => Some(self.http_judge(&request, parts.files, fate)),
        };
        if fate.fault == Some(RestFault::DropAfter) {
            self.rest.limits.lost(request.id);
            reply = None;
        }
        // A server cannot see when its client has read: it takes it as read a little after it left.
        let grace = core::time::Duration::from_millis(self.rest.limits.config().grace_ms);
        let leaves = self.now + fate.back;
        self.rest.limits.received(leaves + grace, request.id);
        if fate.back.is_zero() {
            self.http_respond(request.id, reply);
        } else {
            self.rest.answers.insert(request.id, reply);
            self.alarms.set(leaves, Alarm::HttpAnswer(request.id));
        }
    }

    fn http_judge(&mut self, request: &Request<'_>, files: Vec<File>, fate: &Fate) -> Reply {
        let permit = match self.rest.limits.arrive(self.now, request) {
            Verdict::Accepted(permit) => permit,
            Verdict::Refused {
                reply,
                refusal,
                detail,
            } => {
                self.ledger.counters.http_refused += 1;
                if refusal.is_fault() {
                    let kind = violation(refusal);
                    self.ledger.violation(self.now, kind, None, None, detail);
                }
                return reply;
            }
        };
        let (status, body) = match fate.fault {
            Some(RestFault::Fail {
                status, executed, ..
            }) => {
                if executed {
                    self.answer(request, files);
                }
                error(status, 0, "internal error")
            }
            _ => self.answer(request, files),
        };
        let headers = self.rest.limits.finish(permit, status);
        Reply {
            status,
            headers,
            body,
        }
    }
}

fn violation(refusal: Refusal) -> ViolationKind {
    match refusal {
        Refusal::GlobalAnnounced => ViolationKind::GlobalLimitOverrun,
        Refusal::HiddenEarly => ViolationKind::HiddenLimitIgnored,
        Refusal::Banned => ViolationKind::RequestWhileBanned,
        _ => ViolationKind::RateLimitOverrun,
    }
}
