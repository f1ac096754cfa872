//! The five verbs.

use super::apply::Present;
use super::{Cache, Failure, Found, Input, Misuse, Output, Reason, Stats};
use crate::machine::{Machine, Timeout};
use crate::time::Instant;

impl Cache {
    fn advance(&mut self, now: Instant) {
        self.now = self.now.max(now);
        while let Some(id) = self.flights.pop_deadline(self.now) {
            let found = Found::Failed(Failure::Deadline);
            self.outbox.push_back(Output::Deliver { id, found });
        }
        while let Some(key) = self.flights.pop_timeout(self.now) {
            self.miss(key);
        }
        self.expire_batches();
    }

    fn input(&mut self, input: Input<'_>) -> Result<(), Misuse> {
        match input {
            Input::Dispatch {
                event,
                d,
                version,
                wall_ms,
            } => self.dispatch(Present { event, d }, version, wall_ms),
            Input::Fetch { id, key, deadline } => self.fetch(id, key, deadline)?,
            Input::Cancel { id } => {
                self.flights.leave(id);
            }
            Input::Held {
                flight,
                json,
                version,
            } => self.held(flight, json, version),
            Input::ReadFailed { flight } => self.read_failed(flight),
            Input::Written { batch, outcomes } => self.written(batch, outcomes),
            Input::Answered { flight, json } => self.answered(flight, json),
            Input::NotFound { flight } => self.not_found(flight),
            Input::AskFailed { flight } => self.ask_failed(flight),
            Input::StoreDown => self.store_down(),
            Input::StoreUp { lost, epoch } => self.store_up(lost, epoch),
            Input::Invalidated { key, digest } => self.invalidated(key, digest),
            Input::Forget { key } => self.forget_record(key),
            Input::ForgetGuild { guild } => self.forget_guild(guild),
        }
        Ok(())
    }
}

impl Machine for Cache {
    type Input<'a> = Input<'a>;
    type Output<'a> = Output;
    type Reason = Reason;
    type Snapshot = Stats;
    type Misuse = Misuse;

    fn handle_input(&mut self, now: Instant, input: Input<'_>) -> Result<(), Misuse> {
        self.advance(now);
        let result = self.input(input);
        self.share_budget();
        self.shed();
        result
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.advance(now);
        self.shed();
    }

    fn poll_output(&mut self) -> Option<Output> {
        if let Some(output) = self.outbox.pop_front() {
            if let Output::Ask { flight, .. } = output {
                self.flights.put_out(flight);
            }
            return Some(output);
        }
        let keys = self.flights.take_reads(self.config.batch_max);
        if !keys.is_empty() {
            return Some(Output::Read { keys });
        }
        self.next_batch()
    }

    fn poll_timeout(&self) -> Option<Timeout<Reason>> {
        let store = [self.flights.next_timeout(), self.behind.timeout()];
        // While the store is away nothing is tried again, whatever the time: a driver would wake for ever.
        let retry = self
            .behind
            .paused_until
            .filter(|_| self.is_store_up && self.behind.is_waiting());
        let all = [
            (self.flights.next_deadline(), Reason::Deadline),
            (store.into_iter().flatten().min(), Reason::Store),
            (retry, Reason::Retry),
        ];
        let timeouts = all.into_iter().filter_map(|(at, reason)| {
            let at = at?;
            Some(Timeout { at, reason })
        });
        timeouts.min_by_key(|timeout| timeout.at)
    }

    /// What the cache holds is in the store, or will be told again: a snapshot is what it has counted.
    fn snapshot(&self) -> Stats {
        self.stats()
    }
}
