//! Any bytes as calls to a scheduler, in any order and at any time, beside a plain account of what they must lead to.

mod calls;

use std::collections::BTreeMap;
use std::time::Duration;

use shardkeep_core::rest::{Config, Input, Misuse, Output, Place, Refusal, RequestId, Scheduler};
use shardkeep_core::{Instant, Machine as _};

use calls::{Bytes, Call};

/// Where a request stands by what came out so far.
#[derive(Clone, Copy, Debug, Default)]
struct Life {
    /// How many times it was sent.
    sent: u32,
    in_flight: bool,
    /// Its caller has heard of its end; in flight still, if it was cancelled.
    ended: bool,
}

/// A scheduler, and what is known of its requests from the outside.
struct Chaos {
    scheduler: Scheduler,
    config: Config,
    now: Instant,
    alive: BTreeMap<u64, Life>,
    submitted: u64,
    ended: u64,
    /// What happened, for comparison.
    log: Vec<String>,
    /// Whether the last call gave nothing.
    is_silent: bool,
}

/// Plays `bytes` and then lets everything end. What came out, in order.
///
/// # Panics
///
/// If anything came out that must not.
pub(crate) fn run(bytes: &[u8]) -> Vec<String> {
    let mut bytes = Bytes::new(bytes);
    let mut chaos = Chaos::new(bytes.config());
    while let Some(call) = bytes.call() {
        chaos.play(&call);
    }
    chaos.finish();
    chaos.log
}

impl Chaos {
    fn new(config: Config) -> Self {
        Self {
            scheduler: Scheduler::new(config.clone(), Instant::ZERO),
            config,
            now: Instant::ZERO,
            alive: BTreeMap::new(),
            submitted: 0,
            ended: 0,
            log: Vec::new(),
            is_silent: true,
        }
    }

    fn play(&mut self, call: &Call) {
        match *call {
            Call::Wait(ms) => self.wait(self.now + Duration::from_millis(ms)),
            Call::Due => {
                if let Some(timeout) = self.scheduler.poll_timeout() {
                    self.wait(timeout.at);
                }
            }
            Call::Back(ms) => {
                // A clock that goes back is the driver's mistake; the machine keeps to the latest it has seen.
                let back = self.now.as_micros().saturating_sub(ms * 1_000);
                self.scheduler.handle_timeout(Instant::from_micros(back));
                self.drain(None);
            }
            Call::Submit(ref submit) => {
                let expected = match self.alive.get(&submit.id) {
                    Some(_) => Err(Misuse::DuplicateId(RequestId(submit.id))),
                    None => Ok(()),
                };
                let result = self.feed(Input::Submit(submit.as_input(self.now)), |chaos| {
                    if expected.is_ok() {
                        chaos.alive.insert(submit.id, Life::default());
                        chaos.submitted += 1;
                    }
                });
                assert_eq!(result, expected);
            }
            Call::Answer(id, ref answer) => {
                let expected = self.may_answer(id);
                let result = self.feed(answer.as_input(id), |_| {});
                assert_eq!(result, expected);
            }
            Call::Fail(id, failure) => {
                let expected = self.may_answer(id);
                let input = Input::Failed {
                    id: RequestId(id),
                    failure,
                };
                assert_eq!(self.feed(input, |_| {}), expected);
            }
            Call::Cancel(id) => {
                let expected = match self.alive.get(&id) {
                    Some(life) if !life.ended => Ok(()),
                    _ => Err(Misuse::UnknownId(RequestId(id))),
                };
                let input = Input::Cancel { id: RequestId(id) };
                assert_eq!(self.feed(input, |_| {}), expected);
            }
            Call::TokenReplaced(auth) => {
                assert_eq!(self.feed(Input::TokenReplaced { auth }, |_| {}), Ok(()));
            }
            Call::GlobalLimit(auth, limit) => {
                assert_eq!(
                    self.feed(Input::GlobalLimit { auth, limit }, |_| {}),
                    Ok(())
                );
            }
            Call::Restart => self.restart(),
        }
    }

    fn may_answer(&self, id: u64) -> Result<(), Misuse> {
        match self.alive.get(&id) {
            None => Err(Misuse::UnknownId(RequestId(id))),
            Some(life) if life.in_flight => Ok(()),
            Some(_) => Err(Misuse::NotInFlight(RequestId(id))),
        }
    }

    fn feed(&mut self, input: Input<'_>, note: impl FnOnce(&mut Self)) -> Result<(), Misuse> {
        let answered = match input {
            Input::Response { id, .. } | Input::Failed { id, .. } => Some(id.0),
            _ => None,
        };
        let result = self.scheduler.handle_input(self.now, input);
        note(self);
        self.drain(answered.filter(|_| result.is_ok()));
        result
    }

    fn wait(&mut self, until: Instant) {
        self.now = self.now.max(until);
        self.scheduler.handle_timeout(self.now);
        self.drain(None);
        let timeout = self.scheduler.poll_timeout();
        if self.is_silent
            && let Some(timeout) = timeout
        {
            assert!(
                timeout.at > self.now,
                "wakes {timeout:?} at {:?} for nothing",
                self.now
            );
        }
    }

    /// Takes all outputs. `answered` was just answered, or has just failed: what becomes of it must be among them.
    fn drain(&mut self, answered: Option<u64>) {
        let is_unwanted = answered.is_some_and(|id| self.alive[&id].ended);
        let mut verdict = answered.filter(|_| !is_unwanted);
        if let Some(life) = answered.and_then(|id| self.alive.get_mut(&id)) {
            life.in_flight = false;
        }
        self.is_silent = true;
        while let Some(output) = self.scheduler.poll_output() {
            self.is_silent = false;
            self.log.push(format!("{output:?}"));
            self.take(output, answered, &mut verdict);
        }
        assert_eq!(verdict, None, "answered, and nobody was told");
        if let Some(id) = answered.filter(|_| is_unwanted) {
            // Its caller has heard of its end long ago, and nobody shares its answer.
            self.alive.remove(&id);
        }
        self.check();
    }

    fn take(&mut self, output: Output, answered: Option<u64>, verdict: &mut Option<u64>) {
        match output {
            Output::Send { id, attempt } => {
                let life = self
                    .alive
                    .get_mut(&id.0)
                    .expect("only what is alive is sent");
                assert!(!life.in_flight && !life.ended, "{id} is sent twice at once");
                assert_eq!(life.sent, attempt, "{id}");
                life.sent += 1;
                life.in_flight = true;
            }
            Output::Deliver { id } => {
                assert_eq!(verdict.take(), Some(id.0), "delivered unasked");
                self.end(id.0);
            }
            Output::Share { id, leader } => {
                assert_eq!(answered, Some(leader.0), "shares what was not answered");
                let life = self.alive[&id.0];
                assert!(!life.in_flight, "{id} is in flight itself");
                self.end(id.0);
            }
            Output::Retry { id, at, .. } => {
                assert!(at >= self.now, "{id} is sent again in the past");
                assert_eq!(verdict.take(), Some(id.0), "sent again unasked");
            }
            Output::Refuse { id, why, .. } => {
                let life = self
                    .alive
                    .get_mut(&id.0)
                    .expect("only what is alive is refused");
                assert!(!life.ended, "{id} ends twice");
                if life.in_flight {
                    assert_eq!(why, Refusal::Cancelled, "{id} is in flight");
                    life.ended = true;
                    self.ended += 1;
                } else {
                    self.end(id.0);
                }
            }
            Output::Event(_) => {}
            other => panic!("{other:?} is not known here"),
        }
    }

    fn end(&mut self, id: u64) {
        let life = self.alive.remove(&id).expect("only what is alive ends");
        assert!(!life.ended, "{id} ends twice");
        self.ended += 1;
    }

    /// Counts and explanations agree with what came out.
    fn check(&self) {
        let in_flight = self.alive.values().filter(|life| life.in_flight).count();
        assert_eq!(self.scheduler.in_flight(), in_flight);
        assert!(in_flight <= self.config.max_in_flight.max(1));
        assert_eq!(self.scheduler.queued(), self.alive.len() - in_flight);
        assert_eq!(self.submitted, self.ended + self.waited_for());
        assert_eq!(self.scheduler.stats().submitted, self.submitted);
        for (&id, life) in &self.alive {
            let explanation = self.scheduler.explain(RequestId(id)).expect("it is known");
            let is_in_flight = matches!(explanation.place, Place::InFlight { .. });
            let is_refused = matches!(explanation.place, Place::Refused { .. });
            assert_eq!(
                (is_in_flight, is_refused),
                (life.in_flight && !life.ended, life.ended)
            );
        }
    }

    /// Requests whose end nobody has heard of yet.
    fn waited_for(&self) -> u64 {
        self.alive
            .values()
            .filter(|life| !life.ended)
            .map(|_| 1)
            .sum()
    }

    /// Another process goes on with what was learned. Requests are not part of that.
    fn restart(&mut self) {
        let snapshot = self.scheduler.snapshot();
        let ago = Duration::from_secs(1);
        let restored = Scheduler::restore(self.config.clone(), &snapshot, self.now, ago);
        self.log.push(format!("{:?}", restored.snapshot()));
        assert!(restored.snapshot().routes.len() <= snapshot.routes.len());
    }

    /// Everything is answered, time passes, and nothing is left in the end.
    fn finish(&mut self) {
        let mut pause = Duration::from_secs(1);
        for _ in 0..4_000 {
            let flying: Vec<u64> = self
                .alive
                .iter()
                .filter(|(_, life)| life.in_flight)
                .map(|(&id, _)| id)
                .collect();
            for &id in &flying {
                self.play(&Call::Answer(id, calls::Answer::fine()));
            }
            if self.alive.is_empty() {
                break;
            }
            if flying.is_empty() {
                pause = (pause * 2).min(Duration::from_secs(1 << 22));
            }
            self.wait(self.now + pause);
        }
        assert!(self.alive.is_empty(), "{:?} never end", self.alive);
        assert_eq!(self.submitted, self.ended);
        for _ in 0..2_000 {
            let Some(timeout) = self.scheduler.poll_timeout() else {
                break;
            };
            self.wait(timeout.at.max(self.now + Duration::from_secs(86_400)));
        }
        assert_eq!(
            self.scheduler.poll_timeout(),
            None,
            "something is never forgotten"
        );
        assert_eq!(self.scheduler.buckets(), 0);
    }
}
