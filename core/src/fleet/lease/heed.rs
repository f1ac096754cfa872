//! What the register answered.

use alloc::string::String;
use alloc::vec::Vec;

use crate::fleet::Shards;
use crate::id::ShardId;
use crate::time::Instant;

use super::desk::Clock;
use super::holder::{Held, Lease, UnderWay};
use super::words::{ANSWER_MAX, Answer, Head, Shard, State, Token};
use super::{BadAnswer, Holder, Step};

impl Holder {
    /// The register's answer to the exchange under way, as the script gave it; `None` if there is none.
    ///
    /// # Errors
    ///
    /// [`BadAnswer`] if the answer is not heeded. It then counts as none, and the caller has nothing to do about it.
    pub fn answered(&mut self, now: Instant, answer: Option<&[u8]>) -> Result<(), BadAnswer> {
        self.handle_timeout(now);
        let Some(bytes) = answer else {
            self.failed(now);
            return Ok(());
        };
        let head = read::<Head>(bytes);
        let seq = self.under_way.as_ref().map(|under_way| under_way.seq);
        let is_old = match (&head, seq) {
            (Some(head), Some(seq)) => head.seq != seq,
            (Some(_), None) => true,
            (None, _) => false,
        };
        if is_old {
            return Err(BadAnswer::Old);
        }
        let outcome = match head.map(|head| head.state) {
            None => Err(BadAnswer::Unreadable),
            Some(State::Late) => Err(BadAnswer::Late),
            Some(State::Ok) => read::<Answer>(bytes)
                .filter(|answer| self.makes_sense(answer))
                .ok_or(BadAnswer::Unreadable),
        };
        match outcome {
            Ok(answer) => {
                if let Some(told) = self.under_way.take() {
                    self.heed(now, &told, answer);
                }
                Ok(())
            }
            Err(error) => {
                self.failed(now);
                Err(error)
            }
        }
    }

    /// New tokens are greater than all that this member has stated: others come from a register that went back.
    fn makes_sense(&self, answer: &Answer) -> bool {
        !answer.inc.is_empty() && answer.take.iter().all(|(_, token)| token.0 > self.top)
    }

    fn heed(&mut self, now: Instant, told: &UnderWay, answer: Answer) {
        self.stats.exchanges += 1;
        self.failures = 0;
        let is_other = self.inc != answer.inc;
        self.stats.registers += u64::from(is_other && !self.inc.is_empty());
        self.heard = match is_other {
            true => answer.serial,
            false => self.heard.max(answer.serial),
        };
        self.inc.clone_from(&answer.inc);
        self.is_hurried = answer.hurry && !self.is_leaving;
        let until = told.sent + self.config.good_for();
        self.in_touch_until = Some(until);
        self.adopt(answer.revision, answer.topology.as_deref(), answer.course);
        if !answer.led && !self.is_leaving {
            self.steps.push_back(Step::Leaderless);
        }
        self.retargeted(told, answer.retargeted);
        self.renew(told, until, &answer.lost);
        self.take(now, until, &answer.take);
        for Shard(shard) in answer.give {
            self.release(shard);
        }
        let clock = Clock {
            inc: answer.inc,
            theirs: answer.now,
            received: now,
        };
        if self.desk.heard(&told.said, clock) {
            self.hasten();
        }
        let permit = told.sent + self.config.permit_good_for();
        self.permits_answered(now, permit, answer.permits);
        if answer.ask {
            self.desk.keep_clock();
            self.steps.push_back(Step::FetchLimits);
        }
        if let Some(words) = answer.view {
            self.view = Some(words.into());
            self.wants_view = false;
        }
        if told.has_left {
            self.has_left = true;
            self.steps.push_back(Step::Left);
        }
    }

    fn adopt(&mut self, revision: u64, text: Option<&str>, course: Option<String>) {
        let Some(Ok(shards)) = text.map(str::parse::<Shards>) else {
            return;
        };
        let Shards::Fixed(topology) = shards else {
            return;
        };
        // A new register may know less than this member: it hears of it with the next exchange.
        if revision < self.revision {
            return;
        }
        if self.topology.as_ref() != Some(&topology) || revision > self.revision {
            self.revision = revision;
            self.topology = Some(topology.clone());
            self.course.clone_from(&course);
            self.steps.push_back(Step::Topology {
                revision,
                topology,
                course,
            });
        }
    }

    fn retargeted(&mut self, told: &UnderWay, outcome: Option<bool>) {
        if let Some(is_done) = outcome
            && told.retarget.is_some()
            && told.retarget == self.retarget
        {
            self.retarget = None;
            self.steps.push_back(Step::Retargeted { is_done });
        }
    }

    /// What the exchange stated goes on, but for what is lost.
    fn renew(&mut self, told: &UnderWay, until: Instant, lost: &[Shard]) {
        for (&shard, &token) in &told.stated {
            let Some(lease) = self.leases.get_mut(&shard) else {
                continue;
            };
            if lease.token != token || lease.held == Held::Lost {
                continue;
            }
            if lost.contains(&Shard(shard)) {
                lease.held = Held::Lost;
                self.stats.lost += 1;
                self.steps.push_back(Step::Lose { shard });
                self.desk.drop_want(shard);
                self.hasten();
            } else {
                lease.until = lease.until.max(until);
            }
        }
    }

    fn take(&mut self, now: Instant, until: Instant, takes: &[(Shard, Token)]) {
        let before: Vec<ShardId> = self.leases.keys().copied().collect();
        for &(Shard(shard), Token(token)) in takes {
            self.top = self.top.max(token);
            // What is not taken is not stated, and so given back.
            if until <= now || self.is_leaving || before.binary_search(&shard).is_ok() {
                continue;
            }
            let lease = Lease {
                token,
                until,
                held: Held::Running,
            };
            if self.leases.insert(shard, lease).is_none() {
                self.stats.taken += 1;
                self.steps.push_back(Step::Take { shard, token });
            }
        }
    }

    fn release(&mut self, shard: ShardId) {
        if let Some(lease) = self.leases.get_mut(&shard)
            && lease.held == Held::Running
        {
            lease.held = Held::Releasing;
            self.steps.push_back(Step::Release { shard });
        }
    }
}

fn read<'de, T: serde::Deserialize<'de>>(bytes: &'de [u8]) -> Option<T> {
    (bytes.len() <= ANSWER_MAX)
        .then(|| serde_json::from_slice(bytes).ok())
        .flatten()
}
