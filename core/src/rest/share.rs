//! One answer for several requests: identical reads, and writes of which only the last counts.

use alloc::boxed::Box;

use super::Scheduler;
use super::io::{Priority, Sharing, Submit};
use super::request::{LeaderKey, State};
use super::route::{Method, Route};

impl Scheduler {
    /// Lets a read that waits or is in flight answer this one as well, if one can.
    pub(super) fn follow(&mut self, submit: &Submit<'_>, route: Route, identity: usize) -> bool {
        if submit.sharing != Sharing::Same || submit.method != Method::Get {
            return false;
        }
        let key = (submit.auth, submit.method, Box::from(submit.path));
        match self.leaders.get(&key) {
            Some(&leader) => self.follow_read(submit, route, identity, leader),
            None => false,
        }
    }

    fn follow_read(
        &mut self,
        submit: &Submit<'_>,
        route: Route,
        identity: usize,
        leader: u32,
    ) -> bool {
        let leading = &self.requests[leader as usize];
        let detail = &self.details[leader as usize];
        if leading.state == State::InFlight {
            // What was changed since it was sent may not be in its answer: who reads after a write sees the write.
            let changed = self.changes.get(&(submit.auth, route.major()));
            if changed.is_some_and(|&seq| seq > detail.sent_seq) || leading.is_cancelled {
                return false;
            }
        } else if detail.deadline.is_some()
            && submit
                .deadline
                .is_none_or(|mine| Some(mine) > detail.deadline)
        {
            // It may be given up before this one would be.
            return false;
        }
        self.admit_follower(submit, route, identity, leader);
        self.stats.shared += 1;
        self.raise(leader, submit.priority);
        true
    }

    /// A waiting request takes the place of the more urgent one that it answers.
    fn raise(&mut self, at: u32, priority: Priority) {
        let request = &self.requests[at as usize];
        if priority.number() >= request.priority.number() {
            return;
        }
        if request.state == State::Queued {
            self.dequeue(at);
            self.requests[at as usize].priority = priority;
            self.enqueue(at);
        } else {
            self.requests[at as usize].priority = priority;
        }
    }

    /// Others may share the answer of this one. A waiting write that it replaces is answered by it as well.
    pub(super) fn lead(&mut self, at: u32, path: &str) {
        let detail = &mut self.details[at as usize];
        let can_lead = match detail.sharing {
            Sharing::Alone => false,
            Sharing::Same => detail.route.method() == Method::Get,
            Sharing::LastWins => matches!(detail.route.method(), Method::Patch | Method::Put),
        };
        if !can_lead {
            return;
        }
        let is_write = detail.sharing == Sharing::LastWins;
        let key: LeaderKey = (detail.auth, detail.route.method(), Box::from(path));
        detail.leads = Some(key.clone());
        self.requests[at as usize].is_shared = true;
        let old = self.leaders.insert(key, at);
        if let Some(old) = old.filter(|_| is_write) {
            self.replace(old, at);
        }
    }

    fn replace(&mut self, old: u32, new: u32) {
        if self.requests[old as usize].state != State::Queued {
            return;
        }
        self.dequeue(old);
        self.stats.replaced += 1;
        let replaced = &mut self.details[old as usize];
        replaced.leads = None;
        let mut followers = core::mem::take(&mut replaced.followers);
        followers.push(old);
        for &follower in &followers {
            self.requests[follower as usize].state = State::Following(new);
        }
        self.details[new as usize].followers = followers;
        self.requests[new as usize].is_shared = true;
        self.raise(new, self.requests[old as usize].priority);
    }

    /// Nobody may share this request's answer any more.
    pub(super) fn stop_leading(&mut self, at: u32) {
        if self.requests[at as usize].is_shared
            && let Some(key) = self.details[at as usize].leads.take()
            && self.leaders.get(&key) == Some(&at)
        {
            self.leaders.remove(&key);
        }
    }

    /// The first follower takes the place of a request that gives up. `false` if there is none.
    pub(super) fn hand_over(&mut self, at: u32) -> bool {
        let mut followers = core::mem::take(&mut self.details[at as usize].followers);
        if followers.is_empty() {
            return false;
        }
        let heir = followers.remove(0);
        for &follower in &followers {
            self.requests[follower as usize].state = State::Following(heir);
        }
        let leads = self.details[at as usize].leads.take();
        if let Some(key) = &leads {
            self.leaders.insert(key.clone(), heir);
        }
        self.requests[heir as usize].is_shared = true;
        let detail = &mut self.details[heir as usize];
        detail.followers = followers;
        detail.leads = leads;
        self.enqueue(heir);
        true
    }

    /// Something under a resource was changed: earlier reads in flight do not show it.
    pub(super) fn note_change(&mut self, at: u32) {
        let detail = &self.details[at as usize];
        if !self.leaders.is_empty() && detail.route.method() != Method::Get {
            let key = (detail.auth, detail.route.major());
            let seq = self.next_seq();
            self.changes.insert(key, seq);
        }
    }
}
