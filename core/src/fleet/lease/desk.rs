//! Permits to identify, on the side of one process.

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::fleet::SessionStartLimit;
use crate::fleet::queue::busy;
use crate::id::ShardId;
use crate::time::{Instant, micros};

use super::words::{Limits, Outcome, Shard, serial};
use super::{Holder, Step};

/// How many permits one exchange asks for at most: a store does one thing at a time.
const WANTS_MAX: usize = 64;

/// Shards with more events than two to this power are alike: what the register's order has room for.
const BUSY_MAX: u8 = 31;

/// Discord's day. A longer wait cannot be meant.
const DAY: Duration = Duration::from_secs(86_400);

/// A day that has just ended is believed, but not asked for again at once.
const SHORTEST_DAY: Duration = Duration::from_secs(60);

/// What the register's clock said, and when this process got to know.
#[derive(Clone, Debug)]
pub(super) struct Clock {
    pub(super) inc: String,
    pub(super) theirs: u64,
    pub(super) received: Instant,
}

impl Clock {
    /// A moment of the register's time that is not after `at`, for clocks that differ by 1 % in rate.
    fn not_after(&self, at: Instant, stride: Duration) -> u64 {
        if at >= self.received {
            return self.theirs;
        }
        let back = self.received.since(at);
        self.theirs
            .saturating_sub(micros(back + back / 32 + stride))
    }
}

#[derive(Clone, Copy, Debug)]
struct Permit {
    serial: u64,
    until: Instant,
}

/// What this process has to do with permits.
#[derive(Clone, Debug, Default)]
pub(super) struct Desk {
    /// Who waits, and when the register says it is worth asking.
    wants: BTreeMap<ShardId, Option<Instant>>,
    hand: BTreeMap<ShardId, Permit>,
    /// How busy shards are, by powers of two.
    busy: BTreeMap<ShardId, u8>,
    /// Used, and not yet told.
    sent: Vec<u64>,
    report: Option<(Instant, SessionStartLimit)>,
    clock: Option<Clock>,
    /// The clock when this process was asked to ask Discord.
    clock_at_ask: Option<Clock>,
}

/// What one exchange says of permits.
#[derive(Debug, Default)]
pub(super) struct DeskWords {
    pub(super) wants: Vec<Shard>,
    pub(super) busy: BTreeMap<Shard, u8>,
    pub(super) hand: Vec<Cow<'static, str>>,
    pub(super) sent: Vec<Cow<'static, str>>,
    pub(super) limits: Option<Limits>,
}

/// What was said, to be forgotten when it was heard.
#[derive(Clone, Debug, Default)]
pub(super) struct Said {
    sent: Vec<u64>,
    report: Option<Instant>,
}

impl Desk {
    /// When somebody's turn may have come.
    pub(super) fn wake_at(&self) -> Option<Instant> {
        let spoken_of = self.wants.values().take(WANTS_MAX);
        spoken_of.filter_map(|at| *at).min()
    }

    /// When the first permit runs out.
    pub(super) fn ends_at(&self) -> Option<Instant> {
        self.hand.values().map(|permit| permit.until).min()
    }

    /// A permit that nobody spoke of while it ran counts as used.
    pub(super) fn expire(&mut self, now: Instant) -> bool {
        let sent = &mut self.sent;
        let before = self.hand.len();
        self.hand.retain(|_, permit| {
            let runs = permit.until > now;
            if !runs {
                sent.push(permit.serial);
            }
            runs
        });
        self.hand.len() < before
    }

    pub(super) fn speak(&self, stride: Duration) -> (DeskWords, Said) {
        let sent = self.sent.clone();
        let limits = self.limits(stride);
        let said = Said {
            report: self
                .report
                .as_ref()
                .filter(|_| limits.is_some())
                .map(|report| report.0),
            sent,
        };
        let words = DeskWords {
            wants: self
                .wants
                .keys()
                .take(WANTS_MAX)
                .map(|&shard| Shard(shard))
                .collect(),
            busy: self
                .wants
                .keys()
                .take(WANTS_MAX)
                .filter_map(|shard| Some((Shard(*shard), *self.busy.get(shard)?)))
                .collect(),
            hand: self
                .hand
                .values()
                .map(|permit| serial(permit.serial))
                .collect(),
            sent: said.sent.iter().map(|&number| serial(number)).collect(),
            limits,
        };
        (words, said)
    }

    /// The report in the register's words; it waits until the register's clock is known.
    fn limits(&self, stride: Duration) -> Option<Limits> {
        let (asked_at, limit) = self.report.as_ref()?;
        let clock = self.clock.as_ref()?;
        let at_ask = self
            .clock_at_ask
            .as_ref()
            .filter(|before| before.inc == clock.inc && before.received <= *asked_at)
            .map_or(0, |before| before.theirs);
        let day = Duration::from_millis(limit.reset_after_ms).clamp(SHORTEST_DAY, DAY);
        Some(Limits {
            inc: clock.inc.clone(),
            asked: clock.not_after(*asked_at, stride).max(at_ask),
            total: limit.total,
            remaining: limit.remaining,
            reset_after: micros(day),
            max_concurrency: limit.max_concurrency.max(1),
        })
    }

    /// An exchange was answered. Says whether there is something to be said at once.
    pub(super) fn heard(&mut self, said: &Said, clock: Clock) -> bool {
        self.sent.retain(|number| !said.sent.contains(number));
        self.report.take_if(|report| said.report == Some(report.0));
        self.clock = Some(clock);
        self.report.is_some() || !self.sent.is_empty()
    }

    /// The lease of a shard is over: it does not identify.
    pub(super) fn drop_want(&mut self, shard: ShardId) {
        self.wants.remove(&shard);
        self.busy.remove(&shard);
    }

    pub(super) fn keep_clock(&mut self) {
        self.clock_at_ask.clone_from(&self.clock);
    }

    /// What became of a wish. Says whether the shard has got its permit.
    pub(super) fn answered(
        &mut self,
        now: Instant,
        until: Instant,
        (shard, outcome, value): (ShardId, Outcome, u64),
    ) -> bool {
        let Some(wake) = self.wants.get_mut(&shard) else {
            return false;
        };
        match outcome {
            Outcome::Granted if until > now => {
                self.wants.remove(&shard);
                let permit = Permit {
                    serial: value,
                    until,
                };
                self.hand.insert(shard, permit);
                true
            }
            Outcome::Granted => {
                *wake = None;
                false
            }
            Outcome::Wait | Outcome::Spent => {
                *wake = Some(now + Duration::from_millis(value));
                false
            }
        }
    }
}

impl Holder {
    /// The shard is ready to identify and waits for its permit. A shard that has one, or waits already, keeps it.
    pub fn want_permit(&mut self, shard: ShardId) {
        if !self.desk.hand.contains_key(&shard) && !self.desk.wants.contains_key(&shard) {
            self.desk.wants.insert(shard, None);
            self.hasten();
        }
    }

    /// So many events came to the shard, in the time that all members compare theirs by. After an outage the busiest
    /// are permitted first; only powers of two make a difference.
    pub fn activity(&mut self, shard: ShardId, events: u64) {
        self.desk.busy.insert(shard, busy(events).min(BUSY_MAX));
    }

    /// The shard does not want to identify any more. A permit that it has is given back unused.
    pub fn cancel_permit(&mut self, shard: ShardId) {
        self.desk.wants.remove(&shard);
        self.permit_unused(shard);
    }

    /// The shard's identify has left just now.
    pub fn permit_sent(&mut self, shard: ShardId) {
        if let Some(permit) = self.desk.hand.remove(&shard) {
            self.desk.sent.push(permit.serial);
            self.hasten();
        }
    }

    /// The shard's identify was not sent, and will not be on this permit.
    pub fn permit_unused(&mut self, shard: ShardId) {
        if self.desk.hand.remove(&shard).is_some() {
            self.hasten();
        }
    }

    /// Whether the shard may identify at this moment: it has a permit, which still runs, and its lease does.
    #[must_use]
    pub fn may_identify(&self, now: Instant, shard: ShardId) -> bool {
        let permit = self.desk.hand.get(&shard);
        permit.is_some_and(|permit| now < permit.until) && self.may_run(now, shard)
    }

    /// What `GET /gateway/bot` said, which was asked at `asked_at`. May be told at any time.
    pub fn limits(&mut self, asked_at: Instant, limit: SessionStartLimit) {
        self.desk.report = Some((asked_at, limit));
        self.hasten();
    }

    pub(super) fn permits_answered(
        &mut self,
        now: Instant,
        until: Instant,
        permits: Vec<(Shard, Outcome, u64)>,
    ) {
        for (Shard(shard), outcome, value) in permits {
            if self.desk.answered(now, until, (shard, outcome, value)) {
                self.stats.permits += 1;
                self.steps.push_back(Step::Permit { shard });
            }
        }
    }
}
