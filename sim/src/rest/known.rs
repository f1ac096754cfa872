//! What a client has been told: every answer that it received, and when.

use std::collections::BTreeMap;

use shardkeep_core::Instant;

use super::bucket::BucketKey;

/// How many answers may be under way before the oldest count as lost.
const UNDER_WAY: usize = 100_000;

/// How many hidden limits that showed themselves are remembered; the others may show themselves again.
const WARNINGS: usize = 100_000;

/// A route of one identity: identity, route, rule. Age classes of one route are rules of their own.
pub(crate) type RouteKey = (u32, u32, u32);

/// A hidden limit's counter: identity, limit, what it counts by.
pub(crate) type HiddenKey = (u32, u32, u64);

/// What an answer tells whoever receives it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Told {
    /// Its route counts towards this bucket, and it was counted.
    Counted { route: RouteKey, bucket: BucketKey },
    /// Its route counts towards this bucket, which is full for so long.
    Over {
        route: RouteKey,
        bucket: BucketKey,
        retry_us: u64,
    },
    /// A hidden limit was hit, and is free again after so long.
    Hidden {
        route: RouteKey,
        bucket: BucketKey,
        hidden: HiddenKey,
        documented: u64,
        retry_us: u64,
    },
    /// The global limit was hit.
    Global { identity: u32 },
}

/// When a hidden limit first showed itself, and until when the client was told to wait.
#[derive(Clone, Copy, Debug)]
struct Warning {
    first: Instant,
    last: Instant,
    until: Instant,
}

/// How well a client knows a hidden limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Warned {
    Never,
    Before,
    Waiting,
}

#[derive(Debug, Default)]
pub(crate) struct Known {
    under_way: BTreeMap<u64, Told>,
    routes: BTreeMap<(RouteKey, u32), Instant>,
    /// By route and documented major parameter: that several share a hidden limit is nothing that an answer tells.
    hidden: BTreeMap<(HiddenKey, RouteKey, u64), Warning>,
    global: BTreeMap<u32, Instant>,
}

impl Known {
    /// An answer leaves.
    pub(crate) fn tell(&mut self, id: u64, told: Told) {
        self.under_way.insert(id, told);
        if self.under_way.len() > UNDER_WAY {
            self.under_way.pop_first();
        }
    }

    /// An answer will never be received.
    pub(crate) fn lost(&mut self, id: u64) {
        self.under_way.remove(&id);
    }

    /// An answer was received, or will be at `at`.
    pub(crate) fn received(&mut self, at: Instant, id: u64) -> Option<Told> {
        let told = self.under_way.remove(&id)?;
        match told {
            Told::Counted { route, bucket } | Told::Over { route, bucket, .. } => {
                self.learn(at, route, bucket);
            }
            Told::Hidden {
                route,
                bucket,
                hidden,
                documented,
                retry_us,
            } => {
                self.learn(at, route, bucket);
                let until = at + core::time::Duration::from_micros(retry_us);
                let warning = self
                    .hidden
                    .entry((hidden, route, documented))
                    .or_insert(Warning {
                        first: at,
                        last: at,
                        until,
                    });
                warning.first = warning.first.min(at);
                if at >= warning.last {
                    (warning.last, warning.until) = (at, until);
                }
                if self.hidden.len() > WARNINGS {
                    self.hidden.pop_first();
                }
            }
            Told::Global { identity } => {
                let first = self.global.entry(identity).or_insert(at);
                *first = (*first).min(at);
            }
        }
        Some(told)
    }

    fn learn(&mut self, at: Instant, route: RouteKey, (_, counter, _): BucketKey) {
        let first = self.routes.entry((route, counter)).or_insert(at);
        *first = (*first).min(at);
    }

    /// Whether the client knew at `sent` that a route counts towards these counters.
    pub(crate) fn route(&self, route: RouteKey, counter: u32, sent: Instant) -> bool {
        self.routes
            .get(&(route, counter))
            .is_some_and(|&at| at <= sent)
    }

    pub(crate) fn hidden(
        &self,
        key: HiddenKey,
        route: RouteKey,
        documented: u64,
        sent: Instant,
    ) -> Warned {
        match self.hidden.get(&(key, route, documented)) {
            Some(warning) if warning.last <= sent && sent < warning.until => Warned::Waiting,
            Some(warning) if warning.first <= sent => Warned::Before,
            _ => Warned::Never,
        }
    }

    pub(crate) fn global(&self, identity: u32, sent: Instant) -> bool {
        self.global.get(&identity).is_some_and(|&at| at <= sent)
    }
}
