//! Speaking to the register: when, and what is said.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::time::Duration;

use crate::fleet::Topology;
use crate::time::{Instant, micros};

use super::holder::{Held, UnderWay};
use super::words::{Shard, Statement, Token};
use super::{Exchange, Holder};

/// From one exchange to the next at least.
const PACE: Duration = Duration::from_millis(20);

/// From one to the next while shards are on their way to this process.
const HURRY: Duration = Duration::from_millis(100);

/// The first pause after an exchange that failed; each further one doubles it, up to [`LeaseConfig::every`].
const RETRY_FIRST: Duration = Duration::from_millis(50);

impl Holder {
    /// When there is something to say.
    pub(super) fn due(&self) -> Option<Instant> {
        if self.has_left {
            return None;
        }
        let Some(last) = self.last_sent else {
            return Some(Instant::ZERO);
        };
        let pause = match () {
            () if self.is_hasty => PACE,
            () if self.is_hurried => HURRY.min(self.config.every),
            () => self.config.every,
        };
        let at = last + pause;
        let at = self.desk.wake_at().map_or(at, |wake| at.min(wake));
        Some(at.max(last + PACE).max(self.not_before))
    }

    /// What to tell the register now; `None` if there is nothing to say yet, or an exchange is under way.
    pub fn exchange(&mut self, now: Instant) -> Option<Exchange> {
        self.handle_timeout(now);
        if self.under_way.is_some() || self.due().is_none_or(|at| at > now) {
            return None;
        }
        self.seq += 1;
        let seq = self.seq;
        let (statement, under_way) = self.statement(now, seq);
        let argument = serde_json::to_string(&statement).ok()?;
        self.under_way = Some(under_way);
        self.last_sent = Some(now);
        self.is_hasty = false;
        Some(Exchange {
            keys: [String::from("leases")].into(),
            argument,
        })
    }

    /// What it holds, and what it cannot take.
    fn held(&self) -> (BTreeMap<Shard, Token>, Vec<Shard>) {
        let mut held = BTreeMap::new();
        let mut busy = Vec::new();
        for (&shard, lease) in &self.leases {
            match lease.held {
                Held::Running | Held::Releasing => {
                    held.insert(Shard(shard), Token(lease.token));
                }
                Held::Lost => busy.push(Shard(shard)),
            }
        }
        (held, busy)
    }

    fn statement(&self, now: Instant, seq: u64) -> (Statement<'_>, UnderWay) {
        let config = &self.config;
        let (held, busy) = self.held();
        let (desk, said) = self.desk.speak(config.stride());
        let topology = self.topology.as_ref().or(config.propose.as_ref());
        let under_way = UnderWay {
            seq,
            sent: now,
            stated: held
                .iter()
                .map(|(shard, token)| (shard.0, token.0))
                .collect(),
            said,
            retarget: self.retarget.clone(),
            has_left: self.is_leaving && self.leases.is_empty(),
        };
        let statement = Statement {
            name: &config.name,
            instance: &self.instance,
            label: &config.label,
            status: &self.status,
            capacity: config.capacity,
            standby: config.is_standby,
            leaving: self.is_leaving,
            seq,
            inc: &self.inc,
            heard: self.heard,
            top: Token(self.top),
            term: micros(config.term),
            stride: micros(config.stride()),
            handover: config.handover,
            revision: self.revision,
            topology: topology.map(Topology::to_string).unwrap_or_default(),
            course: self.course.as_deref(),
            prefer: (config.prefer.iter())
                .map(|(label, shards)| (label.as_str(), shards.to_string()))
                .collect(),
            retarget: self.retarget.clone(),
            held,
            busy,
            wants: desk.wants,
            wants_busy: desk.busy,
            hand: desk.hand,
            sent: desk.sent,
            permit: micros(config.permit),
            spacing: micros(config.spacing),
            reserve: config.reserve,
            limits: desk.limits,
            view: self.wants_view,
        };
        (statement, under_way)
    }

    /// Nothing came of the exchange under way.
    pub(super) fn failed(&mut self, now: Instant) {
        if self.under_way.take().is_some() {
            self.stats.failed += 1;
            let pause = RETRY_FIRST.saturating_mul(1 << self.failures.min(8));
            self.not_before = now + pause.min(self.config.every);
            self.failures += 1;
            self.is_hasty = true;
        }
    }

    /// There is something to say at once.
    pub(super) fn hasten(&mut self) {
        self.is_hasty = true;
    }
}
