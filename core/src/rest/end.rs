//! How requests end: delivered, shared, refused, cancelled.

use alloc::vec::Vec;

use crate::time::Instant;

use super::Scheduler;
use super::io::{Misuse, Output, Refusal, RequestId};
use super::request::{Detail, State};

impl Scheduler {
    /// What was just fed is the outcome of a request, and of those that share it.
    pub(super) fn deliver(&mut self, at: u32) {
        self.stop_leading(at);
        let request = &self.requests[at as usize];
        let leader = request.id;
        let is_cancelled = request.is_cancelled;
        let followers = if request.is_shared {
            core::mem::take(&mut self.details[at as usize].followers)
        } else {
            Vec::new()
        };
        if !is_cancelled {
            self.outbox.push_back(Output::Deliver { id: leader });
            self.stats.delivered += 1;
        }
        for follower in followers {
            let id = self.requests[follower as usize].id;
            self.outbox.push_back(Output::Share { id, leader });
            self.stats.delivered += 1;
            self.queued -= 1;
            self.forget(follower);
        }
        self.forget(at);
    }

    /// Ends a waiting request. Whoever shared its answer takes its place.
    pub(super) fn refuse(&mut self, at: u32, why: Refusal, until: Option<Instant>) {
        match self.requests[at as usize].state {
            State::Queued => self.dequeue(at),
            State::Delayed => self.delayed.remove(at),
            State::Following(leader) => {
                self.details[leader as usize]
                    .followers
                    .retain(|&other| other != at);
            }
            State::InFlight => return,
        }
        self.hand_over(at);
        self.stop_leading(at);
        self.queued -= 1;
        let id = self.requests[at as usize].id;
        self.stats.refuse(why);
        self.ended.refused(id, why, until);
        self.outbox.push_back(Output::Refuse { id, why, until });
        self.forget(at);
    }

    /// Ends every waiting request that `which` applies to.
    pub(super) fn refuse_all(
        &mut self,
        why: Refusal,
        until: Option<Instant>,
        which: impl Fn(&Detail) -> bool,
    ) {
        let refused: Vec<u32> = self
            .requests
            .iter()
            .filter(|&(at, request)| request.state != State::InFlight && which(&self.details[at]))
            .map(|(key, _)| super::submit::slot(key))
            .collect();
        for at in refused {
            self.refuse(at, why, until);
        }
    }

    /// Ends those that wait for a bucket longer than their deadlines allow.
    pub(super) fn refuse_hopeless(&mut self, bucket: u32, until: Instant) {
        if self
            .deadlines
            .first()
            .is_none_or(|(first, _)| first >= until)
        {
            return;
        }
        let lanes = &self.buckets[bucket as usize].lanes;
        let hopeless: Vec<u32> = lanes
            .iter()
            .map(|&lane| &self.lanes[lane as usize])
            .filter(|lane| {
                lane.held(self.now, self.config.reset_margin)
                    .is_some_and(|held| held >= until)
                    || self.buckets[bucket as usize]
                        .wait
                        .is_some_and(|wait| wait >= until)
            })
            .flat_map(|lane| lane.waiting())
            .filter(|&at| {
                let deadline = self.details[at as usize].deadline;
                deadline.is_some_and(|deadline| deadline < until)
            })
            .collect();
        for at in hopeless {
            self.refuse(at, Refusal::DeadlineTooSoon, Some(until));
        }
    }

    pub(super) fn cancel(&mut self, id: RequestId) -> Result<(), Misuse> {
        let at = self.find(id).ok_or(Misuse::UnknownId(id))?;
        let request = &mut self.requests[at as usize];
        if request.state != State::InFlight {
            self.refuse(at, Refusal::Cancelled, None);
            return Ok(());
        }
        if request.is_cancelled {
            return Err(Misuse::UnknownId(id));
        }
        request.is_cancelled = true;
        self.stats.refuse(Refusal::Cancelled);
        self.ended.refused(id, Refusal::Cancelled, None);
        self.outbox.push_back(Output::Refuse {
            id,
            why: Refusal::Cancelled,
            until: None,
        });
        Ok(())
    }

    /// A request is finished: nothing is kept of it but why it was refused.
    pub(super) fn forget(&mut self, at: u32) {
        let request = self.requests.remove(at as usize);
        self.ids.remove(request.id.hash(), at);
        if request.state != State::InFlight {
            // What is in flight has met its deadline.
            self.deadlines.remove(at);
        }
    }
}
