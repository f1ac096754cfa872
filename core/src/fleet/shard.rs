//! One shard's life as the fleet sees it: what each report of its session changes.

use crate::id::ShardId;
use crate::time::Instant;

use super::Fleet;
use super::identify::Allowance;
use super::io::{Event, Input, Misuse, Output, Phase, Wait};
use super::queue::Place;
use super::roster::Attempt;

impl Fleet {
    /// What a session reports. Returns the shard if it asked for a slot.
    pub(super) fn shard_input(
        &mut self,
        now: Instant,
        input: Input,
    ) -> Result<Option<ShardId>, Misuse> {
        let (Input::WantIdentify { shard }
        | Input::CancelIdentify { shard }
        | Input::IdentifySent { shard }
        | Input::IdentifyUnused { shard }
        | Input::IdentifyRejected { shard }
        | Input::Ready { shard }
        | Input::Resumed { shard }
        | Input::Down { shard }
        | Input::Closed { shard, .. }
        | Input::Resumable { shard }) = input
        else {
            return Ok(None);
        };
        let phase = self
            .roster
            .phase(shard)
            .ok_or(Misuse::UnknownShard(shard))?;
        if matches!(phase, Phase::Parked | Phase::Closed) {
            return Err(Misuse::NotRunning(shard));
        }
        let stops = phase == Phase::Stopping;
        match input {
            Input::IdentifySent { .. } => self.queue.sent(now, shard),
            Input::IdentifyUnused { .. } => self.unused(shard),
            Input::Closed { fatal, .. } => self.closed(now, shard, fatal),
            Input::IdentifyRejected { .. } | Input::Ready { .. } | Input::Down { .. } if stops => {
                self.ledger.settle(now, shard);
            }
            _ if stops => {}
            Input::WantIdentify { .. } => return Ok(self.wants(now, shard)),
            Input::CancelIdentify { .. } => self.cancelled(shard),
            Input::IdentifyRejected { .. } => self.rejected(now, shard),
            Input::Ready { .. } => self.ready(now, shard),
            Input::Resumed { .. } => self.resumed(now, shard),
            Input::Down { .. } => self.down(now, shard),
            _ => {}
        }
        Ok(None)
    }

    fn wants(&mut self, now: Instant, shard: ShardId) -> Option<ShardId> {
        if self.roster.phase(shard) == Some(Phase::Waiting) {
            return None;
        }
        if self.is_abandoned && !self.roster.had_session(shard) {
            self.stop(shard);
            return None;
        }
        self.counters.wanted += 1;
        self.judge(now, shard);
        self.starting.remove(&shard);
        self.roster.enter(shard, Phase::Waiting);
        let not_before = self.damper.health(shard).not_before;
        self.queue.join(now, shard, not_before);
        Some(shard)
    }

    /// The shard identifies anew: what became of the last time?
    fn judge(&mut self, now: Instant, shard: ShardId) {
        let healthy_after = self.damper.config().healthy_after;
        let is_identifying = self.roster.phase(shard) == Some(Phase::Identifying);
        match self.roster.replace_attempt(shard, Attempt::None) {
            Attempt::None => {}
            // A grant that the session gave up before it arrived is on its way back, or was used after all: no verdict.
            Attempt::Granted if !is_identifying => {}
            Attempt::Granted => {
                self.ledger.settle(now, shard);
                self.wasted(now, shard);
            }
            Attempt::Inherited => self.wasted(now, shard),
            Attempt::Young { since, down_at } => {
                if down_at.unwrap_or(now).since(since) < healthy_after {
                    self.wasted(now, shard);
                } else {
                    self.proven(now, shard);
                }
            }
        }
    }

    fn wasted(&mut self, now: Instant, shard: ShardId) {
        self.counters.wasted += 1;
        self.ledger.wasted_today = self.ledger.wasted_today.saturating_add(1);
        self.damper.wasted(now, shard, &mut self.rng);
        let health = self.damper.health(shard);
        if let Some(until) = health.not_before {
            let wasted_in_a_row = health.wasted_in_a_row;
            self.tell(Event::Damped {
                shard,
                until,
                wasted_in_a_row,
            });
        }
    }

    fn proven(&mut self, now: Instant, shard: ShardId) {
        let spread = self.ledger.spread(now);
        self.damper.proven_now(now, shard, spread);
    }

    pub(super) fn grant(&mut self, now: Instant, shard: ShardId) {
        self.queue.grant(now, shard);
        self.ledger.grant(now, shard);
        self.roster.enter(shard, Phase::Identifying);
        self.roster.replace_attempt(shard, Attempt::Granted);
        self.counters.granted += 1;
        self.push(Output::GrantIdentify { shard });
    }

    /// The shard has no identify under way any more, if it had.
    fn leave_identifying(&mut self, shard: ShardId) {
        if self.roster.phase(shard) == Some(Phase::Identifying) {
            self.roster.enter(shard, Phase::Connecting);
        }
    }

    fn cancelled(&mut self, shard: ShardId) {
        if self.queue.leave(shard) {
            self.counters.cancelled += 1;
            self.roster.enter(shard, Phase::Connecting);
        }
        self.leave_identifying(shard);
    }

    fn unused(&mut self, shard: ShardId) {
        if !self.ledger.refund(shard) {
            return;
        }
        self.counters.unused += 1;
        self.queue.unused(shard);
        self.leave_identifying(shard);
        if let Some(state) = self.roster.get_mut(shard)
            && state.attempt == Attempt::Granted
        {
            state.attempt = Attempt::None;
        }
    }

    fn rejected(&mut self, now: Instant, shard: ShardId) {
        self.counters.rejected += 1;
        self.ledger.settle(now, shard);
        self.leave_identifying(shard);
        if let Some(state) = self.roster.get_mut(shard)
            && state.attempt == Attempt::Granted
        {
            state.attempt = Attempt::None;
            self.wasted(now, shard);
        }
    }

    fn ready(&mut self, now: Instant, shard: ShardId) {
        self.counters.ready += 1;
        self.ledger.settle(now, shard);
        self.watch_young(now, shard);
        self.established(shard);
    }

    fn resumed(&mut self, now: Instant, shard: ShardId) {
        self.counters.resumed += 1;
        let healthy_after = self.damper.config().healthy_after;
        match self.roster.replace_attempt(shard, Attempt::None) {
            Attempt::Young { since, .. } if now.since(since) < healthy_after => {
                let young = Attempt::Young {
                    since,
                    down_at: None,
                };
                self.roster.replace_attempt(shard, young);
            }
            Attempt::Inherited => self.watch_young(now, shard),
            // Older than the threshold, or a predecessor's of which nothing bad is known.
            _ => self.proven(now, shard),
        }
        self.established(shard);
    }

    /// The shard's session counts as young from now on, until it has proven itself.
    fn watch_young(&mut self, now: Instant, shard: ShardId) {
        let young = Attempt::Young {
            since: now,
            down_at: None,
        };
        self.roster.replace_attempt(shard, young);
        let proven_at = now + self.damper.config().healthy_after;
        self.proving.push_back((proven_at, shard, now));
    }

    fn established(&mut self, shard: ShardId) {
        self.queue.leave(shard);
        self.starting.remove(&shard);
        self.roster.enter(shard, Phase::Ready);
        if let Some(state) = self.roster.get_mut(shard) {
            state.had_session = true;
        }
        if self.roster.all_are(Phase::Ready) && !self.said.all_ready {
            self.said.all_ready = true;
            self.tell(Event::AllReady);
        }
    }

    fn down(&mut self, now: Instant, shard: ShardId) {
        self.counters.down += 1;
        if self.queue.leave(shard) {
            self.counters.cancelled += 1;
        }
        self.ledger.settle(now, shard);
        let was_identifying = self.roster.phase(shard) == Some(Phase::Identifying);
        self.roster.enter(shard, Phase::Connecting);
        let Some(state) = self.roster.get_mut(shard) else {
            return;
        };
        match &mut state.attempt {
            Attempt::Granted if was_identifying => {
                state.attempt = Attempt::None;
                self.wasted(now, shard);
            }
            Attempt::Young {
                down_at: down_at @ None,
                ..
            } => *down_at = Some(now),
            _ => {}
        }
    }

    fn closed(&mut self, now: Instant, shard: ShardId, fatal: bool) {
        self.ledger.settle(now, shard);
        self.queue.leave(shard);
        self.starting.remove(&shard);
        self.damper.forget(shard);
        self.roster.enter(shard, Phase::Closed);
        if self.roster.replace_attempt(shard, Attempt::None) == Attempt::Granted && fatal {
            self.counters.wasted += 1;
            self.ledger.wasted_today = self.ledger.wasted_today.saturating_add(1);
        }
        // One that came later has settings of its own: its total is what Discord disliked.
        let is_first = self.topology.as_ref();
        let is_first = is_first.is_some_and(|topology| topology.contains(shard));
        if fatal && is_first && !self.roster.had_session(shard) && !self.is_stopping {
            self.abandon_start(shard);
        }
        if self.leaving.remove(&shard) {
            self.forget(shard);
        }
    }

    /// Sessions that have lived long enough clear their shard's record.
    pub(super) fn prove(&mut self, now: Instant) {
        while let Some(&(at, shard, young_since)) = self.proving.front()
            && at <= now
        {
            self.proving.pop_front();
            let Some(state) = self.roster.get_mut(shard) else {
                continue;
            };
            // One whose connection is lost is judged when it resumes, or asks for a new identify.
            if state.attempt
                == (Attempt::Young {
                    since: young_since,
                    down_at: None,
                })
            {
                state.attempt = Attempt::None;
                self.proven(now, shard);
            }
        }
    }

    /// What the shard waits for, and until when as far as can be told.
    pub(super) fn wait(&self, now: Instant, shard: ShardId) -> Option<(Wait, Option<Instant>)> {
        let ticket = match self.queue.place(shard)? {
            Place::Later(at) => return Some((Wait::Damped, Some(at))),
            Place::Queued(ticket) => ticket,
        };
        let free_at = self.queue.free_at(shard).max(now);
        Some(match self.allowance(now) {
            Allowance::Ask => (Wait::Limits, None),
            Allowance::Spent { until } => (Wait::Budget, Some(until)),
            Allowance::Free(_) if self.damper.trickles(shard, self.is_strained()) => {
                let why = if self.damper.is_braked() {
                    Wait::FleetDamped
                } else {
                    Wait::Damped
                };
                (why, Some(free_at.max(self.damper.trickle_at)))
            }
            Allowance::Free(_) => {
                let ahead = self.queue.ahead_of(ticket);
                (
                    Wait::Key,
                    Some(free_at + self.queue.spacing().saturating_mul(ahead)),
                )
            }
        })
    }

    pub(super) fn tell_wait(&mut self, now: Instant, shard: ShardId) {
        if let Some((why, until)) = self.wait(now, shard) {
            self.tell(Event::IdentifyWaiting { shard, until, why });
        }
    }
}
