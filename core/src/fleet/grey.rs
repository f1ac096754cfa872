//! Shards that are well by every sign but one: heartbeats are acknowledged, and events have dried up.
//!
//! Discord's gateway has failed so: connected, acknowledging, and silent until somebody restarted the bot. No
//! close code and no deadline tells. What tells is that a shard gets a small part of what it got before, while its
//! siblings get what they got.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::time::Duration;

use crate::id::ShardId;
use crate::time::Instant;

/// When a shard counts as dried up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GreyConfig {
    /// Below this share of what was to be expected a shard is dry, in percent. Default 5.
    pub share_percent: u32,
    /// So many events must be missing: what a quiet shard gets by chance proves nothing. Default 100.
    pub missing_min: u64,
    /// For so many looks in a row. Default 3.
    pub looks: u32,
    /// A shard is judged once it has so much of a history, in looks. Default 5.
    pub history: u32,
    /// At most one session is given up for a new one in this time, over all shards: each costs an identify. Default one
    /// hour.
    pub renew_every: Duration,
}

impl Default for GreyConfig {
    fn default() -> Self {
        Self {
            share_percent: 5,
            missing_min: 100,
            looks: 3,
            history: 5,
            renew_every: Duration::from_secs(3_600),
        }
    }
}

/// A shard, as it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The shard.
    pub shard: ShardId,
    /// Which session it has: each READY begins the next. A new one has no history: it begins with a flood of guilds.
    pub session: u64,
    /// Whether that is established.
    pub is_ready: bool,
    /// How many dispatches it has had, ever.
    pub dispatches: u64,
}

/// What is to be done about a dry shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cure {
    /// Reconnect and resume: costs nothing, and what was missed may be replayed.
    Resume,
    /// Resuming did not help: a new session. Costs an identify.
    Renew,
    /// Neither helped, or the identifies do not allow it: tell somebody. What the shard gets now is taken for normal
    /// from here on.
    GiveUp,
}

/// A shard that is dry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The shard.
    pub shard: ShardId,
    /// Events that came while it was dry, and how many were to be expected by its history and its siblings' present.
    pub seen: u64,
    /// See there.
    pub expected: u64,
    /// What to do.
    pub cure: Cure,
}

/// Rates are counted in thousandths of an event a second.
const SCALE: u64 = 1_000;

/// How much the newest look counts in the history: 1 of so many.
const WEIGHT: u64 = 20;

#[derive(Clone, Copy, Debug, Default)]
struct History {
    session: u64,
    last: u64,
    was_ready: bool,
    looks: u32,
    /// Per second, times [`SCALE`].
    rate: u64,
    dry_looks: u32,
    /// While it is dry: what came, and what should have.
    seen: u64,
    expected: u64,
    cures: u32,
}

/// Looks at all shards of a process now and then, about every minute, and finds those that have dried up.
///
/// A shard is judged by its own history, an average over some twenty looks, times what its siblings get now of theirs:
/// at night all get less, and in an outage of Discord's nobody is told to reconnect.
///
/// ```
/// use shardkeep_core::fleet::{Cure, Grey, GreyConfig, Sample};
/// use shardkeep_core::{Instant, ShardId};
///
/// let mut grey = Grey::new(GreyConfig::default());
/// let shards = [0, 1].map(|index| ShardId::new(index, 2).unwrap());
/// let mut dispatches = [0, 0];
/// for minute in 0..20 {
///     dispatches[0] += 600;
///     // The second one gets nothing any more after ten minutes.
///     dispatches[1] += if minute < 10 { 600 } else { 0 };
///     let sample = |n: usize| Sample { shard: shards[n], session: 1, is_ready: true, dispatches: dispatches[n] };
///     let found = grey.look(Instant::from_secs(minute * 60), &[sample(0), sample(1)], true);
///     let cures: Vec<_> = found.iter().map(|found| (found.shard, found.cure)).collect();
///     match minute {
///         12 => assert_eq!(cures, [(shards[1], Cure::Resume)]),
///         15 => assert_eq!(cures, [(shards[1], Cure::Renew)]),
///         18 => assert_eq!(cures, [(shards[1], Cure::GiveUp)]),
///         _ => assert_eq!(cures, []),
///     }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Grey {
    config: GreyConfig,
    shards: BTreeMap<ShardId, History>,
    looked_at: Option<Instant>,
    renewed_at: Option<Instant>,
}

impl Grey {
    /// Nobody is known yet.
    #[must_use]
    pub const fn new(config: GreyConfig) -> Self {
        Self {
            config,
            shards: BTreeMap::new(),
            looked_at: None,
            renewed_at: None,
        }
    }

    /// Looks at all shards. `may_renew` says whether the day's identifies allow a new session. Those that are not among
    /// the samples are forgotten.
    pub fn look(&mut self, now: Instant, samples: &[Sample], may_renew: bool) -> Vec<Finding> {
        let elapsed = self.looked_at.map_or(0, |at| millis(now.since(at)));
        self.looked_at = Some(now);
        self.shards
            .retain(|shard, _| samples.iter().any(|sample| sample.shard == *shard));
        let came: Vec<_> = samples.iter().map(|sample| self.came(sample)).collect();
        // What all get now, and what all should by their histories.
        let (mut all_came, mut all_due) = (0, 0);
        for (sample, came) in samples.iter().zip(&came) {
            if let (Some(came), Some(due)) = (came, self.due(sample.shard, elapsed)) {
                all_came += came;
                all_due += due;
            }
        }
        let mut found = Vec::new();
        for (sample, came) in samples.iter().zip(came) {
            let due = self.due(sample.shard, elapsed);
            let Some(came) = came else {
                continue;
            };
            let siblings = due.map(|due| (all_came - came, all_due - due));
            let expected = due
                .zip(siblings)
                .map(|(due, siblings)| self.expected(due, siblings));
            found.extend(self.judge(now, sample.shard, came, expected, elapsed, may_renew));
        }
        found
    }

    /// What has come since the last look; `None` if the shard was not there all the time.
    fn came(&mut self, sample: &Sample) -> Option<u64> {
        let history = self.shards.entry(sample.shard).or_default();
        if history.session != sample.session {
            *history = History {
                session: sample.session,
                ..History::default()
            };
        }
        let was_ready = core::mem::replace(&mut history.was_ready, sample.is_ready);
        let last = core::mem::replace(&mut history.last, sample.dispatches);
        if !was_ready || !sample.is_ready {
            // Between two connections nothing comes, and then all at once.
            (history.dry_looks, history.seen, history.expected) = (0, 0, 0);
            return None;
        }
        sample.dispatches.checked_sub(last)
    }

    /// What the shard's history lets expect in that time, if it has one.
    fn due(&self, shard: ShardId, elapsed_ms: u64) -> Option<u64> {
        let history = self.shards.get(&shard)?;
        (history.looks >= self.config.history).then_some(history.rate * elapsed_ms / 1_000 / SCALE)
    }

    /// The same, as far as the siblings get what they should.
    fn expected(&self, due: u64, (came, all_due): (u64, u64)) -> u64 {
        // Few siblings with little to hear prove nothing; alone, the history has to do.
        if all_due < self.config.missing_min {
            return due;
        }
        due * came.min(all_due) / all_due
    }

    fn judge(
        &mut self,
        now: Instant,
        shard: ShardId,
        came: u64,
        expected: Option<u64>,
        elapsed_ms: u64,
        may_renew: bool,
    ) -> Option<Finding> {
        let config = &self.config;
        let history = self.shards.get_mut(&shard)?;
        let expected = expected.unwrap_or_default();
        let is_dry = expected > 0 && came * 100 < expected * u64::from(config.share_percent);
        if !is_dry {
            history.learn(came, elapsed_ms, config.history);
            (history.dry_looks, history.seen, history.expected) = (0, 0, 0);
            // One look that is not dry is no proof that a cure has helped, as long as little is due.
            if came > 0 {
                history.cures = 0;
            }
            return None;
        }
        history.dry_looks += 1;
        history.seen += came;
        history.expected += expected;
        let missing = history.expected - history.seen.min(history.expected);
        if history.dry_looks < config.looks || missing < config.missing_min {
            return None;
        }
        let rests = |at: Instant| now.since(at) < config.renew_every;
        let cure = match history.cures {
            0 => Cure::Resume,
            1 if may_renew && !self.renewed_at.is_some_and(rests) => Cure::Renew,
            _ => Cure::GiveUp,
        };
        let found = Finding {
            shard,
            seen: history.seen,
            expected: history.expected,
            cure,
        };
        (history.dry_looks, history.seen, history.expected) = (0, 0, 0);
        history.cures += 1;
        match cure {
            Cure::Resume => {}
            Cure::Renew => self.renewed_at = Some(now),
            Cure::GiveUp => {
                *history = History {
                    session: history.session,
                    last: history.last,
                    was_ready: true,
                    ..History::default()
                };
            }
        }
        Some(found)
    }
}

impl History {
    fn learn(&mut self, came: u64, elapsed_ms: u64, history: u32) {
        if elapsed_ms == 0 {
            return;
        }
        let rate = came.saturating_mul(1_000 * SCALE) / elapsed_ms;
        self.rate = match self.looks {
            0 => rate,
            // The least of the first looks: whatever a session begins with is not what it goes on with.
            looks if looks < history => self.rate.min(rate),
            _ => (self.rate * (WEIGHT - 1) + rate) / WEIGHT,
        };
        self.looks = self.looks.saturating_add(1);
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fleet {
        grey: Grey,
        minute: u64,
        dispatches: Vec<u64>,
        ready: Vec<bool>,
        sessions: Vec<u64>,
    }

    impl Fleet {
        fn new(shards: usize) -> Self {
            Self {
                grey: Grey::new(GreyConfig::default()),
                minute: 0,
                dispatches: alloc::vec![0; shards],
                ready: alloc::vec![true; shards],
                sessions: alloc::vec![1; shards],
            }
        }

        /// A minute in which each shard gets so many.
        fn minute(&mut self, came: &[u64]) -> Vec<(u32, Cure)> {
            self.minute += 1;
            for (all, came) in self.dispatches.iter_mut().zip(came) {
                *all += came;
            }
            let total = u32::try_from(self.dispatches.len()).unwrap();
            let sample = |n: usize| Sample {
                shard: ShardId::new(u32::try_from(n).unwrap(), total).unwrap(),
                session: self.sessions[n],
                is_ready: self.ready[n],
                dispatches: self.dispatches[n],
            };
            let samples: Vec<_> = (0..self.dispatches.len()).map(sample).collect();
            let now = Instant::from_secs(self.minute * 60);
            let found = self.grey.look(now, &samples, true);
            found
                .iter()
                .map(|found| (found.shard.index(), found.cure))
                .collect()
        }

        fn minutes(&mut self, count: usize, came: &[u64]) -> Vec<(u32, Cure)> {
            (0..count).flat_map(|_| self.minute(came)).collect()
        }
    }

    #[test]
    fn a_shard_that_a_resume_cures_is_as_well_as_before() {
        let mut fleet = Fleet::new(3);
        assert_eq!(fleet.minutes(10, &[900, 300, 100]), []);
        assert_eq!(fleet.minutes(3, &[900, 10, 100]), [(1, Cure::Resume)]);
        assert_eq!(fleet.minutes(60, &[900, 300, 100]), []);
        assert_eq!(
            fleet.minutes(3, &[900, 0, 100]),
            [(1, Cure::Resume)],
            "the first again"
        );
    }

    #[test]
    fn in_an_outage_and_at_night_nobody_is_told_to_reconnect() {
        let mut fleet = Fleet::new(3);
        assert_eq!(fleet.minutes(10, &[900, 300, 600]), []);
        assert_eq!(
            fleet.minutes(10, &[0, 0, 0]),
            [],
            "all at once is Discord's outage"
        );
        assert_eq!(fleet.minutes(5, &[900, 300, 600]), []);
        for step in (0..20).rev() {
            let came = [45 * step, 15 * step, 30 * step];
            assert_eq!(fleet.minute(&came), [], "all get less, evenly");
        }
    }

    #[test]
    fn what_is_little_or_new_or_was_away_proves_nothing() {
        let mut fleet = Fleet::new(2);
        fleet.minutes(20, &[900, 1]);
        assert_eq!(
            fleet.minutes(30, &[900, 0]),
            [],
            "30 missing events are not 100"
        );
        let mut fleet = Fleet::new(2);
        assert_eq!(fleet.minutes(2, &[900, 900]), []);
        assert_eq!(fleet.minutes(30, &[900, 0]), [], "it never had a history");
        let mut fleet = Fleet::new(2);
        fleet.minutes(10, &[900, 900]);
        fleet.ready[1] = false;
        assert_eq!(
            fleet.minutes(10, &[900, 0]),
            [],
            "it is not connected, and that is known"
        );
    }

    #[test]
    fn the_flood_of_guilds_with_which_a_session_begins_is_no_history() {
        let mut fleet = Fleet::new(2);
        fleet.minute(&[0, 0]);
        fleet.minute(&[2_500, 2_500]);
        assert_eq!(fleet.minutes(30, &[20, 20]), []);
        fleet.sessions[1] = 2;
        assert_eq!(fleet.minute(&[20, 2_500]), []);
        assert_eq!(fleet.minutes(30, &[20, 15]), []);
    }

    #[test]
    fn a_shard_alone_is_judged_by_its_own_history() {
        let mut fleet = Fleet::new(1);
        fleet.minutes(10, &[900]);
        assert_eq!(fleet.minutes(3, &[0]), [(0, Cure::Resume)]);
    }

    #[test]
    fn one_new_session_an_hour_is_the_most() {
        let mut fleet = Fleet::new(4);
        let well = [500; 4];
        fleet.minutes(10, &well);
        let found = fleet.minutes(6, &[500, 0, 0, 500]);
        assert_eq!(
            found,
            [
                (1, Cure::Resume),
                (2, Cure::Resume),
                (1, Cure::Renew),
                (2, Cure::GiveUp)
            ]
        );
    }
}
