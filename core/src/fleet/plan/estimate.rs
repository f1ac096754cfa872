//! What a plan costs: identifies, time, sessions open at once, guilds held twice.

use alloc::collections::BTreeMap;
use core::time::Duration;

use crate::fleet::queue::INTERVAL;
use crate::fleet::serving::Serving;

use super::facts::Facts;
use super::step::{Step, StepKind};

/// What a [`Plan`](super::Plan) costs, if nothing else happens: no identify fails, and no other process spends any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Estimate {
    /// How many sessions are started. Each takes one of the day's identifies.
    pub identifies: u32,
    /// From the beginning until the last session has stopped, with the overlap of each step.
    pub duration: Duration,
    /// How many sessions are open before.
    pub sessions_before: u32,
    /// How many are open afterwards.
    pub sessions_after: u32,
    /// The most that are open at once.
    pub peak_sessions: u32,
    /// The same for each thousand of what is open before or afterwards, whichever is more. Rounded up.
    pub peak_sessions_per_mille: u32,
    /// The most guilds that are held at once, for each thousand of the bot's: a guild counts twice while two sessions
    /// have it. What sessions hold of guilds takes memory in proportion. Rounded up.
    pub peak_guilds_per_mille: u32,
    /// How many identifies may still be spent today afterwards, the reserve not among them.
    pub budget_left: u32,
    /// How long until all of the day's identifies are left again.
    pub resets_in: Duration,
    /// How many guilds the largest of the new shards has on average, if the number of guilds is known. Rounded up.
    pub guilds_per_shard: Option<u64>,
    /// How many other guilds are to be expected on the overlay, in thousandths, if the number of guilds is known and
    /// the plan starts an overlay. Rounded up.
    pub shared_with_milli: Option<u64>,
}

/// Shares of the guilds are counted in millions of millionths.
const WHOLE: u64 = 1_000_000_000_000;

/// Goes through the steps as a fleet would: one at a time, each identify as soon as its key is free.
pub(super) fn estimate(
    before: &Serving,
    after: &Serving,
    steps: &[Step],
    facts: &Facts,
) -> Estimate {
    let mut clock = Clock::new(facts);
    let sessions = |serving: &Serving| count(serving.sessions());
    let (sessions_before, sessions_after) = (sessions(before), sessions(after));
    let mut open = sessions_before;
    let mut peak_sessions = open;
    let mut identifies = 0;
    let mut peak_share = 0;
    for step in steps {
        clock.take(step);
        identifies += count(step.start().len());
        open += count(step.start().len());
        peak_sessions = peak_sessions.max(open);
        open -= count(step.stop().len());
        peak_share = peak_share.max(share(step));
    }
    let steady = u64::from(sessions_before.max(sessions_after));
    let peak = (u64::from(peak_sessions) * 1_000).div_ceil(steady);
    Estimate {
        identifies,
        duration: clock.now,
        sessions_before,
        sessions_after,
        peak_sessions,
        peak_sessions_per_mille: count(peak),
        peak_guilds_per_mille: 1_000 + count(peak_share.div_ceil(WHOLE / 1_000)),
        budget_left: facts.spendable().saturating_sub(identifies),
        resets_in: facts.resets_in(),
        guilds_per_shard: guilds_per_shard(steps, facts),
        shared_with_milli: shared_with_milli(steps, facts),
    }
}

fn count(number: impl TryInto<u32>) -> u32 {
    number.try_into().unwrap_or(u32::MAX)
}

/// The share of all guilds that two sessions have within the step.
fn share(step: &Step) -> u64 {
    let twice = match step.kind() {
        StepKind::Rejoin => step.stop(),
        _ => step.start(),
    };
    let parts = twice.iter().map(|shard| WHOLE / u64::from(shard.total()));
    parts.sum()
}

fn guilds_per_shard(steps: &[Step], facts: &Facts) -> Option<u64> {
    let resized = steps
        .iter()
        .filter(|step| step.kind() != StepKind::Overlay)
        .flat_map(Step::start);
    let total = resized.map(|shard| shard.total()).min()?;
    Some(facts.guilds?.div_ceil(total.into()))
}

fn shared_with_milli(steps: &[Step], facts: &Facts) -> Option<u64> {
    let overlay = steps
        .iter()
        .find(|step| step.kind() == StepKind::Overlay)
        .and_then(|step| step.start().first())?;
    let others = facts.guilds?.saturating_sub(1);
    Some(
        others
            .saturating_mul(1_000)
            .div_ceil(overlay.total().into()),
    )
}

/// When identifies go, key by key.
struct Clock {
    max_concurrency: u32,
    spacing: Duration,
    overlap: Duration,
    now: Duration,
    free_at: BTreeMap<u32, Duration>,
}

impl Clock {
    fn new(facts: &Facts) -> Self {
        let mut clock = Self {
            max_concurrency: facts.limit.max_concurrency.max(1),
            spacing: INTERVAL + facts.margin,
            overlap: facts.overlap,
            now: Duration::ZERO,
            free_at: BTreeMap::new(),
        };
        for key in &facts.keys {
            let free_in = Duration::from_millis(key.free_in_ms);
            let free_at = clock.key(key.index);
            *free_at = free_in.max(*free_at);
        }
        clock
    }

    fn key(&mut self, index: u32) -> &mut Duration {
        self.free_at
            .entry(index % self.max_concurrency)
            .or_default()
    }

    /// Identifies what the step starts, lets old and new overlap, and stops what it stops.
    fn take(&mut self, step: &Step) {
        let (begin, spacing) = (self.now, self.spacing);
        for shard in step.start() {
            let free_at = self.key(shard.index());
            let at = begin.max(*free_at);
            *free_at = at.saturating_add(spacing);
            self.now = self.now.max(at);
        }
        self.now = self.now.saturating_add(self.overlap);
    }
}
