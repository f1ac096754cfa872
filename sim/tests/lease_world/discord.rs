//! What Discord counts: identifies by key, and a day's total.

use core::time::Duration;

use shardkeep_core::fleet::SessionStartLimit;
use shardkeep_sim::Instant;

/// Identifies of one key are so far apart at least.
const SPACING: Duration = Duration::from_secs(5);

/// Discord's side of all processes together.
pub(crate) struct Discord {
    total: u32,
    max_concurrency: u32,
    day: Duration,
    day_ends: Instant,
    /// Every identify of the day: when it was sent, and when it counts.
    counted: Vec<(Instant, Instant)>,
    /// The last identify of each key.
    last: Vec<Option<Instant>>,
    pub(crate) identifies: u64,
}

impl Discord {
    pub(crate) fn new(total: u32, max_concurrency: u32, day: Duration) -> Self {
        Self {
            total,
            max_concurrency,
            day,
            day_ends: Instant::ZERO + day,
            counted: Vec::new(),
            last: vec![None; max_concurrency as usize],
            identifies: 0,
        }
    }

    fn turn(&mut self, now: Instant) {
        while now >= self.day_ends {
            let ended = self.day_ends;
            self.counted.retain(|&(_, counts)| counts >= ended);
            self.day_ends += self.day;
        }
    }

    /// What `/gateway/bot` says. Identifies count a little after they were sent.
    pub(crate) fn limits(&mut self, now: Instant) -> SessionStartLimit {
        self.turn(now);
        let used = self.counted.iter().filter(|&&(_, at)| at <= now).count();
        SessionStartLimit {
            total: self.total,
            remaining: self.total - u32::try_from(used).expect("few identifies"),
            reset_after_ms: u64::try_from(self.day_ends.since(now).as_millis()).expect("a day"),
            max_concurrency: self.max_concurrency,
        }
    }

    /// An identify. Tells what is wrong with it.
    pub(crate) fn identify(
        &mut self,
        now: Instant,
        index: u32,
        counts_after: Duration,
        reserve: u32,
    ) -> Option<String> {
        self.turn(now);
        self.identifies += 1;
        self.counted.push((now, now + counts_after));
        let key = (index % self.max_concurrency) as usize;
        let before = self.last[key].replace(now);
        if let Some(before) = before.filter(|&before| before + SPACING > now) {
            let apart = now.since(before);
            return Some(format!("identify of {index} only {apart:?} after the last"));
        }
        let used = u32::try_from(self.counted.len()).expect("few identifies");
        let reserve = reserve.min(self.total / 2);
        (used + reserve > self.total).then(|| {
            format!(
                "identify of {index} is the day's {used}th, of {} less {reserve}",
                self.total
            )
        })
    }
}
