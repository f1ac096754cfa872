//! What one process may use of one limit that it shares: tokens from the ledger, and a share to live on without it.

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::rest::bucket::Room;
use crate::time::Instant;

/// The first pause before the ledger is asked again that had nothing to give, where it does not say when it will.
const PAUSE_FIRST: Duration = Duration::from_millis(4);

/// The longest of them.
const PAUSE_LAST: Duration = Duration::from_millis(64);

/// What leaves a log within so long leaves together.
const TOGETHER: Duration = Duration::from_millis(4);

/// What an answer said of a bucket, in the words of the ledger: the limit, what is left, and the interval in which the
/// bucket is full again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) limit: u32,
    pub(super) remaining: u32,
    pub(super) lower: Instant,
    pub(super) upper: Instant,
}

/// What has happened to a limit since the ledger last heard of it.
#[derive(Clone, Debug, Default)]
pub(super) struct News {
    pub(super) seen: Vec<Seen>,
    /// When what Discord counted leaves a log, and how much.
    pub(super) gone: Vec<(Instant, u32)>,
    since: Instant,
    /// Requests that Discord may have counted without saying what is left.
    pub(super) lost: u32,
    pub(super) hold: Option<Instant>,
    /// Buckets, by their keys in the ledger, that this one took over from.
    pub(super) from: Vec<String>,
}

impl News {
    /// So many leave the log at `at`. Those that leave at nearly the same time leave with the last of them.
    pub(super) fn leaves(&mut self, at: Instant, count: u32) {
        match self.gone.last_mut() {
            Some((last, before))
                if *last <= at && *last + TOGETHER > at && self.since + TOGETHER > at =>
            {
                *last = at;
                *before += count;
            }
            _ => {
                self.since = at;
                self.gone.push((at, count));
            }
        }
    }

    /// News that did not reach the ledger are told again, before what has come since.
    pub(super) fn put_back(&mut self, mut older: Self) {
        older.seen.append(&mut self.seen);
        older.gone.append(&mut self.gone);
        older.from.append(&mut self.from);
        self.seen = older.seen;
        self.gone = older.gone;
        self.from = older.from;
        self.lost += older.lost;
        self.hold = self.hold.max(older.hold);
    }
}

/// The share of a limit that may be used while the ledger is away: one part in `parts`, until a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Share {
    pub(super) parts: u32,
    pub(super) until: Instant,
}

/// What one process may use of one limit.
#[derive(Clone, Debug, Default)]
pub(in crate::rest) struct Allowance {
    /// Until when, and how many.
    tokens: VecDeque<(Instant, u32)>,
    pub(super) news: News,
    /// News in the exchange under way.
    told: Option<News>,
    pub(super) share: Share,
    /// What was sent on the share, oldest first.
    on_share: VecDeque<Instant>,
    /// The longest window that answers named.
    pub(super) window: Duration,
    /// How many requests had landed when the ledger last heard of them, where that is counted elsewhere.
    pub(super) landed: u32,
    /// Requests in flight that came from a bucket not known yet, of which the ledger has not heard here.
    pub(super) unheard: u32,
    /// When the ledger is to be spoken to about it.
    pub(super) listed: Option<Instant>,
    /// The ledger had nothing to give: not again before then.
    pub(super) not_before: Instant,
    pause: Duration,
}

impl Allowance {
    /// How many may be used now.
    pub(in crate::rest) fn usable(&self, now: Instant) -> u32 {
        let open = self.tokens.iter().filter(|&&(until, _)| until > now);
        open.map(|&(_, count)| count).sum()
    }

    /// Uses one. `false` if there is none.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        while self
            .tokens
            .front()
            .is_some_and(|&(until, count)| until <= now || count == 0)
        {
            self.tokens.pop_front();
        }
        let Some((_, count)) = self.tokens.front_mut() else {
            return false;
        };
        *count -= 1;
        true
    }

    /// Keeps no more than `most`. Tells how many are given back.
    pub(super) fn keep(&mut self, now: Instant, most: u32) -> u32 {
        let mut surplus = self.usable(now).saturating_sub(most);
        let given = surplus;
        self.tokens
            .retain(|&(until, count)| until > now && count > 0);
        while surplus > 0
            && let Some((_, count)) = self.tokens.front_mut()
        {
            let taken = surplus.min(*count);
            *count -= taken;
            surplus -= taken;
            if *count == 0 {
                self.tokens.pop_front();
            }
        }
        given
    }

    /// The ledger that granted them is lost, and so is the share of it.
    pub(super) fn forget(&mut self) {
        self.tokens.clear();
        self.told = None;
        self.news = News::default();
        self.share = Share::default();
        self.not_before = Instant::ZERO;
    }

    /// Every token lasts until `until`.
    pub(super) fn renew(&mut self, until: Instant) {
        for (over, _) in &mut self.tokens {
            *over = until;
        }
    }

    /// The ledger's answer: `got` tokens until `until`. It may be asked again at `again`, if it said so.
    pub(super) fn granted(
        &mut self,
        now: Instant,
        (got, until): (u32, Instant),
        is_enough: bool,
        again: Option<Instant>,
    ) {
        self.told = None;
        self.unheard = 0;
        if got > 0 {
            self.tokens.push_back((until, got));
            self.pause = Duration::ZERO;
        }
        if is_enough {
            self.not_before = now;
            return;
        }
        self.pause = (self.pause * 2).clamp(PAUSE_FIRST, PAUSE_LAST);
        self.not_before = again.unwrap_or(now + self.pause);
    }

    /// What is told to the ledger now.
    pub(super) fn tell(&mut self) -> &News {
        let news = core::mem::take(&mut self.news);
        self.told.insert(news)
    }

    /// What the ledger may not have heard, and what a bucket that takes over must tell in this one's place.
    pub(super) fn not_heard(&self) -> News {
        let mut news = self.news.clone();
        if let Some(told) = &self.told {
            news.put_back(told.clone());
        }
        news
    }

    /// The same, where nothing of this bucket is left.
    pub(super) fn hand_over(&mut self) -> News {
        self.untold();
        core::mem::take(&mut self.news)
    }

    /// The exchange failed: all of it is told again.
    pub(super) fn untold(&mut self) {
        if let Some(told) = self.told.take() {
            self.news.put_back(told);
        }
    }

    /// How many may be sent on the share now.
    pub(super) fn share_room(&self, limit: u32, counted: Duration, now: Instant) -> Room {
        let most = limit.checked_div(self.share.parts).unwrap_or(0);
        if most == 0 || self.share.until <= now {
            return Room::AfterAnswer;
        }
        let first = self.on_share.partition_point(|&at| at + counted <= now);
        let used = u32::try_from(self.on_share.len() - first).unwrap_or(u32::MAX);
        match most.checked_sub(used) {
            Some(room @ 1..) => Room::Now(room),
            _ => {
                let leaving = first + (used - most) as usize;
                let at = self.on_share.get(leaving).copied();
                at.map_or(Room::AfterAnswer, |at| Room::At(at + counted))
            }
        }
    }

    pub(super) fn use_share(&mut self, now: Instant, counted: Duration) {
        while self.on_share.front().is_some_and(|&at| at + counted <= now) {
            self.on_share.pop_front();
        }
        self.on_share.push_back(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Instant {
        Instant::from_millis(ms)
    }

    #[test]
    fn tokens_run_out_by_use_and_by_time() {
        let mut allowance = Allowance::default();
        allowance.granted(ms(0), (2, ms(100)), true, None);
        allowance.granted(ms(50), (1, ms(150)), true, None);
        assert_eq!(allowance.usable(ms(60)), 3);
        assert!(allowance.take(ms(60)));
        assert_eq!(allowance.usable(ms(100)), 1, "the first grant is over");
        assert!(allowance.take(ms(120)));
        assert!(!allowance.take(ms(120)));
    }

    #[test]
    fn who_gets_nothing_asks_more_and_more_seldom() {
        let mut allowance = Allowance::default();
        let mut pauses = Vec::new();
        for _ in 0..6 {
            allowance.granted(ms(1_000), (0, ms(0)), false, None);
            pauses.push(allowance.not_before.since(ms(1_000)).as_millis());
        }
        assert_eq!(pauses, [4, 8, 16, 32, 64, 64]);
        allowance.granted(ms(1_000), (0, ms(0)), false, Some(ms(1_700)));
        assert_eq!(allowance.not_before, ms(1_700), "the ledger knows better");
    }

    #[test]
    fn news_that_were_not_heard_are_told_again() {
        let mut allowance = Allowance::default();
        allowance.news.lost = 2;
        allowance.news.gone.push((ms(1), 1));
        assert_eq!(allowance.tell().lost, 2);
        assert!(allowance.news.lost == 0 && allowance.news.gone.is_empty());
        allowance.news.gone.push((ms(2), 1));
        allowance.untold();
        assert_eq!(allowance.news.lost, 2);
        assert_eq!(allowance.news.gone, [(ms(1), 1), (ms(2), 1)]);
    }

    #[test]
    fn a_share_is_a_log_of_its_own() {
        let counted = Duration::from_secs(1);
        let mut allowance = Allowance::default();
        assert_eq!(allowance.share_room(6, counted, ms(0)), Room::AfterAnswer);
        allowance.share = Share {
            parts: 3,
            until: ms(5_000),
        };
        assert_eq!(allowance.share_room(6, counted, ms(0)), Room::Now(2));
        allowance.use_share(ms(0), counted);
        allowance.use_share(ms(10), counted);
        assert_eq!(
            allowance.share_room(6, counted, ms(20)),
            Room::At(ms(1_000))
        );
        assert_eq!(allowance.share_room(6, counted, ms(1_000)), Room::Now(1));
        assert_eq!(
            allowance.share_room(2, counted, ms(1_000)),
            Room::AfterAnswer,
            "no part is left of two"
        );
        assert_eq!(
            allowance.share_room(6, counted, ms(5_000)),
            Room::AfterAnswer,
            "it has run out"
        );
    }
}
