//! The one task that feeds the scheduler and does what it says.

use std::collections::{HashMap, VecDeque};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use shardkeep_core::rest::{Auth, Failure, Input, Output, Refusal, RequestId};
use shardkeep_core::wire::rate_limit::RateLimit;
use shardkeep_core::{Instant, Machine};
use tokio::time::Sleep;

use super::error::RestError;
use super::events;
use super::flight::{Flight, Landing, fly};
use super::inbox::{Job, Life, Message, Reply};
use super::pending::Called;
use super::pool::{Ledger, Way};
use super::shared::Shared;
use super::transport::{Answer, Outgoing, Transport, TransportError};
use crate::clock;
use crate::drive::Deadline;

/// Drives a [`Client`](super::Client): feeds the scheduler, and carries out what it says.
///
/// Exchanges are polled here as well, so that a request costs no task and no way between tasks.
pub struct Driver {
    shared: Arc<Shared>,
    transport: Arc<dyn Transport>,
    ledger: Way,
    timeout: Duration,
    entries: HashMap<RequestId, Entry>,
    batch: VecDeque<Message>,
    starts: Vec<Flight>,
    deadline: Deadline,
    /// The outcome that was just fed, until the scheduler has said whose it is.
    outcome: Option<Outcome>,
    /// The outcome that was delivered, until it is known who shares it.
    delivered: Option<(Reply, Outcome)>,
    /// Outcomes on their way to callers: handed on together, so that a caller's thread is woken once for several.
    answers: Vec<(Reply, Outcome)>,
    end: Option<Pin<Box<Sleep>>>,
}

type Outcome = Result<Answer, RestError>;

/// A request that is not finished.
struct Entry {
    auth: Auth,
    outgoing: Arc<Outgoing>,
    reply: Reply,
}

impl std::fmt::Debug for Driver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Driver")
            .field("requests", &self.entries.len())
            .finish_non_exhaustive()
    }
}

impl Driver {
    pub(super) fn new(
        shared: Arc<Shared>,
        transport: Arc<dyn Transport>,
        ledger: Option<Arc<dyn Ledger>>,
        timeout: Duration,
    ) -> Self {
        Self {
            shared,
            transport,
            ledger: Way::to(ledger),
            timeout,
            entries: HashMap::new(),
            batch: VecDeque::new(),
            starts: Vec::new(),
            deadline: Deadline::default(),
            outcome: None,
            delivered: None,
            answers: Vec::new(),
            end: None,
        }
    }

    /// Runs until every handle of the client is gone, or it was shut down, and what was submitted is answered.
    pub async fn run(mut self) {
        let mut under_way = FuturesUnordered::new();
        poll_fn(|cx| {
            loop {
                let mut has_moved = false;
                let life = self.shared.inbox.take(cx, &mut self.batch);
                while let Some(message) = self.batch.pop_front() {
                    self.hear(message);
                    has_moved = true;
                }
                while let Poll::Ready(Some(landed)) = under_way.poll_next_unpin(cx) {
                    self.land(landed);
                    has_moved = true;
                }
                has_moved |= self.hear_the_ledger(cx);
                has_moved |= self.look_at_the_clock(cx);
                let limit = self.timeout;
                under_way.extend(self.starts.drain(..).map(|flight| {
                    has_moved = true;
                    fly(flight, limit)
                }));
                self.tell_callers();
                if has_moved {
                    continue;
                }
                let is_idle = self.entries.is_empty() && under_way.is_empty();
                let is_out_of_time = self.is_out_of_time(cx);
                if life != Life::Open && is_idle && self.leave() && !is_out_of_time {
                    continue;
                }
                if life != Life::Open && is_idle && self.ledger.is_silent() || is_out_of_time {
                    return Poll::Ready(());
                }
                return Poll::Pending;
            }
        })
        .await;
    }

    /// What a caller wants.
    fn hear(&mut self, message: Message) {
        match message {
            Message::Submit(job) => self.submit(*job),
            Message::Cancel(id) => self.feed(Input::Cancel { id }),
            Message::TokenReplaced(auth) => self.feed(Input::TokenReplaced { auth }),
            Message::GlobalLimit(auth, limit) => self.feed(Input::GlobalLimit { auth, limit }),
            Message::Pooled(auth, name) => self.feed(Input::Pooled { auth, name }),
            Message::EndIn(limit) => self.end = Some(Box::pin(tokio::time::sleep(limit))),
        }
    }

    fn submit(&mut self, job: Job) {
        let fed = self
            .shared
            .scheduler()
            .handle_input(clock::now(), Input::Submit(job.submit()));
        let Job {
            id,
            auth,
            outgoing,
            reply,
            ..
        } = job;
        match fed {
            Ok(()) => {
                self.entries.insert(
                    id,
                    Entry {
                        auth,
                        outgoing,
                        reply,
                    },
                );
                self.drain();
            }
            Err(misuse) => {
                let error = RestError::bad_request(misuse);
                self.answers.push((reply, Err(error)));
            }
        }
    }

    fn feed(&mut self, input: Input<'_>) {
        self.tell(input);
        self.drain();
    }

    fn tell(&self, input: Input<'_>) {
        let fed = self.shared.scheduler().handle_input(clock::now(), input);
        if let Err(misuse) = fed {
            // A request may end while its caller gives it up.
            tracing::trace!(%misuse, "the scheduler did not expect this");
        }
    }

    /// An exchange ended.
    fn land(&mut self, (id, outgoing, landing): (RequestId, Arc<Outgoing>, Landing)) {
        let request = || Called::of(&outgoing).to_string();
        let (failure, outcome) = match landing {
            Landing::Answered(answer) => return self.answered(id, answer),
            Landing::Failed(TransportError { failure, reason }) => (
                failure,
                RestError::Transport {
                    request: request(),
                    failure,
                    reason,
                },
            ),
            Landing::TimedOut => {
                let error = RestError::Timeout {
                    request: request(),
                    after: self.timeout,
                };
                (Failure::Unanswered, error)
            }
        };
        self.outcome = Some(Err(outcome));
        self.feed(Input::Failed { id, failure });
        self.outcome = None;
    }

    fn answered(&mut self, id: RequestId, answer: Answer) {
        let headers = answer
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()));
        let limit = RateLimit::from_headers(headers);
        self.tell(Input::Response {
            id,
            status: answer.status,
            limit,
            body: &answer.body,
        });
        self.outcome = Some(Ok(answer));
        self.drain();
        self.outcome = None;
    }

    /// Does what the scheduler says until it says nothing more.
    fn drain(&mut self) {
        loop {
            // Taken before it is acted on: what follows may feed the scheduler again.
            let output = self.shared.scheduler().poll_output();
            let Some(output) = output else { break };
            self.obey(output);
        }
        self.hand_over();
    }

    fn obey(&mut self, output: Output) {
        match output {
            Output::Send { id, .. } => self.send(id),
            Output::Deliver { id } => {
                self.hand_over();
                let outcome = self.outcome.take().unwrap_or(Err(RestError::Stopped));
                if let Some(entry) = self.entries.remove(&id) {
                    self.delivered = Some((entry.reply, outcome));
                }
            }
            Output::Share { id, .. } => {
                // A leader that was given up is not delivered: its outcome is still here.
                let delivered = self.delivered.as_ref().map(|(_, outcome)| outcome);
                let outcome = delivered.or(self.outcome.as_ref()).cloned();
                if let Some(entry) = self.entries.remove(&id) {
                    self.answers
                        .push((entry.reply, outcome.unwrap_or(Err(RestError::Stopped))));
                }
            }
            Output::Retry { id, why, at } => {
                let wait_ms = at.since(clock::now()).as_millis();
                tracing::debug!(%id, %why, wait_ms, "a request is sent again");
                self.check_repeatable(id);
            }
            Output::Refuse { id, why, until } => self.refuse(id, why, until),
            Output::Exchange => {
                let exchange = self.shared.scheduler().exchange();
                self.ledger.ask(exchange);
            }
            Output::Event(event) => {
                events::log(&event);
                // Nobody may be listening.
                let _unheard = self.shared.events.send(event);
            }
            other => tracing::debug!(?other, "an output that this version does not know"),
        }
    }

    /// Whether the ledger of shared limits has answered.
    fn hear_the_ledger(&mut self, cx: &mut Context<'_>) -> bool {
        let Poll::Ready(answer) = self.ledger.poll(cx) else {
            return false;
        };
        let answer = answer.as_deref();
        self.feed(Input::Exchanged { answer });
        true
    }

    /// Gives back what is held of shared limits, once. Whether there is something to wait for.
    fn leave(&mut self) -> bool {
        let leaves = self.ledger.leaves();
        if leaves {
            self.feed(Input::LeavePool);
        }
        leaves
    }

    fn send(&mut self, id: RequestId) {
        let Some(entry) = self.entries.get(&id) else {
            return;
        };
        let outgoing = Arc::clone(&entry.outgoing);
        let authorization = self.shared.authorization(entry.auth);
        let exchange = self
            .transport
            .exchange(Arc::clone(&outgoing), authorization);
        self.starts.push(Flight {
            id,
            outgoing,
            exchange,
        });
    }

    /// A stream that was read and not kept cannot be sent a second time: its caller gets what there is.
    fn check_repeatable(&mut self, id: RequestId) {
        let is_lost = self
            .entries
            .get(&id)
            .is_some_and(|entry| !entry.outgoing.body.is_replayable());
        if !is_lost {
            return;
        }
        if let (Some(entry), Some(outcome)) = (self.entries.remove(&id), self.outcome.take()) {
            self.answers.push((entry.reply, outcome));
        }
        let fed = self
            .shared
            .scheduler()
            .handle_input(clock::now(), Input::Cancel { id });
        debug_assert!(fed.is_ok(), "a request that is sent again is not finished");
    }

    fn refuse(&mut self, id: RequestId, why: Refusal, until: Option<Instant>) {
        let Some(entry) = self.entries.remove(&id) else {
            return;
        };
        let now = clock::now();
        let wait = until.map(|until| until.since(now));
        let request = Called::of(&entry.outgoing).to_string();
        let refused = RestError::Refused {
            request,
            why,
            until,
            wait,
        };
        self.answers.push((entry.reply, Err(refused)));
    }

    /// Answers the caller whose outcome nobody shares any more.
    fn hand_over(&mut self) {
        if let Some((reply, outcome)) = self.delivered.take() {
            self.answers.push((reply, outcome));
        }
    }

    fn tell_callers(&mut self) {
        for (reply, outcome) in self.answers.drain(..) {
            // Its caller may have lost interest.
            let _unwanted = reply.send(outcome);
        }
    }

    /// Whether the scheduler's deadline has been reached; else the task is woken when it is.
    fn look_at_the_clock(&mut self, cx: &mut Context<'_>) -> bool {
        let due = self.deadline.poll(cx, &*self.shared.scheduler());
        let Poll::Ready(now) = due else {
            return false;
        };
        self.shared.scheduler().handle_timeout(now);
        self.drain();
        true
    }

    fn is_out_of_time(&mut self, cx: &mut Context<'_>) -> bool {
        self.end
            .as_mut()
            .is_some_and(|end| end.as_mut().poll(cx).is_ready())
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let is_complete = self.entries.is_empty();
        self.shared.inbox.close();
        // Whoever still waits learns that the client has stopped.
        self.entries.clear();
        self.shared.is_over.send_replace(Some(is_complete));
    }
}
