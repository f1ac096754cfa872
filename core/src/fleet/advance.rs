//! What time and inputs allow: slots granted, shards started, changes reported, deadlines set.

use crate::time::Instant;

use super::Fleet;
use super::identify::Allowance;
use super::io::{Event, Reason};

impl Fleet {
    /// Everything that time and the last input allow.
    pub(super) fn advance(&mut self, now: Instant) {
        self.prove(now);
        self.queue.admit(now);
        if !self.is_stopping {
            self.watch_brake(now);
            self.refresh_limits(now);
            self.grant_slots(now);
            self.start_shards(now);
            self.watch_budget(now);
        }
        self.watch_end();
        self.schedule(now);
    }

    /// Whether anybody waits for an identify slot, or will.
    pub(super) fn has_demand(&self) -> bool {
        self.queue.len() > 0 || !self.parked.is_empty()
    }

    pub(super) fn allowance(&self, now: Instant) -> Allowance {
        self.ledger.allowance(now, self.fetch.is_offline())
    }

    /// Grants every open slot to the first in its line.
    fn grant_slots(&mut self, now: Instant) {
        loop {
            let Allowance::Free(spendable) = self.allowance(now) else {
                return;
            };
            let strained = self.is_strained();
            let open = self.damper.trickle_at <= now;
            let may = |shard| open || !self.damper.trickles(shard, strained);
            let candidates = self.queue.candidates(now, may);
            if candidates.is_empty() {
                return;
            }
            for shard in candidates.into_iter().take(spendable as usize) {
                let trickles = self.damper.trickles(shard, strained);
                if trickles && self.damper.trickle_at > now {
                    continue;
                }
                self.grant(now, shard);
                if trickles {
                    let spread = self.ledger.spread(now);
                    self.damper.trickled(now, spread);
                }
            }
        }
    }

    pub(super) fn is_strained(&self) -> bool {
        self.ledger.is_strained(self.damper.config().waste_percent)
    }

    /// Slows the fleet when most shards waste, and lets it go when they no longer do.
    fn watch_brake(&mut self, now: Instant) {
        let braked = self.damper.is_braked();
        if braked == self.damper.was_braked {
            return;
        }
        self.damper.was_braked = braked;
        if braked {
            let spread = self.ledger.spread(now);
            self.damper.brake(now, spread);
            let until = self.damper.trickle_at;
            let (sick, proven) = (self.damper.sick(), self.damper.proven());
            self.tell(Event::FleetDamped {
                sick,
                proven,
                until,
            });
        } else {
            self.tell(Event::FleetRecovered);
        }
    }

    /// Reports when the allowance runs low, runs out and comes back.
    fn watch_budget(&mut self, now: Instant) {
        if self.ledger.known.is_none() {
            return;
        }
        let (remaining, reserve) = (self.ledger.spendable(), self.ledger.reserve());
        let is_low = (remaining as usize) < self.roster.len();
        if is_low && !self.said.budget_low {
            self.tell(Event::BudgetLow { remaining, reserve });
        }
        self.said.budget_low = is_low;
        if remaining > 0 {
            if self.said.budget_exhausted {
                self.tell(Event::BudgetRestored { remaining });
            }
            self.said.budget_exhausted = false;
        } else if let Allowance::Spent { until } = self.allowance(now)
            && self.has_demand()
            && !self.said.budget_exhausted
        {
            self.said.budget_exhausted = true;
            self.tell(Event::BudgetExhausted { until, reserve });
        }
    }

    /// Sets every deadline anew.
    fn schedule(&mut self, now: Instant) {
        self.timers.clear_all();
        if let Some(&(at, ..)) = self.proving.front() {
            self.timers.set(Reason::Proof, at);
        }
        if self.is_stopping {
            return;
        }
        if let Some((at, _)) = self.queue.later().next() {
            self.timers.set(Reason::Damped, at);
        }
        if let Some(at) = self.next_limits(now) {
            self.timers.set(Reason::Limits, at);
        }
        if matches!(self.allowance(now), Allowance::Free(_)) {
            let trickle_at = self.damper.trickle_at;
            let strained = self.is_strained();
            let may = |shard| !self.damper.trickles(shard, strained);
            if let Some(at) = self.queue.next_slot(trickle_at, may) {
                self.timers.set(Reason::Identify, at);
            }
            if let Some(&at) = self.starting.values().min()
                && !self.parked.is_empty()
            {
                self.timers.set(Reason::Start, at);
            }
        }
    }
}
