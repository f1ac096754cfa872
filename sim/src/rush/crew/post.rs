//! The way between members and ledger: slow, cut off, and losing what it carries.

use core::time::Duration;

use shardkeep_core::Instant;
use shardkeep_core::rest::Input;

use super::Mishap;
use super::world::{Happening, World};

/// How long a member waits for the ledger's answer.
const TIME_LIMIT: Duration = Duration::from_millis(500);

/// What a member tells the ledger, and what that answered.
pub(super) struct Words {
    member: usize,
    keys: Vec<String>,
    body: String,
    pub(super) answer: Option<String>,
}

impl World<'_> {
    /// Which mishaps are under way for the words of a member: whether they arrive, and whether the answer does.
    fn ways(&self, member: usize) -> (bool, bool) {
        let under_way = self.plan.mishaps.iter().filter(|&&(at, mishap)| {
            let lasts = match mishap {
                Mishap::Outage { lasts, .. } | Mishap::CutOff { lasts, .. } => lasts,
                Mishap::Crash { .. } => Duration::ZERO,
            };
            let begin = Instant::ZERO + at;
            begin <= self.now && self.now < begin + lasts
        });
        let mut ways = (true, true);
        for &(_, mishap) in under_way {
            match mishap {
                Mishap::Outage { .. } => ways = (false, false),
                Mishap::CutOff {
                    member: cut,
                    only_answers,
                    ..
                } if cut == member => ways = (ways.0 && only_answers, false),
                Mishap::CutOff { .. } | Mishap::Crash { .. } => {}
            }
        }
        ways
    }

    fn way(&mut self) -> Duration {
        // One in two hundred is late by far.
        let slow = if self.rng.below(200) == 0 { 400 } else { 1 };
        self.rng.duration_below(self.plan.way) * slow
    }

    pub(super) fn exchange(&mut self, at: usize) {
        let Some(exchange) = self.members[at].scheduler.exchange() else {
            self.report
                .faults_found
                .push("an exchange without words".to_owned());
            return;
        };
        self.serial += 1;
        let number = self.serial;
        self.members[at].exchange = Some(number);
        self.words.insert(
            number,
            Words {
                member: at,
                keys: exchange.keys,
                body: exchange.body,
                answer: None,
            },
        );
        let way = self.way();
        self.plan_for(self.now + way, Happening::Asked(number));
        self.plan_for(self.now + TIME_LIMIT, Happening::TimedOut(number));
    }

    pub(super) fn ask(&mut self, number: u64) {
        let Some(words) = self.words.get(&number) else {
            return;
        };
        let (arrives, returns) = self.ways(words.member);
        if !arrives {
            return;
        }
        // The ledger's clock is no member's clock.
        let clock = self.now + Duration::from_secs(1_000);
        let answer = self.ledger.run(clock, &words.keys, &words.body);
        let way = self.way();
        if returns && let Some(words) = self.words.get_mut(&number) {
            words.answer = Some(answer);
            self.plan_for(self.now + way, Happening::Answered(number));
        }
    }

    pub(super) fn hear(&mut self, number: u64, answer: Option<&str>) {
        let Some(words) = self.words.remove(&number) else {
            return;
        };
        let is_returning = answer.is_none() || self.ways(words.member).1;
        let member = &mut self.members[words.member];
        if member.exchange != Some(number) || !member.is_alive {
            return;
        }
        if !is_returning {
            // It is lost on its way; the time limit notices.
            self.words.insert(number, words);
            return;
        }
        member.exchange = None;
        let answer = answer.map(str::as_bytes);
        member.feed(self.now, Input::Exchanged { answer });
    }
}
