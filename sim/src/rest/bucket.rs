//! One bucket: what it counted, and whether a client could know that it is full.

use core::time::Duration;
use std::collections::{BTreeSet, VecDeque};

use shardkeep_core::Instant;

use super::known::{Known, RouteKey};
use super::window::{Spec, Window};

/// Identity, counters, major parameter.
pub(crate) type BucketKey = (u32, u32, u64);

/// A request that counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Use {
    pub(crate) at: u64,
    pub(crate) id: u64,
    pub(crate) sent: Instant,
    pub(crate) route: RouteKey,
    /// The major parameter as documented: what a client tells buckets apart by.
    pub(crate) documented: u64,
    /// When the client received its answer.
    received: Option<Instant>,
}

impl Use {
    pub(crate) const fn new(
        at: u64,
        id: u64,
        sent: Instant,
        route: RouteKey,
        documented: u64,
    ) -> Self {
        Self {
            at,
            id,
            sent,
            route,
            documented,
            received: None,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Bucket {
    pub(crate) spec: Spec,
    pub(crate) window: Window,
    uses: VecDeque<Use>,
    /// The last 429 that the client received, and until when it was told to wait.
    warning: Option<(Instant, Instant)>,
}

impl Bucket {
    pub(crate) fn new(spec: Spec) -> Self {
        Self {
            spec,
            window: Window::new(spec.kind),
            uses: VecDeque::new(),
            warning: None,
        }
    }

    /// Forgets what no longer counts.
    pub(crate) fn roll(&mut self, now: u64) {
        self.window.roll(self.spec, now);
        let since = match &self.window {
            Window::Fixed { used: 0, .. } => now + 1,
            Window::Fixed { ends, .. } => ends.saturating_sub(self.spec.window_us),
            // What a leaky bucket took two spans ago is long drained, unless it was kept full all the time.
            Window::Leaky { .. } => now.saturating_sub(self.spec.window_us.saturating_mul(2)),
            Window::Log(times) => times.front().copied().unwrap_or(now + 1),
        };
        while self.uses.front().is_some_and(|used| used.at < since) {
            self.uses.pop_front();
        }
    }

    /// Counts a request. It must fit.
    pub(crate) fn take(&mut self, used: Use) {
        self.window.take(self.spec, used.at);
        self.uses.push_back(used);
    }

    /// The client received the answer to a request that was counted.
    pub(crate) fn received(&mut self, at: Instant, id: u64) {
        if let Some(used) = self.uses.iter_mut().rev().find(|used| used.id == id) {
            used.received = Some(at);
        }
    }

    /// The client received a 429.
    pub(crate) fn warned(&mut self, at: Instant, retry_us: u64) {
        if self.warning.is_none_or(|(last, _)| last <= at) {
            self.warning = Some((at, at + Duration::from_micros(retry_us)));
        }
    }

    /// Whether the client could know that this request is one too many. It could if it had been told to wait; or if,
    /// by what it had been told when the last of the requests in question was sent, they are more than fit.
    pub(crate) fn was_announced(
        &self,
        known: &Known,
        lost: &BTreeSet<u64>,
        counter: u32,
        one_more: &Use,
    ) -> bool {
        let Use { sent, at: now, .. } = *one_more;
        let latest = self
            .uses
            .iter()
            .map(|used| used.sent)
            .fold(sent, Instant::max);
        if !known.route(one_more.route, counter, latest) {
            return false;
        }
        if self
            .warning
            .is_some_and(|(at, until)| at <= sent && sent < until)
        {
            return true;
        }
        // An answer's Remaining speaks for everything that was counted before it, known or not.
        let told = self.uses.iter().rposition(|used| {
            known.route(used.route, counter, latest)
                && used.documented == one_more.documented
                && used.received.is_some_and(|at| at <= latest)
        });
        let untold = self.uses.iter().skip(told.map_or(0, |at| at + 1));
        let excused = untold.filter(|used| {
            used.documented != one_more.documented
                || lost.contains(&used.id)
                || !known.route(used.route, counter, latest)
        });
        !self
            .window
            .fits_without(self.spec, now, excused.count() as u64)
    }
}
